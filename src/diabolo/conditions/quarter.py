"""A condition on a part of the image."""

from torch import Tensor

from diabolo.conditions.condition import Condition, Given, told
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part

EDGE = 1e-3  # so far outside [0, 1] rounding may carry a float
CORNERS = ("lower-left", "lower-right", "upper-left", "upper-right")


@part
class Quarter(Condition):
    """A quarter of the image, for the decoder alone: the model learns to complete images (Sohn et al. 2015, NeurIPS: structured
    output). The encoder is given nothing, since it sees the whole image.

    Where samples are drawn or codes decoded, `y` are images (N, C, H, W), of which the quarter is used.

    Args:
        input_shape: (C, H, W).
        corner: "lower-left", "lower-right", "upper-left" or "upper-right"; H // 2 × W // 2 pixels of each channel.

    Example:
        >>> from diabolo.conditions import Quarter
        >>> condition = Quarter((1, 8, 8), corner="lower-left")
        >>> condition.to_encoder, condition.to_decoder  # 4×4 pixels, for the decoder alone
        (0, 16)
    """

    def __init__(self, input_shape: tuple[int, ...], corner: str = "lower-left") -> None:
        super().__init__()
        if corner not in CORNERS:
            raise UnknownNameError("corner", corner, CORNERS)
        if len(input_shape) != 3 or min(input_shape[1:]) < 2:
            raise DiaboloError(f"a quarter is one of images (C, H, W) of 2×2 pixels or more, not {tuple(input_shape)}")
        self.input_shape = tuple(input_shape)
        channels, height, width = self.input_shape
        half, side = height // 2, width // 2
        self.rows = slice(0, half) if corner.startswith("upper") else slice(height - half, height)
        self.columns = slice(0, side) if corner.endswith("left") else slice(width - side, width)
        self.to_decoder = channels * half * side

    def pick(self, x: Tensor, y: Tensor | None) -> Tensor:
        """The images themselves."""
        return x

    def check(self, y: Tensor) -> None:
        """Refuse what are no images of the shape."""
        if y.shape[1:] != self.input_shape:
            raise DiaboloError(f"images (N, {', '.join(map(str, self.input_shape))}) are wanted, not {tuple(y.shape)}")
        if y.is_floating_point() and y.numel() and not (y >= -EDGE).logical_and(y <= 1 + EDGE).all():  # NaN too
            raise DiaboloError("the images to complete must be uint8, or float in [0, 1]")

    def forward(self, given: Tensor | None) -> Given:
        """Nothing for the encoder; for the decoder the quarter, flat (N, to_decoder), of images (N, C, H, W)."""
        images = told(given, "images to complete")
        images = to_float(images).float()
        return (), (images[:, :, self.rows, self.columns].flatten(1),)
