"""Two processes compute what one would: sums, gradients, batch norm, the optimal σ, the noise."""

import os
import subprocess
import sys

import pytest
import torch

from diabolo import distributed

SCRIPT = """
import sys
import torch
import torch.distributed as dist
from torch import nn

from diabolo import distributed, zoo
from diabolo.nets.layers import BatchNorm2d
from diabolo.likelihoods import Gaussian
from diabolo.randomness import Draws, generator

torch.set_num_threads(1)
rank, path = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
mine = slice(4 * rank, 4 * rank + 4)


def average_gradients(module):
    for p in module.parameters():
        if p.grad is not None:
            distributed.average(p.grad)


def near(one, other):
    assert torch.allclose(one, other, rtol=1e-4, atol=1e-5), (one, other)


assert (distributed.world(), distributed.rank()) == (2, rank)

# the mean, and the gradient of what all make of it: d/dx_r of (Σ_r' w_r' m²) / 2, m = (x_0 + x_1) / 2
x = torch.tensor(1.0 + rank, requires_grad=True)
m = distributed.mean(x)
assert m.item() == 1.5
((1 + rank) * m.square()).backward()
assert x.grad.item() == (1 + 2) * 2 * 1.5 / 2

assert distributed.text_from_first("runs/0001-vae-ziffern-äöü" if rank == 0 else "") == "runs/0001-vae-ziffern-äöü"
assert distributed.text_from_first("") == ""
t = torch.full((3,), float(rank))
distributed.average(t)
assert t.tolist() == [0.5, 0.5, 0.5]
t = torch.tensor([1.0, 2.0]).double()[rank:].expand(3, -1).T  # not contiguous, two rows and one
assert distributed.total(torch.tensor([1 + rank])).tolist() == [3]
assert distributed.rows(t).tolist() == [[1.0] * 3, [2.0] * 3, [2.0] * 3]
assert distributed.mine(7) == (slice(3, 7) if rank else slice(0, 3))
try:
    distributed.mine(1)
except ValueError as error:
    assert str(error) == "there are fewer images (1) than processes (2)"
else:
    raise AssertionError
if rank == 1:  # on its own: nobody waits, and the noise is that of one process
    with distributed.alone():
        assert (distributed.world(), distributed.rank(), distributed.mine(1)) == (1, 0, slice(0, 1))
        assert distributed.total(t) is t and distributed.rows(t) is t
        noise = Draws(generator(0))
        drawn = [noise.normal(torch.empty(3, 5)) for _ in range(2)]
    wanted = generator(0)
    assert all(torch.equal(d, torch.randn(3, 5, generator=wanted)) for d in drawn)
assert distributed.world() == 2
t = torch.full((3,), float(rank))
distributed.from_first(t)
assert t.tolist() == [0.0, 0.0, 0.0]

# batch norm, in training and in evaluation
data = 3 * torch.randn(8, 5, 4, 6, generator=torch.Generator().manual_seed(0)) + 1
target = torch.randn(8, 5, 4, 6, generator=torch.Generator().manual_seed(1))
whole, shared = nn.BatchNorm2d(5), BatchNorm2d(5)
with torch.no_grad():
    whole.weight.copy_(torch.arange(1.0, 6.0))
shared.load_state_dict(whole.state_dict())
for _ in range(3):
    a, b = data.clone().requires_grad_(), data[mine].clone().requires_grad_()
    y, z = whole(a), shared(b)
    near(z, y[mine])
    (y - target).square().mean().backward()
    (z - target[mine]).square().mean().backward()
    average_gradients(shared)
    near(b.grad / 2, a.grad[mine])
    for p, q in zip(whole.parameters(), shared.parameters()):
        near(q.grad, p.grad)
        p.grad = q.grad = None
for name, value in whole.state_dict().items():
    near(shared.state_dict()[name].double(), value.double())
near(shared.eval()(data[mine]), whole.eval()(data)[mine])

# the optimal σ is that of the joint batch, in value and gradient
one, joint = Gaussian("optimal"), Gaussian("optimal")
raw = torch.randn(8, 20, generator=torch.Generator().manual_seed(2))
raw[:4] *= 5
images = torch.rand(8, 20, generator=torch.Generator().manual_seed(3))
share = raw[mine].clone().requires_grad_()
got = joint.loss(share, images[mine])
got.mean().backward()
processes_mean = distributed.mean
distributed.mean = lambda x: x
whole_raw = raw.clone().requires_grad_()
wanted = one.loss(whole_raw, images)
wanted.mean().backward()
distributed.mean = processes_mean
near(got, wanted[mine])
near(share.grad / 2, whole_raw.grad[mine])
near(joint.log_sigma, one.log_sigma)

# the whole loss of a model, with its noise
for name, options in (
    ("vae", {"net": "conv"}), ("denoising", {"net": "conv", "latent_dim": 8}), ("vae", {"net": "mlp"}),
    ("vae", {"net": "mlp", "free_bits": 0.01}), ("vae", {"net": "conv", "capacity": 3.0}),
    ("kl_sparse", {"net": "conv", "latent_dim": 8, "rate_weight": 1.0}), ("topk", {"net": "conv", "latent_dim": 8}),
    ("contractive", {"net": "conv", "latent_dim": 8, "contraction": 1.0}),
    ("rae", {"net": "conv", "code_l2": 1.0, "decoder_l2": 1e-2, "gradient_penalty": 1.0}),
    ("iwae", {"gradient": "dreg", "observation": "binarised"}), ("iwae", {"net": "conv"}),
    ("vae", {"net": "unet", "dropout": 0.2, "checkpointing": True}), ("iwae", {"net": "resnet", "dropout": 0.2}),
    ("denoising_conv", {"channels": (4, 4)}),
    ("joint", {"net": "conv", "latent_dim": 8}), ("classifier", {"latent_dim": 8}), ("m2", {}),
    ("cvae", {"net": "conv", "condition": "embedding"}), ("completion", {}), ("completion_plain", {}),
    ("denoising", {"corruption": "occlusion", "level": "0.1..0.6", "likelihood": "ms-ssim"}),
    ("denoising", {"corruption": "dropout", "level": "0.1..0.6", "likelihood": "continuous-bernoulli", "latent_dim": 8}),
):
    torch.manual_seed(0)
    model = zoo.build(name, (1, 12, 12), **options)
    x = torch.rand(8, 1, 12, 12, generator=torch.Generator().manual_seed(4))
    y = torch.arange(8) % 10 if model.needs_column == "labels" else None
    if model.head.needs_column == "labels":
        y = torch.tensor([-1, 3, 9, 0, 5, -1, -1, -1])  # three in one process, one in the other
    model.loss(x[mine], Draws(generator(0), (4 * rank, 8)), y=None if y is None else y[mine]).total.backward()
    average_gradients(model)
    trained = [p for p in model.parameters() if p.grad is not None]  # all, but for the decoder of a plain classifier
    got = [p.grad.clone() for p in trained]
    model.zero_grad()
    world = distributed.world
    distributed.world = lambda: 1
    model.loss(x, Draws(generator(0)), y=y).total.backward()
    distributed.world = world
    for p, g in zip(trained, got):
        assert torch.allclose(g, p.grad, rtol=1e-3, atol=1e-4 * max(1.0, p.grad.abs().max().item()))
dist.destroy_process_group()
"""


