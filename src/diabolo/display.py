"""How things show themselves on a page and in a notebook: words and numbers as they are read, every word escaped.

A notebook has its own colours, light or dark, so that what is shown there sets none.
"""

import math
import re
import sys
from collections.abc import Iterable, Sequence
from html import escape as as_markup

from diabolo.plain import visible

Cell = str | float | int | None
FIRM = "\N{NO-BREAK SPACE}"
_TOGETHER = re.compile(r"N\(0, (?=I\)|1\))|(?<=\d) ± (?=\d)|(?<=\b[αβλσ]) = (?=[\d.−-])|(?<=\d) (?=%)")
TEXT, NUMBER = "text-align:left;padding:0.2em 0.8em", "text-align:right;padding:0.2em 0.8em;white-space:nowrap"
GROUPED, TINY = 1000, 1e-4  # from the first on thousands are set apart; below the second powers of ten are used


def unbroken(text: str) -> str:
    """`text` with firm spaces inside what must not be torn apart at the end of a line: N(0, I), 0.3 ± 0.1, β = 4, 96.8 %."""
    return _TOGETHER.sub(lambda found: found[0].replace(" ", FIRM), text)


def escape(text: str) -> str:
    """Words as they stand in a page, between tags or quotes."""
    return as_markup(unbroken(visible(text, lines=True)))


def words(cell: Cell) -> str:
    """A cell as it is read: floats with four significant digits, whole numbers whole, "–" for what is not there."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}".replace("-", "−")
    return _decimal(float(cell)).replace("-", "−")


def _decimal(value: float) -> str:
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) >= GROUPED:
        return f"{value:,.0f}" if abs(value) < 1e9 else _power(value)
    return _power(value) if 0 < abs(value) < TINY else f"{value:.4g}"


def _power(value: float) -> str:
    """1.234e-5."""
    digits, exponent = f"{value:.3e}".split("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"


def table(title: str, about: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], after: str = "") -> str:
    """A table for a notebook: HTML without scripts and colours.

    Args:
        title: what it is of, set in bold.
        about: more about that, beside it.
        columns: their names; none for a table without a head.
        rows: as many cells each; a row of one cell is a heading across all.
        after: a sentence below.
    """
    rows = list(rows)
    wide = max(map(len, rows), default=1)
    head = "".join(f'<th style="{TEXT}">{escape(name)}</th>' for name in columns)
    body = "\n".join(f"<tr>{''.join(_cells(row, wide))}</tr>" for row in rows)
    told = f"\n<p>{escape(after)}</p>" if after else ""
    return (
        f"<div><p><b>{escape(title)}</b> {escape(about)}</p>\n"
        '<div style="max-height:36em;overflow:auto"><table style="border-collapse:collapse">\n'
        f"{f'<thead><tr>{head}</tr></thead>' if columns else ''}<tbody>\n{body}\n</tbody></table></div>{told}</div>"
    )


def _cells(row: Sequence[Cell], wide: int) -> Iterable[str]:
    if len(row) == 1 < wide:
        return [f'<th colspan="{wide}" style="{TEXT};padding-top:0.8em">{escape(words(row[0]))}</th>']
    return [f'<td style="{TEXT if isinstance(cell, str) else NUMBER}">{escape(words(cell))}</td>' for cell in row]


def in_notebook() -> bool:
    """Whether what is shown goes to a notebook: the kernel of Jupyter, Colab and their like."""
    ipython = sys.modules.get("IPython")  # which a kernel has imported long ago
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None
