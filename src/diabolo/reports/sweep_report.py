"""A sweep as one page: the best trials, the line that trains the best again, the front of several aims, what mattered."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from diabolo import disk, figures
from diabolo.display import words
from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.plain import cell, count
from diabolo.reports import html, latex, markdown
from diabolo.reports.document import Block, Bullets, Code, Document, Heading, Paragraph, Picture, Table
from diabolo.runs.config import Config
from diabolo.sweeping import Sweep, Trial
from diabolo.sweeping.aims import Aim
from diabolo.sweeping.space import Span

PAGE = "comparison.html"
SHOWN = 15  # trials in the table of a report
PROVISO = (
    "The best of many trials looks better than it is, since chance helped to choose it: train it with other seeds, and measure "
    "it once on test images, before a number is reported"
)
MATTERS = (
    "Shares by PED-ANOVA (Watanabe, Bansal & Hutter 2023): how differently the best trials, a tenth and five at least, are "
    "distributed from all that ended with a value. Pruned trials are not among them."
)


def write(sweep: Sweep, folder: str | Path) -> list[Path]:
    """Write the page and its figures into `folder`; returns the files."""
    folder = as_path(folder)
    document = document_of(sweep, folder)
    disk.write(folder / PAGE, html.render(document).encode())
    return [*(block.path for block in document.blocks if isinstance(block, Picture)), folder / PAGE]


def document_of(sweep: Sweep, folder: Path) -> Document:
    """The page, whose figures are drawn into `folder`.

    Raises:
        DiaboloError: where no trial has ended with a value.
    """
    aims = sweep.aims
    if not sweep.complete:
        raise DiaboloError(f"no trial of {sweep.path} has ended with a value: there is nothing to show")
    disk.make_folder(folder)
    columns, rows = sweep.table(SHOWN)
    half = "; ± is half of the 95 % interval of the mean over seeds" if sweep.definition.seeds > 1 else ""
    blocks: list[Block] = [
        Heading("The best trials"),
        *(Paragraph(text) for text in sentences(sweep)),
        Table(columns, rows, f"Trials with a value, the best by {aims[0].name} first{half}."),
        *_lines(sweep),
        Paragraph(f"{PROVISO}."),
    ]
    if len(aims) > 1:
        blocks.append(Heading("The front"))
        blocks += [_front(sweep, pair, folder) for pair in combinations(aims, 2)]
    blocks.append(Heading("Which options the good trials have"))
    blocks += [_parallel(sweep, aim, folder, i) for i, aim in enumerate(aims)]
    blocks.append(Heading("Which options mattered"))
    blocks += _importance(sweep, folder)
    blocks += [Heading("What was searched"), _searched(sweep)]
    if failed := [trial for trial in sweep.trials if trial.state == "failed"]:
        blocks += [
            Heading("Failed"),
            Bullets([f"trial {t.number}, {_plain(t.told)}: {_plain(t.reason)}" for t in failed]),
        ]
    asked = ", ".join(f"{way} {name}" for name, way in sweep.definition.aims)
    about = f"{sweep.counted}; {count(sweep.definition.seeds, 'seed')} each; {asked}."
    return Document(f"Sweep of {sweep.definition.recipe}", about, blocks)


def sentences(sweep: Sweep) -> list[str]:
    """What came of it: the best of one aim with its interval; of several how many trials are on the front."""
    aims, best = sweep.aims, sweep.best
    if len(aims) > 1:
        names = " and ".join([", ".join(aim.name for aim in aims[:-1]), aims[-1].name])
        few = count(len(sweep.front), "trial")
        by = (
            "by their means over seeds, whose intervals may overlap"
            if sweep.definition.seeds > 1
            else "each with one seed"
        )
        return [
            f"{few} of {len(sweep.complete)} with a value are beaten by no other in {names} together (the Pareto front), {by}."
        ]
    aim = aims[0]
    ends = best.interval(aim.name)
    sure = f", 95 % interval over seeds {words(ends[0])} to {words(ends[1])}" if ends else ""
    end = "lowest" if aim.lower else "highest"
    told = f"Trial {best.number} ({best.told}) has the {end} {aim.name}: {words(best.mean(aim.name))}{sure}."
    second = sweep.ranked[1] if len(sweep.complete) > 1 else None
    if second is not None:
        told += f" The second, trial {second.number} ({second.told}), has {words(second.mean(aim.name))}."
    return [told, *([apart] if (apart := difference(sweep)) else [])]


def difference(sweep: Sweep) -> str:
    """Whether the best trial is shown to be better than the others; "" where there is no other."""
    others = len(sweep.complete) - 1
    if not others:
        return ""
    if sweep.rivals is None:
        return "Each trial has one seed, so how much of the differences is chance is not known."
    if not sweep.rivals:
        return "All other trials are significantly worse (Welch's test over seeds, adjusted for all pairs)."
    return (
        f"Of the {count(others, 'other trial')} {len(sweep.rivals):,} {'is' if len(sweep.rivals) == 1 else 'are'} not "
        "significantly worse (Welch's test over seeds, adjusted for all pairs)."
    )


def _plain(text: str) -> str:
    """Words of someone else in a list, where Markdown is read."""
    return markdown.escape(text)


def _lines(sweep: Sweep) -> list[Block]:
    from diabolo.sweeping.lines import train_line

    chosen = sweep.front if len(sweep.aims) > 1 else [sweep.best]
    first = [runs[0] for trial in chosen if (runs := sweep.runs(trial))]
    lines = [line for run in first if (line := train_line(Config.read(run)))]
    if not lines:
        why = "Its images were given as arrays" if first else "Its run folders are not there any more"
        return [Paragraph(f"{why}, so no line of the shell trains it again: take its options.")]
    what = "the trials of the front" if len(sweep.aims) > 1 else "the best trial"
    return [
        Paragraph(f"This trains {what} again, with the first seed; the same bits on the same kind of device."),
        Code("\n".join(lines)),
    ]


def _front(sweep: Sweep, pair: tuple[Aim, Aim], folder: Path) -> Picture:
    first, second = (aim.name for aim in pair)
    points = {str(t.number): (t.mean(first), t.mean(second)) for t in sweep.complete}
    intervals = {str(t.number): (t.interval(first), t.interval(second)) for t in sweep.complete}
    lower = (pair[0].lower, pair[1].lower)
    figure = figures.trial_front(points, first, second, lower, intervals, title=f"Trials by {first} and {second}")
    whiskers = "; whiskers are 95 % intervals of the mean over seeds" if sweep.definition.seeds > 1 else ""
    path = figures.save(figure, folder / f"front-{_file(first)}-{_file(second)}.png", pdf=True)
    return Picture(path, f"Each trial by its number{whiskers}. Blue: beaten by no other in these two; grey: beaten.")


def _parallel(sweep: Sweep, aim: Aim, folder: Path, i: int) -> Picture:
    trials = sweep.complete
    options = {name: [_mark(trial.options[name]) for trial in trials] for name in sweep.spaces}
    log = [name for name, space in sweep.spaces.items() if isinstance(space, Span) and space.log]
    values = [trial.mean(aim.name) for trial in trials]
    figure = figures.parallel_coordinates(options, values, aim.name, log=log, lower_is_better=aim.lower)
    path = figures.save(figure, folder / f"options-{_file(aim.name)}.png", pdf=True)
    return Picture(path, f"Each line is a trial: its options, and at the right its {aim.name}, the best at the top.")


def _mark(value: object) -> float | str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return "x".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _importance(sweep: Sweep, folder: Path) -> list[Block]:
    try:
        from diabolo.sweeping.importance import importances
    except ModuleNotFoundError:
        return [Paragraph("The importance of options needs Optuna: pip install 'diabolo[sweep]'.")]
    blocks: list[Block] = []
    for aim in sweep.aims:
        try:
            shares = importances(sweep, aim)
        except DiaboloError as error:
            return [Paragraph(f"Not estimated: {error}.")]
        figure = figures.bars(dict(shares), "share of what makes a trial good", title=f"Importance for {aim.name}")
        path = figures.save(figure, folder / f"importance-{_file(aim.name)}.png", pdf=True)
        blocks.append(Picture(path, f"What mattered for {aim.name}. {MATTERS}"))
    return blocks


def _searched(sweep: Sweep) -> Table:
    rows = [[name, str(space)] for name, space in sweep.spaces.items()]
    made = f"Chosen by {sweep.definition.sampler}; pruned by {sweep.definition.prune}."
    return Table(["option", "searched"], rows, made.replace("pruned by none", "none pruned"))


def _file(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def write_table(sweep: Sweep, path: str | Path) -> Path:
    """Write all trials with a value as a table into the file `path`, by its ending: .tex, .md, or .csv with all digits."""
    path = as_path(path)
    columns, rows = sweep.table()
    if path.suffix.lower() == ".csv":
        text = _csv(sweep)
    elif path.suffix.lower() == ".md":
        lines = [columns, ["---"] * len(columns), *([markdown.escape(words(value)) for value in row] for row in rows)]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
    else:
        cells = [[words(value) for value in row] for row in rows]
        plain = [[False] * len(row) for row in cells]
        text = "% needs \\usepackage{booktabs}\n" + latex.table([(c, "") for c in columns], cells, plain, sweep.counted)
    disk.make_folder(path.parent)
    disk.write(path, text.encode())
    return path


def _csv(sweep: Sweep) -> str:
    """A line for each trial and seed, pruned and failed ones too."""
    names, aims = list(sweep.spaces), [aim.name for aim in sweep.aims]
    lines = [",".join(cell(name) for name in ("trial", "state", "seed", *names, *aims, "reason"))]
    for trial in sweep.trials:
        for k in range(sweep.definition.seeds if trial.values else 1):
            lines.append(",".join([*_first(sweep, trial, k), *_numbers(trial, aims, k), cell(trial.reason)]))
    return "\r\n".join([*lines, ""])


def _first(sweep: Sweep, trial: Trial, k: int) -> Sequence[str]:
    options = [_mark(trial.options[name]) for name in sweep.spaces]
    told = [repr(value) if isinstance(value, int | float) else cell(value) for value in options]
    return [str(trial.number), cell(trial.state), str(sweep.definition.seed + k), *told]


def _numbers(trial: Trial, aims: Sequence[str], k: int) -> Sequence[str]:
    return [repr(trial.values[name][k]) if trial.values else "" for name in aims]
