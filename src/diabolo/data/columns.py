"""What is known of the images besides their pixels, as the model reads it."""

import torch
from torch import Tensor

from diabolo.data.images import Images
from diabolo.errors import DiaboloError


def column(images: Images, name: str | None, device: torch.device | str = "cpu") -> Tensor | None:
    """The column that a model needs (`needs_column`): "labels" (N,) int64; "attributes" or "factors" (N, F) float32; None for
    none.

    Raises:
        DiaboloError: when the images have no such column.
    """
    if name is None:
        return None
    values = getattr(images, name)
    if values is None:
        raise DiaboloError(
            f"this model needs {name}, and {images.name} ({images.split}) has none; use a data set that has them, or a "
            f"model without condition or head"
        )
    known = torch.from_numpy(values)
    return (known if name == "labels" else known.float()).to(device)


def rows(known: Tensor | None, indices: Tensor) -> Tensor | None:
    """The rows `indices` (B,) of what is known."""
    return None if known is None else known.index_select(0, indices.to(known.device))
