"""Many images in one array: checked, laid edge to edge, shown without a false pixel; on a page measured in canvas pixels."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError

from .layout import root
from .style import DPI, new_figure


class Sheet:
    """A page of `width` × `height` canvas pixels: a figure of its own, or fitted into `on`, smaller if it must be."""

    def __init__(self, on: SubFigure | None, width: float, height: float) -> None:
        self.width, self.height = math.ceil(width), math.ceil(height)
        self.canvas: Figure | SubFigure = new_figure(self.width / DPI, self.height / DPI) if on is None else on
        # Layout in inches, so that a page of another resolution keeps its proportions.
        dpi = root(self.canvas).dpi
        self._wide, self._tall = self.canvas.bbox.width / dpi * DPI, self.canvas.bbox.height / dpi * DPI
        self.scale = min(1.0, self._wide / self.width, self._tall / self.height)
        self._left = round((self._wide - self.width * self.scale) / 2)

    def axes(self, x: float, y: float, wide: float, tall: float) -> Axes:
        """Return new axes whose upper left corner is at (x, y)."""
        box = (self._x(x), self._y(y + tall), wide * self.scale / self._wide, tall * self.scale / self._tall)
        return self.canvas.add_axes(box)

    def text(self, x: float, y: float, text: str, size: float = 9, **look: Any) -> Text:
        """Write `text` at (x, y)."""
        return self.canvas.text(self._x(x), self._y(y), text, fontsize=size * self.scale, **look)

    def page(self) -> Figure:
        """Return the figure that this is drawn on."""
        return root(self.canvas)

    def _x(self, x: float) -> float:
        return (self._left + x * self.scale) / self._wide

    def _y(self, y: float) -> float:
        return 1 - y * self.scale / self._tall


def extent(text: str, size: float = 9, **look: Any) -> tuple[float, float]:
    """Return how wide and tall `text` will be, in canvas pixels."""
    figure = new_figure(1, 1)
    box = figure.text(0, 0, text, fontsize=size, **look).get_window_extent()
    return box.width, box.height


Floats = NDArray[np.float32]
UNKNOWN = (0.55, 0.75, 0.95)  # pale blue: no grey level is like it


def as_images(images: ArrayLike, what: str) -> Floats:
    """Return `images` (N, C, H, W), uint8 or float in [0, 1], as float32 (N, H, W, C) in [0, 1].

    Reconstructions may overshoot [0, 1] a little and are clipped; images in another scale are refused.
    """
    array = np.asarray(images)
    if array.ndim == 2:
        raise DiaboloError(
            f"{what} must be images (N, C, H, W), but these are vectors {array.shape}; reshape them first"
        )
    if array.ndim != 4 or array.shape[1] not in (1, 3):
        raise DiaboloError(f"{what} must have the shape (N, C, H, W) with 1 or 3 channels, not {array.shape}")
    if not array.size:
        raise DiaboloError(f"{what} has the shape {array.shape}: there is nothing to draw")
    array = to_float(array) if array.dtype == np.uint8 else array
    if not (np.issubdtype(array.dtype, np.floating) or array.dtype == np.bool_):
        raise DiaboloError(f"{what} must be uint8, or float in [0, 1], not {array.dtype}")
    array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise DiaboloError(f"{what} holds NaN or infinity in {int((~np.isfinite(array)).sum())} of {array.size} values")
    clipped = array.clip(0, 1)
    if np.abs(array - clipped).mean() > 0.5:
        low, high = float(array.min()), float(array.max())
        raise DiaboloError(f"{what} must be float in [0, 1], but runs from {low:.3g} to {high:.3g}; scale it first")
    return clipped.transpose(0, 2, 3, 1)


def tinted(x: NDArray[Any], *others: NDArray[Any]) -> list[NDArray[Any]]:
    """`x` (N, C, …) in [0, 1], of which NaN is not known, with `UNKNOWN` in its place, and the `others` beside it: all in
    colour then, and as they are where everything is known."""
    holes = np.isnan(x).any(1, keepdims=True)
    if not holes.any():
        return [x, *others]
    whole, *rest = (np.repeat(one, 3, 1) if one.shape[1] == 1 else one for one in (x, *others))
    colour = np.array(UNKNOWN, whole.dtype).reshape(1, 3, *[1] * (x.ndim - 2))
    return [np.where(holes, colour, whole), *rest]


def lay(tiles: Floats, gap: int) -> Floats:
    """Lay `tiles` (rows, columns, H, W, C) into one array, `gap` white pixels apart; row 0 is at the top."""
    rows, columns, h, w, c = tiles.shape
    page = np.ones((rows, h + gap, columns, w + gap, c), np.float32)
    page[:, :h, :, :w] = tiles.transpose(0, 2, 1, 3, 4)
    return page.reshape(rows * (h + gap), columns * (w + gap), c)[: rows * (h + gap) - gap, : columns * (w + gap) - gap]


def best_columns(count: int, low: int, high: int) -> int:
    """Return the number of columns in `low`…`high` that leaves the fewest empty places (and is smallest)."""
    return min(range(low, high + 1), key=lambda columns: -count % columns)


def zoom(pixels: int, room: float) -> float:
    """Return the canvas pixels per image pixel that bring `pixels` to about `room`; whole unless it reduces."""
    factor = room / pixels
    return float(round(factor)) if factor >= 1 else factor


def show(axes: Axes, page: Floats, factor: float, extent: tuple[float, float, float, float] | None = None) -> AxesImage:
    """Draw a laid page; enlarged pixels stay sharp squares, reduced ones are averaged. Grey runs from 0 to 1 always."""
    axes.grid(visible=False)
    image = page[..., 0] if page.shape[-1] == 1 else page
    how = "nearest" if factor >= 1 else "antialiased"
    return axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation=how, aspect="auto", extent=extent)
