"""The measures of latent space: their numbers against the functions they call, and where they say nothing."""

import shutil

import numpy as np
import pytest
import torch

from diabolo import evaluation, latents, zoo
from diabolo.data import Images, load
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.interpolation import draw_pairs
from diabolo.training.fit import fit
from diabolo.training.runs import load as load_model

measures = evaluation.MEASURES


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=300, n_test=120)


@pytest.fixture(scope="module")
def subject(digits):
    model = zoo.pca(digits[0].shape, latent_dim=6)
    model.solve(digits[0].images)
    return Subject(model, *digits)


def small(name, shape, **options):
    torch.manual_seed(0)
    return zoo.build(name, shape, **options)


def test_interpolation_is_that_of_the_codes(subject):
    section = measures["interpolation"](subject, pairs=20, steps=5)
    a, b = draw_pairs(subject, 20)
    z = subject.codes("test")
    frames = latents.codes.decode(subject.codec, latents.linear(z[a], z[b], 5))
    found = latents.smoothness(frames)
    score = section.scores["linear: longest step"]
    assert score.value == pytest.approx(found.longest_step.mean())
    assert score.low < score.value < score.high
    assert (score.n, score.setting["steps"]) == (20, 5)
    assert section.scores["linear: length"].value == pytest.approx(
        1, abs=0.2
    )  # PCA: straight in pixels, but for the clip
    assert section.scores["along data: length"].value > section.scores["linear: length"].value
    section.panels["interpolation"]()


def test_pairs_are_of_different_classes_and_known_ones(subject, digits):
    a, b = draw_pairs(subject, 200)
    labels = digits[1].labels
    assert (labels[a] != labels[b]).all()
    partly = labels.copy()
    partly[::2] = -1
    images = Images(digits[1].images, labels=partly)
    a, b = draw_pairs(Subject(subject.codec, digits[0], images), 50)
    assert (partly[a] >= 0).all()
    assert (partly[b] >= 0).all()
    a, b = draw_pairs(Subject(subject.codec, digits[0], Images(digits[1].images)), 50)
    assert (a != b).all()


def test_a_classifier_says_how_sure_it_is_on_the_way(subject, digits, tmp_path):
    torch.manual_seed(0)
    run = fit(
        zoo.classifier(digits[0].shape, hidden=(16,)), digits[0], epochs=3, batch_size=50, out=tmp_path, quiet=True
    )
    section = measures["interpolation"](subject, pairs=10, steps=5, path_classifier=str(run.path))
    a, b = draw_pairs(subject, 10)
    z = subject.codes("test")
    frames = latents.codes.decode(subject.codec, latents.linear(z[a], z[b], 5))
    sure = (
        run.model.predict(torch.from_numpy(frames.reshape(-1, 1, 8, 8))).softmax(1).max(1).values.reshape(10, 5).min(1)
    )
    found = section.scores["linear: least confidence"]
    assert found.value == pytest.approx(float(sure.values.mean()), rel=1e-5)
    assert found.better == "higher"


def test_what_is_no_classifier_is_refused(subject, seeds):
    with pytest.raises(DiaboloError, match="holds no classifier"):
        measures["interpolation"](subject, path_classifier=str(seeds["latent_dim 2"][0]))


def test_memorisation_finds_a_model_that_repeats_its_training_images(digits):
    class Parrot:
        name, input_shape, latent_shape, reads = "parrot", digits[0].shape, (2,), None

        def sample(self, n, seed=0, y=None):
            chosen = np.random.default_rng(seed).integers(0, len(digits[0]), n)
            return torch.from_numpy(digits[0].images[chosen] / 255)

    section = measures["memorisation"](Subject(Parrot(), *digits), checked=60)
    assert section.scores["nearer than test images"].value > 0.95
    assert section.scores["copies"].value > 0.8
    assert section.scores["copies"].detail["p"] < 1e-6
    for panel in section.panels.values():
        panel()


def test_memorisation_of_pca_is_that_of_its_samples(subject, digits):
    section = measures["memorisation"](subject, checked=50)
    found = latents.memorisation(subject.codec.sample(50).clamp(0, 1).numpy(), digits[0].images, digits[1].images)
    assert section.scores["nearer than test images"].value == found.nearer
    assert section.scores["copies"].value == found.copies


