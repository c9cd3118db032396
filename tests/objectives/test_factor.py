"""FactorVAE's two losses written out, its critic as in the paper, and its permutations in one process and in several."""

import pytest
import torch
from torch import nn
from torch.nn.functional import logsigmoid

from diabolo import distributed, zoo
from diabolo.errors import DiaboloError
from diabolo.objectives import ELBO, FactorVAE
from diabolo.objectives.factor import permuted
from diabolo.randomness import Draws, generator
from diabolo.updates import Adam

SHAPE = (1, 4, 4)


def model(**options):
    torch.manual_seed(0)
    return zoo.factorvae(SHAPE, 3, hidden=(7,), critic_width=6, critic_layers=2, **options)


def draws(window=None):
    return Draws(generator(0, "test"), window)


def images(n=8):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))


def test_both_losses_written_out():
    m, x = model(gamma=3.0), images()
    loss, source = m.loss(x, draws()), draws()
    elbo = ELBO()(m, x, None, source, 0.0)
    z = m(x, draws())[0].z
    joint, fake = m.objective.critic(z)[:, 0], m.objective.critic(permuted(z, source))[:, 0]
    torch.testing.assert_close(loss.total, elbo.total + 3.0 * joint.mean())
    wanted = -0.5 * (logsigmoid(joint) + logsigmoid(-fake)).mean()  # log D of codes, log 1 − D of permuted ones
    torch.testing.assert_close(loss.minimised["critic"], wanted)
    assert loss.minimised["model"] is loss.total
    assert list(loss.terms) == list(m.units) == ["reconstruction", "kl", "total_correlation"]
    assert m.objective.schedules(m)["total_correlation"](0.5) == loss.weights["total_correlation"] == 3.0


def test_the_critic_is_the_papers():
    critic = FactorVAE(5).critic
    widths = [(layer.in_features, layer.out_features) for layer in critic if isinstance(layer, nn.Linear)]
    assert widths == [(5, 1000), *[(1000, 1000)] * 5, (1000, 1)]
    assert [layer.negative_slope for layer in critic if isinstance(layer, nn.LeakyReLU)] == [0.2] * 6
    assert len(critic) == 13


def test_model_and_critic_share_no_weight_and_the_critic_has_its_own_rule():
    m = model(critic_lr=2e-3)
    players = m.objective.players(m)
    critic = {id(p) for p in m.objective.critic.parameters()}
    assert {id(p) for p in players["critic"].weights} == critic
    assert {id(p) for p in players["model"].weights} == {id(p) for p in m.parameters()} - critic
    adam = players["critic"].rule.optimizer
    assert (type(adam), adam.beta1, adam.beta2) == (Adam, 0.5, 0.9)
    assert players["critic"].rule.lr == 2e-3
    assert players["model"].rule is None


def test_a_code_that_is_no_draw_is_refused():
    with pytest.raises(
        DiaboloError, match="FactorVAE needs a bottleneck with a posterior, such as Gaussian, not Identity"
    ):
        FactorVAE(3).check(zoo.undercomplete(SHAPE, 3, hidden=(7,)))


@pytest.mark.parametrize(("start", "end", "rank"), [(0, 4, 0), (4, 8, 1)])
def test_of_two_processes_each_has_its_rows_of_the_permutation_of_all(start, end, rank, monkeypatch):
    z = torch.randn(8, 3, generator=generator(1))
    wanted, keys = permuted(z, draws()), draws().uniform(z)
    monkeypatch.setattr(distributed, "world", lambda: 2)
    monkeypatch.setattr(distributed, "rank", lambda: rank)
    monkeypatch.setattr(distributed, "rows", lambda own: z if torch.equal(own, z[start:end]) else keys)
    assert torch.equal(permuted(z[start:end], draws((start, 8))), wanted[start:end])


def test_a_window_of_a_batch_that_nobody_shares_is_permuted_within_itself():
    z = torch.randn(5, 3, generator=generator(1))
    found = permuted(z, draws((3, 8)))
    assert torch.equal(found.sort(0).values, z.sort(0).values)
    assert not torch.equal(found, z)


def test_in_half_precision_both_losses_are_float32():
    m, x = model(), images()
    with torch.autocast("cpu", torch.bfloat16):
        loss = m.loss(x, draws())
    assert {value.dtype for value in (*loss.terms.values(), *loss.minimised.values())} == {torch.float32}
