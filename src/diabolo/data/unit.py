"""From numbers at rest to floats, bytes to [0, 1]: the one place where that is done."""

from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

F = TypeVar("F", np.float32, np.float64)


@overload
def to_float(x: NDArray[Any], dtype: type[F]) -> NDArray[F]: ...
@overload
def to_float(x: NDArray[Any]) -> NDArray[np.float32]: ...
@overload
def to_float(x: "Tensor") -> "Tensor": ...
def to_float(x: Any, dtype: Any = np.float32) -> Any:
    """Bytes 0 … 255 as floats 0 … 1, and all other numbers in their own units: an array as that `dtype`; a tensor as float32,
    or float64 where it holds that, or whole numbers of 32 bits or more, which float32 would round. What is so already stays as
    it is.

    Example:
        >>> diabolo.data.unit.to_float(np.array([0, 51, 255], np.uint8)).tolist()
        [0.0, 0.20000000298023224, 1.0]
        >>> diabolo.data.unit.to_float(np.array([-3, 4095], np.int16)).tolist()
        [-3.0, 4095.0]
    """
    if isinstance(x, np.ndarray):
        return np.divide(x, 255, dtype=dtype) if x.dtype == np.uint8 else x.astype(dtype, copy=False)
    import torch  # whoever holds a tensor has done so

    from diabolo.hardware import has_float64, wide

    if x.dtype == torch.uint8:
        return x.to(torch.float32).div_(255)
    if x.dtype in (torch.float32, torch.float64):
        return x
    return wide(x) if x.dtype.itemsize > 2 and has_float64(x.device) else x.to(torch.float32)
