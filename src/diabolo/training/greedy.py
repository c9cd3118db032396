"""Greedy layer-wise pre-training, then fine-tuning (Bengio et al. 2007, NeurIPS 19)."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diabolo import parts, vocabulary
from diabolo.autoencoder import Autoencoder
from diabolo.data.arrays import as_images
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, Stopped
from diabolo.objectives.layerwise import Layerwise, levels, trained
from diabolo.ranges import checked
from diabolo.runs import checkpoint, files
from diabolo.runs.config import Config
from diabolo.runs.folder import numbered
from diabolo.runs.loading import Run, load_run
from diabolo.surroundings import undisturbed
from diabolo.training.fit import fit, resume
from diabolo.training.naming import built
from diabolo.training.options import Epochs, TrainOptions
from diabolo.training.preflight import check, check_folder
from diabolo.training.progress import reporter
from diabolo.training.usual import lengthened


@checked
@undisturbed()
def greedy(
    model: Autoencoder | str,
    train: Any,
    validation: Any = None,
    epochs_per_layer: Epochs = 5,
    *,
    then: Sequence[str] = (),
    **options: Any,
) -> list[Run]:
    """Train `model` one layer at a time, from the pixels inwards, then all of it.

    Stage l trains layer l of the encoder and its mirror in the decoder to reconstruct what layer l is given; all else is
    frozen. The last stage is fine-tuning, end to end, by the model's own objective. Each stage leaves a run folder. A training
    that was stopped goes on when it is begun again in the same way.

    Args:
        model: an `Autoencoder` with the networks mlp or conv, whose weights are trained in place; or the name of a recipe, as
            for `fit`.
        train, validation: as for `fit`.
        epochs_per_layer: epochs of each stage but the last, which has `epochs`.
        then: as for `fit`, for the last stage.
        **options: as for `fit`, for every stage.

    Returns:
        One `Run` per stage, the last that of fine-tuning; fewer after Ctrl-C.

    Raises:
        DiaboloError: for anything wrong, before training starts.

    Example:
        >>> model = diabolo.zoo.undercomplete(train.shape, 4, hidden=(32, 16))
        >>> runs = diabolo.greedy(model, train, test, 2, epochs=2, quiet=True)
        >>> [run.path.name[5:] for run in runs]
        ['undercomplete-digits-layer-1', 'undercomplete-digits-layer-2', 'undercomplete-digits-layer-3', 'undercomplete-digits']
    """
    images, held = as_images(train), None if validation is None else as_images(validation)
    made, last = built(model, images, options)
    if more := lengthened(len(images), options, last):
        reporter(last.quiet, vocabulary.of(images.shape)).say(more)
    return _greedy(made, images, held, epochs_per_layer, last, then)


def _greedy(
    model: Autoencoder,
    images: Images,
    held: Images | None,
    epochs_per_layer: int,
    last: TrainOptions,
    then: Sequence[str],
) -> list[Run]:
    ready(model, last)
    first = last.but(epochs=epochs_per_layer)
    check(model, images, held, last)
    check_folder(last, "greedy training")
    name, done = last.name or f"{model.name}-{images.name}", []
    whole = _digest(model, images, held, last, epochs_per_layer)
    begun = _begun(Path(last.out or ""), whole)
    arguments: dict[str, Any] = model.arguments  # type: ignore[assignment]  # what `part` recorded
    try:
        for level in range(1, levels(model) + 1):
            stage = Autoencoder(**(arguments | {"objective": Layerwise(level)}))  # of the same modules
            stage.name = model.name
            others = tuple(tensor for tensor in model.state_dict() if tensor not in trained(model, level))
            only = first.but(name=f"{name}-layer-{level}", freeze=others)
            done.append(_stage(stage, images, held, only, (), {"of": whole, "layer": level}, begun.get(level)))
            if done[-1].status == "interrupted":
                reporter(last.quiet).say("the same line goes on with this stage, and then with the others")
                return done
        return [*done, _stage(model, images, held, last, then, {"of": whole, "layer": None}, begun.get(None))]
    except KeyboardInterrupt as stopped:
        raise Stopped("stopped; the same line goes on from the last finished epoch") from stopped


def _stage(
    model: Autoencoder,
    train: Images,
    validation: Images | None,
    options: TrainOptions,
    then: Sequence[str],
    stage: dict[str, Any],
    begun: Path | None,
) -> Run:
    """One stage: from its beginning, or what is left of that in the folder `begun`; `model` has its weights afterwards."""
    if begun is None:
        return fit(model, train, validation, then=then, stage=stage, **options.as_dict())
    run = load_run(begun) if checkpoint.has_ended(begun) else resume(begun, train, validation)
    model.load_state_dict(run.model.state_dict())
    return run


def _begun(out: Path, whole: str) -> dict[int | None, Path]:
    """The stages in `out` of the training of that digest by their layer, None for fine-tuning; none where it was finished."""
    found: dict[int | None, Path] = {}
    for path in numbered(out):
        try:
            stage = Config.read(path).stage
            if stage is None or stage.get("of") != whole:
                continue
            found = {} if stage["layer"] == 1 else found  # a later beginning
            found[stage["layer"]] = path
            if stage["layer"] is None and checkpoint.has_ended(path):
                found = {}
        except (DiaboloError, KeyError):  # damaged, so not gone on with
            continue
    return found


def _digest(model: Autoencoder, train: Images, validation: Images | None, options: TrainOptions, epochs: int) -> str:
    """What makes one greedy training: the model, its first weights, the images and all options that matter to the result."""
    asked = {key: value for key, value in options.as_dict().items() if key not in ("out", "quiet")}
    fingerprints = [train.fingerprint, None if validation is None else validation.fingerprint]
    weights = files.checksum({name: t.detach().cpu() for name, t in model.state_dict().items()}, "")
    told = json.dumps([parts.describe(model), fingerprints, asked, epochs, weights], sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def ready(model: Any, options: TrainOptions) -> None:
    """Refuse a `model` that has no layers to train one by one, and `options` that cannot be."""
    if not isinstance(model, Autoencoder):  # no other has an encoder and a decoder in layers
        raise DiaboloError(f"only an Autoencoder is trained layer by layer, not a {type(model).__name__}")
    if options.freeze or options.init:
        raise DiaboloError(
            "greedy training begins with new weights and says itself what is frozen: leave freeze and init out"
        )
    levels(model)
