"""−log p(x) against closed forms and integrals; the bound above it; what is said beside the number."""

import json
import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from diabolo import likelihoods, zoo
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Gaussian
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.metrics import importance, negative_elbo, nll
from diabolo.metrics.importance import add_up
from diabolo.metrics.likelihood import bits_per_dimension, elbo_terms
from diabolo.nets.mlp import MLPDecoder, MLPEncoder

D, Z, SIGMA = 7, 3, 0.3


def ppca(off=0.0):
    """Probabilistic PCA (Tipping & Bishop 1999): x = W z + b + σ ε, W of orthogonal columns, and its exact posterior; with
    `off` a posterior that is not. Returned with the exact marginal N(b, W Wᵀ + σ² I)."""
    g = torch.Generator().manual_seed(0)
    columns = torch.linalg.qr(torch.randn(D, Z, generator=g, dtype=torch.float64))[0]
    w = columns * torch.tensor([0.9, 0.5, 0.2], dtype=torch.float64)
    b = 0.5 + 0.1 * torch.randn(D, generator=g, dtype=torch.float64)
    encoder, decoder = MLPEncoder((D,), ()), MLPDecoder(Z, (D,), ())
    model = Autoencoder(encoder, Gaussian(D, Z), decoder, likelihoods.Gaussian(SIGMA, "linear"))
    m = (w.square().sum(0) + SIGMA**2).diag()  # the posterior is N(M⁻¹ Wᵀ (x − b), σ² M⁻¹), M = Wᵀ W + σ² I
    to_mu = torch.linalg.solve(m, w.T)
    with torch.no_grad():
        decoder.to_raw.weight.copy_(w)
        decoder.to_raw.bias.copy_(b)
        model.bottleneck.to_posterior.weight.copy_(torch.cat([to_mu, torch.zeros(Z, D)]))
        logvar = (SIGMA**2 / m.diagonal()).log()
        model.bottleneck.to_posterior.bias.copy_(torch.cat([-to_mu @ b + off, logvar + off]))
    return model, multivariate_normal(b.numpy(), (w @ w.T + SIGMA**2 * torch.eye(D, dtype=torch.float64)).numpy())


@pytest.fixture
def images():
    return torch.rand(40, D, generator=torch.Generator().manual_seed(1))


def exact(marginal, images):
    return torch.from_numpy(-marginal.logpdf(images.double().numpy()))


def test_weights_are_those_of_the_model_at_rest():
    """In training, batch norm takes the images of a piece together, and learns from them."""
    torch.manual_seed(0)
    model, images = (
        zoo.build("vae", (1, 8, 8), latent_dim=Z, net="conv", channels=(4, 8), norm="batch"),
        torch.rand(12, 1, 8, 8),
    )
    model.train()
    whole = nll(model, images, 20, rows=1)
    assert model.training
    assert torch.equal(nll(model.eval(), images, 20, rows=1).per_image, whole.per_image)
    running = {name: value for name, value in model.state_dict().items() if "running" in name}
    assert len(running) > 1
    assert all((value == (0 if "mean" in name else 1)).all() for name, value in running.items())


@pytest.mark.parametrize("samples", [1, 3])
def test_with_the_exact_posterior_every_sample_gives_the_marginal(samples, images):
    model, marginal = ppca()
    for measured in (nll(model, images, samples), negative_elbo(model, images, samples)):
        assert measured.per_image.dtype == measured.effective.dtype == torch.float64
        assert torch.allclose(measured.per_image, exact(marginal, images), atol=1e-4)
        assert torch.allclose(measured.effective, torch.full((40,), float(samples), dtype=torch.float64), rtol=1e-3)


def test_with_another_posterior_it_is_reached_in_the_limit(images):
    model, marginal = ppca(off=0.4)
    wanted = exact(marginal, images)
    few, many = nll(model, images, 10), nll(model, images, 20_000)
    assert (few.per_image.mean() - wanted.mean()) > 0.05
    # the error of log p̂ is √(1/effective − 1/k) by the delta method, for each image
    spread = (1 / many.effective - 1 / many.samples).clamp(min=0).sqrt()
    assert ((many.per_image - wanted).abs() < 5 * spread + 1e-4).all()
    assert many.per_image.mean().item() == pytest.approx(wanted.mean().item(), abs=0.005)


