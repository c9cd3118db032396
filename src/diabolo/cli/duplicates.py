"""`diabolo duplicates RUN IMAGES…`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.options import LabelColumn, Labels, Root, SkipBad
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Count, Positive, checked

app = App(name="duplicates", help=VERBS["duplicates"])
SHOWN = 5  # groups


@app.default
@checked
def command(
    run: Path,
    /,
    *images: Annotated[str, Parameter(required=True)],
    within: Positive = 0.1,
    neighbours: Count = 10,
    labels: Labels = None,
    label_column: LabelColumn = None,
    out: Path = Path("duplicates.csv"),
    skip_bad: SkipBad = False,
    root: Root = None,
) -> None:
    """Which of the images are nearly the same: those whose codes are nearest are compared pixel by pixel.

    Args:
        run: the run folder.
        images: image files, one folder, one file of images, arrays or a table, or a data set by name; they are cut and resized
            as the training images were, and the columns of a table are found by their names.
        within: how much of the difference of two unrelated images near-duplicates differ by at most.
        neighbours: how many of the nearest codes of each image are looked at.
        out: a .csv file with a row for each image that has a near-duplicate: the number of its group, its name, its label where
            that is known, and its distance from the nearest in its group, 0 for equal pixels.
    """
    import numpy as np

    from diabolo.cli.conditioning import check_carried
    from diabolo.cli.images import check_spared, read_for
    from diabolo.data.sources.file_labels import LabelTable
    from diabolo.errors import DiaboloError
    from diabolo.latents import near_duplicates
    from diabolo.plain import cell, count
    from diabolo.runs import files
    from diabolo.runs.config import Config
    from diabolo.runs.loading import load
    from diabolo.terminal import say

    if out.suffix.lower() != ".csv":
        raise DiaboloError(f"near-duplicates are written as .csv, not {out.suffix or out}")
    check_spared(out, (*images, labels))
    table = LabelTable.given(labels, label_column)
    model = load(run)
    given = read_for(run, model, images, skip_bad, root, table)
    check_carried(run, model, given)
    whole = given.whole(model.needs_column, Config.read(run).train.label_names)
    found = near_duplicates(model, whole, within, neighbours)
    known = given.labels()
    nearest = np.full(len(given), np.inf)
    for side in found.pairs.T:
        np.minimum.at(nearest, side, found.distance)
    lines = [",".join(["group", "file", *([] if known is None else ["label"]), "distance"])]
    for number, group in enumerate(found.groups, 1):
        for i in group.tolist():
            told = [cell(given.names[i]), *([] if known is None else [cell(known[i])])]
            lines.append(",".join([str(number), *told, repr(float(nearest[i]))]))
    files.make_folder(out.parent)
    files.write(out, "\r\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))
    alike, equal = sum(map(len, found.groups)), int((found.distance == 0).sum())
    if not alike:
        say(f"no two of {count(len(given), 'image')} are nearly the same; {out} has no rows")
        return
    say(
        f"{alike:,} of {count(len(given), 'image')} are nearly the same as another, in {count(len(found.groups), 'group')}; "
        f"{count(equal, 'pair')} equal pixel by pixel"
    )
    for group in found.groups[:SHOWN]:
        names = [given.names[i] for i in group[:SHOWN].tolist()]
        say(f"{', '.join(names)}{f' and {len(group) - SHOWN:,} more' if len(group) > SHOWN else ''}")
    say(f"{count(alike, 'row')} in {out}")
