"""Images with a line under each: strips along a direction, the worst reconstructions, samples and what they resemble."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import numbers, some
from .curves import format_value
from .mosaic import Floats, Sheet, as_images, best_columns, extent, lay, show, zoom
from .style import DPI, drawing, shorten, wrap

_MARGIN, _WIDEST, _HIGHEST, _CELL, _NARROWEST, _GAP = 30, 1250, 1500, 240, 600, 10  # canvas pixels
_CAPTION = 8  # points
_REPEATED = 4  # rows of a strip up to which the captions stand under each of them
_MOST = 256
_NAME = 18  # characters of a file's name that stand under its image


@dataclass(frozen=True)
class Row:
    """Images (K, H, W, C) side by side, the label at their left, and a caption under each."""

    images: Floats
    label: str
    captions: Sequence[str] | None = None


@drawing
def strips(
    rows: Mapping[str, ArrayLike],
    columns: Sequence[str] | None = None,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw a row of images (K, C, H, W) for each label; `columns` are K captions ("α = 2"), which stand under the faces.

    With more than four rows they stand under the last one only.

    Example:
        >>> ways = diabolo.latents.linear(model.encode(test.images[:1]), model.encode(test.images[1:2]), steps=5)[0]
        >>> figure = diabolo.figures.strips({"0 to 1": model.decode(torch.from_numpy(ways).float())})
        >>> diabolo.figures.save(figure, "strips.png").name
        'strips.png'
    """
    some(rows, "strips: rows")
    sets = {label: as_images(images, f"the row {label!r}") for label, images in rows.items()}
    shape = next(iter(sets.values())).shape
    for label, images in sets.items():
        if images.shape != shape:
            raise DiaboloError(f"strips: the row {label!r} has the shape {images.shape}, but the first has {shape}")
    _few(shape[0], 40, "strips", "columns")
    _few(len(sets), 64, "strips", "rows")
    if columns is not None and len(columns) != shape[0]:
        raise DiaboloError(f"strips: {shape[0]} images in a row, but {len(columns)} captions")
    under = [columns if len(sets) <= _REPEATED or i == len(sets) - 1 else None for i in range(len(sets))]
    block = [Row(images, label, told) for (label, images), told in zip(sets.items(), under, strict=True)]
    return _draw([block], title or "Decoded along a direction", on)


