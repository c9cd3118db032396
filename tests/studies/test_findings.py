"""Sentences are chosen by what was measured, and by how sure that is."""

import math

import pytest

from diabolo.studies import Measured, difference, joined
from diabolo.studies.findings import with_error

SENTENCES = ("more by {difference}", "less by {difference}", "no difference")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([3.0, 3.1, 2.9], [1.0, 1.1, 0.9], "more by 2.00 ± 0.16"),
        ([1.0, 1.1, 0.9], [3.0, 3.1, 2.9], "less by 2.00 ± 0.16"),
        ([1.0, 3.0], [1.5, 2.6], "no difference"),
        ([3.0], [1.0], "no difference"),  # nothing is known of the noise of a single value
    ],
)
def test_one_of_three_sentences(a, b, said):
    assert difference(a, b).say(*SENTENCES) == said


def test_exact_numbers_differ_surely():
    assert difference(Measured(3.0, 0.0), Measured(2.0, 0.0)).say(*SENTENCES) == "more by 1"


def test_the_error_is_that_of_the_mean():
    one = Measured.over([1.0, 2.0, 3.0])
    assert one == Measured(2.0, pytest.approx(1 / math.sqrt(3)))
    assert Measured.within(0.5, 0.402, 0.598).error == pytest.approx(0.05)


def test_words_are_joined():
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [(5.0, 1.9, "5.0 ± 1.9"), (2.14, 0.6, "2.1 ± 0.6"), (0.00425, 9.4e-5, "0.00425 ± 0.00009"), (48.2, 12.0, "48 ± 12"),
     (700.0, 96.0, "700 ± 96"), (2.0, 0.0, "2"), (2.0, math.inf, "2")],
)  # fmt: skip
def test_a_number_has_as_many_places_as_its_error(value, error, said):
    assert with_error(value, error) == said
