"""Sentences are chosen by what was measured, and by how sure that is."""

import math

import numpy as np
import pytest
from scipy import stats

from diabolo.statistics import blocks, shared
from diabolo.studies import Measured, difference, joined
from diabolo.studies.engine.findings import Difference, between, family, from_best, from_nothing, with_error

SENTENCES = ("more by {difference}", "less by {difference}", "a {differs} from b")
UNSURE = "a does not differ significantly from b"


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([3.0, 3.1, 2.9], [1.0, 1.1, 0.9], "more by 2.00 ± 0.23"),
        ([1.0, 1.1, 0.9], [3.0, 3.1, 2.9], "less by 2.00 ± 0.23"),
        ([1.0, 3.0], [1.5, 2.6], UNSURE),
        ([3.0], [1.0], UNSURE),  # nothing is known of the noise of a single value
    ],
)
def test_one_of_three_sentences(a, b, said):
    assert difference(a, b).say(*SENTENCES) == said


def test_exact_numbers_differ_surely():
    assert difference(Measured(3.0, 0.0), Measured(2.0, 0.0)).say(*SENTENCES) == "more by 1"


@pytest.mark.parametrize(
    ("a", "b", "error", "said"),
    [
        (96.8412, 97.2731, 0.01, "96.8 and 97.3"),
        (96.8112, 96.8431, 0.001, "96.81 and 96.84"),  # one is less, which three digits would not show
        (96.8412, 96.8731, 1.0, "96.8 and 96.9"),
        (96.8412, 96.8431, 1.0, "96.8 and 96.8"),
        (-0.034512, 1234.5, 0.001, "−0.0345 and 1,230"),
        (100.0, 9.0, 0.1, "100 and 9"),
    ],
)
def test_numbers_have_three_digits_and_a_fourth_where_it_decides(a, b, error, said):
    found = difference(Measured(a, error), Measured(b, error), least=1e-3)
    assert (
        found.say("{a} and {b}", "{a} and {b}", "{a} and {b} {differ}").removesuffix(" do not differ significantly")
        == said
    )


def test_the_error_of_a_mean_is_that_of_students_interval():
    one = Measured.over([1.0, 2.0, 3.0])
    assert one == Measured(2.0, pytest.approx(1 / math.sqrt(3)), 2)
    assert one.half == pytest.approx(4.302653 / math.sqrt(3))
    assert Measured.over([1.0]).error is None
    assert Measured.over([1.0]).half is None
    assert Measured.of(0.5, 0.402, 0.598).error == pytest.approx(0.05, rel=1e-3)
    assert Measured.of(0.99, 0.99 - one.half, 1.0, df=2).error == pytest.approx(
        one.error
    )  # cut at the end of all shares
    assert Measured.of(2.0, 2 - one.half, 2 + one.half, df=2) == Measured(2.0, pytest.approx(one.error), 2)


def test_seeds_are_compared_by_welch():
    """At three seeds a difference of three deviations is found, which intervals that must not overlap would miss."""
    a, b = [1.0, 2.0, 3.0], [4.2, 4.9, 6.1]
    found = difference(b, a)
    theirs = stats.ttest_ind(b, a, equal_var=False)
    assert found.value / found.error == pytest.approx(theirs.statistic)
    assert found.sure
    assert found.size == f"3.1 ± {found.estimate.interval()[1] - found.value:.1f}"


@pytest.mark.parametrize("times", [800, pytest.param(20_000, marks=pytest.mark.slow)])
def test_of_equal_models_one_in_twenty_pairs_differs(times):
    random = np.random.default_rng(1)
    hits = np.mean(
        [difference(100 + random.normal(size=3), 100 + random.normal(size=3), least=1e-9).sure for _ in range(times)]
    )
    assert 0.04 - 3 * math.sqrt(0.0475 / times) < hits < 0.06 + 3 * math.sqrt(0.0475 / times)


