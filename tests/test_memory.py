"""Sizes that no memory holds are refused before anything is allocated, with the number that would fit."""

import resource

import pytest
import torch

from diabolo import memory, parts, zoo
from diabolo.memory import TooLargeError
from diabolo.pca import PCA

HUGE = 10**18


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("vae", {"hidden": (HUGE,)}, "hidden of 1,000,000,000,000,000,000 is too large"),
        ("vae", {"hidden": (16, HUGE)}, "hidden of"),
        ("vae", {"latent_dim": HUGE}, "latent_dim of"),
        ("vae", {"net": "conv", "channels": (8, HUGE)}, "channels of"),
        ("vqvae", {"latent_dim": HUGE}, "latent_dim of"),
        ("vqvae", {"width": HUGE}, "width of"),
        ("cvae", {"classes": HUGE}, "classes of"),
    ],
    ids=str,
)
def test_a_model_that_does_not_fit_names_the_option_and_what_would(name, options, says):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLargeError, match=f"{says}.*at most [0-9,]+ would fit"):
        zoo.build(name, (1, 16, 16), **options)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB: nothing was taken


def test_what_would_fit_is_a_number_that_fits(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2**31)
    monkeypatch.setattr(memory, "TRIED", 0)
    with pytest.raises(TooLargeError) as refused:
        zoo.undercomplete((1, 8, 8), latent_dim=2, hidden=(HUGE,))
    fits = int(str(refused.value).split("at most ")[1].split(" ")[0].replace(",", ""))
    assert 4 * 64 * fits <= 2**31 < 4 * 64 * (fits + 2**10)


def test_a_part_and_a_run_folder_are_refused_alike():
    model = zoo.undercomplete((1, 8, 8), latent_dim=2, hidden=(4,))
    description = parts.describe(model)
    description["bottleneck"]["in_features"] = HUGE
    with pytest.raises(TooLargeError, match="in_features of 1,000,000"):
        parts.build(description)
    with pytest.raises(TooLargeError, match="numbers"):
        parts.build({"part": "nets.MLPEncoder", "input_shape": [1, HUGE, HUGE], "hidden": [4]})


@pytest.mark.parametrize("codec", [zoo.vae((1, 8, 8), 2, hidden=(4,)), PCA((1, 8, 8), 2)], ids=lambda c: c.name)
def test_more_samples_than_fit_are_refused_with_the_number_that_does(codec):
    with pytest.raises(TooLargeError, match=r"n of 1,000,000,000,000,000,000 needs .* at most [0-9,]+ fit"):
        codec.sample(HUGE)


def test_what_fits_is_made_as_ever():
    torch.manual_seed(0)
    plain = torch.nn.Linear(3, 4).weight
    torch.manual_seed(0)
    with memory.guarded({}):
        assert torch.equal(torch.nn.Linear(3, 4).weight, plain)
