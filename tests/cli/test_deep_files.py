"""Models of pictures of more than 8 bits: new files in the same units, and reconstructions that keep their levels."""

import io

import numpy as np
import pytest
from PIL import Image

from diabolo import data, fit
from diabolo.cli.images import _png
from diabolo.data.depth import deep_colours
from diabolo.runs.loading import load

N, SIDE = 40, 8


@pytest.fixture
def scans(tmp_path):
    """Twelve bits of sixteen: a plane of two slopes each, so that three numbers describe an image."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[:SIDE, :SIDE] / (SIDE - 1)
    slopes = rng.random((N, 2, 1, 1)) * 2000
    x = np.rint(50 + slopes[:, 0] * down + slopes[:, 1] * across).astype(np.uint16)
    (tmp_path / "scans").mkdir()
    for i in range(N):
        Image.fromarray(x[i]).save(tmp_path / "scans" / f"{i:02}.png")
    return tmp_path / "scans", x


@pytest.fixture
def run(scans, tmp_path):
    train, _ = data.load(scans[0])
    return fit("pca", train, latent_dim=4, out=tmp_path / "runs", quiet=True).path


def test_reconstructions_are_png_files_of_16_bits_with_all_levels(scans, run, diabolo):
    folder, x = scans
    answer = diabolo("reconstruct", run, folder, "--out", "out")
    assert (answer.code, answer.out) == (0, "40 reconstructions in out\n")
    found = []
    for i in range(N):
        with Image.open(f"out/{i:02}.png") as image:
            assert image.mode == "I;16"
            found.append(np.asarray(image))
    assert np.abs(np.stack(found).astype(int) - x).max() <= 3
    assert len(np.unique(found)) > 256


def test_the_same_numbers_in_any_file_give_the_same_codes(scans, run, diabolo, tmp_path):
    folder, x = scans
    dark = x[:3] // 32  # that would do with 8 bits, but are in units of 12
    np.save("x.npy", x[:3])
    np.save("dark.npy", dark.astype(np.uint8))
    for name, images, kind in (("tif", x, np.float32), ("bytes", dark, np.uint8), ("wide", dark, np.uint16)):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.fromarray(images[i].astype(kind)).save(tmp_path / name / f"{i}.tif")
    model = load(run)
    for given, images in (
        ([folder / f"{i:02}.png" for i in range(3)], x[:3]), (["tif"], x[:3]), (["bytes"], dark), (["wide"], dark),
        (["x.npy"], x[:3]), (["dark.npy"], dark),
    ):  # fmt: skip
        assert diabolo("encode", run, *given).code == 0
        wanted = model.encode(images[:, None].astype(np.float32)).numpy()
        np.testing.assert_allclose(np.load("codes.npy"), wanted, rtol=1e-5, atol=1e-4)


def test_an_archive_is_in_the_same_units(scans, run, diabolo, refused, tmp_path):
    import zipfile

    _, x = scans
    dark = (x[:10] // 32).astype(np.uint8)
    with zipfile.ZipFile("dark.zip", "w") as archive:
        for i in range(10):
            out = io.BytesIO()
            Image.fromarray(dark[i]).save(out, "PNG")
            archive.writestr(f"{i}.png", out.getvalue())
    assert diabolo("encode", run, "dark.zip").code == 0
    wanted = load(run).encode(dark[:, None].astype(np.float32)).numpy()
    np.testing.assert_allclose(np.load("codes.npy"), wanted, rtol=1e-5, atol=1e-4)
    with zipfile.ZipFile("dark.zip", "a") as archive:
        archive.write(tmp_path / "scans" / "00.png", "99.png")
    assert "holds images of different depths (" in refused(2, "encode", run, "dark.zip")


def test_a_model_of_floats_in_its_own_units(tmp_path, diabolo, refused):
    x = np.random.default_rng(0).normal(-3, 2, (N, 4, 4)).astype(np.float32)
    (tmp_path / "ct").mkdir()
    for i in range(N):
        Image.fromarray(x[i]).save(tmp_path / "ct" / f"{i:02}.tif")
    train, _ = data.load(tmp_path / "ct")
    run = fit("pca", train, latent_dim=16, out=tmp_path / "runs", quiet=True).path
    assert diabolo("reconstruct", run, "ct", "--out", "back.npy").code == 0
    np.testing.assert_allclose(np.load("back.npy")[:, 0], x, atol=1e-3)
    assert "which no PNG file holds" in refused(2, "reconstruct", run, "ct", "--out", "out")


def test_a_model_of_bytes_reads_deep_files_in_8_bits(runs, diabolo, tmp_path):
    x = np.linspace(0, 65535, 64).reshape(8, 8)
    Image.fromarray(x.astype(np.uint16)).save("deep.png")
    Image.fromarray(np.rint(x / 257).astype(np.uint8)).save("flat.png")
    codes = []
    for name in ("deep.png", "flat.png"):
        assert diabolo("encode", runs["vae"], name).code == 0
        codes.append(np.load("codes.npy"))
    np.testing.assert_array_equal(*codes)


def test_colours_of_16_bits_are_written_with_all_their_numbers():
    x = np.random.default_rng(0).integers(0, 65536, (3, 5, 4)).astype(np.uint16)
    content = _png(x)
    with Image.open(io.BytesIO(content)) as image:
        values, alpha = deep_colours(image, content)()
    assert alpha is None
    np.testing.assert_array_equal(values.transpose(2, 0, 1), x)
