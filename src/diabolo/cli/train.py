"""`diabolo train MODEL`: one command per recipe of the zoo, with that recipe's own options."""

import json
import sys
from collections.abc import Callable, Collection
from dataclasses import fields
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from cyclopts import App, Group, Parameter

from diabolo import distributed, ranges, zoo
from diabolo.cli.help import SEE_ALL, TidyHelp, keywords, taking, words_of
from diabolo.cli.messages import say_account, tell_of_data
from diabolo.cli.options import DataFlags, TrainFlags
from diabolo.cli.verbs import EVERYWHERE, VERBS
from diabolo.data import Images
from diabolo.data.origin import hold_out
from diabolo.data.splits import Parts
from diabolo.errors import DiaboloError, Stopped
from diabolo.likelihoods import OF as LIKELIHOOD_OPTIONS
from diabolo.pca import PCA
from diabolo.pictures import run_figures
from diabolo.plain import visible
from diabolo.priors import CodePrior
from diabolo.runs import loading, lock
from diabolo.runs.config import Config
from diabolo.runs.lines import shell_line
from diabolo.terminal import say
from diabolo.training.compiling import resolved
from diabolo.training.fit import fit
from diabolo.training.greedy import greedy, ready
from diabolo.training.options import Epochs, TrainOptions
from diabolo.training.preflight import check
from diabolo.training.usual import settled

app = App(name="train", help=VERBS["train"])

MODEL, DATA, TRAINING = Group("Model", sort_key=1), Group("Data", sort_key=2), Group("Training", sort_key=3)
WORDS = (int, float, str, bool, type(None))

# What `train` takes besides the options of the model: name → (type with help, default)
SHARED: dict[str, tuple[Any, Any]] = {
    "data": (
        Annotated[
            str,
            Parameter(
                group=DATA,
                help="a name (see 'diabolo data'), a folder of images, a file of images, arrays or a table, or "
                "package.module:function.",
            ),
        ],
        "digits",
    ),
    "images": (Annotated[DataFlags | None, Parameter(name="*", group=DATA)], None),
    "validation": (
        Annotated[
            str | None,
            Parameter(
                group=DATA,
                help="what is watched while training: test, none, or a share of the training images such as 0.1. When left "
                "out: the validation part of a data set that has one; else a tenth of the training images if they decide "
                "anything (early stopping, keep best), else test.",
            ),
        ],
        None,
    ),
    "greedy": (
        Annotated[
            int | None,
            Parameter(
                group=TRAINING,
                help="first train the layers one by one, so many epochs each, then all of them (nets mlp and conv).",
            ),
        ],
        None,
    ),
    "training": (Annotated[TrainFlags | None, Parameter(name="*", group=TRAINING)], None),
    "figures": (Annotated[bool, Parameter(group=TRAINING, help="draw figures into the run folder afterwards.")], True),
    "dry_run": (
        Annotated[bool, Parameter(group=TRAINING, help="print the resolved config and the model summary, and stop.")],
        False,
    ),
}


# What the help of a model that is solved at once shows of the training; it takes the rest too, so that one config file or line
# will do for all models
OF_ANY = ("seed", "out", "name", "quiet")
OF_THE_LOOP = {f.name for f in fields(TrainOptions) if f.name not in OF_ANY} | {"greedy"}


