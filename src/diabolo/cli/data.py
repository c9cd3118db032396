"""`diabolo data`, `diabolo data inspect PATH` and `diabolo data prepare NAME`."""

import inspect
from typing import Any

from cyclopts import App
from rich.table import Column, Table

from diabolo.cli.help import keywords, taking
from diabolo.cli.messages import tell_of_data
from diabolo.cli.options import DataFlags, flag
from diabolo.cli.verbs import VERBS
from diabolo.data import names
from diabolo.data.catalogue import registered
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
    for name, homes in registered().items():
        table.add_row(name, "", "", "", f"{' or '.join(homes)}, which an installed package has registered")
    console = Terminal()
    console.print(table)
    console.print(
        "Also: a folder of images (with class sub-folders or without), a .zip or .tar of images, arrays in a .npy, .npz, .h5 "
        "or .hdf5 file, a table as .csv, .tsv or .parquet ('diabolo data inspect' says what is in one), or a function of your "
        "own as package.module:function."
    )


def _inspect() -> Any:
    """The verb `inspect`, whose flags are those of `DataOptions`."""

    def command(name: str, /, **given: Any) -> None:
        from diabolo.data.inspection import inspect as look

        table = Table("what", "value", show_edge=False)
        for what, value in look(name, **given).rows():
            table.add_row(what, value)
        Terminal().print(table)

    doc = """What a data set holds and how it would be read: files taken and left out and why, parts, classes, sizes, channels,
    depth, the range of values used, duplicates; of a table its columns. Nothing is kept.

    Args:
        name: a folder, a file of images, arrays or a table, or a name that 'diabolo data' lists.
    """
    place = inspect.Parameter("name", inspect.Parameter.POSITIONAL_ONLY, annotation=str)
    return taking(command, [place, *keywords({option: flag(option) for option in ("root", "range", "key")})], doc)


app.command(_inspect(), name="inspect")


@app.command
def prepare(name: str, /, *, options: DataFlags | None = None) -> None:
    """Fetch and decode a data set once, so that trainings start at once.

    Args:
        name: a name that 'diabolo data' lists, a folder or a file.
        options: which images.
    """
    tell_of_data()
    for images in (options or DataFlags()).load(name):
        shape = "×".join(map(str, images.shape))
        say(f"{images.name} ({images.split}): {len(images):,} of {shape}, fingerprint {images.fingerprint[:16]}")
