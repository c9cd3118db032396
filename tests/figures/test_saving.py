import errno
import gc
import os
import weakref

import matplotlib
import numpy as np
import pytest
from PIL import Image

from diabolo.errors import DiaboloError
from diabolo.figures import bars, histogram, latent_scatter, sample_grid, save


@pytest.fixture
def figure():
    return sample_grid(np.random.default_rng(0).random((4, 1, 8, 8)))


def test_the_png_has_the_size_of_the_page_at_150_dpi(figure, tmp_path, pixels_of):
    path = save(figure, tmp_path / "new" / "folder" / "samples.png")
    width, height = figure.get_size_inches() * 150
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.size == (round(width), round(height))
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), pixels_of(figure))
    assert [p.name for p in path.parent.iterdir()] == ["samples.png"]


def test_the_pdf_is_vectors_with_text(figure, tmp_path):
    assert save(figure, tmp_path / "a.png", pdf=True) == tmp_path / "a.png"
    assert {p.name for p in tmp_path.iterdir()} == {"a.png", "a.pdf"}
    data = (tmp_path / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert b"DejaVuSans" in data
    save(figure, tmp_path / "b.PDF")
    assert (tmp_path / "b.PDF").read_bytes() == data


def test_many_points_do_not_swell_the_pdf(tmp_path):
    codes = np.random.default_rng(0).normal(size=(50_000, 2))
    save(latent_scatter(codes), tmp_path / "points.pdf")
    assert (tmp_path / "points.pdf").stat().st_size < 500_000


def test_a_full_disk_leaves_the_old_file_and_no_rubbish(figure, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiaboloError, match=r"a\.png could not be written: No space"):
        save(figure, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_does_not_depend_on_the_settings_of_the_user(tmp_path):
    codes = np.random.default_rng(0).normal(size=(300, 2))
    labels = np.arange(300) % 3
    save(latent_scatter(codes, labels), tmp_path / "plain.png")
    with matplotlib.rc_context(
        {"font.size": 20, "savefig.facecolor": "black", "xtick.labelsize": 20, "axes.grid": False}
    ):
        save(latent_scatter(codes, labels), tmp_path / "other.png")
        assert matplotlib.rcParams["font.size"] == 20
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "other.png").read_bytes()


@pytest.mark.parametrize("name", ["figure", "figure.svg", "figure.jpg"])
def test_other_endings_are_refused(name, figure, tmp_path):
    with pytest.raises(DiaboloError, match=r"\.png or \.pdf"):
        save(figure, tmp_path / name)


def test_a_figure_that_nobody_holds_is_let_go_of(tmp_path):
    """What was noted of its heading once kept every figure for as long as the process lived."""
    for draw in (
        lambda: bars({"VAE": 0.02, "PCA": 0.03}, "squared error"),
        lambda: histogram({"train": [0.1, 0.2, 0.2]}, "squared error", title="errors"),
        lambda: sample_grid(np.zeros((4, 1, 8, 8), np.float32), title="four"),
    ):
        figure = draw()
        save(figure, tmp_path / "it.png", pdf=True)
        held = weakref.ref(figure)
        del figure
        gc.collect()
        assert held() is None
