"""Sentences are chosen by what was measured, and by how sure that is."""

import math

import pytest

from diabolo.studies import Measured, difference, joined
from diabolo.studies.findings import between, with_error

SENTENCES = ("more by {difference}", "less by {difference}", "no difference")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([3.0, 3.1, 2.9], [1.0, 1.1, 0.9], "more by 2.0 ± 0.4"),
        ([1.0, 1.1, 0.9], [3.0, 3.1, 2.9], "less by 2.0 ± 0.4"),
        ([1.0, 3.0], [1.5, 2.6], "no difference"),
        ([3.0], [1.0], "no difference"),  # nothing is known of the noise of a single value
    ],
)
def test_one_of_three_sentences(a, b, said):
    assert difference(a, b).say(*SENTENCES) == said


def test_exact_numbers_differ_surely():
    assert difference(Measured(3.0, 0.0), Measured(2.0, 0.0)).say(*SENTENCES) == "more by 1"


def test_the_error_of_a_mean_is_that_of_students_interval():
    """Of three values the interval is more than twice as wide as that of a normal quantile."""
    one = Measured.over([1.0, 2.0, 3.0])
    assert one == Measured(2.0, pytest.approx(4.3027 / 1.96 / math.sqrt(3), rel=1e-4))
    assert Measured.over([1.0]).error is None
    assert Measured.within(0.5, 0.402, 0.598).error == pytest.approx(0.05)


def test_what_was_measured_on_the_same_images_is_compared_image_by_image():
    n = {"a": Measured(2.0, 1.0), "b": Measured(1.0, 1.0), "c": Measured(1.0, 1.0), "a less b": Measured(1.0, 0.1)}
    assert between(n, "a", "b").say(*SENTENCES) == "more by 1.00 ± 0.20"
    assert between(n, "a", "c").say(*SENTENCES) == "no difference"
    assert between({**n, "a, sooner": Measured(1.0, 0.1)}, "a", "c", "a, sooner").sure


def test_words_are_joined():
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [(5.0, 1.9, "5.0 ± 1.9"), (2.14, 0.6, "2.1 ± 0.6"), (0.00425, 9.4e-5, "0.00425 ± 0.00009"), (48.2, 12.0, "48 ± 12"),
     (700.0, 96.0, "700 ± 96"), (2.0, 0.0, "2"), (2.0, math.inf, "2")],
)  # fmt: skip
def test_a_number_has_as_many_places_as_its_error(value, error, said):
    assert with_error(value, error) == said
