"""One image file to one array, against Pillow's own plain steps and hand-made files."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from diabolo.data.pixels import MAX_PIXELS, BadImageError, Shaping, read_header, read_pixels
from diabolo.errors import DiaboloError

RGB, GREY = Shaping(channels=3), Shaping(channels=1)


def png(image: Image.Image, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def test_pixels_come_out_unchanged(make):
    x = make.noise(0, 7, 5)
    assert np.array_equal(read_pixels(make.encoded(x), "x", RGB), x.transpose(2, 0, 1))
    grey = make.noise(0, 7, 5, channels=1)
    assert np.array_equal(read_pixels(make.encoded(grey), "x", GREY), grey[None])
    assert np.array_equal(read_pixels(make.encoded(grey), "x", RGB), np.stack([grey] * 3))


def test_size_is_the_shorter_side_resized_with_antialiasing_then_trimmed(make):
    x = make.noise(1, 50, 100)
    whole = np.asarray(Image.fromarray(x).resize((16, 32), Image.Resampling.BICUBIC)).astype(int)
    got = read_pixels(make.encoded(x), "x", Shaping(16, channels=3)).transpose(1, 2, 0).astype(int)
    assert np.abs(got - whole[8:24]).max() <= 1
    assert got.std() < x.std() / 2  # averaged: sampling without antialiasing keeps the contrast of noise


def test_crop_cuts_the_middle(make):
    x = make.noise(2, 20, 31)
    got = read_pixels(make.encoded(x), "x", Shaping(crop=10, channels=3))
    assert np.array_equal(got, x[10:20, 5:15].transpose(2, 0, 1))
    with pytest.raises(BadImageError, match="x is 20×31, too small for a crop of 21"):
        read_pixels(make.encoded(x), "x", Shaping(crop=21, channels=3))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 30),
    st.sampled_from([1, 3]),
    st.sampled_from(["PNG", "JPEG"]),
)
def test_any_size_becomes_the_one_asked_for(width, height, size, channels, kind):
    out = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(out, kind)
    got = read_pixels(out.getvalue(), "x", Shaping(size, channels=channels))
    assert got.shape == (channels, size, size)
    assert np.ptp(got.astype(int).reshape(channels, -1), axis=1).max() <= 2  # one colour stays one


def test_a_large_jpeg_is_decoded_small_and_looks_the_same():
    x = np.linspace(0, 255, 800).astype(np.uint8)
    photograph = Image.fromarray(np.broadcast_to(x, (600, 800)).copy()).convert("RGB")
    out = io.BytesIO()
    photograph.save(out, "JPEG", quality=95)
    got = read_pixels(out.getvalue(), "x", Shaping(32, channels=1))
    wanted = np.asarray(photograph.convert("L").crop((100, 0, 700, 600)).resize((32, 32), Image.Resampling.BICUBIC))
    assert np.abs(got[0].astype(int) - wanted).max() <= 3


def test_a_photograph_taken_sideways_is_turned():
    x = np.zeros((4, 6, 3), np.uint8)
    x[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    data = png(Image.fromarray(x), exif=exif)
    assert (read_header(data, "x").width, read_header(data, "x").height) == (4, 6)
    got = read_pixels(data, "x", RGB)
    assert got.shape == (3, 6, 4)
    assert got[:, 0, 3].tolist() == [255, 255, 255]


def test_transparent_pixels_are_white():
    x = np.zeros((2, 2, 4), np.uint8)
    x[0, 0] = (10, 20, 30, 255)
    got = read_pixels(png(Image.fromarray(x)), "x", RGB)
    assert got[:, 0, 0].tolist() == [10, 20, 30]
    assert got[:, 1, 1].tolist() == [255, 255, 255]


def test_sixteen_bits_are_scaled():
    x = np.array([[0, 257, 32768, 65535]], np.uint16)
    assert read_pixels(png(Image.fromarray(x)), "x", GREY).ravel().tolist() == [0, 1, 128, 255]


def test_thirty_two_bits_are_refused():
    out = io.BytesIO()
    Image.fromarray(np.ones((2, 2), np.float32)).save(out, "TIFF")
    with pytest.raises(BadImageError, match="x holds 32-bit pixels"):
        read_pixels(out.getvalue(), "x", GREY)


@pytest.mark.parametrize(
    ("mode", "grey"), [("L", True), ("1", True), ("LA", True), ("RGB", False), ("RGBA", False), ("CMYK", False)]
)
def test_which_files_are_grey(mode, grey):
    out = io.BytesIO()
    Image.new(mode, (3, 3)).save(out, "TIFF")
    assert read_header(out.getvalue(), "x").grey is grey


def test_palettes_may_be_grey():
    assert read_header(png(Image.new("L", (3, 3)).quantize(4)), "x").grey
    assert not read_header(png(Image.new("RGB", (3, 3), "red").quantize(4)), "x").grey


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("width", [30_000, 10_000, 8_193])
def test_a_bomb_is_refused_from_its_header(width, make):
    for read in (read_header, lambda data, name: read_pixels(data, name, Shaping(64, channels=3))):
        with pytest.raises(BadImageError, match=f"bomb.png is refused: .*more than {MAX_PIXELS:,} pixels"):
            read(make.png_header(width, width), "bomb.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_a_truncated_file_is_damaged(kind, make):
    data = make.encoded(make.noise(3, 40, 40), kind)
    with pytest.raises(BadImageError, match=r"^x"):
        read_pixels(data[: len(data) // 2], "x", RGB)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of odd metadata
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_scribbled_files_never_raise_anything_else(data):
    out = io.BytesIO()
    x = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    Image.fromarray(x).save(out, data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF"])))
    spoilt = bytearray(out.getvalue())
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(spoilt) - 1), st.integers(0, 255)), max_size=8)
    ):
        spoilt[place] = value
    # BadImageError or pixels; any other exception fails the test
    with contextlib.suppress(BadImageError):
        assert read_pixels(bytes(spoilt), "x", Shaping(8, channels=3)).shape == (3, 8, 8)


def test_no_image_at_all():
    for data in (b"", b"hello"):
        with pytest.raises(BadImageError, match="x is not an image"):
            read_pixels(data, "x", RGB)


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"size": 0}, "size is a number of pixels"), ({"size": "64"}, "size is a number"), ({"size": True}, "size"),
     ({"crop": -1}, "crop is a number"), ({"size": 10**6}, "8192"), ({"channels": 2}, "channels must be 1")],
)  # fmt: skip
def test_shaping_refuses_nonsense(fields, says):
    with pytest.raises(DiaboloError, match=says):
        Shaping(**fields)
