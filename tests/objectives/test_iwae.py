"""The importance-weighted bound and its two gradients, against float64 maths written out, and against the ELBO."""

import math

import pytest
import torch
from torch.nn import functional as F

from diabolo import likelihoods, zoo
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Gaussian, Identity
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.heads import Head
from diabolo.metrics import nll
from diabolo.nets.mlp import MLPDecoder, MLPEncoder
from diabolo.objectives import ELBO, IWAE
from diabolo.randomness import Draws, generator
from diabolo.schedules import Constant

SHAPE = (1, 6, 6)


def draws(seed=0):
    return Draws(generator(seed, "test"))


def model_with(objective, seed=0, beta=1.0, hidden=(12,), **parts):
    """A small VAE whose code matters."""
    torch.manual_seed(seed)
    encoder, decoder = MLPEncoder(SHAPE, hidden, "tanh"), MLPDecoder(3, SHAPE, hidden, "tanh")
    with torch.no_grad():
        for p in decoder.parameters():
            p.mul_(3)
    bottleneck = Gaussian(hidden[-1], 3, beta)
    return Autoencoder(encoder, bottleneck, decoder, likelihoods.Bernoulli(), objective=objective, **parts)


@pytest.fixture
def images():
    return (torch.rand(5, *SHAPE, generator=torch.Generator().manual_seed(1)) < 0.4).float()


def encoder_of(model):
    return [*model.encoder.parameters(), *model.bottleneck.parameters()]


def gradients(model, images, source):
    model.zero_grad()
    loss = model.loss(images, source)
    loss.total.backward()
    return loss, [p.grad.clone() for p in model.parameters()]


# --- against maths written out in float64, in two passes ----------------------------------------------------------------


def by_hand(model, images, k):
    """−L_k, and its standard and its doubly reparameterised gradients, of a model that this makes float64."""
    noise = draws().normal(torch.empty(len(images), k, 3)).double()
    model.double()
    x = images.double().flatten(1)

    def log_w(z, mu, logvar):
        logits = model.decoder(z.reshape(-1, 3)).reshape(*z.shape[:2], -1)
        target = x[:, None].expand_as(logits)
        log_px = -F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(2)
        log_q = torch.distributions.Normal(mu[:, None], (0.5 * logvar[:, None]).exp()).log_prob(z).sum(2)
        return log_px + torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(2) - log_q

    mu, logvar = model.bottleneck.to_posterior(model.encoder(images.double())).chunk(2, 1)
    z = mu[:, None] + (0.5 * logvar[:, None]).exp() * noise
    loss = -(torch.logsumexp(log_w(z, mu, logvar), 1) - math.log(k)).mean()
    standard = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
    fixed = z.detach().requires_grad_()
    weights = log_w(fixed, mu.detach(), logvar.detach())
    (slopes,) = torch.autograd.grad(weights.sum(), fixed)
    shares = weights.detach().softmax(1)
    twice = torch.autograd.grad((-(shares.square()[..., None] * slopes * z).sum(1)).sum(1).mean(), encoder_of(model))
    return loss.item(), standard, [*twice, *standard[len(twice) :]]


@pytest.mark.parametrize("gradient", ["standard", "dreg"])
@pytest.mark.parametrize("k", [1, 2, 20])
def test_value_and_gradient_are_those_written_out(k, gradient, images):
    model = model_with(IWAE(k, gradient))
    names = [name for name, _ in model.named_parameters()]
    loss, got = gradients(model, images, draws())
    value, standard, twice = by_hand(model, images, k)
    assert loss.total.item() == pytest.approx(value, rel=1e-5)
    for name, g, wanted in zip(names, got, standard if gradient == "standard" else twice, strict=True):
        assert torch.allclose(g.double(), wanted, rtol=1e-3, atol=2e-5 * wanted.abs().max().item()), name
    if k > 1:  # the two are not the same, draw by draw: the test can tell
        assert not torch.allclose(standard[0], twice[0], rtol=1e-2, atol=0)