@pytest.fixture(scope="module")
def faces():
    train, test = load("faces", n_train=200, n_test=60)
    model = zoo.pca(train.shape, latent_dim=20)
    model.solve(train.images)
    return Subject(model, train, test)


def test_adding_glasses_makes_them_more_probable(faces):
    section = measures["arithmetic"](faces, edited=("Eyeglasses",), alphas=(0.0, 1.0))
    gains = {name: score for name, score in section.scores.items() if name.endswith("gain")}
    assert set(gains) == {f"Eyeglasses by {way}: gain" for way in ("mean difference", "probe normal", "right-angled")}
    assert all(gain.value > 0.1 and gain.low > 0 for gain in gains.values())
    drift = section.scores["Eyeglasses by mean difference: drift of others"]
    assert 0 < drift.value < 1
    assert "Eyeglasses" not in drift.detail
    assert drift.value == pytest.approx(np.mean(list(drift.detail.values())))
    without = np.flatnonzero(~latents.attribute(faces.test, "Eyeglasses"))
    assert gains["Eyeglasses by probe normal: gain"].n == len(without)
    assert set(section.panels) == {"arithmetic-eyeglasses", "response-eyeglasses"}
    for panel in section.panels.values():
        panel()


def test_arithmetic_refuses_what_it_cannot_do(faces, subject):
    with pytest.raises(UnknownNameError, match="did you mean 'Eyeglasses'"):
        measures["arithmetic"](faces, edited=("Eyeglass",))
    for alphas in ((), (1.0, 2.0), (-1.0, 0.0)):
        with pytest.raises(DiaboloError, match="alphas hold 0"):
            measures["arithmetic"](faces, alphas=alphas)
    with pytest.raises(NotApplicable, match="no attributes"):
        measures["arithmetic"](subject)


def test_stability_over_the_runs_of_two_seeds(seeds, digits):
    first, second = seeds["latent_dim 4"]
    section = evaluation.evaluate(first, digits, ["stability"], other_runs=(str(second),))["stability"]
    codes = [latents.codes.encode(fit_model, digits[1]) for fit_model in map(load_model, (first, second))]
    assert section.scores["CKA"].value == pytest.approx(latents.cka(*codes))
    assert section.scores["Procrustes distance"].value == pytest.approx(latents.procrustes_distance(*codes))
    for panel in section.panels.values():
        panel()
    with pytest.raises(NotApplicable, match="other_runs"):
        evaluation.evaluate(first, digits, ["stability"])


def test_a_run_named_twice_is_refused(seeds, digits, tmp_path):
    first, second = seeds["latent_dim 4"]
    with pytest.raises(DiaboloError, match="twice"):
        evaluation.evaluate(first, digits, ["stability"], other_runs=(str(second), str(second)))
    copy = tmp_path / "copy"
    shutil.copytree(first, copy)
    same = evaluation.evaluate(first, digits, ["stability"], other_runs=(str(copy),))["stability"]
    assert same.scores["neighbourhood overlap"].value == 1


def test_where_codes_cannot_be_moved_the_measure_says_why(digits):
    train, test = digits
    options = {"latent_dim": 4, "hidden": (8,)}
    for model, said in (
        (small("vqvae", train.shape, latent_dim=4, codes=8, width=8, residual_width=4), "discrete"),
        (small("cvae", train.shape, condition="label", **options), "given more than the code"),
        (small("classifier", train.shape, hidden=(8,)), "not trained"),
    ):
        with pytest.raises(NotApplicable, match=said):
            measures["interpolation"](Subject(model, train, test))
    model = small("vqvae", train.shape, latent_dim=4, codes=8, width=8, residual_width=4)
    with pytest.raises(NotApplicable, match="prior is fitted"):
        measures["memorisation"](Subject(model, train, test))


def test_small_data_is_said_to_be_too_small(subject, digits):
    few = digits[0].take(np.arange(10))
    with pytest.raises(NotApplicable, match="neighbours each"):
        measures["interpolation"](Subject(subject.codec, few, digits[1]))
    with pytest.raises(NotApplicable, match="100 test images"):
        measures["memorisation"](Subject(subject.codec, digits[0], few))
    for options in ({"pairs": 1}, {"steps": 2}):
        with pytest.raises(DiaboloError, match=r"(pairs|steps) must be a whole number of at least"):
            measures["interpolation"](subject, **options)