EVALUATION = """
import os
import sys
import numpy as np
import torch
import torch.distributed as dist

rank, path = int(sys.argv[1]), sys.argv[2]
os.environ["HOME"] = f"{path}-home-{rank}"  # where the classifier that takes features is kept

from diabolo import zoo
from diabolo.data import load
from diabolo.evaluation import evaluate

torch.set_num_threads(1)
data = load("digits", n_train=200, n_test=90)
MEASURES = ("reconstruction", "rate", "likelihood", "usage", "generation")
FEW = {"importance_samples": 8, "nll_images": 20, "densities": ("prior",), "manifold_images": 80}


def scores(name, measures, options, few):
    torch.manual_seed(0)
    model = zoo.build(name, data[0].shape, **options)
    return evaluate(model, data, measures, **few).record()["scores"]


CASES = (
    ("vae", MEASURES, {"hidden": (16,), "latent_dim": 3, "observation": "binarised"}, FEW),
    ("denoising", ("reconstruction", "usage"), {"hidden": (16,), "latent_dim": 3}, {}),
    ("vqvae", ("usage", "rate"), {"width": 8, "residual_width": 4}, {}),
)
before = [scores(*case) for case in CASES]
if rank == 1:  # trained anew, then, by a process that is one of two
    os.environ["HOME"] += "-again"
dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
if rank == 1:  # the other does not measure, and nobody waits for it
    for case, wanted in zip(CASES, before):
        assert scores(*case) == wanted, case
dist.barrier()
dist.destroy_process_group()
os._exit(0)
"""


@pytest.mark.parametrize("text", [SCRIPT, EVALUATION], ids=["sums, gradients and noise", "evaluate"])
def test_two_processes_compute_what_one_would(text, tmp_path):
    script = tmp_path / "two.py"
    script.write_text(text)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    running = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), str(tmp_path / "meet")],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    try:
        ends = [process.communicate(timeout=120) for process in running]
    finally:
        for process in running:
            process.kill()
    for process, (_, errors) in zip(running, ends, strict=True):
        assert process.returncode == 0, errors


def test_alone_everything_is_as_it_was():
    assert (distributed.world(), distributed.rank()) == (1, 0)
    x = torch.ones(3, requires_grad=True)
    assert distributed.mean(x) is x
    distributed.average(x)
    distributed.from_first(x)
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert distributed.text_from_first("runs/0001") == "runs/0001"


@pytest.mark.parametrize("training", [True, False])
def test_alone_batch_norm_is_that_of_torch(training):
    from diabolo.nets.layers import BatchNorm2d

    one, other = torch.nn.BatchNorm2d(3).train(training), BatchNorm2d(3).train(training)
    x = torch.randn(4, 3, 5, 5)
    assert torch.equal(one(x), other(x))
    assert torch.equal(one.running_var, other.running_var)
