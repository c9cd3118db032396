"""A map of codes whose legend shows an image of each class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import BboxImage
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerBase
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox, Transform, TransformedBbox
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError

from .latent import Names, add_legend, checked_codes, classes_of, handles_of, scatter
from .layout import canvas, head, settle
from .mosaic import Floats, as_images
from .style import drawing

_SIDE, _SEEN = 5.2, 22  # inches; classes up to which there is room for an image of each
_THUMB = 2.6  # side of a thumbnail, in font sizes


@drawing
def thumbnail_scatter(
    points: ArrayLike,
    labels: ArrayLike | None,
    images: ArrayLike,
    label_names: Names | None = None,
    axis_names: tuple[str, str] = ("", ""),
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw `points` (N, 2) coloured by `labels` (N,), and for each class, in the legend, one of its `images` (N, C, H, W).

    Shown is the image whose point lies nearest to the middle (the median) of its class. With more than 22 classes the
    legend has no images. The label −1 stands for what is not known.

    Example:
        >>> codes = model.encode(test.images)[:, :2]
        >>> figure = diabolo.figures.thumbnail_scatter(codes, test.labels, test.images)
        >>> diabolo.figures.save(figure, "thumbnail_scatter.png").name
        'thumbnail_scatter.png'
    """
    codes = checked_codes(points)
    if codes.shape[1] != 2:
        raise DiaboloError("thumbnail_scatter: points must have the shape (N, 2)")
    pictures = np.asarray(images)
    if len(pictures) != len(codes):
        raise DiaboloError(
            f"thumbnail_scatter: {len(codes):,} points, but {len(pictures):,} images; it needs one for each"
        )
    classes = classes_of(labels, label_names, len(codes))
    shown = as_images(pictures[[_typical(codes, members) for members in classes.values()]], "images")
    sheet = canvas(on, _SIDE, _SIDE)
    axes = sheet.add_subplot()
    scatter(axes, codes, list(classes.values()))
    axes.set_xlabel(axis_names[0])
    axes.set_ylabel(axis_names[1])
    names, handles = list(classes), handles_of(len(classes))
    if labels is None:
        names, handles = ["all"], handles[:1]
    if len(names) > _SEEN:
        add_legend(sheet, names, handles, 1)
    else:
        pairs = [_Pair(handle, image) for handle, image in zip(handles, shown, strict=True)]
        high = min(_THUMB, 30 / len(pairs))
        look = {"handler_map": {_Pair: _WithImage()}, "handleheight": high, "labelspacing": 0.25}
        add_legend(sheet, names, pairs, high * shown.shape[2] / shown.shape[1] + 1.4, **look)
    head(axes, title or "Codes by class", _SIDE - 0.6)
    return settle(sheet)


class _Pair:
    """What stands before a name: a marker and an image (H, W, C)."""

    def __init__(self, marker: Line2D, image: Floats) -> None:
        self.marker, self.image = marker, image


class _WithImage(HandlerBase):
    """Draws a `_Pair` into a legend."""

    def create_artists(
        self,
        legend: Legend,
        orig_handle: Any,
        xdescent: float,
        ydescent: float,
        width: float,
        height: float,
        fontsize: float,
        trans: Transform,
    ) -> Sequence[Artist]:
        image: Floats = orig_handle.image
        marker = Line2D([0.5 * fontsize - xdescent], [height / 2 - ydescent], transform=trans)
        marker.update_from(orig_handle.marker)
        marker.set_transform(trans)
        wide = height * image.shape[1] / image.shape[0]
        box = (1.4 * fontsize - xdescent, -ydescent, wide, height)
        frame = TransformedBbox(Bbox.from_bounds(*box), trans)
        grey = image.shape[2] == 1
        picture = BboxImage(frame, cmap="gray" if grey else None, interpolation="antialiased")
        picture.set_clim(0, 1)
        picture.set_data(image[..., 0] if grey else image)
        border = Rectangle(box[:2], wide, height, transform=trans, facecolor="none", edgecolor="#555555", linewidth=0.5)
        return [marker, picture, border]


def _typical(codes: NDArray[np.float64], members: NDArray[np.intp]) -> int:
    """The index of the point that lies nearest to the median of its class."""
    mine = codes[members]
    return int(members[np.argmin(((mine - np.median(mine, 0)) ** 2).sum(1))])