def test_the_bias_is_about_what_the_docstring_says(images):
    model, marginal = ppca(off=0.3)
    measured = nll(model, images.repeat(100, 1), 64)
    bias = (measured.per_image - exact(marginal, images).repeat(100)).mean().item()
    said = 0.5 * (1 / measured.effective - 1 / 64).mean().item()
    assert bias > 0
    assert said == pytest.approx(bias, rel=0.4)


def test_the_negative_elbo_is_reconstruction_and_kl(images):
    model, marginal = ppca(off=0.4)
    measured = negative_elbo(model, images, 4000)
    x = images.double()
    mu, logvar = (p.detach().double() for p in model.bottleneck.posterior(images))
    w, b = model.decoder.to_raw.weight.detach().double(), model.decoder.to_raw.bias.detach().double()
    # E ‖x − W z − b‖² = ‖x − W μ − b‖² + Σⱼ σⱼ² ‖wⱼ‖²
    squared = (x - mu @ w.T - b).square().sum(1) + logvar.exp() @ w.square().sum(0)
    reconstruction = 0.5 * squared / SIGMA**2 + D * (math.log(SIGMA) + 0.5 * math.log(2 * math.pi))
    kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(1)
    wanted = (reconstruction + kl).mean().item()
    assert measured.mean == pytest.approx(wanted, abs=0.02)
    assert measured.mean > exact(marginal, images).mean()


@pytest.mark.parametrize(("latent_dim", "points"), [(1, 4001), (2, 201)])
def test_a_curved_decoder_against_the_integral(latent_dim, points):
    torch.manual_seed(latent_dim)
    model = zoo.iwae((12,), latent_dim, hidden=(10,), activation="tanh")
    with torch.no_grad():
        for p in model.decoder.parameters():
            p.mul_(3)  # so that the code matters
    x = (torch.rand(9, 12) < 0.4).float()
    line = torch.linspace(-8, 8, points, dtype=torch.float64)
    z = torch.cartesian_prod(*[line] * latent_dim).view(-1, latent_dim)
    with torch.no_grad():
        logits = model.double().decoder(z)
        log_joint = (x.double() @ logits.T) - torch.nn.functional.softplus(logits).sum(1)
        log_joint += -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)
    wanted = -(log_joint.logsumexp(1) + latent_dim * math.log(16 / (points - 1)))
    measured = nll(model.float(), x, 20_000)
    spread = (1 / measured.effective).sqrt()
    assert ((measured.per_image - wanted).abs() < 5 * spread).all()
    assert measured.mean == pytest.approx(wanted.mean().item(), abs=0.02)
    assert negative_elbo(model, x).mean > wanted.mean()


