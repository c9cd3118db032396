"""Images half-way between two codes: what a classifier reads in them, and how near they are to both ends superposed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diabolo.statistics.verdicts import LEVEL
from diabolo.studies.beta.words import SURE, Found
from diabolo.studies.engine.findings import between

OWN = "mid-points read as one of the two digits"
THIRD = "mid-points that are clearly a third digit"
UNCLEAR = "mid-points that are not clearly read"
MIXED = "squared distance of a mid-point from the mean of both ends"
SIGN = "p, mid-points read as one of the two digits"


@dataclass(frozen=True)
class Reading:
    """What a classifier reads half-way between images of two classes, pair by pair.

    Attributes:
        own: (P,), whether it is one of the two classes.
        sure: (P,), whether its probability is `SURE` or more.
        thirds: the classes that are clearly read and are neither of the two, the most frequent first: [(9, 6), (6, 1)].
    """

    own: NDArray[np.bool_]
    sure: NDArray[np.bool_]
    thirds: list[tuple[int, int]]

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]], read: NDArray[np.int64], sure: NDArray[np.float64]) -> "Reading":
        """Of classes `read` (P,) with the probabilities `sure` (P,)."""
        own = np.array([k in pair for k, pair in zip(read.tolist(), pairs, strict=True)])
        clear = np.asarray(sure) >= SURE
        return cls(own, clear, Counter(read[clear & ~own].tolist()).most_common())


def mixture(frames: NDArray[np.floating]) -> NDArray[np.floating]:
    """How far the middle one of `frames` (P, steps, …) is from the mean of the first and the last, as a squared distance over
    that of these two (P,): 0 where the ends are superposed, 0.25 where it is one of them."""
    start, end, middle = frames[:, 0], frames[:, -1], frames[:, frames.shape[1] // 2]
    axes = tuple(range(1, start.ndim))
    share: NDArray[np.floating] = np.square(middle - (start + end) / 2).sum(axes) / np.square(start - end).sum(axes)
    return share


def look(f: Found) -> str:
    """4.4: what the images half-way between typical images look like."""
    own, third, unclear = (
        {name: f[f"{what}, {name}"].value for name in ("VAE", "AE")} for what in (OWN, THIRD, UNCLEAR)
    )
    p = f[SIGN].value
    verdict = (
        f"significantly {'more' if own['VAE'] > own['AE'] else 'fewer'}" if p < LEVEL else "not significantly different"
    )
    often = (
        f" (most often a {f['third digit most often, VAE'].value:.0f})" if "third digit most often, VAE" in f else ""
    )
    mixed = between(f, f"{MIXED}, VAE", f"{MIXED}, AE")
    over = (
        "The autoencoder's are closer to the mean of both ends, and look like two digits superposed, with broken strokes."
        if mixed.sure and mixed.value > 0 and unclear["AE"] > unclear["VAE"]
        else "The VAE's are closer to the mean of both ends."
        if mixed.sure and mixed.value < 0
        else "Neither model's are shown to be closer to the mean of both ends."
        if not mixed.sure
        else "The autoencoder's are closer to the mean of both ends, but are read as clearly."
    )
    return (
        f"Half-way between typical images ({f['pairs of classes'].value:.0f} pairs), the likeliest digit is one of the two in "
        f"{own['VAE']:.0f} of the VAE's images and {own['AE']:.0f} of the autoencoder's: {verdict} (sign test: p = {p:.2g}). "
        f"No digit reaches a probability of {SURE} in {unclear['VAE']:.0f} and {unclear['AE']:.0f} of them; a third digit "
        f"does in {third['VAE']:.0f}{often} and {third['AE']:.0f}. {over}"
    )
