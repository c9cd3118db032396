"""Nothing looks ahead, and drawing step by step sees what training sees."""

import pytest
import torch

from diabolo.errors import DiaboloError
from diabolo.priors import CausalTransformer
from diabolo.randomness import generator


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
