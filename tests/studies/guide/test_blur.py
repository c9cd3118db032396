"""What is said of a loss that compares features, in every outcome."""

import pytest

from diabolo.studies.guide import answers, blur, words
from made_up import of

SHARPER = {"detail, features": 0.7, "detail, pixels": 0.2, "power, features": 0.8, "power, pixels": 0.3}
LONGER = f"detail, {blur.LONG}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "have 200 % of the images' fine detail in the right place; with squared error alone, 100 %"),
        (0.0, "reconstructions have less of the images' fine detail in the right place (0 %)"),
        (1.0, "the shares of fine detail in the right place do not differ significantly (100 % and 100 %)"),
    ],
)
def test_fine_detail(value: float, text: str) -> None:
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
    assert text in words.blur(of({"MSE, features": value, "detail, features": 2.0}), "features")


@pytest.mark.parametrize(("value", "text"), [(0.5, "is higher, too: 2 per pixel"), (1.0, "is higher: 2 per pixel")])
def test_a_larger_error_is_no_price_where_nothing_was_bought(value: float, text: str) -> None:
    said = words.blur(of({"MSE, features": 2.0, "detail, features": value, LONGER: 0.7}), "features")
    assert f"The squared error {text}" in said
    assert "price" not in said
    assert "Training twice as long on squared error (1 s against 1 s) reaches 70.0 %." in said


def test_the_loss_is_named_as_the_cause_only_where_longer_training_does_not_do_as_much() -> None:
    said = words.blur(of(SHARPER | {LONGER: 0.4}), "features")
    assert "training twice as long on squared error reaches only 40.0 %. So the loss is the cause" in said
    fitted = words.blur(of(SHARPER | {LONGER: 0.7}), "features")
    assert "But training twice as long on squared error reaches 70.0 %, so a better fit alone may explain" in fitted


def test_a_pattern_is_no_detail() -> None:
    assert (
        "80 % of the images' fine-scale power (30 % with squared error alone), at least 61 % of it in the right place."
        in blur.pattern(of(SHARPER), "features")
    )
    assert "Up to 59 % of that is in the wrong place: a fine dotted pattern" in blur.pattern(
        of(SHARPER | {"power, features": 1.2}), "features"
    )


def test_what_the_eye_sees() -> None:
    said = words.seen(of(SHARPER | {LONGER: 0.9}), "features")
    assert (
        "trained on squared error are blurred, and those trained on features are soft; those trained twice as" in said
    )
    assert "twice as long on squared error are sharp." in said
    assert "on squared error and on features are blurred;" in words.seen(
        of({"detail, pixels": 0.3, "detail, features": 0.5}), "features"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "fine detail in the right place from 100 % to 200 %"),
        (0.0, "no help: fine detail in the right place from 100 % to 0 %"),
        (1.0, "fine detail in the right place from 100 % to 100 %, not significantly different"),
    ],
)
def test_the_answer(value: float, text: str) -> None:
    assert answers.features(of({"detail, features": value}))[2].startswith(text)


def test_the_answer_says_what_it_costs() -> None:
    for value, told in ((2.0, True), (0.0, False), (1.0, False)):
        assert ("squared error" in answers.features(of({"MSE, features": value}))[3]) == told
