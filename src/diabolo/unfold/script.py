"""A run as a stand-alone script in plain PyTorch, to be read from top to bottom; also as a notebook."""

import io
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diabolo import disk
from diabolo.data.columns import column as column_of
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.reports import notebook
from diabolo.reports.extra import needed
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import build_model
from diabolo.scaling import LOOKED_AT
from diabolo.training.options import TrainOptions
from diabolo.training.stepping import LR_SCHEDULES
from diabolo.trust import Trust, trusting
from diabolo.unfold.images import ARRAYS, Source, source
from diabolo.unfold.layers import INDENT
from diabolo.unfold.model import Unfolded, unfolded
from diabolo.unfold.numbers import ONE_CYCLE, number, schedule
from diabolo.unfold.omissions import alone, batch_size, left_out
from diabolo.updates import SGD, Adam, AdamW
from diabolo.updates.freezing import matching
from diabolo.updates.optimizer import as_optimizer

THIRD = {"torch", "torchvision", "numpy", "matplotlib", "sklearn", "PIL"}  # what scripts import, straight or not


def script(path: str | Path, trust: Trust = ()) -> str:
    """The run in the folder `path` as the text of a script: the images, the networks with their layers, the loss as its
    formula, the loop, the pictures. It needs torch, matplotlib and what its images need (numpy, torchvision), and no Diabolo.

    Args:
        path: a run folder.
        trust: packages of your own whose code the run may name.

    Raises:
        DiaboloError: for a run of a part, an objective or an optimizer that cannot be written so.

    Example:
        >>> from diabolo import unfold
        >>> run = diabolo.fit("vae", train, latent_dim=2, epochs=1, quiet=True)
        >>> text = unfold.script(run.path)
        >>> "class Encoder(nn.Module):" in text, "diabolo." in text
        (True, False)
    """
    config = Config.read(Path(path))
    model, options = parts_of(Path(path), config, trust)
    if config.tied:
        raise DiaboloError("unfold cannot write weights that are tied to each other in plain PyTorch")
    if options.freeze and any(
        True for _ in model.buffers()
    ):  # batch norm, say: what is frozen there is more than weights
        raise DiaboloError(
            "unfold cannot write frozen layers that keep statistics, such as batch norm, in plain PyTorch"
        )
    parts = unfolded(model)
    try:
        images = source(config.train, parts.column, config.validation, parts.scaling.own)
    except (TypeError, ValueError, OverflowError, KeyError) as error:
        raise config.damaged(Path(path), "'data.train.origin' does not say where the images came from") from error
    return _written(config, options, parts, images, model)


def parts_of(path: Path, config: Config, trust: Trust) -> tuple[Any, TrainOptions]:
    """The untrained model of the run in `path`, and the options of its training."""
    with trusting(trust):
        model = build_model(path, config)
        if model.scaling.kind == "unit":  # which may know black and white
            held = {name: t for name, t in RunFolder(path).weights("model").items() if name.startswith("scaling.")}
            model.scaling.load_state_dict({name.removeprefix("scaling."): t for name, t in held.items()})
        try:
            return model, TrainOptions.of(**config.options)
        except (TypeError, DiaboloError) as error:
            raise config.damaged(path, str(error)) from error


def write(
    path: str | Path,
    folder: str | Path | None = None,
    trust: Trust = (),
    moved: Mapping[str, str] | None = None,
    images: tuple[Images, Images] | None = None,
) -> list[Path]:
    """Write that script and a notebook of it into `folder`, in the run folder `unfolded` when left out; with the images, where
    they do not come from torchvision.

    Args:
        path, trust: as for `script`.
        folder: where to.
        moved: where the images lie now, if they were moved: {"name": …} or {"root": …}.
        images: (train, test), for a run whose images were given as arrays.

    Raises:
        DiaboloError: as `script` does, and for images that are not known.

    Returns:
        The files written.

    Example:
        >>> from diabolo import unfold
        >>> run = diabolo.fit("undercomplete", train, latent_dim=2, epochs=1, quiet=True)
        >>> [file.name for file in unfold.write(run.path, images=(train, test))]
        ['undercomplete.py', 'undercomplete.ipynb', 'images.npz']
    """
    run = RunFolder(Path(path))
    text = script(path, trust)
    home = run.path / "unfolded" if folder is None else Path(folder)
    config = run.config
    name = re.sub(r"\W+", "_", config.name).strip("_")[:80] or "model"
    name += "_model" if name in sys.stdlib_module_names | THIRD else ""  # or Python would import it for that module
    files = [home / f"{name}.py", home / f"{name}.ipynb"]
    book = needed("nbformat").writes(notebook.make(text, install=False)) + "\n"
    held = _held(run, config, trust, moved, images, '"held_out"' in text) if f'"{ARRAYS}"' in text else None
    disk.make_folder(home)
    for file, words in zip(files, (text, book), strict=True):
        disk.write(file, words.encode())
    if held is not None:
        files.append(home / ARRAYS)
        disk.write(files[-1], held)
    return files


