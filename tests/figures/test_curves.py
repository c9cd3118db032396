import math

import numpy as np
import pytest

from diabolo.errors import DiaboloError
from diabolo.figures import loss_curves
from diabolo.figures.curves import format_value


def record(epoch, terms=("reconstruction", "kl", "total"), validation=True, scale=1.0):
    train = {term: scale * (100 * (i + 1) + 50 / epoch) for i, term in enumerate(terms)}
    return {
        "epoch": epoch,
        "train": train,
        "validation": {term: value * 1.02 for term, value in train.items()} if validation else None,
        "units": dict.fromkeys(terms, "nats per image"),
    }


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_one_panel_per_term_the_total_first_with_both_splits(sound):
    history = [record(epoch) for epoch in range(1, 51)]
    figure = loss_curves(history, title="A run")
    assert titles(figure) == ["total", "reconstruction", "KL"]
    for axes, term in zip(figure.axes, ["total", "reconstruction", "kl"], strict=True):
        assert axes.get_ylabel() == "nats per image"
        assert axes.get_xlabel() == "epoch"
        train, validation = axes.lines
        np.testing.assert_array_equal(train.get_xdata(), np.arange(1, 51))
        np.testing.assert_allclose(train.get_ydata(), [r["train"][term] for r in history])
        np.testing.assert_allclose(validation.get_ydata(), [r["validation"][term] for r in history])
        assert train.get_color() != validation.get_color()
        assert train.get_linestyle() != validation.get_linestyle()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["train", "validation"]
    assert figure.get_suptitle() == "A run"
    sound(figure)


@pytest.mark.parametrize("epochs", [1, 2, 3, 50, 1000])
def test_epochs_are_whole_numbers_and_the_page_is_sound(epochs, sound):
    figure = loss_curves([record(epoch) for epoch in range(1, epochs + 1)])
    sound(figure)
    for axes in figure.axes:
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == int(tick) and 1 <= tick <= epochs for tick in ticks)


def test_the_axis_shows_the_epochs_after_a_steep_beginning(sound):
    history = [record(epoch, ["total"]) for epoch in range(1, 21)]
    for line in history:
        line["train"]["total"] = line["validation"]["total"] = 100 + 400 / line["epoch"] ** 2
    figure = loss_curves(history)
    (axes,) = figure.axes
    assert axes.get_ylim()[0] < 101
    assert axes.get_ylim()[1] < 120
    assert "begins at 500.0" in texts(axes)
    sound(figure)
    few = loss_curves(history[:5]).axes[0]  # all of them
    assert few.get_ylim()[1] > 500


def test_a_peak_after_the_steep_beginning_is_never_cut_off():
    history = [record(epoch, ["total"]) for epoch in range(1, 41)]
    for line in history:
        line["train"]["total"] = line["validation"]["total"] = 100 + 400 / line["epoch"] ** 2
    history[6]["train"]["total"] = 450.0
    (axes,) = loss_curves(history).axes
    assert axes.get_ylim()[1] > 450
    assert "begins at" not in texts(axes)


def test_final_values_are_written_and_never_on_top_of_each_other(sound):
    history = [record(1, ["kl"]), record(2, ["kl"])]
    history[-1]["train"]["kl"], history[-1]["validation"]["kl"] = 20.001, 20.0
    figure = loss_curves(history)
    assert texts(figure.axes[0])[-2:] == ["20.00", "20.00"]
    sound(figure)


def test_images_that_are_called_otherwise_are_named_so():
    """A study watches the test images, and its captions say so."""
    figure = loss_curves([record(epoch) | {"called": {"validation": "test"}} for epoch in (1, 2)])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["train", "test"]


def test_without_validation_there_is_one_line_and_one_entry(sound):
    figure = loss_curves([record(epoch, validation=False) for epoch in (1, 2)])
    assert all(len(axes.lines) == 1 for axes in figure.axes)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["train"]
    sound(figure)


def test_validation_now_and_then_keeps_its_own_epochs():
    figure = loss_curves([record(epoch, validation=epoch % 5 == 0) for epoch in range(1, 11)])
    assert list(figure.axes[0].lines[1].get_xdata()) == [5, 10]


def test_five_terms_stand_in_two_rows_and_an_unknown_unit_is_said(sound):
    history = [record(epoch, ["total", "a", "b", "c", "d_e"], scale=1e-5) for epoch in range(1, 30)]
    del history[-1]["units"]["d_e"], history[0]["units"]
    for r in history[1:-1]:
        del r["units"]["d_e"]
    figure = loss_curves(history, title="a long title " * 12)
    assert titles(figure) == ["total", "a", "b", "c", "d e"]
    assert figure.axes[-1].get_ylabel() == "unit not recorded"
    sound(figure)


def test_nan_and_infinity_leave_a_gap_and_are_named(sound):
    history = [record(epoch) for epoch in (1, 2, 3)]
    history[1]["train"]["kl"] = math.nan
    history[2]["train"]["kl"] = math.inf
    history[2]["validation"]["kl"] = math.nan
    figure = loss_curves(history)
    assert texts(figure.axes[2])[-2:] == ["inf", "nan"]
    sound(figure)


def test_negative_losses_are_written_with_a_minus(sound):
    figure = loss_curves([record(epoch, scale=-20) for epoch in (1, 2, 3)])
    assert texts(figure.axes[0])[1].startswith("−6,")
    sound(figure)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (104.2345, "104.2"),
        (0.0345, "0.03450"),
        (95.7, "95.70"),
        (12345.6, "12,346"),
        (1e-7, "1.00e−07"),
        (0, "0.000"),
        (3.2e9, "3.20e+09"),
        (-1.5, "−1.500"),
    ],
)
def test_values_have_four_figures(value, text):
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("history", "said"),
    [([], "empty"), ([{"train": {"total": 1.0}}], "epoch"), ([{"epoch": 1, "train": None}], "train")],
)
def test_a_history_that_is_none_is_refused(history, said):
    with pytest.raises(DiaboloError, match=said):
        loss_curves(history)
