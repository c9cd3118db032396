"""The answers of the study `generative`, in each outcome of what they rest on."""

from dataclasses import replace

import pytest

from diabolo.studies.engine.findings import Measured
from diabolo.studies.generative.answers import QUESTIONS
from diabolo.studies.generative.completing import CONDITIONAL, PLAIN

PARTS = ("hidden width", "residual width", "residual layers")
NUMBERS = {
    "2.1": {"tiles that hold 95 % of the codes": 256.0, "width of the map": 12.0, "height of the map": 9.0,
        "classes that a grid of equal steps shows": 8.0, "classes that the grid shows": 10.0},
    "2.2": {"smallest bottleneck that is enough": 36.0, "pixels": 784.0, "test error, 18 numbers": 0.03,
        "test error, 36 numbers": 0.02, "test error, 72 numbers": 0.018},
    "2.3": {
        f"{what}, variance × {s}": v
        for what in ("spread between draws", "draws read as the right class")
        for s, v in ((1, 0.1), (20, 0.3))
    }
    | {"variance on and beside strokes": 0.9, "pixels on and beside strokes": 0.3, "variance at the rim of strokes": 0.6,
        "pixels at the rim of strokes": 0.1, "variance inside strokes": 0.1, "pixels inside strokes": 0.1},
    "2.4": {"read as the new label: one-hot": 0.9, "read as the old label: one-hot": 0.05, "read as asked: one-hot": 0.957,
        "read as asked: embedded": 0.98},
    "2.5": {f"variance between completions: {CONDITIONAL}": 0.02, "nats gained by the code": 8.0,
        f"error of the best: {CONDITIONAL}": 0.04, f"error of one: {PLAIN}": 0.05},
    "2.6": {
        f"encoder outputs, {what}: {book}{end}": value
        for what, value in (("root mean square", 1.0), ("1 %", -2.0), ("99 %", 2.5))
        for book in ("moving averages", "codebook loss")
        for end in ("", ", no commitment")
    }
    | {f"change of the error: {part}": 0.1 for part in PARTS}
    | {f"error: half the {part}": 0.06 for part in PARTS}
    | {"used codes": 500.0, "perplexity": 420.0, "error: whole": 0.06},
}  # fmt: skip
OTHERWISE = {
    "2.1": ({"classes that a grid of equal steps shows": 10.0}, "over the map shows 8 classes", "over the map shows 10"),
    "2.2": ({"smallest bottleneck that is enough": 18.0}, "(best: 0.018; 18 numbers: 0.03; one", "(best: 0.018; one"),
    "2.3": ({"variance inside strokes": 0.6}, "outlines vary most", "strokes vary as a whole"),
    "2.4": (
        {"read as the new label: one-hot": 0.1, "read as the old label: one-hot": 0.8}, "Yes. Of images", "No. Of images",
    ),
    "2.5": (
        {"nats gained by the code": -1.0}, "that is lower by 8.0", "that is higher by 1.0",
    ),
    "2.6": (
        {"encoder outputs, root mean square: moving averages, no commitment": 5.0, "error: half the hidden width": 0.07},
        "None of these rises is significant. Without the commitment term only the copied gradient moves the encoder's outputs: "
        "with moving averages they keep about their size in so many steps (98 % of them from −2 to 2.5",
        "The rises for the hidden width are significant; for the residual width and residual layers no significant rise is "
        "shown. Without the commitment term only the copied gradient moves the encoder's outputs: with moving averages they "
        "grow to 5.0 times",
    ),
}  # fmt: skip


def numbers_of(row, error=0.0005):
    return {
        name: Measured(value, error, unit="nats per image" * ("nats" in name)) for name, value in NUMBERS[row].items()
    }


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.row)
def test_answers(question):
    numbers = numbers_of(question.row)
    answer = question.answer(numbers)
    assert answer[0].isupper() or answer[0].isdigit()
    assert answer.endswith(".")
    if question.row in OTHERWISE:
        changes, one, other = OTHERWISE[question.row]
        assert one in answer
        assert other in question.answer(
            numbers | {name: replace(numbers[name], value=value) for name, value in changes.items()}
        )


def test_the_best_completion_in_the_answer():
    (gives,) = [question.answer for question in QUESTIONS if question.row == "2.5"]
    assert "The best of its answers" in gives(numbers_of("2.5"))
    assert "Even the best of its answers" in gives(
        numbers_of("2.5") | {f"error of the best: {CONDITIONAL}": Measured(0.06)}
    )


def test_nats_within_their_interval_are_no_gain():
    (gives,) = [question.answer for question in QUESTIONS if question.row == "2.5"]
    answer = gives(numbers_of("2.5") | {"nats gained by the code": Measured(0.006, 0.4, unit="nats per image")})
    assert "in nats per image do not differ significantly" in answer
    assert "assigns" not in answer
