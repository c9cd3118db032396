"""Any recipe as a transformer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from diabolo.conditions import UNKNOWN
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.ranges import Count, check
from diabolo.sklearn.ae import AE
from diabolo.sklearn.base import MAX_ITER, is_bounded
from diabolo.sklearn.fitted import wide_codes
from diabolo.zoo.recipe import called, options_of


def _classifies(estimator: "Codec") -> bool:
    fitted = getattr(estimator, "_fitted", None)
    if fitted is None or fitted.model.head.needs_column != "labels":
        raise AttributeError(f"the model {estimator.model!r} has no classifier: take joint, m2 or classifier")
    return True


class Codec(AE):
    """The recipe of that name, with any of its options, as a transformer.

    `y` is read by recipes that are given it: labels of conditional and semi-supervised models (−1: not known), or columns
    (n_samples, F) of attributes (bool) or factors (numbers) for a condition of that name. A conditional model wants it for
    `transform`, `inverse_transform` and `sample` too.

    Args:
        model: a recipe, see `diabolo models`, or package.module:recipe of one's own.
        n_components: width of the code; None for the recipe's own, or half the features where that is less.
        options: further options of the recipe, by name: {"beta": 4.0}.
        hidden: widths of the encoder's layers, mirrored in the decoder; () makes both linear; None for those of its net.
        activation: None for that of the net; "silu", "relu", "tanh", "gelu", "elu", …
        likelihood: how reconstructions are scored: "squared-error", "gaussian", … (`diabolo models NAME`); None for what suits.
        scaling: "standard", "robust", "unit" (range to [0, 1]), "real" (as they are), or "none" (numbers in [0, 1]); fitted to
            the training rows, and undone by `inverse_transform`.
        image_shape: shape of one row, such as (1, 8, 8) for grey images; None for a vector. uint8 rows are kept as they are.
        max_iter: epochs.
        batch_size: rows a step; None for 128, and from 4,096 rows downwards fewer, 32 at least.
        learning_rate: of Adam, the highest of a one-cycle schedule, or constant with early stopping, `partial_fit` and warm
            start; None for 5e-3 and 1e-3.
        early_stopping: hold out a fraction of the rows, stop when their loss no longer falls, and keep the best weights.
        validation_fraction: which fraction.
        n_iter_no_change: epochs without a better loss after which it stops.
        warm_start: let `fit` go on from the weights that are there.
        out: a folder of runs for a run folder of each training, to evaluate, compare and report; None writes nothing.
        n_jobs: threads of a training and of torch in it; None means 1, −1 all. Weights repeat to the bit for the same number.
        device: "cpu", "cuda", "auto", …
        random_state: of the weights, the order of rows, and noise; with a whole number a refit repeats to the bit.
        verbose: print a line an epoch.

    Attributes:
        classes_: the labels that were seen, sorted; of models that read them.
        model_: the trained `diabolo.Autoencoder`.
        n_components_: the width of the code.
        n_features_in_, feature_names_in_: of the training rows; names where they came in a frame.
        n_iter_: epochs.
        loss_curve_, validation_loss_curve_: mean loss of each epoch; the second is empty without early stopping.
        path_: the run folder; None without `out`.

    Example:
        >>> from sklearn.datasets import load_wine
        >>> X, y = load_wine(return_X_y=True)
        >>> codec = diabolo.sklearn.Codec("topk", 8, options={"active": 2}, random_state=0).fit(X)
        >>> (codec.transform(X) != 0).sum(1).tolist() == [2] * 178
        True
        >>> joint = diabolo.sklearn.Codec("joint", 4, random_state=0).fit(X, y)
        >>> bool((joint.predict(X) == y).mean() > 0.9)
        True
    """

    def __init__(
        self,
        model: str = "undercomplete",
        n_components: int | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        hidden: Any = (128,),
        activation: str = "silu",
        likelihood: str | None = None,
        scaling: str = "standard",
        image_shape: tuple[int, ...] | None = None,
        max_iter: int = MAX_ITER,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        out: str | None = None,
        n_jobs: int | None = None,
        device: str = "cpu",
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            n_components,
            hidden=hidden,
            activation=activation,
            likelihood=likelihood,
            scaling=scaling,
            image_shape=image_shape,
            max_iter=max_iter,
            batch_size=batch_size,
            learning_rate=learning_rate,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            out=out,
            n_jobs=n_jobs,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.model = model
        self.options = options

    def transform(self, X: Any, y: Any = None) -> Any:
        """As `AE.transform`, given `y` where the model is conditioned on it."""
        check_is_fitted(self)
        rows = self._rows(X)
        return self._like(self._fitted.encode(rows, self._given(y)), rows)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, then `transform`."""
        return self.fit(X, y).transform(X, y)

    def inverse_transform(self, X: Any, y: Any = None) -> Any:
        """As `AE.inverse_transform`, given `y` where the model is conditioned on it."""
        check_is_fitted(self)
        codes = self._codes(X)
        return self._like(self._fitted.decode(codes, self._given(y)), codes)

    def score(self, X: Any, y: Any = None) -> float:
        """As `AE.score`, given `y` where the model is conditioned on it."""
        check_is_fitted(self)
        rows = self._rows(X)
        model = self._fitted.model
        reads = model.needs_column if is_bounded(model) else model.condition.needs_column
        return self._scored(rows, None if reads is None else self._column_of(model, y))

    def sample(self, n_samples: int = 1, random_state: Any = None, y: Any = None) -> Any:
        """As `AE.sample`; a conditional model wants `y`, one entry for each."""
        check_is_fitted(self)
        return self._fitted.decode(self._drawn(n_samples, random_state), self._given(y))

    @available_if(_classifies)  # type: ignore[untyped-decorator]
    def predict(self, X: Any) -> Any:
        """The class of each row, (n_samples,), by the classifier on the code."""
        check_is_fitted(self)
        return self.classes_[self._fitted.logits(self._rows(X)).argmax(1)]

    # --- within -------------------------------------------------------------------------------------------------------------

    def _model(self, images: Images, seed: int) -> Any:
        if not isinstance(self.options, Mapping | None):
            raise DiaboloError(
                f"options are those of the recipe by name, such as {{'beta': 4.0}}, not {self.options!r}"
            )
        options, takes = dict(self.options or {}), options_of(called(self.model))
        if "latent_dim" in takes:
            options = {"latent_dim": self._width(takes["latent_dim"][1], int(np.prod(images.shape)))} | options
        return self._build(self.model, images, seed, **options)

    def _width(self, usual: int | None, features: int) -> int | None:
        """The width of the code; None where the recipe chooses it itself."""
        if self.n_components is not None:
            return check("n_components", self.n_components, Count)  # type: ignore[no-any-return]
        return None if usual is None else max(1, min(usual, features // 2))

    def _components(self, features: int) -> int:
        return self._fitted.width

    def _made(self, images: Images, y: Any, seed: int) -> tuple[Any, Images, Any]:
        labels, classes = _labels(y)
        told = replace(images, labels=labels, **_columns(y))
        with wide_codes():
            model = self._model(told, seed)
        return model, self._known(model, images, y, classes), classes if model.needs_column == "labels" else None

    def _taught(self, taught: Any) -> None:
        if taught is not None:
            self.classes_ = taught

    def _known(self, model: Any, images: Images, y: Any, classes: Any = None) -> Images:
        name = model.needs_column
        if name is None:
            return images
        if name == "labels":
            return replace(images, labels=self._column_of(model, y, classes))
        return replace(images, **{part: value for part, value in _columns(y).items() if part.startswith(name[:-1])})

    def _given(self, y: Any) -> Any:
        """What the condition reads of `y`; None where there is none."""
        model = self._fitted.model
        return None if model.condition.needs_column is None else self._column_of(model, y)

    def _column_of(self, model: Any, y: Any, classes: Any = None) -> NDArray[Any]:
        """`y` as the column that `model` reads."""
        if y is None:
            raise DiaboloError(
                f"{type(self).__name__}(model={self.model!r}) requires y to be passed, but the target y is None: it reads "
                f"{model.needs_column}"
            )
        if model.needs_column != "labels":
            return np.asarray(y, np.float32).reshape(len(y), -1)
        labels, _ = _labels(y, getattr(self, "classes_", None) if classes is None else classes)
        if labels is None:
            raise DiaboloError(f"{type(self).__name__}(model={self.model!r}) reads labels, and y holds no classes")
        return labels


def _columns(y: Any) -> dict[str, Any]:
    """The columns `y` (n_samples, F) as factors, and, if they are bool, as attributes; nothing where there are none."""
    y = np.asarray(y)
    if y.ndim != 2 or y.dtype.kind not in "bifu":
        return {}
    names = tuple(f"y{i}" for i in range(y.shape[1]))
    found = {"factors": y.astype(np.float32), "factor_names": names}
    return found | ({"attributes": y, "attribute_names": names} if y.dtype == np.bool_ else {})


def _labels(y: Any, classes: Any = None) -> tuple[NDArray[np.int64] | None, Any]:
    """The classes of `y`, sorted, and which each entry is of, −1 for one that is not known; None where `y` holds none."""
    if y is None:
        return None, None
    y = np.asarray(y)
    if y.ndim != 1 or type_of_target(y) not in ("binary", "multiclass"):
        return None, None
    unknown = y == UNKNOWN if np.asarray(y).dtype.kind in "iuf" else np.zeros(len(y), bool)
    found = np.unique(y[~unknown]) if classes is None else classes
    labels = np.full(len(y), UNKNOWN, np.int64)
    at = np.searchsorted(found, y[~unknown]).clip(0, max(0, len(found) - 1))
    if len(found) == 0 or (found[at] != y[~unknown]).any():
        if classes is None:
            return None, None
        raise DiaboloError(f"y holds a class that was not seen in fit: {y[~unknown][found[at] != y[~unknown]][0]}")
    labels[~unknown] = at
    return labels, found
