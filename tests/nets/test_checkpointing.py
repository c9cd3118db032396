"""Dropout drops what it says; checkpointed blocks give the same gradients and statistics, and keep less."""

import copy
import math

import pytest
import torch
from torch import nn

from diabolo import nets, zoo
from diabolo.errors import DiaboloError
from diabolo.nets.checkpointing import Chain, Dropout
from diabolo.randomness import Draws, current_draws, drawing, generator
from diabolo.training.fit import fit, resume

CONES = ["mlp", "conv", "resnet", "unet"]


def draws(window=None):
    return Draws(generator(0, "test"), window)


# --- dropout ------------------------------------------------------------------------------------------------------------


def test_a_share_is_dropped_and_the_rest_scaled():
    x, dropout = torch.full((200, 500), 2.0), Dropout(0.3)
    with drawing(draws()):
        y = dropout(x)
    assert y.unique().tolist() == pytest.approx([0, 2 / 0.7])
    dropped = (y == 0).double().mean().item()
    assert abs(dropped - 0.3) < 5 * math.sqrt(0.3 * 0.7 / x.numel())
    assert torch.equal(dropout.eval()(x), x)


def test_its_gradient_is_that_of_the_mask():
    x = torch.rand(4, 5, requires_grad=True)
    with drawing(draws()):
        y = Dropout(0.5)(x)
    y.sum().backward()
    assert torch.equal(x.grad, 2.0 * (y != 0))


def test_in_half_precision_as_much_is_dropped():
    x = torch.ones(1000, 1000, dtype=torch.bfloat16)
    with drawing(draws()):
        y = Dropout(0.001)(x)
    assert y.dtype == torch.bfloat16
    assert abs((y == 0).double().mean().item() - 0.001) < 0.0002


def test_noise_comes_from_the_step_and_disturbs_nobody():
    x, dropout = torch.ones(8, 50), Dropout(0.5)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with drawing(draws()):
        whole = dropout(x)
        assert current_draws().generator is not None
    assert torch.equal(torch.get_rng_state(), before)
    assert current_draws().generator is None
    for start in (0, 4):  # a process that holds half of the rows drops what one with all of them would
        with drawing(draws((start, 8))):
            assert torch.equal(dropout(x[:4]), whole[start : start + 4])
    assert not torch.equal(dropout(x), dropout(x))


