"""Grids of samples side by side, one for each density that they were drawn from."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import some
from .mosaic import as_images, best_columns, lay, show, zoom
from .pixel_page import Sheet, extent
from .style import DPI, drawing, shorten, wrap

_MARGIN, _SIDE, _SPACE, _MOST = 30, 400, 36, 400  # canvas pixels; images in a grid


@drawing
def density_samples(grids: Mapping[str, ArrayLike], *, title: str | None = None, on: SubFigure | None = None) -> Figure:
    """Draw a grid of images (N, C, H, W) for each name, side by side, three in a line: {"N(0, I)": …, "mixture": …}.

    Example:
        >>> figure = diabolo.figures.density_samples({"N(0, I)": model.sample(9, seed=0), "test": test.images[:9]})
        >>> diabolo.figures.save(figure, "density_samples.png").name
        'density_samples.png'
    """
    some(grids, "density_samples: grids")
    sets = {name: as_images(images, f"the grid {name!r}") for name, images in grids.items()}
    h, w = next(iter(sets.values())).shape[1:3]
    gap = max(1, round(0.05 * max(h, w)))
    pages = {}
    for name, images in sets.items():
        if images.shape[1:3] != (h, w):
            raise DiaboloError(
                f"density_samples: the images of {name!r} are {images.shape[1:3]}, those of the first {(h, w)}"
            )
        if len(images) > _MOST:
            raise DiaboloError(
                f"density_samples shows at most {_MOST} images in a grid, not {len(images):,} of {name!r}"
            )
        side = math.ceil(math.sqrt(len(images)))
        columns = len(images) if len(images) <= 3 else best_columns(len(images), side, 2 * side - 1)
        rows = -(-len(images) // columns)
        full = np.pad(images, [(0, rows * columns - len(images)), (0, 0), (0, 0), (0, 0)], constant_values=1)
        pages[name] = lay(full.reshape(rows, columns, *images.shape[1:]), gap)
    room = (1.0 if len(pages) > 2 else 1.55) * _SIDE  # one or two have more room
    factor = zoom(max(max(page.shape[:2]) for page in pages.values()), room)
    wide = max(_SIDE * 0.6, *(page.shape[1] * factor for page in pages.values()))
    tall = max(page.shape[0] * factor for page in pages.values())
    across = len(pages) if len(pages) <= 4 else best_columns(len(pages), 3, 4)
    heads = {name: wrap(shorten(name, 60), wide / DPI, 9) for name in pages}
    head = max(extent(text)[1] for text in heads.values()) + 12
    width = 2 * _MARGIN + across * wide + (across - 1) * _SPACE
    heading = wrap(title or "Samples", (width - 2 * _MARGIN) / DPI, 12)
    top = _MARGIN + 34 * len(heading.splitlines())
    lines = -(-len(pages) // across)
    sheet = Sheet(on, width, top + lines * (head + tall) + (lines - 1) * 24 + _MARGIN)
    sheet.text(sheet.width / 2, 22, heading, 12, ha="center", va="top", fontweight="bold")
    for i, (name, page) in enumerate(pages.items()):
        x = _MARGIN + (i % across) * (wide + _SPACE)
        y = top + (i // across) * (head + tall + 24)
        own = page.shape[1] * factor
        sheet.text(x + wide / 2, y + head - 10, heads[name], ha="center", va="bottom")
        axes = sheet.axes(round(x + (wide - own) / 2), round(y + head), own, page.shape[0] * factor)
        axes.set_axis_off()
        show(axes, page, factor)
    return sheet.page()
