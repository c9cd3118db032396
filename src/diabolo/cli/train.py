"""`diabolo train MODEL`: one command per recipe of the zoo, with that recipe's own options."""

import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import torch
from cyclopts import App, Group, Parameter

from diabolo import gallery, zoo
from diabolo.cli.main import VERBS
from diabolo.cli.options import DataOptions
from diabolo.randomness import derive
from diabolo.training import runs
from diabolo.training.fit import fit
from diabolo.training.options import TrainOptions

app = App(name="train", help=VERBS["train"])

MODEL, DATA, TRAINING = Group("Model", sort_key=1), Group("Data", sort_key=2), Group("Training", sort_key=3)
WORDS = (int, float, str, bool, type(None))


def run(
    name: str, model_options: dict[str, Any], data: DataOptions, training: TrainOptions, dry_run: bool, figures: bool
) -> None:
    """Load, build, train, draw."""
    train, test = data.load()
    torch.manual_seed(derive(training.seed, "weights"))
    model = zoo.build(name, train.shape, **model_options)
    decides = training.early_stopping is not None or training.keep == "best"
    train, validation = data.watched(train, test, decides)
    if dry_run:
        config = runs.describe(model, training.as_dict(), {}, train, validation)
        print(json.dumps(config, indent=2, ensure_ascii=False))
        print(model.summary())
        return
    result = fit(model, train, validation, **training.as_dict())
    if figures:
        gallery.draw(result, test)


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
        model_options = {key: given[key] for key in options if given.get(key) is not None}
        data, training = given.get("data") or DataOptions(), given.get("training") or TrainOptions()
        run(name, model_options, data, training, given.get("dry_run", False), given.get("figures", True))

    parameters = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
        for key, (kind, default) in options.items()
        for hint in [Annotated[_word_type(kind), Parameter(group=MODEL, help=zoo.HELP[key])]]
    ]
    shared: dict[str, tuple[Any, Any]] = {
        "data": (Annotated[DataOptions | None, Parameter(name="*", group=DATA)], None),
        "training": (Annotated[TrainOptions | None, Parameter(name="*", group=TRAINING)], None),
        "dry_run": (
            Annotated[bool, Parameter(negative=(), help="Print the resolved config and the summary; stop.")],
            False,
        ),
        "figures": (Annotated[bool, Parameter(help="Draw figures into the run folder afterwards.")], True),
    }
    parameters += [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
        for key, (hint, default) in shared.items()
    ]
    command.__name__ = name
    command.__doc__ = inspect.getdoc(recipe)
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # how a signature is set
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


for _name, _recipe in zoo.RECIPES.items():
    app.command(_command(_name, _recipe), name=_name)

_SHARED = {f.name for f in fields(DataOptions)} & {f.name for f in fields(TrainOptions)}
if _SHARED:  # one flat list of flags: the API would be ambiguous
    raise RuntimeError(f"two options of one name: {_SHARED}")
