"""The measures of latent space: their numbers against the functions they call, and where they say nothing."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from diabolo import evaluation, latents, zoo
from diabolo.codec import PlainCodec
from diabolo.data import Images, load
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.arithmetic import _curve, _names
from diabolo.evaluation.arithmetic import _scores as _arithmetic_scores
from diabolo.evaluation.interpolation import draw_pairs
from diabolo.runs.loading import load as load_model
from diabolo.statistics import mean_interval
from diabolo.training.fit import fit

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
    class Parrot(PlainCodec):
        def sample(self, n, seed=0, y=None):
            chosen = np.random.default_rng(seed).integers(0, len(digits[0]), n)
            return torch.from_numpy(digits[0].images[chosen] / 255)

    section = measures["memorisation"](Subject(Parrot(digits[0].shape, (2,)), *digits), checked=60)
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


def test_limits_of_arithmetic(faces, monkeypatch):
    monkeypatch.setattr("diabolo.evaluation.arithmetic.FITTED", 150)
    monkeypatch.setattr("diabolo.evaluation.arithmetic.MOVED", 12)
    monkeypatch.setattr("diabolo.evaluation.arithmetic.SHOWN", 3)
    section = measures["arithmetic"](replace(faces, seed=3), edited=("Smiling",), alphas=(2.0, 0.0, -1.0))
    score = section.scores["Smiling by mean difference: gain"]
    assert score.setting == {
        "alphas": [2.0, 0.0, -1.0], "judge": "probes of the codes of 150 training images, on the encoded images",
    }  # fmt: skip
    without = np.flatnonzero(~latents.attribute(faces.test, "Smiling"))[:12]
    assert score.n == 12
    kept = np.sort(np.random.default_rng(3).permutation(200)[:150])
    few, z = faces.train.take(kept), faces.codes("train")[kept].astype(np.float64)
    direction = latents.mean_difference(z, latents.attribute(few, "Smiling"))
    wanted = latents.codes.decode(faces.codec, faces.codes("test")[without[:3]] + 2 * direction.astype(np.float32))
    rows, told = section.panels["arithmetic-smiling"].args
    assert list(rows) == [f"test image {i}" for i in without[:3]]
    assert told == ["α = 2", "α = 0", "α = −1"]
    assert np.stack([row[0] for row in rows.values()]) == pytest.approx(wanted, abs=1e-4)
    assert section.panels["response-smiling"].args[0] == [-1.0, 0.0, 2.0]
    assert set(section.panels["response-smiling"].args[1]) == {"mean difference", "probe normal", "right-angled"}


def test_limits_of_interpolation(subject, monkeypatch):
    monkeypatch.setattr("diabolo.evaluation.interpolation.GRAPH", 40)
    section = measures["interpolation"](replace(subject, seed=2), pairs=5, steps=3)
    assert section.scores["along data: length"].setting == {
        "steps": 3, "pairs": "of different classes", "neighbours": 10, "training codes": 40,
        "counted": "pairs of test images",
    }  # fmt: skip
    linear = {"steps": 3, "pairs": "of different classes", "counted": "pairs of test images"}
    assert section.scores["linear: length"].setting == linear
    a, b = draw_pairs(replace(subject, seed=2), 5)
    kept = np.sort(np.random.default_rng(2).permutation(300)[:40])
    z, graph = subject.codes("test"), latents.CodeGraph(subject.codes("train")[kept], 10)
    frames = latents.codes.decode(subject.codec, latents.along_data(z[a], z[b], 3, graph))
    assert section.scores["along data: length"].value == pytest.approx(latents.smoothness(frames).detour.mean())
    rows = section.panels["interpolation"].args[0]
    assert [name for name in rows if name.endswith("along data")] == ["pair 1, along data", "pair 2, along data"]
    assert np.array_equal(rows["pair 2, along data"], frames[1])


def test_arithmetic_refuses_what_it_cannot_do(faces, subject):
    with pytest.raises(UnknownNameError, match="did you mean 'Eyeglasses'"):
        measures["arithmetic"](faces, edited=("Eyeglass",))
    for alphas in ((), (1.0, 2.0), (-1.0, 0.0)):
        with pytest.raises(DiaboloError, match="alphas must hold 0"):
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


def labelled(labels):
    n = len(labels)
    pixels = np.zeros((n, 1, 2, 2), np.uint8)
    return Subject(None, Images(pixels), Images(pixels, labels=np.array(labels)))


def test_pairs_of_two_images_and_of_two_classes():
    a, b = draw_pairs(labelled([-1, -1]), 20)  # any pair of two
    assert (a + b == 1).all()
    a, b = draw_pairs(labelled([0, 0, 7]), 20)
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == {(0, 2), (1, 2), (2, 0), (2, 1)}
    a, b = draw_pairs(labelled([3, 3, 3]), 60)  # one class: any two images
    assert (a != b).all()
    assert len(set(zip(a.tolist(), b.tolist(), strict=True))) == 6


def test_two_images_have_a_way_and_one_has_none(subject, digits):
    two = Subject(subject.codec, digits[0], digits[1].take([0, 1]))
    section = measures["interpolation"](two, pairs=2, steps=3)
    assert section.scores["linear: length"].n == 2
    assert set(section.panels["interpolation"].args[0]) == {
        f"pair {i}, {way}" for i in (1, 2) for way in ("linear", "spherical", "along data")
    }
    with pytest.raises(NotApplicable, match="two images"):
        measures["interpolation"](Subject(subject.codec, digits[0], digits[1].take([0])))
    few = Subject(subject.codec, digits[0].take(np.arange(11)), digits[1])
    assert measures["interpolation"](few, pairs=2, steps=3).scores["along data: length"].setting["training codes"] == 11
    with pytest.raises(NotApplicable, match="10 training codes have no 10 neighbours each"):
        measures["interpolation"](Subject(subject.codec, digits[0].take(np.arange(10)), digits[1]), pairs=2)
    blank = Subject(subject.codec, digits[0], Images(digits[1].images))
    assert measures["interpolation"](blank, pairs=2, steps=3).scores["linear: length"].setting["pairs"] == "any"
    assert section.scores["linear: length"].setting["pairs"] == "of different classes"


def test_memorisation_of_a_hundred_images_and_what_its_panel_shows(digits):
    class Dots(PlainCodec):
        def sample(self, n, seed=0, y=None):
            return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * 1.2

    hundred = digits[1].take(np.arange(100))
    section = measures["memorisation"](Subject(Dots(digits[0].shape, (2,)), digits[0], hundred), checked=20)
    made = Dots(digits[0].shape, (2,)).sample(20).clamp(0, 1).numpy()
    found = latents.memorisation(made, digits[0].images, hundred.images)
    score = section.scores["copies"]
    assert (score.value, score.detail) == (found.copies, {"p": found.copies_p})
    assert section.scores["nearer than test images"].detail == {"z": found.z, "p": found.p}
    assert score.unit == "share of samples; 0.01 without copying"
    assert score.setting == {
        "training images": 300, "n_generated": 20, "n_real": 100, "space": "pixels", "seed": 0,
    }  # fmt: skip
    samples, near, away = section.panels["nearest-training-images"].args
    first = np.argsort(found.ratio, kind="stable")[:8]
    assert np.array_equal(samples, made[first])
    assert near.shape == (8, 2, 1, 8, 8)
    wanted = np.linalg.norm(
        (digits[0].images[found.index[first]] / 255 - made[first][:, None]).reshape(8, 2, -1), axis=2
    )
    assert np.allclose(away, wanted, rtol=1e-5)
    with pytest.raises(NotApplicable, match="it takes 100 test images, and there are 99"):
        measures["memorisation"](Subject(Dots(digits[0].shape, (2,)), digits[0], digits[1].take(np.arange(99))))


def test_at_most_five_hundred_unseen_images_are_looked_at(digits, monkeypatch):
    monkeypatch.setattr("diabolo.evaluation.memorisation.MOST", 110)

    class Dots(PlainCodec):
        def sample(self, n, seed=0, y=None):
            return torch.rand(n, 1, 8, 8)

    for n, looked_at in ((110, 110), (111, 110)):
        section = measures["memorisation"](
            Subject(Dots(digits[0].shape, (2,)), digits[0], digits[1].take(np.arange(n))), checked=5
        )
        assert section.scores["copies"].setting["n_real"] == looked_at


def test_what_a_conditional_model_shows_must_be_told(digits):
    model = small("completion", digits[0].shape, latent_dim=3, hidden=(8,))
    with pytest.raises(NotApplicable, match="need to be given what to show"):
        measures["memorisation"](Subject(model, *digits))
    model = small("classifier", digits[0].shape, hidden=(8,))
    with pytest.raises(NotApplicable, match="not trained"):
        measures["memorisation"](Subject(model, *digits))


def test_gain_and_drift_by_hand():
    response = {"a": np.array([[0.1, 0.2, 0.9], [0.3, 0.4, 0.6]]), "b": np.array([[0.0, 0.5, 0.5], [0.2, 0.2, 0.3]])}
    swept = latents.Sweep((2.0, 0.0, 4.0), np.zeros((2, 3, 1, 2, 2), np.float32), response)
    found = _arithmetic_scores("a by it", "a", swept, "validation", {})
    assert found["a by it: gain"].value == pytest.approx(np.mean([0.7, 0.2]))
    assert found["a by it: gain"].low == pytest.approx(mean_interval([0.7, 0.2])[0])
    assert {score.split for score in found.values()} == {"validation"}
    drift = found["a by it: drift of others"]
    assert drift.value == pytest.approx(np.mean([0.5, 0, 0, 0.1]))
    assert drift.n == 2
    alone = latents.Sweep((0.0, 1.0), swept.images, {"a": response["a"][:, :2]})
    assert set(_arithmetic_scores("a", "a", alone, "test", {})) == {"a: gain"}
    curve = _curve(response["a"], (2.0, 0.0, 4.0))
    assert curve[:, 0] == pytest.approx([0.3, 0.2, 0.75])
    assert curve[0, 1:] == pytest.approx(mean_interval([0.2, 0.4]))


def test_directions_at_right_angles_take_more_numbers_than_there_are_others(faces):
    train, test = faces.train, faces.test
    for size, there in ((len(train.attribute_names) - 1, False), (len(train.attribute_names), True)):
        z = np.random.default_rng(0).standard_normal((len(train), size)).astype(np.float32)
        model = zoo.pca(train.shape, latent_dim=size)
        model.solve(train.images)
        subject = Subject(model, train, test, _codes={"train": z, "test": z[: len(test)]})
        found = measures["arithmetic"](subject, edited=("Smiling",), alphas=(0.0, 1.0)).scores
        assert ("Smiling by right-angled: gain" in found) == there


def test_of_one_attribute_there_is_neither_a_right_angle_nor_drift(faces):
    k = faces.train.attribute_names.index("Smiling")
    train, test = (
        replace(part, attributes=part.attributes[:, [k]], attribute_names=("Smiling",))
        for part in (faces.train, faces.test)
    )
    found = measures["arithmetic"](Subject(faces.codec, train, test), alphas=(0.0, 1.0)).scores
    assert set(found) == {"Smiling by mean difference: gain", "Smiling by probe normal: gain"}


def test_what_is_edited_when_nobody_says(faces):
    def names(images, edited=()):
        return _names(images, edited)

    train = faces.train
    assert names(train) == ("Eyeglasses", "Smiling")
    assert names(train, ("Smiling",)) == ("Smiling",)
    attributes = train.attributes.copy()
    attributes[:, train.attribute_names.index("Smiling")] = True
    assert names(replace(train, attributes=attributes)) == ("Eyeglasses",)
    attributes[:, train.attribute_names.index("Eyeglasses")] = False
    with pytest.raises(NotApplicable, match="none of Eyeglasses, Smiling is known"):
        names(replace(train, attributes=attributes))
    for alphas in ((0.0,), (1.0,), (0.0, -1.0)):
        with pytest.raises(DiaboloError, match="alphas must hold 0"):
            measures["arithmetic"](faces, edited=("Smiling",), alphas=alphas)


def test_too_few_test_images_are_without_it(faces):
    smiling = faces.test.attributes[:, faces.test.attribute_names.index("Smiling")]
    for without, enough in ((1, False), (2, True)):
        some = np.concatenate([np.flatnonzero(~smiling)[:without], np.flatnonzero(smiling)[:5]])
        subject = Subject(faces.codec, faces.train, faces.test.take(some))
        if enough:
            found = measures["arithmetic"](subject, edited=("Smiling",), alphas=(0.0, 1.0)).scores
            assert found["Smiling by mean difference: gain"].n == 2
        else:
            with pytest.raises(NotApplicable, match="fewer than 2 test images are without Smiling"):
                measures["arithmetic"](subject, edited=("Smiling",), alphas=(0.0, 1.0))


def test_stability_of_some_test_images_by_hand(seeds, digits, monkeypatch):
    monkeypatch.setattr("diabolo.evaluation.stability.MOST", 50)
    first, second = (load_model(path) for path in seeds["latent_dim 4"])
    subject = Subject(first, *digits)
    section = measures["stability"](subject, other_runs=(str(seeds["latent_dim 4"][1]),))
    few = digits[1].subset(50, 0)
    codes = [latents.codes.encode(model, few) for model in (first, second)]
    score = section.scores["neighbourhood overlap"]
    assert score.value == pytest.approx(latents.neighbourhood_overlap(*codes))
    assert (score.n, score.better, score.unit) == (50, "higher", "share")
    assert score.setting == {"pairs of runs": 1, "least": score.value, "most": score.value}
    assert section.scores["Procrustes distance"].better == "lower"
    assert np.array(score.detail)[0, 1] == score.value
    exact = measures["stability"](
        Subject(first, digits[0], digits[1].take(np.arange(50))), other_runs=(str(seeds["latent_dim 4"][1]),)
    )
    assert exact.scores["CKA"].n == 50