def _held(
    run: RunFolder,
    config: Config,
    trust: Trust,
    moved: Mapping[str, str] | None,
    images: tuple[Images, Images] | None,
    held_out: bool,
) -> memoryview:
    """The images that the script reads, as the bytes of a file; the `held_out` ones too."""
    if images is None and config.train.origin is None:
        raise DiaboloError(f"the images of {run.path} were given as arrays, and are not known: give them as `images`")
    pair = run.pair(moved, trust) if images is None else images
    needs = parts_of(run.path, config, trust)[0].needs_column
    parts = dict(zip(("train", "test"), pair, strict=True))
    parts |= {"held_out": run.images("validation", moved, trust)} if held_out else {}
    arrays = {f"{part}_{key}": value for part, some in parts.items() for key, value in _columns(some, needs).items()}
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **arrays)
    return held.getbuffer()


def _columns(images: Images, needs: str | None) -> dict[str, Any]:
    """The arrays that the script reads."""
    known = images.labels if needs is None else column_of(images, needs)
    y = np.full(len(images), -1) if known is None else np.asarray(known)
    return {"images": images.images, needs or "labels": y}


def _cell(title: str, words: str, *code: str) -> str:
    told = "\n".join(f"# {line}" for line in [f"## {title}", *_wrapped(words)])
    return f"# %% [markdown]\n{told}\n\n\n# %%\n" + "\n\n\n".join(code)


def _wrapped(words: str) -> list[str]:
    return [line for paragraph in words.split("\n") for line in textwrap.wrap(paragraph, 84)]


def _written(config: Config, options: TrainOptions, parts: Unfolded, images: Source, model: Any) -> str:
    shape = " × ".join(map(str, model.input_shape))
    left = left_out(config, options, images)
    if model.scaling.kind == "robust" and config.train.images > LOOKED_AT:
        left.append(f"that the quartiles were those of {LOOKED_AT:,} evenly spread examples")
    rate = schedule(LR_SCHEDULES[options.schedule](options.lr))
    needs_math = "math." in parts.loss + parts.networks + rate
    three = list(dict.fromkeys([*filter(None, images.imports), *parts.scaling.imports]))
    standard = ["import math"] if needs_math or options.schedule != "constant" else []
    standard += [line for line in three if line.startswith("from pathlib")]
    third = sorted(
        [
            "import matplotlib.pyplot as plt",
            "import torch",
            "from torch import nn",
            *(["from torch.nn import functional as F"] if "F." in parts.loss + parts.networks else []),
            f"from torch.utils.data import {', '.join(_loaders(images.load))}",
            *[line for line in three if not line.startswith("from pathlib")],
        ],
        key=_import_order,
    )
    head = [
        "# %% [markdown]",
        f"# # {_told(config.name)} in plain PyTorch",
        *[f"# {line}" for line in _wrapped(_about(config, left, shape))],
        "",
        "# %%",
        *standard,
        *([""] if standard else []),
        *third,
        "",
        f"EPOCHS, BATCH_SIZE = {options.epochs}, {batch_size(config, options)}",
        f"LEARNING_RATE, SEED = {number(options.lr)}, {options.seed}",
        'DEVICE = "cuda" if torch.cuda.is_available() else "cpu"',
    ]
    cells = [
        "\n".join(head),
        _cell("Images", images.words, images.load),
        _cell("Networks", _words_of_networks(model), parts.networks),
        _cell("The loss", "Each term is a mean over the images of the batch.", parts.loss),
        _cell(
            "The loop",
            "One step for each batch: the loss, its gradient, the update.",
            loop(options, parts, alone(config, options)),
            _evaluate(parts),
        ),
        _cell("Pictures", _words_of_pictures(parts), *_pictures(parts, model)),
        _cell(
            "All of it",
            "On a CPU this takes minutes; with a GPU it goes there by itself.",
            _main(parts, images.parts, left, _frozen(model, options)),
        ),
    ]
    return "\n\n\n".join(cells) + '\n\n\nif __name__ == "__main__":\n    main()\n'


