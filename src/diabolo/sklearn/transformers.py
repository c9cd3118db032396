"""The best-known autoencoders by names of their own; `Codec` has all others."""

from typing import Annotated, Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from diabolo import bottlenecks
from diabolo.autoencoder import Autoencoder
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.likelihoods import as_likelihood
from diabolo.nets.mlp import MLPDecoder, MLPEncoder
from diabolo.randomness import derive
from diabolo.ranges import At, Count, check
from diabolo.scaling import UNIT, as_scaling
from diabolo.sklearn.base import MAX_ITER, Transformer

WIDEST_SPARSE = 128  # of a sparse code whose width is not given


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
        corruption: "gaussian" (noise), "masking" (numbers set to the mean, which is 0 when scaled), "salt-pepper", …
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


class VQVAE(AE):
    """Vector-quantised autoencoder: the code is `n_components` positions, each one of `n_codes` learned vectors of `code_dim`
    numbers. van den Oord et al. 2017, arXiv 1711.00937.

    `transform` gives these vectors, one after the other; `indices` which they are. For images in three dimensions the networks
    are convolutional, and their last map says how many positions there are.

    Args:
        n_components: positions; None for half the features, 32 at most.
        n_codes: vectors to choose from; of few rows no more than there are vectors to begin with.
        code_dim: numbers in each.
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
        >>> vq = diabolo.sklearn.VQVAE(3, n_codes=16, random_state=0).fit(X)
        >>> vq.transform(X).shape, vq.indices(X).shape
        ((178, 12), (178, 3))
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
        n_codes: int = 64,
        code_dim: int = 4,
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
        self.n_codes = n_codes
        self.code_dim = code_dim

    def indices(self, X: Any) -> Any:
        """Which of the vectors stands at each position of the rows of `X`.

        Args:
            X: array or frame (n_samples, n_features).

        Returns:
            int64 (n_samples, positions), from 0 to n_codes − 1.
        """
        check_is_fitted(self)
        return self._fitted.indices(self._fitted.encode(self._rows(X)))

    def _model(self, images: Images, seed: int) -> Any:
        width, wanted = check("code_dim", self.code_dim, Count), check("n_codes", self.n_codes, Annotated[int, At(2)])
        if len(images.shape) == 3:
            if self.n_components is not None:
                raise DiaboloError("of images the net says how many positions there are: leave n_components out")
            few = {"hidden": None, "activation": None, "latent_dim": width, "kmeans": False}
            return self._build("vqvae", images, seed, codes=wanted, **few)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "weights"))
            return self._of_vectors(images, width, max(2, min(wanted, len(images))))

    def _of_vectors(self, images: Images, width: int, codes: int) -> Autoencoder:
        """Fully connected networks, whose last layer gives a vector for each position."""
        positions = self._components(int(np.prod(images.shape)))
        hidden, scaling = (*(self._hidden(images) or ()), width * positions), as_scaling(self.scaling, images.shape)
        likelihood = as_likelihood(self.likelihood or "squared-error", scaling.support == UNIT)
        encoder = MLPEncoder(images.shape, hidden, self.activation)
        decoder = MLPDecoder((width, 1, positions), images.shape, hidden, self.activation)
        kmeans = len(images) * positions >= 2 * codes  # else it begins at random
        quantizer = bottlenecks.VectorQuantizer((width, 1, positions), width, codes, kmeans=kmeans)
        model = Autoencoder(encoder, quantizer, decoder, likelihood, scaling=scaling)
        model.name = "vqvae"
        return model
