"""`diabolo data` and `diabolo data prepare NAME`."""

from cyclopts import App
from rich.console import Console
from rich.table import Table

from diabolo.cli.main import VERBS
from diabolo.cli.options import DataOptions
from diabolo.data import names

app = App(name="data", help=VERBS["data"])


@app.default
def command() -> None:
    """The data sets by name."""
    table = Table("name", "what it is", "shape", "train", "test", "download", "licence", title="--data NAME")
    for name, info in names().items():
        counts = [f"{n:,}" if isinstance(n, int) else str(n or "any") for n in (info.train, info.test)]
        shape = "×".join(map(str, info.shape))
        table.add_row(name, info.description, shape, *counts, "yes" if info.download else "no", info.licence)
    console = Console()
    console.print(table)
    console.print("Also: a folder of images (with class sub-folders or without), or a .zip, .npy or .npz file.")


@app.command
def prepare(name: str, /, *, options: DataOptions | None = None) -> None:
    """Fetch and decode a data set once, so that trainings start at once.

    Args:
        name: a name of `diabolo data`, a folder or a file.
        options: which images.
    """
    from dataclasses import replace

    for images in replace(options or DataOptions(), data=name).load():
        print(f"{images!r} fingerprint {images.fingerprint[:16]}")