def test_rows_of_several_samples_per_image_are_shared_out_too(monkeypatch):
    from diabolo import distributed

    x, dropout = torch.ones(12, 50), Dropout(0.5)  # 4 images with 3 samples each
    with drawing(draws((0, 4))):
        whole = dropout(x)
    monkeypatch.setattr(distributed, "world", lambda: 2)
    for start in (0, 2):
        monkeypatch.setattr(distributed, "rank", lambda start=start: start // 2)
        with drawing(draws((start, 4))):
            assert torch.equal(dropout(x[:6]), whole[3 * start : 3 * start + 6])


@pytest.mark.parametrize("net", CONES)
def test_dropout_follows_every_activation_and_rests_in_evaluation(net):
    for cone in nets.build(net, (1, 16, 16), 3, dropout=0.25):
        dropouts = [m for m in cone.modules() if isinstance(m, Dropout)]
        assert dropouts
        assert all(m.p == 0.25 for m in dropouts)
    model = zoo.undercomplete((1, 16, 16), 3, net=net, dropout=0.25)
    x = torch.rand(4, 1, 16, 16)
    one, same, other = (model.loss(x, Draws(generator(seed))).total for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(model.encode(x), model.encode(x))
    plain = nets.build(net, (1, 16, 16), 3, dropout=0.0)
    assert not [m for cone in plain for m in cone.modules() if isinstance(m, Dropout)]


@pytest.mark.parametrize("p", [1, 1.5, -0.1, "some", True])
@pytest.mark.parametrize("net", CONES)
def test_no_probability_is_refused(net, p):
    with pytest.raises(DiaboloError, match="dropout must be a number of at least 0 and below 1"):
        nets.build(net, (1, 16, 16), 3, dropout=p)


# --- checkpointing ------------------------------------------------------------------------------------------------------


def gradients(model, x, **given):
    model.zero_grad()
    loss = model.loss(x, draws(), **given)
    loss.total.backward()
    return loss.total.detach(), [p.grad.clone() for p in model.parameters()]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("net", CONES)
@pytest.mark.parametrize("name", ["vae", "contractive"])  # the second takes derivatives of derivatives
def test_the_same_loss_gradients_and_statistics(name, net, norm, dropout):
    options = {"net": net, "latent_dim": 4, "dropout": dropout, "activation": "silu"}
    options |= {} if net == "mlp" else {"norm": norm}
    torch.manual_seed(0)
    plain = zoo.build(name, (1, 17, 17), **options)
    saving = zoo.build(name, (1, 17, 17), **options, checkpointing=True)
    saving.load_state_dict(plain.state_dict())
    x = torch.rand(6, 1, 17, 17)
    for _ in range(2):
        (total, wanted), (again, got) = gradients(plain, x), gradients(saving, x)
        assert torch.allclose(total, again, rtol=1e-6)
        for w, g in zip(wanted, got, strict=True):
            assert torch.allclose(w, g, rtol=1e-4, atol=1e-6 * max(1.0, w.abs().max().item()))
    for (key, w), g in zip(plain.state_dict().items(), saving.state_dict().values(), strict=True):
        assert torch.allclose(w, g, rtol=1e-5), key  # running statistics have counted each batch once


def kept(model, x):
    """Bytes that autograd keeps for the backward pass, weights left out."""
    own = {p.data_ptr() for p in model.parameters()}
    found = {}

    def pack(tensor):
        if tensor.data_ptr() not in own:
            found[tensor.untyped_storage().data_ptr()] = (tensor.untyped_storage().nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.loss(x, draws())
    return sum(size for size, _ in found.values())


@pytest.mark.parametrize("net", CONES)
def test_less_is_kept(net):
    options = {"hidden": (256,) * 6} if net == "mlp" else {}
    plain, saving = (
        zoo.undercomplete((1, 32, 32), 4, net=net, activation="silu", dropout=0.1, checkpointing=c, **options)
        for c in (False, True)
    )
    x = torch.rand(16, 1, 32, 32)
    assert kept(saving, x) < 0.75 * kept(plain, x)


def test_blocks_run_once_in_evaluation_and_twice_in_training():
    runs = []

    class Counting(nn.Linear):
        def forward(self, x):
            runs.append(1)
            return super().forward(x).sigmoid()

    chain = Chain(Counting(3, 3), Counting(3, 3), checkpointing=True)
    chain(torch.rand(2, 3)).sum().backward()
    assert len(runs) == 4
    with torch.no_grad():
        chain(torch.rand(2, 3))
    assert len(runs) == 6
    copy.deepcopy(chain).eval()(torch.rand(2, 3)).sum().backward()
    assert len(runs) == 8


def test_a_graph_may_be_walked_twice():
    torch.manual_seed(0)
    model = zoo.undercomplete((1, 16, 16), 3, net="conv", dropout=0.3, checkpointing=True)
    loss = model.loss(torch.rand(4, 1, 16, 16), draws()).total
    one = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
    two = torch.autograd.grad(loss, list(model.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("net", ["conv", "unet"])
def test_a_resumed_run_ends_with_the_same_bits(net, tiny_pixels, tiny_model, tmp_path):
    x = tiny_pixels(40)
    given = {"batch_size": 20, "quiet": True, "device": "cpu", "schedule": "constant", "out": tmp_path}
    ends = []
    for stop in (None, 1):
        options = {"net": net, "channels": (4, 4), "hidden": None, "dropout": 0.3, "checkpointing": True}
        model = tiny_model("vae", **options)
        run = fit(model, x, epochs=stop or 3, **given)
        run = run if stop is None else resume(run.path, x, epochs=3)
        ends.append(run.model.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(*(end.values() for end in ends), strict=True))
