"""Names in every script: the installed fonts that have their characters, and the numbers of characters that no font has."""

import functools
import re
from collections.abc import Mapping
from typing import Any

from matplotlib import font_manager
from matplotlib.font_manager import FontEntry

from diabolo.plain import visible

FONT = "DejaVu Sans"  # comes with matplotlib
_UNFIT = re.compile(
    r"last resort|stixnonunicode|stixsize|cm[a-z]+\d+|fallback", re.IGNORECASE
)  # boxes, or other characters


def legible(given: Any) -> Any:
    """`given`, in which text, at any depth of tuples, lists and dictionaries, has only characters that can be drawn.

    Those that act are written out as by `visible`, those that no installed font has as U+732B. What is no text stays itself.
    """
    if isinstance(given, str):
        return _legible(str(given))
    if type(given) in (list, tuple):
        return type(given)(legible(one) for one in given)
    if isinstance(given, Mapping):
        return {legible(key): legible(value) for key, value in given.items()}
    return given


def families(given: Any) -> list[str]:
    """The font of all figures, and those that text in `given` needs beside it, in the order in which they are asked."""
    found = {FONT: None}
    for character in sorted(set(_characters(given))):
        family = _family(character)
        if family is not None:
            found[family] = None
    return list(found)


def _characters(given: Any) -> str:
    """All that are not ASCII."""
    if isinstance(given, str):
        return "" if given.isascii() else "".join(character for character in given if ord(character) > 127)
    if isinstance(given, Mapping):
        return _characters([*given.keys(), *given.values()])
    return "".join(map(_characters, given)) if isinstance(given, list | tuple) else ""


def _legible(text: str) -> str:
    text = visible(text, lines=True)
    if text.isascii():
        return text
    pieces: list[str] = []
    for character in text:
        if character.isascii() or _family(character) is not None:
            pieces.append(character)
        else:  # apart from the number before it
            pieces.append(f"{' ' if pieces and pieces[-1].lstrip().startswith('U+') else ''}U+{ord(character):04X}")
    return "".join(pieces)


def _family(character: str) -> str | None:
    """The first family of fonts that has it."""
    code = ord(character)
    if code in _own():
        return FONT
    return next((entry.name for entry in _others() if code in _charmap(entry) and _draws(entry, code)), None)


@functools.cache
def _own() -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont(FONT)).get_charmap())


def _others() -> list[FontEntry]:
    """The upright fonts of other families, of regular weight where there is one, sans first; one of each family."""
    found: dict[str, FontEntry] = {}
    for entry in sorted(font_manager.fontManager.ttflist, key=_order):
        if entry.name != FONT and not _UNFIT.match(entry.name) and entry.size == "scalable":
            found.setdefault(entry.name, entry)
    return list(found.values())


def _order(entry: FontEntry) -> tuple[Any, ...]:
    weight = entry.weight if isinstance(entry.weight, int) else 400 if entry.weight in ("normal", "regular") else 700
    return (entry.style != "normal", abs(weight - 400), "sans" not in entry.name.lower(), entry.name, entry.fname)


@functools.lru_cache(4096)
def _charmap(entry: FontEntry) -> frozenset[int]:
    """The characters that it says it has; none where it cannot be read."""
    try:
        path = font_manager.FontPath(entry.fname, entry.index)
        return frozenset(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@functools.lru_cache(4096)
def _draws(entry: FontEntry, code: int) -> bool:
    """Whether it has the character as an outline: fonts of coloured pictures do not."""
    try:
        font = font_manager.get_font(font_manager.FontPath(entry.fname, entry.index))
        font.set_size(9, 150)
        font.load_char(code)
    except (OSError, RuntimeError, ValueError):
        return False
    return True
