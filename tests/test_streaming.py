"""What is done with many images holds some of them as floats, and never all: the peak of the resident set."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import diabolo
from diabolo import codec, zoo
from diabolo.cli.images import Given, _Numbered, in_pieces
from diabolo.codec import ANY, check_pixels, in_chunks
from diabolo.data import Images
from diabolo.data.images import chunks
from diabolo.errors import DiaboloError
from diabolo.evaluation import Subject
from diabolo.evaluation.learned import mean_image
from diabolo.latents.codes import encode, known
from diabolo.pca import PCA

N, SHAPE = 60_000, (1, 28, 28)
FLOATS = 4 * N * 28 * 28  # bytes of all pictures as float32: 188 MB


def status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def peak_of(function) -> int:
    """Bytes that it takes above what is resident before, at the most."""
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    function()
    return status("VmHWM") - before


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read as Linux tells it")


@pytest.fixture(scope="module")
def pictures() -> Images:
    return Images(np.random.default_rng(0).integers(0, 256, (N, *SHAPE), dtype=np.uint8))


@pytest.fixture(scope="module")
def models(pictures):
    pca = PCA(SHAPE, 4)
    pca.solve(pictures.images[:500])
    return {"vae": zoo.vae(SHAPE, 4, hidden=(16,)), "pca": pca}


@linux
@pytest.mark.parametrize("name", ["vae", "pca"])
def test_codes_of_an_array_take_a_small_part_of_its_floats(models, pictures, name):
    model = models[name]
    model.encode(pictures.images[:3000])
    assert peak_of(lambda: model.encode(pictures.images)) < FLOATS / 4
    assert peak_of(lambda: encode(model, pictures)) < FLOATS / 4


@linux
def test_floats_are_looked_through_without_a_copy(models):
    floats = np.random.default_rng(0).random((N // 4, *SHAPE), dtype=np.float32)
    models["vae"].encode(floats[:3000])
    assert peak_of(lambda: models["vae"].encode(floats)) < FLOATS / 16


@linux
def test_reconstructions_are_held_once(models, pictures):
    few = pictures.images[: N // 2]
    models["vae"].reconstruct(few[:3000])
    assert peak_of(lambda: models["vae"].reconstruct(few)) < 1.3 * FLOATS / 2  # what is asked for, and little besides


@linux
def test_commands_hold_a_piece(models, pictures):
    given = Given((pictures,), _Numbered([("x-", N)]))
    next(in_pieces(models["vae"].reconstruct, given))
    assert peak_of(lambda: [None for _ in in_pieces(models["vae"].reconstruct, given)]) < FLOATS / 8


@linux
def test_measures_hold_a_piece():
    n, width = 60_000, 512
    x = np.random.default_rng(0).normal(size=(n, width)).astype(np.float32)
    train, test = Images(x[: n // 2], split="train"), Images(x[n // 2 :], split="test")
    model = zoo.vae((width,), 4, hidden=(16,), likelihood="gaussian", scaling="standard")
    model.scaling.fit(train)

    def measured(n: int) -> None:
        some = train.take(np.arange(n)), test.take(np.arange(n))
        diabolo.evaluate(model, some, measures=["reconstruction", "rate"])

    measured(2000)
    assert peak_of(lambda: measured(n // 2)) < x.nbytes / 2  # once the test images, which were taken as float64


@linux
def test_a_memory_map_is_let_go_of_while_it_is_looked_through(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((N, *SHAPE), np.float32))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert peak_of(lambda: [float(piece.sum()) for piece in chunks(mapped)]) < FLOATS / 4


# --- the same numbers as all at once ----------------------------------------------------------------------------------


def test_chunks_give_what_all_at_once_gives(models, monkeypatch):
    x = np.random.default_rng(1).integers(0, 256, (50, *SHAPE), dtype=np.uint8)
    for model in models.values():
        z, x_hat = model.encode(x), model.reconstruct(x)
        monkeypatch.setattr(codec, "CHUNK", 7)
        torch.testing.assert_close(model.encode(x), z)
        torch.testing.assert_close(model.reconstruct(x), x_hat)
        assert model.encode(x[:0]).shape == (0, 4)
        monkeypatch.undo()


def test_inputs_are_cut_alike(monkeypatch):
    monkeypatch.setattr(codec, "CHUNK", 4)
    seen = []

    def add(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        seen.append(len(a))
        return a + b[:, :1]

    a, b = torch.arange(20.0).view(10, 2), torch.arange(30.0).view(10, 3)
    assert torch.equal(in_chunks(add, a, b), a + b[:, :1])
    assert seen == [4, 4, 2]


@pytest.mark.parametrize(
    ("row", "value", "says"), [(9, np.nan, "1 of 10 images hold"), (0, np.inf, "1 of 10"), (9, 7, "run from 0 to 7")]
)
def test_what_is_wrong_anywhere_is_refused(monkeypatch, row, value, says):
    monkeypatch.setattr(codec, "CHUNK", 4)
    x = np.zeros((10, 3), np.float32)
    x[row, 1] = value
    with pytest.raises(DiaboloError, match=says):
        check_pixels(x, (3,))
    if np.isnan(value):
        assert check_pixels(x, (3,), missing=True) is not None
        x[:] = np.nan
        assert check_pixels(x, (3,), ANY, missing=True).shape == (10, 3)


def test_the_mean_image_is_that_of_numpy(monkeypatch):
    monkeypatch.setattr("diabolo.data.images.CHUNK_BYTES", 100)
    x = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    np.testing.assert_allclose(mean_image(Images(x)), x.mean(0, dtype=np.float64), rtol=1e-12)
    x[3, 2] = x[9, 2] = x[0, 0] = np.nan
    np.testing.assert_allclose(mean_image(Images(x, missing=True)), np.nanmean(x, 0, dtype=np.float64), rtol=1e-12)
    bytes_ = np.random.default_rng(0).integers(0, 256, (50, 5), dtype=np.uint8)
    np.testing.assert_array_equal(mean_image(Images(bytes_)), bytes_.mean(0, dtype=np.float64) / 255)


def test_a_feature_is_measured_in_its_own_variance(monkeypatch):
    monkeypatch.setattr("diabolo.evaluation.reconstruction.PIECE", 7)
    x = np.random.default_rng(0).normal(5, (1, 10, 0), (40, 3)).astype(np.float32)  # the last is constant
    data = Images(x, feature_names=("a", "b", "c"), split="test")
    model = zoo.undercomplete((3,), 2, hidden=(4,), likelihood="gaussian", scaling="standard")
    model.scaling.fit(data)
    score = diabolo.evaluate(model, (data, data), measures=["reconstruction"])["reconstruction"].scores[
        "FVU, mean over features"
    ]
    errors = np.square(model.reconstruct(x).numpy().astype(np.float64) - x)[:, :2] / x[:, :2].astype(np.float64).var(0)
    assert score.value == pytest.approx(errors.mean(), rel=1e-9)
    assert score.detail["per feature"] == pytest.approx({"a": errors[:, 0].mean(), "b": errors[:, 1].mean()}, rel=1e-9)


def test_reconstructions_one_piece_after_the_other_are_those_of_all(models, pictures, monkeypatch):
    monkeypatch.setattr("diabolo.latents.codes.PIECE", 7)
    test = pictures.take(np.arange(20))
    for held in (False, True):
        subject = Subject(models["vae"], test, test)
        whole = subject.reconstructions if held else models["vae"].reconstruct(test.images).numpy()
        found = [*subject.reconstructed()]
        assert [len(few) for few, _ in found] == [7, 7, 6]
        np.testing.assert_allclose(np.concatenate([x_hat for _, x_hat in found]), whole, atol=1e-6)
        np.testing.assert_array_equal(np.concatenate([few.images for few, _ in found]), test.images)
        assert subject.errors == pytest.approx(np.square(whole - test.pixels).mean((1, 2, 3)), rel=1e-4)


def test_of_pixels_nothing_is_read_for_a_condition_that_needs_none(pictures, monkeypatch):
    few = Images(pictures.images[:6], labels=np.arange(6) % 3)
    assert torch.equal(known(zoo.completion(SHAPE, 4, hidden=(8,)), few), few.tensor)
    monkeypatch.setattr(Images, "tensor", property(lambda images: pytest.fail("the pixels are read")))
    assert known(zoo.cvae(SHAPE, 4, hidden=(8,), classes=3), few).tolist() == [0, 1, 2, 0, 1, 2]
    assert known(zoo.vae(SHAPE, 4, hidden=(8,)), few) is None


def test_numbered_names_are_made_when_asked_for():
    names = _Numbered([("train/", 3), ("test/", 2)])
    every = ["train/000000", "train/000001", "train/000002", "test/000000", "test/000001"]
    assert [*names] == every
    assert (len(names), names[3], names[1:4]) == (5, every[3], every[1:4])
    with pytest.raises(IndexError, match="no name 5 among 5"):
        names[5]
