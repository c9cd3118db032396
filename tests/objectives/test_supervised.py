"""M2's bound against its formula, class by class, in float64; and M2 as a model."""

import copy
import math

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence

from diabolo import zoo
from diabolo.bottlenecks import Gaussian as GaussianBottleneck
from diabolo.errors import DiaboloError
from diabolo.heads import Classifier
from diabolo.likelihoods import Gaussian
from diabolo.randomness import Draws, generator

SHAPE, K = (1, 4, 4), 3


def model(seed=0, **options):
    torch.manual_seed(seed)
    return zoo.m2(SHAPE, 2, classes=K, hidden=(7,), activation="tanh", **options)


def images(n=5):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))


def bound(m, x, label, noise):
    """L(x, y) of one image x (1, …) by torch.distributions: reconstruction and kl."""
    one_hot = torch.eye(K, dtype=torch.float64)[label][None]
    mu, logvar = m.bottleneck.to_posterior(m.encoder(x, one_hot)).chunk(2, 1)
    q = Normal(mu, (0.5 * logvar).exp())
    logits = m.decoder(mu + q.stddev * noise, one_hot)
    reconstruction = -Bernoulli(logits=logits, validate_args=False).log_prob(x).sum()
    return reconstruction, kl_divergence(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum()


def by_hand(m, x, y, noise):
    """The bound of each image, one class after the other; noise (N, K, D)."""
    values = []
    for i in range(len(x)):
        each = [sum(bound(m, x[i : i + 1], label, noise[i, label])) + math.log(K) for label in range(K)]
        q = Categorical(logits=m.head(x[i : i + 1])[0])
        unlabelled = sum(q.probs[label] * each[label] for label in range(K)) - q.entropy()
        values.append(each[y[i]] if y[i] >= 0 else unlabelled)
    return torch.stack(values)


@pytest.mark.parametrize("y", [[-1] * 5, [0, 1, 2, 1, 0], [2, -1, -1, 0, -1]], ids=["unlabelled", "labelled", "mixed"])
def test_the_bound_is_the_sum_over_the_classes(y):
    m, x, y = model(), images(), torch.tensor(y)
    exact, x64 = copy.deepcopy(m).double(), x.double()
    loss = m.loss(x, Draws(generator(0, "test")), y=y)
    noise = Draws(generator(0, "test")).normal(torch.empty(5 * K, 2)).double().unflatten(0, (5, K))
    wanted = by_hand(exact, x64, y, noise).mean()
    assert sum(loss.terms[name] for name in ("reconstruction", "kl", "label")).item() == pytest.approx(
        wanted.item(), rel=1e-5
    )
    cross_entropy = [Categorical(logits=exact.head(x64[i : i + 1])[0]).log_prob(c) for i, c in enumerate(y) if c >= 0]
    classification = -sum(cross_entropy, torch.zeros(())) / max(1, len(cross_entropy))
    assert loss.terms["classification"].item() == pytest.approx(classification.item(), rel=1e-5)
    loss.total.backward()
    (wanted + classification).backward()
    for ours, theirs in zip(m.parameters(), exact.parameters(), strict=True):
        one, other = (torch.zeros_like(p) if p.grad is None else p.grad for p in (ours, theirs))
        torch.testing.assert_close(one.double(), other.double(), rtol=1e-4, atol=1e-5)


def test_the_optimal_deviation_is_that_of_the_classes_by_their_probability():
    """σ² = mean over images and pixels of Σ_y q(y|x) (x − x_hat_y)²: wrong classes, which count for little, do not widen it."""
    m, x, y = model(likelihood="gaussian"), images(), torch.tensor([2, -1, -1, 0, -1])
    with torch.no_grad():
        m.head.to_class.weight.mul_(50)
        m.bottleneck.to_posterior.weight.zero_()
        m.bottleneck.to_posterior.bias.copy_(
            torch.tensor([0.3, -0.2, -60.0, -60.0])
        )  # z is its mean, whatever is drawn
        m.train()
        m.loss(x, y=y)
        w = m.head(x).softmax(1)
        w[0], w[3] = torch.eye(K)[2], torch.eye(K)[0]
        z = torch.tensor([[0.3, -0.2]])
        x_hat = torch.stack([m.decoder(z, torch.eye(K)[label][None])[0].sigmoid() for label in range(K)])
        squared = (x[:, None] - x_hat[None]).square().flatten(2).mean(2)  # (N, K)
    assert m.likelihood.log_sigma.exp().square().item() == pytest.approx((w * squared).sum(1).mean().item(), rel=1e-4)
    assert abs((w * squared).sum(1).mean() - squared.mean()) > 1e-4


def test_the_label_costs_nothing_when_q_knows_nothing_and_log_k_when_it_is_sure():
    m, x = model(), images(2)
    with torch.no_grad():
        m.head.to_class.weight.zero_()
        m.head.to_class.bias.zero_()
        assert m.loss(x, y=torch.tensor([-1, -1])).terms["label"].item() == pytest.approx(0, abs=1e-6)
        assert m.loss(x, y=torch.tensor([-1, 1])).terms["label"].item() == pytest.approx(math.log(K) / 2, rel=1e-5)
        m.head.to_class.bias[1] = 100.0
        assert m.loss(x, y=torch.tensor([-1, -1])).terms["label"].item() == pytest.approx(math.log(K), rel=1e-5)


def test_it_predicts_without_being_told():
    m = zoo.m2(SHAPE, 2, classes=K, hidden=(7,))
    assert m.predict(images()).shape == (5, K)
    assert m.sample(6).shape == (6, *SHAPE)
    with pytest.raises(DiaboloError, match="conditioned on labels"):
        m.encode(images())


def test_models_that_it_cannot_train_are_refused():
    with pytest.raises(DiaboloError, match="M2 needs a condition on the label"):
        zoo.m2(SHAPE, 2, condition="none")
    with pytest.raises(DiaboloError, match=r"M2 needs a likelihood in nats per image, .* not SquaredError"):
        zoo.m2(SHAPE, 2, likelihood="squared-error")
    with pytest.raises(DiaboloError, match="M2 needs a bottleneck with a posterior"):
        zoo.m2((1, 8, 8), 2, net="unet")
    assert zoo.m2(SHAPE, 2, likelihood=Gaussian("learned"), condition="embedding").units["label"] == "nats per image"


def test_it_needs_labels_the_image_and_a_plain_kl():
    m = model()
    with pytest.raises(DiaboloError, match="M2 learns from labels: give them as `y`"):
        m.objective(m, images(), None, Draws(generator(0)), 0.0)
    m.bottleneck = GaussianBottleneck(7, 2, free_bits=0.1)
    with pytest.raises(DiaboloError, match="not Gaussian with kl, free_bits"):
        m.objective.check(m)
    m = model()
    m.head = Classifier((2,), K)  # which reads the code, and so the class itself
    with pytest.raises(DiaboloError, match="a head that reads the class off the image"):
        m.objective.check(m)


def test_in_half_precision_the_classes_are_summed_over_in_float32():
    m, x = model(), images(2)
    with torch.no_grad():
        m.head.to_class.weight.zero_()
        m.head.to_class.bias.zero_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = m.loss(x, y=torch.tensor([-1, -1]))
    assert loss.terms["label"].item() == pytest.approx(0, abs=1e-6)  # of log K and an entropy of log K
