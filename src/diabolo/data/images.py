"""`Images`: a data set at rest. Numbers in their own type, what is known about each example beside them, and a fingerprint."""

import hashlib
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.data.account import Account
from diabolo.data.encoded import Encoded
from diabolo.data.gather import CHUNK_BYTES, gather, release
from diabolo.data.portable_random import permutation
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.plain import count

if TYPE_CHECKING:
    from torch import Tensor

    from diabolo.data.column_types import ColumnType


@dataclass(frozen=True, eq=False)
class Images:
    """N images, or N other arrays of one shape, with what is known about each.

    images           images `(N, C, H, W)`, vectors `(N, D)`, signals `(N, C, L)` or volumes `(N, C, D, H, W)`: uint8, which
                     become floats in [0, 1], black to white, or any other real numbers in their own type and units. It may be
                     a memory map, or an `Encoded`, which decodes what is asked of it: `images[rows]` is an array
    labels           int64 `(N,)`, counted from 0 where `label_names` is given; -1 where an image's label is not known
    attributes       bool `(N, A)`, columns named by `attribute_names`
    factors          float32 `(N, F)`, what the images were made from where that is known, named by `factor_names`
    name, split      where they come from; "train", "validation", "test" or "all"
    origin           the arguments of `load` that give them again, as JSON-able data; None for arrays
    names            what each image is called: its file, relative to the folder or archive; None where there are no files
    account          what the source held and how it was read, of all its parts together; None where nobody wrote it down
    span             the numbers that are black and white in images of another type than uint8; None where none are known
    feature_names    what each number of a vector is called, such as the columns of a table; None where they have no names
    missing          whether NaN stands for a number that is not known; else it is refused
    column_types     what each column of a table with categories became, one entry a column; None where all are numbers

    Raises DiaboloError when the parts do not fit together. Nothing is copied; the arrays are not to be written to.

    They are a data set of torch too: item i is (the image as a float tensor, its label or -1), so that a
    `torch.utils.data.DataLoader`, `Subset` or `random_split` takes them.

    Example:
        >>> mine = diabolo.data.Images(np.zeros((5, 1, 8, 8), np.uint8), labels=np.arange(5))
        >>> len(mine), mine.shape, mine.take([0, 2]).labels
        (5, (1, 8, 8), array([0, 2]))
        >>> x, y = next(iter(torch.utils.data.DataLoader(mine, batch_size=5)))
        >>> x.shape, y.tolist()
        (torch.Size([5, 1, 8, 8]), [0, 1, 2, 3, 4])
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    label_names: tuple[str, ...] | None = None
    attributes: NDArray[np.bool_] | None = None
    attribute_names: tuple[str, ...] | None = None
    factors: NDArray[np.float32] | None = None
    factor_names: tuple[str, ...] | None = None
    name: str = "array"
    split: str = "all"
    origin: dict[str, Any] | None = None
    names: tuple[str, ...] | None = None
    account: Account | None = None
    span: tuple[float, float] | None = None
    feature_names: tuple[str, ...] | None = None
    missing: bool = False
    column_types: "tuple[ColumnType, ...] | None" = None

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_labels()
        self._check_columns("attributes", self.attributes, self.attribute_names, np.dtype(np.bool_))
        self._check_columns("factors", self.factors, self.factor_names, np.dtype(np.float32))
        if self.names is not None and len(self.names) != len(self):
            raise DiaboloError(f"there are {count(len(self), 'image')} but {count(len(self.names), 'file name')}")

    def __len__(self) -> int:
        return int(self.images.shape[0])

    def __getitem__(self, index: SupportsIndex) -> tuple["Tensor", int]:
        """Image `index` as a float32 tensor, and its label, -1 where it is not known.

        Raises:
            IndexError: when there are not so many images.
            DiaboloError: for anything but one whole number; `take` gives several.
        """
        import torch

        try:
            i = operator.index(index)
        except TypeError as error:
            raise DiaboloError(
                f"[…] gives one image by its number, not by {type(index).__name__}; several are had by take([…])"
            ) from error
        if not -len(self) <= i < len(self):
            raise IndexError(f"there is no image {i} among {len(self):,}")
        label = -1 if self.labels is None else int(self.labels[i])
        return torch.from_numpy(np.array(to_float(self.images[i]))), label

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.shape))
        return f"Images({self.name!r}, {self.split!r}, {len(self):,} of {shape} {self.images.dtype})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example: `(C, H, W)` or `(D,)`, say."""
        return tuple(int(side) for side in self.images.shape[1:])

    @property
    def tensor(self) -> "Tensor":
        """The numbers `(N, *shape)` at rest, in their own type: an array in memory is not copied, one on disk, out of order, or
        that cannot be written to is, and encoded images are all decoded."""
        import torch

        return torch.from_numpy(np.require(np.asarray(self.images), requirements=["C", "W"]))

    @property
    def pixels(self) -> NDArray[np.float32]:
        """The numbers `(N, *shape)` as float32, as models give them: bytes in [0, 1], others in their own units; all of them in
        memory."""
        return to_float(np.asarray(self.images))

    @property
    def black_and_white(self) -> tuple[float, float] | None:
        """Which of the `pixels` are black and white; None for numbers that are no pictures."""
        if self.images.dtype == np.uint8:
            return 0.0, 1.0
        return self.span

    @cached_property
    def holes(self) -> NDArray[np.int64]:
        """How many numbers of each example `(N,)` are not known."""
        if not self.missing or self.images.dtype.kind != "f":
            return np.zeros(len(self), np.int64)
        return np.concatenate([np.isnan(piece).reshape(len(piece), -1).sum(1) for piece in chunks(self.images)])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of pixels, labels, attributes, factors and their names; not of `name`, `split` and `names`."""
        digest = hashlib.sha256()
        for part in ("images", "labels", "attributes", "factors"):
            array: NDArray[Any] | None = getattr(self, part)
            digest.update(f"{part} {None if array is None else (array.dtype.str, array.shape)};".encode())
            for chunk in () if array is None else chunks(array):
                digest.update(np.ascontiguousarray(chunk).data)
        digest.update(repr((self.label_names, self.attribute_names, self.factor_names)).encode())
        return digest.hexdigest()

    def take(self, indices: ArrayLike) -> "Images":
        """The images at `indices`, in that order; whole numbers, or a bool mask `(N,)`.

        A run of consecutive indices is a view, so that memory-mapped pixels stay on disk; any other choice is a copy
        (on disk too where it would be large, see `gather`). Of encoded images a small choice is decoded.
        """
        chosen = self._indices(indices)
        start = int(chosen[0])
        run = np.array_equal(chosen, np.arange(start, start + len(chosen)))
        key: Any = slice(start, start + len(chosen)) if run else chosen

        def pick(array: Any) -> Any:
            return None if array is None else array[key]

        return replace(
            self,
            images=self.images[key] if run and isinstance(self.images, np.ndarray) else gather(self.images, chosen),
            labels=pick(self.labels),
            attributes=pick(self.attributes),
            factors=pick(self.factors),
            names=None if self.names is None else tuple(map(self.names.__getitem__, chosen.tolist())),
            origin=None,
        )

    def called(self, *, split: str) -> "Images":
        """The same images as another part: "train", "test" or "all"."""
        return self if split == self.split else replace(self, split=split)

    def spread(self, n: int) -> "Images":
        """At most n images, evenly spread over all, since images of a class often lie together."""
        return self.take(np.linspace(0, len(self) - 1, min(n, len(self))).round().astype(int))

    def subset(self, n: int, seed: int = 42) -> "Images":
        """Exactly n images drawn without replacement, in their old order; DiaboloError if there are fewer."""
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise DiaboloError(f"a subset holds a whole number of images from 1 up, got {n!r}")
        if n > len(self):
            raise DiaboloError(f"{n:,} images were asked of {self.name} ({self.split}), which holds {len(self):,}")
        return self.take(np.sort(permutation(len(self), seed)[:n]))

    def at_most(self, n: int, seed: int = 42) -> "Images":
        """These images; of more than n a `subset` of n."""
        return self if len(self) <= n else self.subset(n, seed)

    def keep_labels(self, n: int, seed: int = 0) -> "Images":
        """The same images, of which exactly n keep their label and all others have -1: few labels, as in semi-supervised
        learning.

        The n are drawn by `seed`, as evenly over the classes as n and the classes allow; those of a smaller n are among
        those of a larger one. DiaboloError when there are fewer labels than n, or more classes.
        """
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise DiaboloError(f"labels are kept of a whole number of images from 1 up, got {n!r}")
        where = f"{self.name} ({self.split})"
        if self.labels is None:
            raise DiaboloError(f"{count(n, 'label')} cannot be kept of {where}, which has none")
        known, classes = np.flatnonzero(self.labels >= 0), np.unique(self.labels[self.labels >= 0])
        if n > len(known):
            raise DiaboloError(
                f"{count(n, 'label')} cannot be kept of {where}, which has {len(known):,} that are known"
            )
        if n < len(classes):
            raise DiaboloError(
                f"{count(n, 'label')} cannot show all {len(classes)} classes of {where}; keep {len(classes)} or more"
            )
        shuffled = known[permutation(len(known), seed)]
        rounds = np.empty(len(known), np.int64)  # which image of its class each is: one of every class is drawn in turn
        for label in classes:
            of_class = self.labels[shuffled] == label
            rounds[of_class] = np.arange(np.count_nonzero(of_class))
        kept = shuffled[np.argsort(rounds, kind="stable")[:n]]
        labels = np.full_like(self.labels, -1)
        labels[kept] = self.labels[kept]
        return replace(self, labels=labels, origin=None)

    def _indices(self, indices: ArrayLike) -> NDArray[np.int64]:
        chosen = np.asarray(indices)
        if chosen.dtype == np.bool_ and chosen.shape == (len(self),):
            chosen = np.flatnonzero(chosen)
        if chosen.size == 0:
            raise DiaboloError(f"no image of {self.name} ({self.split}) is chosen: the choice is empty")
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise DiaboloError(
                f"images are chosen by whole numbers (n,) or a bool mask ({len(self)},), "
                f"got {chosen.dtype} of shape {chosen.shape}"
            )
        low, high = int(chosen.min()), int(chosen.max())
        if low < 0 or high >= len(self):
            raise DiaboloError(f"indices run from 0 to {len(self) - 1}, got {low} to {high}")
        return chosen.astype(np.int64)

    def _check_numbers(self) -> None:
        x = self.images
        if not isinstance(x, np.ndarray | Encoded):
            raise DiaboloError(f"images must be a numpy array, got {type(x).__name__}; as_images() converts")
        if x.dtype.kind not in "iuf" or x.ndim < 2 or not x.dtype.isnative or x.dtype.itemsize > 8:
            raise DiaboloError(
                f"images must be an array (N, …) of whole numbers or floats that torch has, got {x.dtype} of shape {x.shape}; "
                "as_images() converts"
            )
        if x.size == 0:
            raise DiaboloError(f"the data set {self.name!r} is empty: its images have shape {x.shape}")
        if x.dtype.kind == "f" and isinstance(x, np.ndarray):  # encoded ones were looked at when they were kept
            extent(x, f"values of {self.name}", self.missing)
        if self.span is not None and x.dtype == np.uint8:
            raise DiaboloError(
                f"images of uint8 are 0 (black) to 255 (white), and span says {self.span}: as_images(…, range={self.span}) "
                "keeps them in a wider type"
            )
        if self.span is not None and not self.span[0] < self.span[1]:
            raise DiaboloError(f"black must be below white, got span {self.span}")
        if self.feature_names is not None and self.shape != (len(self.feature_names),):
            raise DiaboloError(
                f"{count(len(self.feature_names), 'feature name')} do not fit examples of shape {self.shape}"
            )
        if self.column_types is not None and self.shape != (sum(column.size for column in self.column_types),):
            raise DiaboloError(
                f"{count(len(self.column_types), 'column type')} do not fit examples of shape {self.shape}: their sizes add up "
                f"to {sum(column.size for column in self.column_types)}"
            )

    def _check_labels(self) -> None:
        labels = self.labels
        if labels is None:
            if self.label_names is not None:
                raise DiaboloError("label_names are given but no labels")
            return
        if not isinstance(labels, np.ndarray) or labels.dtype != np.int64 or labels.ndim != 1:
            raise DiaboloError(f"labels must be int64 (N,), got {describe(labels)}")
        if len(labels) != len(self):
            raise DiaboloError(f"there are {count(len(self), 'image')} but {count(len(labels), 'label')}")
        if self.label_names is not None and not -1 <= labels.min() <= labels.max() < len(self.label_names):
            raise DiaboloError(
                f"labels run from {labels.min()} to {labels.max()} but there are {len(self.label_names)} label names"
            )

    def _check_columns(self, what: str, values: Any, names: tuple[str, ...] | None, dtype: np.dtype[Any]) -> None:
        if values is None:
            if names is not None:
                raise DiaboloError(f"names of {what} are given but no {what}")
            return
        if not isinstance(values, np.ndarray) or values.dtype != dtype or values.ndim != 2:
            raise DiaboloError(f"{what} must be {dtype} (N, columns), got {describe(values)}")
        if len(values) != len(self):
            raise DiaboloError(f"there are {count(len(self), 'image')} but {count(len(values), 'row')} of {what}")
        if names is None or len(names) != values.shape[1]:
            raise DiaboloError(f"{what} have {count(values.shape[1], 'column')} but {count(len(names or ()), 'name')}")


def describe(value: Any) -> str:
    """Type and shape, for a message."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return type(value).__name__


