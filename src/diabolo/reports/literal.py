"""The one way in which a value goes into code that is run: as a literal, which is data whatever it says."""

import math
from typing import Any

from diabolo.errors import DiaboloError


def literal(value: Any) -> str:
    """`value` on one line of Python: text, numbers, truth values, None, and lists, tuples and mappings of these.

    Raises:
        DiaboloError: for anything else.
    """
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(f'{literal(item)}, ' for item in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if value is None or type(value) in (str, bool, int, float):
        return ascii(value)
    raise DiaboloError(f"a {type(value).__name__} cannot be written into a notebook")
