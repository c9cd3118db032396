"""What the study `guide` says of a training that is watched while it goes on (5.17)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.unit import to_float
from diabolo.studies.guide.plain import Answer, Numbers

Pictures = Mapping[int, Mapping[str, NDArray[np.uint8]]]


def changes(pictures: Pictures) -> dict[int, float]:
    """How much the samples from the same noise have changed since the picture before, by epoch: squared error per pixel."""
    samples = {epoch: to_float(shown["samples"], np.float64) for epoch, shown in sorted(pictures.items())}
    return {later: float(((samples[later] - samples[before]) ** 2).mean()) for before, later in pairwise(samples)}


def by_step(lines: Sequence[Mapping[str, Any]], history: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """The loss at each line of steps.jsonl, and the mean of its epoch, which is all that a line an epoch shows."""
    means = {line["epoch"]: line["train"]["total"] for line in history}
    return {
        "every 100 batches": [line["train"]["total"] for line in lines],
        "every epoch": [means[line["epoch"]] for line in lines],
    }


def early(n: Numbers) -> str:
    """5.17: what the finer lines show."""
    first, end_of_first, last = (
        n[f"loss, {when}"].value for when in ("first 100 batches", "end of the first epoch", "last 100 batches")
    )
    share = (first - end_of_first) / max(first - last, 1e-12)
    if first == end_of_first:
        return (
            f"The loss falls from {first:.1f} in the first hundred batches to {last:.1f} nats per image in the last hundred. "
            f"An epoch has fewer than two hundred batches here, so these lines show little more than the epochs."
        )
    told = (
        "Most of the fall is over before a log by epoch has its first line. A learning rate that is too high, or a loss that "
        "does not fall, shows here after seconds."
        if share > 0.5
        else "Here the fall is spread over the epochs, so one line per epoch shows it as well."
    )
    return (
        f"The loss falls from {first:.1f} in the first hundred batches to {end_of_first:.1f} nats per image within the first "
        f"epoch, {100 * share:.0f} % of its whole fall (to {last:.1f}). {told}"
    )


def strip(n: Numbers, epochs: Sequence[int]) -> str:
    """5.17: how the samples change."""
    moved = [n[f"change of the samples by epoch {epoch}"].value for epoch in epochs]
    told = "; ".join(f"{value:.2g} by epoch {epoch}" for epoch, value in zip(epochs, moved, strict=True))
    settles = all(a >= b for a, b in pairwise(moved))
    why = (
        "The changes shrink, also because the learning rate falls to 0: late pictures differ only in details."
        if settles and len(moved) > 1
        else "The changes do not shrink from picture to picture, so the samples have not settled when the training ends."
        if len(moved) > 1
        else "One change does not show whether they settle."
    )
    return (
        f"Samples from the same noise change from picture to picture, in squared error per pixel: {told}. {why} Samples that "
        f"all look alike from the first picture on would reveal a collapse before training has ended."
    )


def answer(n: Numbers) -> Answer:
    """5.17."""
    first, end, last = (
        n[f"loss, {w}"].value for w in ("first 100 batches", "end of the first epoch", "last 100 batches")
    )
    share = (first - end) / max(first - last, 1e-12)
    gain = "nothing here: an epoch has fewer than two hundred batches"
    if first != end:
        gain = (
            f"{100 * share:.0f} % of the fall of the loss is within the first epoch, where a log by epoch shows nothing"
        )
    cost = "a line every hundred batches and a picture every five epochs: --log-every 100 --sample-every 5"
    return "Watching a training", "whenever a training is new", gain, cost
