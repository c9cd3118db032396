"""Lines that can be typed: the training of a run again, with something changed."""

import math
import shlex
from dataclasses import fields
from typing import Any

from diabolo import trust, zoo
from diabolo.data.loading import is_known
from diabolo.data.options import DataOptions
from diabolo.doctor.patient import Patient
from diabolo.doctor.symptom import Remedy
from diabolo.runs.config import Config
from diabolo.training.options import TrainOptions, defining
from diabolo.training.usual import RATES, settled

USUAL = RATES["constant"]  # the learning rate that trains every recipe of the zoo
PEAK = 3 * USUAL  # and one that trains most of them faster, and is gentle after one that was too high
REACH = 0.3  # how far all steps together can move a weight, below which it can hardly have come to where it should be
NAMES_CODE = ("encoder", "decoder")
OF_DATA = ("classes", "columns")  # the command line reads them off the data


def gentler(lr: float) -> float:
    """A learning rate to try after `lr` was too high."""
    return min(lr / 10, PEAK)


def reach(patient: Patient) -> float:
    """How far all steps of training together can have moved a weight: Adam moves it by about the learning rate a step."""
    history = patient.run.history
    return patient.lr * float(history[-1].get("step", 0)) if history else 0.0


def enough(patient: Patient, lr: float) -> int:
    """Epochs, no fewer than there were, that reach far enough at the learning rate `lr`."""
    images, batch = int(patient.run.config.train.images), int(patient.option("batch_size"))
    return max(int(patient.option("epochs")), math.ceil(3 * REACH / (lr * math.ceil(images / batch))))


def train_again(patient: Patient, words: str, **changes: Any) -> Remedy:
    """The training again with `changes`, options of the model, of the training or of the data; None takes one back.

    What the recipe does not know is left out. In words alone where nothing is left to change, or where the run does not say how
    its model was asked for or what images it was trained on.
    """
    config = patient.run.config
    changes = {name: value for name, value in changes.items() if _takes(config.name, name)}
    said_so = ", ".join(flags({name: value for name, value in changes.items() if value is not None}))
    said = f"{words} ({said_so})" if said_so else words
    before = line_of(config)
    if before is None or not changes or {**before, **changes} == before:
        return Remedy(said)
    options = {name: value for name, value in {**before, **changes}.items() if value is not None}
    return Remedy(said, " ".join(["diabolo train", zoo.path_of(config.name), *flags(options)]))


def all_images(patient: Patient) -> Remedy | None:
    """The training again with all the images there are, in batches of the usual size; None when it had them all."""
    n = patient.run.config.train.load.get("n_train")
    if n is None:
        return None
    usual = TrainOptions().batch_size
    batch = None if n < usual else patient.option("batch_size")
    return train_again(patient, f"all training images, not {n:,} of them", n_train=None, batch_size=batch)


def line_of(config: Config) -> dict[str, Any] | None:
    """The options with which `diabolo train` trains the run of that config again; None where it does not say enough."""
    origin, asked = config.train.origin, config.train.load
    if config.recipe is None or origin is None or not asked or config.name not in zoo.RECIPES:
        return None
    known = zoo.options_of(config.name)
    recipe = {name: value for name, value in config.recipe.items() if name in known and name not in OF_DATA}
    code = [recipe[name] for name in NAMES_CODE if isinstance(recipe.get(name), str)]
    if not (is_known(asked["name"]) and all(trust.is_trusted(path.partition(":")[0]) for path in code)):
        return None  # whoever typed the line would run code that only the folder speaks of
    data = {f.name: asked[f.name] for f in fields(DataOptions) if asked.get(f.name, f.default) != f.default}
    if origin.get("part", "train") != "train":
        return None  # no line trains on test images
    held = origin.get("held_out")
    watched = {"validation": held["fraction"]} if held else {} if config.validation else {"validation": "none"}
    if config.name == "pca" and not held:
        watched = {}  # solved at once
    return {**recipe, "data": asked["name"], **data, **watched, **_said(config)}


def same_line_of(config: Config) -> dict[str, Any] | None:
    """The same, where it trains the run again to the same weights: what it validates with is said too, which may choose among
    them. None where it began with weights of its own, was given further epochs, or its images are others than a line gives."""
    options = line_of(config)
    if options is None or config.not_again:
        return None
    watched, held = config.validation, (config.train.origin or {}).get("held_out")
    if watched is not None and watched.load != config.train.load:
        return None
    seen = {} if watched is None else watched.origin or {}
    if held:
        split = {"fraction": held["fraction"], "seed": config.train.load.get("data_seed", DataOptions.data_seed)}
        kept, out = split | {"part": "kept"}, split | {"part": "held out"}
        return options if held == kept and (watched is None or seen.get("held_out") == out) else None
    if watched is None or seen.get("part") == "validation":
        return options
    return {**options, "validation": "test"} if seen.get("part") == "test" else None


def _said(config: Config) -> dict[str, Any]:
    """The fewest options of which its training comes out as it is."""
    known = {field.name for field in fields(TrainOptions)}
    said = {name: value for name, value in defining(config.options).items() if name in known}
    for name, value in list(said.items()):
        others = {other: told for other, told in said.items() if other not in (name, "optimizer")}
        if settled(config.train.images, others).as_dict()[name] == value:
            del said[name]
    return said


def _takes(recipe: str, option: str) -> bool:
    """Whether `diabolo train` of that recipe has the option."""
    known = {field.name for field in fields(TrainOptions)} | {"n_train", "drop_leaks", "validation"}
    return option in known or recipe not in zoo.RECIPES or option in zoo.options_of(recipe)


def train(config: Config, options: dict[str, Any]) -> str:
    """`diabolo train …` with the `options`, by as many processes as trained the run of `config`."""
    processes = config.resolved.get("processes", 1)
    verb = "diabolo train" if processes == 1 else f"torchrun --nproc-per-node {processes} -m diabolo train"
    return " ".join([verb, zoo.path_of(config.name), *flags(options)])


def flags(options: dict[str, Any]) -> list[str]:
    """{"latent_dim": 4, "hidden": [16, 8], "kmeans": False} → --latent-dim 4, --hidden 16 8, --no-kmeans."""
    flags = []
    for name, value in options.items():
        flag = shlex.quote(f"--{name.replace('_', '-')}")
        if value is False or (isinstance(value, list | tuple) and not value):
            flags.append(shlex.quote(f"--no-{name.replace('_', '-')}"))
        elif value is True:
            flags.append(flag)
        else:
            words = value if isinstance(value, list | tuple) else [value]
            flags.append(" ".join([flag, *map(_word, words)]))
    return flags


def _word(value: Any) -> str:
    """A number as short as it can be without becoming another, or a word as a shell takes it."""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return shlex.quote(str(value))
