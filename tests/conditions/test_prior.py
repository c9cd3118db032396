"""A prior over codes that depends on the condition: the same divergence in other units, and samples that follow it."""

import pytest
import torch
from torch import nn

import diabolo
from diabolo import bottlenecks, metrics, nets, zoo
from diabolo.conditions import Label, Quarter, Unconditional, WithPrior
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator

SHAPE = (1, 8, 8)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def stirred(condition):
    """Its network gives something else for each condition."""
    torch.manual_seed(3)
    nn.init.normal_(condition.layers[-1].weight, std=0.5)
    nn.init.normal_(condition.layers[-1].bias, std=0.5)
    return condition


@pytest.fixture
def model():
    torch.manual_seed(0)
    made = zoo.completion(SHAPE, 4, hidden=(16,), prior="conditional")
    stirred(made.condition)
    return made


def parameters(model, x):
    """μ_c, log σ_c² of the prior, and the quarter."""
    (to_decoder,) = model.condition(model.condition.pick(x, None))[1]
    quarter, mu, logvar = to_decoder.split([16, 4, 4], 1)
    return quarter, mu, logvar


def test_it_begins_as_the_standard_prior(digits):
    x = torch.from_numpy(digits[1].images[:6])
    torch.manual_seed(0)
    plain = zoo.completion(SHAPE, 4, hidden=(16,))
    torch.manual_seed(0)
    given = zoo.completion(SHAPE, 4, hidden=(16,), prior="conditional")
    carried = given.state_dict()
    for name, value in plain.state_dict().items():
        room, _, rest = name.partition(".")
        carried[f"{room}.inner.{rest}" if room in ("encoder", "decoder") else name].copy_(value)
    assert torch.equal(given.encode(x), plain.encode(x))
    assert torch.equal(given.sample(6, seed=1, y=x), plain.sample(6, seed=1, y=x))
    one, other = (m.loss(x, Draws(generator(5, "noise"))).total for m in (given, plain))
    assert one.item() == pytest.approx(other.item(), rel=1e-6)


def test_the_divergence_is_that_from_the_prior_of_each_image(model, digits):
    """KL(N(μ, σ²) ‖ N(m, s²)) = log s/σ + (σ² + (μ − m)²) / 2 s² − ½, summed over units."""
    x = torch.from_numpy(digits[1].images[:20]).float() / 255
    _, m, s = parameters(model, x)
    assert m.std(0).min() > 0.05  # another prior for each quarter
    own = model.encoder.inner(x)
    mu, logvar = model.bottleneck.to_posterior(own).chunk(2, 1)
    expected = 0.5 * (s - logvar) + (logvar.exp() + (mu - m) ** 2) / (2 * s.exp()) - 0.5
    found = model.loss(x, Draws(generator(0, "noise"))).terms["kl"]
    assert found.item() == pytest.approx(expected.sum(1).mean().item(), rel=1e-5)
    relative, spread = model.bottleneck.posterior(model.features(x))
    assert torch.allclose(relative, (mu - m) / torch.exp(0.5 * s), atol=1e-5)
    assert torch.allclose(spread, logvar - s, atol=1e-5)


def test_samples_are_decoded_from_it(model, digits):
    x = torch.from_numpy(digits[1].images[:3]).float() / 255
    quarter, m, s = parameters(model, x)
    u = normal(3, 4)
    with torch.no_grad():
        by_hand = model.decoder.inner(m + torch.exp(0.5 * s) * u, quarter)
    assert torch.allclose(model.decode(u, x), torch.sigmoid(by_hand), atol=1e-6)


def test_importance_weights_do_not_ask_in_which_units_codes_are(model, digits):
    """p(z|c) / q(z|x) = p(u) / q(u|x): what a change of units does to one density it does to the other."""
    x = torch.from_numpy(digits[1].images[:4]).float() / 255
    _, m, s = parameters(model, x)
    with torch.no_grad():
        mu, logvar = model.bottleneck.to_posterior(model.encoder.inner(x)).chunk(2, 1)
        z = normal(4, 5, 4)
        q = torch.distributions.Normal(mu[:, None], torch.exp(0.5 * logvar)[:, None])
        p = torch.distributions.Normal(m[:, None], torch.exp(0.5 * s)[:, None])
        by_hand = (p.log_prob(z) - q.log_prob(z)).sum(2)
        u = (z - m[:, None]) / torch.exp(0.5 * s)[:, None]
        posterior = model.bottleneck.posterior(model.features(x))
        found = model.bottleneck.log_prior(u) - model.bottleneck.log_posterior(u, posterior)
    assert torch.allclose(found, by_hand, atol=1e-4)
    assert (model.bottleneck.log_prior(u) - p.log_prob(z).sum(2)).abs().max() > 0.4  # one density alone is another


