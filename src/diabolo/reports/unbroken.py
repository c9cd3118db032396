"""What must not be torn apart at the end of a line: N(0, I), 0.3 ± 0.1, β = 4."""

import re

FIRM = "\N{NO-BREAK SPACE}"
_TOGETHER = re.compile(r"N\(0, (?=I\)|1\))|(?<=\d) ± (?=\d)|(?<=\b[αβλσ]) = (?=[\d.−-])")


def unbroken(text: str) -> str:
    """`text` with firm spaces inside such expressions."""
    return _TOGETHER.sub(lambda found: found[0].replace(" ", FIRM), text)
