"""Plain words: those of someone else, such as the name of a run or a file, with nothing in them that acts on what shows
them; and numbers as they are read."""

import unicodedata

FORMULAS = tuple("=+-@'＝＋－＠")  # what a spreadsheet takes for the beginning of one, wide forms included
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # which scripts and emoji are written with


def visible(text: str, lines: bool = False) -> str:
    r"""`text` in which characters that act rather than show are written out: `\x1b`, `\u202e`, `\n`.

    These are control characters (escape sequences begin with one), those that turn the direction of writing, invisible ones,
    separators of lines, and halves of surrogate pairs, which stand for bytes of a file name that are no text.

    Args:
        text: any text.
        lines: whether line breaks and tabs stay as they are.
    """
    if text.isprintable() and text.isascii():
        return text
    kept = "\n\t" if lines else ""
    return "".join(c if c in kept or not _acts(c) else repr(c)[1:-1] for c in text)


def cell(text: str) -> str:
    """`text` as a cell of a CSV file, quoted, that no spreadsheet takes for a formula: where it begins with = + - @ or white
    space it has an apostrophe before it, and so has one that begins with an apostrophe. Take that away to have the text back.
    """
    kept = f"'{text}" if text.startswith(FORMULAS) or text[:1].isspace() else text
    return '"' + kept.replace('"', '""') + '"'


def _acts(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in JOINERS


def count(n: int, what: str) -> str:
    """So many of `what`, which is singular: "1 image", "10,000 images"."""
    return f"{n:,} {what if n == 1 else f'{what[:-1]}ies' if what.endswith('y') else f'{what}s'}"


def percent(share: float, places: int = 0) -> str:
    """A share as it is read: "65 %", "−0.4 %"."""
    return f"{100 * share:.{places}f} %".replace("-", "−")


def number(value: float) -> str:
    """Four figures, as they are read: "0.01235", "15,490", "1.234e-05"."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"