def test_the_hybrid_objective_is_the_elbo_and_the_loss_of_one_drawn_code(digits):
    torch.manual_seed(0)
    model = zoo.completion(SHAPE, 4, hidden=(16,), prior="conditional", from_prior=0.25)
    stirred(model.condition)
    x = torch.from_numpy(digits[1].images[:5]).float() / 255
    quarter, m, s = parameters(model, x)
    noise = generator(2, "noise")
    loss = model.loss(x, Draws(noise))
    draws = Draws(generator(2, "noise"))
    draws.normal(m)  # of the posterior
    z = m + torch.exp(0.5 * s) * draws.normal(m)
    expected = model.likelihood.loss(model.decoder.inner(z, quarter), x).mean()
    assert loss.terms["from_prior"].item() == pytest.approx(expected.item(), rel=1e-5)
    total = loss.terms["reconstruction"] + loss.terms["kl"] + 0.25 * loss.terms["from_prior"]
    assert loss.total.item() == pytest.approx(total.item(), rel=1e-6)


def test_it_is_trained_kept_completed_and_measured(digits, tmp_path):
    train, test = digits[0].take(range(300)), digits[1].take(range(40))
    options = {"latent_dim": 3, "hidden": (16,), "prior": "conditional", "from_prior": 0.5}
    run = diabolo.fit("completion", train, epochs=3, lr=3e-3, out=str(tmp_path), quiet=True, **options)
    last = run.model.condition.layers[-1]
    assert last.weight.abs().max() > 1e-3  # the prior learns
    same = diabolo.load(run.path)
    assert torch.equal(
        same.sample(4, seed=2, y=torch.from_numpy(test.images[:4])), run.model.sample(4, seed=2, y=test.images[:4])
    )
    assert metrics.complete(same, test, k=3).images.shape == (40, 3, 1, 8, 8)
    assert run.config.recipe["prior"] == "conditional"


def test_it_goes_around_a_condition_on_the_class_too(digits):
    condition = stirred(WithPrior(Label(10), latent_dim=2, hidden=()))
    assert (condition.to_encoder, condition.to_decoder, condition.needs_column) == (14, 14, "labels")
    assert isinstance(condition.core, Label)
    encoder, decoder = nets.build("mlp", SHAPE, 2, (10, 10), hidden=(8,))
    wrapped = nets.PriorEncoder(encoder, 2)
    model = diabolo.Autoencoder(
        wrapped, bottlenecks.RelativeGaussian(wrapped.features, 2), nets.PriorDecoder(decoder, 2),
        diabolo.likelihoods.Bernoulli(), condition=condition,
    )  # fmt: skip
    x, y = torch.from_numpy(digits[1].images[:7]), torch.from_numpy(digits[1].labels[:7])
    assert model.loss(x, y=y).total.isfinite()
    assert tuple(model.sample(20).shape) == (20, *SHAPE)  # each class in turn
    with pytest.raises(DiaboloError, match="label 10 is none of the 10 classes"):
        model.encode(x, torch.full((7,), 10))


def test_what_cannot_be_is_refused():
    with pytest.raises(DiaboloError, match="needs one that the decoder is given"):
        WithPrior(Unconditional(), 3)
    with pytest.raises(DiaboloError, match="without skip connections"):
        zoo.completion((1, 16, 16), 4, net="unet", channels=(4, 8), prior="conditional")
    with pytest.raises(DiaboloError, match="unknown prior 'learned'; valid: conditional, standard"):
        zoo.completion(SHAPE, 4, prior="learned")


def test_the_variance_of_the_prior_stays_within_bounds(digits):
    condition = WithPrior(Quarter(SHAPE), 2, hidden=())
    nn.init.constant_(condition.layers[-1].bias, 1e6)
    ((found,), _) = condition(torch.from_numpy(digits[1].images[:2]))
    assert found[:, 2:].max() == 10
