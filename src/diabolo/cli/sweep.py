"""`diabolo sweep MODEL`: many trainings, whose options are searched; one command per recipe, as of `train`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from diabolo import distributed, zoo
from diabolo.cli import train as training
from diabolo.cli.help import SEE_ALL, TidyHelp, keywords, taking, words_of
from diabolo.cli.messages import say_account, tell_of_data
from diabolo.cli.options import DataFlags, Several, TrainFlags
from diabolo.cli.verbs import EVERYWHERE, VERBS
from diabolo.errors import DiaboloError
from diabolo.ranges import Count, Folder
from diabolo.runs.config import Config
from diabolo.runs.lines import shell_line
from diabolo.sweeping import Sweep, sweep
from diabolo.sweeping.record import short
from diabolo.terminal import say

app = App(name="sweep", help=VERBS["sweep"])
SWEEP = Group("Sweep", sort_key=0)
FIRST = ("search", "minimise", "maximise", "trials", "seeds", "storage", "out", "data", "epochs", "threads")
UNSEEN = ("name", "figures", "greedy", "dry_run")


@dataclass(frozen=True)
class SweepFlags(TrainFlags):
    """The `TrainOptions` as flags, but for the folder."""

    out: Folder | None = "sweep"


SweepFlags.__doc__ = (TrainFlags.__doc__ or "").replace(
    "out: the folder of runs; from Python also None: nothing is written, and what needs a folder is refused.",
    "out: the folder of the sweep; where several machines work on it, one that all of them see.",
)

# What `sweep` takes besides the options of the model and its training: name → (type with help, default)
OWN: dict[str, tuple[Any, Any]] = {
    "search": (
        Annotated[
            Several[str],
            Parameter(
                group=SWEEP,
                show_default=False,
                help="what is searched: NAME=1e-4..10 (a range), NAME=log:1e-4..10 (on a logarithmic scale), or NAME=8,16,32 "
                "(values), for any option of the model or its training.",
            ),
        ],
        (),
    ),
    "minimise": (
        Annotated[
            Several[str],
            Parameter(
                group=SWEEP,
                show_default=False,
                help="what is to become small: validation/total or another term of the loss, MEASURE/SCORE of 'diabolo "
                "evaluate' on the validation images, rate, distortion or fid. Several aims give a front.",
            ),
        ],
        (),
    ),
    "maximise": (
        Annotated[
            Several[str], Parameter(group=SWEEP, show_default=False, help="what is to become large, such as probe.")
        ],
        (),
    ),
    "trials": (Annotated[Count, Parameter(group=SWEEP, help="how many settings, of all workers together.")], 20),
    "seeds": (
        Annotated[Count, Parameter(group=SWEEP, help="with how many seeds each is trained, from --seed on.")],
        1,
    ),
    "prune": (
        Annotated[
            str | None,
            Parameter(
                group=SWEEP,
                help="end a trial early that is worse than others at the same epoch: median, hyperband, or none. When left out "
                "median, where there is one aim that is a term of the loss.",
            ),
        ],
        None,
    ),
    "sampler": (
        Annotated[str, Parameter(group=SWEEP, help="how values are chosen: tpe (where others were good), or random.")],
        "tpe",
    ),
    "storage": (
        Annotated[
            str | None,
            Parameter(
                group=SWEEP,
                help="where the trials are kept: a journal file, or the address of a database, such as sqlite:///sweep.db or "
                "postgresql+psycopg://user@host/name. OUT/journal.log when left out.",
            ),
        ],
        None,
    ),
}


def run(name: str, given: dict[str, Any]) -> None:
    """Load, search, and say what was best."""
    images, options = given.get("images") or DataFlags(), given.get("training") or SweepFlags()
    quiet = options.quiet
    if not quiet:
        tell_of_data()
    parts = images.parts(given.get("data", "digits"))
    train, validation = training.split(parts, given.get("validation"), True, images.data_seed)
    say_account()
    model = {key: given[key] for key in zoo.options_of(name) if given.get(key) is not None}
    asked = {key: value for key, value in options.asked().items() if key not in ("out", "quiet")}
    if validation is parts.test and not quiet and distributed.launched_as() == 0:
        say(
            "warning: the aim is measured on the test images, so they say too much good of the trial that is chosen by them"
        )
    own = {key: given[key] for key in OWN if given.get(key) is not None}
    found = sweep(
        zoo.path_of(name),
        train,
        validation,
        out=str(options.out),
        quiet=quiet,
        **{"search": (), **own},
        **model,
        **asked,
    )
    if distributed.launched_as() == 0:
        for line in closing_lines(found):
            say(line)


def closing_lines(found: Sweep) -> list[str]:
    """How many trials there are, the best, the line that trains it again, and the next command; with several aims the front."""
    from diabolo.reports.sweep_report import difference
    from diabolo.sweeping.lines import train_line

    best, aims = found.best, found.aims
    lines = [found.counted]
    shown = found.front if len(aims) > 1 else [best]
    for trial in shown:
        values = [f"{aim.name} {_value(trial.mean(aim.name), trial.interval(aim.name))}" for aim in aims]
        lines.append(f"{'front' if len(aims) > 1 else 'best'}: trial {trial.number}, {trial.told}: {', '.join(values)}")
        runs = found.runs(trial)
        line = train_line(Config.read(runs[0])) if runs else "its run folders are not there any more"
        lines.append(line or f"its run: {runs[0]}")
    told = difference(found) if len(aims) == 1 else ""
    return [*lines, *([told] if told else []), f"next: {shell_line('compare', found.path)}"]


def _value(mean: float, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return f"{mean:.4g}"
    low, high = map(short, interval)
    return f"{mean:.4g} (95 % interval over seeds {low} to {high})"


def _command(name: str, recipe: Callable[..., Any]) -> Callable[..., None]:
    """A function whose signature is the recipe's options, those of data, training and sweep, for cyclopts."""

    def command(**given: Any) -> None:
        run(name, given)

    options = {key: (training.hint(key, kind), default) for key, (kind, default) in zoo.options_of(name).items()}
    shared = {key: training.SHARED[key] for key in ("data", "images", "validation")}
    flags = {"training": (Annotated[SweepFlags | None, Parameter(name="*", group=training.TRAINING)], None)}
    return taking(command, keywords(OWN | options | shared | flags), words_of(recipe))


def offer(name: str) -> None:
    """Make the recipe of that name a command of `diabolo sweep`.

    Raises:
        DiaboloError: when it has an option that has a meaning there already: flags are one flat list.
    """
    if twice := OWN.keys() & zoo.options_of(name).keys():
        raise DiaboloError(
            f"the option {min(twice)!r} of the recipe {name!r} is one of every sweep: give it another name"
        )
    app.command(
        _command(name, zoo.RECIPES[name]),
        name=name,
        sort_key=list(zoo.RECIPES).index(name),
        help_formatter=TidyHelp(UNSEEN, FIRST),
        help_epilogue=f"{SEE_ALL}\n\n{EVERYWHERE}",
    )


for _name in zoo.RECIPES:
    offer(_name)