def run(name: str, model_options: dict[str, Any], given: dict[str, Any]) -> None:
    """Load, build, train, draw."""
    images, training = given.get("images") or DataFlags(), given.get("training") or TrainFlags()
    if not training.quiet:
        tell_of_data()
    likelihood = model_options.get("likelihood")
    typed = likelihood in LIKELIHOOD_OPTIONS["types"] and "types" not in model_options
    parts = images.parts(given.get("data", "digits"), typed)
    model = zoo.build_for(name, parts.train, training.seed, **model_options)
    decides = training.early_stopping is not None or training.keep == "best"
    train, validation = split(parts, given.get("validation"), decides, images.data_seed)
    test = parts.test
    layerwise = ranges.check("greedy", given.get("greedy"), Epochs | None)
    settings = settled(len(train), training.asked())
    fitting = check(model, train, validation, settings)
    say_account()
    if given.get("dry_run"):
        if layerwise is not None:
            ready(model, settings)
        if _is_first():
            found = resolved(model, train, fitting)
            config = Config.of(model, fitting.as_dict(), found, train, validation)
            print(visible(json.dumps(config.as_dict(), indent=2, ensure_ascii=False), lines=True))
            print(visible(str(model.summary()), lines=True))
        return
    then = ("figures",) if given.get("figures", True) else ()
    if layerwise is None:
        result = fit(model, train, validation, then=then, **training.asked())
    else:
        result = greedy(model, train, validation, layerwise, then=then, **training.asked())[-1]
    finish(result, bool(then), test, (train, test if validation is None else validation))


def split(parts: Parts, choice: str | None, decides: bool, seed: int) -> tuple[Images, Images | None]:
    """The images to train on, and those to validate with: as `--validation` says; when left out the part that the set has for
    that, else a tenth of the training images where they decide anything, else the test images."""
    if parts.validation is not None and not choice:
        return parts.train, parts.validation
    return watched(parts.train, parts.test, choice or ("0.1" if decides else "test"), seed)


def watched(train: Images, test: Images, choice: str, seed: int) -> tuple[Images, Images | None]:
    """The images to train on, and those to validate with: by `choice` the test images, none, or a share held out."""
    if choice in ("test", "none"):
        return train, test if choice == "test" else None
    try:
        return hold_out(train, float(choice), seed)
    except ValueError as error:
        if isinstance(error, DiaboloError):
            raise
        raise DiaboloError(f"--validation is test, none, or a share such as 0.1, not {choice!r}") from None


def finish(
    result: loading.Run, figures: bool, test: Images | None = None, watched: tuple[Images, Images] | None = None
) -> None:
    """What follows a training, by the first process: figures, and how good the model is on the images `watched` (training, held
    out; those of the run when left out). After Ctrl-C nothing but the exit code for it."""
    if result.status == "interrupted":
        sys.exit(130)
    if figures and _is_first():
        try:
            with lock.held(result.path, "drawing figures"):
                run_figures.draw(result, test)
        except KeyboardInterrupt as stopped:
            raise Stopped(
                f"stopped; the run is trained, its figures are drawn by: {shell_line('resume', result.path)}"
            ) from stopped
    if _is_first() and not result.config.options.get("quiet") and not isinstance(result.model, CodePrior):
        for line in closing_lines(result, watched):
            say(line)


def closing_lines(result: loading.Run, watched: tuple[Images, Images] | None = None) -> list[str]:
    """How good the model is, in units; what the health watch warns of, and what is wrong with one that has not learned; and the
    next command."""
    from diabolo.evaluation import closing
    from diabolo.evaluation.learned import FEWEST
    from diabolo.evaluation.measuring import images_of

    words, loss = result.config.words, closing.last_loss(result)
    lines = [words(loss)] if loss else []
    try:
        train, held = watched or images_of(result, None)
        said, learned = closing.judge(result.model, train, held)
    except DiaboloError as error:  # moved images, say
        return [*lines, words(f"not measured against the mean image: {error}"), *_warnings(result)]
    unsaid = f"not measured against the mean image: that takes {FEWEST} held-out images that vary"
    lines += [*map(words, said or [unsaid]), *_warnings(result)]
    if said and learned:
        lines += [] if _warnings(result) else ["health: no warning"]
        lines.append(f"next: {shell_line('evaluate', result.path)}")
    elif said:
        state = "has not learned" if learned.state == "missed" else "has perhaps not learned"
        lines.append(words(f"this model {state}: {learned.told}"))
        lines += _remedies(result, (train, held))
    return lines


def _warnings(result: loading.Run) -> list[str]:
    from diabolo.evaluation import closing

    return [result.config.words(f"warning: {text}") for text in closing.warnings(result)]


