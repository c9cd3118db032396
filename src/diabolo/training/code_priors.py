"""Priors over the discrete codes of a trained model: fitted to the codes of its training images, and left in its run folder.

RUN/prior/
    codes.npz            the code maps of the run's images, as bytes
    0001-prior-codes/    a run folder of its own; the newest finished one is used
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo import data
from diabolo.bottlenecks import Discrete
from diabolo.data.images import Images
from diabolo.data.side import side
from diabolo.errors import DiaboloError
from diabolo.priors.code_prior import CodePrior, to_bytes
from diabolo.randomness import derive
from diabolo.training import files, runs
from diabolo.training.checks import same_images
from diabolo.training.fit import fit
from diabolo.training.hardware import choose_device
from diabolo.training.options import TrainOptions
from diabolo.training.runs import Run, fingerprint
from diabolo.trust import Trust

PIECE = 1024  # images encoded at a time


def fit_prior(
    path: str | Path,
    train: Any = None,
    validation: Any = None,
    width: int = 128,
    layers: int = 4,
    heads: int = 4,
    trust: Trust = (),
    **options: Any,
) -> Run:
    """Fit a prior to the codes of the model in the run folder `path`, so that it can be sampled from.

    Args:
        path: the run folder of a model with discrete codes.
        train, validation: the images of the run; needed only when they were given as arrays, otherwise loaded again. A run
            without validation images holds out a tenth of its training images' codes.
        width, layers, heads: of the transformer (`CodePrior`).
        trust: packages whose code the folder may name, as in `diabolo.load`.
        **options: fields of `TrainOptions`, as in `fit`.

    Returns:
        The `Run` of the prior, in `path`/prior; `diabolo.load(path)` finds it there.

    Raises:
        DiaboloError: when its codes are not discrete, the images are not those of the run, or an option is wrong.
    """
    path, chosen = Path(path), TrainOptions.of(**({"out": str(Path(path) / "prior")} | options))
    config = runs.read_config(path)
    model = runs.load(path, device=choose_device(chosen.device), trust=trust)
    bottleneck = getattr(model, "bottleneck", None)
    if not isinstance(bottleneck, Discrete):
        raise DiaboloError(
            f"{path} holds a model {model.name!r}, whose codes are not discrete: it needs no prior over codes"
        )
    torch.manual_seed(derive(chosen.seed, "weights"))
    _, height, across = bottleneck.latent_shape
    prior = CodePrior(bottleneck.codes, (height, across), width, layers, heads, fingerprint(path))
    images = {part: same_images(path, config["data"].get(part), given, part)
              for part, given in (("train", train), ("validation", validation))}  # fmt: skip
    codes = {
        part: to_bytes(indices_of(model, some), bottleneck.codes) for part, some in images.items() if some is not None
    }
    (path / "prior").mkdir(exist_ok=True)
    file, content = path / "prior" / "codes.npz", io.BytesIO()
    names = ("x_train", "x_test") if len(codes) == 2 else ("x",)
    arrays: dict[str, Any] = dict(zip(names, codes.values(), strict=True))
    np.savez_compressed(content, **arrays)
    files.write(file, content.getvalue())
    maps, held = data.load(str(file))
    return fit(prior, maps, held, **chosen.as_dict())


def indices_of(model: Any, images: Images) -> NDArray[np.int64]:
    """The code maps (N, h, w) of `images`."""
    found = []
    for start in range(0, len(images), PIECE):
        some = images.take(np.arange(start, min(start + PIECE, len(images))))
        codes = model.encode(some.images, side(some, model.reads))
        if not codes.isfinite().all():
            raise DiaboloError(f"the codes of {images.name} hold NaN or infinity: the model {model.name!r} is broken")
        found.append(model.bottleneck.indices_of(codes).cpu().numpy())
    return np.concatenate(found)
