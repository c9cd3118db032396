"""Has a model learned: better than the mean image, outputs that vary, classes that can be read."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.codec import PlainCodec
from diabolo.data import Images, load
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.learned import (
    ASKED,
    ERROR,
    READ,
    ROUNDING,
    SAMPLES,
    SPREAD,
    Evidence,
    Learned,
    _column,
    _columns,
    _narrowed,
    _over_majority,
    _spread,
    _varies,
    classified,
    error_score,
    learned,
    mean_image,
    reconstructed,
)
from diabolo.statistics import mean_interval, paired_shares


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=1000, n_test=360)


def judged(model, digits, **images):
    scores = learned(Subject(model, images.get("train", digits[0]), images.get("test", digits[1]))).scores
    return Learned.of(scores), scores


class Blend(PlainCodec):
    """A codec whose code is the image, and whose reconstruction is a blend of it and the mean image."""

    name = "blend"

    def __init__(self, mean, share):
        super().__init__((1, 8, 8), (64,))
        self.mean, self.share = torch.tensor(mean, dtype=torch.float32), share

    def encode(self, x, y=None):
        return (x.float() / (255 if x.dtype == torch.uint8 else 1)).flatten(1)

    def decode(self, z, y=None):
        return self.mean + self.share * (z.reshape(-1, *self.input_shape) - self.mean)


@pytest.mark.parametrize(("share", "state"), [(1.0, "met"), (0.4, "met"), (0.02, "missed"), (0.0, "missed")])
def test_error_and_spread_are_those_of_a_known_blend(digits, share, state):
    """x̂ = m + s (x − m) has an error of (1 − s)² of that of m, and a variance of s²."""
    train, test = digits
    found, scores = judged(Blend(mean_image(train), share), digits)
    assert scores[ERROR].value == pytest.approx((1 - share) ** 2, abs=1e-6)
    assert scores[SPREAD].value == pytest.approx(share**2, abs=1e-6)
    assert scores[READ].value > 0.7  # the code is the image itself
    assert found.state == state
    assert bool(found) is (state == "met")
    shown = scores[ERROR].detail["of the mean image"]
    x = test.images / 255
    assert shown == pytest.approx(((x - train.images.mean(0) / 255) ** 2).mean(), rel=1e-6)


def test_a_fit_has_learned_and_what_was_not_trained_has_not(digits):
    torch.manual_seed(0)
    pca = diabolo.pca.PCA((1, 8, 8), 4)
    pca.solve(digits[0].images)
    assert judged(pca, digits)[0].state == "met"
    vae = zoo.vae((1, 8, 8), latent_dim=4, hidden=(32,))
    found, scores = judged(vae, digits)
    assert found.state == "missed"
    assert set(scores) == {ERROR, SPREAD, SAMPLES, READ}
    assert scores[SAMPLES].of == f"200 generated, {len(digits[1])} test"
    assert "its squared error on held-out images is" in found.told
    assert "at most 90 % is asked for" in found.told


def test_a_collapsed_vae_reads_nothing_however_its_means_are_scaled(digits, tmp_path):
    """Idle units hold a trace of the image in their means, which a probe that divides by their deviation would read."""
    torch.manual_seed(0)
    vae = zoo.vae((1, 8, 8), latent_dim=4, hidden=(32,), beta=50.0)
    run = diabolo.fit(vae, digits[0], epochs=12, lr=5e-3, batch_size=50, out=tmp_path, quiet=True)
    found, scores = judged(run.model, digits)
    assert found.state == "missed"
    assert scores[READ].low < ASKED[READ][1]
    assert scores[SAMPLES].high < ASKED[SAMPLES][1]


def test_a_classifier_is_asked_for_its_answers_and_nothing_else(digits, tmp_path):
    torch.manual_seed(0)
    model = zoo.classifier((1, 8, 8), latent_dim=16, hidden=(64,), classes=10)
    found, scores = judged(model, digits)
    assert set(scores) == {READ}
    assert not found
    run = diabolo.fit(model, digits[0], epochs=8, lr=5e-3, batch_size=50, out=tmp_path, quiet=True)
    found, scores = judged(run.model, digits)
    assert found
    answers = run.model.predict(torch.from_numpy(digits[1].images)).argmax(1).numpy()
    assert scores[READ].detail["accuracy"] == pytest.approx((answers == digits[1].labels).mean())


def test_classes_that_pixels_do_not_show_are_not_asked_of_codes(digits):
    train, test = digits
    rng = np.random.default_rng(0)
    shuffled = [Images(p.images, labels=rng.integers(0, 2, len(p)), name="coins", split=p.split) for p in (train, test)]
    found, scores = judged(Blend(mean_image(train), 0.9), digits, train=shuffled[0], test=shuffled[1])
    assert READ not in scores
    assert found


def test_what_nothing_can_be_said_of(digits):
    train, _ = digits
    flat = Images(np.full((20, 1, 8, 8), 7, np.uint8), name="flat")
    with pytest.raises(NotApplicable):
        judged(Blend(mean_image(flat), 0.5), digits, train=flat, test=flat)
    with pytest.raises(NotApplicable, match="10 test images, and there are 9"):
        judged(Blend(mean_image(train), 0.5), digits, test=train.take(range(9)))
    assert Learned(()).state == "not decided"


@pytest.mark.parametrize(
    ("name", "low", "high", "state"),
    [
        (ERROR, 0.5, 0.9, "met"),
        (ERROR, 0.85, 0.95, "not decided"),
        (ERROR, 0.91, 1.2, "missed"),
        (READ, 0.05, 0.2, "met"),
        (READ, 0.01, 0.2, "not decided"),
        (READ, -0.1, 0.04, "missed"),
    ],
)
def test_an_interval_that_holds_the_bar_decides_nothing(name, low, high, state):
    assert Evidence(name, (low + high) / 2, low, high).state == state
    good = Evidence(SPREAD, 0.5, 0.4, 0.6)
    assert Learned((good, Evidence(name, (low + high) / 2, low, high))).state == state


# --- by hand --------------------------------------------------------------------------------------------------------------


def test_a_ratio_of_errors_and_its_interval_by_hand():
    """Errors 1, 4 and 9 against 10 each."""
    x = np.zeros((3, 2, 2))
    score = error_score(x, np.array([1.0, 2, 3])[:, None, None] + x, np.full((2, 2), np.sqrt(10)), "test")
    assert score.value == pytest.approx(14 / 30)
    assert score.detail == {"error": pytest.approx(14 / 3), "of the mean image": pytest.approx(10)}
    low, high = mean_interval(np.array([1.0, 4, 9]) - 14 / 30 * 10)
    assert (score.low, score.high) == (pytest.approx((14 / 3 + low) / 10), pytest.approx((14 / 3 + high) / 10))
    assert (score.n, score.split, score.better) == (3, "test", "lower")
    assert error_score(x, x, x[0], "test") is None
    assert error_score(x, x, x[0] + 1.1e-6, "test") is not None
    assert error_score(x, x, x[0] + 0.9e-6, "test") is None
    assert error_score(x, x, x[0] + np.sqrt(ROUNDING), "test") is None


def test_a_ratio_of_variances_of_other_images_by_hand():
    few, many = np.array([[0.0], [2.0]]), np.array([[0.0], [4.0], [0.0], [8.0]])
    score = _spread(few, many, "test")
    b = np.array([9.0, 1, 9, 25])
    assert score.value == pytest.approx(1 / 11)
    half = 1.959964 / 11 * (b.std(ddof=1) / b.mean() / 2)  # the first does not spread
    assert (score.low, score.high) == (pytest.approx(max(0, 1 / 11 - half)), pytest.approx(1 / 11 + half))
    score = _spread(many, few, "test")
    assert score.n == 4
    assert score.low == pytest.approx(11 - 1.959964 * 11 * b.std(ddof=1) / b.mean() / 2, rel=1e-5)
    nothing = _spread(np.ones((2, 1)), many, "test")
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
    alike = _spread(many, 2 * many, "test")  # pairs
    assert (alike.value, alike.low, alike.high) == (0.25, pytest.approx(0.25), pytest.approx(0.25))


def test_what_is_gained_above_the_majority_by_hand():
    hits, common = np.array([1, 1, 1, 0, 1], bool), np.array([1, 1, 0, 0, 0], bool)
    score = _over_majority(hits, common, "test", "Hat", 2)
    assert score.value == pytest.approx(0.4 / 0.6)
    low, high = paired_shares(2, 0, 5, 0.975)
    assert (score.low, score.high) == (pytest.approx(low / 0.6), pytest.approx(high / 0.6))
    assert score.detail == {"read": "Hat", "accuracy": 0.8, "majority class": 0.4}
    alone = _over_majority(hits, common, "test")
    assert alone.low == pytest.approx(paired_shares(2, 0, 5)[0] / 0.6)
    assert alone.detail["read"] == "labels"
    assert _over_majority(hits, np.ones(5, bool), "test") is None
    assert _over_majority(hits[:1], common[3:4], "test") is None
    assert _over_majority(hits[1:3], common[1:3], "test").n == 2
    lost = _over_majority(np.zeros(4, bool), np.array([1, 1, 1, 0], bool), "test")
    assert lost.value == -3


def test_the_attributes_that_split_most_evenly_are_looked_at(monkeypatch):
    columns = np.array([[1, 0, 1, 1, 0], [1, 0, 0, 1, 0], [1, 0, 0, 1, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], bool)
    names = ("all", "one", "two", "even", "none")
    images = Images(np.zeros((5, 1, 2, 2), np.uint8), attributes=columns, attribute_names=names)
    assert _columns(images) == ("even", "one", "two")
    monkeypatch.setattr("diabolo.evaluation.learned.EVEN", 2)
    assert _columns(images) == ("even", "one")
    assert _column(images, "two").tolist() == [1, 0, 0, 0, 0]
    labelled = replace(images, labels=np.array([3, 3, -1, 3, 3]))
    assert _columns(labelled) == ("even", "one")  # one class says nothing
    assert _columns(replace(images, labels=np.array([3, 3, -1, 0, 3]))) == ("labels",)
    assert _columns(Images(images.images)) == ()


@pytest.mark.parametrize(("n", "width", "narrowed"), [(65, 129, True), (64, 129, False), (65, 128, False)])
def test_wide_codes_are_seen_by_principal_components(n, width, narrowed):
    train, test = np.random.default_rng(0).standard_normal((2, n, width))
    found = _narrowed(train, test)
    assert [part.shape for part in found] == [(n, 64 if narrowed else width)] * 2


def test_what_is_told_of_the_worst_of_it():
    missed, open_, met = (Evidence(SPREAD, v, v - 0.01, v + 0.01) for v in (0.01, 0.05, 0.5))
    assert Learned((met,)).told == ""
    assert Learned((open_, met)).told == (
        "its reconstructions have 5 % (95 % interval 4 % to 6 %) of the variance of the images, and at least 5 % is asked for"
    )
    assert "have 1 % (95 % interval 0 % to 2 %)" in Learned((met, open_, missed)).told
    assert Learned(()).told == "nothing of it could be measured on these images"
    assert "its squared error on held-out images is 95.5 %" in Evidence(ERROR, 0.955, 0.95, 0.96).told
    assert "at most 90 % is asked for" in Evidence(ERROR, 0.955, 0.95, 0.96).told
    assert "−0.5 % (95 % interval −1.2 % to 0.2 %) is read off" in Evidence(READ, -0.005, -0.012, 0.002).told
    assert (ASKED[ERROR], ASKED[SPREAD], ASKED[SAMPLES], ASKED[READ]) == (
        ("≤", 0.9), ("≥", 0.05), ("≥", 0.05), ("≥", 0.05),
    )  # fmt: skip


def test_a_denoiser_is_judged_at_its_work_and_a_plain_codec_as_it_is(digits, tiny_model):
    images = digits[1].take(np.arange(9))
    model = tiny_model("denoising")
    wanted = model.reconstruct(model.corrupt(images.images, 5)).numpy()
    assert np.array_equal(reconstructed(model, images, 5), wanted.astype(np.float64))
    assert not np.array_equal(reconstructed(model, images, 6), wanted.astype(np.float64))
    plain = Blend(mean_image(digits[0]), 0.5)
    assert np.allclose(reconstructed(plain, images), plain.reconstruct(torch.from_numpy(images.images)))


def test_the_mean_image_of_bytes_and_of_floats():
    x = np.array([[0, 255], [255, 255]], np.uint8).reshape(2, 1, 1, 2)
    assert mean_image(Images(x)).ravel().tolist() == [0.5, 1]
    assert mean_image(Images(x.reshape(2, 2) / np.float32(255))).tolist() == [0.5, 1]


def test_ten_test_images_are_enough_and_two_answers_make_a_classifier(digits):
    train, test = digits
    _, scores = judged(Blend(mean_image(train), 0.5), digits, test=test.take(range(10)))
    assert scores[ERROR].n == 10
    with pytest.raises(NotApplicable, match="it takes 10 test images, and there are 9"):
        judged(Blend(mean_image(train), 0.5), digits, test=test.take(range(9)))

    class Answers:
        needs_column = None

        def __init__(self, answers):
            self.answers = answers

        def predict(self, x, y=None):
            return torch.eye(self.answers.max() + 1)[self.answers]

    labels = np.array([0, 1, 1, -1])
    few = Images(np.zeros((4, 1, 2, 2), np.uint8), labels=labels)
    subject = Subject(Answers(torch.tensor([1, 1, 1])), few, few)
    found = classified(subject, few)  # of the three that are known the most frequent class is 1
    assert found.detail == {"read": "labels", "accuracy": pytest.approx(2 / 3), "majority class": pytest.approx(2 / 3)}
    assert classified(Subject(Answers(torch.tensor([0, 0, 0])), few, few), few) is None  # one class alone
    blank = replace(few, labels=np.full(4, -1))
    assert classified(replace(subject, train=blank), few) is None
    assert classified(subject, blank) is None
    assert classified(subject, replace(few, labels=None)) is None
    assert classified(replace(subject, codec=object()), few) is None


def test_the_variance_is_that_of_the_known_numbers_also_beside_a_pixel_that_is_never_known():
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 3, 1, 1)) * 2 + 5
    x[::3, 1] = np.nan
    x[:, 2] = np.nan
    x_hat = random.normal(size=(60, 3, 1, 1)) + 5
    known = np.ma.masked_invalid(x)
    wanted = np.square(x_hat - x_hat.mean(0)).mean() / np.square(known - known.mean(0)).mean((1, 2, 3)).mean()
    assert _spread(x_hat, x, "test").value == pytest.approx(wanted)
    assert _varies(x)
    assert not _varies(np.where(np.isnan(x), np.nan, 7.0))
