"""How images came to be, as JSON-able data, so that an interrupted training finds the same ones again."""

from dataclasses import replace
from typing import Any

import numpy as np

from diabolo.data.draws import permutation
from diabolo.data.images import Images
from diabolo.data.loading import load_parts
from diabolo.errors import DiaboloError


def hold_out(train: Images, fraction: float, seed: int = 42) -> tuple[Images, Images]:
    """Split training images into those to train on and a seeded share of `fraction` to validate with.

    Raises:
        DiaboloError: when `fraction` is not in (0, 1), or would leave one side empty.
    """
    held = round(fraction * len(train)) if 0 < fraction < 1 else 0
    if not 0 < held < len(train):
        raise DiaboloError(f"cannot hold out a share of {fraction} of {len(train)} training images")
    order = permutation(len(train), seed)
    halves = train.take(np.sort(order[held:])), train.take(np.sort(order[:held]))
    if train.origin is None or "held_out" in train.origin:
        return halves[0], replace(halves[1], split="validation")
    parts = ("kept", "held out")
    origins = [train.origin | {"held_out": {"fraction": fraction, "seed": seed, "part": part}} for part in parts]
    return replace(halves[0], origin=origins[0]), replace(halves[1], split="validation", origin=origins[1])


def reload(origin: dict[str, Any]) -> Images:
    """The images of that `Images.origin`.

    Raises:
        DiaboloError: when they are not there any more, or `origin` was edited to nonsense.
    """
    try:
        parts = load_parts(**origin["load"])
        images: Images | None = parts._asdict()[origin["part"]]
        if images is None:
            raise DiaboloError(f"{origin['load']['name']} has no {origin['part']} part any more")
        if "held_out" in origin:
            split = origin["held_out"]
            halves = hold_out(images, split["fraction"], split["seed"])
            images = halves[("kept", "held out").index(split["part"])]
    except DiaboloError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise DiaboloError(f"the run does not say where its images came from: {error!r} in {origin}") from error
    return images
