"""What was chosen on the page, as an address that brings it back. The address comes from a browser: all of it is checked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from diabolo.errors import DiaboloError, UnknownNameError

PLANES = ("pca", "t-sne", "umap", "images")
WAYS = ("linear", "spherical", "along-data")
LONGEST = 512  # numbers of a code in an address
STRONGEST = 10.0  # of a direction


@dataclass(frozen=True)
class Place:
    """A code that was chosen: that of a test image, by its number; or the numbers themselves; or that of a picture which was
    brought along, and is in no address.

    Attributes:
        image: the number of a test image.
        code: the numbers.
    """

    image: int | None = None
    code: tuple[float, ...] = ()

    def __str__(self) -> str:
        return str(self.image) if self.image is not None else "z" + ",".join(f"{number:.5g}" for number in self.code)

    @classmethod
    def read(cls, text: str) -> "Place":
        """The other way round.

        Raises:
            DiaboloError: for anything else.
        """
        if text.isascii() and text.isdecimal() and len(text) < 10:
            return cls(image=int(text))
        try:
            numbers = tuple(float(part) for part in text.removeprefix("z").split(",", LONGEST))
        except ValueError:
            numbers = ()
        if not text.startswith("z") or not 0 < len(numbers) <= LONGEST or not all(abs(x) < 1e6 for x in numbers):
            raise DiaboloError("a place in an address is the number of a test image, or z and the numbers of a code")
        return cls(code=numbers)


@dataclass(frozen=True)
class State:
    """What a page shows.

    Attributes:
        plane: "pca", "t-sne", "umap", or "images": through the images `through`.
        through: three test images.
        colour: by what points are coloured: "class", an attribute, "error"; "" for what there is.
        shown: what is decoded; None for the mean of the codes.
        a, b: the two pins.
        way: from a to b: "linear", "spherical" or "along-data".
        t: how far on that way, 0 to 1; −1 while `shown` is somewhere else.
        attribute: whose direction is added, "" for none; `strength` times; `apart` from all others.
        label: of a conditional model: the class asked for; −1 for that of the image.
        swaps: places of a map of codes and the code that each was given instead.

    Example:
        >>> state = diabolo.explorer.state.State(a=diabolo.explorer.state.Place(3), t=0.25)
        >>> state.address
        'a=3&t=0.25'
        >>> diabolo.explorer.state.State.of({"a": "3", "t": "0.25"}) == state
        True
    """

    plane: str = "pca"
    through: tuple[int, ...] = ()
    colour: str = ""
    shown: Place | None = None
    a: Place | None = None
    b: Place | None = None
    way: str = "linear"
    t: float = -1.0
    attribute: str = ""
    strength: float = 0.0
    apart: bool = False
    label: int = -1
    swaps: tuple[tuple[int, int], ...] = ()

    @property
    def address(self) -> str:
        """The query of an address that brings it back; a code too long for one is left out."""
        plain = State()
        told: dict[str, str] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != getattr(plain, field.name) and not (isinstance(value, Place) and len(value.code) > LONGEST):
                told[field.name] = _written(value)
        return urlencode(told, safe=",:")

    @property
    def but_the_map(self) -> "State":
        """What of it the decoded image depends on."""
        return replace(self, plane="pca", through=(), colour="")

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "State":
        """That of an address; what it does not say is as usual, and words of others are not looked at.

        Raises:
            DiaboloError: for values that no page would have written.
        """
        return cls(**{field.name: READ[field.name](query[field.name]) for field in fields(cls) if field.name in query})


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return ",".join(":".join(map(str, part)) if isinstance(part, tuple) else str(part) for part in value)
    return str(value)


def _one_of(what: str, names: tuple[str, ...]) -> Any:
    def read(text: str) -> str:
        if text not in names:
            raise UnknownNameError(what, text[:40], names)
        return text

    return read


def _number(low: float, high: float, kind: type[float | int] = float) -> Any:
    def read(text: str) -> float | int:
        try:
            value = kind(text)
        except ValueError:
            value = kind(0) if low > 0 else math.nan
        if not low <= value <= high:
            raise DiaboloError(f"a number in an address is from {low:g} to {high:g}, not {text[:40]!r}")
        return value

    return read


def _numbers(text: str) -> tuple[int, ...]:
    whole = _number(0, 1e9, int)
    return tuple(whole(part) for part in text.split(",")[:3])


def _swaps(text: str) -> tuple[tuple[int, int], ...]:
    whole = _number(0, 1e9, int)
    pairs = [part.split(":") for part in text.split(",")[:LONGEST]]
    if not all(len(pair) == 2 for pair in pairs):
        raise DiaboloError("swaps in an address are place:code, several with commas between")
    return tuple((whole(one), whole(other)) for one, other in pairs)


def _text(text: str) -> str:
    return text[:200]


READ: dict[str, Any] = {
    "plane": _one_of("plane", PLANES),
    "through": _numbers,
    "colour": _text,
    "shown": Place.read,
    "a": Place.read,
    "b": Place.read,
    "way": _one_of("way", WAYS),
    "t": _number(-1, 1),
    "attribute": _text,
    "strength": _number(-STRONGEST, STRONGEST),
    "apart": lambda text: text == "1",
    "label": _number(-1, 1e6, int),
    "swaps": _swaps,
}
