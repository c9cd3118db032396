"""A digit drawn with the mouse, as the pictures of a data set of handwriting look."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError

FINE = 8  # times as many pixels, so that lines have soft edges
BOX = (
    20 / 28
)  # of the side: what a digit of MNIST fills, its centre of mass in the middle (LeCun et al. 1998, Proc. IEEE 86)
PEN = 0.09  # of the box
STROKES, POINTS = 200, 5_000
FARTHEST = 1e6  # of a point from the field, which is 1 wide


def drawn_digit(strokes: Sequence[Sequence[tuple[float, float]]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Strokes, points (x, y) with y upwards, as a white digit on black (1, H, W) in [0, 1].

    Raises:
        DiaboloError: for nothing drawn, far too much, and points that are no numbers.

    Example:
        >>> digit = diabolo.explorer.handwriting.drawn_digit([[(0.4, 0.9), (0.6, 0.1)]], (1, 28, 28))
        >>> digit.shape, float(digit.max())
        ((1, 28, 28), 1.0)
    """
    from PIL import Image, ImageDraw

    try:
        much = len(strokes) > STROKES or sum(map(len, strokes)) > POINTS
    except TypeError as error:
        raise DiaboloError("strokes are lists of points") from error
    if not strokes or much:
        raise DiaboloError(
            "draw a digit first" if not strokes else "that is too much for one digit: clear it and draw again"
        )
    try:
        lines = [np.asarray(stroke, np.float64).reshape(-1, 2) * (1, -1) for stroke in strokes]
    except (TypeError, ValueError) as error:
        raise DiaboloError("a stroke is a list of points") from error
    every = np.concatenate(lines)
    if not len(every) or not (np.abs(every) < FARTHEST).all():  # nor NaN
        raise DiaboloError("draw a digit first")
    _, height, width = shape
    low, high = every.min(0), every.max(0)
    box = BOX * min(height, width) * FINE
    scale = box * (1 - PEN) / max(float((high - low).max()), 1e-6)
    canvas = Image.new("L", (width * FINE, height * FINE))
    pen, thick = ImageDraw.Draw(canvas), max(1, round(box * PEN))
    middle = np.array([width * FINE / 2, height * FINE / 2])
    for line in lines:
        at = [tuple(point) for point in middle + (line - (low + high) / 2) * scale]
        if len(at) > 1:
            pen.line(at, fill=255, width=thick, joint="curve")
        for x, y in at:
            pen.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)
    small: NDArray[Any] = to_float(np.asarray(canvas.resize((width, height), Image.Resampling.BOX)))
    rows, columns = np.mgrid[:height, :width]
    mass = max(float(small.sum()), 1e-6)
    down = round((height - 1) / 2 - float((rows * small).sum()) / mass)
    right = round((width - 1) / 2 - float((columns * small).sum()) / mass)
    found: NDArray[Any] = np.roll(small, (down, right), (0, 1))[None]
    return (found / max(float(found.max()), 1e-6)).astype(np.float32)
