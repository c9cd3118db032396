"""Probes against scikit-learn's logistic regression and neighbours, and against what they must not depend on."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from torch.nn import functional as F

from diabolo.errors import DiaboloError
from diabolo.latents.arithmetic import Probe
from diabolo.metrics import logistic, probes
from diabolo.metrics.clustering import kmeans_agreement
from diabolo.metrics.logistic import sigmoid_regression, softmax_regression
from diabolo.metrics.probes import (
    agreement,
    attribute_probe,
    common_scale,
    few_label_accuracy,
    linear_probe,
    majority,
    nearest_neighbours,
    read_attributes,
    support_vectors,
)
from diabolo.statistics import mean, wilson


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("n", [1000, 40])  # more examples than numbers in each, and fewer
def test_softmax_regression_finds_the_weights_of_scikit_learn(digits, classes, n, precision):
    few = np.flatnonzero(digits[1] < classes)[:n]
    x, y = digits[0][few].astype(precision), digits[1][few]
    w, b = softmax_regression(torch.from_numpy(x), torch.from_numpy(y), classes)
    assert w.dtype == b.dtype == torch.from_numpy(x).dtype
    other = LogisticRegression(max_iter=10_000, tol=1e-8).fit(x.astype(np.float64), y)
    mine = [(w[1] - w[0])[None], (b[1] - b[0])[None]] if classes == 2 else [w, b - b.mean()]
    theirs = other.intercept_ if classes == 2 else other.intercept_ - other.intercept_.mean()
    assert np.abs(mine[0].numpy() - other.coef_).max() < 1e-3
    assert np.abs(mine[1].numpy() - theirs).max() < 1e-3


@pytest.mark.parametrize("c", [0.1, 10.0])
def test_two_classes_have_the_probabilities_of_scikit_learn_at_any_penalty(digits, c):
    few = np.flatnonzero(np.isin(digits[1], (3, 8)))
    x, y = digits[0][few].astype(np.float64), digits[1][few]
    probe = linear_probe(x, y, l2=1 / (c * len(y)), scale=1.0)
    other = LogisticRegression(C=c, max_iter=10_000, tol=1e-10).fit(x, y)
    with torch.no_grad():
        p = probe.layer.double()(torch.from_numpy(x)).softmax(1).numpy()
    assert np.abs(p - other.predict_proba(x)).max() < 1e-3
    assert probe.classes.tolist() == [3, 8]


def test_a_large_problem_ends_where_accuracies_no_longer_move(digits, monkeypatch):
    x, y = digits[0], digits[1]
    exact = linear_probe(x[:1200], y[:1200])
    monkeypatch.setattr(logistic, "SMALL", 0)
    fast = linear_probe(x[:1200], y[:1200])
    assert (exact.predict(x[1200:]) == fast.predict(x[1200:])).mean() > 0.99
    with torch.no_grad():  # where exactly a descent in float32 stops, hangs on the number of threads
        p, q = (probe.layer(torch.from_numpy(x[1200:])).softmax(1) for probe in (exact, fast))
    assert (p - q).abs().mean() < 0.002


def test_the_gradient_vanishes_by_autograd_where_it_stops(digits):
    x, y = torch.from_numpy(digits[0][:200]).double(), torch.from_numpy(digits[1][:200])
    w, b = (p.requires_grad_() for p in softmax_regression(x, y, 10, l2=0.01))
    (F.cross_entropy(x @ w.T + b, y) + 0.005 * w.square().sum()).backward()
    assert w.grad.abs().max() < 1e-5
    assert b.grad.abs().max() < 1e-5


def test_sigmoid_regression_is_one_logistic_regression_for_each_question(digits):
    x = digits[0][:300].astype(np.float64)
    targets = np.stack([digits[1][:300] == 3, digits[1][:300] > 4, digits[1][:300] % 2 == 0], 1)
    w, b = sigmoid_regression(torch.from_numpy(x), torch.from_numpy(targets))
    for k in range(3):
        other = LogisticRegression(max_iter=10_000, tol=1e-8).fit(x, targets[:, k])
        assert np.abs(w[k].numpy() - other.coef_[0]).max() < 1e-3
        assert abs(float(b[k]) - other.intercept_[0]) < 1e-3


@pytest.mark.parametrize("n", [3, 30])
def test_examples_in_pieces_and_a_unit_that_says_nothing(digits, n, monkeypatch):
    """Fewer examples than numbers, twice the same one among them; and more."""
    x = torch.from_numpy(digits[0][:n, :10].astype(np.float64))
    x[1] = x[0]
    y = torch.arange(n) % 3
    whole = softmax_regression(x, y, 3, l2=0.1)
    monkeypatch.setattr(logistic, "TOGETHER", 20)
    for one, other in zip(softmax_regression(x, y, 3, l2=0.1), whole, strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    w, b = (p.clone().requires_grad_() for p in whole)
    (F.cross_entropy(x @ w.T + b, y) + 0.05 * w.square().sum()).backward()
    assert max(w.grad.abs().max(), b.grad.abs().max()) < 1e-5


def test_a_yes_or_no_regression_with_a_penalty_is_scikit_learns(digits):
    x, yes = digits[0][:200].astype(np.float64), digits[1][:200] > 4
    w, b = sigmoid_regression(torch.from_numpy(x), torch.from_numpy(yes[:, None]), l2=0.02)
    other = LogisticRegression(C=1 / (200 * 0.02), max_iter=10_000, tol=1e-8).fit(x, yes)
    assert np.abs(w[0].numpy() - other.coef_[0]).max() < 1e-3
    assert b.item() == pytest.approx(other.intercept_[0], abs=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 60), st.integers(1, 40), st.integers(0, 1000))
def test_many_fits_at_once_are_the_fits_one_by_one(n, d, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(3, n, d, generator=g, dtype=torch.float64)
    y = torch.randint(0, 3, (3, n), generator=g)
    y[:, :3] = torch.arange(3)  # with one class alone b has no minimum
    together = softmax_regression(x, y, 3, l2=0.1)
    for i in range(3):
        w, b = softmax_regression(x[i], y[i], 3, l2=0.1)
        assert torch.allclose(together[0][i], w, atol=1e-3)
        assert torch.allclose(together[1][i], b, atol=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 20), st.integers(0, 1000))
def test_rotating_the_input_changes_no_logit(d, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(12, d, generator=g, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(d, d, generator=g, dtype=torch.float64))[0]
    y = torch.arange(12) % 2
    w, b = softmax_regression(x, y, 2)
    turned, c = softmax_regression(x @ turn, y, 2)
    assert torch.allclose(x @ w.T + b, x @ turn @ turned.T + c, atol=1e-3)


def test_a_linear_probe_reads_codes_as_they_are_and_is_scikit_learns_in_one_scale(digits):
    x, y = (digits[0] * np.linspace(1, 3, 64) + 5).astype(np.float32), digits[1]
    scale = float(np.sqrt(x[:1200].astype(np.float64).var(0).mean()))
    z = (x.astype(np.float64) - x.mean(0)) / scale  # scikit-learn's solver does not get there without
    probe = linear_probe(x[:1200], y[:1200])
    other = LogisticRegression(max_iter=20_000, tol=1e-8).fit(z[:1200], y[:1200])
    assert np.abs(probe.layer.weight.detach().numpy() * scale - other.coef_).max() < 1e-3
    assert (probe.predict(x[1200:]) == other.predict(z[1200:])).mean() > 0.99
    assert isinstance(probe.layer, torch.nn.Linear)


def test_the_common_scale_is_one_number_and_no_unit_is_blown_up():
    random = np.random.default_rng(0)
    y = np.arange(400) % 2
    loud = random.normal(size=(400, 3)).astype(np.float32)
    idle = 1e-4 * (2 * y[:, None] - 1 + 0.1 * random.normal(size=(400, 1))).astype(np.float32)
    x = np.concatenate([loud, idle], 1)
    assert common_scale(x) == pytest.approx(np.sqrt(x.astype(np.float64).var(0).mean()))
    assert common_scale(np.full((5, 3), 7, np.float32)) == 1
    probe = linear_probe(x, y, l2=1e-2)
    assert (probe.predict(x) == y).mean() < 0.65  # by a deviation of its own the idle unit would tell all
    assert (linear_probe(idle, y).predict(idle) == y).mean() == 1
    layer = attribute_probe(x, y[:, None] == 1, l2=1e-2)
    assert (read_attributes(layer, x)[:, 0] == y).mean() < 0.65
    lean = Probe.fit(x, y == 1)
    assert abs(lean.weight[3]) * idle.std() < np.abs(lean.weight[:3]).max()


def test_unknown_labels_are_left_out_and_classes_keep_their_names(digits):
    x, y = digits[0][:600], np.where(digits[1][:600] < 5, digits[1][:600], -1) * 10
    y[y < 0] = -1
    probe = linear_probe(x, y)
    assert probe.classes.tolist() == [0, 10, 20, 30, 40]
    known = y != -1
    assert np.array_equal(probe.predict(x), linear_probe(x[known], y[known]).predict(x))
    assert set(nearest_neighbours(x, y, x)) == {0, 10, 20, 30, 40}
    assert majority(np.array([-1, -1, -1, 7, 7, 2])) == 7
    assert majority(np.array([9, 4])) == 4


def test_a_constant_unit_is_no_trouble(digits):
    x = np.concatenate([digits[0], np.full((len(digits[0]), 1), 3, np.float32)], 1)
    assert (linear_probe(x, digits[1]).predict(x) == digits[1]).mean() > 0.97
    weight, bias = softmax_regression(
        torch.ones(4, 9), torch.tensor([0, 0, 0, 1]), 2
    )  # fewer examples than units, all alike
    torch.testing.assert_close(weight, torch.zeros(2, 9))
    torch.testing.assert_close(bias.softmax(0), torch.tensor([0.75, 0.25]))


def test_neighbours_by_hand():
    x, y = np.array([[0.0], [1.0], [2.0], [10.0]], np.float32), np.array([7, 3, 3, -1])
    queries = np.array([[-1.0], [9.0], [1.4]])  # float64, and nearest to one whose label is not known
    assert nearest_neighbours(x, y, queries, 1).tolist() == [7, 3, 3]
    assert nearest_neighbours(x, y, queries, 2).tolist() == [3, 3, 3]  # of 7 and 3 the smaller one
    assert nearest_neighbours(x, y, queries, 3).tolist() == [3, 3, 3]
    for k in (0, 4):
        with pytest.raises(DiaboloError, match=f"from 1 to 3, not {k}"):
            nearest_neighbours(x, y, queries, k)
    with pytest.raises(DiaboloError, match="NaN"):
        nearest_neighbours(x, y, np.array([[np.nan]]), 1)


def test_the_scale_of_codes_that_hardly_vary():
    far = np.array([[1.0, 1.0], [1.0, 1 + 3e-12]])  # by the rounding of float64
    assert common_scale(1 + (far - 1) / 3) == 1
    assert common_scale(far) == pytest.approx(1.5e-12 / np.sqrt(2), rel=1e-3)
    assert common_scale(np.array([[0.0], [2.0]])) == 1
    assert common_scale(np.array([[0.0], [1e-20]])) == pytest.approx(5e-21)
    assert common_scale(np.zeros((3, 2))) == 1


def test_neighbours_are_scikit_learns(digits):
    x, y = digits
    mine = nearest_neighbours(x[:1000], y[:1000], x[1000:], 5)
    other = KNeighborsClassifier(5, algorithm="kd_tree").fit(x[:1000], y[:1000])
    assert (mine == other.predict(x[1000:])).mean() > 0.995  # ties between equal distances aside


def test_few_labels_are_logistic_regression_for_each_draw(digits):
    x, y = digits
    draws = [np.random.default_rng(i).permutation(1000)[:50] for i in range(3)]
    shares = few_label_accuracy(x, y, draws, x[1000:], y[1000:])
    for share, draw in zip(shares, draws, strict=True):
        other = LogisticRegression(max_iter=5000).fit(x[draw], y[draw])
        assert abs(share - other.score(x[1000:], y[1000:])) < 0.01


def test_few_labels_in_pieces_are_the_same(digits, monkeypatch):
    x, y = digits
    draws = [np.random.default_rng(i).permutation(1000)[:20] for i in range(2)]
    whole = few_label_accuracy(x, y, draws, x[1000:], y[1000:], l2=0.3)
    for draw, share in zip(draws, whole, strict=True):
        other = LogisticRegression(C=1 / (20 * 0.3), max_iter=5000).fit(x[draw], y[draw])
        assert share == pytest.approx(other.score(x[1000:], y[1000:]), abs=0.004)
    monkeypatch.setattr(probes, "NUMBERS", 700)
    assert few_label_accuracy(x, y, draws, x[1000:], y[1000:], l2=0.3).tolist() == whole.tolist()


def test_a_class_that_no_label_showed_is_never_right(digits):
    x, y = digits
    draw = [np.flatnonzero(y == 2)[:5].tolist() + np.flatnonzero(y == 7)[:5].tolist()]
    (share,) = few_label_accuracy(x, y, np.array(draw), x, y)
    assert 0.1 < share <= np.isin(y, (2, 7)).mean()


def test_clusters_that_are_the_classes_score_one_and_noise_scores_nothing():
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 50)
    heaps = (10 * np.eye(4)[y] + random.normal(size=(200, 4))).astype(np.float32)
    found = kmeans_agreement(heaps, heaps, y, 4)
    assert found.nmi == pytest.approx(1)
    assert found.ari == pytest.approx(1)
    noise = random.normal(size=(200, 4)).astype(np.float32)
    assert abs(kmeans_agreement(noise, noise, y, 4).ari) < 0.05


def test_attributes_in_a_scale_and_with_a_penalty_are_scikit_learns(digits):
    x, yes = digits[0][:300].astype(np.float64), np.stack([digits[1][:300] == 3, digits[1][:300] > 4], 1)
    layer = attribute_probe(x, yes, l2=0.01, scale=2.0)
    for k in range(2):
        other = LogisticRegression(C=1 / (300 * 0.01), max_iter=10_000, tol=1e-8).fit(x / 2, yes[:, k])
        assert np.abs(layer.weight[k].detach().numpy() * 2 - other.coef_[0]).max() < 1e-3
        assert layer.bias[k].item() == pytest.approx(other.intercept_[0], abs=1e-3)


def test_a_logit_of_zero_says_no_and_an_attribute_of_all_has_no_balance():
    layer = torch.nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0]]))
        layer.bias.zero_()
    assert read_attributes(layer, np.array([[0, 1], [1e-3, 0], [-1, 0]], np.float32))[:, 0].tolist() == [
        False, True, False,
    ]  # fmt: skip
    found = agreement(np.array([[1, 0], [0, 0]]), np.array([[1, 0], [1, 0]]))
    assert np.isnan(found.balanced).all()
    assert found.accuracy.tolist() == [0.5, 1]
    assert [*zip(found.low, found.high, strict=True)] == [wilson(1, 2), wilson(2, 2)]


@pytest.mark.parametrize(
    ("said", "truth", "message"),
    [
        ([1, 0], [1, 0], r"of the shape \(N, A\), not \(2,\)"),
        (np.ones((2, 0)), np.ones((2, 0)), r"of the shape \(N, A\), not \(2, 0\)"),
        (np.ones((3, 1)), np.ones((2, 1)), r"of the shape \(2, A\), not \(3, 1\)"),
        (np.ones((2, 1)), np.full((2, 1), 2), "True and False, or 0 and 1, not 2"),
    ],
)
def test_attributes_of_another_shape_are_refused(said, truth, message):
    with pytest.raises(DiaboloError, match=message):
        agreement(said, truth)


def test_attributes_are_read_and_rare_ones_are_not_flattered():
    truth = np.array([[1, 0], [1, 0], [0, 0], [0, 1]], bool)
    found = agreement(np.array([[1, 0], [0, 0], [0, 0], [0, 0]], bool), truth)
    assert found.accuracy.tolist() == [0.75, 0.75]
    assert found.balanced.tolist() == [0.75, 0.5]  # (1/2 + 1) / 2, and (0 + 1) / 2 by always saying no
    assert (found.low[0], found.high[0]) == wilson(3, 4)
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 6)).astype(np.float32)
    attributes = np.stack([x[:, 0] > 0, x[:, 1] + x[:, 2] > 1], 1)
    layer = attribute_probe(x[:300], attributes[:300])
    assert (agreement(read_attributes(layer, x[300:]), attributes[300:]).accuracy > 0.9).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(digits, bad):
    x = digits[0][:50].copy()
    x[3, 4] = bad
    for probe in (linear_probe, lambda a, b: nearest_neighbours(a, b, a)):
        with pytest.raises(DiaboloError, match="NaN"), np.errstate(invalid="ignore"):
            probe(x, digits[1][:50])


def test_bad_input_is_refused_in_a_sentence(digits):
    x, y = digits
    with pytest.raises(DiaboloError, match="hold 1"):
        linear_probe(x[:5], np.zeros(5, np.int64))
    with pytest.raises(DiaboloError, match="50 representations but 49"):
        linear_probe(x[:50], y[:49])
    with pytest.raises(DiaboloError, match=r"labels \(N,\), not \(50, 64\) and \(50, 1\)"):
        linear_probe(x[:50], y[:50, None])
    with pytest.raises(DiaboloError, match=r"not \(50, 0\) and \(50,\)"):
        linear_probe(x[:50, :0], y[:50])
    with pytest.raises(DiaboloError, match=r"not \(50, 8, 8\) and \(50,\)"):
        linear_probe(x[:50].reshape(50, 8, 8), y[:50])
    with pytest.raises(DiaboloError, match="no label is known"):
        majority(np.array([-1, -1]))
    with pytest.raises(DiaboloError, match="from 1 to 4"):
        nearest_neighbours(x[:4], y[:4], x, 5)
    for constant in (0, 1):
        with pytest.raises(DiaboloError, match="1 of 2 attributes are the same for all"):
            attribute_probe(x[:4], np.stack([np.full(4, constant), [0, 1, 0, 1]], 1))
    with pytest.raises(DiaboloError, match="3 codes cannot lie in 4"):
        kmeans_agreement(x[:3], x, y, 4)


@pytest.mark.parametrize("where", [0, 1])
def test_clusters_of_what_is_no_number_are_refused(digits, where):
    both = [digits[0][:20].copy(), digits[0][:20].copy()]
    both[where][3, 4] = np.nan
    with pytest.raises(DiaboloError, match="NaN or infinity"):
        kmeans_agreement(*both, digits[1][:20], 2)


def test_as_many_clusters_as_codes():
    x = np.array([[0.0], [5.0], [9.0]], np.float32)
    found = kmeans_agreement(x, np.array([[0.1], [9.1], [5.1], [4.9]]), np.array([0, 1, 2, 2]), 3)
    assert (found.nmi, found.ari) == (1, 1)
    assert found.assigned.dtype == np.int64
    assert len(set(found.assigned[:3])) == 3
    assert found.assigned[2] == found.assigned[3]


def test_fewer_different_codes_than_clusters_are_refused():
    few = np.tile(np.eye(3, 2, dtype=np.float32), (20, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DiaboloError, match="only 3 different"):
            kmeans_agreement(few, few, np.arange(60) % 3, 5)
        assert kmeans_agreement(few, few, np.arange(60) % 3, 3).nmi == pytest.approx(1)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_numbers_of_any_width_are_read(kind):
    """The sum of these is beyond float16."""
    random = np.random.default_rng(0)
    x = (50 + 10 * random.normal(size=(1000, 64))).astype(kind)
    y = (x[:, 0] > 50).astype(np.int64)
    assert (nearest_neighbours(x, y, x, 1) == y).all()
    heaps = (1000 * y[:, None] + random.normal(size=(1000, 1))).astype(kind)
    assert kmeans_agreement(heaps, heaps, y, clusters=2).ari == 1
    answers = np.stack([y == 1, x[:, 1] > 60], 1)
    assert (read_attributes(attribute_probe(x, answers), x) == answers).mean() > 0.95


@pytest.mark.parametrize("kind", [np.float16, np.int16, np.uint8])
def test_narrow_numbers_far_from_zero_are_read_as_what_they_are(kind):
    """Between 64 and 128 numbers of float16 are 1/16 apart, and sums and weights of that width would be as coarse."""
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 600)
    x = (100 + np.eye(3)[y].repeat(4, 1) + random.normal(size=(600, 12))).astype(kind)
    exact = x.astype(np.float64)
    layers = [linear_probe(z, y).layer for z in (x, exact)]
    layers += [attribute_probe(z, np.eye(3)[y] > 0) for z in (x, exact)]
    for one, other in (layers[:2], layers[2:]):
        assert torch.equal(one.weight, other.weight)
        assert torch.equal(one.bias, other.bias)
    draws = [np.arange(30), np.arange(30, 60)]
    assert few_label_accuracy(x, y, draws, x, y).tolist() == few_label_accuracy(exact, y, draws, exact, y).tolist()
    w, b = softmax_regression(torch.from_numpy(x), torch.from_numpy(y), 3)
    assert w.dtype == b.dtype == torch.float64


def test_support_vectors_separate_what_no_line_does():
    x = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    y = np.array([5, 5, 2, 2])
    near = x + 0.05
    assert support_vectors(x, y, near, unit_length=False).tolist() == y.tolist()
    several, unknown = np.r_[x, [[9.0, 9.0]]], np.r_[y, -1]
    assert support_vectors(several, unknown, near, unit_length=False).tolist() == y.tolist()


def test_at_unit_length_directions_alone_count(digits):
    x, y = digits[0][:200] - 0.3, digits[1][:200]
    lengths = np.random.default_rng(0).uniform(0.1, 10, (200, 1))
    one = support_vectors(x, y, x)
    assert np.array_equal(one, support_vectors(lengths * x, y, lengths[::-1] * x))
    assert (one == y).mean() > 0.9
    assert not np.array_equal(
        support_vectors(x, y, x, unit_length=False), support_vectors(x, y, lengths * x, unit_length=False)
    )


def test_a_machine_refuses_what_it_cannot_learn_from():
    x = np.eye(3)
    with pytest.raises(DiaboloError, match="distinguishes classes, and the labels hold 1"):
        support_vectors(x, np.array([1, 1, -1]), x)
    with pytest.raises(DiaboloError, match="NaN or infinite"):
        support_vectors(x, np.array([0, 1, 1]), np.full((1, 3), np.nan))


@pytest.mark.parametrize("draws", [100, pytest.param(1_500, marks=pytest.mark.slow)])
def test_intervals_over_ten_draws_of_labels_hold_the_accuracy_of_many(digits, draws):
    """As the guide gives them: one hundred labels, drawn anew each time, and the same test images."""
    (x, y), random = digits, np.random.default_rng(0)
    accuracies = []
    for _ in range(draws):
        few = random.choice(1200, 100, replace=False)
        accuracies.append(float((support_vectors(x[few], y[few], x[1200:]) == y[1200:]).mean()))
    ends = [mean(random.choice(accuracies, 10)).interval() for _ in range(1000)]
    assert 0.92 < np.mean([low <= np.mean(accuracies) <= high for low, high in ends]) < 0.975
