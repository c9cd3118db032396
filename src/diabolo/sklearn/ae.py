"""The plain autoencoder, of which the others are variants."""

from typing import Any

from diabolo.data.images import Images
from diabolo.sklearn.base import MAX_ITER, Transformer


class AE(Transformer):
    """Autoencoder: the narrow code alone keeps it from copying. Hinton & Salakhutdinov 2006, Science 313:504.

    With `hidden=()` it is linear, and finds the subspace of `sklearn.decomposition.PCA`.

    Args:
        n_components: width of the code; None for half the features, 32 at most.
        hidden: widths of the encoder's layers, mirrored in the decoder; () makes both linear.
        activation: "silu", "relu", "tanh", "gelu", "elu", …
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
        model_: the trained `diabolo.Autoencoder`.
        n_components_: the width of the code.
        n_features_in_, feature_names_in_: of the training rows; names where they came in a frame.
        n_iter_: epochs.
        loss_curve_, validation_loss_curve_: mean loss of each epoch; the second is empty without early stopping.
        path_: the run folder; None without `out`.

    Example:
        >>> from sklearn.datasets import load_wine
        >>> X = load_wine().data
        >>> ae = diabolo.sklearn.AE(n_components=4, random_state=0).fit(X)
        >>> ae.transform(X).shape, ae.inverse_transform(ae.transform(X)).shape
        ((178, 4), (178, 13))
        >>> bool(ae.score(X) > 0.5)  # of the variance
        True
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
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

    def _model(self, images: Images, seed: int) -> Any:
        return self._build("undercomplete", images, seed)
