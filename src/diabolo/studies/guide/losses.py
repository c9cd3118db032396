"""What the study `guide` says of two losses on one network, and of full layers against convolutions at equal error (5.15)."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from diabolo.studies.guide.plain import Answer, Numbers, against

LEAST = 1e-7  # of the probability that a reconstruction gives a pixel: those of float32 lie no nearer to 0 or 1
Point = tuple[float, float]  # parameters, squared error per pixel


def cross_entropy(x_hat: Tensor, x: Tensor) -> float:
    """The binary cross-entropy of reconstructions against images, (N, C, H, W) both in [0, 1]: nats per image."""
    p = x_hat.double().clamp(LEAST, 1 - LEAST)
    each = torch.nn.functional.binary_cross_entropy(p, x.double(), reduction="none")
    return float(each.flatten(1).sum(1).mean())


def compared(n: Numbers) -> str:
    """5.15: squared error against binary cross-entropy, each judged by both."""
    error = against(n, "MSE", "trained by BCE", "trained by MSE").say(
        more="the network trained by BCE has the larger squared error, {a} against {b}",
        less="the network trained by BCE has the smaller squared error, {a} against {b}, although it did not minimise it",
        neither="the squared errors of the networks trained by BCE and by MSE {differ} ({a} and {b})",
    )
    nats = against(n, "BCE", "trained by BCE", "trained by MSE").say(
        more="its cross-entropy is larger, {a} against {b} nats per image",
        less="its cross-entropy is smaller, {a} against {b} nats per image",
        neither="their cross-entropies {differ} ({a} and {b} nats per image)",
    )
    floor = n["BCE, a perfect copy"].value
    return (
        f"After the same number of epochs, {error}; {nats}. Behind a sigmoid the gradient of BCE is the error itself, x̂ − x; "
        f"that of the squared error is multiplied by x̂(1 − x̂), which vanishes where a pixel is confidently wrong. BCE of grey "
        f"pixels is not 0 even for a perfect copy: here that costs {floor:.1f} nats per image, so the two losses cannot be "
        f"compared with each other."
    )


def at_equal_error(full: Sequence[Point], convolutions: Sequence[Point]) -> tuple[float, float, float] | None:
    """The squared error half-way (in its logarithm) within what both families reach, and how many parameters each needs for it,
    by straight lines between its networks on logarithmic axes; None where they reach no error in common."""
    curves = [np.log(np.array(sorted(points, key=lambda point: -point[1]))) for points in (full, convolutions)]
    high, low = min(c[:, 1].max() for c in curves), max(c[:, 1].min() for c in curves)
    if low > high:
        return None
    middle = (low + high) / 2
    needed = [math.exp(np.interp(-middle, -c[:, 1], c[:, 0])) for c in curves]
    return math.exp(middle), needed[0], needed[1]


def fewer(n: Numbers) -> str:
    """5.15: how many parameters each family needs for the same error."""
    if "parameters at equal error, full layers" not in n:
        return (
            "The two families of networks reach no error in common, so parameters at equal error cannot be compared: see the "
            "figure."
        )
    error = n["error compared at"].value
    full, shared = (n[f"parameters at equal error, {name}"].value for name in ("full layers", "convolutions"))
    told = (
        f"{full / shared:.2g} times as many. Shared kernels are the likely reason: a stroke is learned once for all places. "
        f"The convolutional networks are also deeper by a layer."
        if full > 1.1 * shared
        else f"{full / shared:.2g} times as many: here sharing weights saves nothing, since digits are centred and "
        f"full layers can learn each place by itself."
    )
    return (
        f"For an error of {error:.3g} per pixel, convolutions need about {_thousands(shared)} parameters and full layers about "
        f"{_thousands(full)}, {told}"
    )


def _thousands(parameters: float) -> str:
    """To two significant digits."""
    digits = 10 ** (math.floor(math.log10(parameters)) - 1)
    return f"{round(parameters / digits) * digits:,.0f}"


def answer(n: Numbers) -> Answer:
    """5.15, BCE instead of squared error."""
    gain = against(n, "MSE", "trained by MSE", "trained by BCE").say(
        more="squared error from {a} to {b} after the same number of epochs",
        less="no help: squared error from {a} to {b}",
        neither="squared error from {a} to {b}, {different}",
    )
    least = n["BCE, a perfect copy"].value
    cost = f"a loss of {least:.0f} nats instead of 0 for a perfect copy, and no meaning outside [0, 1]"
    return "Binary cross-entropy", "where pixels are nearly black or white and the output is a sigmoid", gain, cost
