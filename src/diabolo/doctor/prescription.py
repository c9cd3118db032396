"""Lines that can be typed: the training of a run again, with something changed."""

import shlex
from typing import Any

from diabolo import zoo
from diabolo.doctor.patient import Patient
from diabolo.doctor.symptom import Remedy
from diabolo.training.options import TrainOptions

DATA_FLAGS = {"seed": "data_seed", "channels": "image_channels"}  # where `load` and the command line differ
QUIETLY = ("quiet", "device", "threads", "store", "graph", "compile", "tensorboard", "checkpoint_every", "precision")


def train_again(patient: Patient, words: str, **changes: Any) -> Remedy:
    """The training again with `changes`, options of the model, of the training or of the data; as words alone where the run
    does not say how its model was asked for, or what images it was trained on."""
    config = patient.run.config
    flags = ", ".join(_flags({name: value for name, value in changes.items() if value is not None}))
    said = f"{words} ({flags})" if flags else words
    origin = config["data"]["train"]["origin"]
    if config.get("recipe") is None or origin is None or config["name"] not in zoo.RECIPES:
        return Remedy(said)
    load = {
        name: value for name, value in origin["load"].items() if value is not None and (name, value) != ("seed", 42)
    }
    data = {DATA_FLAGS.get(name, name): value for name, value in load.items() if name != "name"}
    usual = TrainOptions().as_dict()
    training = {n: v for n, v in config["options"].items() if v != usual.get(n) and n not in QUIETLY}
    options = {**config["recipe"], "data": load["name"], **data, **training, **changes}
    known = [name for name, value in options.items() if value is not None]
    return Remedy(said, " ".join(["diabolo train", config["name"], *_flags({name: options[name] for name in known})]))


def _flags(options: dict[str, Any]) -> list[str]:
    """{"latent_dim": 4, "hidden": [16, 8], "kmeans": False} → --latent-dim 4, --hidden 16 8, --no-kmeans."""
    flags = []
    for name, value in options.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words = value if isinstance(value, list | tuple) else [value]
            told = [f"{word:g}" if isinstance(word, float) else shlex.quote(str(word)) for word in words]
            flags.append(" ".join([f"--{flag}", *told]))
    return flags
