"""The codebook of a quantiser: the vectors its codes stand for, and how often each is used."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.autoencoder import Autoencoder, Codec, as_input, evaluating
from diabolo.bottlenecks.quantizer import Discrete, counts_of
from diabolo.data.images import Images
from diabolo.data.side import side
from diabolo.errors import DiaboloError
from diabolo.latents.codes import pieces


def codebook(codec: Codec) -> NDArray[np.float32]:
    """The vectors (K, D) that the codes stand for."""
    waist = _discrete(codec)
    with torch.no_grad():
        vectors = waist.codes_of(torch.arange(waist.codes, device=_model(codec).device).view(-1, 1, 1))
    return vectors.flatten(1).float().cpu().numpy()


def uses(codec: Codec, images: Images) -> NDArray[np.int64]:
    """How often each code (K,) is used for `images`; in all, as often as there are places in their maps."""
    waist, model = _discrete(codec), _model(codec)
    counts = np.zeros(waist.codes, np.int64)
    with torch.no_grad(), evaluating(model):
        for few in pieces(images):
            x = as_input(few.images, model.input_shape, model.device)
            to_encoder, _ = model.condition(model.condition.pick(x, side(few, model.reads, model.device)))
            indices = waist.indices(model.encoder(x, *to_encoder))
            counts += counts_of(indices, waist.codes).cpu().numpy().astype(np.int64)
    assert counts.sum() == len(images) * math.prod(waist.latent_shape[1:])
    return counts


def _model(codec: Codec) -> Autoencoder:
    assert isinstance(codec, Autoencoder)
    return codec


def _discrete(codec: Codec) -> Discrete:
    waist = getattr(codec, "bottleneck", None)
    waist = getattr(waist, "inner", waist)
    if not isinstance(codec, Autoencoder) or not isinstance(waist, Discrete):
        raise DiaboloError(f"{codec.name} has no codebook: its codes are not discrete")
    return waist
