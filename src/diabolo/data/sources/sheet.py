"""A sheet rolled up in space: points of three numbers that two numbers describe without loss."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.data.options import Draw
from diabolo.data.portable_random import uniform

N_TRAIN, N_TEST = 4_000, 1_000
TRAIN, TEST = 0, 1
FIRST, LAST = 1.5 * np.pi, 4 * np.pi  # angles between which the sheet is rolled: one turn and a quarter
PLACES = ("along", "across")


def load(root: Path, draw: Draw) -> tuple[Images, Images]:
    """`n_train` and `n_test` points `(3,)` of the Swiss roll (Tenenbaum et al. 2000, Science 290:2319), 4,000 and 1,000 unless
    asked otherwise, evenly spread over the sheet; factors: where on the sheet each lies, along it and across, 0 … 1.

    Both parts come from `seed` but from streams that share nothing, and point i is the same however many are drawn.
    """
    return _points(draw.n_train or N_TRAIN, draw.seed, TRAIN, "train"), _points(
        draw.n_test or N_TEST, draw.seed, TEST, "test"
    )


def rolled(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points (N, 3) in [0, 1]³ of `places` (N, 2) on the sheet: along it, by its length, and across, 0 … 1 each."""
    grid = np.linspace(FIRST, LAST, 20_001)
    length = (grid * np.sqrt(1 + grid**2) + np.arcsinh(grid)) / 2  # of the spiral r = angle, from its middle
    along = (length - length[0]) / (length[-1] - length[0])
    angle = np.interp(places[:, 0], along, grid)
    spiral = angle[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.column_stack([0.5 + spiral / (2 * LAST), places[:, 1]])


def _points(n: int, seed: int, stream: int, split: str) -> Images:
    places = uniform((n, 2), seed, stream)
    return Images(
        rolled(places).astype(np.float32),
        factors=places.astype(np.float32),
        factor_names=PLACES,
        name="sheet",
        split=split,
    )
