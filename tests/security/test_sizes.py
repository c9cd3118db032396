"""A config.json, or an option, that asks for more than any memory holds is refused before a byte of it is asked for."""

import resource

import pytest
import torch
from torch import nn

from diabolo import parts, sizes, zoo
from diabolo.errors import DiaboloError
from diabolo.sizes import Bounded, words

FREE = 1_000_000


@pytest.mark.parametrize(
    ("make", "numbers"),
    [
        (lambda: nn.Linear(10, 20), 220),
        (lambda: nn.Conv2d(3, 4, 5), 304),
        (lambda: nn.Embedding(30, 7), 210),
        (lambda: nn.BatchNorm1d(9), 36),
        (lambda: torch.zeros(2, 3), 6),
        (lambda: torch.zeros((2, 3)), 6),
        (lambda: torch.zeros(size=(2, 3)), 6),
        (lambda: torch.full((2, 3), 7.0), 6),
        (lambda: torch.eye(5), 25),
        (lambda: torch.arange(7), 7),
        (lambda: torch.arange(1, 10, 2), 5),
        (lambda: torch.linspace(0, 1, 11), 11),
        (lambda: torch.randperm(12), 12),
        (lambda: torch.empty(0), 0),
        (lambda: torch.zeros(()), 1),
    ],
)
def test_what_is_made_is_counted(make, numbers):
    with Bounded(FREE) as count:
        make()
    assert count.bytes == 4 * numbers
    with pytest.raises(DiaboloError, match="the model would take at least"), Bounded(-1):
        make()


@pytest.mark.parametrize(
    "change",
    [
        {"latent_dim": 10**12}, {"latent_dim": 10**100}, {"in_features": 10**12}, {"latent_dim": 10**7, "in_features": 10**7},
    ],
    ids=str,
)  # fmt: skip
def test_a_config_of_absurd_size_is_one_sentence(change, stranger, diabolo):
    run = stranger(lambda config: config["model"]["bottleneck"].update(change))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for verb in ("info", "sample"):
        code, _, err = diabolo(verb, run)
        assert (code, err.count("\n")) == (2, 1), err
        assert "of memory are free" in err
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_config_of_endlessly_many_layers_ends(monkeypatch):
    monkeypatch.setattr(sizes, "MOST", 50)
    with pytest.raises(DiaboloError, match="more than 50 tensors"):
        parts.build({"part": "nets.MLPEncoder", "input_shape": [1, 1, 1], "hidden": [1] * 100_000})


@pytest.mark.parametrize("options", [{"latent_dim": 10**12}, {"hidden": (10**9,)}, {"hidden": (10**18,)}], ids=str)
def test_so_is_an_option(options):
    with pytest.raises(DiaboloError, match="of memory are free"):
        zoo.vae((1, 28, 28), **({"latent_dim": 4} | options))


def test_sizes_are_told_as_people_write_them():
    assert [words(n) for n in (0, 1023, 1024, 3 * 2**30, 2**40 + 2**39, 10**30)] == [
        "0 bytes", "1023 bytes", "1 KiB", "3 GiB", "1.5 TiB", "8.67e+11 EiB",
    ]  # fmt: skip
