import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import diabolo
from diabolo.data import Images, as_images
from diabolo.data.loading import load_whole
from diabolo.data.origin import reload
from diabolo.errors import DiaboloError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 3, 5, 7), dtype=np.uint8)


def test_images_pass_as_they_are():
    images = Images(PIXELS)
    assert as_images(images) is images
    with pytest.raises(DiaboloError, match="carry their own labels"):
        as_images(images, labels=[0] * 6)


def test_bytes_in_the_right_layout_are_not_copied():
    assert np.shares_memory(as_images(PIXELS).images, PIXELS)


@pytest.mark.parametrize("kind", [">f8", ">f4", ">i2", ">u2", ">i8", "longdouble"])
def test_numbers_of_types_that_torch_has_not_are_kept_in_one_that_it_has(kind, tmp_path):
    x = (np.random.default_rng(0).normal(0, 5, (30, 4)) * 100).astype(kind)
    np.save(tmp_path / "x.npy", x)
    wanted = np.dtype("f8") if kind == "longdouble" else np.dtype(kind).newbyteorder("=")
    for images in (as_images(x), load_whole(tmp_path / "x.npy")[0]):
        assert images.images.dtype == wanted
        assert np.array_equal(images.images, x)
    run = diabolo.fit("vae", x, latent_dim=2, epochs=1, out=None, quiet=True)
    assert np.isfinite(run.history[-1]["train"]["total"])
    with pytest.raises(DiaboloError, match=r"as_images\(\) converts"):
        Images(x)


@pytest.mark.parametrize("top", [200, 1])
def test_arrays_that_run_backwards_become_tensors(top):
    x = np.random.default_rng(0).random((10, 6)).astype(np.float32)[::-1, ::-1] * np.float32(top)
    x = x[::-1]
    for images in (as_images(x), Images(x)):
        assert images.tensor.tolist() == x.tolist()
    assert torch.from_numpy(as_images(x).images[2:5]).tolist() == x[2:5].tolist()


@pytest.mark.parametrize(
    "array",
    [PIXELS.transpose(0, 2, 3, 1), torch.from_numpy(PIXELS), PIXELS / 255, (PIXELS / 255).astype(np.float32),
     torch.from_numpy(PIXELS) / 255, (torch.from_numpy(PIXELS) / 255).requires_grad_()],
    ids=["NHWC", "tensor", "float64", "float32", "float tensor", "with gradient"],
)  # fmt: skip
def test_layouts_and_types_come_out_the_same(array):
    assert np.array_equal(as_images(array).images, PIXELS)


def test_grey_images_get_a_channel():
    assert as_images(PIXELS[:, 0]).shape == (1, 5, 7)
    assert as_images(PIXELS[:, :1].transpose(0, 2, 3, 1)).shape == (1, 5, 7)


def test_bool_becomes_black_and_white():
    assert as_images(PIXELS > 100).images.max() == 255
    assert as_images((PIXELS > 100)[:, 0, 0]).images.dtype == np.float32


def test_vectors_stay_float():
    x = np.random.default_rng(0).random((4, 9))
    assert np.array_equal(as_images(x).images, x.astype(np.float32))
    assert np.allclose(as_images(np.arange(250, 256, dtype=np.uint8)[None]).images, np.arange(250, 256) / 255)


def test_bfloat16_tensors_are_taken():
    x = torch.tensor([[0.0, 0.5, 1.0]], dtype=torch.bfloat16)
    assert as_images(x).images.tolist() == [[0.0, 0.5, 1.0]]


@given(hnp.arrays(np.float64, (2, 1, 4, 4), elements=st.floats(0, 1)))
def test_floats_are_not_rounded_to_bytes_unless_they_are_steps_of_them(x):
    x[0, 0, 0, 0] = 0.3  # 76.5 steps of 8 bits
    images = as_images(x)
    assert images.images is x
    assert images.black_and_white == (0, 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_floats_that_are_steps_of_8_bits_become_bytes(dtype):
    x = np.arange(256).reshape(4, 1, 8, 8)
    assert np.array_equal(as_images((x / 255).astype(dtype)).images, x)
    assert as_images((x / 255).astype(dtype)).images.dtype == np.uint8


@pytest.mark.parametrize(
    "numbers",
    [[0.0, 200.0], [-1.0, 1.0], [-3.0, 700.0], [0, 1 << 20], [-5, 200], [0.0, 16.0], [0.0, 1.02], [0.0, 3000.0]],
)
def test_other_numbers_keep_their_type_and_units(numbers, caplog):
    x = np.array([[numbers], [numbers]])
    images = as_images(x)
    assert images.images.dtype == x.dtype
    assert np.array_equal(images.images, x[:, None])
    assert images.black_and_white is None
    assert f"black and white, say so by --range {numbers[0]:.10g} {numbers[1]:.10g}" in caplog.text
    table = as_images(x[:, 0])
    assert np.array_equal(table.images, x[:, 0])
    assert table.images.dtype == x.dtype


@pytest.mark.parametrize(
    ("axes", "shape", "wanted"),
    [
        ("NCL", (5, 2, 9), (2, 9)), ("NLC", (5, 9, 2), (2, 9)), ("NL", (5, 9), (1, 9)), ("nf", (5, 9), (9,)),
        ("NHWC", (5, 6, 7, 4), (4, 6, 7)), ("CNHW", (4, 5, 6, 7), (4, 6, 7)), ("NHW", (9, 8, 3), (1, 8, 3)),
        ("NDHW", (5, 4, 6, 7), (1, 4, 6, 7)), ("NCDHW", (5, 2, 4, 6, 7), (2, 4, 6, 7)),
    ],
)  # fmt: skip
def test_axes_can_be_said(axes, shape, wanted, tmp_path):
    x = np.random.default_rng(0).normal(size=shape)
    images = as_images(x, axes=axes)
    assert images.shape == wanted
    place = {letter: i % shape[k] for i, (k, letter) in enumerate(enumerate(axes.upper()))}
    inner = [place[letter] for letter in "CFLDHW" if letter in place]
    assert images.images[(place["N"], *([0] * (len(wanted) - len(inner))), *inner)] == x[tuple(place.values())]
    np.save(tmp_path / "x.npy", x)
    train, test = diabolo.data.load(tmp_path / "x.npy", axes=axes)
    assert train.shape == test.shape == wanted
    assert reload(train.origin).fingerprint == train.fingerprint


@pytest.mark.parametrize("axes", ["", "NX", "HW", "NCH", "NCF", "NN", "NHWD1", 5, "NHWC"])
def test_axes_that_are_none_are_refused(axes):
    with pytest.raises(DiaboloError, match="axes"):
        as_images(np.zeros((3, 4, 5)), axes=axes)


def test_float_conversion_goes_in_pieces(monkeypatch):
    monkeypatch.setattr("diabolo.data.images.CHUNK_BYTES", 100)
    assert np.array_equal(as_images(PIXELS / 255).images, PIXELS)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3, 4, 5], np.arange(6, dtype=np.uint8), torch.arange(6)])
