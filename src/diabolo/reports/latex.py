"""Tables as LaTeX, for the package booktabs."""

import textwrap
from collections.abc import Sequence

from diabolo.plain import visible

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "…": r"\dots{}",
    "–": "--",
    **{c: f"\\{c}" for c in "&%$#_{}"},
}
_HEAD = 16  # letters in a line of a column's head


def escape(text: str) -> str:
    """Text that LaTeX sets as it is, on one line."""
    return "".join(_SPECIAL.get(c, c) for c in visible(" ".join(text.split())))


def table(
    heads: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], bold: Sequence[Sequence[bool]], caption: str
) -> str:
    """A `table` of booktabs: the first column holds words, the others numbers.

    Args:
        heads: name and unit of each column, set below each other.
        rows: the cells, as words.
        bold: which of them are bold.
        caption: what it shows, in a sentence.
    """
    lines = [
        " & ".join(
            rf"\textbf{{{escape(cell)}}}" if heavy else escape(cell) for cell, heavy in zip(row, of, strict=True)
        )
        + r" \\"
        for row, of in zip(rows, bold, strict=True)
    ]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escape(caption)}}}",
            rf"  \begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
            r"    \toprule",
            f"    {' & '.join(_head(i, *head) for i, head in enumerate(heads))} \\\\",
            r"    \midrule",
            *(f"    {line}" for line in lines),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _head(place: int, name: str, unit: str) -> str:
    """A name above its unit, in lines of a few words."""
    lines = [
        *textwrap.wrap(name, _HEAD, break_long_words=False),
        *textwrap.wrap(f"({unit})" if unit else "", _HEAD, break_long_words=False),
    ]
    told = r" \\ ".join(map(escape, lines))
    return rf"\shortstack[{'r' if place else 'l'}]{{{told}}}"
