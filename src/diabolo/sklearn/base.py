"""What all estimators share: their arguments, their training, and what they tell scikit-learn of themselves."""

import numbers
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.hardware import available_cores
from diabolo.randomness import derive
from diabolo.ranges import At, BelowOne, Count, Counts, check
from diabolo.sklearn.fitted import Fitted, wide_codes
from diabolo.training.fit import fit
from diabolo.training.options import Rate
from diabolo.zoo.recipe import CHOICES, build_for, called, options_of

SEEDS = 2**31 - 1
LOOKED_AT = 10_000  # rows whose codes are noted
MAX_ITER = 30  # epochs
WIDEST = 32  # of a code whose width is not given
RATE, STEADY = 5e-3, 1e-3  # learning rates of a one-cycle schedule and of a constant one


class Base(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Training and its arguments. A subclass says by `_model` what is trained.

    Example:
        >>> issubclass(diabolo.sklearn.AE, diabolo.sklearn.base.Base)
        True
    """

    _fitted: Fitted
    loss_curve_: list[float]
    validation_loss_curve_: list[float]

    # --- training -----------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Any:
        """Train on the rows of `X`.

        Args:
            X: array or frame (n_samples, n_features) of finite numbers, two rows or more.
            y: ignored.

        Returns:
            The estimator.

        Raises:
            ValueError: for anything wrong with the data or an argument, before training starts.
        """
        going_on = bool(self.warm_start) and self.__sklearn_is_fitted__()
        return self._train(X, y, going_on, self.max_iter, bool(self.early_stopping))

    def _train(self, X: Any, y: Any, going_on: bool, epochs: Any, early: bool) -> Any:
        """Train for so many epochs, from the weights that are there if it is `going_on`."""
        rows = self._rows(X, reset=not going_on, least=2)
        seed = int(check_random_state(self.random_state).randint(SEEDS))
        images = self._images(rows)
        if going_on:
            model, images, taught = self._fitted.model, self._known(self._fitted.model, images, y), None
            seed = derive(seed, "again", len(self.loss_curve_)) % SEEDS
        else:
            model, images, taught = self._made(images, y, seed)
        train, held = self._split(images, seed) if early else (images, None)
        options = self._options(epochs, early, seed, steady=early or going_on)
        with _threads(self.n_jobs) as threads, wide_codes():
            run = fit(model, train, held, threads=threads, **options)
        curve = [line["train"]["total"] for line in run.history]
        watched = [line["validation"]["total"] for line in run.history if line["validation"]]
        before = (self.loss_curve_, self.validation_loss_curve_) if going_on else ([], [])
        if not going_on:
            self._taught(taught)
        self.loss_curve_, self.validation_loss_curve_ = before[0] + curve, before[1] + watched
        self.n_iter_, self.path_ = len(self.loss_curve_), run.path
        self._fitted = Fitted(run.model)
        self.n_components_ = self._components(rows.shape[1])
        self._learned(rows, images)
        return self

    def _made(self, images: Images, y: Any, seed: int) -> tuple[Any, Images, Any]:
        """A new model, its training images, and what is to be noted of `y`."""
        with wide_codes():
            return self._model(images, seed), images, None

    def _known(self, model: Any, images: Images, y: Any) -> Images:
        """The images with what `model` reads of `y`."""
        return images

    def _taught(self, taught: Any) -> None:
        """Note what was learned of `y`."""

    def _learned(self, rows: NDArray[Any], images: Images) -> None:
        """What follows a training on `rows`."""

    def _model(self, images: Images, seed: int) -> Any:
        """A new model for `images`."""
        raise NotImplementedError  # pragma: no cover

    def _build(self, recipe: str, images: Images, seed: int, **options: Any) -> Any:
        """The model of a recipe, with those of the arguments of all estimators that it takes."""
        takes = options_of(called(recipe))
        shared: dict[str, Any] = {"likelihood": self.likelihood, "scaling": self.scaling}
        if "latent_dim" in takes and "latent_dim" not in options:
            shared["latent_dim"] = self._components(int(np.prod(images.shape)))
        hidden = self._hidden()
        if CHOICES[called(recipe)].get("net", "mlp") == "mlp" and "net" not in options:
            shared |= {"hidden": hidden, "activation": self.activation}
        chosen = {name: value for name, value in shared.items() if name in takes} | options
        return build_for(recipe, images, seed, **{name: value for name, value in chosen.items() if value is not None})

    def _hidden(self) -> tuple[int, ...] | None:
        """The widths of the layers; None for those of the net."""
        hidden = (self.hidden,) if isinstance(self.hidden, numbers.Integral) else self.hidden
        return check("hidden", hidden, tuple[Count, ...] | None)  # type: ignore[no-any-return]

    def _components(self, features: int) -> int:
        """The width of the code."""
        if self.n_components is None:
            return max(1, min(features // 2, WIDEST))
        wanted: int = check("n_components", self.n_components, Count)
        if wanted > features:
            raise DiaboloError(
                f"n_components={wanted} is more than n_features={features}, so that the code is no bottleneck: ask for at most "
                "as many, or take SparseAE"
            )
        return wanted

    def _options(self, epochs: Any, early: bool, seed: int, steady: bool) -> dict[str, Any]:
        """Those of `TrainOptions` that the arguments come to."""
        rate = self.learning_rate
        found = {
            "epochs": check("max_iter", epochs, Count),
            "lr": (STEADY if steady else RATE) if rate is None else check("learning_rate", rate, Rate),
            "schedule": "constant" if steady else "one-cycle",
            "seed": seed,
            "device": self.device,
            "precision": "float32",
            "compile": False,
            "out": self.out,
            "health": bool(self.verbose or self.out),
            "quiet": not self.verbose,
        }
        if self.batch_size is not None:
            found["batch_size"] = check("batch_size", self.batch_size, Count)
        if early:
            found |= {"early_stopping": check("n_iter_no_change", self.n_iter_no_change, Count), "keep": "best"}
        return found

    def _split(self, images: Images, seed: int) -> tuple[Images, Images]:
        """The rows to train on, and a fraction to watch."""
        fraction = check("validation_fraction", self.validation_fraction, BelowOne)
        held = max(1, round(fraction * len(images)))
        if len(images) - held < 2:
            raise DiaboloError(
                f"n_samples={len(images)} are too few to hold out {held} of them: give more rows, or early_stopping=False"
            )
        train, watched = train_test_split(np.arange(len(images)), test_size=held, random_state=seed)
        return images.take(np.sort(train)), images.take(np.sort(watched))

    # --- data ---------------------------------------------------------------------------------------------------------------

    def _rows(self, X: Any, reset: bool = False, least: int = 1) -> NDArray[Any]:
        """`X` as an array (n_samples, n_features) of float64, float32, or uint8 where those are pictures."""
        kinds = [np.float64, np.float32, *([np.uint8] if self.image_shape is not None else [])]
        found: NDArray[Any] = validate_data(self, X, dtype=kinds, reset=reset, ensure_min_samples=least, order="C")
        return found

    def _images(self, rows: NDArray[Any]) -> Images:
        """The rows as examples of their shape."""
        if self.scaling == "none" and rows.dtype == np.float64:  # numbers in [0, 1] go to the networks as they are
            rows = rows.astype(np.float32)
        if self.image_shape is None:
            return Images(rows, name="rows")
        shape = check("image_shape", self.image_shape, Counts)
        if int(np.prod(shape)) != rows.shape[1]:
            raise DiaboloError(
                f"image_shape={shape} has {int(np.prod(shape))} numbers, and X has n_features={rows.shape[1]}"
            )
        return Images(rows.reshape(len(rows), *shape), name="rows")

    def _like(self, found: NDArray[np.float64], X: NDArray[Any]) -> NDArray[Any]:
        """Numbers in the type that the estimator was given, float32 for bytes."""
        return found.astype(np.float32 if X.dtype == np.uint8 else X.dtype, copy=False)

    # --- what scikit-learn asks ---------------------------------------------------------------------------------------------

    @property
    def model_(self) -> Any:
        """The trained model, a `diabolo.Autoencoder` in evaluation mode: for everything else that Diabolo does."""
        check_is_fitted(self)
        return self._fitted.model

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_fitted")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Transformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Base):  # type: ignore[misc]
    """An autoencoder as a transformer from rows to codes.

    Example:
        >>> issubclass(diabolo.sklearn.VAE, diabolo.sklearn.base.Transformer)
        True
    """

    def partial_fit(self, X: Any, y: Any = None) -> Any:
        """Train for one epoch on the rows of `X`, at a constant rate, from the weights that are there.

        The first call makes the model and fits its scaling to `X`; later ones keep both. Each begins with a new optimiser.

        Args:
            X: array or frame (n_samples, n_features), two rows or more.
            y: as for `fit`.

        Returns:
            The estimator.
        """
        return self._train(X, y, self.__sklearn_is_fitted__(), 1, False)

    def transform(self, X: Any) -> Any:
        """The codes of the rows of `X`: deterministic, and the same whatever rows stand beside them.

        Args:
            X: array or frame (n_samples, n_features).

        Returns:
            Codes (n_samples, n_features_out), in the type of `X`.
        """
        check_is_fitted(self)
        rows = self._rows(X)
        return self._like(self._fitted.encode(rows), rows)

    def inverse_transform(self, X: Any) -> Any:
        """Rows, in the units of the training data, of the codes `X`.

        Args:
            X: array or frame (n_samples, n_features_out) of codes.

        Returns:
            Array (n_samples, n_features), in the type of `X`.
        """
        check_is_fitted(self)
        codes = self._codes(X)
        return self._like(self._fitted.decode(codes), codes)

    def score(self, X: Any, y: Any = None) -> float:
        """How well the model describes the rows of `X`; higher is better.

        Of a variational model under a density the evidence lower bound on the mean log-likelihood, in nats of the user's units,
        by one draw of each code. Of the others R² of the reconstruction, the share of the variance of all features, as the
        model scales them, that it explains: 1 at best, 0 for the mean of `X`.

        Args:
            X: array or frame (n_samples, n_features).
            y: as for `fit`.
        """
        check_is_fitted(self)
        return self._scored(self._rows(X), None)

    def _scored(self, rows: NDArray[Any], known: Any) -> float:
        if is_bounded(self._fitted.model):
            return self._fitted.elbo(rows, known)
        return r2(*self._fitted.errors(rows, known))

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Rows drawn from the model: decoded codes, of a variational model from its prior N(0, I); of others from a normal
        distribution with the mean and covariance of the training rows' codes; of discrete codes each position by itself.

        Args:
            n_samples: how many.
            random_state: None, a seed or a `RandomState`.

        Returns:
            Array (n_samples, n_features), float64.
        """
        check_is_fitted(self)
        return self._fitted.decode(self._drawn(n_samples, random_state))

    def _drawn(self, n_samples: Any, random_state: Any) -> NDArray[np.float64]:
        return self._fitted.draw(check("n_samples", n_samples, Count), check_random_state(random_state))

    def _codes(self, X: Any) -> NDArray[Any]:
        """`X` as codes."""
        codes: NDArray[Any] = check_array(X, dtype=[np.float64, np.float32], input_name="X")
        if codes.shape[1] != self._n_features_out:
            raise DiaboloError(
                f"X has {codes.shape[1]} features, but {type(self).__name__} is expecting {self._n_features_out} as codes"
            )
        return codes

    def _learned(self, rows: NDArray[Any], images: Images) -> None:
        some = np.linspace(0, len(rows) - 1, min(len(rows), LOOKED_AT)).round().astype(int)
        if "kl" not in self._fitted.model.units:
            self._fitted.look_at(rows[some], self._column(images, some))

    def _column(self, images: Images, some: NDArray[Any]) -> Any:
        """What the model reads of the rows `some` besides."""
        name = self._fitted.model.condition.needs_column
        return None if name is None else getattr(images, name)[some]

    @property
    def _n_features_out(self) -> int:
        return self._fitted.width


def is_bounded(model: Any) -> bool:
    """Whether `model` gives a bound on the likelihood of real numbers.

    Example:
        >>> diabolo.sklearn.base.is_bounded(diabolo.zoo.vae((5,), 2, scaling="standard"))
        True
    """
    return "kl" in model.units and bool(model.likelihood.density)


def r2(x: NDArray[np.float64], x_hat: NDArray[np.float64]) -> float:
    """1 − Σ(x − x_hat)² / Σ(x − x̄)² of `x` and `x_hat` (N, features), over all features together; of rows that do not vary 1
    where they are met, else 0.

    Example:
        >>> x = np.array([[0.0, 1.0], [2.0, 3.0]])
        >>> diabolo.sklearn.base.r2(x, x), diabolo.sklearn.base.r2(x, np.ones((2, 1)) * x.mean(0))
        (1.0, 0.0)
    """
    left, all_of_it = float(np.square(x - x_hat).sum()), float(np.square(x - x.mean(0)).sum())
    if all_of_it == 0:
        return float(left == 0)
    return 1 - left / all_of_it


@contextmanager
def _threads(n_jobs: Any) -> Iterator[int]:
    """The number of threads that `n_jobs` asks for, as scikit-learn counts them; torch has its own again afterwards."""
    jobs = 1 if n_jobs is None else check("n_jobs", n_jobs, Annotated[int, At(-1024)])
    if jobs == 0:
        raise DiaboloError("n_jobs is a number of threads, −1 for all, not 0")
    before = torch.get_num_threads()
    try:
        yield jobs if jobs > 0 else max(1, available_cores() + 1 + jobs)
    finally:
        torch.set_num_threads(before)
