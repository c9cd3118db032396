"""Each optimizer against torch's own, for many steps: by its formula, as a compiled step uses it, and by its kernel."""

import math

import pytest
import torch

from diabolo import parts
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.updates import SGD, Adam, AdamW, Muon, as_optimizer
from diabolo.updates.muon import orthogonal

CASES = {
    "adam": (Adam(), torch.optim.Adam, {}),
    "adam, other betas, decay": (
        Adam(0.5, 0.9, 1e-6, 0.1), torch.optim.Adam, {"betas": (0.5, 0.9), "eps": 1e-6, "weight_decay": 0.1}
    ),
    "adamw": (AdamW(weight_decay=0.3), torch.optim.AdamW, {"weight_decay": 0.3}),
    "sgd": (SGD(), torch.optim.SGD, {}),
    "momentum, decay": (SGD(0.9, weight_decay=0.1), torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    "nesterov": (SGD(0.9, nesterov=True), torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}  # fmt: skip
STEPS = 60


def falling(w, target):
    """The gradient of a quartic around `target`."""
    return (w - target) ** 3 + 0.1 * (w - target)


def course(optimizer, w, target, dtype, kernel, lr=lambda i: 0.02 * (1 + i % 3)):
    """`w` after many steps at changing learning rates."""
    w, target = w.to(dtype, copy=True), target.to(dtype)
    slots = [torch.zeros_like(w) for _ in optimizer.slots]
    t = torch.zeros(())
    for i in range(STEPS):
        g = falling(w, target)
        if kernel:
            optimizer.apply([w], [g], [[slot] for slot in slots], lr(i), t)
        else:
            w = optimizer.update(w, g, slots, optimizer.rates(lr(i), i + 1))
    assert not kernel or float(t) == STEPS
    return w


def theirs(kind, options, w, target, lr=lambda i: 0.02 * (1 + i % 3)):
    p = torch.nn.Parameter(w.double())
    optimizer = kind([p], lr=1.0, foreach=False, **options)
    for i in range(STEPS):
        optimizer.param_groups[0]["lr"] = lr(i)
        p.grad = falling(p.detach(), target.double())
        optimizer.step()
    return p.detach()


@pytest.fixture
def numbers():
    return torch.randn(7, 5, generator=torch.Generator().manual_seed(0)), torch.full((7, 5), 0.3)


@pytest.mark.parametrize("case", CASES)
def test_the_formula_is_torchs_optimizer(case, numbers):
    optimizer, kind, options = CASES[case]
    expected = theirs(kind, options, *numbers)
    torch.testing.assert_close(course(optimizer, *numbers, torch.float64, False), expected, rtol=1e-9, atol=1e-11)
    assert float((expected - numbers[0]).abs().max()) > 0.1  # something has moved


@pytest.mark.parametrize("case", CASES)
def test_the_kernel_does_the_same(case, numbers):
    optimizer, kind, options = CASES[case]
    expected = theirs(kind, options, *numbers)
    torch.testing.assert_close(course(optimizer, *numbers, torch.float64, True), expected, rtol=1e-9, atol=1e-11)


# --- Muon -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (3, 1)])
def test_orthogonal_is_the_polynomial_of_the_singular_values(shape):
    """By the decomposition that the steps do without, and near one for every direction that is not tiny."""
    u = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    left, s, right = torch.linalg.svd(u, full_matrices=False)
    s = s / u.norm()
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    torch.testing.assert_close(orthogonal(u), left @ s.diag() @ right, rtol=1e-9, atol=1e-10)
    assert float(s.min()) > 0.6
    assert float(s.max()) < 1.3


def test_muon_moves_matrices_as_torchs_does_and_the_rest_as_adamw(numbers):
    """torch's orthogonalises in bfloat16, so that both agree to about a hundredth of a step."""
    w, target = numbers
    options = {"weight_decay": 0.1, "momentum": 0.95, "adjust_lr_fn": "match_rms_adamw"}
    p = torch.nn.Parameter(w.clone())
    optimizer, ours, slots = torch.optim.Muon([p], lr=0.02, **options), Muon(weight_decay=0.1), [torch.zeros(7, 5)] * 2
    mine = w.clone()
    for i in range(10):
        p.grad = falling(p.detach(), target)
        optimizer.step()
        mine = ours.update(mine, falling(mine, target), slots, ours.rates(0.02, i + 1))
    step = 0.02 * 0.2 * math.sqrt(7)
    torch.testing.assert_close(mine, p.detach(), rtol=0, atol=0.3 * step)
    assert float((mine - w).abs().max()) > 2 * step
    bias = numbers[0].flatten(), numbers[1].flatten()
    expected = theirs(torch.optim.AdamW, {"weight_decay": 0.1}, *bias)
    torch.testing.assert_close(course(ours, *bias, torch.float64, False), expected, rtol=1e-12, atol=1e-13)


def test_the_kernels_of_a_convolution_are_a_matrix():
    g = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(2)).to(memory_format=torch.channels_last)
    w, muon = torch.zeros(4, 3, 2, 2), Muon()
    found = muon.update(w, g, [torch.zeros_like(g), torch.zeros_like(g)], muon.rates(1.0, 1))
    flat = muon.update(w.flatten(1), g.flatten(1), [torch.zeros(4, 12), torch.zeros(4, 12)], muon.rates(1.0, 1))
    torch.testing.assert_close(found, flat.view(4, 3, 2, 2))


def test_muon_is_refused_where_there_is_no_matrix():
    with pytest.raises(DiaboloError, match="these weights have none"):
        Muon().check([torch.zeros(3), torch.zeros(())])
    Muon().check([torch.zeros(3), torch.zeros(2, 2)])


# --- by name ----------------------------------------------------------------------------------------------------------


def test_text_names_an_optimizer_and_its_options():
    found = as_optimizer("sgd( momentum=0.9, nesterov = True )", 0.1)
    assert (found.momentum, found.nesterov, found.weight_decay) == (0.9, True, 0.1)
    assert as_optimizer("adam").beta1 == 0.9
    assert as_optimizer("adamw(weight_decay=0.2)").weight_decay == 0.2
    again = as_optimizer(parts.describe(found))
    assert parts.describe(again) == parts.describe(found)
    assert as_optimizer(found) is found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("admw", "adamw"), ("adam(beta=0.5)", "beta1"), ("sgd(momentum=1)", "below 1"), ("sgd(0.9)", "name=number"),
        ("sgd(nesterov=true)", "momentum above 0"), ("adam(", "an optimizer is a name"), (3, "an optimizer is a name"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_in_a_sentence(text, said):
    with pytest.raises(DiaboloError, match=said) as refused:
        as_optimizer(text)
    assert "\n" not in str(refused.value)


def test_weight_decay_is_said_once():
    for value in ("adamw(weight_decay=0.2)", AdamW(weight_decay=0.2)):
        with pytest.raises(DiaboloError, match="say it in one place"):
            as_optimizer(value, 0.1)


def test_an_unknown_name_lists_the_others():
    with pytest.raises(UnknownNameError, match="muon"):
        as_optimizer("lion")
