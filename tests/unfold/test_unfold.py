"""What is unfolded is the same: as many parameters, and from the same weights and batches the same losses, step by step."""

import copy
import importlib.util
import itertools
import json
import subprocess
import sys
from dataclasses import replace
from unittest.mock import MagicMock

import nbformat
import numpy as np
import pytest
import torch

import diabolo
from diabolo import bottlenecks, likelihoods, nets, unfold, zoo
from diabolo.data.options import Draw
from diabolo.data.origin import Record, hold_out
from diabolo.data.splits import random_split
from diabolo.errors import DiaboloError
from diabolo.hardware import Precision
from diabolo.randomness import Draws
from diabolo.runs.config import Config
from diabolo.runs.loading import build_model
from diabolo.training.batches import shuffled
from diabolo.training.options import TrainOptions
from diabolo.training.stepping import LR_SCHEDULES, step_of
from diabolo.unfold import images

CASES = {
    "undercomplete": ("undercomplete", {"latent_dim": 2, "hidden": (32,)}),
    "no hidden layers": ("undercomplete", {"latent_dim": 2, "hidden": ()}),
    "linear": ("linear", {"latent_dim": 4}),
    "one hidden": ("undercomplete", {"net": "mlp-one-hidden", "latent_dim": 3}),
    "512-256-128": ("undercomplete", {"net": "mlp-512-256-128", "latent_dim": 2}),
    "conv to a point": ("undercomplete", {"net": "conv-16-32-64", "latent_dim": 5}),
    "conv": ("undercomplete", {"net": "conv", "channels": (8, 16), "latent_dim": 5}),
    "copied pixels": ("undercomplete", {"net": "conv", "channels": (8, 16), "upsampling": True}),
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
    "added": ("cvae", {"latent_dim": 4, "hidden": (32,), "joined": "added"}),
    "cvae of convolutions": ("cvae", {"latent_dim": 4, "net": "conv", "channels": (8, 16)}),
    "completion": ("completion", {"latent_dim": 4, "hidden": (32,)}),
    "a prior of the quarter": ("completion", {"latent_dim": 4, "hidden": (32,), "prior": "conditional"}),
    "hybrid": ("completion", {"latent_dim": 4, "hidden": (32,), "prior": "conditional", "from_prior": 0.5}),
    "hybrid, one prior": ("completion", {"latent_dim": 4, "hidden": (32,), "from_prior": 0.5}),
    "plain completion": ("completion_plain", {"hidden": (32,)}),
    "vqvae": ("vqvae", {"latent_dim": 4, "codes": 16, "width": 8, "residual_width": 4}),
    "vqvae by loss": (
        "vqvae",
        {"latent_dim": 4, "codes": 8, "width": 8, "codebook": "loss", "kmeans": False, "restart": 0.0},
    ),
    "joint": ("joint", {"latent_dim": 8, "hidden": (32,)}),
    "m2": ("m2", {"latent_dim": 4, "hidden": (32,), "alpha": 5.0}),
    "m2 of noise and convolutions": (
        "m2",
        {
            "latent_dim": 4,
            "net": "conv",
            "channels": (4, 8),
            "corruption": "gaussian",
            "level": 0.1,
            "condition": "embedding",
        },
    ),
    "classifier": ("classifier", {"latent_dim": 8, "hidden": (32,)}),
}


