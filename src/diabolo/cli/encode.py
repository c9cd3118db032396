"""`diabolo encode RUN IMAGES…`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.options import LabelColumn, Labels, Root, Several, SkipBad
from diabolo.cli.verbs import VERBS
from diabolo.ranges import checked
from diabolo.terminal import say

app = App(name="encode", help=VERBS["encode"])


@app.default
@checked
def command(
    run: Path,
    /,
    *images: Annotated[str, Parameter(required=True)],
    label: Several[str] = (),
    values: Several[float] = (),
    labels: Labels = None,
    label_column: LabelColumn = None,
    out: Path = Path("codes.npy"),
    skip_bad: SkipBad = False,
    root: Root = None,
) -> None:
    """Images in, their codes out.

    Args:
        run: the run folder.
        images: image files, one folder, one file of images, arrays or a table, or a data set by name; they are cut and resized
            as the training images were, and the columns of a table are found by their names.
        label: of a model conditioned on labels: the class of all the images, or that of each, in the order of the rows.
        values: of a model conditioned on attributes or factors: one number for each, the same for all the images.
        out: a .npy file for an array (N, latent_dim) alone, or a .csv or .parquet file that also has the name of each image,
            and its label where that is known. The rows are in the order of the files given, or of the file; those of a folder
            or archive are sorted by name, and in a data set with parts training images come first. In a .csv file a name that
            a spreadsheet would take for a formula has an apostrophe before it.
    """
    from collections.abc import Iterable, Iterator
    from importlib.util import find_spec

    import numpy as np

    from diabolo.cli.conditioning import check_told, told_of
    from diabolo.cli.images import check_spared, in_pieces, read_for, write_array, write_table
    from diabolo.data.sources.file_labels import LabelTable
    from diabolo.errors import DiaboloError
    from diabolo.plain import cell, count
    from diabolo.runs import files
    from diabolo.runs.loading import load

    if out.suffix.lower() not in (".npy", ".csv", ".parquet"):
        raise DiaboloError(f"codes are written as .npy, .csv or .parquet, not {out.suffix or out}")
    if out.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise DiaboloError("a .parquet file needs pyarrow: pip install 'diabolo[parquet]', or write a .csv file")
    if label and labels is not None:
        raise DiaboloError("--label and --labels both say the class of the images: give one of them")
    check_spared(out, (*images, labels))
    table = LabelTable.given(labels, label_column)
    model = load(run)
    check_told(run, model, label, values, images, table is not None)
    if 0 in model.latent_shape:
        raise DiaboloError(f"{run} holds a model without a code: there is nothing to encode")
    given = read_for(run, model, images, skip_bad, root, table)
    y = told_of(run, model, label, values, given)
    codes = in_pieces(lambda x, y: model.encode(x, y).flatten(1), given, y)
    width = int(np.prod(model.latent_shape))

    known = given.labels()

    def lines(pieces: Iterable[np.ndarray]) -> Iterator[bytes]:
        beside = iter(given.names if known is None else zip(given.names, known, strict=True))
        rows = [",".join(["file", *([] if known is None else ["label"]), *(f"z{i + 1}" for i in range(width))])]
        for piece in pieces:
            told = ([name] if isinstance(name, str) else name for name in (next(beside) for _ in piece))
            rows += [",".join([*map(cell, texts), *map(str, code)]) for texts, code in zip(told, piece, strict=True)]
            yield "\r\n".join([*rows, ""]).encode("utf-8", "surrogateescape")
            rows = []

    if out.suffix.lower() == ".npy":
        write_array(out, len(given), codes)
    elif out.suffix.lower() == ".parquet":
        write_table(out, {"file": given.names} | ({} if known is None else {"label": known}), codes)
    else:
        files.make_folder(out.parent)
        files.write_pieces(out, lines(codes))
    say(f"{count(len(given), 'code')} of {count(width, 'number')} in {out}")
