"""Nothing looks ahead, and drawing step by step sees what training sees. The prior learns distributions that are known, and
draws from them.
"""

import math

import numpy as np
import pytest
import torch

from diabolo.errors import DiaboloError
from diabolo.parts import build, describe
from diabolo.priors import CausalTransformer, CodePrior
from diabolo.priors.code_prior import from_bytes, to_bytes
from diabolo.randomness import Draws, generator


def net():
    torch.manual_seed(0)
    made = CausalTransformer(7, (3, 4), width=8, layers=2, heads=2)
    for p in made.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return made.double()


def test_logits_depend_on_earlier_tokens_alone():
    model, x = net(), torch.randint(7, (5, 12), generator=generator(0))
    before = model(x)
    for i in range(12):
        changed = x.clone()
        changed[:, i] = (x[:, i] + 1) % 7
        moved = (model(changed) - before).abs().amax((0, 2)) > 1e-12
        assert not moved[: i + 1].any()  # what stands at i, or before, does not know of i
        assert moved[i + 1 :].all()  # and all later positions do


def test_gradients_do_not_come_from_the_future():
    model = net()
    model.token.weight.requires_grad_(False)
    seen = []
    model.token.register_forward_hook(lambda _, __, out: seen.append(out.requires_grad_()))
    logits = model(torch.randint(7, (1, 12), generator=generator(0)))
    for i in range(1, 12):
        (grad,) = torch.autograd.grad(logits[0, i].square().sum(), seen[0], retain_graph=True)
        there = grad[0].abs().sum(1) > 0  # the embedding of token j stands at j
        assert there[:i].all()
        assert not there[i:].any()


def test_step_by_step_is_all_at_once():
    model, x = net(), torch.randint(7, (5, 12), generator=generator(0))
    wanted, past = model(x), None
    for i in range(12):
        logits, past = model.following(x[:, :i], past)
        torch.testing.assert_close(logits, wanted[:, i])


@pytest.mark.parametrize("options", [{"width": 9, "heads": 2}, {"layers": 0}, {"heads": 0}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(DiaboloError, match="a multiple of its heads"):
        CausalTransformer(7, (3, 4), **options)


GRID = (2, 3)


def chain(n, seed=0, codes=4):
    """Each code is the one before it with probability 0.7, else one step on: entropy known."""
    steps = (torch.rand(n, 6, generator=generator(seed)) > 0.7).long()
    steps[:, 0] = torch.randint(codes, (n,), generator=generator(seed, "first"))
    return (steps.cumsum(1) % codes).view(n, *GRID)


def as_images(indices, codes):
    return torch.from_numpy(to_bytes(indices.numpy(), codes))[:, None].float() / 255


@pytest.mark.parametrize("codes", [2, 256, 257, 512, 65536])
def test_indices_survive_as_bytes(codes):
    indices = torch.randint(codes, (9, *GRID), generator=generator(0))
    indices[0, 0, 0], indices[0, 0, 1] = 0, codes - 1
    x = as_images(indices, codes)
    assert x.shape[1:] == CodePrior(codes, GRID, width=4, layers=1).input_shape
    assert torch.equal(from_bytes(x, GRID).view(-1, *GRID), indices)


def test_the_loss_is_that_of_each_step_in_float64():
    torch.manual_seed(0)
    prior = CodePrior(300, GRID, width=8, layers=1, heads=2)
    indices = torch.randint(300, (5, *GRID), generator=generator(0))
    loss = prior.loss(as_images(indices, 300))
    tokens = indices.flatten(1)
    log_p = prior.double().net(tokens).log_softmax(2)
    nll = -sum(log_p[n, i, tokens[n, i]] for n in range(5) for i in range(6)) / 5
    assert loss.total.item() == pytest.approx(nll.item(), rel=1e-5)
    assert loss.logged["bits_per_code"].item() == pytest.approx(nll.item() / 6 / math.log(2), rel=1e-5)
    assert tuple(loss.terms) == tuple(prior.units)
    assert tuple(loss.logged) == prior.logged


def test_a_known_distribution_is_learnt_and_drawn():
    torch.manual_seed(0)
    prior = CodePrior(4, GRID, width=16, layers=1, heads=2)
    optimizer = torch.optim.Adam(prior.parameters(), lr=1e-2)
    for seed in range(200):
        loss = prior.loss(as_images(chain(256, seed), 4))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
    entropy = math.log(4) + 5 * -(0.7 * math.log(0.7) + 0.3 * math.log(0.3))
    held_out = prior.loss(as_images(chain(20_000, 10**6), 4)).total.item()
    assert entropy - 0.03 < held_out < entropy + 0.05
    drawn = prior.draw(4000, Draws(generator(0)), torch.device("cpu")).flatten(1)
    stays = (drawn[:, 1:] == drawn[:, :-1]).double().mean(0)
    assert ((stays - 0.7).abs() < 0.05).all()
    assert (((drawn[:, 1:] - drawn[:, :-1]) % 4) <= 1).double().mean() > 0.97
    assert ((drawn[:, 0].bincount(minlength=4) / 4000 - 0.25).abs() < 0.05).all()


def test_draws_are_those_of_the_seed():
    prior = CodePrior(4, GRID, width=8, layers=1, heads=2)
    one, two, other = (prior.draw(300, Draws(generator(s)), torch.device("cpu")) for s in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert one.shape == (300, *GRID)
    assert one.min() >= 0
    assert one.max() < 4


def test_it_is_a_part():
    prior = CodePrior(300, GRID, width=8, layers=1, heads=2, fitted_to="abc")
    again = build(describe(prior))
    again.load_state_dict(prior.state_dict())
    x = as_images(torch.randint(300, (5, *GRID)), 300)
    assert torch.equal(again.loss(x).total, prior.loss(x).total)
    assert again.fitted_to == "abc"
    assert np.array_equal(to_bytes(np.array([[[258]]]), 300), [[[2], [1]]])


@pytest.mark.parametrize("codes", [1, 65537])
def test_too_few_or_many_codes_are_refused(codes):
    with pytest.raises(DiaboloError, match="a prior is over 2 to 65,536 codes"):
        CodePrior(codes, GRID)