@pytest.mark.parametrize("gradient", ["standard", "dreg"])
def test_the_total_is_the_sum_of_its_terms(gradient, images):
    model = model_with(IWAE(7, gradient))
    loss = model.loss(images, draws())
    assert list(loss.terms) == list(model.units) == ["reconstruction", "kl", "tightening"]
    total = sum(loss.weights[name] * term for name, term in loss.terms.items())
    assert loss.total.item() == pytest.approx(total.item(), rel=1e-6)
    assert loss.terms["tightening"] < 0
    assert list(loss.logged) == list(model.logged)
    assert 1 <= loss.logged["effective_samples"] <= 7


# --- one sample: the ELBO -----------------------------------------------------------------------------------------------


def test_one_sample_is_the_elbo_with_the_kl_by_that_sample(images):
    one, elbo = (model_with(o).loss(images, draws()) for o in (IWAE(1), ELBO()))
    assert one.terms["reconstruction"].item() == pytest.approx(elbo.terms["reconstruction"].item(), rel=1e-6)
    assert one.terms["tightening"].item() == pytest.approx(0, abs=1e-4)
    n = 20_000
    model = model_with(IWAE(1))
    mu, logvar = (p.repeat(n, 1) for p in model.bottleneck.posterior(model.encoder(images)))
    z = model.bottleneck.draw((mu, logvar), draws(), 1)
    ratio = (model.bottleneck.log_posterior(z, (mu, logvar)) - model.bottleneck.log_prior(z)).detach()
    wanted = elbo.terms["kl"].item()
    assert ratio.mean().item() == pytest.approx(wanted, abs=5 * ratio.std().item() / math.sqrt(len(ratio)))


@pytest.mark.parametrize("gradient", ["standard", "dreg"])
def test_one_sample_has_the_gradient_of_the_elbo_on_average(gradient, images):
    # of a batch that holds each image many times: the noise of such a mean is measured on its parts
    many, parts = images.repeat(400, 1, 1, 1), 30
    runs = torch.stack([flat(gradients(model_with(IWAE(1, gradient)), many, draws(i))[1]) for i in range(parts)])
    elbo = torch.stack([flat(gradients(model_with(ELBO()), many, draws(100 + i))[1]) for i in range(parts)])
    noise = ((runs.var(0) + elbo.var(0)) / parts).sqrt()
    assert ((runs.mean(0) - elbo.mean(0)).abs() < 6 * noise + 1e-6).all()


def flat(tensors):
    return torch.cat([t.flatten() for t in tensors]).double()


# --- many samples -------------------------------------------------------------------------------------------------------


def test_both_gradients_agree_on_average_and_the_second_is_the_quieter(images):
    runs = {}
    for gradient in ("standard", "dreg"):
        model = model_with(IWAE(16, gradient))
        runs[gradient] = torch.stack([flat(gradients(model, images, draws(i))[1]) for i in range(400)])
    standard, dreg = runs["standard"], runs["dreg"]
    n = sum(p.numel() for p in encoder_of(model))
    assert torch.equal(standard[:, n:], dreg[:, n:])  # the decoder's
    difference = (standard - dreg)[:, :n]  # of the same draws: what must average out
    assert (difference.mean(0).abs() < 6 * difference.std(0) / math.sqrt(400) + 1e-6).all()
    assert dreg[:, :n].var(0).sum() < 0.5 * standard[:, :n].var(0).sum()


def test_the_bound_rises_with_k_and_stays_below_the_likelihood(images):
    many, totals = images.repeat(2000, 1, 1, 1), []
    for k in (1, 2, 5, 20):
        model = model_with(IWAE(k))
        with torch.no_grad():
            totals.append([model.loss(many, draws(10 * k + i)).total.item() for i in range(5)])
    means = [sum(t) / 5 for t in totals]
    noise = [torch.tensor(t).std().item() / math.sqrt(5) for t in totals]
    ends = [*means, nll(model, images, 20_000).mean]
    for before, after, se in zip(ends[:-1], ends[1:], noise, strict=True):
        assert after < before - 3 * se


