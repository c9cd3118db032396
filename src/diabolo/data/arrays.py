"""`as_images`: the one door for numpy arrays and torch tensors of any usual layout."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images, check_unit_range, chunks, describe
from diabolo.errors import DiaboloError

COLOURS = (1, 3)
LAYOUTS = "expected (N, H, W), (N, C, H, W), (N, H, W, C) or vectors (N, D)"


def as_images(x: Any, labels: Any = None, name: str = "array") -> Images:
    """`Images` from an array or a tensor; `Images` pass as they are.

    x       images `(N, H, W)`, `(N, C, H, W)` or `(N, H, W, C)` with C 1 or 3, or vectors `(N, D)`;
            uint8 in 0 … 255, float in [0, 1], or bool. Images become uint8 (floats by round(255 x)), vectors float32
    labels  whole numbers `(N,)`, or None

    A uint8 `(N, C, H, W)` array is not copied, so a memory map stays one. DiaboloError when the layout is ambiguous,
    or a number is NaN, infinite or out of range; the message says the range found and how to scale.
    """
    if isinstance(x, Images):
        if labels is not None:
            raise DiaboloError("these Images carry their own labels; give labels only with an array or a tensor.")
        return x
    array = to_numpy(x, name)
    if array.size == 0:
        raise DiaboloError(f"the data set {name!r} is empty: its shape is {array.shape}.")
    if array.dtype.kind != "f" and array.dtype not in (np.uint8, np.bool_):
        raise DiaboloError(
            f"{name} holds {array.dtype}, but images are uint8 in 0 … 255, float in [0, 1] or bool; "
            "convert with .astype('uint8') if the values are 0 … 255."
        )
    if array.ndim < 2:
        raise DiaboloError(f"{name} has shape {array.shape}; {LAYOUTS}.")
    if array.dtype.kind == "f":
        check_unit_range(array, f"values of {name}")
    pixels = _vectors(array) if array.ndim == 2 else _bytes(_channels_first(array, name))
    return Images(pixels, labels=as_labels(labels), name=name)


def to_numpy(x: Any, name: str) -> NDArray[Any]:
    """A numpy array from an array, a tensor on any device, or nested lists."""
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported torch already
    if torch is not None and isinstance(x, torch.Tensor):
        x = x.detach().cpu()
        x = (x.float() if x.dtype == torch.bfloat16 else x).numpy()  # numpy has no bfloat16
    try:
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
    except ValueError as error:  # lists of unequal length
        raise DiaboloError(f"{name} cannot become one array: {error}.") from error
    if array.dtype == object:
        raise DiaboloError(f"{name} is an array of Python objects; images must be one array of numbers of equal size.")
    return array


def as_labels(labels: Any) -> NDArray[np.int64] | None:
    """Labels as int64 `(N,)`; DiaboloError unless they are whole numbers along one axis."""
    if labels is None:
        return None
    array = to_numpy(labels, "labels")
    if array.ndim != 1 or array.dtype.kind not in "iub":
        raise DiaboloError(f"labels must be whole numbers along one axis, got {describe(array)}.")
    return array.astype(np.int64)


def _channels_first(array: NDArray[Any], name: str) -> NDArray[Any]:
    """`(N, C, H, W)`, guessed only where one guess is possible."""
    if array.ndim == 3:
        return array[:, None]
    if array.ndim != 4:
        raise DiaboloError(f"{name} has shape {array.shape}; {LAYOUTS}.")
    first, last = array.shape[1] in COLOURS, array.shape[3] in COLOURS
    if first and last:
        raise DiaboloError(
            f"{name} has shape {array.shape}, which may mean (N, C, H, W) or (N, H, W, C); "
            "pass diabolo.data.Images(x) with uint8 (N, C, H, W) to say which."
        )
    if not first and not last:
        raise DiaboloError(
            f"{name} has shape {array.shape}: neither axis 1 nor axis 3 is 1 or 3 channels; "
            "pass diabolo.data.Images(x) with uint8 (N, C, H, W) for another number of channels."
        )
    return array if first else array.transpose(0, 3, 1, 2)


def _bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array if array.flags.c_contiguous else np.ascontiguousarray(array)
    out = np.empty(array.shape, np.uint8)
    start = 0
    for chunk in chunks(array):  # in pieces: the float copy of a whole data set may not fit
        out[start : start + len(chunk)] = np.rint(chunk.astype(np.float64) * 255.0)
        start += len(chunk)
    return out


def _vectors(array: NDArray[Any]) -> NDArray[np.float32]:
    if array.dtype == np.uint8:
        return array.astype(np.float32) / np.float32(255)
    return array if array.dtype == np.float32 else array.astype(np.float32)
