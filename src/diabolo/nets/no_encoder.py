"""The encoder that does not look."""

from torch import Tensor, nn

from diabolo.parts import part


@part
class Blind(nn.Module):
    """x (N, *input_shape) → no features, (N, 0); without weights. For models whose decoder goes by a condition alone.

    Example:
        >>> from diabolo.nets.no_encoder import Blind
        >>> tuple(Blind((1, 8, 8))(torch.zeros(5, 1, 8, 8)).shape)
        (5, 0)
    """

    features = 0

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.input_shape = tuple(input_shape)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """(N, 0), whatever `x` (N, *input_shape) and `c` are."""
        return x.flatten(1)[:, :0]
