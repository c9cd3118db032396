"""The inception-style score: against torch-fidelity, and its two ends."""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_isc import isc_features_to_metric

from diabolo.errors import DiaboloError
from diabolo.metrics.generation import inception_score
from diabolo.metrics.generation.certainty import information
from diabolo.metrics.generation.extractors import Inception


def test_it_is_torch_fidelitys():
    logits = 3 * np.random.default_rng(0).standard_normal((500, 10))
    expected = isc_features_to_metric(torch.from_numpy(logits), splits=1, shuffle=False)["inception_score_mean"]
    found = inception_score(logits)
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.low < found.value < found.high
    assert found == inception_score(logits)


def test_its_ends():
    sure = 1000.0 * np.eye(10)[np.arange(200) % 10]  # so sure that p is exactly 0 elsewhere
    assert inception_score(sure).value == pytest.approx(10)
    assert inception_score(sure[::10]).value == pytest.approx(1)  # always the same
    assert inception_score(np.zeros((200, 10))).value == pytest.approx(1)  # never sure


def answers(random, n, size):
    """Logits of ten classes, some more frequent than others, more or less sure."""
    logits = size * random.standard_normal((n, 10))
    logits[np.arange(n), random.choice(10, n, p=np.arange(1, 11) / 55)] += 3 * size
    return logits


@pytest.mark.parametrize("times", [300, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("n", "size"), [(500, 1.0), (500, 4.0), (100, 1.0)])
def test_its_interval_holds_the_score_of_infinitely_many(n, size, times):
    random = np.random.default_rng(0)
    truth = inception_score(answers(random, 400_000, size)).value
    found = [inception_score(answers(random, n, size)) for _ in range(times)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    slack = 3 * np.sqrt(0.05 * 0.95 / times) if times < 1000 else 0
    assert 0.93 - slack <= held <= 0.97 + slack


def test_sure_answers_of_all_classes_alike():
    """The score is at its largest, which few images fall short of by chance."""
    random = np.random.default_rng(0)
    found = [inception_score(100 * np.eye(10)[random.integers(0, 10, 200)]) for _ in range(300)]
    assert np.mean([one.high == 10 for one in found]) > 0.93
    assert all(one.low <= one.value <= one.high <= 10 for one in found)


def test_one_image_says_nothing():
    with pytest.raises(DiaboloError, match="2 images or more"):
        inception_score(np.zeros((1, 3)))


def test_the_information_of_three_answers_by_hand():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5]])
    mean = p.mean(0)
    kl = (p * np.log(p / mean)).sum(1)
    bias = (p.var(0, ddof=1) / mean).sum() / 6
    covariance = np.cov(p.T)
    turned = np.diag(1 / mean) @ covariance
    found = information(p, (p * np.log(p)).sum(1))
    assert found.value == pytest.approx(kl.mean() + bias)
    assert found.error**2 == pytest.approx(kl.var(ddof=1) / 3 + np.trace(turned @ turned) / 18)
    assert found.df == 2
    score = inception_score(np.log(p))
    assert score.value == pytest.approx(np.exp(kl.mean()))
    low, high = found.interval()
    assert score.low == pytest.approx(max(1, np.exp(low)))
    assert score.high == pytest.approx(min(3, np.exp(high)))


class Seen(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.p = torch.nn.Parameter(torch.zeros(1))

    def forward(self, pixels):
        self.pixels = pixels
        return pixels.float().mean((2, 3)), pixels.float().mean((2, 3))[:, :2]


@pytest.mark.parametrize("channels", [1, 3])
def test_inception_sees_bytes_of_three_channels(channels):
    taker = Inception(Seen())
    x = torch.tensor([0.0, 0.25, 0.5, 1.0]).view(1, 1, 2, 2).expand(2, channels, 2, 2)
    features, logits = taker(x)
    assert taker.model.pixels.shape == (2, 3, 2, 2)
    assert taker.model.pixels[1, 2].flatten().tolist() == [0, 64, 128, 255]
    assert (features.shape, logits.shape) == ((2, 3), (2, 2))


@pytest.mark.parametrize("shape", [(2, 2, 4, 4), (2, 4, 4, 4), (2, 3, 4)])
def test_inception_takes_images_alone(shape):
    with pytest.raises(DiaboloError, match="grey or colour images"):
        Inception(Seen())(torch.zeros(shape))