def chunks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The array along its first axis in pieces of about `CHUNK_BYTES`; what is read of a memory map is let go of again."""
    rows = max(1, CHUNK_BYTES // max(1, math.prod(array.shape[1:]) * array.dtype.itemsize))
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        release(array)


def extent(array: NDArray[Any], what: str, missing: bool = False) -> tuple[float, float]:
    """The least and the greatest number; DiaboloError when one is infinite, or NaN where NaN does not stand for what is
    `missing`."""
    low, high = np.inf, -np.inf
    least, most = (np.fmin, np.fmax) if missing else (np.minimum, np.maximum)  # the former leave NaN out
    for chunk in chunks(array):
        low, high = least(low, least.reduce(chunk, None)), most(high, most.reduce(chunk, None))  # else NaN stays NaN
    if missing and low > high:
        raise DiaboloError(f"{what} are all missing")
    if np.isnan(low) or np.isinf(low) or np.isinf(high):
        bad = sum(int(np.count_nonzero(~np.isfinite(chunk))) for chunk in chunks(array))
        raise DiaboloError(
            f"{what} hold NaN or infinity in {bad:,} of {array.size:,} places, first at {_first_bad(array)}; remove or replace "
            "it first, or say missing='mask' (--missing mask) where NaN is a number that is not known"
        )
    return float(low), float(high)


def _first_bad(array: NDArray[Any]) -> tuple[int, ...]:
    """The indices of the first number that is NaN or infinite."""
    before = 0
    for chunk in chunks(array):
        if len(found := np.argwhere(~np.isfinite(chunk))):
            row, *rest = map(int, found[0])
            return before + row, *rest
        before += len(chunk)
    return ()
