"""How far reconstructions are from their images: per image, and as totals that add up over batches and processes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from diabolo import distributed
from diabolo.errors import DiaboloError
from diabolo.hardware import wide
from diabolo.likelihoods.ms_ssim import WINDOW, ms_ssim, scales_of, ssim
from diabolo.memory import at_once

MIDDLE = 0.5  # subtracted from pixels before they are squared and summed, so that less cancels in their variance
CONSTANT = 1e-12  # variance below which images do not vary
SIMILARITIES = ("ssim", "ms_ssim")
TOGETHER = 2**21  # pixels compared at once, which bounds the memory


def per_image(
    x: Tensor, x_hat: Tensor, similarities: Sequence[str] = SIMILARITIES, peak: float | None = 1.0
) -> dict[str, Tensor]:
    """How well each of `x_hat` matches its image in `x`, both (n, …), in [0, 1] for similarities (x_hat may leave it, as PCA's
    do), each (n,) in float64:

    * `mse`, `mae`: mean squared and mean absolute error per pixel;
    * `psnr`: 10 log₁₀(peak² / mse) in dB; infinite where they are equal; left out where there is no `peak`;
    * `ssim`: structural similarity, the mean over channels and over all Gaussian windows of 11 pixels, σ 1.5, that lie within
      the image, for nothing is padded (Wang, Bovik, Sheikh & Simoncelli 2004); for images (n, C, H, W) of at least 11 pixels a
      side;
    * `ms_ssim`: the same over several scales (Wang, Simoncelli & Bovik 2003), where two or more fit in: 1 minus the likelihood
      "ms-ssim", which says how many and with which exponents.

    Args:
        x, x_hat: images and reconstructions.
        similarities: which of the last two are found.
        peak: white less black, 1 in [0, 1]; None for numbers that are no pictures.

    Raises:
        DiaboloError: for shapes that differ, whole numbers, or images or reconstructions that hold NaN or infinity.

    Example:
        >>> x = torch.rand(2, 1, 16, 16)
        >>> found = diabolo.metrics.per_image(x, x, similarities=("ssim",))
        >>> found["mse"], found["ssim"]
        (tensor([0., 0.], dtype=torch.float64), tensor([1., 1.], dtype=torch.float64))
    """
    if not (x.is_floating_point() and x_hat.is_floating_point()):
        raise DiaboloError(f"images are compared as floats in [0, 1], not as {x.dtype} and {x_hat.dtype}")
    if x.shape != x_hat.shape or x.ndim < 2:
        raise DiaboloError(f"images are {tuple(x.shape)}, but their reconstructions {tuple(x_hat.shape)}")
    if bad := int((~torch.isfinite(x.flatten(1))).any(1).sum()):
        raise DiaboloError(f"{bad:,} of {len(x):,} images hold NaN or infinity: leave them out")
    if bad := int((~torch.isfinite(x_hat.flatten(1))).any(1).sum()):
        raise DiaboloError(f"{bad:,} of {len(x):,} reconstructions hold NaN or infinity: the model is broken")
    rows = at_once(TOGETHER, math.prod(x.shape[1:]))
    parts = [_per_image(*few, similarities, peak) for few in zip(x.split(rows), x_hat.split(rows), strict=True)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _per_image(x: Tensor, x_hat: Tensor, similarities: Sequence[str], peak: float | None) -> dict[str, Tensor]:
    x, x_hat = wide(x), wide(x_hat)  # SSIM's variances are differences of nearly equal numbers
    error = (x_hat - x).flatten(1)
    mse = error.square().mean(1)
    found = {"mse": mse, "mae": error.abs().mean(1)}
    if peak is not None:
        found["psnr"] = -10 * (mse if peak == 1 else mse / peak**2).log10()
    if x.ndim == 4 and min(x.shape[2:]) >= WINDOW:
        if "ssim" in similarities:
            found["ssim"] = ssim(x_hat, x)
        if "ms_ssim" in similarities and scales_of(tuple(x.shape[1:]))[0] > 1:
            found["ms_ssim"] = ms_ssim(x_hat, x)
    return found


def spectrum(images: Tensor) -> Tensor:
    """Radially averaged power of `images` (n, C, H, W): (n, R), R = ⌊min(H, W) / 2⌋ + 1, float64.

    Entry r is the mean of |F(f)|² / (H W) over the channels and over all frequencies f whose length, in cycles per shorter
    side, rounds to r; those beyond R − 1, in the corners, are left out. White noise of variance σ² has σ² everywhere.

    Example:
        >>> tuple(diabolo.metrics.spectrum(torch.rand(3, 1, 8, 8)).shape)
        (3, 5)
    """
    if images.ndim != 4:
        raise DiaboloError(f"a spectrum is of images (n, C, H, W), not of {tuple(images.shape)}")
    images = wide(images)
    h, w = images.shape[2:]
    short = min(h, w)
    down, across = (torch.fft.fftfreq(side, dtype=torch.float64, device=images.device) * short for side in (h, w))
    ring = torch.hypot(down[:, None], across[None, :]).round().long().flatten()
    inside = ring <= short // 2
    power = torch.fft.fft2(images).abs().square().mean(1).flatten(1)[:, inside] / (h * w)
    ring = ring[inside]
    sums: Tensor = power.new_zeros(len(images), short // 2 + 1).index_add_(1, ring, power)
    return sums / torch.bincount(ring, minlength=sums.shape[1])


def cross_spectrum(x: Tensor, y: Tensor) -> Tensor:
    """Radially averaged Re F(x) F(y)* of images `x` and `y` (n, C, H, W): (n, R), float64, in the bins of `spectrum`.

    Divided by the spectrum of x it is the share of the waves of x that y has in the right place: 1 for y = x, and near 0 for a
    pattern that has nothing to do with x, however strong.

    Example:
        >>> x, noise = torch.rand(2, 200, 1, 8, 8) - 0.5
        >>> share = diabolo.metrics.cross_spectrum(x, x + noise).mean(0) / diabolo.metrics.spectrum(x).mean(0)
        >>> bool(((share - 1).abs() < 0.3).all())
        True
    """
    x, y = wide(x), wide(y)
    return (spectrum(x + y) - spectrum(x - y)) / 4


def resolution(x: Tensor, x_hat: Tensor, share: float = 0.5) -> int:
    """The highest spatial frequency, in cycles per shorter side, up to which the reconstructions `x_hat` (n, C, H, W) lose less
    than `share` of the power of the images `x` at every frequency from 1; 0 where they lose that much at once, and half the
    side at most. What is finer is mostly not there."""
    power, error = spectrum(x).mean(0)[1:], spectrum(wide(x_hat) - wide(x)).mean(0)[1:]
    lost = ((error >= share * power) & (error > 0)).nonzero()
    return int(lost[0]) if len(lost) else len(power)


@dataclass(frozen=True)
class Totals:
    """Sums over images, which add up: `Totals.of(…) + Totals.of(…)`, and `over_processes` where several share the work.

    Attributes:
        sums: float64, each summed over the images: what `per_image` gives, and what the variances and spectra are made of.

    Example:
        >>> x, half = torch.ones(4, 1, 8, 8), torch.full((4, 1, 8, 8), 0.5)
        >>> total = diabolo.metrics.Totals.of(x, half) + diabolo.metrics.Totals.of(x, x)
        >>> total.images, total.mean("mse").item()
        (8, 0.125)
    """

    sums: Mapping[str, Tensor]

    @classmethod
    def of(cls, x: Tensor, x_hat: Tensor, each: Mapping[str, Tensor] | None = None) -> "Totals":
        """Of the images `x` and their reconstructions (n, …); `each` is what `per_image` made of them, if that is known. NaN in
        `x` is a number that is not: variances are of the others, and there are no spectra."""
        each = per_image(x, x_hat) if each is None else each
        pixels = wide(x).flatten(1) - MIDDLE
        known = ~pixels.isnan()
        whole = bool(known.all())
        pixels = pixels if whole else torch.where(known, pixels, 0.0)
        sums = {name: values[torch.isfinite(values)].sum() for name, values in each.items()}
        sums |= {
            "images": pixels.new_tensor(float(len(x))),
            "exact": (each["mse"] == 0).sum(dtype=torch.float64),
            "known": known.sum(0, dtype=torch.float64),
            "pixels": pixels.sum(0),
            "squares": pixels.square().sum(),
        }
        if x.ndim == 4 and whole:
            sums |= {"spectrum": spectrum(x).sum(0), "error spectrum": spectrum(wide(x_hat) - wide(x)).sum(0)}
        return cls(sums)

    def __add__(self, other: "Totals") -> "Totals":
        return Totals({name: value + other.sums[name] for name, value in self.sums.items() if name in other.sums})

    def over_processes(self) -> "Totals":
        """Of the images of all processes, the same in each; to be called in each."""
        return Totals({name: distributed.total(value) for name, value in self.sums.items()})

    @property
    def images(self) -> int:
        """How many."""
        return round(self.sums["images"].item())

    def mean(self, name: str) -> Tensor:
        """The mean over the images of what `per_image` or `spectrum` call `name`; of `psnr` over those that are not exact."""
        over = self.sums["images"] - (self.sums["exact"] if name == "psnr" else 0)
        return self.sums[name] / over

    @property
    def known(self) -> Tensor:
        """How many images have each pixel (pixels,): all of them, unless some numbers are not known."""
        return self.sums.get("known", self.sums["images"].expand_as(self.sums["pixels"]))

    @property
    def variance(self) -> float:
        """Of all pixel values of the images around their one mean."""
        values = self.known.sum()
        return float(self.sums["squares"] / values - (self.sums["pixels"].sum() / values).square())

    @property
    def variance_per_pixel(self) -> float:
        """Of each pixel around its own mean over the images, averaged over the pixels."""
        known = self.known
        mean, share = self.sums["pixels"] / known.clamp(min=1), known / known.mean()
        return float(
            self.sums["squares"] / self.sums["images"] / (known.sum() / self.sums["images"])
            - (mean.square() * share).mean()
        )

    @property
    def error_over_variance(self) -> float:
        """mse / variance of all pixel values, of the same images in the same scale: what VQ-VAE papers call normalised error
        (van den Oord et al. 2017, arXiv 1711.00937, and its notebooks)."""
        return float(self.mean("mse")) / _not_zero(self.variance)

    @property
    def unexplained(self) -> float:
        """Fraction of variance unexplained, FVU = Σ ‖x − x_hat‖² / Σ ‖x − x̄‖² = 1 − R², x̄ the mean of the same images. Whoever
        answers with x̄ has 1, and PCA fitted to these images the least of all linear codes."""
        return float(self.mean("mse")) / _not_zero(self.variance_per_pixel)


def _not_zero(variance: float) -> float:
    if variance < CONSTANT:
        raise DiaboloError("the images do not vary: no error can be measured against their variance")
    return variance
