"""Rows of a table in a file as `Images`: vectors of numbers in their own units, with the names of the columns."""

from collections.abc import Sequence
from pathlib import Path

from diabolo.data import scale
from diabolo.data.arrays import with_columns
from diabolo.data.options import Draw
from diabolo.data.sources.arrays import Reading, split
from diabolo.data.splits import Parts
from diabolo.data.table import Table, TableOptions, rows_of
from diabolo.ranges import PartOf


def of_table(
    table: Table,
    options: TableOptions,
    draw: Draw,
    path: Path,
    value_range: scale.Range,
    test_fraction: PartOf,
    features: Sequence[str] | None = None,
) -> Parts:
    """A seeded split of the rows of a table from the file `path`; `features` as in `rows_of`."""
    rows = rows_of(table, options, features)
    return split(
        rows.numbers,
        rows.labels,
        rows.label_names,
        draw,
        test_fraction,
        Reading(value_range, None, "auto", options.missing == "mask"),
        path.stem,
        path.name,
        rows.said,
        lambda images: with_columns(images, rows),
        rows.facts,
    )