def _import_order(line: str) -> tuple[bool, str]:
    words = line.split()
    return words[0] == "from", words[1].lower()


def _told(name: str) -> str:
    """A name of the run as words in a comment: never code, never a line of its own."""
    return " ".join(re.sub(r"[^\w .:-]", " ", name).split())[:80] or "model"


def _about(config: Config, left: Sequence[str], shape: str) -> str:
    told = (
        f"What one training on {_told(config.train.name)} ({shape}) does, written out. It needs nothing but what is "
        "imported below. Products are in float32. First weights, order and noise are drawn by torch, so the numbers differ "
        "slightly from those of the run."
    )
    return told + (f"\nLeft out: {'; '.join(left)}." if left else "")


def _words_of_networks(model: Any) -> str:
    n = sum(p.numel() for p in model.parameters())
    return f"{n:,} parameters in all. Their order is that of the run's own model, so weights can be carried over one by one."


def _words_of_pictures(parts: Unfolded) -> str:
    return "Training loss, reconstructions" + (", samples." if parts.sample and parts.decodes else ".")


def _loaders(load: str) -> list[str]:
    return [name for name in ("DataLoader", "Subset", "TensorDataset") if name == "DataLoader" or f"{name}(" in load]


def _optimizer(options: TrainOptions) -> str:
    rule = as_optimizer(options.optimizer, options.weight_decay)
    decay = f", weight_decay={number(rule.weight_decay)}" if getattr(rule, "weight_decay", 0) else ""
    if type(rule) in (Adam, AdamW):  # a subclass may do other things
        assert isinstance(rule, Adam)
        kind = type(rule).__name__
        usual = (rule.beta1, rule.beta2) == (0.9, 0.999)
        betas = "" if usual else f", betas=({number(rule.beta1)}, {number(rule.beta2)})"
        eps = "" if rule.eps == 1e-8 else f", eps={number(rule.eps)}"
        if kind == "AdamW" and not decay:
            decay = ", weight_decay=0"
        return f"torch.optim.{kind}(model.parameters(), lr=LEARNING_RATE{betas}{eps}{decay})"
    if type(rule) is SGD:
        momentum = f", momentum={number(rule.momentum)}" if rule.momentum else ""
        nesterov = ", nesterov=True" if rule.nesterov else ""
        return f"torch.optim.SGD(model.parameters(), lr=LEARNING_RATE{momentum}{nesterov}{decay})"
    raise DiaboloError(f"unfold cannot write the optimizer {type(rule).__name__} in plain PyTorch")


