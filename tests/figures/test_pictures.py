"""Pages of images with words: every image is where it belongs, above its own caption."""

import numpy as np
import pytest

from diabolo import figures
from diabolo.errors import DiaboloError
from diabolo.figures.thumbnails import _typical

X = np.random.default_rng(0).random((12, 1, 8, 8)).astype(np.float32)


def tiles(axes, count):
    page = np.asarray(axes.images[0].get_array())
    gap = (page.shape[1] - 8 * count) // max(1, count - 1)
    return np.stack([page[:, k * (8 + gap) : k * (8 + gap) + 8] for k in range(count)])


def captions(figure, axes, pixels_of):
    """The texts just below the axes, by place."""
    pixels_of(figure)
    box = axes.get_window_extent()
    below = [t for t in figure.texts if 0 <= box.y0 - t.get_window_extent().y1 < 20]
    return [t.get_text() for t in sorted(below, key=lambda t: t.get_window_extent().x0)]


def test_strips_have_a_caption_under_each_face(pixels_of):
    figure = figures.strips({"one": X[:3], "two": X[3:6]}, ["α = −2", "α = 0", "α = 4"])
    for row, axes in enumerate(figure.axes):
        np.testing.assert_array_equal(tiles(axes, 3), X[3 * row : 3 * row + 3, 0])
        assert captions(figure, axes, pixels_of) == ["α = −2", "α = 0", "α = 4"]


def test_a_caption_is_in_the_middle_of_its_image(pixels_of):
    figure = figures.strips({"one": X[:4]}, ["a", "b long caption", "c", "d"])
    pixels_of(figure)
    (axes,) = figure.axes
    page = np.asarray(axes.images[0].get_array())
    gap = (page.shape[1] - 32) // 3
    for k, name in enumerate(["a", "b long caption", "c", "d"]):
        box = next(t for t in figure.texts if t.get_text() == name).get_window_extent()
        middle = axes.get_window_extent().x0 + (k * (8 + gap) + 4) / page.shape[1] * axes.get_window_extent().width
        assert (box.x0 + box.x1) / 2 == pytest.approx(middle, abs=1.5)


def test_of_many_strips_the_last_alone_has_captions(pixels_of):
    figure = figures.strips({f"z{k}": X[:2] for k in range(6)}, ["−3", "3"])
    assert [len(captions(figure, axes, pixels_of)) for axes in figure.axes] == [0] * 5 + [2]


def test_the_worst_stand_above_their_reconstruction_and_error(pixels_of):
    figure = figures.worst(X[:3], 1 - X[:3], [0.3, 0.2, 0.1])
    original, rebuilt = figure.axes
    np.testing.assert_array_equal(tiles(original, 3), X[:3, 0])
    np.testing.assert_allclose(tiles(rebuilt, 3), 1 - X[:3, 0])
    assert captions(figure, rebuilt, pixels_of) == ["0.3000", "0.2000", "0.1000"]


def test_the_names_of_the_worst_stand_below_their_errors(pixels_of):
    named = figures.worst(X[:2], 1 - X[:2], [0.3, 0.2], names=["a/1.png", "a folder of a long name/sub/0002.png"])
    assert captions(named, named.axes[1], pixels_of) == ["0.3000\na/1.png", "0.2000\n…name/sub/0002.png"]
    with pytest.raises(DiaboloError, match="2 images, but 1 names"):
        figures.worst(X[:2], 1 - X[:2], [0.3, 0.2], names=["a/1.png"])
    hostile = figures.worst(X[:1], X[:1], [0.0], names=["$\\frac{1}{$\x1b[2J.png"])
    hostile.canvas.draw()


@pytest.mark.parametrize("flat", [True, False])
def test_samples_stand_above_their_neighbours(flat, pixels_of):
    nearest, far = X[2:6].reshape(2, 2, 1, 8, 8), np.array([[1.0, 2.0], [3.0, 4.0]])
    figure = figures.neighbours(X[:2], nearest[:, 0] if flat else nearest, far[:, 0] if flat else far)
    assert len(figure.axes) == (2 if flat else 3)
    np.testing.assert_array_equal(tiles(figure.axes[0], 2), X[:2, 0])
    np.testing.assert_array_equal(tiles(figure.axes[1], 2), X[[2, 4], 0])
    assert captions(figure, figure.axes[1], pixels_of) == ["1.000", "3.000"]


def test_each_density_has_its_grid_and_name():
    figure = figures.density_samples({"N(0, I)": X[:4], "mixture": X[4:8]})
    for k, axes in enumerate(figure.axes):
        page = np.asarray(axes.images[0].get_array())
        np.testing.assert_array_equal(page[:8, :8], X[4 * k, 0])
        np.testing.assert_array_equal(page[-8:, -8:], X[4 * k + 3, 0])
    assert [t.get_text() for t in figure.texts] == ["Samples", "N(0, I)", "mixture"]


def test_the_legend_of_a_map_shows_a_typical_image_of_each_class():
    codes = np.array([[0, 0], [0.1, 0], [9, 9], [5, 5], [5, 5.1], [-9, 5]])
    images = np.stack([np.full((1, 4, 4), k / 6, np.float32) for k in range(6)])
    figure = figures.thumbnail_scatter(codes, [3, 3, 3, -1, -1, -1], images, {3: "three"})
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["not known", "three"]
    shown = [np.asarray(a.get_array()).max() for a in legend.findobj(lambda a: type(a).__name__ == "BboxImage")]
    typical = [_typical(codes, np.arange(3, 6)), _typical(codes, np.arange(3))]
    np.testing.assert_allclose(shown, [k / 6 for k in typical])
    assert typical == [3, 1]


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: figures.strips({}), "nothing to draw"),
        (lambda: figures.strips({"a": X[:2], "b": X[:3]}), "'b' has the shape"),
        (lambda: figures.strips({"a": X[:2]}, ["one"]), "but 1 captions"),
        (lambda: figures.strips({"a": X[:2] * np.nan}), "NaN"),
        (lambda: figures.worst(X, X[:2], np.ones(12)), "the originals have"),
        (lambda: figures.worst(X, X, np.ones(3)), "errors"),
        (lambda: figures.worst(X, X, np.full(12, np.nan)), "NaN"),
        (lambda: figures.neighbours(X, X[:3], np.ones(12)), "with N = 12"),
        (lambda: figures.neighbours(X[:2], X[:2], np.ones(3)), "distances"),
        (lambda: figures.density_samples({"a": X, "b": X[:, :, :4]}), "those of the first"),
        (lambda: figures.density_samples({"a": np.zeros((401, 1, 2, 2))}), "at most 400"),
        (lambda: figures.thumbnail_scatter(np.zeros((3, 2)), None, X), "3 points, but 12 images"),
        (lambda: figures.thumbnail_scatter(np.zeros((12, 1)), None, X), r"\(N, 2\)"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(draw, said):
    with pytest.raises(DiaboloError, match=said) as error:
        draw()
    assert "\n" not in str(error.value)
