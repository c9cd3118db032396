"""`diabolo data`, `diabolo data inspect PATH` and `diabolo data prepare NAME`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Column, Table

from diabolo.cli.messages import tell_of_data
from diabolo.cli.options import DataOptions
from diabolo.cli.verbs import VERBS
from diabolo.data import names
from diabolo.terminal import Terminal, say

app = App(name="data", help=VERBS["data"])


@app.default
def command() -> None:
    """The data sets by name."""
    table = Table(*(Column(title, no_wrap=True) for title in ("name", "shape", "train", "test")), title="--data NAME")
    table.add_column("what it is, and its licence")
    for name, info in names().items():
        about = f"{info.description} ({info.licence}{'; downloaded' if info.download else ''})"
        table.add_row(name, info.shape, f"{info.train:,}", f"{info.test:,}", about)
    console = Terminal()
    console.print(table)
    console.print(
        "Also: a folder of images (with class sub-folders or without), or a .zip, .npy or .npz file; "
        "'diabolo data inspect' says what is in one."
    )


@app.command
def inspect(
    name: str,
    /,
    *,
    root: Path | None = None,
    value_range: Annotated[tuple[str, ...], Parameter(name="--range", consume_multiple=True, negative=())] = ("auto",),
) -> None:
    """What a data set holds and how it would be read: files taken and left out and why, parts, classes, sizes, channels, depth,
    the range of values used, duplicates. Nothing is kept.

    Args:
        name: a folder or a .zip, .npy or .npz file, or a name that 'diabolo data' lists.
        root: the folder that holds the data sets; else DIABOLO_DATA, else ~/.cache/diabolo.
        value_range: what is black and white: auto (what files say and use), dtype, or two numbers.
    """
    from diabolo.data.inspection import inspect as look

    account = look(name, root, value_range)
    table = Table("what", "value", show_edge=False)
    for what, value in account.rows():
        table.add_row(what, value)
    Terminal().print(table)


@app.command
def prepare(name: str, /, *, options: DataOptions | None = None) -> None:
    """Fetch and decode a data set once, so that trainings start at once.

    Args:
        name: a name that 'diabolo data' lists, a folder or a file.
        options: which images.
    """
    tell_of_data()
    for images in (options or DataOptions()).load(name):
        shape = "×".join(map(str, images.shape))
        say(f"{images.name} ({images.split}): {len(images):,} of {shape}, fingerprint {images.fingerprint[:16]}")
