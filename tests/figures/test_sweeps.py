"""The trials of a sweep as they are drawn: heights, marks and the front are read back from the page."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from diabolo import figures
from diabolo.errors import DiaboloError
from diabolo.figures.colours import BLUE, VERMILLION

OPTIONS = {"lr": [1e-4, 1e-3, 1e-2], "latent_dim": [8, 16, 32], "net": ["mlp", "conv", "mlp"]}
LOSS = [3.0, 1.0, 2.0]


def drawn(axes):
    """The lines of trials: those that cross all axes."""
    return [line for line in axes.lines if len(line.get_xdata()) == 4]


def test_a_line_for_each_trial_at_the_heights_of_its_options():
    (axes,) = figures.parallel_coordinates(OPTIONS, LOSS, "loss", log=["lr"]).axes
    lines = drawn(axes)
    heights = {round(float(line.get_ydata()[-1]), 3): list(line.get_ydata()) for line in lines}
    assert heights[1.0] == pytest.approx(
        [0.5, 1 / 3, 1.0, 1.0]
    )  # the best: lr in the middle of a log axis, 16 of 8 to 32
    assert heights[0.5] == pytest.approx([1.0, 1.0, 0.0, 0.5])
    assert heights[0.0] == pytest.approx([0.0, 0.0, 0.0, 0.0])
    assert lines[-1].get_color() == VERMILLION  # on top
    assert lines[-1].get_ydata()[-1] == 1.0
    assert [t.get_text() for t in axes.get_xticklabels()] == ["lr", "latent_dim", "net", "loss"]
    marks = {t.get_text() for t in axes.texts}
    assert {"0.0001", "0.001", "0.01", "8", "16", "32", "mlp", "conv", "1", "2", "3"} <= marks


def test_where_more_is_better_the_largest_stands_at_the_top():
    (axes,) = figures.parallel_coordinates(OPTIONS, LOSS, "accuracy", lower_is_better=False).axes
    best = drawn(axes)[-1]
    assert best.get_color() == VERMILLION
    assert list(best.get_ydata())[-1] == 1.0
    assert list(best.get_ydata())[1] == pytest.approx(0.0)  # the first trial, of 8 numbers


def test_the_best_tenth_is_blue():
    random = np.random.default_rng(0)
    values = random.random(30)
    (axes,) = figures.parallel_coordinates(
        {"a": random.random(30), "b": random.random(30), "c": random.random(30)}, values, "v"
    ).axes
    colours = [line.get_color() for line in drawn(axes)]
    assert colours[-3:] == [BLUE, BLUE, VERMILLION]
    assert set(colours[:-3]) == {"#999999"}


@pytest.mark.parametrize(
    ("options", "values", "log", "words"),
    [
        ({}, [1.0], (), "is empty"),
        ({"a": [1.0]}, [1.0, 2.0], (), "'a' has 1 values, and there are 2 trials"),
        ({"a": [0.0, 1.0]}, [1.0, 2.0], ("a",), "no place for 0"),
        ({"a": [1.0, 2.0]}, [1.0, np.nan], (), "NaN"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, values, log, words):
    with pytest.raises(DiaboloError, match=words):
        figures.parallel_coordinates(options, values, "v", log=log)


POINTS = {"0": (1.0, 5.0), "1": (2.0, 3.0), "2": (3.0, 4.0), "3": (4.0, 1.0)}


def faces(axes):
    return {tuple(dots.get_offsets()[0]): tuple(dots.get_facecolor()[0]) for dots in axes.collections}


def test_what_nothing_beats_is_filled_and_named():
    (axes,) = figures.trial_front(POINTS, "rate", "distortion").axes
    colours = faces(axes)
    assert [place for place, colour in colours.items() if colour == to_rgba(BLUE)] == [(1, 5), (2, 3), (4, 1)]
    assert colours[(3, 4)] == to_rgba("white")
    assert {t.get_text() for t in axes.texts} - {""} == {"0", "1", "3"}
    (line,) = [line for line in axes.lines if line.get_color() == VERMILLION]
    assert line.get_xydata().tolist() == [[1, 5], [2, 3], [4, 1]]
    assert "rate (lower is better)" in axes.get_xlabel()


def test_the_front_is_that_of_what_is_better():
    (axes,) = figures.trial_front(POINTS, "accuracy", "distortion", (False, True)).axes
    assert [place for place, colour in faces(axes).items() if colour == to_rgba(BLUE)] == [(4, 1)]
    assert "accuracy (higher is better)" in axes.get_xlabel()


def test_whiskers_are_the_intervals():
    (axes,) = figures.trial_front(
        POINTS, "a", "b", intervals={"1": ((1.5, 2.5), (2.0, 3.5)), "2": (None, (3.0, 5.0))}
    ).axes
    found = {tuple(map(tuple, line.get_xydata())) for line in axes.lines if line.get_color() != VERMILLION}
    assert {((1.5, 3), (2.5, 3)), ((2, 2), (2, 3.5)), ((3, 3), (3, 5))} <= found


def test_of_many_on_the_front_twelve_are_named():
    points = {str(i): (float(i), 100.0 - i) for i in range(40)}
    (axes,) = figures.trial_front(points, "a", "b").axes
    assert len([t for t in axes.texts if t.get_text()]) == 12
