"""`diabolo info RUN`."""

from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.table import Table

from diabolo.cli.main import VERBS
from diabolo.training import checkpoint, runs

app = App(name="info", help=VERBS["info"])


@app.default
def command(run: Path, /) -> None:
    """What a run folder holds: model, data, options, and how far it came.

    Args:
        run: the run folder.
    """
    config, history = runs.read_config(run), runs.read_history(run)
    model = runs.build_model(config)
    console = Console()
    console.print(f"{run}: {config['name']}, {checkpoint.status(run)}", markup=False, highlight=False)
    for part, about in config["data"].items():
        if about:
            shape = "×".join(map(str, about["shape"]))
            console.print(
                f"{part}: {about['images']:,} of {shape}, {about['name']} ({about['split']})", highlight=False
            )
    console.print(str(model.summary()), markup=False, highlight=False)
    if history:
        names = list(history[-1]["train"])
        table = Table("epoch", *(f"{split} {name}" for split in ("train", "validation") for name in names))
        for line in _thinned(history):
            values = [(line.get(split) or {}).get(name) for split in ("train", "validation") for name in names]
            table.add_row(str(line["epoch"]), *("" if v is None else f"{v:.5g}" for v in values))
        console.print(table)
    console.print(
        "options: " + ", ".join(f"{k}={v}" for k, v in config["options"].items()), markup=False, highlight=False
    )


def _thinned(history: runs.History, most: int = 12) -> runs.History:
    """At most about `most` lines: evenly spaced, and the last."""
    stride = -(-len(history) // most)
    return [line for i, line in enumerate(history) if (i + 1) % stride == 0 or line is history[-1]]
