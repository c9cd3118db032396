"""The sets that torchvision downloads and checks: MNIST, Fashion-MNIST, CIFAR-10. It takes seconds to import, and files of the
format of MNIST need none of it once they are there."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from diabolo.data.catalogue import SOURCES
from diabolo.data.files import check_regular
from diabolo.data.images import Images
from diabolo.data.options import Draw
from diabolo.data.sources import idx
from diabolo.data.sources.fetching import alone_in
from diabolo.data.sources.missing import missing

log = logging.getLogger("diabolo.data")
DIGITS = tuple("0123456789")
CLOTHING = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def mnist(root: Path, draw: Draw) -> tuple[Images, Images]:
    """60,000 train and 10,000 test images `(1, 28, 28)` of ten digits, in `root/MNIST/raw`."""
    return _of_idx("MNIST", root, "mnist", DIGITS)


def fashion_mnist(root: Path, draw: Draw) -> tuple[Images, Images]:
    """60,000 train and 10,000 test images `(1, 28, 28)` of ten kinds of clothing, in `root/FashionMNIST/raw`."""
    return _of_idx("FashionMNIST", root, "fashion_mnist", CLOTHING)


def cifar10(root: Path, draw: Draw) -> tuple[Images, Images]:
    """50,000 train and 10,000 test images `(3, 32, 32)` of ten kinds of things, in `root/cifar-10-batches-py`.

    The batch files are pickles; torchvision opens them only if their MD5 is the known one.
    """
    home = root / "cifar-10-batches-py"
    _check(home)
    parts = []
    for split in ("train", "test"):
        try:
            part = _fetched("CIFAR10", root, split)
        except Exception as error:  # no network, no such file, damage of any kind: torchvision raises each as it comes
            raise missing("cifar10", home, error) from error
        pixels = np.ascontiguousarray(np.asarray(part.data).transpose(0, 3, 1, 2))
        labels, names = np.asarray(part.targets, np.int64), tuple(map(str, part.classes))
        parts.append(Images(pixels, labels=labels, label_names=names, name="cifar10", split=split))
    return _pair(parts, home)


def _of_idx(kind: str, root: Path, name: str, classes: tuple[str, ...]) -> tuple[Images, Images]:
    """MNIST, or a set of its format."""
    raw = root / kind / "raw"
    _check(raw)
    parts = []
    try:
        if not idx.complete(raw):
            _fetched(kind, root, "train")
        for split in idx.STEMS:
            pixels, labels = idx.read(raw, split)
            parts.append(Images(pixels[:, None], labels=labels, label_names=classes, name=name, split=split))
    except Exception as error:  # no network, no such file, damage of any kind: torchvision raises each as it comes
        raise missing(name, raw, error) from error
    return _pair(parts, raw)


def _check(home: Path) -> None:
    """Refuse pipes and devices, which would be waited for."""
    for file in sorted(home.iterdir()) if home.is_dir() else ():
        if not file.is_dir():
            check_regular(file)


def _fetched(kind: str, root: Path, split: str) -> Any:
    """A split as torchvision has it, which downloads what is missing and checks its MD5."""
    import torchvision  # slow to import

    with alone_in(root):
        return getattr(torchvision.datasets, kind)(root, train=split == "train", download=True)


def _pair(parts: list[Images], home: Path) -> tuple[Images, Images]:
    train, test = parts
    published = SOURCES[train.name]
    for part, count in ((train, published.train), (test, published.test)):
        if len(part) != count:
            log.warning("%s in %s holds %s %s images; %s are published", part.name, home, len(part), part.split, count)
    return train, test
