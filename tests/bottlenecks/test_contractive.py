"""The Jacobian penalty against torch.autograd.functional.jacobian in float64; the estimate has no bias."""

import copy
from itertools import product

import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

from diabolo import zoo
from diabolo.bottlenecks import Contractive, ContractiveLayer
from diabolo.bottlenecks.contractive import SQUASHES, jacobian_norm
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.randomness import Draws, generator

SHAPE = (1, 8, 8)


class Given(Draws):
    """Draws that give these numbers, one tensor after the other."""

    def __init__(self, numbers):
        super().__init__()
        self.numbers = iter(numbers)

    def uniform(self, like):
        return next(self.numbers).to(like)


def all_signs(*shape):
    """Uniform numbers that stand for every combination of signs of that shape."""
    size = torch.Size(shape).numel()
    return [torch.tensor(signs).view(shape) for signs in product((0.25, 0.75), repeat=size)]


def images(n=5, seed=0):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(seed))


def exact_norms(model, x, activation="sigmoid", create_graph=False):
    """‖∂z/∂x‖² of each image, image by image, for a model in float64."""
    squash = {"linear": nn.Identity()}.get(activation) or getattr(torch, activation)

    def code(image):
        return squash(model.bottleneck.to_code(model.encoder(image[None])))[0]

    return torch.stack([jacobian(code, one, create_graph=create_graph).square().sum() for one in x])


def norms(model, x, activation="sigmoid"):
    """The same for a model in float32."""
    return exact_norms(copy.deepcopy(model).double().eval(), x.double(), activation)


def small(**options):
    torch.manual_seed(0)
    return zoo.contractive(SHAPE, **({"latent_dim": 3, "hidden": (6, 5), "activation": "tanh"} | options))


def test_over_all_signs_the_mean_is_the_jacobians_norm():
    x = images(4).double().requires_grad_()
    weight = torch.randn(64, 3, dtype=torch.float64)
    z = torch.tanh(x.flatten(1) @ weight)
    signs = all_signs(1, 3)
    got = jacobian_norm(z, x, Given([s.expand(4, 3) for s in signs]), len(signs))
    wanted = torch.stack([jacobian(lambda v: torch.tanh(v.flatten() @ weight), one).square().sum() for one in x])
    assert got.shape == (4,)
    assert torch.allclose(got.double(), wanted, rtol=1e-6)  # summed in float32


def test_one_probe_is_right_on_average_and_more_are_nearer():
    model, x = small(), images(3)
    wanted = norms(model, x)
    many = x.repeat(4000, 1, 1, 1).requires_grad_()
    z = model.bottleneck(model.encoder(many), Draws()).code
    one, four = (jacobian_norm(z, many, Draws(generator(0)), k).view(4000, 3).double() for k in (1, 4))
    for estimates in (one, four):
        error = (estimates.mean(0) - wanted).abs()
        assert (error < 5 * estimates.std(0) / 4000**0.5).all()
    assert torch.allclose(four.var(0), one.var(0) / 4, rtol=0.2)


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize(
    "net", [{"hidden": (6, 5)}, {"hidden": None, "net": "conv", "channels": (4,), "norm": "group"}]
)
def test_in_the_loss_of_one_unit_it_is_exact(net, grad):
    # v = ±1 makes v² = 1: with one unit there is nothing to estimate
    model, x = small(latent_dim=1, **net), images()
    with torch.set_grad_enabled(grad):
        loss = model.eval().loss(x, Draws(generator(0)))
    assert loss.terms["contraction"].item() == pytest.approx(norms(model, x).mean().item(), rel=1e-5)
    assert loss.total.requires_grad == grad
    assert loss.total.item() == pytest.approx((loss.terms["reconstruction"] + 1e-4 * loss.terms["contraction"]).item())


def test_its_gradient_is_that_of_the_exact_norm():
    model, x = small(latent_dim=1), images()
    parameters = [*model.encoder.parameters(), *model.bottleneck.parameters()]
    got = torch.autograd.grad(model.loss(x, Draws(generator(0))).terms["contraction"], parameters)
    reference = copy.deepcopy(model).double()
    parameters = [*reference.encoder.parameters(), *reference.bottleneck.parameters()]
    wanted = torch.autograd.grad(exact_norms(reference, x.double(), create_graph=True).mean(), parameters)
    for g, w in zip(got, wanted, strict=True):
        assert torch.allclose(g.double(), w, rtol=1e-4, atol=1e-8)


