"""Fitted estimators of scikit-learn as codecs: PCA, NMF, FactorAnalysis with a decoder, pipelines, anything with both ways."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.foreign.functions import TRIED, Beyond, Foreign


def estimator(
    fitted: Any, images: Images, range: tuple[float, float] | None = None, beyond: Beyond = "keep"
) -> Foreign:
    """A codec of `transform` and `inverse_transform`, which take and give flat rows (n, D).

    NMF and others solve for the codes of all rows together until these are good enough: a code depends on the rows beside it.
    They are given one row at a time, which is slow, and `about` says so.

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

    dtype = np.asarray(getattr(fitted, "components_", np.empty(0))).dtype  # NMF refuses rows of another type

    def encode(x: Tensor) -> Any:
        rows = x.flatten(1).cpu().numpy().astype(dtype)
        return _one_by_one(fitted, rows) if alone else fitted.transform(rows)

    def decode(z: Tensor) -> Any:
        return np.asarray(fitted.inverse_transform(z.cpu().numpy().astype(dtype))).reshape(-1, *images.shape)

    alone = _depends(fitted, to_float(images.take(np.arange(min(TRIED, len(images)))).images, np.float64), dtype)
    about = {"from": f"scikit-learn's {name}"}
    if alone:
        about["rows"] = "one at a time: transform of a row depends on the rows beside it"
    return Foreign(encode, decode, images, range=range, beyond=beyond, name=name, about=about)


def _one_by_one(fitted: Any, rows: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([np.asarray(fitted.transform(rows[i : i + 1])) for i in np.arange(len(rows))])


def _depends(fitted: Any, x: NDArray[Any], dtype: Any) -> bool:
    """Whether the codes of `x` (n, …) depend on the rows beside them by more than rounding."""
    rows = x.reshape(len(x), -1).astype(dtype)
    try:
        together, each = np.asarray(fitted.transform(rows)), _one_by_one(fitted, rows)
    except Exception:  # `Foreign` meets the same, and says what is wrong
        return False
    return not np.allclose(together, each, rtol=1e-4, atol=1e-4 * np.abs(together).max())
