"""What is drawn is the data: heights, places and numbers are read back from the page."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from diabolo import figures
from diabolo.errors import DiaboloError
from diabolo.figures.colours import BLUE
from diabolo.figures.labels import spread
from diabolo.figures.points import front


def texts(axes):
    return [text.get_text() for text in axes.texts]


def ticks(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def test_kl_bars_are_sorted_and_named_by_their_unit():
    (axes,) = figures.kl_bars([0.001, 2.0, 0.5], [0, 1, 1]).axes
    assert [bar.get_height() for bar in axes.patches if bar.get_width() < 1 and bar.get_height() < 3][:3] == [
        2.0,
        0.5,
        0.001,
    ]
    assert ticks(axes.xaxis) == ["2", "3", "1"]
    assert axes.patches[0].get_facecolor() == to_rgba(BLUE)
    assert axes.patches[2].get_facecolor() == to_rgba("white")
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["2 active", "1 inactive"]
    assert "2.5 nats" in axes.get_title()


def test_which_units_are_active_can_be_said():
    (axes,) = figures.kl_bars([1.0, 2.0], active=[True, False]).axes
    assert ticks(axes.xaxis) == ["1", "2"]


def test_the_moments_of_the_posterior_are_drawn_by_their_deviation():
    above, below = figures.posterior_against_prior([0.5, -1, 0.1], [0.25, 2, 1]).axes
    assert list(above.lines[1].get_ydata()) == [2, 1, 0.25]
    assert list(below.lines[1].get_ydata()) == [-1, 0.1, 0.5]
    assert [axes.lines[0].get_ydata()[0] for axes in (above, below)] == [1, 0]  # the prior
    assert ticks(below.xaxis) == ["2", "3", "1"]


def test_the_dot_of_the_widest_unit_is_not_cut_off():
    """1.1 lies near the largest of 0.95 and 1.1, but the axis begins at 0: its margin is one of the whole axis."""
    above, _ = figures.posterior_against_prior([0.4, 0.0], [1.1, 0.95]).axes
    low, high = above.get_ylim()
    assert low == 0
    assert (high - 1.1) / (high - low) > 0.05


def test_bars_have_their_lengths_and_numbers_in_the_order_given():
    figure = figures.bars({"b": 0.5, "a": 0.25}, "share", title="Shares")
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.25]
    assert axes.get_xlim()[0] <= 0
    assert ticks(axes.yaxis) == ["b", "a"]
    assert texts(axes) == ["0.5000", "0.2500"]
    assert figure.get_suptitle() == "Shares"
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first is on top


def test_values_with_intervals_are_points_on_an_axis_that_shows_their_differences():
    (axes,) = figures.bars({"b": 0.95, "a": 0.92}, "share", {"a": (0.91, 0.94)}).axes
    assert not axes.patches
    assert list(axes.lines[0].get_xdata()) == [0.95, 0.92]
    np.testing.assert_allclose(axes.collections[0].get_segments()[0][:, 0], [0.91, 0.94])
    assert texts(axes) == ["0.9500", "0.9200  [0.9100, 0.9400]"]
    assert axes.get_xlim()[0] > 0.9


def test_an_interval_that_does_not_hold_its_value_is_drawn_as_it_is():
    (axes,) = figures.bars({"FID": 10}, "FID", {"FID": (11, 13)}).axes
    np.testing.assert_allclose(axes.collections[0].get_segments()[0][:, 0], [11, 13])


def test_few_label_curves_keep_their_shares_and_intervals():
    figure = figures.few_label_curve({"codes": {100: (0.8, 0.7, 0.85), 10: (0.4, 0.3, 0.5)}})
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.lines[2].get_xydata(), [[10, 0.4], [100, 0.8]])  # after the caps of the whiskers
    np.testing.assert_allclose([s[:, 1] for s in axes.collections[0].get_segments()], [[0.3, 0.5], [0.7, 0.85]])
    assert texts(axes) == ["codes"]
    assert axes.get_xscale() == "log"


def test_responses_are_drawn_in_the_order_of_alpha():
    (axes,) = figures.response([4, -2, 0], {"glasses": [1, 0, 0.5]}, "α", "share").axes
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[-2, 0], [0, 0.5], [4, 1]])


def test_the_spectrum_leaves_out_the_mean_and_zeros():
    (axes,) = figures.spectrum({"error": [9, 4, 0, 1]}).axes
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[1, 4], [3, 1]])
    assert axes.get_xscale() == axes.get_yscale() == "log"


@pytest.mark.parametrize(
    ("lower", "best"), [((True, True), "ab"), ((False, True), "b"), ((True, False), "ac"), ((False, False), "c")]
)
def test_the_front_joins_what_nothing_beats(lower, best):
    points = (
        {"a": (1, 3), "b": (2, 1), "c": (2, 5)} if lower == (True, True) else {"a": (1, 3), "b": (4, 1), "c": (4, 5)}
    )
    figure = figures.pareto(points, "x", "y", lower)
    line = next(line for line in figure.axes[0].lines if line.get_label() == "front")
    np.testing.assert_array_equal(line.get_xydata(), sorted(points[name] for name in best))
    assert {t for t in texts(figure.axes[0]) if t} == set("abc")


def test_points_that_are_the_same_do_not_beat_each_other():
    assert front(np.array([[1, 1], [1, 1], [1, 2]])).tolist() == [True, True, False]


def test_several_seeds_are_drawn_about_their_mean():
    (axes,) = figures.pareto({"a": [(0, 0), (2, 4)]}, "x", "y").axes
    clouds = [np.asarray(c.get_offsets()) for c in axes.collections]
    np.testing.assert_array_equal(clouds[0], [[0, 0], [2, 4]])
    np.testing.assert_array_equal(clouds[1], [[1, 2]])


def test_logarithmic_scales_write_their_marks_out_and_refuse_zero():
    (axes,) = figures.pareto({"a": (0.006, 90), "b": (0.07, 430)}, "x", "y", log=True).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    low, high = axes.get_xlim()
    shown = [axes.xaxis.get_major_formatter()(mark, 0) for mark in axes.get_xticks() if low <= mark <= high]
    assert shown == ["0.005", "0.01", "0.02", "0.05"]
    (axes,) = figures.response([1, 2], {"a": [0.1, 0.01]}, "x", "y", log=True).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    with pytest.raises(DiaboloError, match="no place for 0"):
        figures.response([1, 2], {"a": [0.1, 0.0]}, "x", "y", log=True)


def test_a_trade_off_goes_in_the_order_given():
    (axes,) = figures.trade_off({"β 1": (2, 1), "β 2": (1, 3), "β 3": (3, 2)}, "rate", "distortion").axes
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[2, 1], [1, 3], [3, 2]])


def test_histograms_are_shares_of_each_group_and_count_every_value():
    rng = np.random.default_rng(0)
    figure = figures.histogram(
        {"a": rng.normal(size=1000), "b": np.r_[rng.normal(size=10), 1e6]}, "error", {"limit": 0.5}
    )
    (axes,) = figure.axes
    outlines = [patch for patch in axes.patches if not patch.get_fill()]
    assert [p.get_xy()[1:-1:2, 1].sum() for p in outlines] == pytest.approx([1, 1])
    assert "6 beyond" in axes.get_xlabel()  # two in a thousand on either side, at most
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a (n = 1,000)", "b (n = 11)", "limit: 0.5000"]
    assert axes.lines[0].get_xdata()[0] == 0.5


def test_many_histograms_have_a_row_each():
    figure = figures.histogram({f"digit {k}": np.arange(9) + k for k in range(6)}, "error")
    assert [axes.get_ylabel() for axes in figure.axes] == [f"digit {k} (n = 9)" for k in range(6)]


def test_a_matrix_has_its_numbers_in_their_cells():
    (axes,) = figures.matrix([[1, 0.25], [0, -0.5], [0, 0]], "abc", "xy", "unit", "factor").axes
    assert texts(axes) == ["1.00", "0.25", "0.00", "−0.50", "0.00", "0.00"]
    np.testing.assert_array_equal(axes.images[0].get_array(), [[1, 0.25], [0, -0.5], [0, 0]])
    assert (ticks(axes.yaxis), ticks(axes.xaxis)) == (["a", "b", "c"], ["x", "y"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("unit", "factor")
    assert texts(figures.matrix([[1200, 3]], "a", "xy", "x", "y").axes[0]) == ["1,200", "3"]


def test_attributes_stand_in_their_row_and_what_is_above_all_others_is_bold():
    rows = {"Smiling": {"pixels": (0.9, 0.88, 0.92), "codes": (0.8, 0.78, 0.82)}, "Bald": {"codes": (0.97, 0.96, 0.98)}}
    dots, table = figures.attribute_table(rows, ["pixels", "codes"]).axes
    assert ticks(dots.yaxis) == ["Smiling", "Bald"]
    numbers = [(t.get_text(), t.get_fontweight(), t.get_position()) for t in table.texts if t.get_text()[0].isdigit()]
    assert numbers == [("90.0", "bold", (0, 0)), ("80.0", "normal", (1, 0)), ("97.0", "normal", (1, 1))]
    close = {"Smiling": {"pixels": (0.9, 0.88, 0.92), "codes": (0.89, 0.87, 0.91)}}
    _, table = figures.attribute_table(close, ["pixels", "codes"]).axes
    assert {t.get_fontweight() for t in table.texts if t.get_text()[0].isdigit()} == {"normal"}
    drawn = np.concatenate(
        [np.asarray(c.get_offsets()) for c in dots.collections if len(c.get_offsets()) and c.get_zorder() == 3]
    )
    np.testing.assert_allclose(sorted(drawn[:, 0]), [0.8, 0.9, 0.97])


def test_the_codebook_shows_shares_in_order_and_its_perplexity():
    figure = figures.codebook_heat([2, 0, 2, 4])
    axes, curve = figure.axes[:2]
    shown = axes.images[0].get_array()
    np.testing.assert_array_equal(shown.compressed(), [0.25, 0, 0.25, 0.5])
    np.testing.assert_array_equal(curve.lines[0].get_ydata(), [0.5, 0.25, 0.25, 0])
    assert f"perplexity {math.exp(1.5 * math.log(2)):.1f}" in figure.get_suptitle()
    assert len(axes.lines[0].get_xdata()) == 1


def test_codes_of_a_map_are_as_large_as_their_use():
    (axes,) = figures.codebook_map([[0, 0], [1, 1], [2, 0]], [1, 0, 3]).axes
    used, dead = axes.collections
    np.testing.assert_array_equal(used.get_offsets(), [[0, 0], [2, 0]])
    assert used.get_sizes()[1] == pytest.approx(3 * used.get_sizes()[0])
    np.testing.assert_array_equal(dead.get_offsets(), [[1, 1]])


def test_health_has_a_curve_a_map_and_a_bar_for_a_warning():
    history = [
        {"epoch": 1, "health": {"code_use": 0.5, "kl_per_unit": [0.0, 1.0]}, "warnings": {}},
        {"epoch": 2, "health": {}, "warnings": {"ignored": "a line without health is left out"}},
        {"epoch": 3, "health": {"code_use": None, "kl_per_unit": [2.0, 3.0]}, "warnings": {"inactive-units": "…"}},
    ]
    use, kl, warned = figures.health_timeline(history).axes[:3]
    np.testing.assert_array_equal(use.lines[0].get_xydata(), [[1, 0.5], [3, np.nan]])
    np.testing.assert_array_equal(kl.collections[0].get_array(), [[1, 3], [0, 2]])  # by the last epoch
    assert ticks(warned.yaxis) == ["inactive-units"]
    assert len(warned.collections[0].get_paths()) == 1


def test_names_are_pushed_apart_as_little_as_can_be():
    np.testing.assert_allclose(spread([0.5, 0.5, 0.9], 0.1), [0.45, 0.55, 0.9])
    np.testing.assert_allclose(spread([0.3, 0.1], 0.1), [0.3, 0.1])
    np.testing.assert_allclose(spread([0.0, 0.0, 0.0], 1.0), [-1, 0, 1])


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: figures.kl_bars([0.1, math.nan], [True, True]), "1 of 2 values are NaN"),
        (lambda: figures.kl_bars([-1.0], [True]), "never negative"),
        (lambda: figures.kl_bars([], []), "shape"),
        (lambda: figures.kl_bars([1.0], [True, False]), "one per unit"),
        (lambda: figures.posterior_against_prior([0.0], [1.0, 2.0]), "1 means, but 2"),
        (lambda: figures.posterior_against_prior([0.0], [-1.0]), "negative"),
        (lambda: figures.few_label_curve({}), "nothing to draw"),
        (lambda: figures.few_label_curve({"a": {}}), "nothing to draw"),
        (lambda: figures.few_label_curve({"a": {10: (0.5, 0.6, 0.7)}}), "does not hold the value"),
        (lambda: figures.few_label_curve({"a": {10: (50, 40, 60)}}), "shares from 0 to 1"),
        (lambda: figures.few_label_curve({"a": {0: (0.5, 0.4, 0.6)}}), "at least 1"),
        (lambda: figures.bars({}, "share"), "nothing to draw"),
        (lambda: figures.bars({"a": math.inf}, "share"), "NaN or infinite"),
        (lambda: figures.bars({"a": 1}, "share", {"b": (0, 1)}), "no value"),
        (lambda: figures.bars({"a": 1}, "share", {"a": (3, 2)}), "from 3 down to 2"),
        (lambda: figures.pareto({"a": (1, math.nan)}, "x", "y"), "NaN"),
        (lambda: figures.pareto({"a": (1, 2, 3)}, "x", "y"), "shape"),
        (lambda: figures.trade_off({}, "x", "y"), "nothing to draw"),
        (lambda: figures.response([], {"a": []}, "x", "y"), "alphas"),
        (lambda: figures.response([1, 2], {"a": [1, 2, 3]}, "x", "y"), "shape"),
        (lambda: figures.spectrum({"a": [1, -1]}), "negative"),
        (lambda: figures.spectrum({"a": [1, 0]}), "no power"),
        (lambda: figures.histogram({"a": [math.nan]}, "x"), "'a': 1 of 1"),
        (lambda: figures.matrix([[1, 2]], ["a"], ["b"], "x", "y"), "names of rows"),
        (lambda: figures.matrix([[math.nan]], ["a"], ["b"], "x", "y"), "NaN"),
        (lambda: figures.attribute_table({}, ["a"]), "nothing to draw"),
        (lambda: figures.attribute_table({"S": {"b": (1, 1, 1)}}, ["a"]), "none of the columns"),
        (lambda: figures.codebook_heat([0, 0]), "at least one code"),
        (lambda: figures.codebook_map([[0, 0]], [1, 2]), "1 points, but 2"),
        (lambda: figures.health_timeline([{"epoch": 1}]), "nothing to draw"),
        (lambda: figures.health_timeline([{"health": {"a": 1}}]), "epoch"),
        (lambda: figures.bars({"a": "x"}, "share"), "must be numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(draw, said):
    with pytest.raises(DiaboloError, match=said) as error:
        draw()
    assert "\n" not in str(error.value)
