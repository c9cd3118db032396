"""`diabolo compare RUN RUN …`."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from diabolo import disk
from diabolo.cli.options import DataFlags, Moved, where
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Seed, checked
from diabolo.terminal import Terminal, say

app = App(name="compare", help=VERBS["compare"])
DATA = Group("Data", sort_key=2)


UNLEARNED = "is not shown to have learned, so it is called neither better nor worse"
TABLES = (".tex", ".csv", ".md")
BEST = 10  # trials of a sweep that are shown
OTHERS = (".html", ".pdf", ".txt", ".tsv", ".xlsx", ".json", ".png")  # files that are asked for by mistake


@app.default
@checked
def command(
    *runs: Annotated[Path, Parameter(required=True)],
    measures: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=())] = (),
    whole: Annotated[bool, Parameter(name="--all", negative=())] = False,
    seed: Seed = 0,
    out: Path = Path("comparison"),
    data: Annotated[str | None, Parameter(group=DATA)] = None,
    images: Annotated[DataFlags | None, Parameter(name="*", group=DATA)] = None,
) -> None:
    """Several runs side by side, those that differ only in the seed as one model with its spread. A run that cannot be
    compared, since its files are damaged, say, is named and costs no other. Or the trials of a sweep, given its folder.

    Args:
        runs: run folders; those not evaluated yet, or trained since, are evaluated first. Models from elsewhere too:
            diffusers:FOLDER, onnx:FOLDER, pythae:FOLDER, pca or pca:16. Or the folder of one sweep.
        measures: what to compare; all that apply when left out.
        whole: every score, instead of those that matter most for models of these kinds.
        seed: of the evaluation.
        out: folder for comparison.html, comparison.json and the figures; or a file for the table alone: .tex (LaTeX with
            booktabs), .md, or .csv (every score with all digits, its interval and n).
        data: the folder or file of the images of the runs, where it was moved; they must be the same. Where all models are from
            elsewhere, the data set to measure them on.
    """
    from rich.text import Text

    from diabolo.cli.tables import comparison_tables, prose
    from diabolo.errors import DiaboloError, listed
    from diabolo.evaluation import compare
    from diabolo.plain import visible
    from diabolo.reports import comparison
    from diabolo.runs.lock import writing
    from diabolo.sweeping import is_sweep

    table = out.suffix.lower() in TABLES and not out.is_dir()
    if out.suffix.lower() in OTHERS and not out.is_dir():
        raise DiaboloError(
            f"a table is written as {listed(TABLES)}, not {out.suffix}; a folder takes all of the comparison"
        )
    if out.exists() and not table and not out.is_dir():  # said before minutes of measuring
        raise DiaboloError(
            f"{out} is a file: the comparison is written into a folder, or as a table in {listed(TABLES)}"
        )
    if table:
        disk.make_folder(out.parent)
    if sweeps := [path for path in runs if is_sweep(path)]:
        if len(runs) > 1:
            raise DiaboloError(f"{sweeps[0]} is a sweep, which is compared by itself: leave the others out")
        return _sweep(sweeps[0], out, table)
    errors = Terminal(error=True)
    with errors.status("comparing") as status:
        found = compare(
            runs, measures, seed, lambda text: status.update(Text(visible(text))), **_images(runs, data, images)
        )
    console = Terminal()
    for line in comparison_tables(found, found.by_measure() if whole else {"": found.heading()}, console.width):
        console.print(line, soft_wrap=True)
    if table:
        with writing(out, "compare"):
            comparison.write_table(found, out, whole)
    else:
        comparison.write(found, out)
    for label, why in found.unlearned.items():
        for line in prose(f"{label} {UNLEARNED}: {found.words(why)}", console.width):
            console.print(line, soft_wrap=True)
    say(out if table else out / comparison.PAGE)
    for path, why in found.left_out.items():
        say(f"left out: {why}" if path in why else f"left out: {path}, {why}")
    if found.left_out:
        sys.exit(1)
    return None


def _sweep(path: Path, out: Path, table: bool) -> None:
    """The trials of the sweep in `path`: the best in the terminal, all in a file or on a page with figures."""
    from diabolo.cli.sweep import closing_lines
    from diabolo.cli.tables import Cell
    from diabolo.cli.tables import table as lines_of
    from diabolo.display import words
    from diabolo.reports import sweep_report
    from diabolo.sweeping import Sweep

    found, console = Sweep.read(path), Terminal()
    columns, rows = found.table(BEST)
    cells = [[Cell(words(value), number=not isinstance(value, str)) for value in row] for row in rows]
    for line in lines_of(columns, cells, console.width):
        console.print(line, soft_wrap=True)
    for told in closing_lines(found)[:-1]:
        say(told)
    say(sweep_report.write_table(found, out) if table else sweep_report.write(found, out)[-1])


def _images(runs: tuple[Path, ...], data: str | None, images: DataFlags | None) -> dict[str, Any]:
    """On which images: those of the runs, wherever they lie now, or a data set where all models are from elsewhere."""
    from diabolo.errors import DiaboloError
    from diabolo.foreign import is_named

    asked = {} if images is None else images.asked()
    if data is not None and all(is_named(run) for run in runs):
        return {"data": (images or DataFlags()).load(data)}
    if others := sorted(set(asked) - {"root", "labels"}):
        raise DiaboloError(
            f"runs are compared on their images as these were loaded: --{others[0].replace('_', '-')} is for models from "
            "elsewhere alone, with --data NAME"
        )
    return {"moved": where(Moved(data, asked.get("root"), asked.get("labels")))}
