"""`diabolo compare RUN RUN …`."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.options import MovedOptions, where
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Seed, checked
from diabolo.terminal import Terminal, say

app = App(name="compare", help=VERBS["compare"])


@app.default
@checked
def command(
    *runs: Annotated[Path, Parameter(required=True)],
    measures: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=())] = (),
    seed: Seed = 0,
    out: Path = Path("comparison"),
    moved: MovedOptions = None,
) -> None:
    """Several runs side by side, those that differ only in the seed as one model with its spread. A run that cannot be
    compared, since its files are damaged, say, is named and costs no other.

    Args:
        runs: run folders; those not evaluated yet, or trained since, are evaluated first.
        measures: what to compare; all that apply when left out.
        seed: of the evaluation.
        out: folder for comparison.json and the page of figures.
    """
    from rich.text import Text

    from diabolo.cli.tables import comparison_table
    from diabolo.errors import DiaboloError
    from diabolo.evaluation import compare
    from diabolo.plain import visible

    if out.exists() and not out.is_dir():  # said before minutes of measuring
        raise DiaboloError(f"{out} is a file: the comparison is written into a folder")
    errors = Terminal(error=True)
    with errors.status("comparing") as status:
        found = compare(runs, measures, seed, lambda text: status.update(Text(visible(text))), moved=where(moved))
    found.write(out)
    console = Terminal()
    console.print(comparison_table(found))
    for label, why in found.unlearned.items():
        say(f"{label} is not shown to have learned, and is called better or worse than no other: {why}")
    say(out)
    for path, why in found.left_out.items():
        say(f"left out: {why}" if path in why else f"left out: {path}, {why}")
    if found.left_out:
        sys.exit(1)
