"""Bad input is refused before training starts, not after an epoch."""

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from diabolo import distributed
from diabolo.autoencoder import Autoencoder
from diabolo.codec import HAIR, evaluating
from diabolo.conditions import UNKNOWN
from diabolo.data.arrays import as_images
from diabolo.data.columns import column
from diabolo.data.images import Images, chunks, extent
from diabolo.data.origin import Record, again, check_same
from diabolo.data.stores import free_memory
from diabolo.errors import DiaboloError
from diabolo.hardware import choose_device, choose_precision
from diabolo.memory import TRIED, TooLargeError, words
from diabolo.plain import count
from diabolo.ranges import LARGEST
from diabolo.runs import files
from diabolo.runs.checkpoint import State
from diabolo.runs.lines import shell_line
from diabolo.runs.unwritten import needs_folder
from diabolo.tracking.tensorboard import event_writer_class
from diabolo.training.closed_form import solved_at_once
from diabolo.training.compiling import loss_of_first, unfit
from diabolo.training.options import TrainOptions
from diabolo.training.stepping import usual_rule
from diabolo.training.transfer import fitting
from diabolo.updates import player
from diabolo.updates.freezing import matching
from diabolo.updates.step import check_minimised
from diabolo.updates.trainable import can_be_trained


class NothingLeftError(DiaboloError):
    """A training is to go on that has ended."""


SAMPLE = (2, 4)  # images, by which the memory that a batch takes is estimated
MOST_KEPT = 10_000  # features for each pixel, where a batch is so small that it is not looked at
START = 2048  # training images that a bottleneck may look at before training


