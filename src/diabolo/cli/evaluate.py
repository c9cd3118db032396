"""`diabolo evaluate RUN`, with the options of every measure."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from diabolo import evaluation
from diabolo.cli.help import keywords, taking
from diabolo.cli.options import DataFlags
from diabolo.cli.tables import every_score, headline
from diabolo.cli.verbs import VERBS
from diabolo.evaluation.measuring import FOLDER
from diabolo.plain import count
from diabolo.ranges import Count
from diabolo.terminal import Terminal

app = App(name="evaluate", help=VERBS["evaluate"])

DATA, MEASURES = Group("Data", sort_key=2), Group("Measures", sort_key=3)
MEASURE_NAMES = Annotated[
    tuple[str, ...],
    Parameter(
        consume_multiple=True, negative=(), help=f"what to measure: {', '.join(evaluation.MEASURES)}; all that apply."
    ),
]
SEED = Annotated[int, Parameter(help="of all that is drawn.")]


def run(path: Path, given: dict[str, Any], options: Mapping[str, Any]) -> None:
    """Evaluate, write, print."""
    from diabolo.errors import DiaboloError
    from diabolo.foreign import is_named
    from diabolo.runs.loading import load_run
    from diabolo.runs.lock import writing

    elsewhere = is_named(path)
    out = given.get("out") or (Path(FOLDER) if elsewhere else path / FOLDER)
    if out.exists() and not out.is_dir():  # said before a minute of measuring
        raise DiaboloError(f"{out} is a file: the evaluation is written into a folder")
    with writing(out, "evaluate"):  # refused before a minute of measuring
        _evaluate(str(path) if elsewhere else load_run(path), out, given, options)


def _evaluate(subject: Any, out: Path, given: dict[str, Any], options: Mapping[str, Any]) -> None:
    """`subject` is a run, or the name of a model from elsewhere."""
    from diabolo.errors import DiaboloError

    errors = Terminal(error=True)
    _check_used(options, given.get("measures", ()))
    name, images = given.get("data"), given.get("images")
    if images is not None and name is None:
        raise DiaboloError("options of the data set need --data NAME; without it the images are those of the run")
    data = None if name is None else (images or DataFlags()).load(name)
    with errors.status("measuring") as status:
        found = evaluation.evaluate(
            subject,
            data,
            given.get("measures", ()),
            given.get("seed", 0),
            lambda measure: status.update(f"measuring {measure}"),
            batch=given.get("batch"),
            **options,
        )
    found.write(out)
    found = evaluation.Evaluation.read(out)  # with what of its figures could not be drawn
    console = Terminal()
    if given.get("whole"):
        lines = every_score(found, f"written into {out}", console.width)
    else:
        lines = headline(found, _closing(found, out), console.width)
    for line in lines:
        console.print(line, soft_wrap=True)
    if about := found.about.get("from elsewhere"):
        console.print(
            "; ".join(f"{name}: {_shown(value)}" for name, value in about.items()), soft_wrap=True, style="dim"
        )
    wanted = [*given.get("measures", ()), *_named_by(options)]
    for name, why in {} if given.get("whole") else found.skipped.items():
        if name.partition(": ")[0] in wanted:
            console.print(found.words(f"not measured: {name}, {why}"), soft_wrap=True)
    if missed := [name for name in given.get("measures", ()) if name in found.skipped]:
        raise evaluation.NotApplicable(
            f"asked for and not measured: {', '.join(missed)}; the reasons stand below the table"
        )


def _check_used(options: Mapping[str, Any], measures: Sequence[str]) -> None:
    """Refuse an option that is of none of the `measures` that were asked for."""
    from diabolo.errors import DiaboloError

    for option in options if measures else ():
        takers = [name for name in evaluation.MEASURES if option in evaluation.options_of(name)]
        if not {*takers} & {*measures}:
            flag = f"--{option.replace('_', '-')}"
            raise DiaboloError(
                f"{flag} is an option of {' and '.join(takers)}: add it to --measures, or leave {flag} out"
            )


def _named_by(options: Mapping[str, Any]) -> list[str]:
    """The measures that have one of the `options` alone."""
    takers = [[name for name in evaluation.MEASURES if option in evaluation.options_of(name)] for option in options]
    return [name for names in takers if len(names) == 1 for name in names]


def _closing(found: evaluation.Evaluation, out: Path) -> str:
    """Where all of it lies, and how to see it here."""
    scores = count(sum(len(section.scores) for section in found.sections.values()), "score")
    return f"{scores} with figures in {out}; --all prints them"


def _shown(value: Any) -> str:
    return " to ".join(f"{end:g}" for end in value) if isinstance(value, list) else str(value)


def measure_options() -> dict[str, inspect.Parameter]:
    """The options of all measures, as a command line takes them: None stands for the measure's own default."""
    found = {}
    for name in evaluation.MEASURES:
        for option, (kind, default) in evaluation.options_of(name).items():
            several = (1, None) if isinstance(default, tuple) else None
            said = " ".join(map(str, default)) if isinstance(default, tuple) else default
            text = f"{evaluation.HELP[option][0].lower()}{evaluation.HELP[option][1:]}"
            usual = "" if default is None or default is False else f" [default: {said}]"
            told = Parameter(
                group=MEASURES, help=text + usual, consume_multiple=several, negative=(), show_default=False
            )
            found[option] = inspect.Parameter(
                option, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, told]
            )
    return found


def _command() -> Any:
    """A function whose signature holds the options of all measures, for cyclopts."""
    own = measure_options()

    def command(path: Path, /, **given: Any) -> None:
        run(path, given, {option: given[option] for option in own if given.get(option) is not None})

    doc = """How good a trained model is: every measure that applies. What matters most for a model of its kind is printed, with
    95 % intervals; all of it is written into a folder, with one page of figures.

    Args:
        path: the run folder; or, with --data, a model from elsewhere: diffusers:FOLDER, onnx:FOLDER, pythae:FOLDER, pca:16.
    """
    shared: dict[str, tuple[Any, Any]] = {
        "measures": (MEASURE_NAMES, ()),
        "whole": (
            Annotated[bool, Parameter(name="--all", negative=(), help="print every score, and what was not measured.")],
            False,
        ),
        "seed": (SEED, 0),
        "batch": (
            Annotated[Count | None, Parameter(help="images that go through the model at once; the usual number.")],
            None,
        ),
        "out": (
            Annotated[
                Path | None,
                Parameter(help="folder to write into; RUN/evaluation, or evaluation, when left out."),
            ],
            None,
        ),
        "data": (Annotated[str | None, Parameter(group=DATA, help="other images than those of the run.")], None),
        "images": (Annotated[DataFlags | None, Parameter(name="*", group=DATA)], None),
    }
    run_folder = inspect.Parameter("path", inspect.Parameter.POSITIONAL_ONLY, annotation=Path)
    return taking(command, [run_folder, *keywords(shared), *own.values()], doc)


app.default(_command())
