"""`diabolo encode RUN IMAGES…`."""

import csv
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import App, Parameter

from diabolo.cli.images import read_for
from diabolo.cli.main import VERBS
from diabolo.errors import DiaboloError
from diabolo.training.runs import load

app = App(name="encode", help=VERBS["encode"])


@app.default
def command(
    run: Path,
    /,
    *images: Path,
    out: Path = Path("codes.npy"),
    skip_bad: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Image files in, their codes out.

    Args:
        run: the run folder.
        images: image files, or one folder; they are resized to what the model takes.
        out: codes.npy for an array (N, latent_dim), in the order of the file names; or codes.csv, with the file names.
        skip_bad: leave out files that cannot be read, instead of stopping at the first.
    """
    if out.suffix not in (".npy", ".csv"):
        raise DiaboloError(f"codes are written as .npy or .csv, not {out.suffix or out}")
    model = load(run)
    pixels, names = read_for(model, images, skip_bad)
    codes = model.encode(pixels).flatten(1).numpy()
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".npy":
        np.save(out, codes)
    else:
        with out.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", *(f"z{i + 1}" for i in range(codes.shape[1]))])
            writer.writerows([name, *map(repr, map(float, code))] for name, code in zip(names, codes, strict=True))
    print(f"{len(codes)} code(s) of {codes.shape[1]} numbers in {out}")
