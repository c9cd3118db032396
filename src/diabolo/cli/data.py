"""`diabolo data` and `diabolo data prepare NAME`."""

from cyclopts import App
from rich.console import Console
from rich.table import Column, Table

from diabolo.cli.main import VERBS
from diabolo.cli.notices import tell_of_data
from diabolo.cli.options import DataOptions
from diabolo.data import names

app = App(name="data", help=VERBS["data"])


@app.default
def command() -> None:
    """The data sets by name."""
    table = Table(*(Column(title, no_wrap=True) for title in ("name", "shape", "train", "test")), title="--data NAME")
    table.add_column("what it is, and its licence")
    for name, info in names().items():
        about = f"{info.description} ({info.licence}{'; downloaded' if info.download else ''})"
        table.add_row(name, info.shape, f"{info.train:,}", f"{info.test:,}", about)
    console = Console()
    console.print(table)
    console.print("Also: a folder of images (with class sub-folders or without), or a .zip, .npy or .npz file.")


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
        print(f"{images.name} ({images.split}): {len(images):,} of {shape}, fingerprint {images.fingerprint[:16]}")
