"""What else is read off the model besides a reconstruction: a class, say."""

from abc import abstractmethod

from torch import Tensor, nn

from diabolo.bottlenecks import Latent
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.schedules import Schedule


class Head(nn.Module):
    """Something else that is learnt beside the reconstruction.

    Attributes:
        reads: which column of `Images` it needs: "labels", "attributes" or "factors"; None for nothing.
        weights: the weight of each of its penalties, as a schedule over training.
        units: what each penalty is measured in.
    """

    reads: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.weights: dict[str, Schedule] = {}
        self.units: dict[str, str] = {}

    def check(self, y: Tensor) -> None:  # most of it fits all
        """Refuse, in one sentence and before training, what is known of the images, `y` (N, …), where it cannot be learnt."""

    @abstractmethod
    def penalties(self, x: Tensor, latent: Latent, y: Tensor | None) -> dict[str, Tensor]:
        """What it adds to the loss, one number per image (N,); `x` is what the encoder sees, `y` what is known of it."""

    @abstractmethod
    def forward(self, x: Tensor, latent: Latent) -> Tensor:
        """Its raw answer for each image (N, …)."""


@part
class Headless(Head):
    """Nothing besides the reconstruction."""

    def penalties(self, x: Tensor, latent: Latent, y: Tensor | None) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def forward(self, x: Tensor, latent: Latent) -> Tensor:
        """
        Raises:
            DiaboloError: always: there is nothing to ask.
        """
        raise DiaboloError("this model has no head: make it with one, as zoo.joint does")
