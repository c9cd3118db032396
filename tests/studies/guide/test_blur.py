"""What is said of a loss that compares features, in every outcome."""

import pytest

from diabolo.studies.guide import answers, words
from made_up import of

SHARPER = {"detail, features": 0.9, "detail, pixels": 0.5}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "have 2 of the images' power in the upper frequencies; with squared error alone, 1"),
        (0.0, "reconstructions have less of the images' power in the upper frequencies (0)"),
        (1.0, "the powers of the upper frequencies do not differ significantly (1 and 1"),
    ],
)
def test_power_of_the_upper_frequencies(value: float, text: str) -> None:
    assert text in words.blur(of({"detail, features": value}), "features")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "The price is squared error: 2 per pixel against 1"),
        (0.5, "is 0.5 against 1"),
        (1.0, "The squared errors per pixel do not"),
    ],
)
def test_squared_error(value: float, text: str) -> None:
    assert text in words.blur(of({"MSE, features": value}), "features")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9.0, "reaches further: up to 9"),
        (-4.0, "reaches less far: up to −4"),
        (1.0, "differs by less than 1, too little"),
    ],
)
def test_finest_detail(value: float, text: str) -> None:
    assert text in words.blur(of({"resolution, features": value}), "features")


def test_the_loss_is_named_as_the_cause_only_where_it_is_the_only_one() -> None:
    assert "so the loss is the cause" in words.blur(of(SHARPER), "features")
    assert "a better fit alone may explain" in words.blur(of(SHARPER | {"MSE, features": 0.5}), "features")
    noise = words.blur(of(SHARPER | {"detail, features": 2.0}), "features")
    assert "is a pattern that these features do not see" in noise
    assert "is the cause" not in noise


def test_what_the_eye_sees() -> None:
    assert words.seen(of(SHARPER | {"detail, pixels": 0.4}), "features").startswith(
        "To the eye the first are blurred, the others sharp"
    )
    assert "both are sharp" in words.seen(of({}), "features")
    assert "the others grainy" in words.seen(of(SHARPER | {"detail, features": 2.0}), "features")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "no help: power of the upper frequencies from 1 to 2"),
        (0.0, "no help: power of the upper frequencies from 1 to 0"),
        (1.0, "not significantly different"),
    ],
)
def test_the_answer(value: float, text: str) -> None:
    assert text in answers.features(of({"detail, features": value}))[2]


def test_the_answer_says_what_it_costs() -> None:
    assert answers.features(of(SHARPER))[2].startswith("power of the upper frequencies from 0.5 to 0.9")
    for value, told in ((2.0, True), (0.0, False), (1.0, False)):
        assert ("squared error" in answers.features(of({"MSE, features": value}))[3]) == told
