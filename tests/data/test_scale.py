"""What is black and white: by what a source says, and by the range that it uses."""

import tarfile
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

import diabolo
from diabolo.data import Images, as_images, load, read_images
from diabolo.data.scale import Numbers, check_range, remedy, settle
from diabolo.errors import DiaboloError

RAMP = np.linspace(0, 1, 64).reshape(1, 8, 8)


def whites(x, **options):
    return as_images(np.concatenate([x, x]), **options).images[0, 0]


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64, np.uint32])
def test_of_wide_numbers_the_bits_in_use_decide(bits, dtype, caplog):
    x = np.rint(RAMP * (2**bits - 1)).astype(dtype)
    images = as_images(np.concatenate([x, x]))
    assert np.array_equal(images.images[0], x)
    assert images.images.dtype == (np.uint8 if bits == 8 else dtype)
    assert images.black_and_white == ((0, 1) if bits == 8 else (0, 2**bits - 1))
    assert (f"read as {bits} bits" in caplog.text) == (bits < np.dtype(dtype).itemsize * 8)


def test_the_type_or_the_two_numbers_decide_when_asked(caplog):
    x = np.rint(RAMP * 4095).astype(np.uint16)
    for asked, span in (("dtype", (0, 65535)), ((0, 8190), (0, 8190))):
        images = as_images(x, range=asked)
        assert (images.black_and_white, images.images.max()) == (span, 4095)
    assert not caplog.text
    assert whites(np.minimum(x, 400), range=(300, 400)).max() == 255  # a hundred levels fit into bytes
    assert as_images(x, range=(0, 1000)).images.max() == 1000
    assert "run from 0 to 4095 and are clipped to 0 to 1,000" in caplog.text
    assert np.allclose(as_images(np.array([[-1.0, 0, 1]]), range=(-1, 1)).images, [[0, 0.5, 1]])
    with pytest.raises(DiaboloError, match="type that says nothing"):
        as_images(x.astype(np.int64), range="dtype")


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16])
def test_numbers_0_and_1_are_black_and_white(dtype, caplog):
    x = (RAMP > 0.5).astype(dtype)
    assert np.array_equal(whites(x), np.where(x[0], 255, 0))
    assert "only 0 and 1 occur" in caplog.text
    assert np.array_equal(as_images(x.reshape(4, 16)).images, x.reshape(4, 16).astype(np.float32))
    assert whites(x, range=(0, 255)).max() == 1


@pytest.mark.parametrize("low", [0.0, -1e-9, -9e-4])
@pytest.mark.parametrize("high", [1.0, np.nextafter(np.float32(1), np.float32(2)), 1 + 9e-4])
def test_a_rounding_outside_is_clipped(low, high, caplog):
    x = RAMP.astype(np.float32).copy()
    x[0, 0, 0], x[0, 7, 7] = low, high
    assert np.abs(whites(x) - RAMP[0]).max() <= 1e-3
    assert as_images(x).images.min() >= 0
    assert as_images(x).images.max() <= 1
    vectors = as_images(x.reshape(4, 16)).images
    assert vectors.min() >= 0
    assert vectors.max() <= 1
    assert ("rounding outside" in caplog.text) == (x.min() < 0 or x.max() > 1)


def test_dark_bytes_are_told(caplog):
    as_images(np.rint(RAMP * 16).astype(np.uint8))
    assert "reach only 16 of 255" in caplog.text
    assert "--range 0 16" in caplog.text


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(-0.05, 1.05, "clip"), (0, 255, "divide by 255"), (0, 250.5, "divide by 255"), (0, 1000, "divide by 1023"),
     (0, 65535, "divide by 65535"), (-1, 1, "(x + 1) / 2"), (-2.1, 2.6, "x * std + mean"), (-300, 900, "(x - min)"),
     (0, 16, "divide by 16"), (0, 100, "divide by 100")],
)  # fmt: skip
def test_the_remedy_fits_the_numbers(low, high, says):
    words, (black, white) = remedy(low, high)
    assert says in words
    assert (black, white) in {(0, white), (-1, 1), (low, high)}
    assert white >= min(high, 1)
    assert settle(Numbers(low, high, (0.0, 1.0), floats=True), (black, white), "x")[0] == (black, white)


