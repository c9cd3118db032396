"""Where the images come from, as the Python of a course: torchvision, `Subset`, or arrays beside the script. They are those of
the run: subsets and held-out images are drawn by the same rule, which needs numpy alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diabolo.data.origin import Record
from diabolo.unfold.layers import INDENT
from diabolo.unfold.numbers import number

TORCHVISION = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "cifar10": "CIFAR10"}
SIMPLE = {"name", "root", "n_train", "n_test", "data_seed"}
ARRAYS = "images.npz"  # beside the script
HELD_OUT = ("train", "held_out", "test")
SHUFFLED = '''def shuffled(n, seed, stream=0):
    """The numbers 0 … n - 1 in an order that the seed decides, on every machine the same."""
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stream,)))
    return np.argsort(bits.random_raw(n), kind="stable").tolist()'''


@dataclass(frozen=True)
class Source:
    """The images as text.

    Attributes:
        imports: lines.
        load: the function `load_data()`, and what it calls.
        parts: what that gives: "train" and "test", between them "held_out" where images were held out.
        arrays: whether it reads `images.npz`, which must be written beside the script.
        words: sentences on them.
    """

    imports: list[str]
    load: str
    parts: tuple[str, ...]
    arrays: bool
    words: str


def source(record: Record, column: str | None, validation: Record | None = None, own: bool = False) -> Source:
    """The training images of `record`, with the `column` that the model needs besides; of those to validate with those that
    were held out, or are a part of their own. `own`: whether numbers keep their type and units."""
    origin = record.origin or {}
    load, held = dict(origin.get("load") or {}), dict(origin["held_out"]) if "held_out" in origin else None
    name = load.get("name")
    labels = column in (None, "labels")
    if name in TORCHVISION and load.keys() <= SIMPLE and labels:
        return _torchvision(TORCHVISION[name], load, held)
    faces = name == "celeba" and column in (None, "attributes") and load.get("split") != "persons"
    if faces and load.keys() <= SIMPLE | {"size", "split"}:
        return _celeba(load, held, record.shape)
    if name == "digits" and load.keys() <= SIMPLE and labels:
        return _digits(load, held)
    known = (validation.origin if validation is not None and record.origin is not None else None) or {}
    return _arrays(column, known.get("part", "test") != "test" or "held_out" in known, own)


def _source(
    imports: Sequence[str],
    lines: Sequence[str],
    parts: tuple[str, ...],
    words: str,
    arrays: bool = False,
    x: str = "images x in [0, 1] (C, H, W)",
) -> Source:
    """The `lines` that load the `parts`, as a function."""
    what = "Training, held-out and test" if len(parts) > 2 else "Training and test"
    function = "\n".join(
        [
            "def load_data():",
            f'{INDENT}"""{what} {x}, each with its y."""',
            *[INDENT + line for line in lines],
        ]
    )
    if "shuffled(" not in function:
        return Source([*imports], function, parts, arrays, words)
    return Source(["import numpy as np", *imports], f"{SHUFFLED}\n\n\n{function}", parts, arrays, words)


def _divided(imports: Sequence[str], lines: Sequence[str], held: Mapping[str, Any] | None, words: str) -> Source:
    """The same of lines that make `train` and `test`; of `train` a share is `held` out."""
    if held is None:
        return _source(imports, [*lines, "return train, test"], ("train", "test"), words)
    share, first = float(held["fraction"]), ("kept", "held out").index(held["part"])
    sides = [
        "held_out = Subset(train, sorted(order[:n]))",
        "train = Subset(train, sorted(order[n:]))",
    ]
    if first:  # it was trained on what is usually held out
        sides = ["held_out = Subset(train, sorted(order[n:]))", "train = Subset(train, sorted(order[:n]))"]
    more = [
        f"order = shuffled(len(train), {int(held['seed'])})",
        f"n = round({number(share)} * len(train))  # to hold out",
        *sides,
        f"return {', '.join(HELD_OUT)}",
    ]
    told = f"{words} {100 * share:g} % of the training images are held out: the same as in the run."
    return _source(imports, [*lines, *more], HELD_OUT, told)


def _subsets(load: Mapping[str, Any]) -> list[str]:
    """Lines that keep so many of each part."""
    seed = int(load.get("data_seed", 42))
    return [
        f"{part} = Subset({part}, sorted(shuffled(len({part}), {seed})[:{int(load[f'n_{part}'])}]))"
        for part in ("train", "test")
        if load.get(f"n_{part}")
    ]


def _torchvision(kind: str, load: Mapping[str, Any], held: Mapping[str, Any] | None) -> Source:
    lines = [
        "to_tensor = transforms.ToTensor()  # bytes 0 … 255 → numbers in [0, 1]",
        'where = {"root": "data", "transform": to_tensor, "download": True}',
        f"train = datasets.{kind}(train=True, **where)",
        f"test = datasets.{kind}(train=False, **where)",
        *_subsets(load),
    ]
    words = f"The images of the run: {kind} by torchvision, which downloads it into the folder `data` the first time."
    return _divided(["from torchvision import datasets, transforms"], lines, held, words)


def _celeba(load: Mapping[str, Any], held: Mapping[str, Any] | None, shape: tuple[int, ...]) -> Source:
    side, official = shape[-1], load.get("split") != "random"
    lines = [
        f"resize = transforms.Resize({side}, transforms.InterpolationMode.BICUBIC)",
        f"crop = transforms.CenterCrop({side})",
        "transform = transforms.Compose([resize, crop, transforms.ToTensor()])",
        'where = {"root": "data", "transform": transform, "download": True}',
    ]
    if official:
        lines += [f'{part} = datasets.CelebA(split="{part}", **where)' for part in ("train", "test")]
        lines += _subsets(load)
    else:
        n_train, n_test = load.get("n_train"), load.get("n_test")
        lines += [
            'faces = datasets.CelebA(split="all", **where)',
            f"order = shuffled(len(faces), {int(load.get('data_seed', 42))})",
            f"n_test = {int(n_test) if n_test else 'round(0.1 * len(faces))'}",
            f"n_train = {int(n_train) if n_train else 'len(faces) - n_test'}",
            "train = Subset(faces, sorted(order[-n_train:]))",
            "test = Subset(faces, sorted(order[:n_test]))",
        ]
    split = "The official split" if official else "A random split"
    words = (
        f"CelebA by torchvision. {split}, which is the run's where its folder held all of CelebA. Resized by torchvision, so "
        "pixels differ slightly from the run's."
    )
    return _divided(["from torchvision import datasets, transforms"], lines, held, words)


def _digits(load: Mapping[str, Any], held: Mapping[str, Any] | None) -> Source:
    lines = [
        "digits = load_digits()  # 8×8, values 0 … 16",
        "x = torch.tensor(digits.images * 255 / 16).round()[:, None] / 255",
        "y = torch.tensor(digits.target)",
        "chosen = []  # 36 of each digit to test with",
        "for digit in range(10):",
        f"{INDENT}rows = np.flatnonzero(digits.target == digit)",
        f"{INDENT}chosen += rows[shuffled(len(rows), 0, stream=digit)[:36]].tolist()",
        "others = sorted(set(range(len(y))) - set(chosen))",
        "images = TensorDataset(x.float(), y)",
        "train, test = Subset(images, others), Subset(images, sorted(chosen))",
        *_subsets(load),
    ]
    words = "The images of the run: scikit-learn's digits."
    return _divided(["from sklearn.datasets import load_digits"], lines, held, words)


def _arrays(column: str | None, held: bool, own: bool) -> Source:
    y = f'"{column or "labels"}"'
    parts = HELD_OUT if held else ("train", "test")
    named = ", ".join(f'"{part}"' for part in parts)
    floats = [f"{INDENT}x = x.float() / 255 if x.dtype == torch.uint8 else x.float()"]
    if own:  # of which no digit is to be lost before it is scaled
        floats = [
            f"{INDENT}x = x.float() / 255 if x.dtype == torch.uint8 else x",
            f"{INDENT}x = x if x.is_floating_point() else x.double()",
        ]
    lines = [
        'here = Path(__file__).parent if "__file__" in globals() else Path()',
        f'arrays = np.load(here / "{ARRAYS}")',
        "parts = []",
        f"for part in ({named}):",
        f'{INDENT}x = torch.from_numpy(arrays[f"{{part}}_images"])',
        *floats,
        f'{INDENT}y = torch.from_numpy(arrays[f"{{part}}_" + {y}])',
        f"{INDENT}parts.append(TensorDataset(x, y))",
        "return parts",
    ]
    words = f"The images of the run, from the file `{ARRAYS}` beside this script."
    x = "examples x in their own units" if own else "images x in [0, 1] (C, H, W)"
    return _source(["from pathlib import Path", "import numpy as np"], lines, parts, words, arrays=True, x=x)
