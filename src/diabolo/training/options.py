"""Everything that can be said about a training, in one place: the API, the CLI and YAML files all fill this dataclass."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any, Literal

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.ranges import Above, At, Count, Folder, ItsOwn, PartOf, Positive, Seed, Weight, check_fields

MOST_THREADS = 1024
Epochs = Annotated[int, At(1, 10_000_000)]
Rate = Annotated[float, Above(0, 1000)]
Course = Literal["constant", "cosine", "one-cycle"]

BESIDE = {"beside": True}  # of a field: it says where and how a training runs, and does not change what is learned


@dataclass(frozen=True)
class TrainOptions:
    """Options of a training.

    Args:
        init: a run folder whose weights are taken over before training, where names and shapes agree; of a training that broke
            off, those of its last epoch that ended well.
        freeze: weights that stay as they are: names of parts, or patterns such as 'encoder.*'; once for each.
        epochs: passes over the training images; when left out 10, or for few images as many as make 3,000 steps.
        batch_size: images per step and process, all of them where there are fewer; when left out 128, and from 4,096 images
            downwards fewer, 32 at least.
        labelled_per_batch: images of each batch whose label is known; they come round in turn, and the rest of the batch is of
            all images. As it falls when left out.
        lr: learning rate, the highest of the schedule; when left out 5e-3 for one-cycle, else 1e-3.
        schedule: how the learning rate changes: one-cycle (up, then down), cosine (down to 0) or constant; when left out
            one-cycle, and constant with early stopping, whose last epoch is not known beforehand.
        optimizer: adam, adamw, sgd, or muon (for matrices, with adamw for the rest), also with options of its own:
            'sgd(momentum=0.9, nesterov=true)', 'adam(beta1=0.5)'; from Python an optimizer of `diabolo.updates` too.
        weight_decay: how strongly weights are drawn to zero: an L2 penalty (adam, sgd), or decoupled decay (adamw, muon).
        clip_norm: largest norm of the gradient; none when left out.
        ema: decay of an exponential moving average of the weights, such as 0.999; the average is what is kept. At step t it
            is (1 + t) / (10 + t) until that exceeds it, so that a short training keeps little of its random start.
        early_stopping: stop after so many epochs without a better validation loss; those in which a weight of the loss still
            changes (a warm-up of beta, say) do not count, and none of them is the best.
        min_delta: what counts as better, in units of the loss.
        keep: weights kept at the end: last, or best (lowest validation loss; also saved as best.safetensors).
        precision: auto (bf16 where the chip multiplies it natively, else float32), float32, bf16 or float16.
        device: auto (a CUDA device when there is one, else the CPU), cpu, cuda, cuda:1, …, or mps (the GPU of a Mac, in
            float32).
        threads: CPU threads; all the cores this process may use when left out. A training repeats itself bit for bit with the
            same number only.
        store: where the images lie: auto, device, host or disk.
        compile: compile the whole step with torch's Inductor, which needs a C++ compiler and some seconds, once: about 1.5
            times as fast where layers are fully connected, little gain where convolutions are nearly all of the work. auto: on
            a CPU, where there is a compiler and the training is long enough to earn those seconds back.
        graph: on CUDA, capture the whole step in a CUDA graph.
        seed: of the order of images, and of all noise.
        out: the folder of runs; from Python also None: nothing is written, and what needs a folder is refused.
        name: the run's name after its number; model-data when left out.
        checkpoint_every: epochs between checkpoints.
        log_every: steps between lines of steps.jsonl, each the mean loss of the steps since the last; no lines when left out.
        sample_every: epochs between pictures of samples and of the reconstructions of the same few images (of the validation
            images where there are some); they stand by epoch in figures/progress-*.png. No pictures when left out.
        health: look after each epoch for what goes wrong (unused units and codes, a code that is ignored, stuck outputs), and
            warn of it. Of a few rows that takes as long as an epoch.
        tensorboard: also write TensorBoard events (needs the extra 'tensorboard').
        quiet: print nothing.
    """

    init: Folder | None = None
    freeze: tuple[str, ...] | None = None
    epochs: Epochs = 10
    batch_size: Count = 128
    labelled_per_batch: Count | None = None
    lr: Rate = 5e-3
    schedule: Course = "one-cycle"
    optimizer: Annotated[str, ItsOwn()] = "adam"
    weight_decay: Weight = 0.0
    clip_norm: Positive | None = None
    ema: PartOf | None = None
    early_stopping: Count | None = None
    min_delta: Weight = 0.0
    keep: Literal["last", "best"] = "last"
    precision: Literal["auto", "float32", "bf16", "float16"] = "auto"
    device: str = field(default="auto", metadata=BESIDE)
    threads: Annotated[int, At(1, MOST_THREADS)] | None = field(default=None, metadata=BESIDE)
    store: Literal["auto", "device", "host", "disk"] = field(default="auto", metadata=BESIDE)
    compile: bool | Literal["auto"] = field(default="auto", metadata=BESIDE)
    graph: bool = field(default=True, metadata=BESIDE)
    seed: Seed = 0
    out: Folder | None = field(default="runs", metadata=BESIDE)
    name: str | None = field(default=None, metadata=BESIDE)
    checkpoint_every: Count = field(default=1, metadata=BESIDE)
    log_every: Count | None = field(default=None, metadata=BESIDE)
    sample_every: Count | None = field(default=None, metadata=BESIDE)
    health: bool = field(default=True, metadata=BESIDE)
    tensorboard: bool = field(default=False, metadata=BESIDE)
    quiet: bool = field(default=False, metadata=BESIDE)

    def __post_init__(self) -> None:
        freeze: object = self.freeze
        if isinstance(freeze, str):  # one word, or several
            object.__setattr__(self, "freeze", (freeze,))
        check_fields(self)
        object.__setattr__(self, "freeze", self.freeze or None)
        if self.optimizer != TrainOptions.optimizer:  # the usual one needs no look, and no torch
            from diabolo.updates.optimizer import as_optimizer

            chosen = as_optimizer(self.optimizer, self.weight_decay)
            given: object = self.optimizer
            if not isinstance(given, str):
                object.__setattr__(self, "optimizer", chosen)
        if self.labelled_per_batch is not None and self.labelled_per_batch >= self.batch_size:
            raise DiaboloError(
                f"labelled_per_batch must be below the batch size of {self.batch_size}, not {self.labelled_per_batch}"
            )

    @classmethod
    def of(cls, **options: Any) -> "TrainOptions":
        """The options given by name; an unknown one is refused with the nearest valid name."""
        return cls().but(**options)

    def but(self, **changes: Any) -> "TrainOptions":
        """These options with some changed."""
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise UnknownNameError("training option", name, known, see="diabolo train vae --help-all")
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """The options as JSON-able data."""
        from diabolo.parts import describe

        return asdict(self) | {"optimizer": describe(self.optimizer)}


def defining(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the `options`, name → value, that change what is learned, with the defaults of those that are not given: two
    trainings in which these, the model and the images agree are of one model."""
    beside = {field.name for field in fields(TrainOptions) if field.metadata.get("beside")}
    return {name: value for name, value in {**TrainOptions().as_dict(), **options}.items() if name not in beside}
