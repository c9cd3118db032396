"""Every likelihood against torch.distributions in float64, its units, and the σ that is optimal."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Distribution, Normal
from torch.distributions import Laplace as LaplaceDistribution
from torch.nn import functional as F

from diabolo import likelihoods, parts
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.likelihoods import (
    LIKELIHOODS,
    LOG_SIGMA_FLOOR,
    MSSSIM,
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    NegativeBinomial,
    Poisson,
    SquaredError,
    StudentT,
    as_likelihood,
)

SHAPES = [(1, 5, 5), (3, 4, 6), (7,)]
EVERY = {
    "squared error per pixel": lambda: SquaredError(),
    "squared error per image": lambda: SquaredError("image", "linear"),
    "bernoulli": lambda: Bernoulli(),
    "continuous bernoulli": lambda: ContinuousBernoulli(),
    "gaussian, fixed": lambda: Gaussian(0.3),
    "gaussian, learned": lambda: Gaussian("learned", "linear"),
    "gaussian, optimal": lambda: Gaussian(),
    "laplace, fixed": lambda: Laplace(0.2, "linear"),
    "laplace, learned": lambda: Laplace(),
}
every = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


def some(shape=(3, 4, 6), n=5, seed=0):
    g = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(n, *shape, generator=g), torch.rand(n, *shape, generator=g)


def nats(distribution: Distribution, x):
    return -distribution.log_prob(x.double()).flatten(1).sum(1)


def through(output, raw):
    return torch.sigmoid(raw.double()) if output == "sigmoid" else raw.double()


def close(got, wanted, rel=2e-5):
    assert got.shape == wanted.shape
    assert torch.allclose(got.double(), wanted.double(), rtol=rel, atol=1e-5), (got, wanted)


@pytest.mark.parametrize("shape", SHAPES)
def test_bernoulli_is_the_log_density_of_bits_and_the_cross_entropy_of_greys(shape):
    raw, x = some(shape)
    bits = x.round()
    close(Bernoulli().loss(raw, bits), nats(torch.distributions.Bernoulli(logits=raw.double()), bits))
    p = torch.sigmoid(raw.double())
    close(Bernoulli().loss(raw, x), -(x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1))


def test_the_cross_entropy_and_its_derivatives_are_those_of_torch():
    raw = torch.cat([torch.linspace(-60, 60, 2001), torch.tensor([0.0, 1e4, -1e4])])
    for target in (0.0, 1.0, 0.3):
        x = torch.full_like(raw, target)
        a, b = raw[:, None].clone().requires_grad_(), raw[:, None].double().requires_grad_()
        p, q = x[:, None].clone().requires_grad_(), x[:, None].double().requires_grad_()
        got = Bernoulli().loss(a, p)
        wanted = F.binary_cross_entropy_with_logits(b, q, reduction="none").sum(1)
        assert torch.allclose(got.double(), wanted, rtol=1e-6, atol=2e-7)
        scale = torch.arange(1.0, len(raw) + 1)
        ours = torch.autograd.grad((scale * got).sum(), (a, p), create_graph=True)
        theirs = torch.autograd.grad((scale * wanted).sum(), (b, q), create_graph=True)
        for one, other in zip(ours, theirs, strict=True):
            assert torch.allclose(one.double(), other, rtol=1e-5, atol=1e-3)
        (one,), (other,) = torch.autograd.grad(ours[0].sum(), a), torch.autograd.grad(theirs[0].sum(), b)
        assert torch.allclose(one.double(), other, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("output", ["sigmoid", "linear"])
@pytest.mark.parametrize("sigma", [0.01, 0.3, 1.0, 7.0])
def test_gaussian_is_the_log_density(shape, output, sigma):
    raw, x = some(shape)
    close(Gaussian(sigma, output).loss(raw, x), nats(Normal(through(output, raw), sigma), x))
    learned = Gaussian("learned", output)
    with torch.no_grad():
        learned.log_sigma.fill_(math.log(sigma))
    close(learned.loss(raw, x), nats(Normal(through(output, raw), sigma), x))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("output", ["sigmoid", "linear"])
@pytest.mark.parametrize("scale", [0.01, 0.3, 7.0])
def test_laplace_is_the_log_density(shape, output, scale):
    raw, x = some(shape)
    close(Laplace(scale, output).loss(raw, x), nats(LaplaceDistribution(through(output, raw), scale), x))
    learned = Laplace("learned", output)
    with torch.no_grad():
        learned.log_scale.fill_(math.log(scale))
    close(learned.loss(raw, x), nats(LaplaceDistribution(through(output, raw), scale), x))


@pytest.mark.parametrize("make", [Gaussian, Laplace])
@pytest.mark.parametrize("scale", [1e-3, 1e-5])
def test_a_very_small_scale_is_honoured_or_refused(make, scale):
    distribution = Normal if make is Gaussian else LaplaceDistribution
    raw, x = some()
    try:
        likelihood = make(scale)
    except DiaboloError:
        return
    close(likelihood.loss(raw, x), nats(distribution(torch.sigmoid(raw.double()), scale), x))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("output", ["sigmoid", "linear"])
def test_squared_error_is_a_sum_or_a_mean_over_pixels_and_says_which(shape, output):
    raw, x = some(shape)
    squares = (through(output, raw) - x).square().flatten(1)
    per_pixel, per_image = SquaredError("pixel", output), SquaredError("image", output)
    close(per_pixel.loss(raw, x), squares.mean(1))
    close(per_image.loss(raw, x), squares.sum(1))
    close(per_image.loss(raw, x), math.prod(shape) * per_pixel.loss(raw, x))
    assert (per_pixel.unit, per_image.unit) == ("squared error per pixel", "squared error per image")


def test_squared_error_per_image_is_a_gaussian_of_variance_one_half():
    raw, x = some()
    constant = math.prod(x.shape[1:]) * 0.5 * math.log(math.pi)
    close(SquaredError("image").loss(raw, x) + constant, nats(Normal(torch.sigmoid(raw.double()), math.sqrt(0.5)), x))


def test_densities_are_nats_per_image():
    assert {Bernoulli().unit, Gaussian().unit, Laplace().unit} == {"nats per image"}


# --- the optimal σ ------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.02, 3.0))
def test_no_sigma_gives_less_than_the_optimal_one(seed, spread):
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(6, 1, 5, 5, generator=g)
    raw = x + spread * torch.randn(x.shape, generator=g)
    got = Gaussian("optimal", "linear").train().loss(raw, x).mean().item()
    rms = (raw.double() - x).square().mean().sqrt().item()
    scan = [nats(Normal(raw.double(), s), x).mean().item() for s in rms * np.exp(np.linspace(-1, 1, 201))]
    assert got <= min(scan) + 1e-3
    assert got == pytest.approx(min(scan), rel=1e-4, abs=1e-3)


def test_its_gradient_is_that_of_a_constant_sigma():
    # the envelope theorem: at the optimum the loss does not change with σ
    raw, x = some()
    raw.requires_grad_()
    (got,) = torch.autograd.grad(Gaussian("optimal").train().loss(raw, x).mean(), raw)
    mean = torch.sigmoid(raw.double())
    sigma = (mean - x).square().mean().sqrt().detach()
    (wanted,) = torch.autograd.grad(nats(Normal(mean, sigma), x).mean(), raw)
    close(got, wanted, rel=1e-4)


def test_in_evaluation_the_optimal_sigma_is_that_of_training():
    raw, x = some()
    likelihood = Gaussian("optimal").train()
    for _ in range(300):
        trained = likelihood.loss(raw, x)
    likelihood.eval()
    close(likelihood.loss(raw, x), trained, rel=1e-4)
    # another batch is scored with the σ of training, and leaves it as it was
    kept = likelihood.log_sigma.clone()
    worse = raw + 3
    close(likelihood.loss(worse, x), nats(Normal(torch.sigmoid(worse.double()), kept.exp().item()), x), rel=1e-4)
    assert torch.equal(likelihood.log_sigma, kept)
    assert not kept.requires_grad


def test_after_a_few_batches_the_optimal_sigma_has_forgotten_where_it_began():
    # an epoch of a small data set is a dozen steps, and validation follows it
    x = torch.rand(20, 1, 8, 8)
    raw = x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    likelihood = Gaussian("optimal", "linear").train()
    for _ in range(12):
        trained = likelihood.loss(raw, x)
    close(likelihood.eval().loss(raw, x), trained, rel=0.05)


def test_the_optimal_sigma_is_kept_with_the_weights():
    raw, x = some()
    one, other = Gaussian("optimal"), Gaussian("optimal").eval()
    one.train().loss(raw, x)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one.eval().loss(raw, x), other.loss(raw, x))


def test_a_perfect_reconstruction_is_no_infinity():
    x = torch.rand(4, 1, 5, 5)
    for likelihood in (Gaussian("optimal", "linear").train(), Gaussian("learned", "linear"), Laplace(output="linear")):
        for p in likelihood.parameters():
            torch.nn.init.constant_(p, -1e4)  # what training would drive it to
        raw = x.clone().requires_grad_()
        loss = likelihood.loss(raw, x)
        loss.sum().backward()
        assert torch.isfinite(loss).all()
        assert torch.isfinite(raw.grad).all()
    floor = math.exp(LOG_SIGMA_FLOOR)
    assert floor == pytest.approx(torch.rand(10**6, dtype=torch.float64).sub(0.5).div(255).std().item(), rel=1e-2)


def test_a_learned_scale_learns():
    raw, x = some(n=50)
    for likelihood, wanted in (
        (Gaussian("learned"), (torch.sigmoid(raw) - x).square().mean().sqrt()),
        (Laplace("learned"), (torch.sigmoid(raw) - x).abs().mean()),
    ):
        (parameter,) = likelihood.parameters()
        optimizer = torch.optim.Adam([parameter], lr=0.05)
        for _ in range(150):
            optimizer.zero_grad()
            likelihood.loss(raw, x).mean().backward()
            optimizer.step()
        assert parameter.exp().item() == pytest.approx(wanted.item(), rel=1e-2)


# --- what all have in common --------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_loss_is_float32_whatever_the_decoder_gives(make, dtype):
    raw, x = some((1, 64, 64))
    got = make().loss(raw.to(dtype), x.to(dtype))
    assert got.dtype == torch.float32
    close(got, make().loss(raw.to(dtype).float(), x.to(dtype).float()))
    assert make().mean(raw.to(dtype)).dtype == torch.float32


@every
def test_extreme_outputs_give_finite_loss_and_gradient(make):
    raw = torch.tensor([[1e4, -1e4, 0.0], [-3e4, 3e4, 1e-30]], requires_grad=True)
    loss = make().loss(raw, torch.tensor([[0.0, 1.0, 0.5]] * 2))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(raw.grad).all()


@every
def test_images_do_not_mix(make):
    raw, x = some()
    likelihood = make().eval()
    together = likelihood.loss(raw, x)
    close(together, torch.cat([likelihood.loss(raw[i : i + 1], x[i : i + 1]) for i in range(len(x))]))


@every
def test_the_mean_is_what_is_scored_best(make):
    raw, _ = some()
    likelihood = make().eval()
    x_hat = likelihood.mean(raw)
    best = likelihood.loss(raw, x_hat)
    for shift in (-0.05, 0.05):
        if isinstance(likelihood, Bernoulli | ContinuousBernoulli):  # linear in x: its least lies at the mode instead
            continue
        assert (likelihood.loss(raw, x_hat + shift) > best).all()


@every
def test_likelihoods_survive_a_run_folder(make):
    raw, x = some()
    likelihood = make()
    for p in likelihood.parameters():
        torch.nn.init.constant_(p, -0.7)
    again = parts.build(json.loads(json.dumps(parts.describe(likelihood))))
    again.load_state_dict(likelihood.state_dict())
    assert torch.equal(again.eval().loss(raw, x), likelihood.eval().loss(raw, x))
    assert torch.equal(again.mean(raw), likelihood.mean(raw))
    assert again.unit == likelihood.unit


def test_output_keeps_pixels_within_range_or_leaves_them():
    raw, _ = some()
    for make in (SquaredError, Gaussian, Laplace):
        assert torch.equal(make(output="linear").mean(raw), raw)
        assert torch.equal(make(output="sigmoid").mean(raw), torch.sigmoid(raw))


def test_it_says_which_numbers_it_scores_and_whether_its_loss_is_a_density_of_them():
    unit, reals = (0.0, 1.0), (-math.inf, math.inf)
    found = {name: (make().support, make().density) for name, make in EVERY.items()}
    assert found == {
        "squared error per pixel": (unit, False),
        "squared error per image": (reals, False),
        "bernoulli": (unit, False),
        "continuous bernoulli": (unit, True),
        "gaussian, fixed": (unit, True),
        "gaussian, learned": (reals, True),
        "gaussian, optimal": (unit, True),
        "laplace, fixed": (reals, True),
        "laplace, learned": (unit, True),
    }
    assert (MSSSIM("linear").support, MSSSIM().density) == (unit, False)


def test_by_name():
    assert {name: type(as_likelihood(name)) for name in LIKELIHOODS if name not in ("perceptual", "mixed")} == {
        "squared-error": SquaredError,
        "bernoulli": Bernoulli,
        "continuous-bernoulli": ContinuousBernoulli,
        "gaussian": Gaussian,
        "laplace": Laplace,
        "ms-ssim": MSSSIM,
        "student-t": StudentT,
        "poisson": Poisson,
        "negative-binomial": NegativeBinomial,
    }
    mine = Gaussian(0.1)
    assert as_likelihood(mine) is mine
    assert as_likelihood("gaussian", sigma=0.25).log_sigma.exp() == pytest.approx(0.25)
    assert isinstance(as_likelihood("gaussian", sigma="learned").log_sigma, torch.nn.Parameter)
    assert as_likelihood("laplace", scale=0.25).log_scale.exp() == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: as_likelihood("bernouli"), "did you mean 'bernoulli'"),
        (lambda: as_likelihood("gaussian", pixel_weight=0.5), "pixel_weight is for the likelihood perceptual"),
        (lambda: as_likelihood("laplace", sigma=0.5), "sigma is for the likelihood gaussian or mixed, not laplace"),
        (lambda: as_likelihood("gaussian", sigma="optimum"), "did you mean 'optimal'"),
        (
            lambda: as_likelihood("gaussian", scale=0.5),
            "scale is for the likelihood laplace or student-t, not gaussian",
        ),
        (lambda: as_likelihood("gaussian", sigmas=0.5), "did you mean 'sigma'"),
        (lambda: as_likelihood(Bernoulli(), features="runs/0001"), "features is for the likelihood perceptual"),
        (lambda: SquaredError("pixels"), "did you mean 'pixel'"),
        (lambda: SquaredError(output="sigmoidal"), "did you mean 'sigmoid'"),
        (lambda: Gaussian(output="relu"), "unknown output 'relu'"),
        (lambda: Gaussian("optimum"), "did you mean 'optimal'"),
        (lambda: Laplace("optimal"), "unknown scale 'optimal'"),
        *((lambda s=s: Gaussian(s), "sigma must be a number above 0") for s in (0, -1.0, float("nan"))),
        *((lambda s=s: Laplace(s), "scale must be a number above 0") for s in (0, -1.0, float("nan"))),
        *((lambda m=m: m(float("inf")), "inf") for m in (Gaussian, Laplace)),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(DiaboloError, match=says):
        make()


def test_refused_names_are_a_kind_of_their_own():
    with pytest.raises(UnknownNameError):
        likelihoods.as_likelihood("x")
