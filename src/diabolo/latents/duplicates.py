"""Near-duplicates: images that are nearly the same, found by their codes and checked in their pixels."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diabolo.codec import Codec
from diabolo.data.images import Images, chunks
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.latents.codes import encode
from diabolo.latents.nearest import nearest
from diabolo.ranges import Count, Positive, checked

PAIRS = 1 << 24  # numbers of the images that are compared at a time


@dataclass(frozen=True)
class Duplicates:
    """Which of N images are nearly the same.

    Attributes:
        groups: the indices of those of each group, rising, the largest group first; images in a group are linked by pairs, and
            need not all be near to one another.
        pairs: (m, 2) indices of the pairs that are nearly the same, the smaller first.
        distance: (m,) of each pair: the root of the squared difference of their pixels over that expected of two images that
            have nothing in common but the distribution, √(2 Σ Var(xᵢ)); 0 for equal images, about 1 for unrelated ones.

    Example:
        >>> found = diabolo.latents.near_duplicates(model, train.take([0, 1, 2, 1]))
        >>> [group.tolist() for group in found.groups]
        [[1, 3]]
    """

    groups: list[NDArray[np.int64]]
    pairs: NDArray[np.int64]
    distance: NDArray[np.float64]


@checked
def near_duplicates(codec: Codec, images: Images, within: Positive = 0.1, neighbours: Count = 10) -> Duplicates:
    """Pairs of `images` whose codes are among the nearest to one another and whose pixels differ by a small part of what two
    unrelated images differ by, and the groups that they form. Codes say where to look, so that not all N² pairs need be
    compared; pixels decide. Copies that were cropped or shifted are near in code only, and are not found.

    Args:
        codec: a trained model.
        images: two or more, of its shape.
        within: the largest distance of near-duplicates, see `Duplicates.distance`.
        neighbours: how many of the nearest codes of each image are looked at.

    Raises:
        DiaboloError: for a model without codes, fewer than two images, and images with numbers missing.

    Example:
        >>> twice = train.take([*range(50), 7, 9])
        >>> found = diabolo.latents.near_duplicates(model, twice)
        >>> found.pairs.tolist(), found.distance.tolist()
        ([[7, 50], [9, 51]], [0.0, 0.0])
    """
    if not math.prod(codec.latent_shape):
        raise DiaboloError(f"near-duplicates are looked for among codes, and {codec.name} has none")
    if len(images) < 2:
        raise DiaboloError("near-duplicates are looked for among two images or more")
    if images.missing:
        raise DiaboloError(f"near-duplicates are checked in every pixel, and some numbers of {images.name} are missing")
    codes = encode(codec, images)
    index, _ = nearest(codes, codes, min(neighbours + 1, len(codes)))
    rows = np.repeat(np.arange(len(codes)), index.shape[1])
    pairs = np.unique(np.sort(np.stack([rows, index.reshape(-1)], 1), 1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    distance = _distances(images, pairs)
    near = distance <= within
    return Duplicates(_groups(pairs[near], len(images)), pairs[near], distance[near])


def _distances(images: Images, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each pair; see `Duplicates.distance`."""
    usual = math.sqrt(2 * _variance(images))
    step = max(1, PAIRS // math.prod(images.shape))
    found = [np.zeros(0)]
    for few in (pairs[start : start + step] for start in range(0, len(pairs), step)):
        rows, where = np.unique(few, return_inverse=True)
        x = to_float(images.images[rows], np.float64).reshape(len(rows), -1)
        first, second = where.reshape(few.shape).T
        found.append(np.sqrt(np.square(x[first] - x[second]).sum(1)))
    apart = np.concatenate(found)
    return np.divide(apart, usual, out=np.where(apart > 0, np.inf, 0.0), where=usual > 0)


def _variance(images: Images) -> float:
    """Σ Var(xᵢ) over the numbers of an image, in two passes."""
    n, mean = len(images), 0.0
    for piece in chunks(images.images):
        mean = mean + to_float(piece, np.float64).sum(0) / n
    return float(sum(np.square(to_float(piece, np.float64) - mean).sum() for piece in chunks(images.images))) / n


def _groups(pairs: NDArray[np.int64], n: int) -> list[NDArray[np.int64]]:
    from scipy.sparse import coo_array  # slow to import
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    of = connected_components(links, directed=False)[1]
    members, sizes = np.argsort(of, kind="stable"), np.bincount(of)
    groups = np.split(members, np.cumsum(sizes)[:-1])
    return sorted((group for group in groups if len(group) > 1), key=lambda group: (-len(group), group[0]))
