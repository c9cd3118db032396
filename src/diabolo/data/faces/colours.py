"""Colours of a batch, float32 `(B, 3)` in [0, 1]."""

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
