"""One seeded split into train and test, for everything that comes without its own."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.data.options import Draw
from diabolo.data.portable_random import permutation
from diabolo.errors import DiaboloError
from diabolo.ranges import PartOf, checked


class Parts(NamedTuple):
    """The parts of a data set; `validation` where it has one of its own."""

    train: Images
    test: Images
    validation: Images | None = None


@checked
def random_split(images: Images, draw: Draw, test_fraction: PartOf = 0.1) -> tuple[Images, Images]:
    """Train and test from one seeded permutation: test from its start, train from its end, each in the old order.

    Without `n_test` the test part is `test_fraction` of all images (at least one), without `n_train` the train part
    is all the rest. So the choice of one part does not move with the size of the other. DiaboloError if both do not
    fit. Where the whole is wanted it is both parts.
    """
    if draw.whole:
        return images, images
    total = len(images)
    if total < 2:
        raise DiaboloError(f"a split into train and test needs at least 2 images, but {images.name} holds {total}")
    n_test = draw.n_test or min(max(1, round(test_fraction * total)), total - 1)
    n_train = draw.n_train or max(1, total - n_test)
    if n_train + n_test > total:
        raise DiaboloError(
            f"{n_train:,} train and {n_test:,} test images were asked of {images.name}, which holds {total:,}"
        )
    order = permutation(total, draw.seed)
    train, test = images.take(np.sort(order[-n_train:])), images.take(np.sort(order[:n_test]))
    return replace(train, split="train"), replace(test, split="test")


def split_by_group(
    images: Images, groups: NDArray[np.int64], draw: Draw, test_fraction: float = 0.1
) -> tuple[Images, Images]:
    """As `random_split`, but what is shuffled are the `groups` (N,), so that no group, all images of one person say, has images
    in both parts. The images of the group at the border that are left over belong to neither."""
    persons, group = np.unique(groups, return_inverse=True)
    if len(persons) < 2:
        raise DiaboloError(
            f"a split that keeps groups apart needs two of them or more, but {images.name} has {len(persons)}"
        )
    rank = np.empty(len(persons), np.int64)
    rank[permutation(len(persons), draw.seed)] = np.arange(len(persons))
    order = np.argsort(rank[group], kind="stable")
    n_test = draw.n_test or max(1, round(test_fraction * len(images)))
    rest = order[rank[group[order]] > rank[group[order[min(n_test, len(order)) - 1]]]]
    n_train = draw.n_train or max(1, len(rest))
    if n_test > len(order) or n_train > len(rest):
        raise DiaboloError(
            f"{n_train:,} train and {n_test:,} test images were asked of {images.name}; with its {len(persons):,} groups kept "
            f"apart, {max(0, len(rest)):,} train images go with those"
        )
    train, test = images.take(np.sort(rest[-n_train:])), images.take(np.sort(order[:n_test]))
    return replace(train, split="train"), replace(test, split="test")


def draw_from(train: Images, test: Images, draw: Draw) -> tuple[Images, Images]:
    """Exact seeded subsets of a given train and test part; one that is of that size already stays as it is."""
    return (
        train if draw.n_train in (None, len(train)) else train.subset(draw.n_train, draw.seed),
        test if draw.n_test in (None, len(test)) else test.subset(draw.n_test, draw.seed),
    )
