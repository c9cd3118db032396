"""What an estimator has learned: a model, and how it is pickled; and inference in which a row does not depend on its batch.

A product of matrices in float32 rounds by the size of the batch, so that a row alone and among others would get codes that
differ in their last bits. Here everything is computed in float64, and the code is what that gives in float32.
"""

import copy
import json
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

from diabolo import parts
from diabolo.autoencoder import Autoencoder
from diabolo.codec import as_codes, as_pixels
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.hardware import has_float64
from diabolo.pca import PCA
from diabolo.randomness import Draws, generator
from diabolo.runs import tied
from diabolo.scaling import ANY, UNIT
from diabolo.surroundings import undisturbed
from diabolo.trust import trusting

CHUNK = 1024  # rows that go through the networks at once
Known = NDArray[Any] | None  # what is known of each row besides: labels, say


@dataclass
class Fitted:
    """A trained model.

    Attributes:
        model: as `diabolo.fit` left it, in evaluation mode.
        mean, spread: of its codes, flat, of the training rows: (D,), and a matrix (D, D) whose product with N(0, I) has their
            covariance. None for discrete codes.
        frequencies: of discrete codes, how often each index stands at each position, (positions, K); None for others.

    Example:
        >>> fitted = diabolo.sklearn.fitted.Fitted(model)
        >>> x = test.images.reshape(100, 64)
        >>> codes = fitted.encode(x)
        >>> codes.shape, bool((fitted.encode(x[7:8]) == codes[7:8]).all())
        ((100, 4), True)
    """

    model: Any
    mean: NDArray[np.float64] | None = field(default=None, repr=False)
    spread: NDArray[np.float64] | None = field(default=None, repr=False)
    frequencies: NDArray[np.float64] | None = field(default=None, repr=False)

    @cached_property
    def exact(self) -> Any:
        """The model in float64, on the CPU where its device has no such numbers."""
        if not isinstance(self.model, Autoencoder | PCA):  # a codec of one's own, in its own precision
            return self.model
        exact = copy.deepcopy(self.model).eval()
        return (exact if has_float64(exact.device) else exact.cpu()).double()

    @property
    def layered(self) -> bool:
        """Whether it has an encoder and a decoder, whose layers can be called in another precision."""
        return isinstance(self.exact, Autoencoder)  # no other has

    @property
    def width(self) -> int:
        """Numbers in a code."""
        return int(np.prod(self.model.latent_shape))

    @undisturbed()
    def encode(self, x: NDArray[Any], y: Known = None) -> NDArray[np.float64]:
        """The codes (N, D), flat, of the rows `x` (N, features), given `y` where the model is conditioned on that."""
        return _joined(self._code(*piece) for piece in self._pieces(x, y))

    @undisturbed()
    def decode(self, z: NDArray[Any], y: Known = None) -> NDArray[np.float64]:
        """The rows (N, features), in the units of the data, of codes (N, D)."""
        return _joined(self._decoded(code, known) for code, known in self._codes(z, y))

    @undisturbed()
    def errors(self, x: NDArray[Any], y: Known = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The rows `x` (N, features) as the model scales them, and their reconstructions: both (N, features)."""
        scaled, found = [], []
        for part, known in self._pieces(x, y):
            x_hat = self._decoded(self._code(part, known), self._picked(part, known))
            with InDouble():
                scaled.append(self.exact.scaling(part))
                found.append(self.exact.scaling(x_hat))
        return _joined(scaled), _joined(found)

    @undisturbed()
    def elbo(self, x: NDArray[Any], y: Known = None) -> float:
        """The mean evidence lower bound of the rows `x` (N, features), in nats of the user's units."""
        model: Any = self.model
        draws, total = Draws(generator(0, "score", device=model.device)), 0.0
        with torch.no_grad():
            for start in range(0, len(x), CHUNK):
                part = torch.from_numpy(np.array(x[start : start + CHUNK]))
                known = None if y is None else torch.from_numpy(y[start : start + CHUNK]).to(model.device)
                part = to_float(part.view(-1, *model.input_shape).to(model.device))
                terms = model.loss(part, draws, 1.0, known).terms
                total -= len(part) * sum(float(terms[name]) for name in model.objective.bound)
        return total / len(x)

    def logits(self, x: NDArray[Any], y: Known = None) -> NDArray[np.float64]:
        """What the head says of the rows `x` (N, features): (N, classes)."""
        part = np.array(x).reshape(len(x), *self.model.input_shape)
        known = None if y is None else torch.from_numpy(y)
        found: Tensor = self.model.predict(torch.from_numpy(part), known)
        return found.cpu().numpy().astype(np.float64)

    def look_at(self, x: NDArray[Any], y: Known = None) -> None:
        """Note how codes are spread over the rows `x` (N, features), for what is drawn."""
        rows, known = torch.from_numpy(np.array(x)), None if y is None else torch.from_numpy(y)
        found: Tensor = self.model.encode(rows.view(-1, *self.model.input_shape), known)
        codes = found.flatten(1).cpu().numpy().astype(np.float64)
        bottleneck = self.model.bottleneck
        if not bottleneck.discrete:
            self.mean = codes.mean(0)
            _, widths, axes = np.linalg.svd((codes - self.mean) / np.sqrt(max(1, len(codes) - 1)), full_matrices=False)
            self.spread = axes.T * widths
            return
        indices = self.indices(codes)
        counts = np.zeros((indices.shape[1], bottleneck.codes))
        np.add.at(counts, (np.arange(indices.shape[1])[None], indices), 1.0)
        self.frequencies = counts / len(indices)

    def indices(self, codes: NDArray[Any]) -> NDArray[np.int64]:
        """The indices (N, positions) of discrete `codes` (N, D)."""
        vectors = torch.from_numpy(codes).float().view(-1, *self.model.latent_shape).to(self.model.device)
        found: Tensor = self.model.bottleneck.indices_of(vectors)
        return found.flatten(1).cpu().numpy()

    def draw(self, n: int, random: np.random.RandomState) -> NDArray[np.float64]:
        """`n` codes (n, D): from the prior of a variational model; else from a normal distribution with the mean and covariance
        of the codes of the training rows, or, of discrete codes, each position by itself, as often as there."""
        if "kl" in self.model.units:
            return random.normal(size=(n, self.width))
        if self.frequencies is not None:
            sums = self.frequencies.cumsum(1)
            chosen = (random.uniform(size=(n, len(sums), 1)) > sums[None] / sums[None, :, -1:]).sum(2)
            places = torch.from_numpy(chosen).view(n, *self.model.latent_shape[1:])
            vectors: Tensor = self.model.bottleneck.codes_of(places)
            return _joined([vectors])
        if self.mean is None or self.spread is None:
            raise DiaboloError("nothing can be sampled before codes of training rows were looked at")
        return self.mean + random.normal(size=(n, self.spread.shape[1])) @ self.spread.T

    # --- within -------------------------------------------------------------------------------------------------------------

    def _pieces(self, x: NDArray[Any], y: Known) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The rows of `x` in the units of the data, (n, *input_shape), on the device, and what is known of them."""
        for start in range(0, len(x), CHUNK):
            part = torch.from_numpy(np.array(x[start : start + CHUNK])).view(-1, *self.exact.input_shape)
            reach = UNIT if self.exact.scaling.reach == UNIT else ANY
            yield as_pixels(part, self.exact.input_shape, reach).to(self.exact.device), self._tensor(y, start)

    def _codes(self, z: NDArray[Any], y: Known) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The codes (n, *latent_shape) of `z`, on the device, and what is known of them."""
        for start in range(0, len(z), CHUNK):
            part = torch.from_numpy(np.array(z[start : start + CHUNK])).view(-1, *self.exact.latent_shape)
            yield as_codes(part, self.exact.latent_shape).to(self.exact.device), self._tensor(y, start)

    def _tensor(self, y: Known, start: int) -> Tensor | None:
        return None if y is None else torch.from_numpy(y[start : start + CHUNK]).to(self.exact.device)

    def _picked(self, x: Tensor, y: Tensor | None) -> Tensor | None:
        """What encoder and decoder are given besides, of the rows `x` and what is known of them."""
        found: Tensor | None = self.exact.condition.pick(self.exact.scaling(x), y)
        return found

    @torch.no_grad()
    def _code(self, x: Tensor, y: Tensor | None) -> Tensor:
        """The codes (n, D) of the rows `x` (n, *input_shape)."""
        exact = self.exact
        if not self.layered:
            with InDouble():
                codes = exact.encode(x, y)
            return codes.float()  # type: ignore[no-any-return]
        to_encoder, _ = exact.condition(self._checked(self._picked(x, y)))
        draws = Draws(generator(0, "encode", device=exact.device))  # a bottleneck may draw, though its code is none
        with InDouble():
            features = exact.encoder(exact.scaling(x).double(), *to_encoder)
            code: Tensor = exact.bottleneck(features, draws).code
        return code.float()

    @torch.no_grad()
    def _decoded(self, z: Tensor, y: Tensor | None) -> Tensor:
        """The rows (n, *input_shape), in the units of the data, of the codes `z`."""
        exact = self.exact
        if not self.layered:
            with InDouble():
                return exact.decode(z, y)  # type: ignore[no-any-return]
        _, to_decoder = exact.condition(self._checked(y))
        with InDouble():
            mean = exact.likelihood.mean(exact.decoder(z.double().view(-1, *exact.latent_shape), *to_decoder))
            found: Tensor = exact.scaling.undo(mean)
        return found

    def _checked(self, y: Tensor | None) -> Tensor | None:
        """What is known, refused where the condition needs it and it is missing or wrong."""
        condition = self.exact.condition
        if y is None and condition.needs_column is not None:
            raise DiaboloError(f"this model is conditioned on {condition.needs_column}: give them as y")
        if y is not None:
            condition.check(y)
        return y

    # --- as bytes -----------------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """The model as JSON and safetensors, beside plain arrays."""
        state = {name: t.detach().cpu().contiguous().clone() for name, t in self.model.state_dict().items()}
        config = {
            "name": self.model.name,
            "recipe": self.model.recipe,
            "model": parts.describe(self.model),
            "tied": tied.groups(self.model),
        }
        kept = {"mean": self.mean, "spread": self.spread, "frequencies": self.frequencies}
        return {"config": json.dumps(config), "weights": safetensors.torch.save(state), **kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the model again; a pickle that names packages of one's own imports them, as any pickle does."""
        config = json.loads(state["config"])
        with trusting(tuple(parts.packages([config["model"]]))), torch.random.fork_rng(devices=[]), wide_codes():
            model = parts.build(config["model"])
        tied.tie(model, config["tied"])
        model.load_state_dict(safetensors.torch.load(bytes(state["weights"])))
        model.name, model.recipe = config["name"], config["recipe"]
        self.model = model.eval()
        self.mean, self.spread, self.frequencies = (state[name] for name in ("mean", "spread", "frequencies"))


class InDouble(TorchFunctionMode):
    """Inside the block `x.float()`, by which parts leave half precision, gives float64."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What `func` gives, but for `float`."""
        return (torch.Tensor.double if func is torch.Tensor.float else func)(*args, **(kwargs or {}))


@contextmanager
def wide_codes() -> Iterator[None]:
    """Inside the block nobody is warned that a code is as wide as the rows, since the estimators refuse what they do not want,
    or of the steps of float32, since they decode in float64."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "no bottleneck", UserWarning)
        warnings.filterwarnings("ignore", ".* and float32 keeps steps of", UserWarning)
        yield


def _joined(parts: Iterable[Tensor]) -> NDArray[np.float64]:
    """(n, …) each as one array (N, numbers)."""
    return np.concatenate([part.detach().flatten(1).double().cpu().numpy() for part in parts])
