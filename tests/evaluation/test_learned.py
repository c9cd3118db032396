"""Has a model learned: better than the mean image, outputs that vary, classes that can be read."""

import numpy as np
import pytest
import torch
from torch import nn

import diabolo
from diabolo import zoo
from diabolo.data import Images, load
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.learned import ASKED, ERROR, READ, SAMPLES, SPREAD, Evidence, Learned, learned, mean_image


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=1000, n_test=360)


def judged(model, digits, **images):
    scores = learned(Subject(model, images.get("train", digits[0]), images.get("test", digits[1]))).scores
    return Learned.of(scores), scores


class Blend(nn.Module):
    """A codec whose code is the image, and whose reconstruction is a blend of it and the mean image."""

    name, reads, input_shape, latent_shape = "blend", None, (1, 8, 8), (64,)

    def __init__(self, mean, share):
        super().__init__()
        self.mean, self.share = torch.tensor(mean, dtype=torch.float32), share

    def encode(self, x, y=None):
        return (x.float() / (255 if x.dtype == torch.uint8 else 1)).flatten(1)

    def decode(self, z, y=None):
        return self.mean + self.share * (z.reshape(-1, *self.input_shape) - self.mean)

    def reconstruct(self, x, y=None):
        return self.decode(self.encode(x))


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
