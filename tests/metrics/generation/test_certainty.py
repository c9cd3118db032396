import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from diabolo import zoo
from diabolo.errors import DiaboloError
from diabolo.metrics import generation


@dataclass
class Corner:
    """Says which of the first three pixels is brightest."""

    name: str = "corner"
    setting: dict = field(default_factory=dict)
    piece: int = 4

    def __call__(self, x):
        return x.flatten(1), x.flatten(1)[:, :3] * 10


class Silent(Corner):
    def __call__(self, x):
        return x.flatten(1), None


class Obedient(torch.nn.Module):
    """Lights the pixel of its class, or, where the code says so, pixel 0."""

    def forward(self, z, c):
        shown = torch.where(z[:, :1] > 0, c, torch.eye(3)[:1])
        return torch.nn.functional.pad(50 * shown - 25, (0, 6)).view(-1, 1, 3, 3)


def test_samples_are_read_and_codes_are_the_same_for_every_class():
    model = zoo.cvae((1, 3, 3), 2, hidden=(4,), classes=3)
    model.decoder = Obedient()
    asked, found = generation.asked_for(model, Corner(), 50)
    assert asked.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    right = (asked == found).reshape(3, 50)
    assert right[0].all()
    assert (right[1] == right[2]).all()
    assert 10 < right[1].sum() < 40
    assert (found[asked != found] == 0).all()


def test_confidence_is_the_largest_probability():
    images = np.zeros((2, 1, 3, 3), np.float32)
    images[0, 0, 0, 1] = 1
    found, sure = generation.read(Corner(), images)
    assert found[0] == 1
    assert sure == pytest.approx([np.exp(10) / (np.exp(10) + 2), 1 / 3])


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(DiaboloError, match="cannot be asked"):
        generation.asked_for(zoo.vae((1, 3, 3), 2, hidden=(4,)), Corner())
    with pytest.raises(DiaboloError, match="no classes"):
        generation.read(Silent(), np.zeros((1, 1, 3, 3), np.float32))


def test_clear_images_are_those_read_with_a_high_probability():
    images = np.zeros((4, 1, 3, 3), np.float32)
    images[:3, 0, 0, 0] = 0.1, 0.3, 1.0  # logits 1, 3, 10 against 0, 0: probabilities 0.58, 0.91, 1
    found = generation.clearly_read(Corner(), images)
    assert (found.value, found.n) == (0.5, 4)
    assert found.low < 0.5 < found.high
    assert generation.clearly_read(Corner(), images, least=0.5).value == 0.75


@pytest.mark.parametrize("times", [300, pytest.param(5_000, marks=pytest.mark.slow)])
def test_the_interval_of_clear_images_holds_their_share_among_infinitely_many(times):
    """A corner drawn from 0 … 1 has a logit of ten times it, and a probability of 0.9 or more from ln(18) / 10 on."""
    corners = np.random.default_rng(0).random((times, 80)).astype(np.float32)
    found = []
    for corner in corners:
        images = np.zeros((80, 1, 3, 3), np.float32)
        images[:, 0, 0, 0] = corner
        score = generation.clearly_read(Corner(), images)
        found.append(score.low <= 1 - math.log(18) / 10 <= score.high)
    assert 0.92 < np.mean(found) < 0.98