def test_pieces_add_up_to_the_whole():
    log_w = 300 * torch.randn(5, 1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    total, squares, logs = add_up(log_w.split([1, 400, 599], 1))
    assert torch.allclose(total, log_w.logsumexp(1), rtol=1e-14)
    assert torch.allclose(squares, (2 * log_w).logsumexp(1), rtol=1e-14)
    assert torch.allclose(logs, log_w.sum(1), rtol=1e-10)


@pytest.mark.parametrize("rows", [1, 7, 64, 10_000])
def test_it_is_the_same_number_in_pieces_of_any_size(rows, images):
    model, marginal = ppca(off=0.2)
    measured = nll(model, images[:10], 200, rows=rows)
    assert measured.per_image.shape == measured.effective.shape == (10,)
    spread = (1 / measured.effective).sqrt()
    assert ((measured.per_image - exact(marginal, images[:10])).abs() < 5 * spread).all()


@pytest.mark.parametrize("rows", [None, 7, 45])
def test_some_of_the_images_have_what_they_have_among_all(rows, images):
    model, _ = ppca(off=0.4)
    whole = nll(model, images, 10, rows=rows)
    for only in (slice(0, 5), slice(5, 6), slice(17, 40), slice(-3, None)):
        few = nll(model, images, 10, rows=rows, only=only)
        assert torch.equal(few.per_image, whole.per_image[only])
        assert torch.equal(few.effective, whole.effective[only])
    for only in (slice(4, 4), slice(40, 50), slice(0, 10, 2)):
        with pytest.raises(DiaboloError, match="no run of images among 40"):
            nll(model, images, 10, only=only)


def test_the_seed_decides_and_the_model_is_left_as_it_was(images):
    model, _ = ppca(off=0.4)
    model.train()
    one, same, other = (nll(model, images, 20, seed) for seed in (0, 0, 1))
    assert torch.equal(one.per_image, same.per_image)
    assert not torch.equal(one.per_image, other.per_image)
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_the_record_says_what_it_rests_on(images):
    measured = nll(ppca(off=0.4)[0], images, 30)
    record = json.loads(json.dumps(measured.record(), allow_nan=False))
    assert record["samples"] == 30
    assert record["images"] == 40
    assert record["unit"] == "nats per image"
    assert record["mean"] == pytest.approx(np.mean(measured.per_image.tolist()))
    assert record["standard_error"] == pytest.approx(np.std(measured.per_image.tolist(), ddof=1) / math.sqrt(40))
    assert 1 <= record["effective_samples_least"] <= record["effective_samples_median"] <= 30
    assert nll(ppca()[0], images[:1], 3).record()["standard_error"] is None


def test_grey_pixels_under_a_bernoulli_are_no_likelihood_and_it_says_so():
    x = torch.rand(5, 1, 8, 8)
    assert "no likelihood" in nll(zoo.vae((1, 8, 8), 3), x, 3).unit
    assert nll(zoo.vae((1, 8, 8), 3), x.round(), 3).unit == "nats per image"
    assert nll(zoo.vae((1, 8, 8), 3, observation="binarised"), x, 3).unit == "nats per image"
    assert nll(zoo.vae((1, 8, 8), 3, likelihood="gaussian"), x, 3).unit == "nats per image"


def test_a_conditional_model_is_told_what_it_reads():
    torch.manual_seed(0)
    model = zoo.vae((1, 8, 8), 3, condition="label")
    x, labels = np.random.default_rng(0).integers(0, 2, (6, 1, 8, 8), dtype=np.uint8) * 255, np.arange(6)
    one, other = nll(model, Images(x, labels=labels), 50), nll(model, x, 50, y=torch.from_numpy(labels))
    assert torch.equal(one.per_image, other.per_image)
    assert not torch.equal(one.per_image, nll(model, x, 50, y=torch.zeros(6, dtype=torch.int64)).per_image)
    with pytest.raises(DiaboloError, match="labels"):
        nll(model, x, 50)


@pytest.mark.parametrize(
    ("model", "says"),
    [(("undercomplete", {}), "a bottleneck with a posterior and a prior, such as Gaussian, not Identity"),
     (("vae", {"likelihood": "squared-error"}), "a likelihood in nats per image.*SquaredError in squared error per pixel")],
)  # fmt: skip
def test_a_model_without_densities_is_refused(model, says):
    with pytest.raises(DiaboloError, match=says):
        nll(zoo.build(model[0], (1, 8, 8), latent_dim=3, **model[1]), torch.rand(3, 1, 8, 8))


@pytest.mark.parametrize(("n", "samples"), [(3, 0), (3, -1), (0, 5)])
def test_nothing_to_measure_is_refused(n, samples):
    with pytest.raises(DiaboloError, match="1 sample or more on 1 image or more"):
        nll(zoo.vae((1, 8, 8), 3), torch.rand(n, 1, 8, 8), samples)


# --- the terms, and what is taken to be the image ---------------------------------------------------------------------------


def test_the_terms_make_the_bound_and_are_near_their_closed_forms(images):
    model, _ = ppca(off=0.4)
    terms = elbo_terms(model, images, 4000)
    bound = negative_elbo(model, images, 4000)
    assert torch.equal(terms["negative ELBO"].per_image, bound.per_image)
    added = terms["reconstruction"].per_image + terms["KL"].per_image
    assert torch.allclose(added, bound.per_image, rtol=1e-10)
    mu, logvar = (p.detach().double() for p in model.bottleneck.posterior(images))
    kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(1)
    assert terms["KL"].mean == pytest.approx(kl.mean().item(), abs=0.02)


@pytest.mark.parametrize("rows", [50, 1000])
def test_the_terms_do_not_depend_on_the_size_of_pieces(rows, images):
    model, _ = ppca()
    wanted = elbo_terms(model, images[:7], 3000)["reconstruction"].mean
    assert elbo_terms(model, images[:7], 3000, rows=rows)["reconstruction"].mean == pytest.approx(wanted, abs=0.05)


def test_bits_of_a_uniform_density_over_256_levels_are_eight():
    assert bits_per_dimension(0.0, 784, 256) == 8
    assert bits_per_dimension(784 * math.log(2), 784) == pytest.approx(1)
    assert bits_per_dimension(-10 * math.log(256), 10, 256) == pytest.approx(0)
    assert bits_per_dimension(math.log(2), 1, 1) == 1
    for nothing in ((0, 1), (1, 0)):
        with pytest.raises(DiaboloError, match="no bits for each of {} dimensions of {} levels".format(*nothing)):
            bits_per_dimension(1.0, *nothing)


def test_a_byte_that_is_nearly_whole_can_be_dequantised():
    model = zoo.vae((1, 2, 2), 2, hidden=(4,), likelihood="gaussian")
    for off in (0, 0.0008):
        x = torch.full((2, 1, 2, 2), (1 + off) / 255)
        assert math.isfinite(nll(model, x, 2, observation="dequantised").mean)
    with pytest.raises(DiaboloError, match="multiples of 1/255"):
        nll(model, torch.full((2, 1, 2, 2), 1.0015 / 255), 2, observation="dequantised")


def test_the_standard_error_is_of_two_images_or_more(images):
    two = nll(ppca(off=0.4)[0], images[:2], 5)
    one, other = two.per_image.tolist()
    assert two.standard_error == pytest.approx(abs(one - other) / 2)
    assert two.record()["effective_samples_least"] == pytest.approx(two.effective.min().item())
    assert two.record()["effective_samples_median"] == pytest.approx(two.effective.median().item())


def test_how_many_codes_are_decoded_at_once_hangs_on_the_size_of_an_image(images, monkeypatch):
    model, seen = ppca()[0], []
    monkeypatch.setattr(importance, "NUMBERS", {"cpu": 10 * D})
    draw = model.bottleneck.draw
    monkeypatch.setattr(model.bottleneck, "draw", lambda p, d, k: seen.append((len(p[0]), k)) or draw(p, d, k))
    nll(model, images[:5], 4)  # ten codes: two images of four
    assert seen == [(2, 4), (2, 4), (1, 4)]
    seen.clear()
    nll(model, images[:2], 25)
    assert seen == [(1, 10), (1, 10), (1, 5)] * 2


def test_binarised_pixels_are_a_likelihood_and_dequantised_ones_lie_within_their_bin():
    model, x = zoo.vae((1, 8, 8), 3), torch.randint(0, 256, (5, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    grey = (x / 255).float()
    assert nll(model, grey, 3, observation="binarised").unit == "nats per image"
    assert "no likelihood" in nll(model, grey, 3, observation="as-is").unit
    one, other = (nll(model, grey, 3, seed, observation="binarised").per_image for seed in (0, 1))
    assert not torch.equal(one, other)
    with pytest.raises(DiaboloError, match="multiples of 1/255"):
        nll(model, torch.rand(5, 1, 8, 8), 3, observation="dequantised")
    gaussian = zoo.vae((1, 8, 8), 3, likelihood="gaussian")
    assert math.isfinite(nll(gaussian, grey, 3, observation="dequantised").mean)
