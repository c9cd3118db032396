import numpy as np
import pytest

from diabolo.errors import DiaboloError
from diabolo.figures import decoded_grid, decoded_grids, latent_grid

EXTENT = (-3.0, 3.0, -1.0, 2.0)


def test_codes_are_the_middles_of_tiles_lowest_row_first():
    np.testing.assert_allclose(latent_grid((0, 2, 10, 14), 2), [[0.5, 11], [1.5, 11], [0.5, 13], [1.5, 13]])
    np.testing.assert_allclose(latent_grid((-1, 1, -1, 1), 1), [[0, 0]])
    assert latent_grid(EXTENT, 5).dtype == np.float32


@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_each_code_is_drawn_where_the_axes_say_it_is(n, pixels_of, sound):
    """A "decoder" that paints its own code: read the canvas at each code's place and find that code again."""
    codes = latent_grid(EXTENT, n)
    x0, x1, y0, y1 = EXTENT
    shade = (codes - [x0, y0]) / [x1 - x0, y1 - y0]
    images = np.zeros((n * n, 3, 6, 6), np.float32)
    images[:, :2] = shade[:, :, None, None]
    figure = decoded_grid(images, EXTENT, title="Latent square")
    pixels = pixels_of(figure)
    places = figure.axes[0].transData.transform(codes)
    for (x, y), expected in zip(places, shade, strict=True):
        found = pixels[pixels.shape[0] - 1 - int(y), int(x), :2] / 255
        np.testing.assert_allclose(found, expected, atol=0.005)
    sound(figure)


def test_the_first_image_is_at_the_lower_left_and_upright():
    images = np.zeros((4, 1, 5, 5), np.float32)
    images[0, 0, 0] = 1  # a white bar along the upper edge of the first image
    page = np.asarray(decoded_grid(images, EXTENT).axes[0].images[0].get_array())
    expected = np.zeros((10, 10))
    expected[5, :5] = 1
    np.testing.assert_array_equal(page, expected)


def test_axes_are_in_latent_units_and_image_pixels_square(pixels_of, sound):
    figure = decoded_grid(np.zeros((9, 1, 4, 8)), EXTENT, axis_names=("PC 1", "PC 2"))
    pixels_of(figure)
    axes = figure.axes[0]
    assert axes.get_xlim() == (-3, 3)
    assert axes.get_ylim() == (-1, 2)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("PC 1 →", "PC 2 →")
    box = axes.get_window_extent()
    assert box.width / box.height == pytest.approx(2, rel=0.01)
    sound(figure)


@pytest.mark.parametrize("shape", [(400, 1, 28, 28), (100, 3, 64, 64), (400, 3, 64, 64), (1, 1, 8, 8)])
def test_pages_of_all_sizes_are_sound(shape, sound):
    sound(decoded_grid(np.full(shape, 0.5, np.float32), (-4, 4, -4, 4), title="A rather long title " * 5))


def test_names_stand_at_their_tiles():
    figure = decoded_grids({"a": (np.zeros((9, 1, 8, 8)), (-0.5, 2.5, -0.5, 2.5))}, names=["1", "3", "7"])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "3", "7"]
    np.testing.assert_allclose(axes.get_xticks(), [0, 1, 2])
    np.testing.assert_allclose(axes.get_yticks(), [0, 1, 2])


def test_bad_grids_are_refused():
    with pytest.raises(DiaboloError, match="12 is not a square"):
        decoded_grid(np.zeros((12, 1, 4, 4)), EXTENT)
    with pytest.raises(DiaboloError, match="vectors"):
        decoded_grid(np.zeros((9, 16)), EXTENT)
    with pytest.raises(DiaboloError, match="at least 1"):
        latent_grid(EXTENT, 0)
    for extent in [(1, -1, 0, 1), (0, 1, 2, 2), (0, 1, 0, np.nan), (0, 1, 2)]:
        with pytest.raises(DiaboloError, match="x0 < x1"):
            latent_grid(extent, 3)


def test_a_line_goes_around_most_of_the_codes():
    codes = np.random.default_rng(0).normal(size=(4000, 2)) * [0.5, 1] + [1, -1]
    codes[:40] = [5, 5]  # far out, and too few to count
    figure = decoded_grid(np.zeros((400, 1, 8, 8)), (-6, 6, -6, 6), codes=codes)
    (axes,) = figure.axes
    dark, light = axes.collections
    (line,) = light.get_paths()
    inside = line.contains_points(codes).mean()
    assert 0.9 < inside < 0.99
    assert not line.contains_point((5, 5))
    assert (axes.get_xlim(), axes.get_ylim()) == ((-6, 6), (-6, 6))
    assert dark.get_linewidths()[0] > light.get_linewidths()[0]


def test_codes_beyond_the_picture_or_of_another_shape():
    images = np.zeros((9, 1, 8, 8))
    assert not decoded_grid(images, (0, 3, 0, 3)).axes[0].collections
    assert not decoded_grid(images, (0, 3, 0, 3), codes=[[99.0, 99.0]]).axes[0].collections
    with pytest.raises(DiaboloError, match=r"\(N, 2\)"):
        decoded_grid(images, (0, 3, 0, 3), codes=np.zeros((5, 3)))