def test_labels_of_any_integer_kind(labels):
    assert as_images(PIXELS, labels).labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert as_images(PIXELS, labels).labels.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "says"),
    [([0, 1], "6 images but 2 labels"), ([0.5] * 6, "whole numbers"), (np.eye(6), r"labels\.argmax\(1\)"),
     ([float("nan")] * 6, "put -1 where a label is not known"), ([None, 1, 2, 3, 4, 5], "put -1 where"),
     (np.ma.masked_equal([0, 1, 0, 1, 0, 1], 0), r"labels\.filled\(-1\)"),
     (["cat"] * 6, "whole numbers"), ([[0], [0, 1]], "cannot become one array")],
)  # fmt: skip
def test_labels_that_do_not_fit_are_refused(labels, says):
    with pytest.raises(DiaboloError, match=says):
        as_images(PIXELS, labels)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((0, 28, 28), np.uint8), "empty"),
        (np.full((2, 4, 4), np.nan), "NaN or infinity in 32 of 32 places"),
        (np.full((2, 4, 4), np.inf), "NaN or infinity in 32 of 32 places"),
        (np.zeros((2, 4, 4), complex), "holds complex128"),
        (np.array([["a"]]), "holds text, not numbers"),
        (["a.png", "b.png"], r"read_images\(paths\)"),
        (b"folder", "give one path as a str"),
        (np.zeros((2, 3, 5, 3), np.uint8), r"may mean \(N, C, H, W\) or \(N, H, W, C\)"),
        (np.zeros((2, 5, 5, 6), np.uint8), "neither axis 1 nor axis 3"),
        (np.zeros((2, 4, 5, 6), np.uint8), r"may be alpha; give x\[:, :3\]"),
        (np.zeros((2, 5, 6, 4), np.uint8), r"may be alpha; give x\[\.\.\., :3\]"),
        (np.zeros((9, 8, 3), np.uint8), r"or grey images .* x\[None\] for the one, .*\(--image-channels 1\)"),
        (torch.zeros(2, 4, 4, device="meta"), "cannot become an array"),
        (Image.new("L", (4, 4)), "is one picture; give a list of pictures"),
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((1, 1, 1, 1, 1)), "shape"),
        (np.array([{}, None]), "Python objects"),
        ([[1.0], [1.0, 2.0]], "cannot become one array"),
        ("text", "holds text"),
        (torch.zeros(3, 4).to_sparse(), "cannot become an array"),
        (np.ma.masked_equal(np.zeros((2, 4, 4)), 0), "masked pixels have no value"),
        (np.zeros((2, 4, 4), "M8[s]"), "holds datetime64"),
    ],
)
def test_what_is_no_image_is_refused(array, says):
    with pytest.raises(DiaboloError, match=says):
        as_images(array)


@pytest.mark.parametrize(
    ("shape", "channels", "wanted"),
    [
        ((9, 8, 3), 1, (1, 8, 3)),
        ((9, 1, 8, 3), 1, (1, 8, 3)),
        ((9, 1, 8, 3), 3, (3, 1, 8)),
        ((9, 8, 8, 3), 3, (3, 8, 8)),
    ],
)
def test_which_axis_the_channels_are_on_can_be_said(tmp_path, shape, channels, wanted):
    x = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    if shape != (9, 8, 8, 3):
        with pytest.raises(DiaboloError, match="may mean"):
            as_images(x)
    found = as_images(x, image_channels=channels)
    assert found.shape == wanted
    assert found.images[1].ravel()[1] == x[1].ravel()[1 if channels == 1 else 3]
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x_train=x, x_test=x[:2])
    for file in ("x.npy", "x.npz"):
        train, test = diabolo.data.load(tmp_path / file, image_channels=channels)
        assert train.shape == test.shape == wanted
    assert reload(train.origin).fingerprint == found.fingerprint


@pytest.mark.parametrize(
    ("shape", "channels", "says"),
    [
        ((9, 8, 3), 3, r"that of grey images \(N, H, W\), and image_channels is 3: leave it out"),
        ((9, 8, 8, 3), 1, "neither axis 1 nor axis 3 is 1 channels"),
        ((9, 8, 8), 2, "image_channels must be"),
    ],
)
def test_channels_that_an_array_has_not_are_refused(shape, channels, says):
    with pytest.raises(DiaboloError, match=says):
        as_images(np.zeros(shape, np.uint8), image_channels=channels)
