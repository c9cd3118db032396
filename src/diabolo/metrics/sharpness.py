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

PERIODS = (2, 4)  # pixels: the patterns of transposed convolutions of stride 2, one and two layers from the image
AROUND = 2  # frequencies to either side, which say how much power there would be without a pattern


def sharpness(images: Tensor, real: Tensor, share: float = 0.5) -> int:
    """The highest spatial frequency, in cycles per shorter side, up to which `images` (n, C, H, W) have at least `share` of the
    mean power of the `real` ones (m, C, H, W) at every frequency from 1; 0 where they lack it at once, half the side at most.

    Example:
        >>> x = torch.rand(8, 1, 16, 16)
        >>> blurred = torch.nn.functional.avg_pool2d(x, 3, 1, 1)
        >>> diabolo.metrics.sharpness(x, x), diabolo.metrics.sharpness(blurred, x) < 8
        (8, True)
    """
    made, wanted = (spectrum(some).mean(0)[1:] for some in (images, real))
    if made.shape != wanted.shape:
        raise DiaboloError(
            f"the images are {tuple(images.shape[2:])} pixels, but the real ones {tuple(real.shape[2:])}"
        )
    lost = (made < share * wanted).nonzero()
    return int(lost[0]) if len(lost) else len(made)


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
