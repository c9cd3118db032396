"""What the eye sees of generated images, by their spectrum: how sharp they are, and whether a pattern of the network's own lies
over them.

`resolution` compares a reconstruction with its image. New images have none of their own, so that here whole sets are compared.
"""

import math

import torch
from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.hardware import wide
from diabolo.metrics.reconstruction import spectrum
from diabolo.statistics import Estimate, mean

PERIODS = (2, 4)  # pixels: the patterns of transposed convolutions of stride 2, one and two layers from the image
AROUND = 2  # frequencies to either side, which say how much power there would be without a pattern


def sharpness(images: Tensor, real: Tensor, share: float = 0.5, least: int = 1) -> float:
    """The highest spatial frequency, in cycles per shorter side, up to which `images` (n, C, H, W) have at least `share` of the
    mean power of the `real` ones (m, C, H, W) at every frequency from `least`; `least` − 1 where they lack it at once, half the
    side at most. Images that lack power at the lowest frequencies differ in light and layout, and are not blurred by that.

    Between two frequencies the share is taken to change along a straight line. A whole number of cycles would come out the
    same for most seeds, and an interval over three of them would have no width.

    Example:
        >>> x = torch.rand(8, 1, 16, 16)
        >>> blurred = torch.nn.functional.avg_pool2d(x, 3, 1, 1)
        >>> diabolo.metrics.sharpness(x, x), diabolo.metrics.sharpness(blurred, x) < 8
        (8.0, True)
    """
    made, wanted = (power[:, least:].mean(0) for power in _spectra(images, real))
    kept = made / wanted.clamp(min=1e-12)
    lost = (made < share * wanted).nonzero()
    if not len(lost):
        return float(least - 1 + len(made))
    last = int(lost[0])  # the frequencies before it, `least` … `least` + last − 1, are kept
    if not last:
        return float(least - 1)
    above, below = (float(kept[i]) - share for i in (last - 1, last))
    return least - 1 + last + above / (above - below)


def fine_power(images: Tensor, real: Tensor, least: int) -> Estimate:
    """The mean power of the waves of `least` cycles or more per shorter side of `images` (n, C, H, W), that of the `real` ones
    (m, C, H, W) being 1. Its error is that of both means: with as many real images as others, an interval that took the real
    ones as fixed would hold the ratio of infinitely many images in 83 % of cases only.

    Raises:
        DiaboloError: for images of two sizes, and a single one of either kind.

    Example:
        >>> x = torch.rand(40, 1, 16, 16) - 0.5
        >>> round(diabolo.metrics.fine_power(0.5 * x, x, least=4).value, 2)
        0.25
    """
    made, wanted = (mean(power[:, least:].sum(1).numpy()) for power in _spectra(images, real))
    ratio = made.value / wanted.value
    return Estimate(ratio, math.hypot(made.error, ratio * wanted.error) / wanted.value, min(made.df, wanted.df))


def _spectra(images: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    made, wanted = spectrum(images), spectrum(real)
    if made.shape[1:] != wanted.shape[1:]:
        raise DiaboloError(
            f"the images are {tuple(images.shape[2:])} pixels, but the real ones {tuple(real.shape[2:])}"
        )
    return made, wanted


def grid_pattern(images: Tensor, real: Tensor) -> float:
    """How strong a grid of period 2 or 4 pixels lies over `images` (n, C, H, W): its root mean square in pixel values, 0
    without one. That is what their power at the frequencies of such a grid has above what the frequencies around let expect,
    by the `real` images (m, C, H, W). The checkerboard of transposed convolutions is such a grid (Odena, Dumoulin & Olah
    2016, doi 10.23915/distill.00003).

    Raises:
        DiaboloError: for sides that are no multiples of 4, or below 16 pixels.

    Example:
        >>> x = torch.rand(8, 1, 16, 16)
        >>> board = torch.tensor([1.0, -1.0]).repeat(8)
        >>> diabolo.metrics.grid_pattern(x, x), round(diabolo.metrics.grid_pattern(x + 0.2 * board, x), 1)
        (0.0, 0.2)
    """
    if images.ndim != 4 or real.ndim != 4 or images.shape[2:] != real.shape[2:]:
        raise DiaboloError(
            f"images (n, C, H, W) of one size are compared, not {tuple(images.shape)} and {tuple(real.shape)}"
        )
    sides = tuple(images.shape[2:])
    if min(sides) < 4 * max(PERIODS) or any(side % max(PERIODS) for side in sides):
        raise DiaboloError(
            f"a grid pattern is looked for in sides of 16, 20, 24, … pixels, not in {sides[0]}×{sides[1]}"
        )
    made, wanted = (torch.fft.fft2(wide(some)).abs().square().mean((0, 1)) for some in (images, real))
    grid = torch.zeros(sides, dtype=torch.bool, device=made.device)
    for period in PERIODS:
        grid[:: sides[0] // period, :: sides[1] // period] = True
    beside = (~grid).to(made.dtype)  # the mean of the image, at (0, 0), is on the grid
    steps = range(-AROUND, AROUND + 1)
    shifts = [(i, j) for i in steps for j in steps]
    around, around_real = (
        torch.stack([(beside * power).roll(shift, (0, 1)) for shift in shifts]).sum(0) for power in (made, wanted)
    )
    grid[0, 0] = False
    excess = made[grid] - wanted[grid] * around[grid] / around_real[grid].clamp(min=1e-12)
    return math.sqrt(max(0.0, float(excess.sum()))) / math.prod(sides)
