"""Likelihoods of real data and counts against scipy.stats: their values, their gradients, their means, and what they refuse."""

import json
import math

import numpy as np
import pytest
import torch
from scipy import stats

from diabolo import parts, unfold, zoo
from diabolo.errors import DiaboloError
from diabolo.likelihoods import Gaussian, Laplace, NegativeBinomial, Poisson, StudentT, as_likelihood
from diabolo.likelihoods.counts import negative_binomial_nll, poisson_nll
from diabolo.likelihoods.student import student_nll
from diabolo.randomness import Draws

SHAPES = [(4,), (3, 6), (2, 3, 5), (2, 2, 3, 2)]
each_shape = pytest.mark.parametrize("shape", SHAPES)
COUNTS = [0, 1, 2, 7, 50, 1000, 30_000]


def real(shape, n=5):
    g = torch.Generator().manual_seed(0)
    return 3 * torch.randn(n, *shape, generator=g), 5 * torch.randn(n, *shape, generator=g)


def counted(shape, n=5):
    random = np.random.default_rng(0)
    raw = torch.tensor(random.normal(1, 2, (n, *shape)), dtype=torch.float32)
    return raw, torch.tensor(random.choice(COUNTS, (n, *shape)), dtype=torch.float32)


def prepared(likelihood, shape, **values):
    """With parameters that are all different, where there are several."""
    likelihood.prepare(shape)
    found = {}
    for name, low, high in ((name, *ends) for name, ends in values.items()):
        parameter = likelihood.number(f"log_{name}")
        value = torch.linspace(low, high, parameter.numel()) if parameter.numel() > 1 else torch.tensor(low)
        with torch.no_grad():
            parameter.copy_(value.log().view(parameter.shape))
        found[name] = parameter.detach().double().exp().numpy()
    return found


def agrees(loss, wanted):
    """`loss` (N,) float32 is the sum over each image of `wanted` (N, …)."""
    assert loss.dtype == torch.float32
    np.testing.assert_allclose(loss.detach().numpy(), wanted.reshape(len(wanted), -1).sum(1), rtol=1e-5)


@each_shape
@pytest.mark.parametrize("how", ["learned", "per-feature"])
def test_gaussian_and_laplace_with_a_width_per_feature(shape, how):
    raw, x = real(shape)
    one, other = Gaussian(how, "linear"), Laplace(how, "linear")
    sigma, scale = prepared(one, shape, sigma=(0.2, 4.0))["sigma"], prepared(other, shape, scale=(0.3, 5.0))["scale"]
    features = (shape[0], *[1] * (len(shape) - 1)) if how == "per-feature" else ()
    assert sigma.shape == scale.shape == features
    r, y = raw.double().numpy(), x.double().numpy()
    agrees(one.loss(raw, x), -stats.norm.logpdf(y, r, sigma))
    agrees(other.loss(raw, x), -stats.laplace.logpdf(y, r, scale))
    assert torch.equal(one.mean(raw), raw)
    agrees(one.weighed(raw, x, torch.arange(1.0, 6.0)), -stats.norm.logpdf(y, r, sigma))


@each_shape
@pytest.mark.parametrize("df", [0.7, 1.0, 4.0, 300.0, "learned", "per-feature"])
def test_student_t_is_the_log_density(shape, df):
    raw, x = real(shape)
    likelihood = StudentT(df)
    values = {"scale": (0.2, 4.0)} | ({"df": (1.5, 60.0)} if isinstance(df, str) else {})
    found = prepared(likelihood, shape, **values)
    wanted = -stats.t.logpdf(x.double().numpy(), found.get("df", df), raw.double().numpy(), found["scale"])
    agrees(likelihood.loss(raw, x), wanted)
    assert torch.equal(likelihood.mean(raw), raw)
    assert likelihood.support == (-math.inf, math.inf)
    assert likelihood.density


def test_student_t_through_a_sigmoid_and_with_a_given_scale():
    raw, x = real((4,))
    likelihood = StudentT(3.0, 0.5, "sigmoid")
    wanted = stats.t.logpdf(x.double().numpy(), 3, torch.sigmoid(raw.double()).numpy(), 0.5)
    agrees(likelihood.loss(raw, x), -wanted)
    assert not list(likelihood.parameters())
    assert likelihood.support == (0.0, 1.0)


