"""Features of images, from one extractor and by one treatment: what every measure of generation compares."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from diabolo.codec import piece
from diabolo.data.encoded import Encoded
from diabolo.data.gather import as_array
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """What an extractor says of N images.

    Attributes:
        values: (N, F), float64.
        logits: (N, K) of the classes that it knows, float64; None for an extractor that knows none.
    """

    values: Floats
    logits: Floats | None = None

    def first(self, n: int) -> "Features":
        """Of the first n images."""
        return Features(self.values[:n], None if self.logits is None else self.logits[:n])

    def at(self, indices: NDArray[np.int64]) -> "Features":
        """Of the images `indices` (n,)."""
        return Features(self.values[indices], None if self.logits is None else self.logits[indices])


class Extractor(Protocol):
    """Anything that turns images into features.

    Attributes:
        name: what it is called in a table.
        setting: what else decides its numbers: which weights, how images are resized.
        piece: images that it is given at once.
    """

    name: str
    setting: Mapping[str, Any]
    piece: int

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Images (n, C, H, W) in [0, 1] → features (n, F), and logits (n, K) or None."""
        ...


def digest(module: nn.Module) -> str:
    """The SHA-256 (hex) of the weights and statistics of a network: of their names, types and shapes, and their bytes.

    Example:
        >>> from diabolo.metrics.generation.features import digest
        >>> digest(model) == digest(diabolo.load(run.path)), len(digest(model))
        (True, 64)
    """
    found = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def extract(extractor: Extractor, images: ArrayLike) -> Features:
    """The features of `images` (N, C, H, W), uint8 or float in [0, 1], in evaluation mode.

    Floats are rounded to the 256 steps that data sets and image files have, or an extractor could tell real images from made
    ones by that alone. Vectors (N, D) stay as they are.

    Raises:
        DiaboloError: for no images, or features that are not finite or not one row for each image.
    """
    x = as_array(images) if isinstance(images, Encoded) else np.asarray(images)
    if not len(x):
        raise DiaboloError("there are no images to take features of")
    n = min(extractor.piece, piece(extractor.piece))
    found = [_checked(extractor, _as_floats(x[i : i + n])) for i in range(0, len(x), n)]
    values, logits = zip(*found, strict=True)
    return Features(np.concatenate(values), None if logits[0] is None else np.concatenate(logits))


def _as_floats(x: NDArray[Any]) -> Tensor:
    """As float32 in [0, 1], in 256 steps."""
    if x.dtype == np.uint8:
        return torch.from_numpy(to_float(x))
    floats = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    return (255 * floats.clamp(0, 1)).round() / 255 if x.ndim == 4 else floats


def _checked(extractor: Extractor, x: Tensor) -> tuple[Floats, Floats | None]:
    with torch.no_grad():
        values, logits = extractor(x)
    if not isinstance(values, Tensor) or values.ndim < 2 or len(values) != len(x):
        shape = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise DiaboloError(
            f"the extractor {extractor.name!r} must give one row of features for each image, not {shape}"
        )
    if not values.isfinite().all():
        raise DiaboloError(f"the extractor {extractor.name!r} gives features that are NaN or infinite")
    return values.flatten(1).cpu().double().numpy(), None if logits is None else logits.cpu().double().numpy()


def check_features(values: ArrayLike, whose: str, least: int = 2) -> Floats:
    """`values` (N, F) in float64.

    Raises:
        DiaboloError: for another shape, fewer than `least`, and NaN or infinity among them.
    """
    x = np.asarray(values, np.float64)
    if x.ndim != 2 or not x.shape[1]:
        raise DiaboloError(f"features of {whose} must be of the shape (N, F), not {x.shape}")
    if len(x) < least:
        raise DiaboloError(f"{least:,} {whose} or more are needed with {x.shape[1]:,} features, not {len(x):,}")
    if not np.isfinite(x).all():
        raise DiaboloError(f"features of {whose} hold NaN or infinity")
    return x


def check_alike(one: Floats, other: Floats) -> None:
    """Refuse features of two kinds."""
    if one.shape[1] != other.shape[1]:
        raise DiaboloError(
            f"features of one extractor are compared, not of {one.shape[1]} and {other.shape[1]} numbers"
        )
