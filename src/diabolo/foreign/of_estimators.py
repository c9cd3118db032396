"""Fitted estimators of scikit-learn as codecs: PCA, NMF, FactorAnalysis with a decoder, pipelines, anything with both ways."""

from typing import Any

import numpy as np
from torch import Tensor

from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.foreign.functions import Beyond, Foreign


def estimator(
    fitted: Any, images: Images, range: tuple[float, float] | None = None, beyond: Beyond = "keep"
) -> Foreign:
    """A codec of `transform` and `inverse_transform`, which take and give flat rows (n, D).

    Args:
        fitted: a fitted estimator that has both.
        images: those it is measured on, or trained on.
        range: black and white of the numbers it was fitted to, such as (0, 255); [0, 1] for pictures when left out.
        beyond: as in `Foreign`; linear decoders leave the range.

    Raises:
        DiaboloError: when it lacks one of the two, is not fitted, or was fitted to rows of another length.

    Example:
        >>> from sklearn.decomposition import NMF
        >>> fitted = NMF(6, max_iter=50, tol=0.1, random_state=0).fit(train.pixels.reshape(400, -1))
        >>> codec = diabolo.foreign.estimator(fitted, train)
        >>> codec.name, codec.latent_shape
        ('NMF', (6,))
    """
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    name = type(fitted).__name__
    for way in ("transform", "inverse_transform"):
        if not callable(getattr(fitted, way, None)):
            raise DiaboloError(f"{name} has no {way}: an estimator with transform and inverse_transform is a codec")
    try:
        check_is_fitted(fitted)
    except NotFittedError as error:
        raise DiaboloError(f"{name} is not fitted: call fit on the training images, as flat rows, first") from error
    size = int(np.prod(images.shape))
    if (wanted := getattr(fitted, "n_features_in_", size)) != size:
        raise DiaboloError(
            f"{name} was fitted to rows of {wanted:,} numbers, and images {images.shape} have {size:,}: fit it to such images"
        )

    def encode(x: Tensor) -> Any:
        return fitted.transform(x.flatten(1).cpu().numpy())

    def decode(z: Tensor) -> Any:
        return np.asarray(fitted.inverse_transform(z.cpu().numpy())).reshape(-1, *images.shape)

    about = {"from": f"scikit-learn's {name}"}
    return Foreign(encode, decode, images, range=range, beyond=beyond, name=name, about=about)
