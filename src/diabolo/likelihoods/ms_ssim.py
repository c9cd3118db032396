"""Structural similarity over several scales: what an eye compares, rather than pixel by pixel."""

import torch
from torch import Tensor
from torch.nn import functional as F

from diabolo.errors import DiaboloError
from diabolo.likelihoods.likelihood import UNIT, WithOutput
from diabolo.parts import part

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first (Wang et al. 2003)
WINDOW, SIGMA = 11, 1.5  # pixels
C1, C2 = 0.01**2, 0.03**2
SMALLEST = 4  # pixels a side
FLOOR = 1e-6  # keeps the root's derivative finite


def scales_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many scales images of `shape` (C, H, W) are compared at, and the side of the window in pixels."""
    side = min(shape[1:])
    window = min(WINDOW, side - 1 + side % 2)
    scales = 1
    while scales < len(EXPONENTS) and side // 2**scales >= window:
        scales += 1
    return scales, window


@part
class MSSSIM(WithOutput):
    """1 − MS-SSIM(x, x_hat) of each image (Wang, Simoncelli & Bovik 2003, Asilomar): 0 for equal images.

    Per scale, in Gaussian windows of 11 pixels (σ 1.5), means over windows and channels: contrast and structure
    (2 σ_xy + C₂) / (σ_x² + σ_y² + C₂), and at the coarsest scale times luminance (2 μ_x μ_y + C₁) / (μ_x² + μ_y² + C₁);
    the product over the scales, each to its exponent. A scale that correlates negatively counts as 0.

    The published five scales need 176 pixels a side. Smaller images have as many scales, each half as large as the one
    before, as the window fits into: 2 for 28×28, 3 for 64×64; below 11 pixels one, and the window is as large as the image.
    Where scales are left out, the exponents of the others are rescaled to sum to 1.

    Args:
        output: "sigmoid" or "linear".

    Example:
        >>> x = torch.rand(2, 1, 32, 32).clamp(0.01, 0.99)
        >>> diabolo.likelihoods.MSSSIM().loss(torch.logit(x), x).abs().max() < 1e-4  # equal images
        tensor(True)
    """

    unit = "1 − MS-SSIM"

    separable = False

    def __init__(self, output: str = "sigmoid") -> None:
        super().__init__(output)
        self.support = UNIT  # C₁ and C₂ are for numbers in [0, 1], whatever the output

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse vectors, and images of less than 4 pixels a side."""
        if len(shape) != 3 or min(shape[1:]) < SMALLEST:
            raise DiaboloError(
                f"MS-SSIM compares images (C, H, W) of {SMALLEST}×{SMALLEST} pixels or more, not {shape}"
            )

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """1 − MS-SSIM of each image (N,), in float32."""
        with torch.autocast(raw.device.type, enabled=False):  # variances are differences of nearly equal numbers
            return 1 - ms_ssim(self.mean(raw), x.float())


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """SSIM (N,) of images `x` and `y` (N, C, H, W) in [0, 1] of 11 pixels a side or more, in their precision: the mean over
    channels and over the Gaussian windows of 11 pixels, σ 1.5, that lie within the image (Wang, Bovik, Sheikh & Simoncelli
    2004, IEEE Transactions on Image Processing 13)."""
    return _similarities(x, y, WINDOW)[1]


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """MS-SSIM (N,) of images `x` and `y` (N, C, H, W) in [0, 1], in their precision; see `MSSSIM`."""
    scales, window = scales_of(tuple(x.shape[1:]))
    exponents = EXPONENTS[:scales]
    total = sum(exponents) if scales < len(EXPONENTS) else 1.0  # the published five sum to 1.0001
    logs = x.new_zeros(len(x))
    for scale, exponent in enumerate(exponents):
        if scale:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        contrast, whole = _similarities(x, y, window)
        similarity = contrast if scale < scales - 1 else whole
        logs = logs + exponent / total * similarity.clamp(min=FLOOR).log()
    return logs.exp()


def _similarities(x: Tensor, y: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Contrast and structure (N,), and the same times luminance (N,), means over all windows that lie within the image."""
    h, w = x.shape[2:]
    maps = torch.stack([x, y, x * x, y * y, x * y])
    maps = _windows(h, window, maps) @ (maps @ _windows(w, window, maps).T)
    mx, my, xx, yy, xy = maps.flatten(3)
    contrast = (2 * (xy - mx * my) + C2) / (xx - mx * mx + yy - my * my + C2)
    luminance = (2 * mx * my + C1) / (mx * mx + my * my + C1)
    return contrast.mean((1, 2)), (luminance * contrast).mean((1, 2))


def _windows(side: int, window: int, like: Tensor) -> Tensor:
    """The Gaussian weights that each window along a side gives to its pixels: (side − window + 1, side)."""
    places = torch.arange(side, device=like.device)
    within = places - places[: side - window + 1, None]
    weights = (-(within - (window - 1) / 2).to(like.dtype).square() / (2 * SIGMA**2)).exp()
    weights = weights.where((within >= 0) & (within < window), 0)
    return weights / weights.sum(1, keepdim=True)
