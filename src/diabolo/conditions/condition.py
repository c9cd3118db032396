"""What every condition is, and none."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.parts import part

Given = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # what the encoder gets beside x, what the decoder gets beside z


class Condition(nn.Module):
    """What the model is given besides x.

    Attributes:
        needs_column: which column of `Images` it needs: "labels", "attributes" or "factors"; None for nothing but x.
        to_encoder, to_decoder: features (per image) that each sees in addition; 0 for none.
    """

    needs_column: str | None = None
    to_encoder = 0
    to_decoder = 0

    def pick(self, x: Tensor, y: Tensor | None) -> Tensor | None:
        """What `forward` is given, from the images `x` and what is known of them, `y`."""
        return y

    def check(self, y: Tensor) -> None:  # most of it fits all
        """Refuse, in one sentence, what is known of the images, `y` (N, …), where this condition cannot use it: before
        training, and when a trained model is given `y`."""

    @abstractmethod
    def forward(self, given: Tensor | None) -> Given:
        """For encoder and decoder each a tuple: of one tensor (N, features), or empty where it is given nothing."""

    def every(self, device: torch.device) -> Tensor | None:
        """All that it can be given, one entry each, where that can be counted (the classes); else None."""
        return None

    def default(self, n: int, device: torch.device) -> Tensor | None:
        """What `n` samples are conditioned on when nobody says: each of `every` in turn.

        Raises:
            DiaboloError: when it must be said.
        """
        every = self.every(device)
        if every is None:
            raise DiaboloError(
                f"samples of this model need to be given {self.needs_column or 'what to go on'}: give `y`"
            )
        return every[torch.arange(n, device=device) % len(every)]

    def blank(self, device: torch.device) -> Tensor | None:
        """One entry of the shape that `check` wants and of no meaning, or None where `pick` needs none; for the summary."""
        every = self.every(device)
        return None if every is None else every[:1]


@part
class Unconditional(Condition):
    """The model is given nothing but x.

    Example:
        >>> from diabolo.conditions import Unconditional
        >>> Unconditional().to_encoder, Unconditional().to_decoder
        (0, 0)
    """

    def forward(self, given: Tensor | None) -> Given:
        """Nothing for either."""
        return (), ()

    def default(self, n: int, device: torch.device) -> Tensor | None:
        """Nothing."""
        return None


def told(given: Tensor | None, what: str) -> Tensor:
    """`given`; refused when it is not there."""
    if given is None:
        raise DiaboloError(f"this model is conditioned on {what}: give them as `y`")
    return given
