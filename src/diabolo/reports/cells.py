"""The one way in which a cell of a table is written."""

import math
from collections.abc import Sequence

from diabolo.reports.document import Cell, Table

GROUPED, TINY = 1000, 1e-4  # from the first on thousands are set apart; below the second powers of ten are used


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


def is_numeric(table: Table, column: int) -> bool:
    """Whether a column holds numbers and nothing else, so that it is set to the right."""
    cells: Sequence[Cell] = [row[column] for row in table.rows if row[column] is not None]
    return bool(cells) and all(isinstance(cell, int | float) for cell in cells)