@pytest.mark.parametrize("asked", ["auto", "dtype", "own", (0, 1), [0, 4095], ("0", "4095"), "0 4095", ("auto",)])
def test_ranges_that_are_some(asked):
    assert check_range(asked) in ("auto", "dtype", "own", (0.0, 1.0), (0.0, 4095.0))


@pytest.mark.parametrize("asked", ["full", (1,), (1, 1), (2, 1), (0, float("inf")), (0, "x"), None, 5, (0, 1, 2), ""])
def test_ranges_that_are_none(asked):
    with pytest.raises(DiaboloError, match="auto, dtype, own, or the two numbers"):
        check_range(asked)


@pytest.fixture
def scans(tmp_path, make):
    """Sixteen-bit files that use twelve, of which no single one reaches white."""
    for i in range(6):
        make.save(tmp_path / "scans" / f"{i}.png", np.array([[0, 100 * i], [2000, 4000 - i]], np.uint16))
    return tmp_path / "scans"


def test_files_of_twelve_bits_keep_their_numbers(scans):
    train, test = load(scans)
    values = np.concatenate([train.images, test.images])
    assert values.dtype == np.uint16
    assert values[:, 0, 1, 0].tolist() == [2000] * 6
    assert sorted(values[:, 0, 1, 1].tolist()) == [3995, 3996, 3997, 3998, 3999, 4000]
    assert train.black_and_white == (0, 4095)
    assert train.account.span == (0, 4095)
    assert train.account.used == (0, 4000)
    assert "read as 12 bits" in train.account.line()
    assert train.origin["span"] == [0, 4095]
    assert load(scans, range="dtype")[0].black_and_white == (0, 65535)
    assert load(scans, range="own")[0].black_and_white is None
    assert load(scans, range="own")[0].origin["span"] == "own"
    clipped, _ = load(scans, range=(10, 3000))
    assert (clipped.images.min(), clipped.images.max(), clipped.span) == (10, 3000, (10, 3000))
    assert load(scans, range=(0, 200))[0].images.dtype == np.uint8  # two hundred levels fit into bytes
    one, _ = read_images(scans / "1.png", range=train.origin["span"])
    assert one[0, 0, 0, 1] == round(100 / 4095 * 255)
    deep, _ = read_images(scans / "1.png", range=train.origin["span"], deep=True)
    assert (deep.dtype, deep[0, 0].tolist()) == (np.uint16, [[0, 100], [2000, 3999]])


def test_files_of_mixed_depths_become_bytes_by_what_each_says(scans, make):
    make.save(scans / "8.png", np.array([[0, 51], [102, 255]], np.uint8))
    train, test = load(scans)
    names, values = train.names + test.names, np.concatenate([train.images, test.images])
    assert values.dtype == np.uint8
    assert values[names.index("8.png"), 0].tolist() == [[0, 51], [102, 255]]
    assert values[names.index("1.png"), 0, 1, 0] == round(2000 / 65535 * 255)
    assert train.account.depths == {"16 bit": 6, "8 bit": 1}


def test_files_that_use_eight_bits_of_sixteen_become_bytes(tmp_path, make):
    for i in range(3):
        make.save(tmp_path / "x" / f"{i}.png", np.array([[0, 100 + i]], np.uint16))
    train, test = load(tmp_path / "x", n_test=1)
    assert train.images.dtype == np.uint8
    assert sorted(np.concatenate([train.images, test.images])[:, 0, 0, 1].tolist()) == [100, 101, 102]


