"""Sentences are chosen by what was measured, and by how sure that is."""

import math

import pytest

from diabolo.studies import Measured, difference, joined

SENTENCES = ("more by {difference}", "less by {difference}", "no difference")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([3.0, 3.1, 2.9], [1.0, 1.1, 0.9], "more by 2 ± 0.16"),
        ([1.0, 1.1, 0.9], [3.0, 3.1, 2.9], "less by 2 ± 0.16"),
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
