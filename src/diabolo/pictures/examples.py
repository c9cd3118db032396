"""A few examples beside what a model makes of them, each kind of array by a figure of its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo import figures
from diabolo.codec import Codec
from diabolo.data.axes import COLOURS
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.figures.mosaic import tinted

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

MOST = 10  # examples that are no pictures


def examples(
    codec: Codec,
    images: Images,
    x_hat: NDArray[Any],
    title: str | None = None,
    *,
    on: "SubFigure | None" = None,
) -> "Figure":
    """A figure of `images` (N, *shape) and their reconstructions `x_hat`, both in the units of the data: pictures, vectors,
    signals, or slices of volumes. Pixels that are not known are blue. Of images that have neither one nor three
    channels the first is shown.

    Example:
        >>> from diabolo.pictures.examples import examples
        >>> x_hat = model.reconstruct(test.images[:5]).numpy()
        >>> diabolo.figures.save(examples(model, test.take(range(5)), x_hat), "examples.png").name
        'examples.png'
    """
    return KINDS[len(images.shape)](codec, images, x_hat, title, on)


def _as_pictures(codec: Codec, x: NDArray[Any]) -> NDArray[Any]:
    shown: NDArray[Any] = codec.scaling.as_picture(torch.from_numpy(to_float(np.ascontiguousarray(x)))).numpy()
    return shown if x.shape[1] in COLOURS else shown[:, :1]


def _pictures(codec: Codec, images: Images, x_hat: NDArray[Any], title: str | None, on: Any) -> "Figure":
    x = _as_pictures(codec, images.images)
    first = "original, blue: missing" if np.isnan(x).any() else "original"
    x, reconstructed = tinted(x, _as_pictures(codec, x_hat))
    return figures.reconstructions(x, reconstructed, title, first=first, on=on)


def _vectors(codec: Codec, images: Images, x_hat: NDArray[Any], title: str | None, on: Any) -> "Figure":
    both = (torch.from_numpy(to_float(x[:MOST])) for x in (images.images, x_hat))
    x, reconstructed = (codec.scaling(one).cpu().numpy() for one in both)
    unit = UNITS[codec.scaling.kind]
    unit = unit if getattr(codec.scaling, "features", None) is None else f"{unit}, of real numbers; others as they are"
    return figures.vectors(x, reconstructed, images.feature_names, unit=unit, title=title, on=on)


def _signals(codec: Codec, images: Images, x_hat: NDArray[Any], title: str | None, on: Any) -> "Figure":
    return figures.signals(to_float(images.images[:MOST]), x_hat[:MOST], title=title, on=on)


def _volumes(codec: Codec, images: Images, x_hat: NDArray[Any], title: str | None, on: Any) -> "Figure":
    x, reconstructed = (_as_pictures(codec, x[:MOST]) for x in (images.images, x_hat))
    return figures.slices(x, reconstructed, title=title, on=on)


KINDS: dict[int, Callable[..., "Figure"]] = {  # by the number of axes of an example
    1: _vectors,
    2: _signals,
    3: _pictures,
    4: _volumes,
}
UNITS = {
    "none": "value",
    "real": "value",
    "unit": "value, the range of the training data being 0 to 1",
    "standard": "standard deviations from the mean",
    "robust": "robust deviations from the median",
}
