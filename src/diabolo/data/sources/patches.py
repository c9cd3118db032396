"""Random crops of the two photographs that come with scikit-learn: natural images without a download."""

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.data.options import Draw
from diabolo.data.portable_random import uniform
from diabolo.ranges import At

PHOTOGRAPHS = ("china.jpg", "flower.jpg")  # both 427 × 640
STRIP = slice(256, 384)  # the columns test crops come from: the middle, where both photographs show their subject
N_TRAIN, N_TEST = 20_000, 2_000
TRAIN, TEST = 0, 1


def load(
    root: Path, draw: Draw, *, size: Annotated[int, At(1, STRIP.stop - STRIP.start)] = 32
) -> tuple[Images, Images]:
    """`n_train` and `n_test` crops `(3, size, size)`, 20,000 and 2,000 unless asked otherwise; label: which photograph.

    Test crops lie wholly in a strip in the middle of a photograph and train crops wholly to its left or right, so they
    share no pixel. Both photographs give the same number, to one.
    """
    from sklearn.datasets import load_sample_image

    photographs = [np.asarray(load_sample_image(name)).transpose(2, 0, 1) for name in PHOTOGRAPHS]
    left, right, test = (
        [photograph[:, :, columns] for photograph in photographs]
        for columns in (slice(None, STRIP.start), slice(STRIP.stop, None), STRIP)
    )
    return (
        _crops(left + right, size, draw.n_train or N_TRAIN, draw.seed, TRAIN, "train"),
        _crops(test, size, draw.n_test or N_TEST, draw.seed, TEST, "test"),
    )


def _crops(regions: list[NDArray[np.uint8]], size: int, n: int, seed: int, stream: int, split: str) -> Images:
    """n crops, from the regions in turn, the photographs taking turns in them; crop i does not depend on n."""
    places = uniform((n, 2), seed, stream)
    pixels = np.empty((n, 3, size, size), np.uint8)
    source = np.arange(n, dtype=np.int64) % len(regions)
    for number, region in enumerate(regions):
        # (3, rows, columns, size, size)
        windows = np.lib.stride_tricks.sliding_window_view(region, (size, size), axis=(1, 2))
        own = places[source == number]
        rows = (own[:, 0] * windows.shape[1]).astype(np.int64)
        columns = (own[:, 1] * windows.shape[2]).astype(np.int64)
        pixels[source == number] = windows[:, rows, columns].swapaxes(0, 1)
    names = tuple(name.removesuffix(".jpg") for name in PHOTOGRAPHS)
    return Images(pixels, labels=source % len(PHOTOGRAPHS), label_names=names, name="patches", split=split)
