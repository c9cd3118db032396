"""Whether one model is better than another, and of which test images that is known."""

import math

import numpy as np
import pytest
from scipy import stats

from diabolo import bottlenecks
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.evaluation import Subject
from diabolo.evaluation.comparison import Row, Spread, _check_tested
from diabolo.evaluation.differences import behind, of_two
from diabolo.metrics.score import Score
from diabolo.statistics import mean_interval, wilson


def seeds(*values, better="lower"):
    return [Score(value, "nats", 100, better=better) for value in values]


def test_seeds_are_compared_by_welch():
    a, b = (10.0, 11.0, 12.0), (14.2, 15.1, 15.9)
    found, how = of_two(seeds(*a), seeds(*b))
    assert found.value / found.error == pytest.approx(stats.ttest_ind(a, b, equal_var=False).statistic)
    assert how == "Welch's test over seeds"
    best, others = behind({"a": seeds(*a), "b": seeds(*b)})
    assert best == "a"
    assert others["b"].worse
    assert others["b"].difference.value == pytest.approx(np.mean(b) - np.mean(a))
    assert behind({"a": seeds(*a, better="higher"), "b": seeds(*b, better="higher")})[0] == "b"


@pytest.mark.parametrize("models", [2, 5])
def test_of_equal_models_hardly_ever_one_is_worse(models):
    """However many are compared with the one that happens to be best."""
    random = np.random.default_rng(0)
    times, hits = 300, 0
    for _ in range(times):
        _, others = behind({str(i): seeds(*(100 + 5 * random.normal(size=3))) for i in range(models)})
        hits += any(one.worse for one in others.values())
    assert hits / times < 0.05 + 3 * math.sqrt(0.0475 / times)


def test_a_sure_but_tiny_difference_is_not_worse():
    a, b = seeds(1.0, 1.00001, 1.00002), seeds(1.001, 1.00101, 1.00102)
    _, others = behind({"a": a, "b": b})
    assert others["b"].p < 0.001
    assert not others["b"].worse


@pytest.mark.parametrize(
    ("unit", "better", "a", "worse", "alike"),
    [
        ("share of test images", "higher", 0.97, 0.964, 0.966),
        ("squared distance of features", "lower", 100.0, 106.0, 104.0),
        ("nats per image", "lower", 90.0, 90.6, 90.4),
        ("squared error per pixel", "lower", 0.01, 0.01012, 0.01009),
    ],
)
def test_how_much_worse_matters_depends_on_the_unit(unit, better, a, worse, alike):
    """All differences are sure."""
    models = {
        name: [Score(value + k * 1e-7, unit, 100, better=better) for k in range(3)]
        for name, value in (("a", a), ("b", worse), ("c", alike))
    }
    best, others = behind(models)
    assert best == "a"
    assert {name: one.worse for name, one in others.items()} == {"b": True, "c": False}
    assert all(one.p < 0.001 for one in others.values())


@pytest.mark.parametrize("values", [3, 30])
def test_single_runs_of_few_values_are_compared_with_their_degrees_of_freedom(values):
    """Two intervals by Student's t, on other images each, one cut off at the end of all shares: Welch's test of the values."""
    random = np.random.default_rng(0)
    a, b = 0.97 + 0.03 * random.normal(size=values), 0.9 + 0.02 * random.normal(size=values)
    given = []
    for each in (a, b):
        low, high = mean_interval(each)
        given.append([Score(each.mean(), "share", values, low=low, high=min(1, high), df=values - 1)])
    theirs, ours = stats.ttest_ind(a, b, equal_var=False), of_two(*given)[0]
    assert ours.value / ours.error == pytest.approx(theirs.statistic)
    assert theirs.df * 0.95 <= ours.df <= 2 * (values - 1) + 1e-9


def subject(n=400, fingerprint=0):
    random = np.random.default_rng(fingerprint)
    x = random.integers(0, 255, (n, 1, 4, 4), dtype=np.uint8)
    images = Images(x, labels=np.sort(random.integers(0, 3, n)))
    return Subject(None, images, images)


def run(values, of, better="lower"):
    low, high = mean_interval(values)
    return [Score(float(values.mean()), "", len(values), low=low, high=high, better=better, shared=of.shared(values))]


def test_two_runs_are_compared_on_the_same_test_images():
    """Whose order is that of their classes here."""
    random, test = np.random.default_rng(0), subject()
    image = np.sort(random.exponential(size=400))
    a, b = image + 0.05 * random.normal(size=(2, 400)) + [[0.0], [0.03]]
    found, how = of_two(run(a, test), run(b, test))
    assert found.error == pytest.approx(stats.sem(a - b), rel=0.25)
    assert how.endswith("on the same test images")
    assert behind({"a": run(a, test), "b": run(b, test)})[1]["b"].worse
    assert not behind({"a": run(a, test), "b": run(b, subject(fingerprint=1))})[1]["b"].worse


def test_accuracies_on_some_of_the_test_images():
    random, test = np.random.default_rng(0), subject()
    chosen = np.arange(0, 400, 2)
    hard = random.random(200) < 0.3
    hits = [~hard | (random.random(200) < 0.1) for _ in range(2)]
    scores = [
        [Score(h.mean(), "", 200, low=low, high=high, better="higher", shared=test.shared(h, chosen))]
        for h in hits
        for low, high in (wilson(int(h.sum()), 200),)
    ]
    found, _ = of_two(*scores)
    assert found.error == pytest.approx(stats.sem(hits[0].astype(float) - hits[1]), rel=0.3)
    assert test.shared([1.0]) is None
    assert test.shared([1.0, 2.0]) is None  # of which of the 400?