def loop(options: TrainOptions, parts: Unfolded, alone: bool = False) -> str:
    """The function `train(model, images)` of a training with these options; where one image is left `alone` in a last batch, it
    is left out.

    Example:
        >>> from diabolo import unfold
        >>> from diabolo.training.options import TrainOptions
        >>> parts = unfold.unfolded(diabolo.zoo.vae((1, 28, 28), latent_dim=2))
        >>> "loss.backward()" in unfold.loop(TrainOptions(), parts)
        True
    """
    rate = schedule(LR_SCHEDULES[options.schedule](options.lr))
    constant = options.schedule == "constant"
    scheduled = [
        f"{INDENT * 3}for group in optimizer.param_groups:",
        f'{INDENT * 4}group["lr"] = {rate}',
    ]
    clip = f"{INDENT * 3}nn.utils.clip_grad_norm_(model.parameters(), {number(options.clip_norm or 1)})"
    moves = "progress" in parts.loss.replace("(model, x, y, progress)", "") or not constant
    told = "progress" if moves else "0.0"
    lines = [
        "def train(model, images):",
        f'{INDENT}"""Train on the images; the mean of each term of the loss in each epoch."""',
        f"{INDENT}loader = DataLoader(images, BATCH_SIZE, shuffle=True{', drop_last=True' if alone else ''})",
        f"{INDENT}optimizer = {_optimizer(options)}",
        f"{INDENT}history = []",
        f"{INDENT}for epoch in range(EPOCHS):",
        f"{INDENT * 2}model.train()",
        f"{INDENT * 2}sums = {{}}",
        f"{INDENT * 2}for i, (x, y) in enumerate(loader):" if moves else f"{INDENT * 2}for x, y in loader:",
        *([f"{INDENT * 3}progress = (epoch + i / len(loader)) / EPOCHS"] if moves else []),
        *([] if constant else scheduled),
        f"{INDENT * 3}loss, terms = loss_function(model, x.to(DEVICE), y.to(DEVICE), {told})",
        f"{INDENT * 3}optimizer.zero_grad()",
        f"{INDENT * 3}loss.backward()",
        *([clip] if options.clip_norm else []),
        f"{INDENT * 3}optimizer.step()",
        f'{INDENT * 3}for name, value in {{"loss": loss, **terms}}.items():',
        f"{INDENT * 4}sums[name] = sums.get(name, 0.0) + value.item() * len(x)",
        f"{INDENT * 2}history.append({{name: s / len(images) for name, s in sums.items()}})",
        f"{INDENT * 2}print(epoch + 1, history[-1])",
        f"{INDENT}return history",
    ]
    train = "\n".join(lines)
    return f"{ONE_CYCLE}\n\n\n{train}" if options.schedule == "one-cycle" else train


def _evaluate(parts: Unfolded) -> str:
    differentiates = "torch.autograd.grad" in parts.loss
    return "\n".join(
        [
            *([] if differentiates else ["@torch.no_grad()"]),
            "def evaluate(model, images):",
            f'{INDENT}"""The mean of each term of the loss over the images."""',
            f"{INDENT}model.eval()",
            f"{INDENT}sums = {{}}",
            f"{INDENT}for x, y in DataLoader(images, BATCH_SIZE):",
            f"{INDENT * 2}_, terms = loss_function(model, x.to(DEVICE), y.to(DEVICE), 1.0)",
            f"{INDENT * 2}for name, value in terms.items():",
            f"{INDENT * 3}sums[name] = sums.get(name, 0.0) + value.item() * len(x)",
            f"{INDENT}return {{name: s / len(images) for name, s in sums.items()}}",
        ]
    )


def _pictures(parts: Unfolded, model: Any) -> list[str]:
    curves = "\n".join(
        [
            "def show_losses(history, path):",
            f'{INDENT}"""Each term of the loss by epoch, each on its own axis."""',
            f"{INDENT}names = list(history[0])",
            f"{INDENT}size = (4 * len(names), 3)",
            f"{INDENT}_, axes = plt.subplots(1, len(names), figsize=size, squeeze=False)",
            f"{INDENT}for axis, name in zip(axes[0], names, strict=True):",
            f"{INDENT * 2}axis.plot([line[name] for line in history])",
            f'{INDENT * 2}axis.set(title=name, xlabel="epoch")',
            f"{INDENT}plt.tight_layout()",
            f"{INDENT}plt.savefig(path)",
        ]
    )
    if not parts.decodes:
        return [curves]
    return [curves, _lines() if len(model.input_shape) < 3 else _grid(model, bool(parts.scaling.before))]


def _lines() -> str:
    """The function that draws vectors and signals."""
    return "\n".join(
        [
            "def show(rows, path):",
            f'{INDENT}"""Vectors (n, D) or signals (n, C, L) as lines, those of all rows together."""',
            f"{INDENT}n = len(rows[0])",
            f"{INDENT}_, axes = plt.subplots(n, 1, figsize=(8, 1.5 * n), squeeze=False)",
            f"{INDENT}for row in rows:",
            f"{INDENT * 2}for axis, values in zip(axes[:, 0], row, strict=True):",
            f"{INDENT * 3}lines = values.detach().cpu().reshape(-1, values.shape[-1])",
            f'{INDENT * 3}axis.plot(lines.T, marker=".")',
            f"{INDENT}plt.tight_layout()",
            f"{INDENT}plt.savefig(path)",
        ]
    )


