"""Greedy layer-wise pre-training, then fine-tuning (Bengio et al. 2007, NeurIPS 19)."""

from collections.abc import Sequence
from typing import Any

from diabolo.autoencoder import Autoencoder
from diabolo.data.arrays import as_images
from diabolo.errors import DiaboloError
from diabolo.objectives.layerwise import Layerwise, levels, trained
from diabolo.surroundings import undisturbed
from diabolo.training.checks import check
from diabolo.training.fit import fit
from diabolo.training.options import TrainOptions
from diabolo.training.runs import Run


@undisturbed()
def greedy(
    model: Autoencoder,
    train: Any,
    validation: Any = None,
    epochs_per_layer: int = 5,
    *,
    then: Sequence[str] = (),
    **options: Any,
) -> list[Run]:
    """Train `model` one layer at a time, from the pixels inwards, then all of it.

    Stage l trains layer l of the encoder and its mirror in the decoder to reconstruct what layer l is given; all else is
    frozen. The last stage is fine-tuning, end to end, by the model's own objective. Each stage leaves a run folder.

    Args:
        model: an `Autoencoder` with the cones of the nets mlp or conv. Its weights are trained in place.
        train, validation: as for `fit`.
        epochs_per_layer: epochs of each stage but the last, which has `epochs`.
        then: as for `fit`, for the last stage.
        **options: as for `fit`, for every stage.

    Returns:
        One `Run` per stage, the last that of fine-tuning; fewer after Ctrl-C.

    Raises:
        DiaboloError: for anything wrong, before training starts.
    """
    images, held = as_images(train), None if validation is None else as_images(validation)
    last = TrainOptions.of(**options)
    ready(model, last)
    first = last.but(epochs=epochs_per_layer)
    check(model, images, held, last)
    name, runs = last.name or f"{model.name}-{images.name}", []
    arguments: dict[str, Any] = model.arguments  # type: ignore[assignment]  # what `part` recorded
    for level in range(1, levels(model) + 1):
        stage = Autoencoder(**(arguments | {"objective": Layerwise(level)}))  # of the same modules
        stage.name = model.name
        others = tuple(tensor for tensor in model.state_dict() if tensor not in trained(model, level))
        only = first.but(name=f"{name}-layer-{level}", freeze=others)
        runs.append(fit(stage, images, held, **only.as_dict()))
        if runs[-1].status == "interrupted":
            return runs
    return [*runs, fit(model, images, held, then=then, **last.as_dict())]


def ready(model: Any, options: TrainOptions) -> None:
    """Refuse a `model` that has no layers to train one by one, and `options` that cannot be."""
    if not isinstance(model, Autoencoder):
        raise DiaboloError(f"only an Autoencoder is trained layer by layer, not a {type(model).__name__}")
    if options.freeze or options.init:
        raise DiaboloError("greedy training begins with new weights and says itself what is frozen: no freeze, no init")
    levels(model)
