import math

import pytest

from diabolo.display import words
from diabolo.reports.document import Table, is_numeric


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("as it is", "as it is"),
        (None, "–"),
        (0, "0"),
        (1284003, "1,284,003"),
        (-7, "−7"),
        (True, "yes"),
        (0.0, "0"),
        (0.0123456, "0.01235"),
        (-0.5, "−0.5"),
        (98.765432, "98.77"),
        (9999.4, "9,999"),
        (12345.6, "12,346"),
        (1.5e12, "1.5e12"),
        (0.0005, "0.0005"),
        (1.2345e-5, "1.234e−5"),
        (1e-7, "1e−7"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "not a number"),
    ],
)
def test_a_cell_is_written_in_one_way(cell, written):
    assert words(cell) == written


def test_a_column_is_numeric_when_it_holds_numbers_and_nothing_else():
    table = Table(("a", "b", "c", "d"), [("x", 1, None, "1"), ("y", None, None, 2.0)], "")
    assert [is_numeric(table, i) for i in range(4)] == [False, True, False, False]
