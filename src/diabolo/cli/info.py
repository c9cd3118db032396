"""`diabolo info RUN`."""

from pathlib import Path
from typing import Any

from cyclopts import App
from rich.table import Table

from diabolo.cli.verbs import VERBS
from diabolo.ranges import checked
from diabolo.terminal import Terminal, say

app = App(name="info", help=VERBS["info"])

SPLITS = ("train", "validation")


@app.default
@checked
def command(run: Path, /) -> None:
    """What a run folder holds: model, data, options, and how far it came.

    Args:
        run: the run folder.
    """
    from diabolo.errors import DiaboloError
    from diabolo.runs import checkpoint
    from diabolo.runs.folder import RunFolder

    folder = RunFolder(run)
    config, history = folder.config, folder.history
    try:
        checkpoint.verify(run)
        texts, table = _texts(run, config, history), _table(history)
    except DiaboloError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        raise DiaboloError(f"the files in {run} were edited or damaged: {error!r}") from error
    console = Terminal()
    for text in texts:
        say(text)
    if history:
        console.print(table)


def _texts(run: Path, config: Any, history: list[dict[str, Any]]) -> list[str]:
    from diabolo.doctor.prescription import flags
    from diabolo.pictures import run_figures
    from diabolo.runs import checkpoint, loading, lock
    from diabolo.runs.lines import shell_line
    from diabolo.training.options import TrainOptions

    status = checkpoint.status(run)
    told = [f"{run}: {config.name}, {status}"]
    if writer := lock.holder(run):
        told.append(f"it is being written by {writer}")
    elif way_on := checkpoint.way_on(run):
        told.append(way_on)
    elif run_figures.lacks_figures(run):
        told.append(f"its figures are not all there; draw them with: {shell_line('resume', run)}")
    for part in SPLITS:
        if about := config.images(part):
            shape = "×".join(map(str, about.shape))
            told.append(f"{part}: {about.images:,} of {shape}, {about.name} ({about.split})")
    usual = TrainOptions().as_dict()
    given = {name: value for name, value in config.options.items() if value not in (None, False) or usual.get(name)}
    told.append(" ".join(["options:", *flags(given)]))
    told.append("units: " + ", ".join(f"{term} in {unit}" for term, unit in config.units.items()))
    return [*told, *_health(history), "", *str(loading.build_model(run, config).summary()).splitlines(), ""]


def _health(history: list[dict[str, Any]]) -> list[str]:
    """How the codes and reconstructions were after the last epoch, and what was wrong with them."""
    last = history[-1] if history else {}
    values = {name: value for name, value in (last.get("health") or {}).items() if not isinstance(value, list)}
    told = (
        ["health: " + ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in values.items())]
        if values
        else []
    )
    return told + [f"warning: {text}" for text in (last.get("warnings") or {}).values()]


def _table(history: list[dict[str, Any]], most: int = 12) -> Table:
    """The loss by epoch: at most about `most` lines, evenly spaced, and the last."""
    told = [split for split in SPLITS if history and history[-1].get(split)]
    terms = list(history[-1]["train"]) if history else []
    table = Table("epoch", *terms, title=f"loss: {' / '.join(told)}")
    stride = -(-len(history) // most) or 1
    for line in history:
        if line["epoch"] % stride == 0 or line is history[-1]:
            values = [" / ".join(_value(line.get(split), term) for split in told) for term in terms]
            table.add_row(str(line["epoch"]), *values)
    return table


def _value(losses: dict[str, float] | None, term: str) -> str:
    """A loss as it is read; "–" where it was not measured, or not finite."""
    value = (losses or {}).get(term)
    return "–" if value is None else f"{value:.5g}"
