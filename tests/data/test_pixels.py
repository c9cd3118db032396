"""One image file to one array, against Pillow's own plain steps and hand-made files."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from diabolo.data.pixels import MAX_PIXELS, BadImageError, Shaping, formats, read_header, read_pages
from diabolo.errors import DiaboloError

RGB, GREY = Shaping(channels=3), Shaping(channels=1)


def read_pixels(data, name, shaping):
    """The one page of a file."""
    (page,), _ = read_pages(data, name, shaping)
    return page


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


def tiff(array, **options):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "TIFF", **options)
    return out.getvalue()


def test_floats_are_read_as_0_to_1_and_their_range_is_known():
    x = np.array([[0, 0.25, 0.5, 1]], np.float32)
    pages, facts = read_pages(tiff(x), "x", GREY)
    assert pages[0].ravel().tolist() == [0, 64, 128, 255]
    assert facts.used == (0, 1)
    assert facts.numbers["float"].floats
    with pytest.raises(BadImageError, match="x holds pixels that are NaN or infinite"):
        read_pages(tiff(np.full((2, 2), np.nan, np.float32)), "x", GREY)


def test_a_span_is_in_the_numbers_of_the_file():
    x = np.array([[0, 1000, 2000, 4000, 60000]], np.uint16)
    for data in (png(Image.fromarray(x)), tiff(x)):
        got = read_pixels(data, "x", Shaping(channels=1, span=(0, 4000)))
        assert got.ravel().tolist() == [0, 64, 128, 255, 255]
    bytes_ = png(Image.fromarray(np.array([[0, 8, 16]], np.uint8)))
    assert read_pixels(bytes_, "x", Shaping(channels=1, span=(0, 16))).ravel().tolist() == [0, 128, 255]


@pytest.mark.parametrize(("most", "kind"), [(65535, ">u2"), (4095, ">u2"), (1000, ">u2"), (255, "u1"), (15, "u1")])
def test_what_a_pgm_calls_white_is_white(most, kind):
    x = np.rint(np.linspace(0, most, 12)).reshape(3, 4)
    head = f"P5\n# by hand\n4 3 # columns and rows\n{most}\n".encode()
    got = read_pixels(head + x.astype(kind).tobytes(), "x", GREY)[0].astype(int)
    assert np.abs(got - x / most * 255).max() <= 0.51
    plain = f"P2\n4 3\n{most}\n" + " ".join(str(int(value)) for value in x.ravel())
    assert np.abs(read_pixels(plain.encode(), "x", GREY)[0].astype(int) - x / most * 255).max() <= 0.51


def test_signed_numbers_are_known_as_such():
    tags = {339: 2}
    data = tiff(np.array([[-100, 0, 2000]], np.int16).view(np.uint16), tiffinfo=tags)
    _, facts = read_pages(data, "x", GREY)
    assert facts.used == (-100, 2000)
    assert facts.numbers["16 bit signed"].nominal == (-32768, 32767)


@pytest.mark.parametrize("pages", [1, 2, 5])
def test_each_page_is_an_image(pages):
    stack = [Image.fromarray(np.full((4, 6), 10 * k, np.uint8)) for k in range(pages)]
    out = io.BytesIO()
    stack[0].save(out, "TIFF", save_all=True, append_images=stack[1:])
    found, facts = read_pages(out.getvalue(), "x", GREY)
    assert [page[0, 0, 0] for page in found] == [10 * k for k in range(pages)]
    assert facts.sizes == {"6×4": pages}


def test_thumbnails_and_masks_are_no_pages():
    stack = [Image.fromarray(np.full((4, 6), 10 * k, np.uint8)) for k in range(3)]
    stack[1].encoderinfo = {"tiffinfo": {254: 1}}
    stack[2].encoderinfo = {"tiffinfo": {254: 4}}
    out = io.BytesIO()
    stack[0].save(out, "TIFF", save_all=True, append_images=stack[1:])
    assert len(read_pages(out.getvalue(), "x", GREY)[0]) == 1


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken_and_it_is_known(kind):
    frames = [Image.fromarray(np.full((8, 8, 3), 60 * k, np.uint8)) for k in range(3)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=50)
    found, facts = read_pages(out.getvalue(), "x", GREY)
    assert len(found) == 1
    assert found[0].max() < 30
    assert facts.animations == 1


@pytest.mark.parametrize("value", ["6", b"6", 99, 0, -1, (6, 1), 6.0], ids=repr)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_an_orientation_without_meaning_costs_nothing(kind, value):
    exif = Image.Exif()
    exif[0x0112] = value
    out = io.BytesIO()
    try:
        Image.new("RGB", (6, 4)).save(out, kind, exif=exif)
    except Exception:
        pytest.skip("Pillow writes no such tag")
    assert read_header(out.getvalue(), "x").width in (6, 4)
    assert read_pixels(out.getvalue(), "x", RGB).shape[0] == 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_every_orientation_is_put_upright_as_pillow_would(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    x = np.zeros((16, 32), np.uint8)
    x[:8, :8] = 255
    Image.fromarray(x).save(out, kind, exif=exif)
    data = out.getvalue()
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    got = read_pixels(data, "x", GREY)[0]
    assert got.shape == wanted.shape
    assert np.abs(got.astype(int) - wanted).max() <= 2
    header = read_header(data, "x")
    assert (header.height, header.width) == wanted.shape


def test_a_text_too_long_costs_nothing(make):
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Comment", "a" * (1 << 22), zip=True)
    x = make.noise(0, 5, 4, channels=1)
    data = png(Image.fromarray(x), pnginfo=text)
    with pytest.raises(ValueError, match="too large"):
        Image.open(io.BytesIO(data)).load()
    assert np.array_equal(read_pixels(data, "x", GREY)[0], x)


def test_no_other_program_draws_an_image():
    assert "EPS" not in formats()
    with pytest.raises(BadImageError, match="x is not an image"):
        read_pixels(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "x", GREY)


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
    [({"size": 0}, "size must be a whole number"), ({"size": "64"}, "size must be"), ({"size": True}, "size"),
     ({"crop": -1}, "crop must be a whole number"), ({"size": 10**6}, "8,192"), ({"channels": 2}, "channels must be 1 or 3"),
     ({"channels": True}, "channels must be 1 or 3, not True")],
)  # fmt: skip
def test_shaping_refuses_nonsense(fields, says):
    with pytest.raises(DiaboloError, match=says):
        Shaping(**fields)
