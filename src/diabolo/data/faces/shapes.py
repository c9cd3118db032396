"""Soft-edged shapes over a batch of canvases.

All arithmetic is +, -, ×, ÷, square root, minimum and maximum on float32, one numpy call each: IEEE 754 fixes their
every bit, so the pixels are the same on every machine. (Sines, powers and sums are left out: their last bits differ.)

Everywhere u and v are pixel coordinates, `(B, rows, columns)`, other arguments numbers or `(B, 1, 1)`; the result is
the coverage of each pixel, 0 to 1.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Number = Array | float


def unit(x: Array) -> Array:
    """Clipped to [0, 1]."""
    return np.minimum(np.maximum(x, np.float32(0)), np.float32(1))


def cover(distance: Array) -> Array:
    """Coverage by a shape whose edge is `distance` pixels away, negative inside: a ramp one pixel wide."""
    return unit(np.float32(0.5) - distance)


def ellipse(u: Array, v: Array, a: Number, b: Number) -> Array:
    """An ellipse around the origin with half axes a and b."""
    return cover(ellipse_distance(u, v, a, b))


def ellipse_distance(u: Array, v: Array, a: Number, b: Number) -> Array:
    """About the distance to an ellipse: its level over the slope of the level, exact on the edge and for circles."""
    p, q = u / a, v / b
    level = np.sqrt(p * p + q * q)
    p, q = p / a, q / b
    slope = np.sqrt(p * p + q * q) + np.float32(1e-6)
    distance: Array = level * (level - np.float32(1)) / slope
    return distance


def box(u: Array, v: Array, a: Number, b: Number, corner: float) -> Array:
    """A rectangle around the origin with half sides a and b, its corners rounded by that radius."""
    p = np.maximum(np.abs(u) - (a - np.float32(corner)), np.float32(0))
    q = np.maximum(np.abs(v) - (b - np.float32(corner)), np.float32(0))
    return cover(np.sqrt(p * p + q * q) - np.float32(corner))


def arc(u: Array, v: Array, half: Number, rise: Number, thick: Number) -> Array:
    """A stroke along the parabola v = -rise (u / half)², for |u| up to `half`, with round ends."""
    along = np.clip(u, -half, half)
    p = along / half
    off = v + rise * p * p
    # the vertical gap overstates the distance where the stroke is steep
    slope = np.float32(2) * rise * p / half
    off = off / np.sqrt(np.float32(1) + slope * slope)
    past = u - along
    return cover(np.sqrt(off * off + past * past) - thick * np.float32(0.5))


def lens(u: Array, v: Array, half: Number, upper: Number, lower: Number) -> Array:
    """Between two parabolas through (±half, 0): from v = -upper at the middle down to v = lower."""
    p = u / half
    bulge = np.float32(1) - p * p
    return cover(np.maximum(-(v + upper * bulge), v - lower * bulge))
