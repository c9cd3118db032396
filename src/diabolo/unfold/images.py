"""Where the images come from, as the Python of a course: torchvision, `Subset`, or arrays beside the script."""

from dataclasses import dataclass
from typing import Any

from diabolo.data.origin import Record
from diabolo.unfold.layers import INDENT

TORCHVISION = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "cifar10": "CIFAR10"}
SIMPLE = {"name", "root", "n_train", "n_test", "data_seed"}
ARRAYS = "images.npz"  # beside the script


@dataclass(frozen=True)
class Source:
    """The images as text.

    Attributes:
        imports: lines.
        load: the function `load_data()`.
        arrays: whether it reads `images.npz`, which must be written beside the script.
        words: a sentence on them.
    """

    imports: list[str]
    load: str
    arrays: bool
    words: str


def source(record: Record, column: str | None) -> Source:
    """The images of `record`, with the `column` that the model needs besides."""
    load: dict[str, Any] = dict((record.origin or {}).get("load") or {})
    name = load.get("name")
    labels = column in (None, "labels")
    if name in TORCHVISION and load.keys() <= SIMPLE and labels:
        return _torchvision(TORCHVISION[name], load)
    faces = name == "celeba" and column in (None, "attributes") and load.get("split") != "persons"
    if faces and load.keys() <= SIMPLE | {"size", "split"}:
        return _celeba(load, record.shape)
    if name == "digits" and load.keys() <= SIMPLE and labels:
        return _digits(load)
    return _arrays(column)


def _function(lines: list[str]) -> str:
    return "\n".join(
        [
            "def load_data():",
            f'{INDENT}"""Training and test images x in [0, 1] (C, H, W), each with its y."""',
            *[INDENT + line for line in lines],
        ]
    )


def _subsets(load: dict[str, Any]) -> list[str]:
    """Lines that keep so many of each part."""
    lines = []
    if load.get("n_train") or load.get("n_test"):
        lines.append(f"generator = torch.Generator().manual_seed({int(load.get('data_seed', 42))})")
    for part in ("train", "test"):
        if n := load.get(f"n_{part}"):
            lines += [
                f"chosen = torch.randperm(len({part}), generator=generator)[:{int(n)}]",
                f"{part} = Subset({part}, chosen.tolist())",
            ]
    return lines


def _torchvision(kind: str, load: dict[str, Any]) -> Source:
    arguments = "transform=to_tensor, download=True"
    subsets = _subsets(load)
    lines = [
        "to_tensor = transforms.ToTensor()  # bytes 0 … 255 → numbers in [0, 1]",
        f'train = datasets.{kind}("data", train=True, {arguments})',
        f'test = datasets.{kind}("data", train=False, {arguments})',
        *subsets,
        "return train, test",
    ]
    words = f"{kind} by torchvision, which downloads it into the folder `data` the first time."
    if subsets:
        words += " The subset is drawn by torch here, so it is another one than that of the run, of the same size."
    return Source(["from torchvision import datasets, transforms"], _function(lines), False, words)


def _celeba(load: dict[str, Any], shape: tuple[int, ...]) -> Source:
    side, seed = shape[-1], int(load.get("data_seed", 42))
    n_train, n_test = load.get("n_train"), load.get("n_test")
    lines = [
        f"resize = transforms.Resize(({side}, {side}))",
        "transform = transforms.Compose([resize, transforms.ToTensor()])",
        'faces = datasets.CelebA("data", split="all", transform=transform, download=True)',
        f"generator = torch.Generator().manual_seed({seed})",
        "order = torch.randperm(len(faces), generator=generator).tolist()",
        f"n_test = {int(n_test)}" if n_test else "n_test = len(faces) // 10",
        f"n_train = {int(n_train)}" if n_train else "n_train = len(faces) - n_test",
        "train = Subset(faces, order[:n_train])",
        "test = Subset(faces, order[n_train : n_train + n_test])",
        "return train, test",
    ]
    words = (
        "CelebA by torchvision, resized. The split is drawn by torch here, so it is another one than that of the run."
    )
    return Source(["from torchvision import datasets, transforms"], _function(lines), False, words)


def _digits(load: dict[str, Any]) -> Source:
    lines = [
        "digits = load_digits()  # 8×8, values 0 … 16",
        "x = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]",
        "y = torch.tensor(digits.target)",
        "order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0)).tolist()",
        "images = TensorDataset(x, y)",
        "train, test = Subset(images, order[360:]), Subset(images, order[:360])",
        *_subsets(load),
        "return train, test",
    ]
    words = "scikit-learn's digits. The split is drawn by torch here, so it is another one than that of the run."
    return Source(["from sklearn.datasets import load_digits"], _function(lines), False, words)


def _arrays(column: str | None) -> Source:
    y = f'"{column or "labels"}"'
    lines = [
        'here = Path(__file__).parent if "__file__" in globals() else Path()',
        f'arrays = np.load(here / "{ARRAYS}")',
        "parts = []",
        'for part in ("train", "test"):',
        f'{INDENT}x = torch.from_numpy(arrays[f"{{part}}_images"])',
        f"{INDENT}x = x.float() / 255 if x.dtype == torch.uint8 else x.float()",
        f'{INDENT}y = torch.from_numpy(arrays[f"{{part}}_" + {y}])',
        f"{INDENT}parts.append(TensorDataset(x, y))",
        "return parts",
    ]
    words = f"The images of the run, from the file `{ARRAYS}` beside this script."
    return Source(["from pathlib import Path", "", "import numpy as np"], _function(lines), True, words)
