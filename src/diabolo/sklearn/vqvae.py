"""The vector-quantised autoencoder."""

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
from diabolo.sklearn.ae import AE
from diabolo.sklearn.base import MAX_ITER


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
            return self._build("vqvae", images, seed, codes=wanted, latent_dim=width, kmeans=False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "weights"))
            return self._of_vectors(images, width, max(2, min(wanted, len(images))))

    def _of_vectors(self, images: Images, width: int, codes: int) -> Autoencoder:
        """Fully connected networks, whose last layer gives a vector for each position."""
        positions = self._components(int(np.prod(images.shape)))
        hidden, scaling = (*(self._hidden() or ()), width * positions), as_scaling(self.scaling, images.shape)
        likelihood = as_likelihood(self.likelihood or "squared-error", scaling.support == UNIT)
        encoder = MLPEncoder(images.shape, hidden, self.activation)
        decoder = MLPDecoder((width, 1, positions), images.shape, hidden, self.activation)
        kmeans = len(images) * positions >= 2 * codes  # else it begins at random
        quantizer = bottlenecks.VectorQuantizer((width, 1, positions), width, codes, kmeans=kmeans)
        model = Autoencoder(encoder, quantizer, decoder, likelihood, scaling=scaling)
        model.name = "vqvae"
        return model