def test_for_a_linear_decoder_the_limit_is_the_exact_marginal():
    # probabilistic PCA (Tipping & Bishop 1999): x = W z + b + σ ε has the marginal N(b, W Wᵀ + σ² I)
    torch.manual_seed(0)
    d, sigma = 5, 0.5
    decoder = MLPDecoder(2, (d,), ())
    model = Autoencoder(
        MLPEncoder((d,), ()), Gaussian(d, 2), decoder, likelihoods.Gaussian(sigma, "linear"), objective=IWAE(100_000)
    )
    x = torch.rand(6, d)
    w, b = decoder.to_raw.weight.detach().double(), decoder.to_raw.bias.detach().double()
    marginal = torch.distributions.MultivariateNormal(b, w @ w.T + sigma**2 * torch.eye(d, dtype=torch.float64))
    loss = model.loss(x, draws())
    wanted = -marginal.log_prob(x.double()).mean().item()
    effective = loss.logged["effective_samples"].item()
    assert effective > 1000  # the error of each image's log is 1 / √effective
    assert loss.total.item() == pytest.approx(wanted, abs=4 / math.sqrt(len(x) * effective))
    assert loss.terms["reconstruction"] + loss.terms["kl"] > wanted + 0.1  # the ELBO is far from it


# --- with the other parts -----------------------------------------------------------------------------------------------


class CodeNorm(Head):
    """A head whose gradient reaches the code itself."""

    def __init__(self):
        super().__init__()
        self.units, self.weights = {"norm": "squared length"}, {"norm": Constant(2.0)}

    def penalties(self, x, latent, y):
        return {"norm": latent.z.square().sum(1)}

    def forward(self, x, latent):
        return latent.z


@pytest.mark.parametrize("gradient", ["standard", "dreg"])
def test_a_head_keeps_its_own_gradient(gradient, images):
    with_head, alone = model_with(IWAE(6, gradient), head=CodeNorm()), model_with(IWAE(6, gradient))
    loss, both = gradients(with_head, images, draws())
    _, bound = gradients(alone, images, draws())
    model = model_with(IWAE(6))
    z = model.bottleneck.draw(model.bottleneck.posterior(model.encoder(images)), draws(), 6)[:, 0]
    penalty = 2.0 * z.square().sum(1).mean()
    wanted = torch.autograd.grad(penalty, encoder_of(model))
    for one, other, head in zip(both, bound, wanted, strict=False):
        assert torch.allclose(one - other, head, rtol=1e-3, atol=1e-4)
    assert list(loss.terms) == list(with_head.units) == ["reconstruction", "kl", "tightening", "norm"]
    total = sum(loss.weights[name] * term for name, term in loss.terms.items())
    assert loss.total.item() == pytest.approx(total.item(), rel=1e-6)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "laplace"])
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_it_goes_with_nets_likelihoods_conditions_and_corruptions(net, likelihood):
    torch.manual_seed(0)
    model = zoo.iwae(
        (1, 8, 8), 3, 4, "dreg", net=net, likelihood=likelihood, condition="label", corruption="masking",
        observation="binarised",
    )  # fmt: skip
    x, y = torch.rand(6, 1, 8, 8), torch.arange(6)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss(x, draws(), y=y)
    loss.total.backward()
    assert all(term.isfinite() for term in loss.terms.values())
    assert loss.total.dtype == torch.float32
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_each_code_is_decoded_beside_its_own_condition():
    torch.manual_seed(0)
    model = zoo.iwae((1, 8, 8), 3, 4, condition="label")
    x, y = torch.rand(6, 1, 8, 8).round(), torch.arange(6)
    whole = model.loss(x, draws(), y=y).total.item()
    parts = [
        model.loss(x[i : i + 1], Draws(generator(0, "test"), (i, 6)), y=y[i : i + 1]).total.item() for i in range(6)
    ]
    assert whole == pytest.approx(sum(parts) / 6, rel=1e-5)


