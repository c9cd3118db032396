"""How much of an image one vector of a code map sees."""

import torch

from diabolo.autoencoder import Autoencoder
from diabolo.codec import as_input, evaluating
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError


def receptive_field(model: Autoencoder, images: Images) -> tuple[int, ...]:
    """Rows and columns of the image that the vector in the middle of the encoder's map depends on: where its gradient by the
    pixels of one of `images` is not 0, so some images more see what a silent ReLU hides in one. What would lie outside of the
    image is not counted. Of a signal it is the number of samples, of a volume the numbers of voxels along its three sides.

    Raises:
        DiaboloError: for an encoder that gives no map.

    Example:
        >>> quantised = diabolo.zoo.vqvae((1, 32, 32), latent_dim=4, codes=8, width=8, residual_width=4, residual_layers=0)
        >>> some = diabolo.data.as_images(np.random.default_rng(0).random((2, 32, 32)))
        >>> diabolo.metrics.receptive_field(quantised, some)
        (18, 18)
    """
    shape = getattr(model.encoder, "map_shape", None)
    if shape is None:
        raise DiaboloError(
            f"the encoder of {model.name} gives no map of vectors, each of which sees a part of the image"
        )
    x = as_input(images.images, model.input_shape, model.device, scaling=model.scaling).requires_grad_()
    known = column(images, model.needs_column)
    to_encoder, _ = model.condition(model.condition.pick(x, known))
    with evaluating(model):
        features = model.encoder(x, *to_encoder).unflatten(1, shape)
    middle = features[(..., *(side // 2 for side in shape[1:]))].square().sum()
    (slope,) = torch.autograd.grad(middle, x)
    seen = (slope != 0).flatten(0, 1).any(0)
    others = [tuple(other for other in range(seen.ndim) if other != side) for side in range(seen.ndim)]
    return tuple(int((seen.any(dim=other) if other else seen).sum()) for other in others)