@pytest.mark.parametrize(
    ("error", "least", "said"),
    [
        (0.001, 0.002, "more by 0.0100 ± 0.0020"),
        (0.001, 0.02, "a differs by less than 0.02, too little to matter, from b"),
        (
            0.004,
            0.015,
            "a differs significantly, but only by 0.010 ± 0.008, less than the 0.015 that would matter, from b",
        ),
        (0.008, 0.015, UNSURE),
        (None, 0.015, UNSURE),
    ],
)
def test_what_is_said_of_two_that_are_no_more_follows_from_the_decision(error, least, said):
    a = Measured(1.01, error)
    assert difference(a, Measured(1.0, 0.0), least=least).say(*SENTENCES) == said
    assert difference(a, Measured(1.0, 0.0), least=least).sure == said.startswith("more")


def test_a_caller_cannot_say_what_was_not_decided():
    sure = difference(Measured(2.0, 0.1), Measured(1.0, 0.1))
    with pytest.raises(ValueError, match="leaves nothing to say"):
        sure.say("more", "less", "they are equal")
    slots = "{differ}/{differs}/{different}"
    for least in (1.1e-3, 3e-3):
        said = difference(Measured(1.001, 4e-4), Measured(1.0, 0.0), least=least).say("more", "less", slots)
        assert len(set(said.split("/"))) == 3


@pytest.mark.parametrize(
    ("unit", "b", "matters"),
    [("share of test images", 0.9, 0.005), ("percentage points", 90.0, 0.5), ("% of test images", 90.0, 0.5),
     ("squared error per pixel, noisy images", 0.02, 0.0002), ("squared distance of features", 100.0, 5.0),
     ("nats per image, given the label", 95.0, 0.5), ("mean steps", 2.0, 0.02)],
)  # fmt: skip
def test_how_large_a_difference_matters_depends_on_the_unit(unit, b, matters):
    lesser, larger = (Measured(b - x * matters, 1e-9, unit=unit) for x in (0.98, 1.03))
    of = Measured(b, 1e-9, unit=unit)
    assert difference(of, of).matters == pytest.approx(matters)
    assert (difference(lesser, of).decision, difference(larger, of).decision) == ("same", "less")


def test_a_share_of_nothing_is_no_least_difference():
    gain = {unit: from_nothing(Measured(0.6, 0.01, unit=unit)) for unit in ("percentage points", "squared error")}
    assert gain["percentage points"].sure
    with pytest.raises(ValueError, match="of nothing there is none"):
        gain["squared error"].say(*SENTENCES)


def test_of_several_differences_chance_is_counted():
    one = Measured(0.0, 1.0)
    several = {i: Difference(Measured(z, 0.0), one) for i, z in enumerate((2.2, 4.0, 0.1, 1.0))}
    assert [d.sure for d in several.values()] == [True, True, False, False]
    assert [d.sure for d in family(several).values()] == [False, True, False, False]
    unknown = family({"a": several[1], "b": difference(Measured(1.0), one)})
    assert (unknown["a"].sure, unknown["b"].sure) == (True, False)


def test_what_two_share_of_the_test_images_does_not_part_them():
    """Two numbers of the same images: their own errors are twice their difference, and yet it is sure."""
    random = np.random.default_rng(0)
    image = random.normal(size=2000)
    x, y = image + 0.05 * random.normal(size=(2, 2000)) + np.array([[0.02], [0.0]])
    numbers = []
    for values, of in ((x, "test"), (y, "test"), (y, "other")):
        kept = shared(of, (values - values.mean()) / len(values), blocks(len(values)))
        numbers.append(Measured(values.mean(), values.std() / math.sqrt(len(values)), shared=kept))
    assert difference(numbers[0], numbers[1]).sure
    assert not difference(numbers[0], numbers[2]).sure
    percent = difference(*(number.times(100, "%") for number in numbers[:2]))
    assert percent.error == pytest.approx(100 * difference(*numbers[:2]).error)
    assert numbers[0].times(-2, "").error > 0


