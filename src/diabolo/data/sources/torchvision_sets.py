"""The sets that torchvision downloads and checks: MNIST, Fashion-MNIST, CIFAR-10."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from diabolo.data.catalogue import SOURCES
from diabolo.data.files import check_regular
from diabolo.data.images import Images
from diabolo.data.options import Draw
from diabolo.data.sources.fetching import alone_in
from diabolo.data.sources.missing import missing

log = logging.getLogger("diabolo.data")


def mnist(root: Path, draw: Draw) -> tuple[Images, Images]:
    """60,000 train and 10,000 test images `(1, 28, 28)` of ten digits, in `root/MNIST/raw`."""
    return _both("MNIST", root, root / "MNIST" / "raw", "mnist")


def fashion_mnist(root: Path, draw: Draw) -> tuple[Images, Images]:
    """60,000 train and 10,000 test images `(1, 28, 28)` of ten kinds of clothing, in `root/FashionMNIST/raw`."""
    return _both("FashionMNIST", root, root / "FashionMNIST" / "raw", "fashion_mnist")


def cifar10(root: Path, draw: Draw) -> tuple[Images, Images]:
    """50,000 train and 10,000 test images `(3, 32, 32)` of ten kinds of things, in `root/cifar-10-batches-py`.

    The batch files are pickles; torchvision opens them only if their MD5 is the known one.
    """
    return _both("CIFAR10", root, root / "cifar-10-batches-py", "cifar10")


def _both(kind: str, root: Path, home: Path, name: str) -> tuple[Images, Images]:
    import torchvision

    parts = []
    for file in sorted(home.iterdir()) if home.is_dir() else ():
        if not file.is_dir():
            check_regular(file)
    for train in (True, False):
        try:
            # downloads only what is missing, and checks its MD5
            with alone_in(root):
                part = getattr(torchvision.datasets, kind)(root, train=train, download=True)
        except Exception as error:  # no network, no such file, damage of any kind: torchvision raises each as it comes
            raise missing(name, home, error) from error
        parts.append(_images(part, name, "train" if train else "test"))
    for part, published in zip(parts, (SOURCES[name].train, SOURCES[name].test), strict=True):
        if len(part) != published:
            log.warning("%s in %s holds %s %s images; %s are published", name, home, len(part), part.split, published)
    return parts[0], parts[1]


def _images(part: Any, name: str, split: str) -> Images:
    pixels = np.asarray(part.data)
    pixels = pixels[:, None] if pixels.ndim == 3 else np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    # MNIST calls its classes "0 - zero", …
    names = tuple(str(label).split(" - ")[0] for label in part.classes)
    return Images(pixels, labels=np.asarray(part.targets, np.int64), label_names=names, name=name, split=split)
