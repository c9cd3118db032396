"""Pages of images: originals over reconstructions, and grids of samples, one or one for each density that they were drawn
from.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import some
from .mosaic import Floats, Sheet, as_images, best_columns, extent, lay, show, zoom
from .style import DPI, drawing, shorten, wrap

_MARGIN, _WIDEST, _CELL, _NARROWEST = 30, 1250, 240, 600  # canvas pixels
_MOST = {"reconstructions": 256, "sample_grid": 2500}


@drawing
def reconstructions(
    originals: ArrayLike,
    reconstructions: ArrayLike | Mapping[str, ArrayLike],
    title: str | None = None,
    *,
    first: str = "original",
    on: SubFigure | None = None,
) -> Figure:
    """Draw `originals` above `reconstructions`, both (N, C, H, W); or above several rows of them, label → images. The `first`
    row is called so.

    Up to twelve columns stand in one line; more are broken into several, each with its row labels. At most 256.

    Example:
        >>> figure = diabolo.figures.reconstructions(test.images[:8], model.reconstruct(test.images[:8]))
        >>> diabolo.figures.save(figure, "reconstructions.png").name
        'reconstructions.png'
    """
    rows = reconstructions if isinstance(reconstructions, Mapping) else {"reconstruction": reconstructions}
    if first in rows:
        raise DiaboloError(f"the row {first!r} is that of the originals; call the other one something else")
    given = {first: originals, **rows}
    sets = {label: as_images(images, f"the row {label!r}") for label, images in given.items()}
    shape = sets[first].shape
    for label, images in sets.items():
        if images.shape != shape:
            told = [(n, c, h, w) for n, h, w, c in (images.shape, shape)]
            raise DiaboloError(f"the row {label!r} has the shape {told[0]}, but the originals have {told[1]}")
    count = _at_most("reconstructions", shape[0])
    columns = count if count <= 12 else best_columns(count, 10, 16)
    blocks = [[images[i : i + columns] for images in sets.values()] for i in range(0, count, columns)]
    return _page(blocks, list(sets), title or "Originals and reconstructions", on)


@drawing
def sample_grid(
    images: ArrayLike, title: str | None = None, columns: int | None = None, *, on: SubFigure | None = None
) -> Figure:
    """Draw at most 2,500 `images` (N, C, H, W) row by row in a grid, about square or of this many `columns`.

    Example:
        >>> figure = diabolo.figures.sample_grid(model.sample(16, seed=0), title="draws of N(0, I)")
        >>> diabolo.figures.save(figure, "sample_grid.png").name
        'sample_grid.png'
    """
    array = as_images(images, "images")
    count = _at_most("sample_grid", len(array))
    if columns is None:
        side = math.ceil(math.sqrt(count))
        columns = count if count <= 5 else best_columns(count, side, 2 * side - 1)
    elif columns < 1:
        raise DiaboloError(f"columns must be at least 1, not {columns}")
    columns = min(columns, count)
    return _page([[array[i : i + columns] for i in range(0, count, columns)]], [], title or "Samples", on)


def _at_most(name: str, count: int) -> int:
    if count > _MOST[name]:
        raise DiaboloError(
            f"{name} shows at most {_MOST[name]:,} images, not {count:,}; pass fewer, such as the first 64"
        )
    return count


def _page(blocks: Sequence[Sequence[Floats]], labels: Sequence[str], title: str, on: SubFigure | None = None) -> Figure:
    """Lay out blocks of image rows, each row labelled, below a title. All sizes are in canvas pixels."""
    _, h, w, _ = blocks[0][0].shape
    gap = max(1, round(0.05 * max(h, w)))
    columns, lines = len(blocks[0][0]), sum(len(block) for block in blocks)
    room = min(_CELL, _WIDEST / columns)
    if not labels:  # a label needs the height of its three lines; without labels, very many rows may be lower
        room = min(room, 4 * _WIDEST / lines)
    factor = zoom(max(h, w), room)
    pages = [_stack(block, gap) for block in blocks]
    heights = [page.shape[0] * factor for page in pages]
    between = max(24.0, 2 * gap * factor)

    texts = [wrap(shorten(label, 48), 1.7, 9) for label in labels]
    left = _MARGIN + max((extent(text)[0] + 15 for text in texts), default=0)
    inner = pages[0].shape[1] * factor
    width = math.ceil(max(left + inner + _MARGIN, _NARROWEST))
    if not labels:
        left = (width - inner) / 2
    heading = wrap(title, (width - 2 * _MARGIN) / DPI, 12)
    y = _MARGIN + 34 * len(heading.splitlines())
    # Whole pixels everywhere: an enlarged image pixel is then a square of the same size all over the page.
    left = round(left)
    sheet = Sheet(on, width, y + sum(map(math.ceil, heights)) + round(between) * (len(pages) - 1) + _MARGIN)
    sheet.text(width / 2, 22, heading, 12, ha="center", va="top", fontweight="bold")
    for page, tall in zip(pages, heights, strict=True):
        axes = sheet.axes(left, y + math.ceil(tall) - tall, inner, tall)
        axes.set_axis_off()
        show(axes, page, factor)
        for row, text in enumerate(texts):
            middle = y + (row * (h + gap) + h / 2) * factor
            sheet.text(left - 15, middle, text, ha="right", va="center", multialignment="right")
        y += math.ceil(tall) + round(between)
    return sheet.page()


def _stack(block: Sequence[Floats], gap: int) -> Floats:
    """Lay the rows of one block; a last row that is shorter ends in white."""
    columns = len(block[0])
    full = [np.pad(row, [(0, columns - len(row)), (0, 0), (0, 0), (0, 0)], constant_values=1) for row in block]
    return lay(np.stack(full), gap)


_SIDE, _SPACE, _MOST_OF_DENSITY = 400, 36, 400  # canvas pixels; images in a grid


@drawing
def density_samples(grids: Mapping[str, ArrayLike], *, title: str | None = None, on: SubFigure | None = None) -> Figure:
    """Draw a grid of images (N, C, H, W) for each name: {"N(0, I)": …, "mixture": …}. Two are side by side, of more than four
    three or four.

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
        if len(images) > _MOST_OF_DENSITY:
            raise DiaboloError(
                f"density_samples shows at most {_MOST_OF_DENSITY} images in a grid, not {len(images):,} of {name!r}"
            )
        side = math.ceil(math.sqrt(len(images)))
        columns = len(images) if len(images) <= 3 else best_columns(len(images), side, 2 * side - 1)
        rows = -(-len(images) // columns)
        full = np.pad(images, [(0, rows * columns - len(images)), (0, 0), (0, 0), (0, 0)], constant_values=1)
        pages[name] = lay(full.reshape(rows, columns, *images.shape[1:]), gap)
    room = (1.0 if len(pages) > 4 else 1.55) * _SIDE  # of two in a line each has more room
    factor = zoom(max(max(page.shape[:2]) for page in pages.values()), room)
    wide = max(_SIDE * 0.6, *(page.shape[1] * factor for page in pages.values()))
    tall = max(page.shape[0] * factor for page in pages.values())
    across = min(len(pages), 2) if len(pages) <= 4 else best_columns(len(pages), 3, 4)
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
