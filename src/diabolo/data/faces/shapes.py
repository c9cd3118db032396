"""Soft-edged shapes over a batch of canvases.

All arithmetic is +, -, ×, ÷, square root, minimum and maximum on float32, one numpy call each: IEEE 754 fixes their
every bit, so the pixels are the same on every machine. (Sines, powers and sums are left out: their last bits differ.)

Everywhere u and v are pixel coordinates, `(B, rows, columns)`, other arguments numbers or `(B, 1, 1)`; the result is
the coverage of each pixel, 0 to 1.

Before the shapes stand the colours of a batch, float32 `(B, 3)` in [0, 1].
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SKIN = ((0.98, 0.86, 0.77), (0.93, 0.74, 0.60), (0.78, 0.55, 0.40), (0.56, 0.36, 0.25), (0.36, 0.22, 0.15))
HAIR = ((0.10, 0.09, 0.11), (0.42, 0.25, 0.13), (0.93, 0.77, 0.40), (0.72, 0.73, 0.76))
HAIR_AT = 0.5  # colour i stands at i + 0.5; at whole numbers one turns into the next, within ±BLEND
BLEND = 0.15


def ramp(stops: tuple[tuple[float, float, float], ...], at: Array) -> Array:
    """Colours along evenly spaced stops; `at` `(B,)` runs from 0 to 1."""
    table = np.array(stops, np.float32)
    place = at * np.float32(len(stops) - 1)
    low = np.minimum(place.astype(np.int64), len(stops) - 2)
    part = (place - low.astype(np.float32))[:, None]
    colour: Array = table[low] + part * (table[low + 1] - table[low])
    return colour


def hair(colour: Array) -> Array:
    """Hair of factor `hair_colour` `(B,)`, 0 to 4: four clear colours, with short blends where they meet."""
    place = colour - np.float32(HAIR_AT)
    low = np.clip(np.floor(place), np.float32(0), np.float32(2))
    part = np.clip((place - low - np.float32(0.5)) / np.float32(2 * BLEND) + np.float32(0.5), 0, 1)
    return ramp(HAIR, ((low + part) / np.float32(3)).astype(np.float32))


def hue(at: Array, saturation: float, value: float) -> Array:
    """HSV to RGB; `at` `(B,)` from 0 to 1 goes once around the circle."""
    sixth = at * np.float32(6)
    turns = np.stack([sixth + np.float32(offset) for offset in (0, 4, 2)], axis=1)
    turns = turns - np.float32(6) * np.floor(turns / np.float32(6))
    tone = np.clip(np.abs(turns - np.float32(3)) - np.float32(1), 0, 1).astype(np.float32)
    return np.float32(value) * (np.float32(1) + np.float32(saturation) * (tone - np.float32(1)))


def mix(colour: Array, other: Array | tuple[float, float, float], share: float) -> Array:
    """`share` of the other colour."""
    target = np.asarray(other, np.float32)
    return colour + np.float32(share) * (target - colour)


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
