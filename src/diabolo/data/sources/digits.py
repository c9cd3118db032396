"""scikit-learn's bundled digits: 1,797 scans of 8×8, real handwriting without a download."""

from pathlib import Path

import numpy as np

from diabolo.data.images import Images
from diabolo.data.options import Draw
from diabolo.data.portable_random import permutation

N_TEST = 360


def load(root: Path, draw: Draw) -> tuple[Images, Images]:
    """1,437 train and 360 test images `(1, 8, 8)`, always the same split, 36 test images of each digit."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    # 0 … 16 in the file
    pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.int64)
    everything = Images(pixels, labels=labels, label_names=tuple("0123456789"), name="digits")

    in_test = np.zeros(len(labels), bool)
    for digit in range(10):
        members = np.flatnonzero(labels == digit)
        in_test[members[permutation(len(members), seed=0, stream=digit)[: N_TEST // 10]]] = True
    return everything.take(~in_test), everything.take(in_test)
