"""What is taken to be the image, input and target alike, drawn anew each time it is seen. (A corruption is what the encoder
alone sees; its target stays as it is.) Each maps x (N, …) in [0, 1] to images of the same shape."""

from abc import abstractmethod
from collections.abc import Callable

from torch import Tensor, nn

from diabolo.errors import UnknownNameError
from diabolo.parts import part
from diabolo.randomness import Draws


class Observation(nn.Module):
    """What is taken to be the image.

    Attributes:
        needs_unit_range: whether it reads numbers as greys, in [0, 1].

    Example:
        >>> isinstance(diabolo.observations.Binarised(), diabolo.observations.Observation)
        True
    """

    needs_unit_range = False

    @abstractmethod
    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The images (N, …) drawn from `x` (N, …)."""


@part
class AsIs(Observation):
    """The image itself.

    Example:
        >>> from diabolo.randomness import Draws
        >>> x = torch.rand(1, 1, 4, 4)
        >>> torch.equal(diabolo.observations.AsIs()(x, Draws()), x)
        True
    """

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """`x` itself."""
        return x


@part
class Binarised(Observation):
    """Each value becomes 1 with the probability that its grey says, else 0: dynamic binarisation (Salakhutdinov & Murray
    2008, ICML; Burda et al. 2016, arXiv 1509.00519). Of such pixels a Bernoulli is a likelihood, in nats per image.

    Example:
        >>> from diabolo.randomness import Draws
        >>> x = diabolo.observations.Binarised()(torch.full((1, 1, 100, 100), 0.25), Draws())
        >>> x.unique().tolist(), round(float(x.mean()), 2)
        ([0.0, 1.0], 0.24)
    """

    needs_unit_range = True

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The 0/1 image drawn from `x`."""
        return (draws.uniform(x) < x).to(x.dtype)


@part
class Dequantised(Observation):
    """x' = (255 x + u) / 256 with u uniform in [0, 1): each of the 256 levels of an 8-bit pixel becomes a bin of its own.

    A density of x' bounds the probability of the pixels, −log P(x) ≤ E −log p(x') + D log 256 (Uria et al. 2013, arXiv
    1306.0186; Theis et al. 2016, arXiv 1511.01844). A density of pixels that stay on their levels can grow without bound.

    Example:
        >>> from diabolo.observations import Dequantised
        >>> from diabolo.randomness import Draws
        >>> x = Dequantised()(torch.ones(1, 1, 100, 100), Draws())
        >>> bool(x.min() >= 255 / 256), bool(x.max() < 1)
        (True, True)
    """

    needs_unit_range = True

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The image in [0, 1) drawn from `x`, multiples of 1/255."""
        drawn: Tensor = ((255 * x).round() + draws.uniform(x)) / 256
        return drawn


OBSERVATIONS: dict[str, Callable[[], Observation]] = {
    "as-is": AsIs,
    "binarised": Binarised,
    "dequantised": Dequantised,
}


def as_observation(value: str | Observation) -> Observation:
    """An observation by name, or as it is.

    Raises:
        UnknownNameError: for another name.

    Example:
        >>> type(diabolo.observations.as_observation("binarised")).__name__
        'Binarised'
    """
    if not isinstance(value, str):
        return value
    if value not in OBSERVATIONS:
        raise UnknownNameError("observation", value, OBSERVATIONS)
    return OBSERVATIONS[value]()