@each_shape
def test_poisson_is_the_log_probability(shape):
    raw, x = counted(shape)
    wanted = -stats.poisson.logpmf(x.double().numpy(), np.exp(raw.double().numpy()))
    agrees(Poisson().loss(raw, x), wanted)
    assert torch.allclose(Poisson().mean(raw), raw.exp())


@each_shape
@pytest.mark.parametrize("theta", [0.3, 1e4, "learned", "per-feature"])
def test_negative_binomial_is_the_log_probability(shape, theta):
    raw, x = counted(shape)
    likelihood = NegativeBinomial(theta)
    learned = isinstance(theta, str)
    theta = prepared(likelihood, shape, theta=(0.2, 50.0))["theta"] if learned else np.float64(np.float32(theta))
    mean = np.exp(raw.double().numpy())
    agrees(likelihood.loss(raw, x), -stats.nbinom.logpmf(x.double().numpy(), theta, theta / (theta + mean)))
    assert torch.allclose(likelihood.mean(raw), raw.exp())


def test_large_counts_lose_no_digits():
    """log Γ of 30,000 is 280,000: its float32 is off by 0.02 nats, where the answer is 6."""
    x = torch.tensor([[30_000.0]])
    raw = x.log() + 1e-3
    agrees(Poisson().loss(raw, x), -stats.poisson.logpmf(30_000, np.exp(raw.double().numpy())))
    theta, mean = 1e5, np.exp(raw.double().numpy())
    exact = -stats.nbinom.logpmf(30_000, theta, theta / (theta + mean))
    agrees(NegativeBinomial(theta).loss(raw, x), exact)
    raw, x = torch.tensor([[0.7]]), torch.tensor([[3.0]])
    assert NegativeBinomial(1e6).loss(raw, x).item() == pytest.approx(Poisson().loss(raw, x).item(), abs=1e-5)


def test_scipy_draws_have_the_mean_that_is_reconstructed():
    raw = torch.tensor([[0.5, 2.0, -1.0]])
    random, theta = np.random.default_rng(0), 1.7
    mean = np.exp(raw.numpy()[0])
    drawn = random.negative_binomial(theta, theta / (theta + mean), (200_000, 3))
    assert NegativeBinomial(theta).mean(raw).numpy()[0] == pytest.approx(drawn.mean(0), rel=0.02)
    assert mean + mean**2 / theta == pytest.approx(drawn.var(0), rel=0.04)
    drawn = random.poisson(mean, (200_000, 3))
    assert Poisson().mean(raw).numpy()[0] == pytest.approx(drawn.mean(0), rel=0.02)


