"""What the study `generative` says of Deliverable 6, in each outcome of what it compares."""

import numpy as np
import pytest

from diabolo.studies.engine.findings import Measured
from diabolo.studies.generative import quantising
from diabolo.studies.generative.quantising import Half


def without(size=1.0, error=0.055, flat=0.5, even=0.5):
    values = {
        "encoder outputs, root mean square": (1.0, size),
        "distance from the codes": (0.07, 0.03),
        "test error over variance": (0.055, error),
        "codebook, root mean square": (1.0, size),
        "perplexity": (435.0, 283.0),
        "codebook, variance in two directions": (0.5, flat),
        "codebook, variance in two directions at unit length": (0.5, even),
    }
    ends = ("", ", no commitment")
    return {
        f"{what}: moving averages{e}": Measured(v)
        for what, pair in values.items()
        for e, v in zip(ends, pair, strict=True)
    }


@pytest.mark.parametrize(
    ("size", "error", "says"),
    [
        (
            30.0,
            0.2,
            ("is 30.0 against 1.0", "is 3.0 % of their mean square against 7.0 %", "is 3.6 times that with it"),
        ),
        (
            30.0,
            0.2,
            ("The steps accumulate, nothing pulls", "rival cause: the learning rate was chosen with commitment"),
        ),
        (0.2, 0.045, ("is 0.2 against 1.0", "draws them to their codes, wherever those lie")),
        (1.1, 0.056, ("keep their range, although nothing",)),
    ],
)
def test_without_commitment(size, error, says):
    sentence = quantising.commitment(without(size, error), ["moving averages"])
    assert all(part in sentence for part in says)
    assert ("copied gradient" in sentence) == (size > 2)


def test_outputs_that_grow_at_no_cost_have_no_rival_cause():
    assert "rival" not in quantising.commitment(without(30.0, 0.055), ["moving averages"])


@pytest.mark.parametrize(
    ("size", "flat", "even", "says"),
    [
        (30.0, 0.9, 0.8, ("spreads 30.0 times as far", "the codes point in fewer directions, whatever their length")),
        (30.0, 0.9, 0.5, ("two directions hold 90 %".capitalize(), "a few long vectors dominate the variance")),
        (0.1, 0.5, 0.5, ("shrinks to 10 % of its size", "spread over about as many directions")),
        (1.1, 0.5, 0.5, ("keeps its size",)),
    ],
)
def test_two_codebooks(size, flat, even, says):
    sentence = quantising.codebooks(without(size, flat=flat, even=even), "moving averages")
    assert all(part in sentence for part in says)
    assert "the perplexity is 283 instead of 435" in sentence


def test_distance_from_the_codes_and_directions():
    outputs = np.array([[3.0, 4.0], [0.0, 5.0]], np.float32)
    assert quantising.relative_distance(outputs, np.array([[3.0, 3.0], [0.0, 4.0]], np.float32)) == pytest.approx(
        2 / 50
    )
    vectors = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32) * [10, 10, 0.1, 0.1]
    assert quantising.in_two_directions(vectors) == pytest.approx(1, abs=1e-3)


HALVES = {"hidden width": Half(0.3, 34), "residual width": Half(0.9, 34), "residual layers": Half(0.88, 26)}


def errors(**changed):
    numbers = {"error: whole": 0.06} | {f"error: half the {part}": 0.06 for part in HALVES}
    numbers |= {f"error: half the {part.replace('_', ' ')}": error for part, error in changed.items()}
    return {name: Measured(error, 0.0002) for name, error in numbers.items()}


@pytest.mark.parametrize(
    "says",
    [
        "removes 70 % of the parameters, and every layer carries half as many features",
        "removes 10 % of the parameters, and one code still depends on 34 pixels across",
        "removes 12 % of the parameters and one nonlinear step, and one code depends on 26 pixels across instead of 34",
    ],
)
def test_the_role_of_every_part_is_told(says):
    assert says in quantising.halved(errors(), HALVES, Half(1, 34))


@pytest.mark.parametrize("part", HALVES)
def test_halves_that_cost(part):
    sentence = quantising.halved(errors(**{part.replace(" ", "_"): 0.063}), HALVES, Half(1, 34))
    assert f"{part} +5.0 ± 0.9 %" in sentence
    assert f"Significant: half the {part}." in sentence


def test_halves_that_cost_nothing_or_help():
    nothing = quantising.halved(errors(), HALVES, Half(1, 34))
    assert "No halving raises the error significantly" in nothing
    assert "(0.06) and half the residual width (0.06) differ by less than" in nothing
    better = quantising.halved(errors(residual_width=0.05), HALVES, Half(1, 34))
    assert "With half the residual width the error is lower" in better
    assert "Half the residual layers cost more than half the residual width (0.06 against 0.05)" in better
    assert "cost less than" in quantising.halved(errors(residual_layers=0.05), HALVES, Half(1, 34))


def test_layers_that_leave_what_a_code_sees_alone():
    assert quantising.role("residual layers", Half(0.9, 8), Half(1, 8)).endswith("and one nonlinear step.")
    assert "8 pixels across instead of 9" in quantising.role("residual width", Half(0.9, 8), Half(1, 9))


@pytest.mark.parametrize(
    ("ratio", "says"), [(5.13, "5.1"), (77234, "77,000"), (38_191_600, "3.8 · 10⁷"), (253e6, "2.5 · 10⁸")]
)
def test_how_many_times(ratio, says):
    assert quantising.times(ratio) == says
