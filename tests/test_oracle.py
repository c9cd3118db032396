"""The VAE of the study guides, written out plainly: same weights, same noise, so the same losses step by step."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from diabolo import zoo
from diabolo.randomness import Draws

HIDDEN, LATENT, BATCH, STEPS = 100, 8, 128, 24


class PlainVAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, HIDDEN)
        self.fc21 = nn.Linear(HIDDEN, LATENT)
        self.fc22 = nn.Linear(HIDDEN, LATENT)
        self.fc3 = nn.Linear(LATENT, HIDDEN)
        self.fc4 = nn.Linear(HIDDEN, 64)

    def forward(self, x, noise):
        h = F.relu(self.fc1(x.view(-1, 64)))
        mu, logvar = self.fc21(h), self.fc22(h)
        std = torch.exp(0.5 * logvar)
        eps = torch.randn(std.shape, generator=noise)
        z = mu + eps * std
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


def plain_loss(x_hat, x, mu, logvar):
    bce = F.binary_cross_entropy(x_hat, x.view(-1, 64), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce / len(x), kld / len(x)


def copied(model):
    plain = PlainVAE()
    there = model.bottleneck.to_posterior
    with torch.no_grad():
        for theirs, weight, bias in (
            (plain.fc1, model.encoder.layers[0].weight, model.encoder.layers[0].bias),
            (plain.fc21, there.weight[:LATENT], there.bias[:LATENT]),
            (plain.fc22, there.weight[LATENT:], there.bias[LATENT:]),
            (plain.fc3, model.decoder.layers[0].weight, model.decoder.layers[0].bias),
            (plain.fc4, model.decoder.to_raw.weight, model.decoder.to_raw.bias),
        ):
            theirs.weight.copy_(weight)
            theirs.bias.copy_(bias)
    return plain


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_the_same_losses_step_by_step(beta):
    data = torch.from_numpy(load_digits().images[:, None]).float() / 16
    torch.manual_seed(0)
    model = zoo.vae((1, 8, 8), LATENT, net="mlp", hidden=(HIDDEN,), activation="relu", beta=beta)
    plain = copied(model)
    ours, theirs = (torch.optim.Adam(m.parameters(), lr=1e-3) for m in (model, plain))
    noises = [torch.Generator().manual_seed(1) for _ in range(2)]
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(2)).repeat(2)
    first = last = 0.0
    for step in range(STEPS):
        x = data[order[step * BATCH : (step + 1) * BATCH]]
        loss = model.loss(x, Draws(noises[0]))
        ours.zero_grad()
        loss.total.backward()
        ours.step()

        x_hat, mu, logvar = plain(x, noises[1])
        bce, kld = plain_loss(x_hat, x, mu, logvar)
        theirs.zero_grad()
        (bce + beta * kld).backward()
        theirs.step()

        assert loss.terms["reconstruction"].item() == pytest.approx(bce.item(), rel=2e-5), step
        assert loss.terms["kl"].item() == pytest.approx(kld.item(), rel=5e-4, abs=2e-5), step
        assert loss.total.item() == pytest.approx((bce + beta * kld).item(), rel=2e-5), step
        first, last = first or loss.total.item(), loss.total.item()
    assert last < 0.9 * first  # it did learn
    weights = model.bottleneck.to_posterior.weight
    assert torch.allclose(weights[:LATENT], plain.fc21.weight, atol=1e-4)
    assert torch.allclose(weights[LATENT:], plain.fc22.weight, atol=1e-4)
    assert torch.allclose(model.encode(data), plain.fc21(F.relu(plain.fc1(data.view(-1, 64)))), atol=1e-4)
