"""A condition on any vector per image."""

import torch
from torch import Tensor

from diabolo.conditions.condition import Condition, Given, told
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part
from diabolo.ranges import Count

COLUMNS = ("attributes", "factors")  # of `Images`


@part
class Vector(Condition):
    """Any numbers known of each image: its attributes (0 or 1 each) or its factors, for encoder and decoder.

    Args:
        reads: "attributes" or "factors".
        width: how many numbers, the columns of the data set.

    Example:
        >>> from diabolo.conditions import Vector
        >>> condition = Vector("attributes", width=40)
        >>> condition.to_encoder, condition.to_decoder
        (40, 40)
    """

    def __init__(self, reads: str, width: Count) -> None:
        super().__init__()
        if reads not in COLUMNS:
            raise UnknownNameError("kind of vector", reads, COLUMNS)
        self.needs_column = reads
        self.width = self.to_encoder = self.to_decoder = width

    def check(self, y: Tensor) -> None:
        """Refuse vectors of another length, or that hold NaN or infinity."""
        if y.ndim != 2 or y.shape[1] != self.width:
            raise DiaboloError(f"{self.needs_column} (N, {self.width}) are wanted, not {tuple(y.shape)}")
        if not y.isfinite().all():
            raise DiaboloError(f"the {self.needs_column} hold NaN or infinity")

    def forward(self, given: Tensor | None) -> Given:
        """The vectors (N, width) as they are."""
        vectors = told(given, str(self.needs_column)).float()
        return (vectors,), (vectors,)

    def blank(self, device: torch.device) -> Tensor:
        """Zeros."""
        return torch.zeros(1, self.width, device=device)