@pytest.mark.parametrize("channels", [1, 3])
def test_resized_scans_keep_their_levels_and_never_leave_black_and_white(tmp_path, make, channels):
    rng = np.random.default_rng(0)
    for i in range(4):
        noise = rng.integers(0, 2, (40, 40)) * 4095
        make.save(tmp_path / "x" / f"{i}.png", noise.astype(np.uint16))
    train, _ = load(tmp_path / "x", size=30, image_channels=channels)
    assert train.images.dtype == np.uint16
    assert train.shape == (channels, 30, 30)
    assert (train.images.min(), train.images.max(), train.span) == (0, 4095, (0, 4095))
    assert len(np.unique(train.images)) > 500
    assert (train.images == train.images[:, :1]).all()


def test_masks_of_0_and_1_are_black_and_white_files_too(tmp_path, make):
    for i in range(4):
        make.save(tmp_path / "m" / f"{i}.png", (np.arange(16).reshape(4, 4) % (i + 2) == 0).astype(np.uint8))
    train, _ = load(tmp_path / "m")
    assert set(np.unique(train.images)) == {0, 255}
    assert train.account.used == (0, 1)


@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_signed_files_and_floats_keep_their_units(tmp_path, kind):
    from PIL import Image

    x = np.stack([(np.linspace(-1000, 2000, 16).reshape(4, 4) + i).astype(kind) for i in range(3)])
    (tmp_path / "ct").mkdir()
    for i in range(3):
        one = x[i] if kind == np.float32 else x[i].view(np.uint16)
        Image.fromarray(one).save(tmp_path / "ct" / f"{i}.tif", tiffinfo={} if kind == np.float32 else {339: 2})
    train, test = load(tmp_path / "ct", n_test=1)
    assert train.images.dtype == kind
    order = [int(name[0]) for name in train.names + test.names]
    assert np.array_equal(np.concatenate([train.images, test.images])[:, 0], x[order])
    assert train.black_and_white is None
    assert train.origin["span"] == "own"
    assert "--range -1000 2002" in train.account.line()
    train, _ = load(tmp_path / "ct", range=(-1000, 2000))
    assert (train.images.min(), train.images.max(), train.span) == (-1000, 2000, (-1000, 2000))
    with pytest.raises(DiaboloError, match=r"run from -1000 to 2002.*--range -1000 2002"):
        read_images(tmp_path / "ct")  # in 8 bits something must be black


def test_float_files_from_0_to_1_are_pictures(tmp_path):
    from PIL import Image

    (tmp_path / "x").mkdir()
    x = np.random.default_rng(0).random((4, 6, 6), np.float32)
    for i in range(4):
        Image.fromarray(x[i]).save(tmp_path / "x" / f"{i}.tif")
        Image.fromarray(np.rint(x[i] * 255).astype(np.float32) / np.float32(255)).save(tmp_path / f"{i}.tif")
    train, _ = load(tmp_path / "x", n_test=1)
    assert (train.images.dtype, train.black_and_white) == (np.float32, (0, 1))
    assert np.array_equal(train.images[:, 0], x[[int(name[0]) for name in train.names]])
    resized, _ = load(tmp_path / "x", size=5)
    assert 0 <= resized.images.min() <= resized.images.max() <= 1
    (tmp_path / "steps").mkdir()
    for i in range(4):
        (tmp_path / f"{i}.tif").rename(tmp_path / "steps" / f"{i}.tif")
    steps, _ = load(tmp_path / "steps")  # nothing is lost in bytes
    assert np.array_equal(steps.images[:, 0], np.rint(x[[int(name[0]) for name in steps.names]] * 255))


BYTES = np.arange(4 * 64, dtype=np.uint8).reshape(4, 1, 8, 8)


def test_bytes_of_another_range_keep_their_numbers(tmp_path):
    images = as_images(BYTES, range=(0, 4095))
    assert (images.images.dtype, images.black_and_white) == (np.int16, (0.0, 4095.0))
    assert np.array_equal(images.images, BYTES)
    run = diabolo.fit("pca", images, latent_dim=1, out=tmp_path, quiet=True)
    assert run.model.scaling.kind == "unit"
    x = run.model.scaling(torch.from_numpy(images.images))
    assert np.allclose(x.numpy(), BYTES / 4095)  # dark, as black and white say
    assert np.allclose(as_images(BYTES[:, 0, 0], range=(0, 4095)).images, BYTES[:, 0, 0] / 4095)
    np.save(tmp_path / "x.npy", BYTES)
    train, _ = load(tmp_path / "x.npy", range=(0, 4095), n_test=1)
    assert (train.images.dtype, train.span, train.origin["span"]) == (np.int16, (0.0, 4095.0), [0.0, 4095.0])


