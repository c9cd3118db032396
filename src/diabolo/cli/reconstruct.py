"""`diabolo reconstruct RUN IMAGES…`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.images import read_for, write_images
from diabolo.cli.main import VERBS
from diabolo.training.runs import load

app = App(name="reconstruct", help=VERBS["reconstruct"])


@app.default
def command(
    run: Path,
    /,
    *images: Path,
    out: Path = Path("reconstructions"),
    skip_bad: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Image files in, their reconstructions out.

    Args:
        run: the run folder.
        images: image files, or one folder; they are resized to what the model takes.
        out: the folder for the reconstructions, PNG files of the same names; or a .npy file.
        skip_bad: leave out files that cannot be read, instead of stopping at the first.
    """
    model = load(run)
    pixels, names = read_for(model, images, skip_bad)
    write_images(out, model.reconstruct(pixels).numpy(), names)
    print(f"{len(names)} reconstruction(s) in {out}")
