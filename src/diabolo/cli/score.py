"""`diabolo score RUN IMAGES…`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from diabolo.cli.options import LabelColumn, Labels, Root, SkipBad
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Count, PartOf, Seed, checked
from diabolo.vocabulary import Words

if TYPE_CHECKING:
    from rich.text import Text

    from diabolo.evaluation.screening import Screened

app = App(name="score", help=VERBS["score"])
SHOWN = 5  # names of the most anomalous images
LABELS = 12  # of which the flagged shares are shown


@app.default
@checked
def command(
    run: Path,
    /,
    *images: Annotated[str, Parameter(required=True)],
    false_alarms: PartOf = 0.05,
    elbo_samples: Count = 10,
    seed: Seed = 0,
    labels: Labels = None,
    label_column: LabelColumn = None,
    out: Path = Path("scores.csv"),
    skip_bad: SkipBad = False,
    root: Root = None,
) -> None:
    """How unlike the training images each image is: squared error of the reconstruction, −ELBO where the model has one, and
    −log density of the code. Each score has a threshold, chosen on the held-out images of the run, and each image a p-value.

    Args:
        run: the run folder.
        images: image files, one folder, one file of images, arrays or a table, or a data set by name; they are cut and resized
            as the training images were, and the columns of a table are found by their names.
        false_alarms: the largest share of normal images that each score may flag.
        elbo_samples: codes drawn for each image to estimate its −ELBO.
        seed: of all that is drawn.
        out: a .csv file with a row for each image: its name, its label where that is known, and of each score its value, its
            p-value and whether it is flagged.
    """
    from diabolo.cli.conditioning import check_carried
    from diabolo.cli.images import check_spared, read_for
    from diabolo.cli.tables import Cell, prose, table
    from diabolo.data.sources.file_labels import LabelTable
    from diabolo.display import words
    from diabolo.errors import DiaboloError
    from diabolo.evaluation.screening import screen
    from diabolo.plain import cell, count, percent
    from diabolo.runs import files
    from diabolo.runs.loading import load_run
    from diabolo.terminal import Terminal

    if out.suffix.lower() != ".csv":
        raise DiaboloError(f"scores are written as .csv, not {out.suffix or out}")
    check_spared(out, (*images, labels))
    told = LabelTable.given(labels, label_column)
    trained = load_run(run)
    given = read_for(run, trained.model, images, skip_bad, root, told)
    check_carried(run, trained.model, given)
    several = given.as_trained(trained.model.needs_column, trained.config.train.label_names)
    found = screen(trained, several, None, false_alarms, elbo_samples, seed)
    known = given.labels()

    heads = ["file", *([] if known is None else ["label"])]
    for name in found:
        heads += [name, f"{name}: p-value", f"{name}: flagged"]
    rows = [",".join(heads)]
    for i, name in enumerate(given.names):
        row = [cell(name), *([] if known is None else [cell(known[i])])]
        for one in found.values():
            row += [repr(float(one.scores[i])), repr(float(one.p[i])), "yes" if one.flagged[i] else "no"]
        rows.append(",".join(row))
    files.make_folder(out.parent)
    files.write(out, "\r\n".join([*rows, ""]).encode("utf-8", "surrogateescape"))

    def line(name: str, one: "Screened") -> list[Cell]:
        flagged = f"{int(one.flagged.sum()):,} of {len(one.scores):,}"
        return [Cell(name), Cell(words(one.threshold.value), True), Cell(flagged, True), Cell(said(one.unit))]

    console, said = Terminal(), trained.config.words
    bound = next(iter(found.values())).threshold
    low, high = bound.between
    lines = table(
        ["score", "threshold", "flagged", "unit"], [line(name, one) for name, one in found.items()], console.width
    )
    promise = (
        f"a normal image exceeds each threshold with a probability of at most {percent(false_alarms, 1)}, on average over "
        f"draws of {count(bound.n, 'held-out image')}; for those of this run it lies between {percent(low, 1)} and "
        f"{percent(high, 1)} (95 %)"
    )
    lines += prose(said(promise), console.width)
    if known is not None:
        lines += _by_label(found, known, console.width, said)
    for name, one in found.items():
        if one.flagged.any():
            most = [given.names[i] for i in (-one.scores).argsort(kind="stable")[:SHOWN] if one.flagged[i]]
            lines += prose(f"highest {name}: {', '.join(most)}", console.width)
    lines += prose(f"{count(len(given), 'row')} in {out}", console.width)
    for text in lines:
        console.print(text, soft_wrap=True)


def _by_label(found: "Mapping[str, Screened]", known: Sequence[str], width: int, words: Words) -> "list[Text]":
    """Which share of the images of each label every score flags, the most flagged first."""
    from diabolo.cli.tables import Cell, prose, table
    from diabolo.plain import percent

    places: dict[str, list[int]] = {}
    for i, label in enumerate(known):
        places.setdefault(label, []).append(i)
    flagged = {label: [int(one.flagged[rows].sum()) for one in found.values()] for label, rows in places.items()}
    order = sorted(places, key=lambda label: (-max(flagged[label]) / len(places[label]), label))
    heads = ["label", words("images"), *(f"flagged by {name}" for name in found)]
    rows = [
        [Cell(label or "not known"), Cell(f"{len(places[label]):,}", True)]
        + [Cell(percent(n / len(places[label]), 1), True) for n in flagged[label]]
        for label in order[:LABELS]
    ]
    lines = table(heads, rows, width)
    if len(order) > LABELS:
        lines += prose(f"and {len(order) - LABELS:,} labels of which fewer are flagged", width)
    return lines
