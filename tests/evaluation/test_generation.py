"""The measure `generation`, on real digits of 8×8 pixels."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from diabolo import bottlenecks, evaluation, figures, latents, zoo
from diabolo.data import Images, load
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.generated import USUAL, _samples, every_kind, made_from, ordered
from diabolo.evaluation.generation import _blocks, _panels, _scores, _wider, generation
from diabolo.metrics import generation as metrics
from diabolo.metrics.score import Score
from diabolo.statistics import mean_interval, wilson
from diabolo.studies import Measured, difference
from diabolo.training.fit import fit

pytestmark = pytest.mark.filterwarnings("ignore:a Fréchet distance of")
KINDS = ("reconstruction", "interpolation", "prior", "gaussian", "mixture")


@pytest.fixture(scope="session")
def digits():
    return load("digits")


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    """One cache for all of these tests: the classifier is trained once."""
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture(scope="session")
def trained(digits, home):
    """trained(name, **options): a subject with a model of a moment's training."""
    made = {}

    def make(name, **options):
        if name not in made:
            train, _ = digits
            torch.manual_seed(0)
            model = zoo.build(name, train.shape, latent_dim=4, **options)
            made[name] = fit(model, train, epochs=10, batch_size=64, lr=3e-3, quiet=True, out=home).model
        return Subject(made[name], *digits)

    return make


