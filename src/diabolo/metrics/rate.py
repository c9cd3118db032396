"""How large codes are, in bits."""

import math
from typing import Any

from numpy.typing import NDArray

from diabolo.errors import DiaboloError


def image_bits(images: NDArray[Any]) -> int:
    """Bits of one of `images` (N, …) at rest: 8 for each value of a uint8 image, 32 for each of a float32 vector."""
    return images.itemsize * 8 * math.prod(images.shape[1:])


def index_bits(places: int, codes: int) -> float:
    """Bits of `places` indices that may each be any of `codes`: places · log₂ K."""
    if places < 0 or codes < 1:
        raise DiaboloError(f"there are no indices at {places} places of {codes} codes")
    return places * math.log2(codes)


def compression_ratio(image: float, code: float) -> float:
    """How many times the bits of the `code` go into those of the `image`."""
    if not code > 0:
        raise DiaboloError("a code of no bits has no compression ratio")
    return image / code
