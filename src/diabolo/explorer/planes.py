"""Planes in which codes lie as points, and the way back: the code of a place, which the decoder can show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diabolo.data.portable_random import permutation
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes, check_differ
from diabolo.latents.projection import project
from diabolo.plain import percent

Floats = NDArray[np.float64]
AROUND = 3  # codes of which a place between points is made
FITTED = 20_000  # codes that a plane of principal components is fitted to
WIDE = 1_000  # numbers of a code, of which all variances are found


class Plane(Protocol):
    """Points of codes, and codes of points.

    Attributes:
        points: (n, 2).
        chosen: (n,) the indices of their codes.
        axis_names: of the two axes.
        told: what the plane is, in words.
        back: how a place is decoded, in words; empty where that goes without saying.
    """

    @property
    def points(self) -> Floats:
        """(n, 2)."""
        ...

    @property
    def chosen(self) -> NDArray[np.int64]:
        """(n,)."""
        ...

    @property
    def axis_names(self) -> tuple[str, str]:
        """Of a figure."""
        ...

    @property
    def told(self) -> str:
        """In words."""
        ...

    @property
    def back(self) -> str:
        """In words."""
        ...

    def code_at(self, place: Sequence[float]) -> Floats:
        """The code (D,) of a place (x, y)."""
        ...

    def place_of(self, code: Floats) -> Floats:
        """Where a code (D,) is seen: (2,)."""
        ...


@dataclass(frozen=True)
class Flat:
    """code = origin + x · basis[0] + y · basis[1]: every place is a code.

    Attributes:
        origin: (D,).
        basis: (2, D).
    """

    points: Floats
    chosen: NDArray[np.int64]
    axis_names: tuple[str, str]
    told: str
    origin: Floats
    basis: Floats
    back: str = ""

    def code_at(self, place: Sequence[float]) -> Floats:
        """The code (D,) of (x, y)."""
        found: Floats = self.origin + np.asarray(place, np.float64) @ self.basis
        return found

    def place_of(self, code: Floats) -> Floats:
        """Straight above or below it."""
        found: Floats = (code - self.origin) @ self.basis.T
        return found


@dataclass(frozen=True)
class Curved:
    """A map without a way back, t-SNE or UMAP: a place stands for the mean of the codes of the points that are nearest to it,
    weighted by 1 / distance².

    Attributes:
        codes: (n, D) of the points.
        around: how many are taken.
    """

    points: Floats
    chosen: NDArray[np.int64]
    axis_names: tuple[str, str]
    told: str
    codes: Floats
    around: int = AROUND

    @property
    def back(self) -> str:
        """From the points around it."""
        return "a place is decoded from the " + (
            "code of the nearest point" if self.around == 1 else f"{self.around} nearest codes"
        )

    def code_at(self, place: Sequence[float]) -> Floats:
        """The code (D,) of (x, y)."""
        far = np.square(self.points - np.asarray(place, np.float64)).sum(1)
        near = np.argpartition(far, min(self.around, len(far)) - 1)[: self.around]
        weight = 1 / np.maximum(far[near], 1e-12 * max(float(far.max()), 1e-300))
        found: Floats = weight @ self.codes[near] / weight.sum()
        return found

    def place_of(self, code: Floats) -> Floats:
        """The point of the nearest code."""
        found: Floats = self.points[np.square(self.codes - code).sum(1).argmin()]
        return found


def plane(how: str, codes: NDArray[np.generic], through: Sequence[int] = (), discrete: bool = False) -> Plane:
    """The plane of that name for `codes` (N, D).

    Args:
        how: "pca" (of codes of two numbers these themselves, of one number a line), "images" (through the codes of three
            images), "t-sne" or "umap".
        codes: (N, D).
        through: the three images, for "images".
        discrete: whether codes stand for indices, so that none lies between two: a place is the code of the nearest point.

    Raises:
        DiaboloError: for codes that are all the same, and three images that lie on a line.

    Example:
        >>> found = diabolo.explorer.planes.plane("pca", np.array([[0, 0], [1, 0], [0, 2.0], [3, 3]]))
        >>> found.code_at((0.5, 1.0))
        array([0.5, 1. ])
    """
    z = check_codes(codes, least=4)
    check_differ(z, "a map")
    if how == "images" or z.shape[1] == 1:
        flat = _through(z, through) if how == "images" else _line(z)
        if not discrete:
            return flat
        return Curved(flat.points, flat.chosen, flat.axis_names, flat.told, z, 1)
    if how != "pca" or discrete:
        found = project(z, how)
        around = 1 if discrete else AROUND
        return Curved(found.points, found.chosen, found.axis_names, found.told, z[found.chosen], around)
    if z.shape[1] == 2:
        return Flat(z, np.arange(len(z)), ("z₁", "z₂"), "the codes themselves", np.zeros(2), np.eye(2))
    return _components(z)


def _components(z: Floats) -> Flat:
    """Through the mean, along the two directions of most variance."""
    few = z[np.sort(permutation(len(z), 0)[:FITTED])]
    mean = few.mean(0)
    found, directions = _narrow(few - mean) if z.shape[1] <= WIDE else _wide(few)
    shares = [percent(share) for share in found]
    axes = (f"PC 1 ({shares[0]} of the variance)", f"PC 2 ({shares[1]})")
    back = "a place is decoded with all other components at their mean"
    points = (z - mean) @ directions.T
    return Flat(points, np.arange(len(z)), axes, "principal components", mean, directions, back)


def _narrow(centred: Floats) -> tuple[Floats, Floats]:
    """Of two components the shares of the variance and the directions (2, D), each towards its largest number."""
    variances, vectors = np.linalg.eigh(centred.T @ centred)
    largest = vectors[:, :-3:-1].T
    largest *= np.sign(largest[np.arange(2), np.abs(largest).argmax(1)])[:, None]
    return variances[:-3:-1].clip(0) / max(float(variances.sum()), 1e-300), largest


def _wide(few: Floats) -> tuple[Floats, Floats]:
    """The same where the covariance would be too large: by a randomised method."""
    from sklearn.decomposition import PCA  # slow to import

    fitted = PCA(2, svd_solver="randomized", random_state=0).fit(few)
    return np.nan_to_num(fitted.explained_variance_ratio_), fitted.components_


def _through(z: Floats, through: Sequence[int]) -> Flat:
    """Through the codes of three images, the first at (0, 0) and the second on the x axis."""
    if len(set(through)) != 3 or not all(0 <= i < len(z) for i in through):
        raise DiaboloError(f"a plane goes through 3 different images of {len(z):,}, not {tuple(through)}")
    if z.shape[1] < 2:
        raise DiaboloError("codes of one number lie on a line: there is no plane through three of them")
    a, b, c = z[list(through)]
    first, second = b - a, c - a
    if not (length := float(np.linalg.norm(first))):
        raise DiaboloError(f"images {through[0]} and {through[1]} have the same code: choose others")
    x = first / length
    across = second - (second @ x) * x
    if (height := float(np.linalg.norm(across))) <= 1e-6 * length:
        raise DiaboloError(f"the codes of images {', '.join(map(str, through))} lie on a line: choose others")
    basis = np.stack([x, across / height])
    told = f"the plane through the codes of images {', '.join(map(str, through))}; others are seen from above"
    return Flat((z - a) @ basis.T, np.arange(len(z)), ("towards the second", "towards the third"), told, a, basis)


def _line(z: Floats) -> Flat:
    """Codes of one number; the height spreads them out and means nothing."""
    height = (permutation(len(z), 0) + 0.5) / len(z)
    points = np.stack([z[:, 0], height], 1)
    told = "codes of one number; the height only spreads them out"
    return Flat(points, np.arange(len(z)), ("z", ""), told, np.zeros(1), np.array([[1.0], [0.0]]))
