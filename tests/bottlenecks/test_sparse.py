"""L1, top-k and rate: each penalty and gradient by hand or by torch.distributions, in float64 where it is maths."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Bernoulli, kl_divergence

from diabolo import zoo
from diabolo.bottlenecks import KLSparse, Latent, Sparse, TopK
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator
from diabolo.schedules import Cosine


def transparent(width, bottleneck=None):
    """A bottleneck whose code, before any activation, is its features."""
    bottleneck = bottleneck or Sparse(width, width)
    with torch.no_grad():
        bottleneck.to_code.weight.copy_(torch.eye(width))
        bottleneck.to_code.bias.zero_()
    return bottleneck


def test_the_penalty_is_the_sum_of_absolute_values_per_image():
    features = torch.tensor([[1.0, -2.0, 0.0], [0.5, 0.25, -0.25]])
    latent = transparent(3)(features, Draws())
    assert torch.equal(latent.z, features)
    assert torch.equal(latent.code, features)
    assert latent.penalties["l1"].tolist() == [3.0, 1.0]


def test_the_penalty_draws_every_unit_towards_zero():
    features = torch.tensor([[1.0, -2.0, 0.0]], requires_grad=True)
    transparent(3)(features, Draws()).penalties["l1"].sum().backward()
    assert features.grad.tolist() == [[1.0, -1.0, 0.0]]


def test_the_weight_is_a_number_or_a_schedule():
    assert Sparse(4, 2).weights["l1"](0.5) == 1e-4
    assert Sparse(4, 2, 0.1).weights["l1"](0.0) == 0.1
    assert Sparse(4, 2, Cosine(2.0)).weights["l1"](1.0) == 0.0
    assert Sparse(4, 2).units.keys() == Sparse(4, 2).weights.keys()


def test_no_code_is_refused():
    with pytest.raises(DiaboloError, match="latent_dim must be a whole number of at least 1, not -2"):
        Sparse(10, -2)


@pytest.mark.parametrize("weight", [-1e-9, "linear(1, -1)", "nan", lambda p: 0.5 - p])
def test_a_weight_that_rewards_is_refused(weight):
    with pytest.raises(DiaboloError):
        Sparse(4, 2, weight)
    with pytest.raises(DiaboloError):
        KLSparse(4, 2, 0.1, weight)


# --- top-k ----------------------------------------------------------------------------------------------------------------


def test_the_largest_by_value_are_kept_as_they_are():
    features = torch.tensor([[1.0, -5.0, 3.0, 2.0], [-1.0, -4.0, -2.0, -3.0]], requires_grad=True)
    latent = transparent(4, TopK(4, 4, 2))(features, Draws())
    assert latent.z.tolist() == [[0.0, 0.0, 3.0, 2.0], [-1.0, 0.0, -2.0, 0.0]]
    assert torch.equal(latent.code, latent.z)
    latent.z.sum().backward()
    assert features.grad.tolist() == [[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 1.0, 0.0]]


@given(st.integers(1, 9), st.data())
def test_of_each_image_k_units_speak(width, data):
    k = data.draw(st.integers(1, width))
    features = torch.randn(5, width, generator=torch.Generator().manual_seed(data.draw(st.integers(0, 99))))
    z = transparent(width, TopK(width, width, k))(features, Draws()).z
    for row, kept in zip(features.tolist(), z.tolist(), strict=True):
        threshold = sorted(row, reverse=True)[k - 1]
        assert kept == [value if value >= threshold else 0.0 for value in row]


def test_all_units_kept_is_the_plain_waist():
    features = torch.randn(5, 4)
    assert torch.equal(transparent(4, TopK(4, 4, 4))(features, Draws()).z, features)


def test_samples_are_as_sparse_as_codes():
    z = TopK(4, 6, 2).prior(100, Draws(generator(0)), torch.device("cpu"))
    assert ((z != 0).sum(1) == 2).all()


@pytest.mark.parametrize(
    ("k", "says"),
    [(0, "must be a whole number of at least 1, not 0"), (-1, "not -1"), (9, "of a code of 8 units 1 to 8")],
)
def test_more_units_than_there_are_is_refused(k, says):
    with pytest.raises(DiaboloError, match=says):
        TopK(4, 8, k)
    with pytest.raises(DiaboloError, match=says):
        zoo.topk((1, 8, 8), 8, active=k)


# --- a target rate ----------------------------------------------------------------------------------------------------------


def penalty(bottleneck, code):
    return bottleneck.batch_penalties(code, Latent(code, code), code, torch.nn.Identity(), Draws(), 1.0)["kl_rate"]


def test_units_lie_between_0_and_1():
    features = torch.tensor([[0.0, 2.0, -300.0]])
    latent = transparent(3, KLSparse(3, 3))(features, Draws())
    assert torch.allclose(latent.z, torch.tensor([[0.5, 0.880797, 0.0]]))
    assert latent.penalties == {}


@given(st.floats(0.01, 0.99), st.integers(0, 99))
def test_the_penalty_is_the_divergence_of_two_coins(rho, seed):
    code = torch.rand(6, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    wanted = kl_divergence(Bernoulli(torch.tensor(rho, dtype=torch.float64)), Bernoulli(code.mean(0))).sum()
    got = penalty(KLSparse(3, 4, rho), code)
    assert got.shape == (6,)
    assert torch.allclose(got, wanted.expand(6), rtol=1e-9, atol=1e-12)


def test_units_at_the_rate_cost_nothing_and_all_others_are_drawn_to_it():
    code = torch.tensor([[0.1, 0.5, 1e-6], [0.3, 0.9, 1e-6]], dtype=torch.float64, requires_grad=True)
    bottleneck = KLSparse(3, 3, 0.2)
    (gradient,) = torch.autograd.grad(penalty(bottleneck, code).mean(), code)
    assert torch.allclose(gradient[:, 0], torch.zeros(2, dtype=torch.float64), atol=1e-12)
    assert (gradient[:, 1] > 0).all()
    assert (gradient[:, 2] < 0).all()


@pytest.mark.parametrize("feature", [-400.0, 400.0])
def test_units_that_are_stuck_give_finite_numbers(feature):
    features = torch.full((4, 3), feature, requires_grad=True)
    value = penalty(bottleneck := KLSparse(3, 3), transparent(3, bottleneck)(features, Draws()).code)
    value.mean().backward()
    assert value.isfinite().all()
    assert features.grad.isfinite().all()


def test_training_brings_units_to_the_rate():
    torch.manual_seed(0)
    x, model = torch.rand(64, 1, 8, 8), zoo.kl_sparse((1, 8, 8), 12, rate=0.1, rate_weight=1.0, hidden=(16,))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        model.loss(x).total.backward()
        optimizer.step()
    assert model.encode(x).mean(0).sub(0.1).abs().max() < 0.02


def test_encoding_waits_for_nobody(monkeypatch):
    def forbidden(x):
        raise AssertionError("a collective in inference")

    monkeypatch.setattr("diabolo.distributed.mean_of_rows", forbidden)
    for model in (
        zoo.kl_sparse((1, 8, 8), 4),
        zoo.vae((1, 8, 8), 4, free_bits=1.0),
        zoo.vae((1, 8, 8), 4, capacity=3.0),
    ):
        model.encode(torch.rand(3, 1, 8, 8))
        with pytest.raises(AssertionError):
            model.loss(torch.rand(3, 1, 8, 8))


def test_samples_are_as_active_as_was_asked():
    z = KLSparse(4, 3, 0.05).prior(100_000, Draws(generator(0)), torch.device("cpu"))
    assert (z >= 0).all()
    assert (z <= 1).all()
    assert (z.mean(0) - 0.05).abs().max() < 0.003


@pytest.mark.parametrize("rho", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_a_rate_that_no_unit_can_have_is_refused(rho):
    with pytest.raises(DiaboloError, match="rho"):
        KLSparse(4, 2, rho)


@pytest.mark.parametrize("bias", [-200.0, 200.0])
def test_a_unit_that_is_stuck_costs_as_much_as_one_at_the_smallest_number(bias):
    bottleneck = KLSparse(2, 1, rho=0.2)
    torch.nn.init.constant_(bottleneck.to_code.bias, bias)
    features, source = torch.zeros(3, 2), Draws(generator(0, "test"))
    latent = bottleneck(features, source)
    found = bottleneck.batch_penalties(features, latent, features, torch.nn.Identity(), source, 0.0)["kl_rate"]
    tiny = math.log(torch.finfo(torch.float32).tiny)
    wanted = 0.2 * math.log(0.2) + 0.8 * math.log(0.8) - (0.2 if bias < 0 else 0.8) * tiny
    assert found.tolist() == pytest.approx([wanted] * 3, rel=1e-6)