def test_batch_norm_ties_the_images_together():
    norm, x = nn.BatchNorm1d(1, affine=False).double(), torch.randn(2, 1, dtype=torch.float64).requires_grad_()
    signs = all_signs(2, 1)
    got = jacobian_norm(norm(x), x, Given(signs), len(signs))
    whole = jacobian(norm, x).view(2, 2)
    assert torch.allclose(got.double(), whole.square().sum(0), rtol=1e-5)


@pytest.mark.parametrize("activation", SQUASHES)
def test_of_one_layer_it_is_in_closed_form(activation):
    model, x = small(hidden=(), latent_dim=4, code_activation=activation), images()
    assert isinstance(model.bottleneck, ContractiveLayer)
    loss = model.loss(x)
    wanted = norms(model, x, activation).mean()
    assert loss.terms["contraction"].item() == pytest.approx(wanted.item(), rel=1e-5)
    (got,) = torch.autograd.grad(loss.terms["contraction"], model.bottleneck.to_code.weight)
    reference = copy.deepcopy(model).double()
    mean = exact_norms(reference, x.double(), activation, create_graph=True).mean()
    (wanted,) = torch.autograd.grad(mean, reference.bottleneck.to_code.weight)
    assert torch.allclose(got.double(), wanted, rtol=1e-4, atol=1e-7)


def test_the_closed_form_is_for_encoders_without_layers():
    assert type(zoo.contractive(SHAPE, 4, hidden=()).bottleneck) is ContractiveLayer
    assert type(zoo.contractive(SHAPE, 4, hidden=(), probes=2).bottleneck) is Contractive
    assert type(zoo.contractive(SHAPE, 4, hidden=(), condition="label").bottleneck) is Contractive
    assert type(zoo.contractive(SHAPE, 4, net="conv").bottleneck) is Contractive
    assert type(zoo.contractive(SHAPE, 4, hidden=(64,)).bottleneck) is Contractive


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_bfloat16_gives_nearly_the_same_in_float32(net):
    torch.manual_seed(0)
    model, x = zoo.contractive(SHAPE, 8, net=net, contraction=1.0), images(16)
    plain = model.loss(x, Draws(generator(0))).terms["contraction"]
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss(x, Draws(generator(0)))
    loss.total.backward()
    assert loss.terms["contraction"].dtype == torch.float32
    assert loss.terms["contraction"].item() == pytest.approx(plain.item(), rel=0.05)
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_the_images_given_are_left_alone():
    model, x = small(), images()
    model.loss(x, Draws(generator(0))).total.backward()
    assert not x.requires_grad
    assert x.grad is None


@pytest.mark.parametrize("options", [{"probes": 1}, {"hidden": ()}], ids=str)
def test_training_makes_the_code_move_less(options):
    x, found = images(64), []
    for weight in (0.0, 0.1):
        torch.manual_seed(0)
        model = zoo.contractive(SHAPE, 8, contraction=weight, **({"hidden": (16,)} | options))
        optimizer, draws = torch.optim.Adam(model.parameters(), lr=3e-3), Draws(generator(0))
        for _ in range(60):
            optimizer.zero_grad()
            model.loss(x, draws).total.backward()
            optimizer.step()
        found.append(norms(model, x[:5]).mean())
    assert found[1] < 0.5 * found[0]


def test_samples_are_codes_that_units_can_have():
    z = Contractive(4, 3).prior(50, Draws(generator(0)), torch.device("cpu"))
    assert z.shape == (50, 3)
    assert ((z > 0) & (z < 1)).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"contraction": -1.0}, "the weight of the contraction must be 0 or more throughout training, not -1"),
        ({"contraction": "linear(1, -1)"}, "when 50 % of training is done|when 51 % of training is done"),
        ({"probes": 0}, "probes must be a whole number from 1 to 1,000, not 0"),
        ({"latent_dim": 0}, "latent_dim must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_is_refused(options, says):
    with pytest.raises(DiaboloError, match=says):
        zoo.contractive(SHAPE, **options)


def test_an_activation_that_does_not_exist():
    with pytest.raises(UnknownNameError, match="did you mean 'sigmoid'"):
        zoo.contractive(SHAPE, 4, code_activation="sigmiod")
