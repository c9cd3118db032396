"""What the study `generative` says of Deliverable 1, in each outcome; and what it reads off a decoded grid."""

import numpy as np
import pytest

from diabolo.latents import over_range
from diabolo.studies.engine.findings import Measured
from diabolo.studies.generative import plane


def found(**numbers):
    return {name.replace("_", " "): Measured(value, 0.001) for name, value in numbers.items()}


@pytest.fixture
def tiles() -> plane.Tiles:
    """Four tiles: two codes of 3 and one of 1, one of 0, none, one of 2; read as 3, 1, 0 and 2, the last without confidence."""
    grid = over_range([[0, 0], [2, 2]], 2, 1)
    codes = np.array([[0, 0], [0, 0], [0, 0], [2, 0], [2, 2]], np.float32)
    read, sure = np.array([3, 1, 0, 2]), np.array([0.99, 0.95, 0.9, 0.5])
    return plane.Tiles(grid, codes, np.array([3, 3, 1, 0, 2]), read, sure)


def test_what_is_read_off_a_grid(tiles):
    assert tiles.most.tolist() == [3, 0, -1, 2]
    assert tiles.own.tolist() == [True, True, False, True, True]
    assert tiles.shown == {3: 1, 1: 1, 0: 1}
    assert tiles.agree == (2, 3)
    assert tiles.confused == {(0, 1): 1}
    assert tiles.place(3) == (0, 0)


@pytest.mark.parametrize(
    ("place", "says"),
    [((0.1, 0.9), "upper left"), ((0.5, 0.5), "centre"), ((1.0, 0.0), "lower right"), ((0.4, 0.7), "top")],
)
def test_places_in_words(place, says):
    assert plane.sector(*place) == says


def test_where_the_classes_lie():
    sentence = plane.where({"1": (0.1, 0.9), "7": (0.2, 0.8), "4": (0.5, 0.5), "0": (0.9, 0.1)})
    assert sentence.endswith("the grid: upper left: 1 and 7; centre: 4; lower right: 0.")


@pytest.mark.parametrize(
    ("areas", "errors", "says"),
    [
        (
            [50.0, 100.0],
            [0.034, 0.0343],
            "the largest map is 100 % larger than the smallest, and the largest test error 0.9 % higher than the smallest.",
        ),
        ([50.0, 51.0], [0.034, 0.035], "and no more than the errors do; none is expected. Nothing in the loss"),
    ],
)
def test_the_size_of_the_map(areas, errors, says):
    assert says in plane.size_of_map(areas, errors)
    assert plane.size_of_map(areas[:1], errors[:1]).startswith("The size of the map alone says nothing")


@pytest.mark.parametrize(
    ("steps", "quantiles", "says"),
    [
        (8, 10, "shows 8 of the 10 classes, the grid by quantiles 10 of the 10"),
        (10, 10, "Both the grid by quantiles and a grid of equal steps show 10"),
        (10, 9, "The grid by quantiles shows 9 of the 10 classes, a grid of equal steps 10"),
    ],
)
def test_two_grids(steps, quantiles, says):
    assert says in plane.two_grids(steps, quantiles, 10)


def test_the_classes_that_a_grid_misses_are_named():
    assert "; the first misses 1 and 6. Some classes" in plane.two_grids(8, 10, 10, ["1", "6"])


@pytest.mark.parametrize(
    ("agree", "worst", "says"),
    [
        (
            0.9,
            [("4 and 9", 12)],
            "the grid agrees with the scatter. The classes 4 and 9 are confused most often (in 12 of",
        ),
        (0.6, [("4 and 9", 12)], "so the grid is only a rough picture of the scatter"),
        (1.0, [], "grid and scatter agree in every tile"),
    ],
)
def test_grid_and_scatter(agree, worst, says):
    f = found(tiles_read_as_their_most_frequent_class=agree, tiles_that_hold_a_training_code=0.8)
    f |= {"tiles that hold 95 % of the codes": Measured(256), "tiles with few codes": Measured(58)}
    f |= {"tiles that show no class": Measured(73)}
    sentence = plane.corresponds(f, worst, 30, " (medians at here and there)")
    assert sentence.startswith(
        "80 % of the tiles hold the code of a training image, but the codes are unevenly spread: 256"
    )
    assert "and 58 hold fewer than a tenth of the average. 73 tiles show no class" in sentence
    assert f"In {100 * agree:.0f} % of the tiles with a code" in sentence
    assert ("(medians at here and there)" in sentence) == (agree == 0.9)
    assert says in sentence


@pytest.mark.parametrize(
    ("full", "empty", "says"),
    [
        (0.9, 0.6, "is more confident"),
        (0.6, 0.9, "is less confident"),
        (0.6, 0.6005, "differs by less than 0.006, too little to matter,"),
        (0.9, 0.0, "No tile is empty"),
    ],
)
def test_what_is_decoded_where_no_image_lies(full, empty, says):
    assert says in plane.filled(found(confidence_in_filled_tiles=full, confidence_in_empty_tiles=empty))


@pytest.mark.parametrize(
    ("errors", "fits", "says"),
    [
        (
            [0.034, 0.012, 0.01],
            [3, 2, 1],
            "PCA with as many numbers has a larger error at every length (1.6 times as large at",
        ),
        (
            [0.034, 0.03, 0.029],
            [3, 2, 1],
            "PCA with as many numbers has a larger error at 2 numbers, but not at the others",
        ),
        ([0.06, 0.04, 0.03], [3, 2, 1], "PCA with as many numbers has a lower error at every length"),
        ([0.034, 0.034, 0.035], [3, 3, 3], "A longer code is no better here"),
        (
            [0.034, 0.013, 0.0135],
            [3, 1, 2],
            "falls up to 16 numbers and rises after that. The training loss rises too (from 1",
        ),
        (
            [0.034, 0.013, 0.0135],
            [3, 2, 1],
            "The training loss still falls (from 2 to 1), so the longest code overfits",
        ),
    ],
)
def test_longer_codes(errors, fits, says):
    lengths = (2, 16, 32)
    by_length, losses = (dict(zip(lengths, values, strict=True)) for values in (errors, fits))
    sentence = plane.longer(by_length, losses, {2: 0.056, 16: 0.027, 32: 0.017}, {2: 0.8, 16: 0.97, 32: 0.96})
    assert says in sentence
    assert "in 80.0 % of the reconstructions from 2 and 96.0 % of those from 32" in sentence
