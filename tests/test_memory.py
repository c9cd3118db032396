"""Sizes that no memory holds are refused before anything is allocated, with the number that would fit."""

import resource

import pytest
import torch
from torch import nn

import diabolo
from diabolo import memory, parts, zoo
from diabolo.data import as_images
from diabolo.errors import DiaboloError
from diabolo.memory import TooLargeError, at_once, bounded, words
from diabolo.pca import PCA
from diabolo.training import preflight

HUGE = 10**18
FREE = 1_000_000


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
    monkeypatch.setattr(memory, "_available", lambda: 2**31)
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
    with pytest.raises(TooLargeError, match="ask for fewer or narrower layers"):
        parts.build({"part": "nets.MLPEncoder", "input_shape": [1, HUGE, HUGE], "hidden": [4]})


@pytest.mark.parametrize("codec", [zoo.vae((1, 8, 8), 2, hidden=(4,)), PCA((1, 8, 8), 2)], ids=lambda c: c.name)
def test_more_samples_than_fit_are_refused_with_the_number_that_does(codec):
    with pytest.raises(TooLargeError, match=r"n of 1,000,000,000,000,000,000 needs .* at most [0-9,]+ fit"):
        codec.sample(HUGE)


def test_what_fits_is_made_as_ever():
    torch.manual_seed(0)
    plain = torch.nn.Linear(3, 4).weight
    torch.manual_seed(0)
    with memory.bounded():
        assert torch.equal(torch.nn.Linear(3, 4).weight, plain)


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
    with bounded(free=FREE) as count:
        make()
    assert count.bytes == 4 * numbers
    with pytest.raises(TooLargeError, match="the model would take at least"), bounded(free=-1):
        make()


def test_it_is_the_total_that_counts():
    def rows(n):
        with bounded({"width": 2**10}, free=10 * 2**12):
            return [torch.zeros(2**10) for _ in range(n)]

    assert len(rows(10)) == 10
    with pytest.raises(TooLargeError, match="ask for fewer or narrower layers"):
        rows(11)


def test_the_options_named_are_those_of_the_outermost_that_has_any():
    def make(around):
        with bounded(around, free=FREE), bounded({"inner": 2**20}, free=2**60):
            torch.zeros(2**20)

    for around, named in ({}, "inner"), ({"outer": 2**20}, "outer"):
        with pytest.raises(TooLargeError, match=f"^{named} of 1,048,576"):
            make(around)
        assert len(torch.zeros(2**20)) == 2**20  # outside it is no longer counted


def test_a_config_of_endlessly_many_layers_ends(monkeypatch):
    monkeypatch.setattr(memory, "MOST", 50)
    with pytest.raises(DiaboloError, match="more than 50 tensors"):
        parts.build({"part": "nets.MLPEncoder", "input_shape": [1, 1, 1], "hidden": [1] * 100_000})


def test_sizes_are_told_as_people_write_them():
    assert [words(n) for n in (0, 1023, 1024, 3 * 2**30, 2**40 + 2**39, 10**30)] == [
        "0 bytes", "1023 bytes", "1 KiB", "3 GiB", "1.5 TiB", "8.67e+11 EiB",
    ]  # fmt: skip


@pytest.mark.parametrize(("ema", "copies"), [(None, 3), (0.99, 4)])
def test_a_training_whose_averages_do_not_fit_is_refused_before_it_begins(ema, copies, monkeypatch, tmp_path):
    model = zoo.undercomplete((1, 8, 8), latent_dim=2, hidden=(64,))
    weights = sum(p.nbytes for p in model.parameters())
    monkeypatch.setattr("diabolo.training.preflight.TRIED", 0)
    images = torch.rand(8, 1, 8, 8)
    how = {"epochs": 1, "batch_size": 4, "ema": ema, "device": "cpu", "quiet": True, "out": tmp_path / "runs"}
    monkeypatch.setattr("diabolo.training.preflight.free_memory", lambda device: copies * weights - 1)
    with pytest.raises(
        TooLargeError, match=r"gradients and averages, and .* are free: ask for fewer or narrower layers"
    ):
        diabolo.fit(model, images, **how)
    assert not (tmp_path / "runs").exists()
    monkeypatch.setattr("diabolo.training.preflight.free_memory", lambda device: 2**40)
    assert diabolo.fit(model, images, **how).status == "finished"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vae", {"latent_dim": 2}),
        ("undercomplete", {"latent_dim": 2, "net": "conv"}),
        ("vqvae", {"codes": 8}),
        ("denoising", {}),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_with_the_largest_that_does(name, options, monkeypatch, tmp_path):
    model = zoo.build(name, (1, 8, 8), **options)
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    images, state = torch.rand(64, 1, 8, 8), torch.get_rng_state()
    monkeypatch.setattr("diabolo.training.preflight.TRIED", 0)
    how = {"epochs": 1, "device": "cpu", "precision": "float32", "quiet": True, "out": tmp_path / "runs"}
    train = as_images(images)
    each = (
        preflight._kept_bytes(model, train, 9) - preflight._kept_bytes(model, train, 5)
    ) // 4  # in proportion to the images
    assert each == (preflight._kept_bytes(model, train, 4) - preflight._kept_bytes(model, train, 2)) // 2 > 64 * 4
    monkeypatch.setattr("diabolo.training.preflight._check_memory", lambda *_: None)
    monkeypatch.setattr("diabolo.training.preflight.free_memory", lambda device: 20 * each)
    with pytest.raises(TooLargeError, match=r"a batch of 21 images keeps at least .* use --batch-size 20 or less"):
        diabolo.fit(model, images, batch_size=21, **how)
    assert not (tmp_path / "runs").exists()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert diabolo.fit(model, images, batch_size=20, **how).status == "finished"


@pytest.mark.parametrize(("most", "each", "rows"), [(12, 4, 3), (11, 4, 2), (4, 4, 1), (3, 4, 1), (7, 1, 7), (7, 0, 7)])
def test_as_many_rows_at_once_as_fit_and_one_at_least(most, each, rows):
    assert at_once(most, each) == rows