def _remedies(result: loading.Run, images: tuple[Images, Images]) -> list[str]:
    """What the doctor says of it, and the command that follows."""
    from diabolo.doctor import diagnose

    found = diagnose(result, images).illnesses
    if not found:
        more = 3 * max(1, len(result.history))
        return ["try more epochs or another --lr", f"next: {shell_line('resume', result.path, '--epochs', more)}"]
    first = found[0]
    command = [f"next: {first.remedy.command}"] if first.remedy.command else []
    return [f"{first.name}: {first.evidence}; try {first.remedy.words}", *command]


def _is_first() -> bool:
    """Whether this is the first process, or the only one (the others have parted by now)."""
    return distributed.launched_as() == 0


def _word_type(annotation: Any) -> Any:
    """The part of a type that can be written on a command line: `float | str | Schedule` → `float | str`."""
    if get_origin(annotation) in (Union, UnionType):
        kept = [a for a in get_args(annotation) if a in WORDS or get_origin(a) is tuple]
        return Union[tuple(kept)]  # noqa: UP007  # the members are only known here
    return annotation


def _command(name: str, recipe: Callable[..., Any]) -> Callable[..., None]:
    """A function whose signature is the recipe's options, the data options and the training options, for cyclopts."""
    options = zoo.options_of(name)

    def command(**given: Any) -> None:
        run(name, {key: given[key] for key in options if given.get(key) is not None}, given)

    signature = {key: (hint(key, kind), default) for key, (kind, default) in options.items()} | SHARED
    return taking(command, keywords(signature), words_of(recipe))


def hint(key: str, kind: Any) -> Any:
    """The type of a model's option as cyclopts is to read it: `--hidden 512 256` are two widths, `--no-hidden` makes a linear
    model."""
    text = zoo.HELP[key][0].lower() + zoo.HELP[key][1:]
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    several = (1, None) if any(get_origin(k) is tuple for k in kinds) else None
    negative = None if several is None else "--no-hidden" if key == "hidden" else ()
    return Annotated[_word_type(kind), Parameter(group=MODEL, help=text, consume_multiple=several, negative=negative)]


_FLAGS = [f.name for kind in (DataFlags, TrainOptions) for f in fields(kind)] + [*SHARED]


# After the options of the recipe itself, those that a newcomer wants first; the others are shown by --help-all
FIRST = (
    "epochs", "lr", "batch_size", "data", "latent_dim", "net", "seed", "out", "n_train", "likelihood", "schedule", "name",
    "quiet", "n_test", "figures", "dry_run",
)  # fmt: skip
SHOWN, OF_ITS_OWN = 10, 6  # options in --help, and at most so many of the recipe itself


def first_options(name: str, unseen: Collection[str] = ()) -> list[str]:
    """The options that matter most for the recipe of that name: its own first."""
    own, known = list(zoo.own_options_of(name)), zoo.options_of(name)
    usual = [option for option in FIRST if option in known or (option in _FLAGS and option not in unseen)]
    return list(dict.fromkeys([*own[:OF_ITS_OWN], *usual]))[:SHOWN]


def offer(name: str) -> None:
    """Make the recipe of that name a command of `diabolo train`.

    Raises:
        DiaboloError: when it has an option that has a meaning there already: flags are one flat list.
    """
    recipe = zoo.RECIPES[name]
    flags = [*_FLAGS, *zoo.options_of(name)]
    if twice := [flag for flag in flags if flags.count(flag) > 1]:
        raise DiaboloError(
            f"the option {twice[0]!r} of the recipe {name!r} is one of every training: give it another name"
        )
    unseen = OF_THE_LOOP if get_type_hints(recipe).get("return") is PCA else set()
    first = first_options(name, unseen)
    order = list(zoo.RECIPES).index(name)
    app.command(
        _command(name, recipe),
        name=name,
        sort_key=order,
        help_formatter=TidyHelp(unseen, first),
        help_epilogue=f"{SEE_ALL}\n\n{EVERYWHERE}",
    )


for _name in zoo.RECIPES:
    offer(_name)