def wide(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def test_gradients_are_those_of_finite_differences():
    """In float64, by all that is learned."""
    raw, per_feature = wide(4, 3), wide(3, seed=1)
    x = torch.tensor([0.0, 1.0, 4.0, 90.0], dtype=torch.float64)[:, None].expand(4, 3)
    check = torch.autograd.gradcheck
    assert check(lambda d, s, v: student_nll(d, s, v + 1), (raw, per_feature, wide(3, seed=2)))
    assert check(lambda d, s, v: student_nll(d, s, v + 1), (raw, per_feature, wide(seed=2)))
    assert check(lambda r: poisson_nll(x, r), (raw,))
    assert check(lambda r, t: negative_binomial_nll(x, r, t), (raw, per_feature))


@pytest.mark.parametrize("make", [
    lambda: Gaussian("per-feature", "linear"), lambda: Laplace("per-feature", "linear"), lambda: StudentT("per-feature"),
    lambda: Poisson(), lambda: NegativeBinomial(),
])  # fmt: skip
def test_what_is_learned_finds_the_best_fit(make):
    """Gradients of the class itself: from drawn data, location and widths per feature come near the maximum of the likelihood,
    and beat the truth that the data were drawn from."""
    random, likelihood = np.random.default_rng(0), make()
    n, truth, spread = 400, np.array([[0.5, 2.0]]), np.array([0.5, 3.0])
    drawn = {
        Gaussian: lambda: random.normal(truth, spread, (n, 2)),
        Laplace: lambda: random.laplace(truth, spread, (n, 2)),
        StudentT: lambda: truth + spread * random.standard_t([3.0, 30.0], (n, 2)),
        Poisson: lambda: random.poisson(np.exp(truth), (n, 2)),
        NegativeBinomial: lambda: random.negative_binomial(spread, spread / (spread + np.exp(truth)), (n, 2)),
    }[type(likelihood)]()
    x = torch.tensor(drawn, dtype=torch.float32)
    of_truth = make()
    for each in (likelihood, of_truth):
        each.prepare((2,))
    with torch.no_grad():
        for name, value in (
            ("log_sigma", spread),
            ("log_scale", spread),
            ("log_theta", spread),
            ("log_df", [3.0, 30.0]),
        ):
            if hasattr(of_truth, name):
                of_truth.number(name).copy_(torch.tensor(value).log())
    raw = torch.zeros(1, 2, requires_grad=True)
    optimiser = torch.optim.Adam([raw, *likelihood.parameters()], lr=0.1)
    for _ in range(150):
        optimiser.zero_grad()
        loss = likelihood.loss(raw.expand(n, 2), x).mean()
        loss.backward()
        optimiser.step()
    best = of_truth.loss(torch.tensor(truth, dtype=torch.float32).expand(n, 2), x).mean().item()
    assert best - 0.05 < loss.item() < best + 1e-3
    assert raw.detach().numpy()[0] == pytest.approx(truth[0], abs=0.4)


@pytest.mark.parametrize(
    "make", [Poisson, NegativeBinomial, lambda: StudentT(), lambda: Gaussian("per-feature", "linear")]
)
def test_extreme_outputs_have_finite_losses_and_gradients(make):
    likelihood = make()
    likelihood.prepare((4,))
    raw = torch.tensor([[-1e4, 1e4, 0.0, 50.0]], requires_grad=True)
    loss = likelihood.loss(raw, torch.tensor([[0.0, 3.0, 1e6, 0.0]]))
    loss.sum().backward()
    assert loss.isfinite().all()
    assert raw.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in likelihood.parameters())
    assert likelihood.mean(raw).isfinite().all()


def test_a_learned_number_comes_back_into_its_range():
    """Beyond its bounds the density is that of the bound, and the gradient leads back."""
    likelihood = StudentT("learned", 1.0)
    x = torch.tensor(stats.t.rvs(3, size=(50, 2), random_state=0), dtype=torch.float32)
    for outside, bound in ((-3.0, 0.0), (20.0, math.log(1000))):
        with torch.no_grad():
            likelihood.log_df.fill_(outside)
        loss = likelihood.loss(torch.zeros(50, 2), x)
        agrees(loss, -stats.t.logpdf(x.double().numpy(), np.exp(bound)))
        (slope,) = torch.autograd.grad(loss.mean(), likelihood.log_df)
        assert slope * outside > 0  # a step against it leads to 3


@pytest.mark.parametrize("name", ["student-t", "negative-binomial", "gaussian", "laplace"])
@pytest.mark.parametrize("shape", [(6,), (2, 4, 5)])
def test_a_model_makes_what_is_learned_per_feature_and_a_run_folder_keeps_it(name, shape):
    option = {"gaussian": "sigma", "laplace": "scale", "student-t": "df", "negative-binomial": "theta"}[name]
    model = zoo.vae(shape, 2, hidden=(4,), likelihood=name, **{option: "per-feature"})
    features = (shape[0], *[1] * (len(shape) - 1))
    parameter = getattr(model.likelihood, f"log_{option}")
    assert parameter.shape == features
    assert any(p is parameter for p in model.parameters())
    assert f"likelihood.log_{option}" in str(model.summary())
    model.loss(torch.rand(3, *shape).round(), Draws()).total.backward()
    assert (parameter.grad != 0).all()
    with torch.no_grad():
        parameter.add_(torch.rand(features))
    again = parts.build(json.loads(json.dumps(parts.describe(model))))
    again.load_state_dict(model.state_dict())
    assert torch.equal(getattr(again.likelihood, f"log_{option}"), parameter)
    model.likelihood.prepare(shape)  # another model of the same images may share it
    assert getattr(model.likelihood, f"log_{option}") is parameter
    with pytest.raises(DiaboloError, match=rf"learns {shape[0]} numbers log_{option}.*\(9,\) have 9 features"):
        model.likelihood.prepare((9,))


