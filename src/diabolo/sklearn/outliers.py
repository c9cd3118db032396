"""Outliers: rows that an autoencoder reconstructs badly."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted

from diabolo.data.images import Images
from diabolo.ranges import Above, check
from diabolo.sklearn.base import MAX_ITER, Base


class AutoencoderOutlier(OutlierMixin, Base):  # type: ignore[misc]
    """Outlier detection by reconstruction error: what is unlike most rows is not learned, and comes back wrong.
    Hawkins, He, Williams & Baxter 2002, DaWaK; Sakurada & Yairi 2014, MLSDA.

    Args:
        n_components: width of the code; None for half the features, 32 at most.
        contamination: which share of the training rows counts as outliers, above 0 and 0.5 at most: it sets `offset_`.
        recipe: which autoencoder: "undercomplete", "denoising", "sparse", "vae", …
        hidden: widths of the encoder's layers, mirrored in the decoder; () makes both linear.
        activation: "silu", "relu", "tanh", "gelu", "elu", …
        likelihood: how reconstructions are scored: "squared-error", "gaussian", … (`diabolo models NAME`); None for what suits.
        scaling: "standard", "robust", "unit" (range to [0, 1]), "real" (as they are), or "none" (numbers in [0, 1]); fitted to
            the training rows, so that no feature outweighs another.
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
        offset_: the score below which a row is an outlier.
        model_: the trained `diabolo.Autoencoder`.
        n_components_: the width of the code.
        n_features_in_, feature_names_in_: of the training rows; names where they came in a frame.
        n_iter_: epochs.
        loss_curve_, validation_loss_curve_: mean loss of each epoch; the second is empty without early stopping.
        path_: the run folder; None without `out`.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(200, 2)) @ np.ones((2, 6)) + 0.1
        >>> odd = np.array([[3.0, -3, 3, -3, 3, -3]])
        >>> found = diabolo.sklearn.AutoencoderOutlier(2, contamination=0.05, random_state=0).fit(rows)
        >>> found.predict(odd).tolist(), int((found.predict(rows) == -1).sum())
        ([-1], 10)
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
        contamination: float = 0.1,
        recipe: str = "undercomplete",
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
        self.n_components = n_components
        self.hidden = hidden
        self.activation = activation
        self.likelihood = likelihood
        self.scaling = scaling
        self.image_shape = image_shape
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.out = out
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.contamination = contamination
        self.recipe = recipe

    def fit(self, X: Any, y: Any = None) -> Any:
        """Train on the rows of `X`, and set the threshold.

        Args:
            X: array or frame (n_samples, n_features) of finite numbers, two rows or more.
            y: ignored.

        Returns:
            The estimator.
        """
        check("contamination", self.contamination, Annotated[float, Above(0, 0.5)])
        return super().fit(X, y)

    def score_samples(self, X: Any) -> Any:
        """How normal each row is: minus its squared error, a mean over features as the model scales them.

        Args:
            X: array or frame (n_samples, n_features).

        Returns:
            float64 (n_samples,): 0 at best.
        """
        check_is_fitted(self)
        return self._scores(self._rows(X))

    def decision_function(self, X: Any) -> Any:
        """`score_samples` less `offset_`: negative for outliers.

        Args:
            X: array or frame (n_samples, n_features).

        Returns:
            float64 (n_samples,).
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> Any:
        """1 for rows like those of the training, −1 for outliers.

        Args:
            X: array or frame (n_samples, n_features).

        Returns:
            int64 (n_samples,).
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _scores(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        x, x_hat = self._fitted.errors(rows)
        found: NDArray[np.float64] = -np.square(x - x_hat).mean(1)
        return found

    def _model(self, images: Images, seed: int) -> Any:
        return self._build(self.recipe, images, seed)

    def _learned(self, rows: NDArray[Any], images: Images) -> None:
        self.offset_ = float(np.percentile(self._scores(rows), 100 * self.contamination))
