"""What a training is like where not all of it is said: chosen by experiment (docs/defaults.md), and kept in config.json."""

from collections.abc import Mapping
from typing import Any

from diabolo import distributed
from diabolo.plain import count
from diabolo.training.options import TrainOptions

STEPS = 3_000  # at least, where the number of epochs is not given
FEWEST = 32  # images in a batch at least, where its size is not given
SHARE = 32  # a batch is then at most this part of all images, one in 32
RATES = {"one-cycle": 5e-3, "cosine": 1e-3, "constant": 1e-3}  # the learning rate that suits a schedule


def settled(images: int, given: Mapping[str, Any]) -> TrainOptions:
    """The options of a training on so many `images`: those `given` by name, and for the others what suits.

    Raises:
        UnknownNameError: for an option that does not exist.
        DiaboloError: for a value that an option does not take.
    """
    asked = TrainOptions.of(**given)
    usual: dict[str, Any] = {"schedule": "constant" if asked.early_stopping else asked.schedule}
    if asked.labelled_per_batch is None:
        usual["batch_size"] = min(asked.batch_size, max(FEWEST, 2 ** ((images // SHARE).bit_length() - 1)))
    usual["lr"] = RATES[(usual | dict(given))["schedule"]]
    found = asked.but(**(usual | dict(given)))
    return found if "epochs" in given else found.but(epochs=max(found.epochs, -(-STEPS // steps(images, found))))


def steps(images: int, options: TrainOptions) -> int:
    """Steps in an epoch of so many `images`."""
    others = options.batch_size - (options.labelled_per_batch or 0)
    return max(1, -(-images // (others * distributed.launched())))


def lengthened(images: int, given: Mapping[str, Any], options: TrainOptions) -> str:
    """What to say where few `images` get more epochs than is usual; "" where they do not, or the epochs are `given`."""
    if "epochs" in given or options.epochs == TrainOptions.epochs:
        return ""
    each = count(steps(images, options), "step")
    return f"{count(images, 'training image')}, {each} an epoch: trained for {options.epochs} epochs (--epochs)"