def check(model: Any, train: Images, validation: Images | None, options: TrainOptions) -> TrainOptions:
    """Refuse what cannot work, before anything is made; the options as they can be used: no batch holds more images than there
    are."""
    if not (solved_at_once(model) or can_be_trained(model)):
        raise DiaboloError(f"fit trains an Autoencoder or a PCA, not a {type(model).__name__}; see diabolo.zoo")
    for images in (train, validation):
        if images is not None and images.shape != model.input_shape:
            raise DiaboloError(
                f"the model was made for images of shape {model.input_shape}, but {images.name} ({images.split}) has "
                f"{images.shape}; make it with input_shape={images.shape}"
            )
        if images is not None:
            _check_numbers(model, images)
    if solved_at_once(model):
        if options.freeze or options.init:
            name = type(model).__name__
            raise DiaboloError(f"a {name} is solved in closed form: leave freeze and init out")
        return options
    frozen = matching(model, options.freeze)
    if not any(p.requires_grad and name not in frozen for name, p in model.named_parameters()):
        raise DiaboloError("there is nothing to train: all weights are frozen; freeze fewer")
    for name, p in model.named_parameters():
        if not p.isfinite().all():
            raise DiaboloError(
                f"the weights to begin with hold NaN or infinity, first in {name!r}: make the model anew"
            )
    player.check(model, model.players, usual_rule(options), frozen)
    if model.after_update is not None:
        _check_constraint(model, frozen)
    if options.init:
        fitting(model, options.init)
    if validation is not None and len(validation) < distributed.world():
        raise DiaboloError(
            f"{count(len(validation), 'validation image')} are too few for {distributed.world()} processes: start fewer"
        )
    for images in (train, validation):
        if images is not None and (known := column(images, model.needs_column)) is not None:
            _check_known(model, images, known)
    if options.labelled_per_batch is not None:
        labels = column(train, "labels") if model.needs_column == "labels" else None
        if labels is None or not (labels != UNKNOWN).any():
            raise DiaboloError("labelled_per_batch needs a model that reads labels, and images of which some have one")
    if options.tensorboard:
        event_writer_class()
    check_folder(options)
    if len(train) < distributed.world():
        raise DiaboloError(
            f"{count(len(train), 'training image')} are too few for {distributed.world()} processes: start fewer"
        )
    options = options.but(batch_size=min(options.batch_size, len(train) // distributed.world()))
    if isinstance(model, Autoencoder):  # a prior over codes has no bottleneck
        model.bottleneck.check(min(len(train), START))
    _check_memory(model, options)
    _check_batch(model, train, options)
    if options.compile is True and (why := unfit(model, options)):
        raise DiaboloError(why)
    norms = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
    if options.batch_size == 1 and any(isinstance(m, norms) for m in model.modules()):
        raise DiaboloError("batch norm needs batches of 2 images or more; use --batch-size 2 or --norm group")
    needs_validation = "early_stopping" if options.early_stopping else "keep='best'" if options.keep == "best" else None
    if needs_validation and validation is None:
        raise DiaboloError(
            f"{needs_validation} needs validation images to go by: give some (validation=, --validation 0.1)"
        )
    return options


def _check_numbers(model: Any, images: Images) -> None:
    """Refuse numbers that the scaling of the model does not take, or its likelihood cannot score."""
    if not hasattr(model, "scaling"):  # a prior over codes has none
        return
    if images.images.dtype == np.uint8:  # which are fractions of white
        if can_be_trained(model) and model.likelihood.counts:
            model.likelihood.check_data(0.0, 1.0, whole=False)
        return
    where, (least, most) = f"{images.name} ({images.split})", model.scaling.reach
    takes = getattr(model, "takes_missing", False)
    low, high = extent(images.images, f"values of {where}", images.missing)
    if images.missing and not takes and any(bool(np.isnan(piece).any()) for piece in chunks(images.images)):
        remedy = "make it with masked=True (--masked)" if can_be_trained(model) else "fill them in first"
        raise DiaboloError(f"numbers of {where} are missing, and the model {model.name} takes none that are: {remedy}")
    if low < least - HAIR or high > most + HAIR:
        raise DiaboloError(
            f"{where} holds numbers from {low:.6g} to {high:.6g}, and this model takes those in [0, 1]: make it with "
            "scaling='standard' (--scaling standard)"
        )
    if max(-low, high) > LARGEST:
        raise DiaboloError(
            f"{where} holds numbers from {low:.6g} to {high:.6g}, and float32 ends at {LARGEST:g}: give them in a larger unit"
        )
    if can_be_trained(model):
        for piece in chunks(images.images):
            model.likelihood.check_features(piece, images.feature_names)
    if can_be_trained(model) and model.likelihood.counts:
        whole = all(bool((np.isnan(piece) | (piece == np.rint(piece))).all()) for piece in chunks(images.images))
        model.likelihood.check_data(low, high, whole)


def check_folder(options: TrainOptions, *more: str) -> None:
    """Refuse what is asked for and needs a run folder, where there is to be none; `more` is what was asked for besides."""
    asked = [name for name in ("log_every", "sample_every", "tensorboard") if getattr(options, name)]
    if options.out is None and (needing := [*asked, *more]):
        raise needs_folder(needing[0])


def _check_memory(model: nn.Module, options: TrainOptions) -> None:
    """Refuse a training whose weights, their gradients and what the optimizer and `ema` keep of each do not fit."""
    device = choose_device(options.device)
    there = [weights for weights in model.parameters() if weights.device.type == device.type]
    slots = len(usual_rule(options).optimizer.slots)
    each = 1 + slots + bool(options.ema)  # beside the weights: a gradient, the slots, and an average
    need = sum(w.nbytes for w in model.parameters()) * (1 + each) - sum(w.nbytes for w in there)
    free = free_memory(device)
    if need > max(free, TRIED):
        raise TooLargeError(
            f"training {sum(w.numel() for w in model.parameters()):,} weights takes {words(need)} more of memory for gradients "
            f"and averages, and {words(free)} are free: ask for fewer or narrower layers, or a smaller code"
        )


def _check_batch(model: Any, train: Images, options: TrainOptions) -> None:
    """Refuse a batch of which the features that are kept for the backward pass alone do not fit. Those of one image are counted
    on a few, in evaluation mode, so that nothing of the model changes."""
    device = choose_device(options.device)
    free = max(free_memory(device), TRIED)
    pixels = options.batch_size * math.prod(train.shape)
    if options.batch_size <= SAMPLE[1] or 4 * pixels * MOST_KEPT <= free:
        return
    one, two = (_kept_bytes(model, train, n) for n in SAMPLE)
    halved = 2 if choose_precision(options.precision, device).autocast else 1
    each = max(1, (two - one) // (SAMPLE[1] - SAMPLE[0]) // halved)
    if options.batch_size * each > free:
        raise TooLargeError(
            f"a batch of {options.batch_size:,} images keeps at least {words(options.batch_size * each)} of features for the "
            f"gradient, and {words(free)} of memory are free; use --batch-size {max(1, free // each):,} or less"
        )


def check_loss(model: Any, train: Images) -> None:
    """Refuse a new model whose loss has something to minimise for a name that no player has, as far as that shows before
    training. Whether it has something for each player shows at the first step: in evaluation it needs nothing for an
    opponent."""
    loss = loss_of_first(model, train, SAMPLE[0])
    left_out = loss.minimised.keys() == {"model"} and loss.minimised["model"] is loss.total
    if not left_out:
        check_minimised(loss, model.players)


def _kept_bytes(model: Any, train: Images, n: int) -> int:
    """Bytes that autograd keeps of the loss of `n` images, weights aside."""
    weights = {w.untyped_storage().data_ptr() for w in [*model.parameters(), *model.buffers()]}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with evaluating(model), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss_of_first(model, train, n)
    return sum(kept.values())


def _check_constraint(model: Any, frozen: set[str]) -> None:
    """Refuse what changes more of the weights, after an update, than their values, or what is frozen."""
    copied = copy.deepcopy(model)
    before = {name: (p, p.data_ptr(), p.shape) for name, p in copied.named_parameters()}
    with torch.no_grad(), evaluating(copied):
        copied.after_update()
    after = {name: (p, p.data_ptr(), p.shape) for name, p in copied.named_parameters()}
    if added := sorted(copied.state_dict().keys() - model.state_dict().keys()):
        raise DiaboloError(
            f"after_update adds {added[0]!r}, which is not in the model as it was made; change values alone"
        )
    for name, (p, place, shape) in before.items():
        now, moved, found = after.get(name, (None, 0, None))
        if found != shape:
            raise DiaboloError(
                f"after_update changes the shape of {name!r} from {tuple(shape)} to {found and tuple(found)}; "
                "it may change values alone"
            )
        if now is not p or moved != place:
            raise DiaboloError(f"after_update replaces {name!r}: change it in place, by copy_, div_ or clamp_")
        if p.requires_grad != model.get_parameter(name).requires_grad:
            raise DiaboloError(f"after_update changes requires_grad of {name!r}: freeze weights by --freeze (freeze=)")
        if name in frozen and not torch.equal(p, model.get_parameter(name)):
            raise DiaboloError(f"after_update changes {name!r}, which is frozen: it must leave frozen weights alone")


def _check_known(model: Autoencoder, images: Images, known: Tensor) -> None:
    """Refuse what condition and head cannot use of what is `known` of the images."""
    told = known
    if model.objective.marginalises_labels and model.needs_column == "labels":
        told = known[known != UNKNOWN]
    try:
        if model.condition.needs_column is not None:
            model.condition.check(told)
        if model.head.needs_column is not None:
            model.head.check(known)
    except DiaboloError as error:
        raise DiaboloError(f"{images.name} ({images.split}): {error}") from error


def only_to_keep(path: Path, state: State, options: TrainOptions) -> bool:
    """Whether all epochs are done and only model.safetensors is missing, damaged, or older than the checkpoint (a process was
    killed in between).

    Raises:
        NothingLeftError: when nothing at all is left to do.
    """
    early = state.status.startswith("stopped early") and options.epochs == state.epochs
    unfinished = state.status in ("running", "interrupted")
    if state.epoch > options.epochs and unfinished:
        raise DiaboloError(
            f"{path} has done {count(state.epoch, 'epoch')}, more than {options.epochs}: give as many, to end it there, or more"
        )
    if (state.epoch < options.epochs and not early) or unfinished:
        return False
    try:
        _, about = files.read_tensors(path / "model.safetensors")
    except DiaboloError:
        return True
    if not isinstance(about, dict) or about.get("epoch") != state.epoch:
        return True
    done = state.status if early else f"has finished its {count(state.epoch, 'epoch')}"
    raise NothingLeftError(
        f"{path} {done}; to train on, give a larger total: "
        f"{shell_line('resume', path, '--epochs', state.epoch + options.epochs)}"
    )


def same_images(
    path: Path, about: Record | None, given: Any, part: str, moved: Mapping[str, str] | None = None
) -> Images | None:
    """The images of the run, given or loaded again (from the `name` or `root` that `moved` holds); refused when they are
    others."""
    if about is None:
        if given is not None:
            raise DiaboloError(f"{path} was trained without {part} images; leave them out")
        return None
    if given is not None:
        images = as_images(given)
        check_same(path, about, images)
        return images
    if about.origin is None:
        raise DiaboloError(
            f"the {part} images of {path} were given as arrays; resume it from Python: diabolo.resume(…)"
        )
    return again(path, about, moved)
