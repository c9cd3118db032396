"""What a training did and its script does not: it is said, in a comment and when the script runs."""

from diabolo.runs.config import Config
from diabolo.training.options import TrainOptions
from diabolo.unfold.images import Source

LEFT_OUT = {
    "ema": "the moving average of the weights",
    "early_stopping": "early stopping",
    "labelled_per_batch": "a fixed number of labelled images in each batch",
    "init": "that its first weights were those of another run",
}


def left_out(config: Config, options: TrainOptions, images: Source) -> list[str]:
    """What the training did and the script does not, in words."""
    left = [words for name, words in LEFT_OUT.items() if getattr(options, name)]
    if options.keep == "best":
        left.append("that the weights of the best epoch were kept")
    if config.stage is not None:
        left.append("that its layers were first trained one by one")
    about = config.validation
    if about is not None and "held_out" not in images.parts and (about.origin or {}).get("part") != "test":
        left.append("the images that it was validated with, which are not known here")
    if alone(config, options):
        left.append(
            "the last image of an epoch, which would be a batch of its own (in the run it joins the batch before)"
        )
    return left


def alone(config: Config, options: TrainOptions) -> bool:
    """Whether one image of an epoch is left over for a last batch, of which batch norm can make nothing."""
    batch = batch_size(config, options)
    return config.train.images > batch > 1 and config.train.images % batch == 1


def batch_size(config: Config, options: TrainOptions) -> int:
    """How many images a step of all its processes took."""
    processes = config.resolved.get("processes", 1)
    return options.batch_size * (processes if isinstance(processes, int) else 1)
