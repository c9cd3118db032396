"""What is black and white: by what a source says, and by the range that it uses."""

import numpy as np
import pytest

from diabolo.data import as_images, load, read_images
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


def test_files_of_twelve_bits_are_read_alike(scans, caplog):
    train, test = load(scans)
    values = np.concatenate([train.images, test.images])
    assert values[:, 0, 1, 0].tolist() == [round(2000 / 4095 * 255)] * 6
    assert train.account.span == (0, 4095)
    assert train.account.used == (0, 4000)
    assert "read as 12 bits" in train.account.line()
    assert train.origin["span"] == [0, 4095]
    assert load(scans, range="dtype")[0].images.max() == round(4000 / 65535 * 255)
    assert load(scans, range=(0, 4000))[0].images.max() == 255
    one, _ = read_images(scans / "1.png", range=train.origin["span"])
    assert one[0, 0, 0, 1] == round(100 / 4095 * 255)


def test_masks_of_0_and_1_are_black_and_white_files_too(tmp_path, make):
    for i in range(4):
        make.save(tmp_path / "m" / f"{i}.png", (np.arange(16).reshape(4, 4) % (i + 2) == 0).astype(np.uint8))
    train, _ = load(tmp_path / "m")
    assert set(np.unique(train.images)) == {0, 255}
    assert train.account.used == (0, 1)


def test_signed_files_and_floats_say_what_to_do(tmp_path):
    from PIL import Image

    for i in range(3):
        x = (np.linspace(-1000, 2000, 16).reshape(4, 4) + i).astype(np.float32)
        (tmp_path / "ct").mkdir(exist_ok=True)
        Image.fromarray(x).save(tmp_path / "ct" / f"{i}.tif")
    with pytest.raises(DiaboloError, match=r"run from -1000 to 2002; .*--range -1000 2002"):
        load(tmp_path / "ct")
    train, _ = load(tmp_path / "ct", range=(-1000, 2002))
    assert train.images.min() == 0
    assert train.images.max() == 255