def test_weights_far_apart_overflow_nowhere(images):
    for gradient in ("standard", "dreg"):
        model = model_with(IWAE(5, gradient))
        with torch.no_grad():
            model.decoder.to_raw.weight.mul_(1e4)
        loss, got = gradients(model, images, draws())
        assert loss.total.isfinite()
        assert all(g.isfinite().all() for g in got)


# --- refused ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, -3, 2.5, True, "5"])
def test_the_number_of_samples_is_whole_and_positive(k):
    with pytest.raises(DiaboloError, match=r"(k|importance_samples) must be a whole number from 1"):
        IWAE(k)


def test_an_unknown_gradient_is_refused():
    with pytest.raises(UnknownNameError, match="unknown gradient 'dregs'; did you mean 'dreg'"):
        IWAE(5, "dregs")


def test_a_likelihood_that_is_none_is_refused():
    with pytest.raises(
        DiaboloError, match=r"need a likelihood in nats per image.*not SquaredError in squared error per"
    ):
        zoo.iwae((1, 8, 8), 3, likelihood="squared-error")


@pytest.mark.parametrize("beta", [0.5, "linear(0, 1, 0.3)"])
def test_a_weight_of_the_kl_is_refused(beta):
    with pytest.raises(DiaboloError, match="no weight of kl"):
        model_with(IWAE(5), beta=beta)


def test_a_waist_without_posterior_is_refused():
    encoder, decoder = MLPEncoder(SHAPE, (5,)), MLPDecoder(3, SHAPE, (5,))
    with pytest.raises(DiaboloError, match="a bottleneck with a posterior and a prior, such as Gaussian, not Identity"):
        Autoencoder(encoder, Identity(5, 3), decoder, likelihoods.Bernoulli(), objective=IWAE(5))
    with pytest.raises(
        DiaboloError, match="a bottleneck with a posterior and a prior, such as Gaussian, not WithSkips"
    ):
        zoo.iwae((1, 16, 16), 3, net="unet")  # what goes around the code has no density


@pytest.mark.parametrize("bent", [{"free_bits": 0.1}, {"capacity": 5.0}])
def test_a_bent_kl_is_refused(bent):
    encoder, decoder = MLPEncoder(SHAPE, (5,)), MLPDecoder(3, SHAPE, (5,))
    with pytest.raises(DiaboloError, match="no weight of kl"):
        Autoencoder(encoder, Gaussian(5, 3, **bent), decoder, likelihoods.Bernoulli(), objective=IWAE(5))


@pytest.mark.parametrize("place", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_weight_is_looked_at_all_along(place):
    model = zoo.build("vae", (1, 4, 4), latent_dim=2, hidden=(4,))
    IWAE(2).check(model)
    model.bottleneck.weights = {"kl": lambda progress: 2.0 if progress == place else 1.0}
    with pytest.raises(DiaboloError, match="no weight of kl"):
        IWAE(2).check(model)


class Seen(CodeNorm):
    """A head that keeps the latent that it is given."""

    def penalties(self, x, latent, y):
        self.latent = latent
        return super().penalties(x, latent, y)


def test_a_head_is_given_the_mean_as_the_code_and_the_first_draw(images):
    model = model_with(IWAE(4), head=Seen())
    model.loss(images, draws())
    mu, logvar = model.bottleneck.posterior(model.encoder(images))
    assert torch.equal(model.head.latent.code, mu)
    assert torch.equal(model.head.latent.z, model.bottleneck.draw((mu, logvar), draws(), 4)[:, 0])
    assert all(torch.equal(one, other) for one, other in zip(model.head.latent.posterior, (mu, logvar), strict=True))


@pytest.mark.parametrize("gradient", ["standard", "dreg"])
def test_what_is_only_written_down_has_no_gradient(gradient, images):
    loss = model_with(IWAE(4, gradient)).loss(images, draws())
    assert loss.total.requires_grad
    assert not any(value.requires_grad for value in [*loss.terms.values(), *loss.logged.values()])