IMPORTS = {
    "math.": "import math\n",
    "torch.": "import torch",
    "nn.": "from torch import nn",
    "F.": "from torch.nn import functional as F",
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


def said(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


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


def parts_text(parts):
    return f"{parts.networks}\n\n\n{parts.loss}"


def put(file, text):
    """`text` in `file`, below what it imports."""
    used = [line for word, line in IMPORTS.items() if word in text]
    file.write_text("\n".join(used) + "\n\n\n" + text + "\n", encoding="utf-8")
    return str(file)


def module_of(file, text):
    """The module that `text` is, written to `file`."""
    put(file, text)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore:no bottleneck")
def test_the_same_losses_step_by_step(home, digits, case):
    recipe, options = CASES[case]
    asked = {"clip_norm": 1.0, "schedule": "one-cycle", "lr": 3e-3} if case in ("vae", "conv") else {}
    torch.manual_seed(1)
    model = zoo.build(recipe, digits[0].shape, **options).train()
    parts = unfold.unfolded(model)
    module = module_of(home / f"{case.replace(' ', '_').replace('-', '_')}.py", parts_text(parts))
    theirs = module.Autoencoder().train()
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in model.parameters())
    carry(theirs, model)
    told = TrainOptions.of(epochs=1, precision="float32", compile=False, **asked)
    step = step_of(model, told, Precision("float32", torch.float32))
    optimizer = torch.optim.Adam(theirs.parameters(), lr=told.lr)
    x = torch.from_numpy(digits[0].images[:64]).float() / 255
    y = torch.from_numpy(digits[0].labels[:64])
    if recipe == "m2":
        y = torch.where(torch.arange(64) % 3 == 0, y, -1)  # most labels are not known
    for i in range(8):
        progress = i / 8
        rows = torch.arange(i * 16, i * 16 + 16) % 64
        torch.manual_seed(100 + i)
        ours = step(x[rows], Draws(), progress, y[rows] if model.needs_column else None)
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
            assert float(torch.as_tensor(value).detach()) == pytest.approx(
                float(ours.terms[name].detach()), rel=2e-5, abs=1e-7
            ), (i, name)


def test_the_pair_to_a_point_has_its_biases_and_its_first_norm(home):
    torch.manual_seed(1)
    model = zoo.undercomplete((1, 28, 28), 4, net="conv-to-point").eval()
    module = module_of(home / "to_point.py", parts_text(unfold.unfolded(model)))
    theirs = module.Autoencoder().eval()
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in model.parameters())
    carry(theirs, model)
    x = torch.rand(5, 1, 28, 28)
    assert module.loss_function(theirs, x, None, 0.0)[0].item() == pytest.approx(
        model.loss(x, Draws()).total.item(), rel=1e-5
    )


@pytest.mark.parametrize(("net", "shape"), [("conv1d", (2, 21)), ("conv3d", (1, 8, 9, 10))])
def test_signals_and_volumes_have_the_same_losses(home, net, shape):
    torch.manual_seed(1)
    x, y = torch.rand(4, *shape), torch.arange(4) % 3
    for upsampling in (False, True):
        model = zoo.cvae(shape, 3, net=net, channels=(4, 6), classes=3, upsampling=upsampling)
        text = parts_text(unfold.unfolded(model))
        module = module_of(home / f"{net}_{upsampling}.py", text)
        theirs = module.Autoencoder()
        carry(theirs, model)
        torch.manual_seed(2)
        ours = model.loss(x, Draws(), y=y).total
        torch.manual_seed(2)
        assert module.loss_function(theirs, x, y, 1.0)[0].item() == pytest.approx(ours.item(), rel=1e-5)
    assert f"nn.Conv{len(shape) - 1}d({shape[0] + 3}, 4, kernel_size=4, stride=2, padding=1)" in text
    with pytest.raises(DiaboloError, match="unfold cannot write the quantiser of signals or volumes"):
        unfold.unfolded(zoo.vqvae(shape, 2, codes=4, net=net, channels=(4,)))


def test_frozen_weights_stay_and_the_rest_moves(home, digits):
    run, module, file = unfolded_run(home, digits, "joint", {"latent_dim": 3, "hidden": (8,)}, freeze=("encoder.*",))
    text = file.read_text(encoding="utf-8")
    n = len(list(build_model(run.path, Config.read(run.path)).encoder.parameters()))
    assert f"for weights in list(model.parameters())[0:{n}]:" in text
    assert module.BATCH_SIZE == 16