@drawing
def worst(
    originals: ArrayLike,
    reconstructions: ArrayLike,
    errors: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    first: str = "original",
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw `originals` (N, C, H, W), the reconstructions below, and the error of each, `errors` (N,), under the pair;
    of its file, where `names` has N, the end of the path. The `first` row is called so.

    Example:
        >>> images, made = test.images[:8] / 255, model.reconstruct(test.images[:8]).numpy()
        >>> figure = diabolo.figures.worst(images, made, ((images - made) ** 2).mean((1, 2, 3)))
        >>> diabolo.figures.save(figure, "worst.png").name
        'worst.png'
    """
    x, x_hat = as_images(originals, "the originals"), as_images(reconstructions, "the reconstructions")
    if x.shape != x_hat.shape:
        raise DiaboloError(f"worst: the originals have the shape {x.shape}, but the reconstructions have {x_hat.shape}")
    told = [format_value(e) for e in numbers(errors, "worst: errors", (len(x),))]
    if names is not None:
        if len(names) != len(x):
            raise DiaboloError(f"worst: {len(x)} images, but {len(names)} names")
        told = [f"{error}\n{_end(name)}" for error, name in zip(told, names, strict=True)]
    _few(len(x), _MOST, "worst", "images")
    blocks = [
        [Row(x[part], first), Row(x_hat[part], "reconstruction and its error", told[part])] for part in _parts(len(x))
    ]
    return _draw(blocks, title or "The worst reconstructions", on)


@drawing
def neighbours(
    samples: ArrayLike,
    nearest: ArrayLike,
    distances: ArrayLike,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw each of `samples` (N, C, H, W) above its `nearest` (N, k, C, H, W) training images, with their `distances` (N, k).

    With one neighbour each, `nearest` may be (N, C, H, W) and `distances` (N,).

    Example:
        >>> where, distance = diabolo.latents.nearest(test.images[:3] / 255, train.images / 255, k=2)
        >>> figure = diabolo.figures.neighbours(test.images[:3], train.images[where], distance)
        >>> diabolo.figures.save(figure, "neighbours.png").name
        'neighbours.png'
    """
    x = as_images(samples, "the samples")
    near, far = np.asarray(nearest), np.asarray(distances)
    near, far = near[:, None] if near.ndim == 4 else near, far[:, None] if far.ndim == 1 else far
    if near.ndim != 5 or len(near) != len(x) or not near.shape[1]:
        raise DiaboloError(f"neighbours: `nearest` must be (N, k, C, H, W) with N = {len(x)} samples, not {near.shape}")
    _few(len(x), _MOST, "neighbours", "samples")
    _few(near.shape[1], 10, "neighbours", "neighbours of each")
    far = numbers(far, "neighbours: distances", near.shape[:2])
    ranks = [as_images(near[:, rank], "the nearest training images") for rank in range(near.shape[1])]
    if ranks[0].shape != x.shape:
        raise DiaboloError(f"neighbours: images of the shape {ranks[0].shape[1:]}, but samples of {x.shape[1:]}")
    names = ["nearest in training, and its distance", *(f"{rank}." for rank in range(2, len(ranks) + 1))]
    blocks = [
        [Row(x[part], "sample")]
        + [
            Row(r[part], name, [format_value(d) for d in far[part, i]])
            for i, (r, name) in enumerate(zip(ranks, names, strict=True))
        ]
        for part in _parts(len(x))
    ]
    return _draw(blocks, title or "Samples and their nearest training images", on)


def _end(name: str) -> str:
    """The last characters of the path of a file, those that tell it from others of its folder."""
    return name if len(name) <= _NAME else f"…{name[1 - _NAME :]}"


def _few(count: int, most: int, name: str, what: str) -> None:
    if count > most:
        raise DiaboloError(f"{name} shows at most {most} {what}, not {count:,}; pass fewer")


def _parts(count: int) -> list[slice]:
    columns = count if count <= 12 else best_columns(count, 10, 14)
    return [slice(start, start + columns) for start in range(0, count, columns)]


def _draw(blocks: Sequence[Sequence[Row]], title: str, on: SubFigure | None) -> Figure:
    first = blocks[0][0].images
    count, h, w, _ = first.shape
    lines = sum(len(block) for block in blocks)
    captions = [text for block in blocks for row in block for text in row.captions or ()]
    size = max((extent(text, _CAPTION)[0] for text in captions), default=0.0) + _GAP
    line = max((extent(text, _CAPTION)[1] for text in captions), default=0.0) + 10
    factor = zoom(max(h, w), max(min(_CELL, _WIDEST / count, _HIGHEST / lines), min(size * max(h, w) / w, _CELL)))
    gap = max(1, round(0.05 * max(h, w)), math.ceil((size - w * factor) / factor))  # image pixels
    pitch, tall, space = (w + gap) * factor, h * factor, max(4.0, round(0.05 * h * factor))
    labels = {row.label: wrap(shorten(row.label, 48), 1.7, 9) for block in blocks for row in block}
    sizes = [extent(text) for text in labels.values()]
    left = round(_MARGIN + max((width for width, _ in sizes), default=0) + 15 + max(0, (size - w * factor) / 2))
    inner = count * pitch - gap * factor
    height_of = max(tall, max(height for _, height in sizes))
    width = max(left + inner + _MARGIN + max(0, (size - w * factor) / 2), _NARROWEST)
    heading = wrap(title, (width - 2 * _MARGIN) / DPI, 12)
    y = _MARGIN + 34.0 * len(heading.splitlines())
    places: list[list[float]] = []
    for block in blocks:
        places.append([])
        for row in block:
            places[-1].append(round(y))
            y += height_of + (line if row.captions else 0) + space
        y += 20
    sheet = Sheet(on, width, y - 20 - space + _MARGIN)
    sheet.text(sheet.width / 2, 22, heading, 12, ha="center", va="top", fontweight="bold")
    for block, tops in zip(blocks, places, strict=True):
        for row, top in zip(block, tops, strict=True):
            page = lay(row.images[None], gap)
            axes = sheet.axes(left, top, page.shape[1] * factor, tall)
            axes.set_axis_off()
            show(axes, page, factor)
            sheet.text(
                left - 15 - max(0, (size - w * factor) / 2),
                top + tall / 2,
                labels[row.label],
                ha="right",
                va="center",
                multialignment="right",
            )
            for i, caption in enumerate(row.captions or ()):
                sheet.text(left + i * pitch + w * factor / 2, top + tall + 6, caption, _CAPTION, ha="center", va="top")
    return sheet.page()