@pytest.fixture(scope="session")
def of_autoencoder(trained, home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        return generation(trained("undercomplete", hidden=(64,), activation="relu"))


def test_the_table_of_the_rae_paper(of_autoencoder):
    scores = of_autoencoder.scores
    for what in ("FID", "KID", "precision", "recall", "density", "coverage", "score"):
        assert [key for key in scores if key.startswith(f"{what}, ")] == [f"{what}, {kind}" for kind in KINDS]
    fid = {kind: scores[f"FID, {kind}"].value for kind in KINDS}
    assert fid["reconstruction"] < fid["mixture"] < fid["prior"]  # a plain autoencoder has no prior
    assert fid["gaussian"] < fid["prior"]
    assert set(of_autoencoder.panels) > {"generation-fid"}  # images, too
    drawn, _, whiskers = of_autoencoder.panels["generation-fid"].args
    assert drawn == fid
    assert whiskers == {kind: (scores[f"FID, {kind}"].low, scores[f"FID, {kind}"].high) for kind in KINDS}
    assert scores["recall, reconstruction"].high > scores["recall, prior"].value  # both are low: their order is chance
    assert 1 <= scores["score, prior"].value < scores["score, reconstruction"].value <= 10


def test_every_output_says_how_it_was_measured(of_autoencoder, digits):
    for key, score in of_autoencoder.scores.items():
        assert score.split == "test"
        assert score.low <= score.value <= score.high
        assert score.interval
        setting = score.setting
        assert setting["extractor"] == "classifier"
        assert "labels of 1,437 images of digits (train)" in setting["trained_on"]
        assert setting["accuracy"] > 0.9
        assert setting["size"] == "1×8×8"
        assert setting["n_generated"] == setting["n_real"] == len(digits[1]) == score.n, key
    mixture = of_autoencoder.scores["FID, mixture"].setting
    assert (mixture["density"], mixture["components"], mixture["fitted_to"]) == ("mixture", 10, 1437)
    assert of_autoencoder.scores["KID, prior"].setting["subset_size"] == 36
    assert of_autoencoder.scores["density, prior"].setting["k"] == 5


def test_a_table_says_of_what_and_by_what(trained):
    scores = generation(trained("undercomplete"), densities=("prior",), generated=400).scores
    assert scores["FID, prior"].of == "400 generated, 360 test"
    assert scores["FID, prior"].unit == "squared distance of classifier features of 1×8×8 pixels"
    assert scores["FID, reconstruction"].of == "360 generated, 360 test"
    assert scores["recall, prior"].of == "360 generated, 360 test"
    assert all("classifier" in score.unit for score in scores.values())


def test_the_real_images_that_balls_lie_around_are_drawn_by_the_seed(trained, monkeypatch):
    """Of a folder that is sorted by class, the first would all be of one."""
    subject = trained("undercomplete")
    in_order = np.argsort(subject.test.labels, kind="stable")
    ordered = replace(subject, test=subject.test.take(in_order), _codes={})
    around, radii = [], metrics.radii
    monkeypatch.setattr(metrics, "radii", lambda values, k: around.append(values) or radii(values, k))
    generation(ordered, densities=("prior",), manifold_images=40)
    taker = metrics.extractor("classifier", subject.train)
    features = metrics.extract(taker, ordered.test.images).values
    which = [int(np.abs(features - row).sum(1).argmin()) for row in around[0]]
    assert len(set(which)) == 40
    assert len(set(ordered.test.labels[which].tolist())) == 10


def test_the_numbers_are_those_of_the_metrics(of_autoencoder, trained, digits):
    subject = trained("undercomplete")
    taker = metrics.extractor("classifier", digits[0])
    real = metrics.extract(taker, digits[1].images).values
    made = metrics.extract(taker, subject.reconstructions).values
    scores = of_autoencoder.scores
    assert scores["FID, reconstruction"].value == pytest.approx(metrics.fid(made, real).value, rel=1e-6)
    assert scores["coverage, reconstruction"].value == metrics.manifold(made, real).coverage
    density = latents.fit_density("gaussian", subject.codes("train"))
    drawn = metrics.extract(taker, latents.draw_images(subject.codec, density, len(real))).values
    assert scores["FID, gaussian"].value == pytest.approx(metrics.fid(drawn, real).value, rel=1e-6)


def test_two_models_are_compared_on_the_same_test_images(of_autoencoder, trained):
    """A reconstruction goes with its image, and real images are those of both models: neither is drawn anew."""
    other = generation(trained("undercomplete", hidden=(64,), activation="relu"), densities=("prior",)).scores
    for key in ("FID, reconstruction", "FID without bias, reconstruction", "KID, reconstruction", "FID, prior"):
        one = of_autoencoder.scores[key]
        assert one.shared["of"] == other[key].shared["of"], key
        a, b = (Measured.of(**json.loads(json.dumps(score.record()))) for score in (one, other[key]))
        assert a.half == pytest.approx((one.high - one.low) / 2)
        assert difference(a, b).error < math.hypot(a.error, b.error), key
    fid = of_autoencoder.scores["FID, reconstruction"]
    limit = of_autoencoder.scores["FID without bias, reconstruction"]
    assert limit.value < fid.value
    assert limit.high - limit.low == pytest.approx(fid.high - fid.low)


def test_reconstructions_of_sorted_images_go_with_their_images(trained, digits):
    """Whatever the order of the test images: each is paired with its own."""
    subject = trained("undercomplete")
    order = np.argsort(digits[1].labels, kind="stable")
    again = Subject(subject.codec, digits[0], digits[1].take(order))
    widths = [
        (s.high - s.low) / 2
        for s in (generation(x, densities=("prior",)).scores["FID, reconstruction"] for x in (subject, again))
    ]
    assert widths[0] == pytest.approx(widths[1], rel=1e-6)


def test_mid_points_are_of_codes_not_of_samples(trained):
    """Of a VAE too: they are the same each time, and each is the decoded mean of two posterior means."""
    subject = trained("vae", hidden=(64,))
    images = {kind: make()[0] for kind, make in every_kind(subject, (), 50)}
    codes = subject.codes("test").astype(np.float64)
    pairs = (codes[:, None] + codes[None]) / 2
    first = torch.from_numpy(pairs.reshape(-1, 4)).float()
    every = subject.codec.decode(first).numpy().reshape(len(first), -1)
    for image in images["interpolation"][:3]:
        assert np.abs(every - image.ravel()).max(1).min() < 1e-5


def test_densities_are_fitted_to_means_or_to_draws(trained):
    subject = trained("vae", hidden=(64,))
    made = {}
    for draws in (False, True):
        kinds = dict(every_kind(subject, ("gaussian",), 50, draws))
        made[draws] = kinds["gaussian"]()[0]
    assert not np.array_equal(made[False], made[True])
    drawn = subject.sampled_codes[0]
    assert drawn.var(0).mean() > subject.codes("train").var(0).mean()
    fitted = latents.fit_density("gaussian", drawn, subject.seed)
    assert np.array_equal(made[True], latents.draw_images(subject.codec, fitted, 50, subject.seed))


def test_no_draws_are_fitted_to_without_a_posterior(trained):
    with pytest.raises(NotApplicable, match="has no posterior"):
        generation(trained("undercomplete"), densities=("gaussian",), fit_draws=True)


@pytest.mark.parametrize(("latent_dim", "there"), [(64, True), (65, False)])
def test_codes_as_large_as_the_image_can_be_interpolated_and_larger_ones_are_none(latent_dim, there, digits):
    subject = Subject(zoo.build("undercomplete", (1, 8, 8), latent_dim=latent_dim), *digits)
    kinds = [kind for kind, _ in every_kind(subject, USUAL, 10)]
    assert kinds == (list(KINDS) if there else ["reconstruction", "prior"])


def test_panels_are_drawn(of_autoencoder, tmp_path):
    assert set(of_autoencoder.panels) == {"generation-fid", "generation-samples"}
    for name, panel in of_autoencoder.panels.items():
        assert figures.save(panel(), tmp_path / f"{name}.png").stat().st_size > 5000


def test_pca_and_chosen_densities(digits):
    pca = zoo.pca(digits[0].shape, latent_dim=8)
    pca.solve(digits[0].images)
    names = ("neighbours", "normal", "prior")
    found = generation(Subject(pca, *digits), densities=names, generated=100, manifold_images=80, manifold_k=3)
    fid = {name: found.scores[f"FID, {name}"] for name in names}
    assert fid["neighbours"].value < fid["prior"].value
    assert {score.n for score in fid.values()} == {100}
    assert found.scores["precision, prior"].n == found.scores["recall, prior"].n == 80
    assert found.scores["recall, prior"].setting["k"] == 3


def test_a_model_conditioned_on_labels(trained):
    subject = trained("cvae", hidden=(64,))
    found = generation(subject, densities=("prior", "gaussian"))
    assert {"FID, prior", "FID, gaussian", "FID, interpolation"} <= set(found.scores)


def test_discrete_codes_have_their_own_prior_alone(digits):
    torch.manual_seed(0)
    subject = Subject(zoo.build("vqvae", digits[0].shape, latent_dim=4, codes=8, net="conv", channels=(8,)), *digits)
    for densities in (USUAL, ("prior",)):
        found = generation(subject, densities=densities)
        assert {key.partition(", ")[2] for key in found.scores} == {"reconstruction"}
        assert set(found.skipped) == {"prior"}
        assert "nothing can be sampled before a prior is fitted" in found.skipped["prior"]
    with pytest.raises(DiaboloError, match="codes of vqvae are discrete: use 'prior'"):
        generation(subject, densities=("gaussian",))


@pytest.mark.parametrize("densities", [USUAL, ("gaussian", "mixture")])
def test_what_cannot_be_fitted_costs_no_other(densities, trained, digits):
    subject = trained("undercomplete", hidden=(64,), activation="relu")
    few = Subject(subject.codec, digits[0].subset(40), digits[1])
    found = generation(few, densities=densities)
    assert found.skipped["mixture"] == "it needs 50 training codes or more, not 40"
    assert {"FID, gaussian", "FID, reconstruction", "FID, interpolation"} <= set(found.scores)


def test_a_density_over_a_wide_code_is_made_where_it_was_asked_for(digits):
    torch.manual_seed(0)
    wide = Subject(zoo.undercomplete(digits[0].shape, latent_dim=80, hidden=(16,)), *digits)
    assert not any("gaussian" in key for key in generation(wide).scores)
    assert "FID, gaussian" in generation(wide, densities=("gaussian",)).scores


def test_a_network_of_ones_own_by_path(trained):
    found = generation(
        trained("undercomplete", hidden=(64,), activation="relu"),
        extractor=f"{__name__}:quarters",
        densities=("gaussian",),
    )
    assert not any(key.startswith("score") for key in found.scores)
    assert found.scores["FID, gaussian"].setting["extractor"] == f"{__name__}:quarters"


def quarters(x):
    return torch.nn.functional.avg_pool2d(x, 4).flatten(1)


def test_where_it_says_nothing(trained, digits):
    train, test = digits
    subject = trained("undercomplete", hidden=(64,), activation="relu")
    with pytest.raises(NotApplicable, match="between 32 features need 33 images or more"):
        generation(Subject(subject.codec, train, test.subset(32)))
    bare = Images(train.images, name="bare", split="train")
    with pytest.raises(NotApplicable, match=r"bare \(train\) has neither"):
        generation(Subject(subject.codec, bare, test))
    torch.manual_seed(0)
    classifier = zoo.build("classifier", train.shape, latent_dim=4, hidden=(16,))
    with pytest.raises(NotApplicable, match="decoder was not trained"):
        generation(Subject(classifier, train, test))


@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_tables_and_signals_are_no_pictures(scaling):
    """With labels a classifier could be trained on them, and its features be called a FID."""
    rows = np.random.default_rng(0).random((60, 4)).astype(np.float32)
    labels = np.arange(60) % 2
    for x in (rows, rows[:, None].repeat(4, 2)):
        images = Images(x, labels=labels, name="rows")
        model = zoo.build("vae", images.shape, latent_dim=2, scaling=scaling, net="mlp", hidden=(4,))
        with pytest.raises(NotApplicable, match="compares features of pictures, and examples of shape"):
            generation(Subject(model, images, images))


def test_mistakes_are_told_before_anything_is_computed(trained):
    codec = trained("undercomplete", hidden=(64,), activation="relu").codec
    two = Images(np.zeros((2, 1, 8, 8), np.uint8))  # of which nothing could be measured
    subject = Subject(codec, two, two)
    for wrong, said in (
        ({"densities": ("gausian",)}, "did you mean 'gaussian'"),
        ({"generated": 0}, "at least 1, not 0"),
        ({"manifold_k": 0}, "manifold_k must be a whole number of at least 1"),
        ({"manifold_images": 5}, "5 does not exceed 5"),
    ):
        with pytest.raises(DiaboloError, match=said):
            generation(subject, **wrong)
    with pytest.raises(UnknownNameError, match="did you mean 'classifier'"):
        generation(trained("undercomplete"), extractor="classifer")


def test_it_is_one_of_the_measures():
    assert evaluation.options_of("generation")["densities"][1] == ("prior", "gaussian", "mixture")


# --- by hand --------------------------------------------------------------------------------------------------------------


def test_the_wider_of_two_intervals():
    assert _wider((0.4, 0.6), 0.5, None, 1.0, "Wilson", 7) == ((0.4, 0.6), "Wilson, the balls held fixed", 7)
    t = 2.776445105  # Student's, of four degrees of freedom
    ends, how, df = _wider((0.4, 0.6), 0.5, 0.1, 1.0, "Wilson", 7)
    assert ends == pytest.approx((0.5 - 0.1 * t, 0.5 + 0.1 * t))
    assert (how, df) == ("the wider of Wilson, the balls held fixed, and Student's t over 5 subsets", 4)
    assert _wider((0.4, 0.6), 0.5, 0.01, 1.0, "", 7)[::2] == ((0.4, 0.6), 7)
    assert _wider((0.4, 0.6), 0.5, 1.0, 1.0, "")[0] == (0, 1)
    assert _wider((0.4, 0.6), 0.5, 1.0, math.inf, "")[0] == (0, pytest.approx(0.5 + t))


def found(logits=True, bias=None, interval=True):
    real, made = np.random.default_rng(0).standard_normal((2, 40, 3))
    kid = metrics.kid(made, real, 4)
    return {
        "fid": replace(metrics.fid(made, real), bias=bias),
        "fid parts": {"of": "f"},
        "kid": kid if interval else replace(kid, subsets=kid.subsets[:1]),
        "kid parts": {"of": "k"},
        "manifold": metrics.manifold(made[:30], real[:20], 2),
        "spread": {},
        "score": metrics.inception_score(made) if logits else None,
    }


def test_the_scores_of_one_set_of_images():
    setting = {"n_generated": 40, "extractor": "e", "size": "1×8×8", "n_real": 40}
    parts = found(bias=0.25)
    scores = _scores("prior", parts, setting, "test")
    assert list(scores) == [f"{what}, prior" for what in
        ("FID", "FID without bias", "KID", "precision", "recall", "coverage", "density", "score")]  # fmt: skip
    fid, kid, balls = parts["fid"], parts["kid"], parts["manifold"]
    assert scores["FID without bias, prior"].value == pytest.approx(fid.value - 0.25)
    assert scores["FID without bias, prior"].shared == scores["FID, prior"].shared == {"of": "f"}
    assert (scores["KID, prior"].df, scores["KID, prior"].shared) == (len(kid.subsets) - 1, {"of": "k"})
    assert scores["KID, prior"].setting["subset_size"] == 4
    assert [scores[f"{what}, prior"].n for what in ("FID", "precision", "recall", "coverage", "density")] == [
        40, 30, 20, 20, 30,
    ]  # fmt: skip
    precision = scores["precision, prior"]
    assert precision.value == balls.precision
    assert (precision.low, precision.high) == wilson(int((balls.within > 0).sum()), 30)
    assert (precision.setting["k"], precision.setting["n_generated"], precision.setting["n_real"]) == (2, 30, 20)
    assert scores["density, prior"].value == balls.density
    assert scores["density, prior"].low == pytest.approx(mean_interval(balls.within / 2)[0])
    assert [scores[f"{what}, prior"].better for what in ("FID", "KID", "recall", "score")] == [
        "lower", "lower", "higher", "higher",
    ]  # fmt: skip
    assert [scores[f"{what}, prior"].df for what in ("FID", "precision", "density", "score")] == [None, None, 29, 39]
    few = _scores("prior", found(logits=False, interval=False), setting, "test")
    assert "score, prior" not in few
    assert "FID without bias, prior" not in few
    kid = few["KID, prior"]
    assert (kid.low, kid.high, kid.interval, kid.df) == (None, None, None, None)


@pytest.mark.parametrize(
    ("shape", "drawn"), [((1, 8, 8), True), ((3, 8, 8), True), ((2, 8, 8), False), ((12,), False), ((3,), False)]
)
def test_only_grey_and_colour_images_are_shown(shape, drawn):
    images = Images(np.zeros((2, *shape), np.uint8 if len(shape) == 3 else np.float32))
    codec = type("Codec", (), {"name": "codec"})()
    scores = {
        "FID, a": Score(1.0, "u", 9, low=0.5, high=2.0),
        "FID, b": Score(2.0, "u", 9, low=0.5),
        "KID, a": Score(3.0, "u", 9),
    }
    panels = _panels(Subject(codec, images, images), scores, {}, "e")
    assert ("generation-samples" in panels) == drawn
    values, _, whiskers = panels["generation-fid"].args
    assert values == {"a": 1.0, "b": 2.0}
    assert whiskers == {"a": (0.5, 2.0)}


def test_blocks_are_runs_of_what_is_reconstructed_and_of_the_rest(digits):
    subject = Subject(None, *digits)
    order = ordered(subject)
    block = _blocks(subject, 300)
    assert block[order[:300]].tolist() == (np.arange(300) * 100 // 300).tolist()
    assert block[order[300:]].tolist() == list(range(60))


def test_what_images_were_made_from(digits):
    subject = Subject(None, *digits)
    order = ordered(subject)
    assert made_from(subject, "reconstruction", 5).tolist() == order[:5, None].tolist()
    pairs = made_from(subject, "interpolation", 3)
    assert pairs.tolist() == [[order[0], order[2]], [order[1], order[0]], [order[2], order[1]]]
    assert made_from(subject, "prior", 5) is None


def test_more_images_than_features_are_needed(digits):
    class Taker:
        name, setting, piece = "taker", {}, 500

        def __call__(self, x):
            return x.flatten(1)[:, 20:27], None

    train, test = digits
    model = zoo.pca(train.shape, latent_dim=2)
    model.solve(train.images)
    taker = Taker()
    options = {"densities": ("gaussian",), "manifold_k": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diabolo.evaluation.generation._taker", lambda *_: taker)
        for n in (8, 7):
            subject = Subject(model, train, test.take(range(20)))
            if n == 8:
                assert generation(subject, generated=n, **options).scores["FID, gaussian"].n == 8
            else:
                with pytest.raises(NotApplicable, match="7 features need 8 images or more on either side, not 7"):
                    generation(subject, generated=n, **options)
        subject = Subject(model, train, test.take(range(9)))
        found = generation(subject, densities=("gaussian",), manifold_k=2, manifold_images=7).scores
        assert (found["FID, gaussian"].n, found["precision, gaussian"].n, found["recall, gaussian"].n) == (9, 7, 7)
        with pytest.raises(DiaboloError, match="3 does not exceed 3"):
            generation(subject, manifold_k=3, manifold_images=3)


@pytest.mark.parametrize(("width", "left_out"), [(512, False), (513, True)])
def test_a_mixture_over_a_wide_code_takes_hours(width, left_out, monkeypatch):
    seen = []

    class Fitted:
        setting = {}  # noqa: RUF012

        def least(self, width):
            seen.append(width)
            return 11

        def fit(self, z):
            return self

    class Codec:
        name, latent_shape, input_shape, needs_column = "codec", (width,), (1, 32, 32), None
        bottleneck = bottlenecks.FeatureMap(latent_shape)

    monkeypatch.setattr("diabolo.evaluation.generated.make_density", lambda *_: Fitted())
    monkeypatch.setattr("diabolo.evaluation.generated.draw_images", lambda *_: "images")
    monkeypatch.setattr("diabolo.evaluation.generated._conditions", lambda _: None)
    for n, enough in ((10, False), (11, True)):
        images = Images(np.zeros((n, 1, 32, 32), np.uint8))
        subject = Subject(Codec(), images, images, _codes={"train": np.zeros((n, width), np.float32)})
        for name in ("mixture", "gaussian"):
            if name == "mixture" and left_out:
                with pytest.raises(DiaboloError, match="it would take hours with codes of 513 numbers"):
                    _samples(subject, name, 3)
            elif enough:
                assert _samples(subject, name, 3) == ("images", {})
            else:
                with pytest.raises(DiaboloError, match="it needs 11 training codes or more, not 10"):
                    _samples(subject, name, 3)
    assert set(seen) == {width}


@pytest.mark.parametrize(
    ("broken", "lost", "told"),
    [
        ("fid", ("FID", "FID without bias"), "FID, prior"),
        ("kid", ("KID",), "KID, prior"),
        ("manifold", ("precision", "recall", "density", "coverage"), "precision, recall, density, coverage, prior"),
        ("inception_score", ("score",), "score, prior"),
    ],
)
def test_one_of_them_that_fails_costs_no_other(broken, lost, told, trained, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("nothing came of it")

    subject = trained("vae")
    whole = generation(subject, densities=("prior",), generated=100)
    monkeypatch.setattr(f"diabolo.metrics.generation.{broken}", fail)
    found = generation(subject, densities=("prior",), generated=100)
    kept = {key: score for key, score in whole.scores.items() if key.partition(", ")[0] not in lost}
    assert {key: score.value for key, score in found.scores.items()} == {key: s.value for key, s in kept.items()}
    assert found.skipped[told] == "unexpected RuntimeError: nothing came of it"
    assert set(found.panels) == set(whole.panels) - ({"generation-fid"} if broken == "fid" else set())