def test_what_was_measured_on_the_same_images_is_compared_image_by_image():
    n = {"a": Measured(2.0, 1.0), "b": Measured(1.0, 1.0), "c": Measured(1.0, 1.0), "a less b": Measured(1.0, 0.1)}
    assert between(n, "a", "b").say(*SENTENCES) == "more by 1.00 ± 0.20"
    assert between(n, "a", "c").say(*SENTENCES) == UNSURE
    assert between({**n, "a, sooner": Measured(1.0, 0.1)}, "a", "c", "a, sooner").sure


def test_words_are_joined():
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [(5.0, 1.9, "5.0 ± 1.9"), (2.14, 0.6, "2.1 ± 0.6"), (0.00425, 9.4e-5, "0.00425 ± 0.00009"), (48.2, 12.0, "48 ± 12"),
     (700.0, 96.0, "700 ± 96"), (2.0, 0.0, "2"), (2.0, math.inf, "2"), (0.00039, 0.000372, "0.00039 ± 0.00037"),
     (0.52, 0.54, "0.52 ± 0.54"), (0.5, 0.5, "0.5 ± 0.5"), (0.2, 0.9, "0.2 ± 0.9")],
)  # fmt: skip
def test_a_number_has_as_many_places_as_its_error(value, error, said):
    assert with_error(value, error) == said


def test_the_best_of_several():
    values = {"a": Measured(1.0, 0.5), "b": Measured(1.9, 0.5), "c": Measured(9.0, 0.5)}
    best, others = from_best(values)
    assert best == "a"
    assert {name: one.sure for name, one in others.items()} == {"b": False, "c": True}
    assert others["c"].value == 8.0
    best, others = from_best(values, most=True)
    assert best == "c"
    assert others["a"].sure
    assert others["a"].value == -8.0


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [(97.0, 96.5, ("97.0", "96.5")), (0.023, 0.0224, ("0.0230", "0.0224")), (122, 5.52, ("122", "5.52")),
     (2, 0.5, ("2", "0.5")), (78.0, 78.6, ("78.0", "78.6")), (-12.0, 0.25, ("−12.0", "0.25")), (60, 60, ("60", "60"))],
)  # fmt: skip
def test_two_numbers_have_as_many_places(a, b, said):
    assert difference(Measured(a, 1.0), Measured(b, 1.0)).both == said


@pytest.mark.parametrize(
    ("unit", "said"), [("percentage points", "0.5 percentage points"), ("nats per image", "0.5 nats")]
)
def test_what_matters_is_said_with_its_unit(unit, said):
    same, small = (Measured(1.0 + x, 0.01, unit=unit) for x in (0.0, 0.1))
    assert (
        difference(same, same).say("", "", "They {differ}.")
        == f"They differ by less than {said}, too little to matter."
    )
    other = Difference(small, Measured(1.0, 0.01, unit=unit), Measured(0.1, 0.04, unit=unit), least=0.15)
    unit = said.removeprefix("0.5 ")
    assert other.say("", "", "They {differ}.") == (
        f"They differ significantly, but only by 0.10 ± 0.08 {unit}, less than the 0.15 {unit} that would matter."
    )


def test_no_comma_stands_before_another_mark_or_the_end():
    same = difference(Measured(1.0, 0.01), Measured(1.0, 0.01), least=0.5)
    for end in (".", "; then", ":", ""):
        assert same.say("", "", f"a {{differs}}{end}") == f"a differs by less than 0.5, too little to matter{end}"


def test_no_comma_stands_before_a_bracket():
    said = difference([1.0, 1.001, 0.999], [1.0, 1.001, 0.999], least=0.5).say("", "", "a {differs} ({a} and {b}).")
    assert said == "a differs by less than 0.5, too little to matter (1 and 1)."
