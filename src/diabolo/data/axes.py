"""Which axis of an array is what: examples, channels, and those of space."""

from typing import TYPE_CHECKING, Any

from diabolo.errors import DiaboloError

if TYPE_CHECKING:  # options, which read axes, cost no numpy
    from numpy.typing import NDArray

COLOURS = (1, 3)
SPATIAL = ("", "L", "HW", "DHW")  # axes of an example beside its channels
LAYOUTS = "expected (N, H, W), (N, C, H, W), (N, H, W, C) or vectors (N, D)"


def check_axes(axes: Any) -> str:
    """`axes` as they are to be said, in capitals; DiaboloError for what no array has.

    Example:
        >>> diabolo.data.axes.check_axes("nlc")
        'NLC'
    """
    if axes == "auto":
        return "auto"
    said = axes.upper() if isinstance(axes, str) else ""
    inner = "".join(sorted(said.replace("N", "", 1).replace("C", "", 1)))
    known = ["".join(sorted(kind)) for kind in (*SPATIAL[1:], "F")]
    if "N" not in said or inner not in known or {"F", "C"} <= {*said}:
        raise DiaboloError(
            "axes are auto, or a letter for each axis: N examples, C channels, and F features, L, H W or D H W, such as NCL, "
            f"got {axes!r}"
        )
    return said


def laid_out(array: "NDArray[Any]", name: str, channels: int | None = None, axes: str = "auto") -> "NDArray[Any]":
    """`array` as (N, D) or (N, C, …): as its `axes` say, or guessed where one guess alone is possible.

    Raises:
        DiaboloError: when several are, or none.
    """
    if array.dtype.kind not in "fuib":
        raise DiaboloError(f"{name} holds {array.dtype}, but images are whole numbers, floats or bool")
    if array.ndim < 2 or (axes != "auto" and array.ndim != len(axes)):
        wanted = f"; {LAYOUTS}" if axes == "auto" else f", and axes={axes} (--axes {axes}) names {len(axes)} axes"
        raise DiaboloError(f"{name} has shape {array.shape}{wanted}")
    if axes == "auto":
        return array if array.ndim == 2 else _channels_first(array, name, channels)
    order = [
        axes.index(letter) for letter in ("N", *(["C"] if "C" in axes else []), *(a for a in "FLDHW" if a in axes))
    ]
    array = array.transpose(order)
    return array if "C" in axes or "F" in axes else array[:, None]


def _channels_first(array: "NDArray[Any]", name: str, channels: int | None) -> "NDArray[Any]":
    """`(N, C, H, W)`, guessed only where one guess is possible; of so many `channels`, where that is known."""
    if array.ndim == 3 and array.shape[2] in COLOURS[1:] and channels is None:
        raise DiaboloError(
            f"{name} has shape {array.shape}, which may mean one image (H, W, C) or grey images (N, H, {array.shape[2]}); give "
            "x[None] for the one, image_channels=1 (--image-channels 1) for the others"
        )
    if array.ndim == 3 and channels != 1 and channels is not None:
        raise DiaboloError(
            f"{name} has shape {array.shape}, that of grey images (N, H, W), and image_channels is {channels}: leave it out"
        )
    if array.ndim == 3:
        return array[:, None]
    if array.ndim != 4:
        raise DiaboloError(
            f"{name} has shape {array.shape}; {LAYOUTS}, or say what its axes are by axes= (--axes NDHW)"
        )
    colours = COLOURS if channels is None else (channels,)
    first, last = array.shape[1] in colours, array.shape[3] in colours
    if first and last:
        raise DiaboloError(
            f"{name} has shape {array.shape}, which may mean (N, C, H, W) or (N, H, W, C); "
            "say which by axes='NCHW' or 'NHWC' (--axes NCHW)"
        )
    if not first and not last:
        if array.shape[3] == 4 or array.shape[1] == 4:
            opaque = "x[..., :3]" if array.shape[3] == 4 else "x[:, :3]"
            raise DiaboloError(
                f"{name} has shape {array.shape}: 4 channels, of which the last may be alpha; give {opaque}, or "
                f"axes='{'NHWC' if array.shape[3] == 4 else 'NCHW'}' where it is none"
            )
        raise DiaboloError(
            f"{name} has shape {array.shape}: neither axis 1 nor axis 3 is {' or '.join(map(str, colours))} channels; "
            "say which axis they are by axes='NCHW' or 'NHWC' (--axes NCHW), whatever their number"
        )
    return array if first else array.transpose(0, 3, 1, 2)
