"""`diabolo compare RUN RUN …`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.main import VERBS
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
) -> None:
    """Several runs side by side, those that differ only in the seed as one model with its spread.

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
        found = compare(runs, measures, seed, lambda text: status.update(Text(visible(text))))
    found.write(out)
    console = Terminal()
    console.print(comparison_table(found))
    say(out)
