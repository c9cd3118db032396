"""Priors over the discrete codes of a trained model: fitted to the codes of its training images, and left in its run folder.

RUN/prior/
    codes.npz            the code maps of the run's images, as bytes
    0001-prior-codes/    a run folder of its own; the newest finished one is used
"""

import json
import math
import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo import parts
from diabolo.bottlenecks import Discrete
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.hardware import choose_device
from diabolo.paths import as_path
from diabolo.priors.code_prior import CodePrior, to_bytes
from diabolo.randomness import derive
from diabolo.runs import checkpoint, lock
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder, numbered
from diabolo.runs.loading import Run, load
from diabolo.surroundings import undisturbed
from diabolo.training.codes import FOLDER, write_codes
from diabolo.training.fit import fit, resume
from diabolo.training.options import TrainOptions
from diabolo.training.preflight import check_folder, same_images
from diabolo.training.usual import settled
from diabolo.trust import Trust, trusting

PIECE = 1024  # images encoded at a time
RATE = 1e-3  # the highest learning rate, where it is not given: a transformer takes smaller steps than an autoencoder


@undisturbed()
def fit_prior(
    path: str | os.PathLike[str],
    train: Any = None,
    validation: Any = None,
    width: int = 128,
    layers: int = 4,
    heads: int = 4,
    trust: Trust = (),
    moved: Mapping[str, str] | None = None,
    **options: Any,
) -> Run:
    """Fit a prior to the codes of the model in the run folder `path`, so that it can be sampled from. A prior that was begun
    with the same arguments and not finished goes on.

    Args:
        path: the run folder, or the `Run`, of a model with discrete codes.
        train, validation: the images of the run; needed only when they were given as arrays, otherwise loaded again. A run
            without validation images holds out a tenth of its training images' codes.
        width, layers, heads: of the transformer (`CodePrior`).
        trust: packages whose code the folder may name, as in `diabolo.load`.
        moved: where the images lie now, as in `diabolo.data.origin.of_run`.
        **options: fields of `TrainOptions`, as in `fit`.

    Returns:
        The `Run` of the prior, in `path`/prior; `diabolo.load(path)` finds it there.

    Raises:
        InUseError: when another process is writing into the run.
        DiaboloError: when its codes are not discrete, the images are not those of the run, or an option is wrong.

    Example:
        >>> model = diabolo.zoo.vqvae(train.shape, latent_dim=4, codes=8, width=8, residual_width=4)
        >>> run = diabolo.fit(model, train, epochs=1, quiet=True)
        >>> prior = diabolo.fit_prior(run.path, train, epochs=1, quiet=True)
        >>> tuple(diabolo.load(run.path).sample(3, seed=0).shape)
        (3, 1, 8, 8)
    """
    path = as_path(path)
    with lock.held(path, "fit-prior") if (path / "config.json").is_file() else nullcontext():
        return _fit_prior(path, train, validation, width, layers, heads, trust, moved, options)


def _fit_prior(
    path: Path,
    train: Any,
    validation: Any,
    width: int,
    layers: int,
    heads: int,
    trust: Trust,
    moved: Mapping[str, str] | None,
    options: dict[str, Any],
) -> Run:
    options = {"out": str(path / FOLDER), "lr": RATE, **options}
    chosen = TrainOptions.of(**options)
    check_folder(chosen, "a prior over codes")
    config = Config.read(path)
    model = load(path, device=choose_device(chosen.device), trust=trust)
    bottleneck = model.bottleneck
    if not isinstance(bottleneck, Discrete):  # no other has indices
        raise DiaboloError(
            f"{path} holds a model {model.name!r}, whose codes are not discrete: it needs no prior over codes"
        )
    torch.manual_seed(derive(chosen.seed, "weights"))
    *rows, across = bottleneck.latent_shape[1:]
    grid = (math.prod(rows), across)  # of a signal one row; of a volume the rows of all slices
    prior = CodePrior(bottleneck.codes, grid, width, layers, heads, RunFolder(path).fingerprint())
    with trusting(trust):  # for a data set of one's own
        images = {part: same_images(path, config.images(part), given, part, moved)
                  for part, given in (("train", train), ("validation", validation))}  # fmt: skip
    codes = {
        part: to_bytes(indices_of(model, some).reshape(-1, *grid), bottleneck.codes)
        for part, some in images.items()
        if some is not None
    }
    maps, held = write_codes(path, codes)
    begun = _begun(Path(chosen.out or ""), prior, settled(len(maps), options), maps, held)
    return fit(prior, maps, held, **options) if begun is None else resume(begun, maps, held)


def _begun(out: Path, prior: CodePrior, options: TrainOptions, maps: Images, held: Images) -> Path | None:
    """The newest run in `out` if it is of the same prior, codes and options, and has not ended."""
    found = numbered(out)
    if not found:
        return None
    try:
        config = Config.read(found[-1])
        status = checkpoint.status(found[-1])
        if checkpoint.has_ended(found[-1]) or not status.startswith(("running", "interrupted", "finished", "stopped")):
            return None
    except DiaboloError:  # damaged: a new one is fitted
        return None
    fingerprints = [None if about is None else about.fingerprint for about in (config.train, config.validation)]
    same = config.model == json.loads(json.dumps(parts.describe(prior)))
    same = same and fingerprints == [maps.fingerprint, held.fingerprint]
    return found[-1] if same and _asked(config.options) == _asked(options.as_dict()) else None


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """The options that make a difference to the training."""
    return {name: value for name, value in options.items() if name not in ("out", "name", "quiet")}


def indices_of(model: Any, images: Images) -> NDArray[np.int64]:
    """The code maps (N, h, w) of `images`."""
    found = []
    for start in range(0, len(images), PIECE):
        some = images.take(np.arange(start, min(start + PIECE, len(images))))
        codes = model.encode(some.images, column(some, model.needs_column))
        if not codes.isfinite().all():
            raise DiaboloError(f"the codes of {images.name} hold NaN or infinity: train the model {model.name!r} anew")
        found.append(model.bottleneck.indices_of(codes).cpu().numpy())
    return np.concatenate(found)
