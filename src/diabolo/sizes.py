"""The same weights for images of another size: of a model whose networks are convolutions alone."""

import copy
from typing import Any

import torch
from torch import Tensor

from diabolo.autoencoder import Autoencoder
from diabolo.codec import Codec
from diabolo.errors import DiaboloError
from diabolo.parts import build, describe


def step(codec: Codec) -> tuple[int, int]:
    """Pixels of an image for each place of its map of codes, down and across; (0, 0) for a codec that takes one size alone: it
    has no map, or weights for each place of it.

    Example:
        >>> diabolo.sizes.step(diabolo.zoo.vqvae((1, 8, 8), width=8, residual_width=4)), diabolo.sizes.step(model)
        ((4, 4), (0, 0))
    """
    if len(codec.input_shape) != 3 or len(codec.latent_shape) != 3:
        return 0, 0
    down, across = (codec.input_shape[i] // codec.latent_shape[i] for i in (1, 2))
    height, width = codec.input_shape[1:]
    try:
        _rebuilt(codec, height + down, width + across)
    except (DiaboloError, RuntimeError):  # a codec that is no part; torch names the weights that have another shape
        return 0, 0
    return down, across


def for_size(codec: Codec, height: int, width: int) -> Autoencoder:
    """A model of the same weights for images (C, height, width), on the same device.

    Raises:
        DiaboloError: for a model that takes one size alone, and sides that are no multiple of its `step`.

    Example:
        >>> vqvae = diabolo.zoo.vqvae((1, 8, 8), width=8, residual_width=4)
        >>> larger = diabolo.sizes.for_size(vqvae, 16, 12)
        >>> larger.reconstruct(torch.rand(2, 1, 16, 12)).shape
        torch.Size([2, 1, 16, 12])
    """
    down, across = step(codec)
    if not down:
        raise DiaboloError(
            f"{codec.name} takes images of {codec.input_shape[1:]} pixels alone: not all its layers are convolutions"
        )
    if height % down or width % across:
        raise DiaboloError(f"the sides of an image must be multiples of {down} and {across}, not {height} and {width}")
    return _rebuilt(codec, height, width)


@torch.no_grad()
def reconstruct(codec: Codec, x: Tensor, y: Tensor | None = None) -> Tensor:
    """The reconstructions of `x` (N, C, H, W) in their own size, whatever it is: the border is repeated up to a multiple of the
    model's `step`, and cut off again.

    Raises:
        DiaboloError: for a model that takes one size alone.

    Example:
        >>> vqvae = diabolo.zoo.vqvae((1, 8, 8), width=8, residual_width=4)
        >>> diabolo.sizes.reconstruct(vqvae, torch.rand(1, 1, 13, 30)).shape
        torch.Size([1, 1, 13, 30])
    """
    height, width = x.shape[2:]
    down, across = step(codec)
    missing = (-height % down, -width % across) if down else (0, 0)
    rows = torch.arange(height + missing[0]).clamp(max=height - 1).to(x.device)
    columns = torch.arange(width + missing[1]).clamp(max=width - 1).to(x.device)
    larger = x.index_select(2, rows).index_select(3, columns)
    model = for_size(codec, *larger.shape[2:])
    return model.reconstruct(larger, y)[:, :, :height, :width]


def _rebuilt(codec: Any, height: int, width: int) -> Autoencoder:
    shapes = {
        tuple(codec.input_shape[1:]): (height, width),
        tuple(codec.latent_shape[1:]): tuple(
            new * places // old
            for new, places, old in zip((height, width), codec.latent_shape[1:], codec.input_shape[1:], strict=True)
        ),
    }
    made: Autoencoder = build(_resized(copy.deepcopy(describe(codec)), shapes))
    made.load_state_dict(codec.state_dict())
    return made.to(codec.device).eval()


def _resized(description: Any, shapes: dict[tuple[int, ...], tuple[int, ...]]) -> Any:
    """The description with the height and width of every shape (C, H, W) replaced."""
    if isinstance(description, dict):
        return {
            name: [value[0], *shapes.get(tuple(value[1:]), value[1:])]
            if name.endswith("_shape") and isinstance(value, list) and len(value) == 3
            else _resized(value, shapes)
            for name, value in description.items()
        }
    return [_resized(value, shapes) for value in description] if isinstance(description, list) else description
