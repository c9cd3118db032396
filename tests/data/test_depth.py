"""Numbers of more than 8 bits, and those that say otherwise what is black: each against what was written."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from diabolo.data.depth import BadImageError
from diabolo.data.pixels import Shaping, read_header, read_pages

RAMP = np.arange(64).reshape(8, 8)
COLOURS = np.dstack([RAMP * 60, 4000 - RAMP * 50, RAMP * 7])  # 12 bits


def png(values, kind):
    """A PNG file of 16 bits a channel."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(values, photometric=1, sample_format=1, planar=False, order="<"):
    """An uncompressed TIFF file; colours apart where it is `planar`."""
    bands = values.shape[2] if values.ndim == 3 else 1
    layers = [values[..., band] for band in range(bands)] if planar else [values]
    data = [np.ascontiguousarray(layer).tobytes() for layer in layers]
    starts = [8 + sum(map(len, data[:k])) for k in range(len(data))]
    after = 8 + sum(map(len, data))
    entries, more = b"", b""
    tags = {256: [values.shape[1]], 257: [values.shape[0]], 258: [values.dtype.itemsize * 8] * bands, 259: [1]}
    tags |= {262: [photometric], 273: starts, 277: [bands], 278: [values.shape[0]], 279: list(map(len, data))}
    tags |= {284: [2 if planar else 1], 339: [sample_format] * bands}
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > 4:
            more, packed = more + packed, struct.pack(f"{order}I", after + len(more))
        entries += struct.pack(f"{order}HHI", tag, 4, len(numbers)) + packed
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", after + len(more))
    return head + b"".join(data) + more + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)


def read(data, channels=3, span=None, keep="bytes", size=None):
    (page,), facts = read_pages(data, "x", Shaping(size, channels=channels, span=span, keep=keep))
    return page, facts


SIXTEEN = {
    "png": png(COLOURS, 2),
    "tiff": tiff(COLOURS.astype("<u2"), 2),
    "tiff of the other order": tiff(COLOURS.astype(">u2"), 2, order=">"),
    "tiff with colours apart": tiff(COLOURS.astype("<u2"), 2, planar=True),
    "the same of the other order": tiff(COLOURS.astype(">u2"), 2, planar=True, order=">"),
}


@pytest.mark.parametrize("data", SIXTEEN.values(), ids=SIXTEEN)
def test_colours_of_16_bits_keep_all_their_numbers(data):
    page, facts = read(data, span=(0.0, 4095.0))
    assert np.array_equal(page, np.rint(COLOURS * (255 / 4095)).transpose(2, 0, 1))
    assert facts.used == (COLOURS.min(), COLOURS.max())
    assert list(facts.depths) == ["16 bit"]


@pytest.mark.parametrize("data", SIXTEEN.values(), ids=SIXTEEN)
def test_colours_of_16_bits_are_kept_in_their_type(data):
    page, _ = read(data, keep="deep")
    assert page.dtype == np.uint16
    assert np.array_equal(page, COLOURS.transpose(2, 0, 1))
    grey, _ = read(data, 1, keep="deep")
    assert np.array_equal(grey[0], np.rint(COLOURS @ [0.299, 0.587, 0.114]))
    assert read(data, keep="deep", span=(100.0, 3000.0))[0].max() == 3000
    small, _ = read(data, keep="deep", size=4)
    for band, got in zip(COLOURS.transpose(2, 0, 1), small, strict=True):
        wanted = np.asarray(Image.fromarray(band.astype(np.float32)).resize((4, 4), Image.Resampling.BICUBIC))
        assert np.array_equal(got, np.rint(wanted))


@pytest.mark.parametrize(
    ("data", "kind", "shown"),
    [
        (png(np.atleast_3d(RAMP * 1000), 0), np.uint16, RAMP * 1000),
        (tiff((RAMP * 1000).astype("<u2"), 0), np.uint16, 65535 - RAMP * 1000),
        (tiff((RAMP - 32).astype("<i1"), 1, 2), np.int16, RAMP - 32),
        (tiff((RAMP * 900 - 30_000).astype("<i2"), 1, 2), np.int16, RAMP * 900 - 30_000),
        (tiff(RAMP.astype("<u4") * 2**26), np.float32, RAMP * 2.0**26),
        (tiff((RAMP - 32).astype("<i4") * 2**20, 1, 2), np.float32, (RAMP - 32) * 2.0**20),
        (tiff((RAMP / 7 - 3).astype("<f4"), 1, 3), np.float32, (RAMP / 7 - 3).astype(np.float32)),
        (b"P5 8 8 1000\n" + (RAMP * 15).astype(">u2").tobytes(), np.uint16, RAMP * 15),
        (tiff(RAMP.astype("<u1")), np.uint8, RAMP),
    ],
)
def test_numbers_are_kept_in_their_type(data, kind, shown):
    page, _ = read(data, 1, keep="deep")
    assert page.dtype == kind
    assert np.array_equal(page[0], shown)
    same, _ = read(data, 1, keep="own")
    assert same.dtype == np.float32
    assert np.array_equal(same[0], shown)


def test_what_overshoots_at_an_edge_stays_within_the_type():
    edge = np.where(np.arange(16) < 8, 0, 65535) * np.ones((16, 1), int)
    page, _ = read(png(np.atleast_3d(edge), 0), 1, keep="deep", size=24)
    assert (page.min(), page.max()) == (0, 65535)
    assert (np.diff(page[0, 12].astype(int)) >= 0).all()  # nothing wraps around


@pytest.mark.parametrize(("kind", "bands", "channels"), [(4, 1, 1), (6, 3, 3)])
def test_alpha_of_16_bits_lies_on_white(kind, bands, channels):
    alpha = np.where(RAMP < 32, 65535, 0)
    values = np.dstack([RAMP * 1000] * bands + [alpha])
    page, facts = read(png(values, kind), channels)
    shown = np.where(RAMP < 32, np.rint(RAMP * (1000 * 255 / 65535)), 255)
    assert np.array_equal(page, np.stack([shown] * channels))
    assert facts.used == (0, 31_000)  # what is not to be seen does not count
    assert read_header(png(values, kind), "x").grey is (kind == 4)


@pytest.mark.parametrize(
    ("data", "shown", "used"),
    [
        (tiff((RAMP * 1000).astype("<u2"), 0), 255 - np.rint(RAMP * (1000 * 255 / 65535)), (65535 - 63_000, 65535)),
        (tiff(RAMP.astype("<u1") * 4, 0), 255 - RAMP * 4, (3, 255)),
        (tiff((RAMP - 32).astype("<i1"), 1, 2), np.rint(RAMP + 96), (-32, 31)),
        (tiff(RAMP.astype("<u4") * 2**26), np.rint(RAMP * (2**26 * 255 / (2**32 - 1))), (0, 63 * 2**26)),
    ],
)
def test_numbers_mean_what_the_file_says(data, shown, used):
    page, facts = read(data, 1)
    assert np.array_equal(page[0], shown)
    assert facts.used == used


def test_0_as_white_is_refused_where_nothing_says_what_is_black():
    with pytest.raises(BadImageError, match="x calls 0 white"):
        read(tiff((RAMP / 64).astype("<f4"), 0, 3), 1)


def test_a_photograph_with_a_second_picture_in_it_is_read_as_one():
    kept = io.BytesIO()
    Image.fromarray(RAMP.astype(np.uint8)).save(kept, "MPO", save_all=True, append_images=[Image.new("L", (8, 8))])
    page, facts = read(kept.getvalue(), 1)
    assert np.abs(page[0].astype(int) - RAMP).max() < 6
    assert facts.animations == 1