def test_the_script_runs_without_diabolo(home, digits):
    _, _, file = unfolded_run(home, digits, "vae", {"latent_dim": 2, "hidden": (16,)})
    blocked = f"import sys, runpy; sys.modules['diabolo'] = None; runpy.run_path({file.name!r}, run_name='__main__')"
    env = {"PATH": "", "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    done = said([sys.executable, "-c", blocked], cwd=file.parent, env=env)
    assert done.returncode == 0, done.stderr
    assert "test: {'reconstruction': " in done.stdout
    assert {path.name for path in file.parent.glob("*.png")} == {"losses.png", "reconstructions.png", "samples.png"}


@pytest.mark.parametrize(
    ("recipe", "options", "pictures"),
    [
        ("vqvae", {"latent_dim": 4, "codes": 8, "width": 8}, {"losses.png", "reconstructions.png"}),
        ("completion", {"latent_dim": 2, "hidden": (16,)}, {"losses.png", "reconstructions.png", "samples.png"}),
        (
            "completion",
            {"latent_dim": 2, "hidden": (16,), "prior": "conditional"},
            {"losses.png", "reconstructions.png", "samples.png"},
        ),
        ("completion_plain", {"hidden": (16,)}, {"losses.png", "reconstructions.png"}),
        (
            "cvae",
            {"latent_dim": 2, "hidden": (16,), "condition": "embedding"},
            {"losses.png", "reconstructions.png", "samples.png"},
        ),
        ("m2", {"latent_dim": 2, "hidden": (16,)}, {"losses.png", "reconstructions.png", "samples.png"}),
        ("contractive", {"latent_dim": 4, "hidden": (16,)}, {"losses.png", "reconstructions.png"}),
        ("classifier", {"latent_dim": 4, "hidden": (16,)}, {"losses.png"}),
        ("unet", {"channels": (4, 8)}, {"losses.png", "reconstructions.png"}),
    ],
)
@pytest.mark.filterwarnings("ignore:no bottleneck")
def test_all_of_it_runs(home, digits, recipe, options, pictures, monkeypatch, capsys):
    _, module, file = unfolded_run(home, digits, recipe, options)
    monkeypatch.chdir(file.parent)
    module.main()
    module.plt.close("all")
    assert "test: {" in capsys.readouterr().out
    assert {path.name for path in file.parent.glob("*.png")} == pictures


@pytest.mark.filterwarnings("ignore:no bottleneck")
def test_every_script_passes_ruff(home, digits, tmp_path):
    files = [str(unfolded_run(home, digits, "cvae", {"latent_dim": 2, "hidden": (8,)}, schedule="one-cycle")[2])]
    for i, (recipe, options) in enumerate(CASES.values()):
        parts = unfold.unfolded(zoo.build(recipe, digits[0].shape, **options))
        files.append(put(tmp_path / f"case_{i}.py", parts_text(parts)))
    ruff = [sys.executable, "-m", "ruff"]
    done = said([*ruff, "check", "--isolated", *files])
    assert done.returncode == 0, done.stdout
    done = said([*ruff, "format", "--isolated", "--check", *files])
    assert done.returncode == 0, done.stdout


def test_the_notebook_has_the_same_cells_and_needs_no_diabolo(home, digits):
    _, _, file = unfolded_run(home, digits, "vae", {"latent_dim": 2, "hidden": (8,)})
    book = nbformat.read(file.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(book)
    code = "\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
    assert "diabolo" not in code
    assert [cell.source.split("\n")[0] for cell in book.cells if cell.cell_type == "markdown"] == [
        "# vae in plain PyTorch", "## Images", "## Networks", "## The loss", "## The loop", "## Pictures", "## All of it",
    ]  # fmt: skip
    assert all(line in file.read_text(encoding="utf-8") for line in code.split("\n"))


def test_images_of_ones_own_lie_beside_the_script(home, digits):
    run = diabolo.fit("undercomplete", digits[0].take(range(40)), epochs=1, latent_dim=2, out=str(home), quiet=True)
    with pytest.raises(DiaboloError, match="were given as arrays, and are not known: give them as `images`"):
        unfold.write(run.path)
    pair = digits[0].take(range(40)), digits[1].take(range(12))
    file, _, arrays = unfold.write(run.path, run.path / "mine", images=pair)
    spec = importlib.util.spec_from_file_location("with_arrays", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    train, test = module.load_data()
    assert arrays.name == "images.npz"
    assert (len(train), len(test)) == (40, 12)
    assert torch.equal(train[3][0], torch.from_numpy(digits[0].images[3]).float() / 255)
    assert test[5][1] == digits[1].labels[5]


def test_images_without_labels_lie_beside_the_script_with_labels_that_are_not_known(home, digits):
    train, test = (replace(part.take(range(40)), labels=None, label_names=None) for part in digits)
    run = diabolo.fit("undercomplete", train, epochs=1, latent_dim=2, hidden=(8,), out=str(home), quiet=True)
    *_, arrays = unfold.write(run.path, run.path / "mine", images=(train, test))
    with np.load(arrays) as held:
        assert np.array_equal(held["train_images"], train.images)
        assert held["train_labels"].tolist() == [-1] * 40


def test_words_of_a_stranger_are_no_code(home, digits):
    run = diabolo.fit("undercomplete", digits[0].take(range(20)), epochs=1, latent_dim=2, out=str(home), quiet=True)
    config = json.loads((run.path / "config.json").read_text(encoding="utf-8"))
    evil = 'x\n\nimport os; os.system("true")\n"""\n# %%'
    config["name"] = config["data"]["train"]["name"] = evil
    (run.path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    text = unfold.script(run.path)
    assert "os.system" not in "\n".join(line for line in text.split("\n") if not line.startswith("#"))
    assert text.count("# %%\n") == 7
    config["options"]["optimizer"] = "adam(beta1=0.5); import os"
    (run.path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(DiaboloError):
        unfold.script(run.path)


@pytest.mark.parametrize(
    ("recipe", "options", "what"),
    [
        ("factorvae", {"latent_dim": 2, "hidden": (8,), "critic_width": 8}, "the objective FactorVAE"),
        ("iwae", {"latent_dim": 2, "hidden": (8,)}, "the objective IWAE"),
        ("vae", {"latent_dim": 2, "hidden": (8,), "likelihood": "continuous-bernoulli"}, "ContinuousBernoulli"),
        ("undercomplete", {"latent_dim": 2, "hidden": (8,), "optimizer": "muon"}, "the optimizer Muon"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(home, digits, recipe, options, what):
    run = diabolo.fit(recipe, digits[0].take(range(20)), epochs=1, out=str(home), quiet=True, **options)
    with pytest.raises(DiaboloError, match=f"unfold cannot write .*{what.split()[-1]}.* in plain PyTorch"):
        unfold.write(run.path, images=digits)
    assert not (run.path / "unfolded").exists()


def test_a_part_of_ones_own_is_no_part_of_diabolo(digits):
    class Loud(bottlenecks.Identity):
        def forward(self, features, draws):
            return super().forward(10 * features, draws)

    encoder, decoder = nets.build("mlp", digits[0].shape, 3, hidden=(8,))
    model = diabolo.Autoencoder(encoder, Loud(encoder.features, 3), decoder, likelihoods.Bernoulli())
    with pytest.raises(DiaboloError, match="unfold cannot write the bottleneck Loud in plain PyTorch"):
        unfold.unfolded(model)


def test_pca_is_no_autoencoder(home, digits):
    run = diabolo.fit("pca", digits[0], latent_dim=2, out=str(home), quiet=True)
    with pytest.raises(DiaboloError, match="unfold writes autoencoders in plain PyTorch, not a PCA"):
        unfold.script(run.path)


class Torchvision:
    """Its data sets, each image the number that it has there."""

    @staticmethod
    def set(root, train=None, split=None, transform=None, download=None):
        n = {"all": 500, "test": 90}.get(split, 400) if train is None else 400 if train else 90
        return torch.utils.data.TensorDataset(torch.arange(n), torch.arange(n))

    MNIST = FashionMNIST = CIFAR10 = CelebA = set


def loaded(found):
    """What the function `load_data` of the `Source` gives, by the numbers of the images."""
    names = {"datasets": Torchvision, "transforms": MagicMock(), "torch": torch, "np": np}
    names |= {name: getattr(torch.utils.data, name) for name in ("Subset", "TensorDataset")}
    exec(found.load, names)
    return [[int(x) for x, _ in part] for part in names["load_data"]()]


def counted(n):
    pixels = np.zeros((n, 1, 1, 2), np.uint8)
    pixels[:, 0, 0] = np.stack([np.arange(n) // 256, np.arange(n) % 256], 1)
    return diabolo.data.Images(pixels)


def numbers_of(part):
    return (part.images[:, 0, 0, 0].astype(int) * 256 + part.images[:, 0, 0, 1]).tolist()


@pytest.mark.parametrize("part", ["kept", "held out"])
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "celeba"])
def test_named_sets_come_from_torchvision_and_are_those_of_the_run(name, part):
    shape = {"cifar10": (3, 32, 32), "celeba": (3, 64, 64)}.get(name, (1, 28, 28))
    load = {"name": name, "n_train": 300, "n_test": 50, "data_seed": 7}
    origin = {"load": load, "part": "train", "held_out": {"fraction": 0.15, "seed": 3, "part": part}}
    found = images.source(Record(name, "train", 255, shape, "x", origin), None)
    assert not found.arrays
    assert "15 % of the training images are held out" in found.words
    halves = hold_out(counted(400).subset(300, 7), 0.15, 3)
    trained, held = halves if part == "kept" else halves[::-1]
    assert loaded(found) == [*map(numbers_of, (trained, held, counted(90).subset(50, 7)))]
    whole = images.source(Record(name, "train", 400, shape, "x", {"load": {"name": name}, "part": "train"}), None)
    assert loaded(whole) == [[*range(400)], [*range(90)]]
    resized = Record(name, "train", 300, shape, "x", {"load": load | {"n_labels": 10}, "part": "train"})
    assert images.source(resized, None).arrays


@pytest.mark.parametrize("asked", [{}, {"n_train": 100}, {"n_train": 200, "n_test": 30}])
def test_a_random_split_of_faces_is_that_of_the_run(asked):
    load = {"name": "celeba", "split": "random", "data_seed": 5, **asked}
    found = images.source(Record("celeba", "train", 9, (3, 64, 64), "x", {"load": load, "part": "train"}), None)
    split = random_split(counted(500), Draw(asked.get("n_train"), asked.get("n_test"), 5))
    assert loaded(found) == [*map(numbers_of, split)]


def same(dataset, part):
    """Whether the data set has these images and labels."""
    x, y = (torch.stack([torch.as_tensor(item[i]) for item in dataset]) for i in (0, 1))
    return torch.equal(y, torch.from_numpy(part.labels)) and torch.allclose(x, torch.from_numpy(part.pixels), atol=1e-7)


@pytest.mark.parametrize("more", [{}, {"drop_leaks": True}])  # drawn by the script, and from a file beside it
def test_a_run_with_held_out_images_is_trained_on_the_same_ones_with_the_same_losses(tmp_path, more, monkeypatch):
    images, test = diabolo.data.load("digits", n_train=150, n_test=40, data_seed=2, **more)
    train, held = hold_out(images, 0.2)
    torch.manual_seed(1)
    model = zoo.undercomplete(train.shape, 3, hidden=(16,))
    first = copy.deepcopy(model)
    how = {"epochs": 2, "batch_size": 32, "precision": "float32", "compile": False, "quiet": True, "out": tmp_path}
    run = diabolo.fit(model, train, held, **how)
    file, *_ = unfold.write(run.path)
    spec = importlib.util.spec_from_file_location(f"held_out_{len(more)}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    theirs = module.load_data()
    assert [same(*pair) for pair in zip(theirs, (train, held, test), strict=True)] == [True] * 3
    epochs = itertools.count()

    def batches(of, size, shuffle=False):
        """The batches of the run, in its order."""
        rows = shuffled(len(of), 0, next(epochs)) if shuffle else torch.arange(len(of))
        found = [[of[i] for i in some.tolist()] for some in rows.split(size)]
        return [tuple(torch.stack([torch.as_tensor(item[i]) for item in some]) for i in (0, 1)) for some in found]

    class Loader:
        def __init__(self, *arguments, **options):
            self.epoch = lambda: batches(*arguments, **options)

        def __len__(self):
            return -(-len(train) // 32)

        def __iter__(self):
            return iter(self.epoch())

    monkeypatch.setattr(module, "DataLoader", Loader)
    network = module.Autoencoder()
    carry(network, first)
    history = module.train(network, theirs[0])
    assert [line["loss"] for line in history] == pytest.approx(
        [epoch["train"]["total"] for epoch in run.history], rel=1e-5
    )
    found = module.evaluate(network, theirs[1])["reconstruction"]
    assert found == pytest.approx(run.history[-1]["validation"]["total"], rel=1e-5)
    text = file.read_text(encoding="utf-8")
    assert 'print("held out:", evaluate(model, held_out))' in text
    assert "left out:" not in text


def test_what_is_left_out_is_said_in_a_comment_and_when_the_script_runs(tmp_path):
    train, test = diabolo.data.load("digits", n_train=81, n_test=20)
    options = {"ema": 0.9, "early_stopping": 3, "keep": "best", "out": tmp_path, "epochs": 1, "batch_size": 16}
    run = diabolo.fit("undercomplete", train, test, latent_dim=2, hidden=(8,), quiet=True, **options)
    text = unfold.script(run.path)
    said = [line for line in text.split("\n") if line.startswith('    print("left out: ')]
    assert len(said) == 4
    comment = " ".join(line[2:] for line in text.split("# %%\n")[0].split("\n") if line.startswith("# "))
    assert all(line.split('"')[1].removeprefix("left out: ") in comment for line in said)
    assert "drop_last=True" in text  # 81 = 5 · 16 + 1
    (run.path / "config.json").write_text(
        json.dumps(run.config.but(resolved={"processes": 2}, validation=Record.of(counted(9))).as_dict())
    )
    text = unfold.script(run.path)
    assert "BATCH_SIZE = 1, 32" in text  # a step of both processes
    assert 'print("left out: the images that it was validated with, which are not known here")' in text


def test_frozen_statistics_are_refused(home):
    train, _ = diabolo.data.load("digits", n_train=40)
    net = {"net": "conv", "channels": (4, 8), "latent_dim": 2}
    run = diabolo.fit("undercomplete", train, epochs=1, out=str(home), quiet=True, freeze=("encoder",), **net)
    with pytest.raises(DiaboloError, match="frozen layers that keep statistics, such as batch norm"):
        unfold.script(run.path)


def test_faces_by_persons_lie_beside_the_script():
    load = {"name": "celeba", "split": "persons"}
    record = Record("celeba", "train", 9, (3, 64, 64), "x", {"load": load, "part": "train"})
    assert images.source(record, None).arrays
    assert images.source(record, "attributes").arrays
    assert not images.source(
        Record("celeba", "train", 9, (3, 64, 64), "x", {"load": {"name": "celeba"}}), "attributes"
    ).arrays


@pytest.mark.parametrize(
    "held", [None, {}, {"fraction": "x", "seed": 1, "part": "kept"}, {"fraction": 0.1, "seed": 1, "part": "lost"}]
)
def test_an_edited_record_of_held_out_images_is_refused(held):
    origin = {"load": {"name": "mnist"}, "part": "train", "held_out": held}
    with pytest.raises((TypeError, ValueError, KeyError)):  # which `script` puts into words
        images.source(Record("mnist", "train", 9, (1, 28, 28), "x", origin), None)


@pytest.mark.parametrize("edited", [{"n_train": "many"}, {"n_train": [1]}, {"n_train": float("inf")}, {"name": []}])
def test_an_edited_record_of_the_images_is_a_sentence(tmp_path, edited):
    train, test = diabolo.data.load("digits", n_train=40, n_test=20)
    run = diabolo.fit("undercomplete", train, test, latent_dim=2, hidden=(8,), epochs=1, out=tmp_path, quiet=True)
    config = run.config.as_dict()
    config["data"]["train"]["origin"]["load"].update(edited)
    (run.path / "config.json").write_text(json.dumps(config))
    with pytest.raises(DiaboloError, match=r"config\.json was edited or damaged: 'data\.train\.origin' does not say"):
        unfold.script(run.path)


def test_a_run_of_a_newer_diabolo_is_called_that(tmp_path):
    train, test = diabolo.data.load("digits", n_train=40, n_test=20)
    run = diabolo.fit("undercomplete", train, test, latent_dim=2, hidden=(8,), epochs=1, out=tmp_path, quiet=True)
    config = run.config
    newer = config.but(versions=config.versions | {"diabolo": "99"}, options=config.options | {"spin": 1})
    (run.path / "config.json").write_text(json.dumps(newer.as_dict()))
    with pytest.raises(DiaboloError, match=r"was written by Diabolo 99, .*unknown training option 'spin'"):
        unfold.script(run.path)


@pytest.mark.parametrize(
    ("name", "file"), [("random", "random_model.py"), ("torch", "torch_model.py"), ("a" * 300, f"{'a' * 80}.py")]
)
def test_a_script_is_never_imported_for_a_module_that_it_needs(tmp_path, name, file):
    train, test = diabolo.data.load("digits", n_train=40, n_test=20)
    run = diabolo.fit("undercomplete", train, test, latent_dim=2, hidden=(8,), epochs=1, out=tmp_path, quiet=True)
    (run.path / "config.json").write_text(json.dumps(run.config.but(name=name).as_dict()))
    assert unfold.write(run.path)[0].name == file


def own_units(shape, dtype=np.float64, n=60):
    """Numbers far from 0 with an outlier, in the units of each channel."""
    random = np.random.default_rng(0)
    units = np.arange(1, shape[0] + 1).reshape(-1, *[1] * (len(shape) - 1))
    z = random.normal(size=(n, *[1] * len(shape)))
    x = 1000 * units + units * 50 * (z + 0.3 * random.normal(size=(n, *shape)))
    x[0] *= 1.5
    return x.astype(dtype)


SHAPES = {"rows": ((5,), {"hidden": (8,)}), "signals": ((2, 20), {"net": "conv1d", "channels": (4, 6)}), "volumes": (
    (1, 8, 8, 8), {"net": "conv3d", "channels": (2, 4)}), "deep images": ((3, 8, 8), {"hidden": (8,)})}  # fmt: skip


@pytest.mark.parametrize("scaling", ["standard", "robust", "unit", "real"])
@pytest.mark.parametrize("kind", SHAPES)
def test_numbers_in_any_units_have_the_same_losses(home, kind, scaling):
    shape, net = SHAPES[kind]
    x = own_units(shape)
    images = diabolo.data.Images(x)
    torch.manual_seed(1)
    model = zoo.vae(shape, 2, scaling=scaling, likelihood="gaussian", sigma="learned", **net).train()
    model.scaling.fit(images)
    text = parts_text(unfold.unfolded(model))
    text = f"import numpy as np\n{text}" if "np." in text else text
    module = module_of(home / f"scaled_{kind.replace(' ', '_')}_{scaling}.py", text)
    theirs = module.Autoencoder().train()
    if scaling != "real":
        theirs.scaling.fit([(torch.from_numpy(one), 0) for one in x])
        for name in ("shift", "scale"):  # the script fits them as the run does
            fitted = getattr(theirs.scaling, name)
            assert torch.allclose(fitted, getattr(model.scaling, name), rtol=1e-12, atol=0)
        assert torch.allclose(
            theirs.scaling.undo(theirs.scaling(torch.from_numpy(x))), torch.from_numpy(x).float(), rtol=1e-5
        )
    carry(theirs, model)
    told = TrainOptions.of(epochs=1, precision="float32", compile=False, schedule="constant", lr=1e-3)
    step = step_of(model, told, Precision("float32", torch.float32))
    optimizer = torch.optim.Adam(theirs.parameters(), lr=told.lr)
    for i in range(4):
        rows = torch.from_numpy(x[16 * i % 48 :][:16])
        torch.manual_seed(100 + i)
        ours = step(rows, Draws(), i / 4, None)
        torch.manual_seed(100 + i)
        loss, terms = module.loss_function(theirs, rows, None, i / 4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert loss.item() == pytest.approx(ours.total.item(), rel=1e-5)
        assert terms["reconstruction"].item() == pytest.approx(ours.terms["reconstruction"].item(), rel=1e-5)
        assert terms["kl"].item() == pytest.approx(ours.terms["kl"].item(), rel=1e-5)  # of "real" beyond the bound of σ


def test_black_and_white_are_written_down(home):
    x = np.clip(own_units((1, 8, 8)), 0, 4095).round().astype(np.uint16)
    images = diabolo.data.as_images(x, range=(0, 4095))
    model = zoo.vae((1, 8, 8), 2, hidden=(8,), scaling="unit")
    model.scaling.fit(images)
    text = unfold.unfolded(model).networks
    assert "by black and white of each channel" in text
    assert "scale = torch.full((len(x),), 4095.0)" in text or "scale = torch.full((len(x),), 4095)" in text


@pytest.mark.parametrize("kind", SHAPES)
def test_scripts_of_any_numbers_run(home, kind, monkeypatch, capsys):
    shape, net = SHAPES[kind]
    pair = tuple(diabolo.data.Images(own_units(shape, n=n)) for n in (40, 12))
    scaling = "robust" if kind == "rows" else "unit" if kind == "deep images" else "standard"
    run = diabolo.fit(
        "vae",
        pair[0],
        epochs=1,
        latent_dim=2,
        scaling=scaling,
        out=str(home),
        quiet=True,
        compile=False,
        threads=1,
        **net,
    )
    file = unfold.write(run.path, images=pair)[0]
    spec = importlib.util.spec_from_file_location(f"scaled_{kind.replace(' ', '_')}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _, test = module.load_data()
    assert np.array_equal(test[5][0].numpy(), pair[1].images[5])
    monkeypatch.chdir(file.parent)
    module.main()
    module.plt.close("all")
    assert "test: {" in capsys.readouterr().out
    assert {path.name for path in file.parent.glob("*.png")} == {"losses.png", "reconstructions.png", "samples.png"}
    done = said([sys.executable, "-m", "ruff", "check", "--isolated", str(file)])
    assert done.returncode == 0, done.stdout
    done = said([sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(file)])
    assert done.returncode == 0, done.stdout


def test_a_table_as_a_file_is_unfolded(home, tmp_path, monkeypatch, capsys):
    np.savetxt(tmp_path / "t.csv", own_units((4,)), delimiter=",", header="a,b,c,d", comments="")
    train, _ = diabolo.data.load(tmp_path / "t.csv")
    run = diabolo.fit("undercomplete", train, epochs=1, latent_dim=2, hidden=(8,), out=str(home), quiet=True, threads=1)
    file = unfold.write(run.path)[0]
    spec = importlib.util.spec_from_file_location("of_a_table", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(file.parent)
    module.main()
    module.plt.close("all")
    assert "test: {" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"likelihood": "mixed", "types": ("number", "count"), "scaling": "standard"}, "the likelihood Mixed"),
        ({"likelihood": "poisson", "scaling": "real"}, "the likelihood Poisson"),
        ({"likelihood": "student-t", "scaling": "standard"}, "the likelihood StudentT"),
        ({"masked": True, "scaling": "standard", "sigma": 0.5}, "the likelihood Known"),
        ({"sigma": "per-feature", "scaling": "standard"}, "a scale per feature"),
        ({"scaling": diabolo.scaling.Affine("standard", (2,), (0,))}, "a scaling of some features"),
    ],
)
def test_what_of_tables_cannot_be_written_is_refused(options, says):
    model = zoo.vae((2,), 1, hidden=(4,), **options)
    with pytest.raises(DiaboloError, match=f"unfold cannot write {says}"):
        unfold.unfolded(model)
