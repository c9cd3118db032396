import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diabolo import parts
from diabolo.errors import DiaboloError
from diabolo.schedules import Constant, Cosine, Cyclical, Linear, OneCycle, as_schedule, as_weight, warm_up

SCHEDULES = [
    Constant(3.0),
    Linear(0.5, 2.0),
    Linear(2.0, 0.5, over=0.3),
    Cyclical(0.0, 1.0),
    Cyclical(1.0, 4.0, cycles=3),
    Cosine(2.0),
    Cosine(0.5, 3.0),
    OneCycle(1e-3),
    OneCycle(1.0, rise=0.7),
]


def test_constant():
    assert [Constant(3.0)(p) for p in (0.0, 0.5, 1.0)] == [3.0, 3.0, 3.0]


def test_linear():
    assert [Linear(1.0, 3.0)(p) for p in (0.0, 0.25, 1.0)] == [1.0, 1.5, 3.0]
    assert [Linear(0.0, 1.0, over=0.5)(p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)] == [0.0, 0.5, 1.0, 1.0, 1.0]


def test_cyclical():
    s = Cyclical(2.0, 6.0, cycles=2)  # up in [0, ¼], flat in [¼, ½), and again
    assert [s(p) for p in (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75)] == [2.0, 4.0, 6.0, 6.0, 2.0, 4.0, 6.0]
    assert s(1.0) == 6.0  # ends trained with the full weight


def test_cosine():
    assert [Cosine(4.0)(p) for p in (0.0, 1.0)] == [4.0, 0.0]
    assert Cosine(4.0)(0.5) == pytest.approx(2.0)
    assert Cosine(4.0, 1.0)(0.25) == pytest.approx(1 + 1.5 * (1 + math.sqrt(0.5)))


def test_one_cycle_is_that_of_torch():
    steps, peak = 101, 0.1
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    # torch divides the starting rate, not the peak, by final_div_factor; and its last step is `steps - 1`
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        peak,
        total_steps=steps,
        pct_start=0.31,
        div_factor=25,
        final_div_factor=1e5 / 25,
        cycle_momentum=False,
    )
    schedule = OneCycle(peak, rise=(0.31 * steps - 1) / (steps - 1))
    for i in range(steps):
        assert schedule(i / (steps - 1)) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
        optimizer.step()
        if i < steps - 1:
            reference.step()


def test_one_cycle_has_no_jump():
    values = [OneCycle(1.0)(i / 10_000) for i in range(10_001)]
    assert max(abs(a - b) for a, b in pairwise(values)) < 1e-3
    assert max(values) == pytest.approx(1.0)
    assert values.index(max(values)) == 3000
    assert (values[0], values[-1]) == (pytest.approx(1 / 25), pytest.approx(1e-5))


@given(st.sampled_from(SCHEDULES), st.floats(0, 1))
def test_tensors_and_floats_agree(schedule, progress):
    assert float(schedule(torch.tensor(progress, dtype=torch.float64))) == pytest.approx(
        float(schedule(progress)), rel=1e-9, abs=1e-12
    )


@given(st.sampled_from(SCHEDULES), st.floats(-1, 2))
def test_outside_training_the_ends_hold(schedule, progress):
    inside = min(max(progress, 0.0), 1.0)
    assert schedule(progress) == schedule(inside)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (0.5, Constant(0.5)),
        (2, Constant(2.0)),
        ("0.25", Constant(0.25)),
        ("1e-4", Constant(1e-4)),
        ("linear(0, 1, 0.3)", Linear(0, 1, 0.3)),
        (" linear( 0.5,2 ) ", Linear(0.5, 2)),
        ("cyclical(0, 1, 3)", Cyclical(0, 1, 3)),
        ("cosine(1, 1e-2)", Cosine(1, 0.01)),
        ("constant(3)", Constant(3)),
        ("warm-up(2, 0.3)", Linear(0, 2, 0.3)),
        ("warm-up(1)", Linear(0, 1, 0.1)),
    ],
)
def test_text_is_read(text, wanted):
    got = as_schedule(text)
    assert type(got) is type(wanted)
    assert [got(p / 20) for p in range(21)] == [wanted(p / 20) for p in range(21)]


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.int64(2)])
def test_a_number_may_come_from_numpy(value):
    assert as_schedule(value)(0.3) == value


def test_a_schedule_passes_as_it_is():
    mine = Linear(0, 1)
    assert as_schedule(mine) is mine


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("linaer(0, 1)", "did you mean 'linear'"),
        ("linear(0)", "cannot be read"),
        ("linear()", "cannot be read"),
        ("linear(a, b)", "cannot be read"),
        ("linear(0, 1, 2)", "over must be a number above 0 and at most 1, not 2"),
        ("linear(0, 1, 0)", "over must be a number above 0 and at most 1, not 0"),
        ("cyclical(0, 1, 0)", "cycles must be a whole number of at least 1, not 0"),
        ("linear 0 1", "a schedule is a number or text such as"),
        ("", "a schedule is a number or text such as"),
        ("__import__('os')", "a schedule is a number or text such as"),
    ],
)
def test_text_that_is_no_schedule_is_refused(text, says):
    with pytest.raises(DiaboloError, match=says):
        as_schedule(text)


@pytest.mark.parametrize("value", [None, [0, 1], "nan", "inf", float("nan")])
def test_what_gives_no_number_is_refused(value):
    with pytest.raises(DiaboloError):
        as_schedule(value)


def test_warm_up_starts_from_nothing():
    assert [warm_up(4.0, 0.5)(p) for p in (0.0, 0.25, 0.5, 1.0)] == [0.0, 2.0, 4.0, 4.0]


@pytest.mark.parametrize("value", [0, 0.0, 3, "0.5", "cyclical(0, 1)", "warm-up(1, 0.2)", Cosine(2.0), lambda p: p])
def test_a_weight_that_is_never_negative_passes(value):
    assert as_weight(value, "it")(1.0) == as_schedule(value)(1.0)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (-1, "it must be 0 or more throughout training, not -1$"),
        ("-0.5", "it must be 0 or more throughout training, not -0.5$"),
        ("linear(0, -1)", r"not -0.00\d+ when 0 % of training is done"),
        ("cyclical(1, -1, 2)", "of training is done"),
        ("cosine(1, -1e-3)", "of training is done"),
        ("linear(0, 1e999)", "end must be a number, not inf"),
        (lambda p: torch.tensor(0.9) - p, "of training is done"),
        ("nan", "a finite number"),
    ],
)
def test_a_weight_that_would_reward_is_refused(value, says):
    with pytest.raises(DiaboloError, match=says):
        as_weight(value, "it")


def test_one_cycle_refuses_a_rise_outside_training():
    for rise in (0.0, 1.0, -1):
        with pytest.raises(DiaboloError, match="rise must be a number above 0 and below 1"):
            OneCycle(1.0, rise)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_schedules_survive_a_run_folder(schedule):
    again = parts.build(json.loads(json.dumps(parts.describe(schedule))))
    assert [again(p / 20) for p in range(21)] == [schedule(p / 20) for p in range(21)]
