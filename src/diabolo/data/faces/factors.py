"""What a drawn face is made from, and which of CelebA's attributes follow from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diabolo.data.portable_random import uniform
from diabolo.errors import DiaboloError


@dataclass(frozen=True)
class Factor:
    """One number a face is made from, drawn independently of the others.

    Uniform between `low` and `high`; or, with a `chance`, 1 with that probability and else 0.
    """

    name: str
    low: float
    high: float
    meaning: str
    chance: float | None = None


FACTORS = (
    Factor("turn", -1, 1, "head turned to the viewer's left (-1) or right (1)"),
    Factor("tilt", -1, 1, "head leaning, counter-clockwise (-1) or clockwise (1)"),
    Factor("width", 0, 1, "face narrow (0) to round (1)"),
    Factor("skin", 0, 1, "skin pale (0) to dark (1)"),
    Factor("hair_colour", 0, 4, "black (0.5), brown (1.5), blond (2.5), grey (3.5); blended between"),
    Factor("hair_length", 0, 1, "cropped (0) to below the shoulders (1)"),
    Factor("fringe", 0, 1, "hair off the forehead (0) to down to the brows (1)"),
    Factor("smile", -1, 1, "corners of the mouth down (-1) or up (1)"),
    Factor("mouth_open", 0, 1, "mouth closed (0) to wide open (1)"),
    Factor("eyes_open", 0, 1, "eyes narrow (0) to wide (1)"),
    Factor("brows", -1, 1, "brows low (-1) or raised (1)"),
    Factor("glasses", 0, 1, "wears glasses", chance=0.3),
    Factor("hat", 0, 1, "wears a woollen hat", chance=0.2),
    Factor("lipstick", 0, 1, "wears lipstick", chance=0.3),
    Factor("light", -1, 1, "light from the viewer's left (-1) or right (1)"),
    Factor("background", 0, 1, "hue of the background, once around the colour circle"),
    Factor("clothes", 0, 1, "hue of clothes and hat, once around the colour circle"),
)
FACTOR_NAMES = tuple(factor.name for factor in FACTORS)

TRAIN, TEST = 0, 1  # streams of random words that share nothing


def face_factors(n: int, seed: int = 42, stream: int = TRAIN) -> NDArray[np.float32]:
    """Factors of n faces, float32 `(n, F)`, columns as in `FACTOR_NAMES`. Face i does not depend on n.

    Streams of the same seed are independent: `load("faces")` draws train faces from 0 and test faces from 1.

    Example:
        >>> few, more = diabolo.data.face_factors(3, seed=0), diabolo.data.face_factors(9, seed=0)
        >>> bool((few == more[:3]).all())
        True
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise DiaboloError(f"the number of faces is a whole number from 1 up, got {n!r}")
    draws = uniform((int(n), len(FACTORS)), seed, stream)
    columns = [
        f.low + (f.high - f.low) * draws[:, i] if f.chance is None else draws[:, i] < f.chance
        for i, f in enumerate(FACTORS)
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def check_factors(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factors as float32 `(N, F)`; DiaboloError unless each is finite and within its bounds."""
    table = np.asarray(factors, dtype=np.float32)
    if table.ndim != 2 or table.shape[1] != len(FACTORS) or len(table) == 0:
        raise DiaboloError(f"factors must be (N, {len(FACTORS)}), columns {', '.join(FACTOR_NAMES)}; got {table.shape}")
    for factor, column in zip(FACTORS, table.T, strict=True):
        if not ((column >= factor.low) & (column <= factor.high)).all():  # so NaN is refused too
            raise DiaboloError(
                f"factor {factor.name} runs from {factor.low} to {factor.high} ({factor.meaning}), "
                f"got {column.min():.6g} to {column.max():.6g}"
            )
    return table


# CelebA's name, the factor it follows from, and the interval in which it holds (upper end excluded)
ATTRIBUTES: dict[str, tuple[str, float, float]] = {
    "Bangs": ("fringe", 0.6, np.inf),
    "Black_Hair": ("hair_colour", 0, 1),
    "Blond_Hair": ("hair_colour", 2, 3),
    "Brown_Hair": ("hair_colour", 1, 2),
    "Chubby": ("width", 0.75, np.inf),
    "Eyeglasses": ("glasses", 0.5, np.inf),
    "Gray_Hair": ("hair_colour", 3, np.inf),
    "Mouth_Slightly_Open": ("mouth_open", 0.3, np.inf),
    "Narrow_Eyes": ("eyes_open", 0, 0.25),
    "Pale_Skin": ("skin", 0, 0.2),
    "Smiling": ("smile", 0.2, np.inf),
    "Wearing_Hat": ("hat", 0.5, np.inf),
    "Wearing_Lipstick": ("lipstick", 0.5, np.inf),
}


def face_attributes(factors: NDArray[np.float32]) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The attributes that follow from the factors, bool `(N, A)`, and their names, which are CelebA's."""
    table = check_factors(factors)
    columns = []
    for factor, low, high in ATTRIBUTES.values():
        value = table[:, FACTOR_NAMES.index(factor)]
        columns.append((value >= low) & (value < high))
    return np.stack(columns, axis=1), tuple(ATTRIBUTES)
