"""What the study `generative` says of Deliverable 6, in each outcome of what it compares."""

import pytest

from diabolo.studies.engine.findings import Measured
from diabolo.studies.generative import quantising
from diabolo.studies.generative.quantising import Half


@pytest.mark.parametrize(
    ("rms", "error", "says"),
    [
        ((1.0, 30.0), (0.055, 0.2), ("30.0 times as large (root", "The test error is 3.6 times as large without it")),
        ((1.0, 242936.4), (0.055, 0.1), ("240,000 times as large (root", "82 % higher without it")),
        ((1.0, 0.2), (0.055, 0.045), ("5.0 times smaller (root", "18 % lower without it")),
        ((1.0, 1.1), (0.055, 0.056), ("keep their range", "much the same (+1.8 % without it)")),
    ],
)
def test_without_commitment(rms, error, says):
    sentence = quantising.commitment("moving averages", rms, error)
    assert sentence.startswith("Moving averages: without the commitment term ")
    assert all(part in sentence for part in says)


@pytest.mark.parametrize(
    ("size", "flat", "says"),
    [
        (30.0, 0.9, ("spreads 30.0 times as far", "fewer directions differ in size more than in kind")),
        (0.1, 0.5, ("shrinks to 10 % of its size", "spread over about as many directions")),
        (1.1, 0.5, ("keeps its size",)),
    ],
)
def test_two_codebooks(size, flat, says):
    f = {}
    for end, rms, used, share in (("", 1.0, 512, 0.5), (", no commitment", size, 300, flat)):
        name = f"moving averages{end}"
        f[f"codebook, root mean square: {name}"] = Measured(rms)
        f[f"used codes: {name}"] = Measured(used)
        f[f"codebook, variance in two directions: {name}"] = Measured(share)
    sentence = quantising.codebooks(f, "moving averages")
    assert all(part in sentence for part in says)
    assert "300 codes are in use instead of 512" in sentence


HALVES = {"hidden width": Half(0.3, 34), "residual width": Half(0.9, 34), "residual layers": Half(0.88, 26)}


def errors(**changed):
    numbers = {"error: whole": 0.06} | {f"error: half the {part}": 0.06 for part in HALVES}
    numbers |= {f"error: half the {part.replace('_', ' ')}": error for part, error in changed.items()}
    return {name: Measured(error, 0.0002) for name, error in numbers.items()}


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("hidden_width", "takes 70 % of the parameters, and every layer carries half as many features"),
        ("residual_width", "takes 10 % of the parameters and leaves what one code sees at 34 pixels"),
        ("residual_layers", "one code sees 26 pixels across instead of 34, and 12 % of the parameters are gone"),
    ],
)
def test_the_role_of_a_part_is_told_where_halving_it_costs(part, says):
    sentence = quantising.halved(errors(**{part: 0.063}), HALVES, Half(1, 34))
    assert f"{part.replace('_', ' ')} +5.0 %" in sentence
    assert says in sentence
    assert says not in quantising.halved(errors(), HALVES, Half(1, 34))


def test_halves_that_cost_nothing_or_help():
    assert "No halving raises the error significantly" in quantising.halved(errors(), HALVES, Half(1, 34))
    better = quantising.halved(errors(residual_width=0.05), HALVES, Half(1, 34))
    assert "With half the residual width the error is lower" in better
    assert "No halving raises" in better


def test_layers_that_leave_what_a_code_sees_alone():
    assert quantising.role("residual layers", Half(0.9, 8), Half(1, 8)).endswith("one non-linear correction.")


@pytest.mark.parametrize(
    ("ratio", "says"), [(5.13, "5.1"), (77234, "77,000"), (38_191_600, "3.8 · 10⁷"), (253e6, "2.5 · 10⁸")]
)
def test_how_many_times(ratio, says):
    assert quantising.times(ratio) == says
