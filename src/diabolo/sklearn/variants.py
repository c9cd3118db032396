"""Autoencoders that differ from the plain one in one thing: a prior, a penalty, or corrupted rows."""

from typing import Any

from diabolo.data.images import Images
from diabolo.ranges import Count, check
from diabolo.sklearn.ae import AE
from diabolo.sklearn.base import MAX_ITER

WIDEST_SPARSE = 128  # of a sparse code whose width is not given


class VAE(AE):
    """Variational autoencoder: reconstruction + beta · KL(q(z|x) ‖ N(0, I)). Kingma & Welling 2014, arXiv 1312.6114.

    `transform` gives posterior means, `sample` draws from the prior, and `score` is the evidence lower bound in nats. Unless
    told otherwise the likelihood is a normal distribution whose σ is that of the errors (Rybkin et al. 2021, arXiv 2006.13202).

    Args:
        n_components: width of the code; None for half the features, 32 at most.
        beta: weight of the KL term, a number, or a schedule such as "linear(0, 1, 0.3)".
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
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> chain = make_pipeline(StandardScaler(), diabolo.sklearn.VAE(8, random_state=0), LogisticRegression())
        >>> bool(chain.fit(X, y).score(X, y) > 0.9)
        True
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
        beta: float | str = 1.0,
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
        self.beta = beta

    def _model(self, images: Images, seed: int) -> Any:
        return self._build("vae", images, seed, beta=self.beta)


class SparseAE(AE):
    """Sparse autoencoder: reconstruction + sparsity · Σ|z|. Olshausen & Field 1996, Nature 381:607; Ng 2011, CS294A notes.

    The code may be wider than the rows.

    Args:
        n_components: width of the code; None for twice the features, 128 at most.
        sparsity: weight of Σ|z|, a number, or a schedule such as "linear(0, 1e-3, 0.3)".
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
        >>> diabolo.sklearn.SparseAE(sparsity=0.01, random_state=0).fit_transform(X).shape
        (178, 26)
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
        sparsity: float | str = 1e-3,
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
        self.sparsity = sparsity

    def _components(self, features: int) -> int:
        if self.n_components is None:
            return min(2 * features, WIDEST_SPARSE)
        wanted: int = check("n_components", self.n_components, Count)
        return wanted

    def _model(self, images: Images, seed: int) -> Any:
        return self._build("sparse", images, seed, sparsity=self.sparsity)


class DenoisingAE(AE):
    """Denoising autoencoder: sees corrupted rows, must give the clean ones. Vincent et al. 2010, JMLR 11:3371.

    Args:
        n_components: width of the code; None for half the features, 32 at most.
        corruption: "gaussian" (noise), "masking" (numbers set to the mean, which is 0 when scaled), "salt-and-pepper", …
        level: its strength: σ in scaled units, or the share of numbers; None for the corruption's own.
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
        >>> ae = diabolo.sklearn.DenoisingAE(4, corruption="masking", level=0.2, random_state=0).fit(X)
        >>> ae.transform(X).shape
        (178, 4)
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
        corruption: str = "gaussian",
        level: float | None = None,
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
        self.corruption = corruption
        self.level = level

    def _model(self, images: Images, seed: int) -> Any:
        return self._build("denoising", images, seed, corruption=self.corruption, level=self.level)
