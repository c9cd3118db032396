"""Squared error, the plainest score."""

from torch import Tensor

from diabolo.errors import UnknownNameError
from diabolo.likelihoods.likelihood import WithOutput
from diabolo.parts import part


@part
class SquaredError(WithOutput):
    """‖x − x_hat‖², a mean over pixels (`per="pixel"`) or a sum (`per="image"`).

    The sum is −2 σ² log N(x; x_hat, σ²) up to a constant: as the reconstruction term of a VAE use `per="image"`, which is a
    Gaussian of σ² = 1/2. With `per="pixel"` a KL term of weight 1 is about (number of pixels) times too strong.

    Example:
        >>> x, raw = torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)  # sigmoid(0) = ½
        >>> diabolo.likelihoods.SquaredError().loss(raw, x)
        tensor([0.2500, 0.2500])
        >>> diabolo.likelihoods.SquaredError(per="image").loss(raw, x)
        tensor([16., 16.])
    """

    def __init__(self, per: str = "pixel", output: str = "sigmoid") -> None:
        super().__init__(output)
        if per not in ("pixel", "image"):
            raise UnknownNameError("unit of the squared error", per, ("pixel", "image"))
        self.per = per
        self.unit = f"squared error per {per}"

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Squared error of each image (N,), per pixel or per image."""
        squared = self.deviation(raw, x).square()
        return squared.mean(1) if self.per == "pixel" else squared.sum(1)