def test_nothing_is_known_of_a_single_run_without_an_interval():
    best, others = behind({"a": seeds(1.0), "b": seeds(2.0), "c": seeds(3.0, 3.1)})
    assert best == "a"
    assert not any(one.worse for one in others.values())
    assert others["b"].difference is None
    assert others["c"].how == "one seed against several, as if it spread as they do"


def test_the_best_and_its_equals_lead_where_all_is_decided():
    values = {"a": (10.0, 10.01, 10.02), "b": (10.03, 10.02, 10.0), "c": (20.0, 21.0, 22.0)}
    scores = {label: seeds(*some) for label, some in values.items()}
    row = Row("m", "n", scores["a"][0], {label: Spread(some) for label, some in values.items()}, scores)
    assert (row.leading, row.undecided) == ({"a", "b"}, [])  # b is shown to be the same, and c to be worse
    noisy = scores | {"b": seeds(9.0, 11.0, 10.5)}
    open_to = Row("m", "n", scores["a"][0], row.spreads, noisy)
    assert open_to.best[1]["c"].worse
    assert (open_to.leading, open_to.undecided) == (set(), ["b"])  # so that a is not shown to be the best
    assert Row("m", "n", Score(1.0, "", 1), row.spreads, scores).leading == set()
    assert Row("m", "n", scores["a"][0], row.spreads).leading == set()


def test_one_seed_is_held_against_several_as_one_more_of_them():
    several = (4.1, 4.5, 3.9, 4.3)
    found, how = of_two(seeds(5.0), seeds(*several))
    assert how.startswith("one seed against several")
    n, spread = len(several), np.std(several, ddof=1)
    t = (5.0 - np.mean(several)) / (spread * np.sqrt((n + 1) / n))
    assert found.value == pytest.approx(0.8)
    assert found.p == pytest.approx(2 * stats.t.sf(t, n - 1))
    turned, _ = of_two(seeds(*several), seeds(5.0))
    assert turned.value == pytest.approx(-0.8)
    assert turned.p == pytest.approx(found.p)


def test_two_sets_of_test_images_are_not_compared():
    with pytest.raises(DiaboloError, match="different test images"):
        _check_tested(["one", "other", "one"])
    _check_tested(["one", "one"])


def test_one_seed_against_two_or_three_by_hand():
    """Crawford & Howell 1998: s √(1 + 1/n)."""
    for several in ((10.0, 12.0), (10.0, 12.0, 17.0)):
        wanted = np.std(several, ddof=1) * math.sqrt(1 + 1 / len(several))
        for a, b, sign in ((seeds(20.0), seeds(*several), 1), (seeds(*several), seeds(20.0), -1)):
            found, how = of_two(a, b)
            assert found.value == pytest.approx(sign * (20 - np.mean(several)))
            assert found.error == pytest.approx(wanted)
            assert found.df == len(several) - 1
            assert how == "one seed against several, as if it spread as they do"


def test_how_a_model_is_behind_is_said_of_its_own_pair():
    found = behind({"a": seeds(10.0, 11.0), "b": seeds(14.0, 15.5), "c": seeds(20.0)})[1]
    assert found["b"].how == "Welch's test over seeds"
    assert found["c"].how == "one seed against several, as if it spread as they do"


@pytest.mark.parametrize(("low", "high"), [(None, 1.0), (1.0, None)])
def test_half_an_interval_is_none(low, high):
    half, whole = Score(1.0, "nats", 9, low=low, high=high), Score(1.0, "nats", 9, low=0.5, high=1.5)
    for pair in ((half, whole), (whole, half)):
        assert of_two([pair[0]], [pair[1]]) == (None, "no interval of a single run")
    apart, how = of_two([whole], [whole])
    assert (apart.value, how) == (0, "of these two runs")
    assert apart.error == pytest.approx(math.sqrt(2) * 0.5 / 1.959964, rel=1e-5)


def test_two_subjects_share_no_codes():
    images = Images(np.arange(16, dtype=np.uint8).reshape(4, 1, 2, 2))

    class Codec:
        name, latent_shape, needs_column = "codec", (4,), None
        bottleneck = bottlenecks.FeatureMap(latent_shape)

        def __init__(self, factor):
            self.factor = factor

        def encode(self, x, y=None):
            return self.factor * x.reshape(len(x), -1).float()

    one, other = (Subject(Codec(factor), images, images) for factor in (1.0, 2.0))
    assert np.array_equal(2 * one.codes("test"), other.codes("test"))
    assert one.codes("train") is one.codes("train")
    assert "_codes=" not in repr(one)


def test_a_subject_keeps_what_each_image_adds():
    images = Images(np.arange(16, dtype=np.uint8).reshape(4, 1, 2, 2))
    subject = Subject(None, images, images)
    assert subject.shared([1.0]) is None
    assert subject.shared([1.0, 2.0, 3.0]) is None
    whole = subject.shared([2.0, 4.0, 6.0, 12.0])
    assert sorted(whole["parts"]) == pytest.approx([-1.0, -0.5, 0.0, 1.5])
    some = subject.shared([1.0, 3.0], np.array([True, False, False, True]))
    assert sorted(some["parts"]) == pytest.approx([-0.5, 0, 0, 0.5])
    assert some == subject.shared([1.0, 3.0], [0, 3])
    assert whole["of"] == some["of"] == images.fingerprint
    assert subject.part("train") is subject.part("test") is images
