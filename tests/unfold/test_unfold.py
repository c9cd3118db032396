"""What is unfolded is the same: as many parameters, and from the same weights and batches the same losses, step by step."""

import importlib.util

import pytest
import torch

import diabolo
from diabolo import unfold
from diabolo.hardware import Precision
from diabolo.randomness import Draws
from diabolo.runs.config import Config
from diabolo.runs.loading import build_model
from diabolo.training.options import TrainOptions
from diabolo.training.stepping import LR_SCHEDULES, step_of

DIGITS = (1, 8, 8)
CASES = {
    "undercomplete": ("undercomplete", {"latent_dim": 2, "hidden": (32,)}),
    "no hidden layers": ("undercomplete", {"latent_dim": 2, "hidden": ()}),
    "linear": ("linear", {"latent_dim": 4}),
    "one hidden": ("undercomplete", {"net": "mlp-one-hidden", "latent_dim": 3}),
    "512-256-128": ("undercomplete", {"net": "mlp-512-256-128", "latent_dim": 2}),
    "conv": ("undercomplete", {"net": "conv", "channels": (8, 16), "latent_dim": 5}),
    "group norm": ("undercomplete", {"net": "conv", "channels": (8, 16), "norm": "group", "activation": "silu"}),
    "resnet": ("undercomplete", {"net": "resnet", "channels": (8, 16), "latent_dim": 5}),
    "resnet of groups": ("vae", {"net": "resnet", "channels": (8, 12), "norm": "group", "residual_layers": 2}),
    "sparse": ("sparse", {"latent_dim": 16, "hidden": (32,), "sparsity": "linear(0, 1e-3, 0.5)"}),
    "topk": ("topk", {"latent_dim": 16, "hidden": (32,), "active": 3}),
    "kl sparse": ("kl_sparse", {"latent_dim": 16, "hidden": (32,)}),
    "contractive": ("contractive", {"latent_dim": 8, "hidden": (16,), "contraction": 1e-2}),
    "two probes": ("contractive", {"latent_dim": 8, "hidden": (16,), "probes": 2, "code_activation": "tanh"}),
    "one layer": ("contractive", {"latent_dim": 8, "net": "linear", "contraction": 1e-2}),
    "denoising": ("denoising", {"latent_dim": 16, "hidden": (32,), "level": 0.3}),
    "masking": ("denoising", {"latent_dim": 16, "hidden": (32,), "corruption": "masking", "level": "0.1..0.6"}),
    "speckles": ("denoising", {"latent_dim": 16, "hidden": (32,), "corruption": "salt-and-pepper", "level": 0.2}),
    "convolutions alone": ("denoising_conv", {}),
    "unet": ("unet", {"channels": (4, 8), "latent_dim": 6}),
    "unet without skips": ("unet", {"channels": (4, 8), "latent_dim": 6, "skips": False}),
    "vae": ("vae", {"latent_dim": 4, "hidden": (32,)}),
    "warm-up": ("vae", {"latent_dim": 4, "hidden": (32,), "beta": "linear(0, 2, 0.5)"}),
    "cyclical": ("vae", {"latent_dim": 4, "hidden": (32,), "beta": "cyclical(0, 1, 2)"}),
    "falling": ("vae", {"latent_dim": 4, "hidden": (32,), "beta": "cosine(2, 0.5)"}),
    "free bits": ("vae", {"latent_dim": 4, "hidden": (32,), "free_bits": 0.5}),
    "capacity": ("vae", {"latent_dim": 4, "hidden": (32,), "capacity": "linear(0, 5, 1.0)", "beta": 10.0}),
    "binarised": ("vae", {"latent_dim": 4, "hidden": (32,), "observation": "binarised"}),
    "optimal sigma": ("vae", {"latent_dim": 4, "hidden": (32,), "likelihood": "gaussian"}),
    "sigma": ("vae", {"latent_dim": 4, "hidden": (32,), "likelihood": "gaussian", "sigma": 0.1}),
    "learned sigma": ("vae", {"latent_dim": 4, "hidden": (32,), "likelihood": "gaussian", "sigma": "learned"}),
    "laplace": ("vae", {"latent_dim": 4, "hidden": (32,), "likelihood": "laplace"}),
    "cvae": ("cvae", {"latent_dim": 4, "hidden": (32,)}),
    "embedded": ("cvae", {"latent_dim": 4, "hidden": (32,), "condition": "embedding"}),
    "cvae of convolutions": ("cvae", {"latent_dim": 4, "net": "conv", "channels": (8, 16)}),
    "completion": ("completion", {"latent_dim": 4, "hidden": (32,)}),
    "plain completion": ("completion_plain", {"hidden": (32,)}),
    "vqvae": ("vqvae", {"latent_dim": 4, "codes": 16, "width": 8, "residual_width": 4}),
    "vqvae by loss": (
        "vqvae",
        {"latent_dim": 4, "codes": 8, "width": 8, "codebook": "loss", "kmeans": False, "restart": 0.0},
    ),
    "joint": ("joint", {"latent_dim": 8, "hidden": (32,)}),
    "classifier": ("classifier", {"latent_dim": 8, "hidden": (32,)}),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("unfolded")


def unfolded_run(home, digits, recipe, options, **training):
    """A run of one epoch of few images, and the module that was written for it."""
    train, _ = diabolo.data.load("digits", n_train=48, n_test=30)
    run = diabolo.fit(
        recipe, train, epochs=1, batch_size=16, out=str(home), quiet=True, compile=False, **options, **training
    )
    file = unfold.write(run.path)[0]
    spec = importlib.util.spec_from_file_location(f"unfolded_{run.path.name.replace('-', '_')}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return run, module, file


def carry(theirs, ours):
    """Our weights and statistics into theirs, in their order."""
    left = list(ours.parameters())
    for parameter, value in zip(theirs.parameters(), left, strict=True):
        assert parameter.shape == value.shape
        parameter.data.copy_(value.data)
    held = {}
    for name, buffer in ours.named_buffers():
        held.setdefault(name.rsplit(".")[-1], []).append(buffer)
    for name, buffer in theirs.named_buffers():
        buffer.copy_(held[name.rsplit(".")[-1]].pop(0))


@pytest.mark.parametrize("case", CASES)
def test_the_same_losses_step_by_step(home, digits, case):
    recipe, options = CASES[case]
    asked = {"clip_norm": 1.0, "schedule": "one-cycle", "lr": 3e-3} if case in ("vae", "conv") else {}
    run, module, _ = unfolded_run(home, digits, recipe, options, **asked)
    torch.manual_seed(1)
    model = build_model(run.path, Config.read(run.path)).train()
    theirs = module.Autoencoder().train()
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in model.parameters())
    carry(theirs, model)
    told = TrainOptions.of(epochs=1, precision="float32", compile=False, **asked)
    step = step_of(model, told, Precision("float32", torch.float32))
    optimizer = torch.optim.Adam(theirs.parameters(), lr=told.lr)
    x = torch.from_numpy(digits[0].images[:64]).float() / 255
    y = torch.from_numpy(digits[0].labels[:64])
    for i in range(8):
        progress = i / 8
        rows = torch.arange(i * 16, i * 16 + 16) % 64
        torch.manual_seed(100 + i)
        known = y[rows] if model.needs_column else None
        ours = step(x[rows], Draws(), progress, known)
        torch.manual_seed(100 + i)
        for group in optimizer.param_groups:
            group["lr"] = LR_SCHEDULES[told.schedule](told.lr)(progress)
        loss, terms = module.loss_function(theirs, x[rows], y[rows], progress)
        optimizer.zero_grad()
        loss.backward()
        if told.clip_norm:
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), told.clip_norm)
        optimizer.step()
        assert loss.item() == pytest.approx(ours.total.item(), rel=1e-5), i
        for name, value in terms.items():
            assert float(value) == pytest.approx(float(ours.terms[name]), rel=2e-5, abs=1e-7), (i, name)