def _grid(model: Any, scaled: bool) -> str:
    """The function that draws pictures, and slices through the middle of volumes; of others than one or three channels the
    first."""
    volumes = len(model.input_shape) == 4
    x = "image" if model.input_shape[0] in (1, 3) else "image[:1]"
    x = f"{x}[:, image.shape[1] // 2]" if volumes else x
    x = f"({x} - low) / (high - low)" if scaled else x
    what = "Slices of volumes (n, C, D, H, W)" if volumes else "Rows of images (n, C, H, W)"
    ends = [f"{INDENT}low, high = rows[0].min().item(), rows[0].max().item()"] if scaled else []
    pixels = [f"{INDENT * 3}pixels = {x}.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()"]
    if x != "image":
        pixels = [
            f"{INDENT * 3}pixels = {x}",
            f"{INDENT * 3}pixels = pixels.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()",
        ]
    return "\n".join(
        [
            "def show(rows, path):",
            f'{INDENT}"""{what} in one picture."""',
            f"{INDENT}n = len(rows[0])",
            *ends,
            f"{INDENT}size = (n, len(rows))",
            f"{INDENT}_, axes = plt.subplots(len(rows), n, figsize=size, squeeze=False)",
            f"{INDENT}for line, images in zip(axes, rows, strict=True):",
            f"{INDENT * 2}for axis, image in zip(line, images, strict=True):",
            *pixels,
            f'{INDENT * 3}axis.imshow(pixels, cmap="gray", vmin=0, vmax=1)',
            f'{INDENT * 3}axis.axis("off")',
            f"{INDENT}plt.savefig(path)",
        ]
    )


def _frozen(model: Any, options: TrainOptions) -> list[str]:
    """Lines that let the frozen weights stay as they are: runs of parameters, whose order is the same here as there."""
    names = [name for name, _ in model.named_parameters()]
    held = matching(model, options.freeze)
    runs = list[list[int]]()
    for i in (i for i, name in enumerate(names) if name in held):
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return [
        line
        for run in runs
        for line in (
            f"for weights in list(model.parameters())[{run[0]}:{run[-1] + 1}]:",
            f"{INDENT}weights.requires_grad_(False)  # frozen",
        )
    ]


def _main(parts: Unfolded, loaded: Sequence[str], left: Sequence[str], frozen: list[str]) -> str:
    """All of it, in order.

    Args:
        parts: the model.
        loaded: what `load_data` gives.
        left: what the script leaves out, in words; it is printed.
        frozen: lines that let weights stay.
    """
    drawable = parts.decodes
    held = "held_out" in loaded
    c = parts.condition
    lines = [
        *[f'print("left out: {words}")' for words in left],
        "torch.manual_seed(SEED)",
        f"images, {'held_out, ' if held else ''}unseen = load_data()",
        "model = Autoencoder().to(DEVICE)",
        *parts.scaling.fit,
        *frozen,
    ]
    if parts.draws_codebook:
        lines += [
            "x, _ = next(iter(DataLoader(images, 2048, shuffle=True)))",
            "x = x.to(DEVICE)",
            "with torch.no_grad():",
            f"{INDENT}model.quantizer.begin(model.encoder({parts.scaling.x}))",
        ]
    lines += [
        "history = train(model, images)",
        *(['print("held out:", evaluate(model, held_out))'] if held else []),
        'print("test:", evaluate(model, unseen))',
        'show_losses(history, "losses.png")',
    ]
    if drawable:
        lines += [
            "x, y = next(iter(DataLoader(unseen, 8)))",
            "x, y = x.to(DEVICE), y.to(DEVICE)",
        ]
        x = parts.scaling.x
        calls = (
            x if not c else "c" if not parts.sample and "x[:" in c and "Encoder" not in parts.networks else f"{x}, c"
        )
        if c:
            lines.append(f"c = {c}")
        lines += [
            f"raw = model({calls})[0]",
            f'show([x, {parts.scaling.undo.format(parts.x_hat)}], "reconstructions.png")',
        ]
        if parts.sample:
            told = ", c" if c else ""
            lines += [
                *(["n = len(x)"] if re.search(r"\bn\b", parts.sample) else []),
                f"raw = model.decoder({parts.sample}.to(DEVICE){told})",
                f'show([{parts.scaling.undo.format(parts.x_hat)}], "samples.png")',
            ]
    return "\n".join(["def main():", *[INDENT + line for line in lines]])
