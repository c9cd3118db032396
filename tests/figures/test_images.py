import numpy as np
import pytest

from diabolo.errors import DiaboloError
from diabolo.figures import reconstructions, sample_grid


def colour(count, size=64):
    return np.random.default_rng(0).integers(0, 256, (count, 3, size, size), dtype=np.uint8)


def drawn(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


@pytest.mark.parametrize("count", [1, 3, 7, 64, 100])
def test_every_sample_is_drawn_once_in_reading_order(count, digits, sound):
    images = digits[0][:count]
    figure = sample_grid(images, title="Samples")
    (page,) = drawn(figure)
    columns = (page.shape[1] + 1) // 9
    for i in range(count):
        y, x = 9 * (i // columns), 9 * (i % columns)
        np.testing.assert_array_equal(page[y : y + 8, x : x + 8], images[i, 0])
    assert page.shape == (9 * -(-count // columns) - 1, 9 * columns - 1)
    sound(figure)


def test_places_without_an_image_stay_white(digits):
    (page,) = drawn(sample_grid(digits[0][:5], columns=3))
    assert (page[9:, 18:] == 1).all()
    assert (page[8] == 1).all()


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (3, 3), (8, 4), (64, 8), (10, 5)])
def test_the_grid_is_about_square_and_full(count, columns, digits):
    assert drawn(sample_grid(digits[0][:count]))[0].shape[1] == 9 * columns - 1


def test_a_page_of_colour_keeps_its_colours(pixels_of, sound):
    images = np.zeros((1, 3, 8, 8), np.uint8)
    images[:, 0], images[:, 2] = 200, 30
    figure = sample_grid(images)
    middle = pixels_of(figure)
    middle = middle[middle.shape[0] // 2 + 20, middle.shape[1] // 2]
    np.testing.assert_array_equal(middle, [200, 0, 30])
    sound(figure)


def test_grey_stays_grey_and_is_not_stretched(pixels_of):
    figure = sample_grid(np.full((1, 1, 8, 8), 0.25, np.float32))
    pixels = pixels_of(figure)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()
    middle = pixels[pixels.shape[0] // 2 + 20, pixels.shape[1] // 2, 0]
    assert abs(int(middle) - 64) <= 1  # a quarter, not the black or white of a stretched scale


def test_enlarged_pixels_are_equal_squares(pixels_of):
    """A chequerboard keeps runs of one length: no image pixel is drawn wider than its neighbour."""
    board = (np.indices((8, 8)).sum(0) % 2).astype(np.float32)[None, None]
    pixels = pixels_of(sample_grid(np.repeat(board, 9, 0)))[..., 0]
    rows = [row for row in pixels if (row == 0).sum() > 0 and set(np.unique(row)) == {0, 255}]
    lengths = {len(run) for run in "".join("x" if v == 0 else " " for v in rows[len(rows) // 2]).split()}
    assert len(lengths) == 1


def test_uint8_and_float_draw_the_same():
    images = colour(4, 8)
    np.testing.assert_allclose(drawn(sample_grid(images))[0], drawn(sample_grid(images / 255.0))[0], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (3, 3, 64, 64), (64, 3, 64, 64), (4, 3, 200, 300), (2, 1, 1, 1)])
def test_pages_of_other_sizes_are_sound(shape, sound):
    sound(sample_grid(np.full(shape, 0.5, np.float32), title="A title that is much longer than one image is wide"))


@pytest.mark.parametrize("count", [1, 3, 10, 64, 65])
def test_reconstructions_stand_below_their_originals(count, digits, sound):
    x = digits[0][:count]
    figure = reconstructions(x, {"a second row": x * 0.5, "a third row": x * 0.25})
    i = 0
    for page in drawn(figure):
        for column in range((page.shape[1] + 1) // 9):
            for row, factor in enumerate([1, 0.5, 0.25]):
                tile = page[9 * row : 9 * row + 8, 9 * column : 9 * column + 8]
                expected = x[i, 0] * factor if i < count else 1
                np.testing.assert_allclose(tile, np.broadcast_to(expected, (8, 8)), atol=1e-6)
            i += 1
    assert i >= count
    sound(figure)


def test_row_labels_stand_beside_their_rows(digits, pixels_of, sound):
    x = digits[0][:12]
    figure = reconstructions(x, {"pca": x, "with a label so long that it has to be broken": x}, "Two models")
    pixels_of(figure)
    box = figure.axes[0].get_window_extent()
    labels = [text for text in figure.texts if text.get_ha() == "right"]
    assert [text.get_text().replace("\n", " ") for text in labels] == [
        "original",
        "pca",
        "with a label so long that it has to be broken",
    ]
    for row, label in enumerate(labels):
        extent = label.get_window_extent()
        assert extent.x1 < box.x0
        height = (box.y1 - (extent.y0 + extent.y1) / 2) / box.height
        assert height == pytest.approx((9 * row + 4) / 26, abs=0.02)
    sound(figure)


def test_overshoot_of_a_reconstruction_is_clipped(digits):
    (page,) = drawn(reconstructions(digits[0][:2], digits[0][:2] * 1.4 - 0.2))
    assert page.min() == 0
    assert page.max() == 1


def test_what_is_no_image_is_refused(digits):
    x = digits[0][:4]
    with pytest.raises(DiaboloError, match="vectors"):
        sample_grid(x.reshape(4, -1))
    with pytest.raises(DiaboloError, match=r"\(N, C, H, W\)"):
        sample_grid(x[:, 0])
    with pytest.raises(DiaboloError, match="1 or 3 channels"):
        sample_grid(np.repeat(x, 2, 1))
    with pytest.raises(DiaboloError, match="nothing to draw"):
        sample_grid(x[:0])
    with pytest.raises(DiaboloError, match="NaN"):
        sample_grid(np.where(x == 0, np.nan, x))
    with pytest.raises(DiaboloError, match="0 to 255"):
        sample_grid(x / x.max() * 255)
    with pytest.raises(DiaboloError, match="int64"):
        sample_grid((x * 255).astype(np.int64))
    with pytest.raises(DiaboloError, match="columns"):
        sample_grid(x, columns=0)
    with pytest.raises(DiaboloError, match="at most 2,500"):
        sample_grid(np.zeros((2501, 1, 2, 2), np.uint8))
    with pytest.raises(DiaboloError, match="at most 256"):
        reconstructions(np.zeros((257, 1, 2, 2)), np.zeros((257, 1, 2, 2)))


def test_rows_of_unequal_shape_are_refused_by_name(digits):
    x = digits[0]
    with pytest.raises(DiaboloError, match=r"'reconstruction' has the shape \(3, 1, 8, 8\).*\(4, 1, 8, 8\)"):
        reconstructions(x[:4], x[:3])
    with pytest.raises(DiaboloError, match="'other'"):
        reconstructions(x[:4], {"one": x[:4], "other": x[:4, :, :4]})


def test_a_single_row_is_called_reconstruction(digits, pixels_of, sound):
    x = digits[0][:3]
    figure = reconstructions(x, x * 0.5, "A title")
    pixels_of(figure)
    assert {"original", "reconstruction", "A title"} == {text.get_text() for text in figure.texts}
    np.testing.assert_array_equal(drawn(figure)[0], drawn(reconstructions(x, {"other": x * 0.5}))[0])
    sound(figure)


def test_no_row_can_take_the_place_of_the_originals(digits):
    with pytest.raises(DiaboloError, match="'original'"):
        reconstructions(digits[0][:4], {"original": digits[0][4:8]})
