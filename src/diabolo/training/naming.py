"""Models by name: which of the options given to `fit` are the model's, and which the training's."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from diabolo import zoo
from diabolo.data.images import Images
from diabolo.errors import UnknownNameError
from diabolo.training.options import TrainOptions
from diabolo.training.usual import settled
from diabolo.zoo.recipe import called


def built(model: Any, train: Images, options: Mapping[str, Any]) -> tuple[Any, TrainOptions]:
    """The model and the options of its training. A model that is there already stays as it is, and all `options` are the
    training's; one that is named is made of those that its recipe has, with weights drawn from the seed of the training.

    Raises:
        UnknownNameError: for a model or an option that does not exist.
    """
    if not isinstance(model, str):
        return model, settled(len(train), options)
    name = called(model)
    ours, theirs = {field.name for field in fields(TrainOptions)}, zoo.options_of(name)
    for option in options:
        if option not in ours and option not in theirs:
            of = f" of the model {name!r} or its training"
            raise UnknownNameError(
                "option", option, [*theirs, *ours], of, f"diabolo train {zoo.path_of(name)} --help-all"
            )
    chosen = settled(len(train), {option: value for option, value in options.items() if option in ours})
    own = {option: value for option, value in options.items() if option not in ours}
    return zoo.build_for(name, train, chosen.seed, **own), chosen
