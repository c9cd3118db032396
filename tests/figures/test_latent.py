import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb, to_rgba
from skimage.color import deltaE_ciede2000, rgb2lab

from diabolo.errors import DiaboloError
from diabolo.figures import latent_scatter
from diabolo.figures.colours import PALETTE
from diabolo.figures.style import MAX_CLASSES, class_style


def clouds(classes, each=50):
    rng = np.random.default_rng(0)
    middles = 10 * rng.normal(size=(classes, 2))
    labels = np.repeat(np.arange(classes), each)
    return middles[labels] + rng.normal(size=(len(labels), 2)), labels


def entries(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def points(figure):
    """The drawn points by colour: what the page really shows of each class."""
    found = {}
    for artist in figure.axes[0].collections:
        assert isinstance(artist, PathCollection)
        found.setdefault(tuple(artist.get_facecolor()[0][:3]), []).append(np.asarray(artist.get_offsets()))
    return {colour: np.concatenate(parts) for colour, parts in found.items()}


@pytest.mark.parametrize("classes", [1, 2, 10, 40, MAX_CLASSES])
def test_the_legend_has_one_entry_per_class_outside_the_axes(classes, sound, pixels_of):
    codes, labels = clouds(classes)
    figure = latent_scatter(codes, labels, title="A title")
    assert entries(figure) == [str(k) for k in range(classes)]
    pixels_of(figure)
    assert figure.legends[0].get_window_extent().x0 >= figure.axes[0].get_window_extent().x1
    looks = {(h.get_color(), h.get_marker()) for h in figure.legends[0].legend_handles}
    assert len(looks) == classes
    sound(figure)


@pytest.mark.parametrize("count", [7, 1000])
def test_every_point_is_drawn_once_in_the_colour_of_its_class(count):
    rng = np.random.default_rng(1)
    codes, labels = rng.normal(size=(count, 2)), rng.integers(0, 3, count)
    shown = points(latent_scatter(codes, labels))
    assert len(shown) == 3
    for k in range(3):
        mine = shown[to_rgba(class_style(k).colour)[:3]]
        np.testing.assert_allclose(np.sort(mine, axis=0), np.sort(codes[labels == k], axis=0))


def test_names_come_from_the_labels_not_from_their_rank():
    codes, labels = clouds(3)
    assert entries(latent_scatter(codes, labels * 2, ["a", "b", "c", "d", "e"])) == ["a", "c", "e"]
    assert entries(latent_scatter(codes, labels + 10, {10: "x", 11: "y", 12: "z"})) == ["x", "y", "z"]
    assert entries(latent_scatter(codes, np.array(["cat", "dog", "eel"])[labels])) == ["cat", "dog", "eel"]
    assert entries(latent_scatter(codes, labels, ["same", "same", "other"])) == ["same", "same (1)", "other"]


def test_odd_and_long_names_are_shown_as_they_are(sound):
    codes, labels = clouds(4)
    names = ["_hidden", "$5 to $10", "a class with a name so long that it does not fit, 1", "x" * 500]
    figure = latent_scatter(codes, labels, names, title="and a long title " * 8)
    assert entries(figure)[:2] == names[:2]
    assert entries(figure)[2].startswith("a class with")
    assert entries(figure)[2].endswith("fit, 1")
    sound(figure)


def test_one_unit_is_as_long_on_both_axes(pixels_of, sound):
    codes, labels = clouds(3)
    figure = latent_scatter(codes * [10, 1], labels, axis_names=("PC 1", "PC 2"))
    pixels_of(figure)
    axes = figure.axes[0]
    (x0, y0), (x1, y1) = axes.transData.transform([(0, 0), (1, 1)])
    assert x1 - x0 == pytest.approx(y1 - y0)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("PC 1", "PC 2")
    sound(figure)


def test_ten_thousand_points_are_small_translucent_and_rasterised(sound):
    codes, labels = clouds(10, 1500)
    figure = latent_scatter(codes, labels)
    for artist in figure.axes[0].collections:
        assert artist.get_rasterized()
        assert artist.get_alpha() < 0.7
        assert artist.get_sizes()[0] < 10
    sound(figure)


def test_no_class_lies_on_top_of_all_others(pixels_of):
    """Two classes at the same place: the page shows both, not only the one drawn last."""
    codes = np.random.default_rng(0).normal(size=(20_000, 2))
    pixels = pixels_of(latent_scatter(codes, np.arange(20_000) % 2)).astype(int)
    inner = pixels[300:500, 300:500].reshape(-1, 3)
    toward_blue, toward_amber = (inner[:, 2] > inner[:, 0]).mean(), (inner[:, 2] < inner[:, 0]).mean()
    assert 0.2 < toward_blue < 0.8
    assert 0.2 < toward_amber < 0.8


def test_without_labels_there_is_no_legend(sound):
    figure = latent_scatter(clouds(2)[0])
    assert not figure.legends
    assert len(points(figure)) == 1
    sound(figure)


@pytest.mark.parametrize("classes", [2, 10, 40])
def test_one_dimension_gives_a_histogram_per_class_that_counts_every_code(classes, sound):
    codes, labels = clouds(classes)
    figure = latent_scatter(codes[:, :1], labels)
    assert figure.axes[0].get_ylabel() == "codes per bin"
    assert len(entries(figure)) == classes
    outlines = [patch for patch in figure.axes[0].patches if not patch.get_fill()]
    assert len(outlines) == classes
    for outline in outlines:
        y = outline.get_xy()[:, 1]
        assert y[1:-1:2].sum() == 50
    sound(figure)


def test_flat_vectors_of_codes_and_single_ones_work(sound):
    sound(latent_scatter(np.linspace(0, 1, 9)))
    sound(latent_scatter([[0.5, 0.5]], [3]))
    sound(latent_scatter(np.zeros((5, 2)), [0, 0, 1, 1, 1]))
    sound(latent_scatter(np.zeros(5)))


def test_the_same_codes_give_the_same_picture(pixels_of):
    codes, labels = clouds(5)
    one, two = (pixels_of(latent_scatter(codes, labels)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_the_first_ten_classes_differ_in_colour_and_in_marker():
    looks = [class_style(k) for k in range(10)]
    assert len(set(PALETTE)) == 10
    assert len({look.colour for look in looks}) == len({look.marker for look in looks}) == 10


def test_the_ten_colours_differ_also_when_faded_to_the_colour_blind_and_in_grey():
    """In CIEDE2000, at 60 % on white, as small points are; red-green blindness as Machado et al. 2009 have it."""
    rgb = np.array([to_rgb(colour) for colour in PALETTE]) * 0.6 + 0.4
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    deutan = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    protan = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    a, b = np.triu_indices(10, 1)

    def least(matrix):
        seen = np.clip(linear @ np.array(matrix).T, 0, 1)
        lab = rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)[None])[0]
        return deltaE_ciede2000(lab[a], lab[b]).min(), np.abs(lab[a, 0] - lab[b, 0]).min()

    difference, lightness = least(np.eye(3))
    assert difference > 13
    assert lightness > 2.5
    assert least(deutan)[0] > 7
    assert least(protan)[0] > 7


def test_few_classes_are_named_where_they_lie(sound):
    codes, labels = clouds(4)
    figure = latent_scatter(codes, labels, ["zero", "one", "two", "three"])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["zero", "one", "two", "three"]
    middles = [np.median(codes[labels == k], axis=0) for k in range(4)]
    np.testing.assert_allclose([text.get_position() for text in axes.texts], middles, atol=0.5)
    sound(figure)


def test_names_of_classes_at_the_same_place_are_pushed_apart(sound):
    codes = np.random.default_rng(0).normal(size=(300, 2))
    sound(latent_scatter(codes, np.arange(300) % 10))


def test_many_classes_have_a_legend_alone():
    assert not latent_scatter(*clouds(13)).axes[0].texts
    assert not latent_scatter(*clouds(2), ["a", "a name that would cover the map"]).axes[0].texts


def test_bad_codes_and_labels_are_refused():
    codes, labels = clouds(2)
    with pytest.raises(DiaboloError, match=r"16 dimensions.*project"):
        latent_scatter(np.zeros((5, 16)))
    with pytest.raises(DiaboloError, match="shape"):
        latent_scatter(np.zeros((5, 2, 2)))
    with pytest.raises(DiaboloError, match="N > 0"):
        latent_scatter(np.zeros((0, 2)))
    with pytest.raises(DiaboloError, match="1 of 100 codes hold NaN"):
        latent_scatter(np.where(np.arange(200).reshape(100, 2) == 7, np.nan, codes))
    with pytest.raises(DiaboloError, match="100 in all"):
        latent_scatter(codes, labels[:-1])
    with pytest.raises(DiaboloError, match="none for the label 1"):
        latent_scatter(codes, labels, ["only one"])
    with pytest.raises(DiaboloError, match="200 different values"):
        latent_scatter(np.zeros((200, 2)), np.arange(200) / 7)