def test_bytes_without_black_and_white_are_numbers_of_0_to_255(tmp_path):
    images = as_images(BYTES, range="own")
    assert (images.images.dtype, images.black_and_white) == (np.int16, None)
    assert np.array_equal(images.pixels, BYTES)


def test_bytes_as_they_are_stay_where_they_are():
    for asked in ({}, {"range": "dtype"}, {"range": (0, 255)}, {"missing": "mask"}):
        images = as_images(BYTES, **asked)
        assert images.images is BYTES
        assert images.black_and_white == (0.0, 1.0)


def test_images_of_bytes_have_black_and_white_already():
    with pytest.raises(
        DiaboloError, match=r"images of uint8 are 0 \(black\) to 255 .* span says \(0, 4095\): as_images"
    ):
        Images(BYTES, span=(0, 4095))


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "tar"])
def test_files_of_8_bits_of_a_wider_range_keep_their_levels(packed, tmp_path):
    """Black to white in bytes would leave 0 … 255 of 0 … 4095 the 17 values 0 … 16."""
    source = tmp_path / "scans"
    (source / "a").mkdir(parents=True)
    for i in range(6):
        Image.fromarray(np.roll(BYTES[0, 0], i)).save(source / "a" / f"{i}.png")
    if packed:
        with tarfile.open(tmp_path / "scans.tar", "w") as archive:
            archive.add(source, "scans")
        source = tmp_path / "scans.tar"
    train, test = load(source, range=(0, 4095), n_test=2)
    both = np.concatenate([train.images, test.images])
    assert (both.dtype, train.span, len(both)) == (np.uint16, (0, 4095), 6)
    assert {image.tobytes() for image in both} == {
        np.roll(BYTES[:1, 0], i).astype(np.uint16).tobytes() for i in range(6)
    }
    narrow, _ = load(source, range=(0, 100), n_test=2)
    assert (narrow.images.dtype, narrow.images.max()) == (np.uint8, round(63 / 100 * 255))


@pytest.mark.parametrize("packed", ["folder", "zip", "tar", "parquet"])
def test_files_of_16_bits_keep_their_levels_however_they_are_packed(packed, tmp_path):
    x = (np.arange(5 * 1024, dtype=np.uint16) % 4096).reshape(5, 32, 32)
    source = tmp_path / "scans"
    source.mkdir()
    for i, picture in enumerate(x):
        Image.fromarray(picture).save(source / f"{i}.png")
    files, packs = sorted(source.iterdir()), source.with_suffix(f".{packed}")
    if packed == "zip":
        with zipfile.ZipFile(packs, "w") as archive:
            for file in files:
                archive.write(file, file.name)
    elif packed == "tar":
        with tarfile.open(packs, "w") as archive:
            archive.add(source, "scans")
    elif packed == "parquet":
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        column = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
        parquet.write_table(arrow.table({"image": column}), packs)
    train, test = load(source if packed == "folder" else packs, n_test=1)
    assert (train.images.dtype, train.span) == (np.uint16, (0, 4095))
    both = np.concatenate([train.images, test.images])
    assert {image.tobytes() for image in both} == {picture.tobytes() for picture in x}


def test_a_picture_of_1_bit_among_those_of_8_makes_bytes_of_all(tmp_path):
    for i, kind in enumerate(("L", "L", "1", "L")):
        Image.fromarray(BYTES[0, 0]).convert(kind).save(tmp_path / f"{i}.png")
    train, test = load(tmp_path, range=(0, 4095), n_test=1)
    assert (train.images.dtype, test.images.dtype, train.images.max()) == (np.uint8, np.uint8, 255)