def test_a_conditional_model_shares_its_likelihood_with_the_one_that_it_is_made_of():
    model = zoo.cvae((5,), 2, hidden=(4,), classes=3, joined="added", likelihood="gaussian", sigma="per-feature")
    names = [name for name, _ in model.named_parameters() if "log_sigma" in name]
    assert names == ["likelihood.log_sigma"]


def test_before_the_shape_is_known_nothing_can_be_scored():
    with pytest.raises(DiaboloError, match=r"Gaussian learns log_sigma per feature.*call prepare\(shape\)"):
        Gaussian("per-feature").loss(torch.zeros(1, 2), torch.zeros(1, 2))


def test_unfold_says_that_it_cannot_write_a_scale_per_feature():
    for options in (
        {"likelihood": "gaussian", "sigma": "per-feature"},
        {"likelihood": "laplace", "scale": "per-feature"},
    ):
        with pytest.raises(DiaboloError, match="unfold cannot write a scale per feature"):
            unfold.unfolded(zoo.vae((5,), 2, hidden=(4,), **options))
    with pytest.raises(DiaboloError, match="unfold cannot write the likelihood Poisson"):
        unfold.unfolded(zoo.vae((5,), 2, hidden=(4,), likelihood="poisson"))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        (
            "poisson",
            (-1.0, 9.0, True),
            "Poisson scores counts, whole numbers of 0 or more, and the data hold -1: use gaussian",
        ),
        ("negative-binomial", (0.0, 9.5, False), "NegativeBinomial scores counts.*the data hold fractions"),
        (
            "bernoulli",
            (0.0, 1.5, False),
            "Bernoulli scores numbers from 0 to 1, and the data reach from 0 to 1.5: scale them",
        ),
        ("gaussian", (-2.0, 1.0, False), "Gaussian scores numbers from 0 to 1, and the data reach from -2 to 1"),
    ],
)
def test_data_that_it_cannot_score_are_refused(name, data, says):
    with pytest.raises(DiaboloError, match=says) as refused:
        as_likelihood(name).check_data(*data)
    assert not str(refused.value).endswith(".")


def test_data_that_it_can_score_are_not_refused():
    for name in ("poisson", "negative-binomial"):
        as_likelihood(name).check_data(0.0, 1e6, True)
        assert as_likelihood(name).counts
        assert (as_likelihood(name).support, as_likelihood(name).density) == ((0.0, math.inf), False)
    as_likelihood("student-t").check_data(-1e9, 1e9, False)
    Gaussian(output="linear").check_data(-1e9, 1e9, False)
    as_likelihood("bernoulli").check_data(-1e-7, 1 + 1e-7, False)  # a hair of rounding


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: StudentT("learnt"), "unknown df 'learnt'; did you mean 'learned'"),
        (lambda: StudentT(scale="per-pixel"), "unknown scale 'per-pixel'"),
        (lambda: StudentT(0.0), "df must be a number above 0"),
        (lambda: StudentT(scale=1e-5), "scale 1e-05 is below that of the rounding to 8 bits"),
        (lambda: NegativeBinomial("optimal"), "unknown theta 'optimal'"),
        (lambda: NegativeBinomial(-1.0), "theta must be a number above 0"),
        (lambda: NegativeBinomial(1e12), "theta must be a number above 0 and at most 1,000,000"),
        (lambda: Gaussian("per-pixel"), "did you mean 'per-feature'"),
        (lambda: as_likelihood("poisson", theta=1.0), "theta is for the likelihood negative-binomial, not poisson"),
        (lambda: zoo.vae((4,), 2, likelihood="laplace", df=3.0), "df is for the likelihood student-t, not laplace"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(DiaboloError, match=says):
        make()
