"""`diabolo encode RUN IMAGES…`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.main import VERBS
from diabolo.cli.options import Several, SkipBad
from diabolo.ranges import checked

app = App(name="encode", help=VERBS["encode"])


@app.default
@checked
def command(
    run: Path,
    /,
    *images: Annotated[Path, Parameter(required=True)],
    label: Several[str] = (),
    values: Several[float] = (),
    out: Path = Path("codes.npy"),
    skip_bad: SkipBad = False,
) -> None:
    """Image files in, their codes out.

    Args:
        run: the run folder.
        images: image files, or one folder; they are cut and resized as the training images were.
        label: of a model conditioned on labels: the class of all the images, or that of each, in the order of the rows.
        values: of a model conditioned on attributes or factors: one number for each, the same for all the images.
        out: a .npy file for an array (N, latent_dim), or a .csv file that also names the image of each row. The rows are in
            the order of the files given; those of a folder are sorted by name.
        skip_bad: leave out files that cannot be read, instead of stopping at the first.
    """
    import csv
    import io

    from diabolo.cli.images import in_pieces, read_for, write, write_array
    from diabolo.cli.told import check_told, told_of
    from diabolo.errors import DiaboloError
    from diabolo.training.runs import load

    if out.suffix.lower() not in (".npy", ".csv"):
        raise DiaboloError(f"codes are written as .npy or .csv, not {out.suffix or out}")
    model = load(run)
    check_told(run, model, label, values)
    if 0 in model.latent_shape:
        raise DiaboloError(f"{run} holds a model without a code: there is nothing to encode")
    pixels, names = read_for(run, model, images, skip_bad)
    y = told_of(run, model, label, values, len(pixels))
    codes = in_pieces(lambda x, y: model.encode(x, y).flatten(1), pixels, y)
    if out.suffix.lower() == ".npy":
        write_array(out, codes)
    else:
        table = io.StringIO(newline="")
        writer = csv.writer(table)
        writer.writerow(["file", *(f"z{i + 1}" for i in range(codes.shape[1]))])
        writer.writerows([name, *map(str, code)] for name, code in zip(names, codes, strict=True))
        write(out, table.getvalue().encode("utf-8", "surrogateescape"))
    print(f"{len(codes)} code(s) of {codes.shape[1]} number(s) in {out}")
