"""The likelihood of a row of a table with columns of different kinds: each is scored by the distribution that suits it."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.bounds import held
from diabolo.data.column_types import KINDS
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.hardware import wide
from diabolo.likelihoods.counts import MOST, poisson_nll
from diabolo.likelihoods.densities import LOG_SIGMA_FLOOR, bernoulli_nll, check_scale
from diabolo.likelihoods.likelihood import REALS, Likelihood
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Above

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
HAIR = 1e-3  # so far from 0, 1 or a whole number rounding may carry a float


@part
class Mixed(Likelihood):
    """−log p(x) = Σ over the columns of a table, in nats per row: a Gaussian for each real number, Bernoulli for what is 0 or
    1, Poisson for a count, and for a category the softmax over its one-hot features: the heterogeneous likelihood of HI-VAE
    (Nazabal et al. 2020, Pattern Recognition 107:107501, arXiv 1807.03653).

    What is NaN is not known and left out of the loss; of a category its whole group, if one of its features is.

    Args:
        types: of each column in turn "number", "binary", "count", or "category:3", of three one-hot features.
        sigma: σ of the real numbers, after scaling: a number; "learned", one for all; or "per-feature".

    Example:
        >>> mixed = diabolo.likelihoods.Mixed(("binary", "category:3"))
        >>> x, raw = torch.tensor([[1.0, 0.0, 0.0, 1.0]]), torch.zeros(1, 4)
        >>> mixed.loss(raw, x)  # log 2 + log 3
        tensor([1.7918])
        >>> mixed.mean(raw).round(decimals=4).tolist()
        [[0.5, 0.33329999446868896, 0.33329999446868896, 0.33329999446868896]]
    """

    unit = "nats per image"
    support = REALS
    density = True
    masks = True
    suited = "standard"
    scaled: tuple[int, ...]
    log_sigma: Tensor
    numbers: Tensor
    binary: Tensor
    counted: Tensor
    places: Tensor
    filling: Tensor

    def __init__(
        self, types: Sequence[str] | None = None, sigma: Annotated[float | str, Above(0)] = "per-feature"
    ) -> None:
        super().__init__()
        if not types:
            raise DiaboloError(
                "the likelihood mixed needs the type of each column: load a table with columns_types='auto' "
                "(--columns-types auto), or give types=('number', 'binary', 'count', 'category:3')"
            )
        self.types = tuple(types)
        found: dict[str, list[int]] = {kind: [] for kind in KINDS}
        groups, at = list[range](), 0
        for word in self.types:
            kind, size = _read(word)
            found[kind].append(at)
            groups += [range(at, at + size)] if kind == "category" else []
            at += size
        self.width = at
        self.scaled, self.logged = tuple(found["number"]), tuple(found["count"])
        longest = max(map(len, groups), default=0)
        places = [[*group, *[group[0]] * (longest - len(group))] for group in groups]
        filling = [[False] * len(group) + [True] * (longest - len(group)) for group in groups]
        for name, kind in (("numbers", "number"), ("binary", "binary"), ("counted", "count")):
            self.register_buffer(name, torch.tensor(found[kind], dtype=torch.long), persistent=False)
        shape = (len(groups), longest)
        self.register_buffer("places", torch.tensor(places, dtype=torch.long).view(shape), persistent=False)
        self.register_buffer("filling", torch.tensor(filling, dtype=torch.bool).view(shape), persistent=False)
        if not isinstance(sigma, str):
            check_scale("sigma", sigma)
        if self.scaled:
            self.hold("sigma", sigma)

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse anything but rows of as many numbers as the types have."""
        if tuple(shape) != (self.width,):
            raise DiaboloError(
                f"the likelihood mixed has types of {len(self.types)} columns, which are rows of {self.width} numbers, not "
                f"examples of shape {tuple(shape)}"
            )

    def prepare(self, shape: tuple[int, ...]) -> None:
        """Make the σ of each real number."""
        super().prepare((len(self.scaled),))

    def check_features(self, x: NDArray[Any], names: Sequence[str] | None = None) -> None:
        """Refuse counts that are none, what is neither 0 nor 1, and one-hot features of which not exactly one is 1, in the rows
        `x` (N, D) of which the features are called `names`."""
        called = names or tuple(f"feature {i}" for i in range(self.width))
        at = 0
        for word in self.types:
            kind, size = _read(word)
            values = x[:, at : at + size]
            known = values[~np.isnan(values).any(1)] if values.dtype.kind == "f" else values
            bad = None
            if kind == "count":
                bad = known[(known < 0) | (known != np.rint(known))]
                wanted = "counts, whole numbers of 0 or more"
            elif kind == "binary":
                bad = known[(known != 0) & (known != 1)]
                wanted = "0 or 1"
            elif kind == "category":
                bad = known[(np.abs(known - np.rint(known)) > HAIR).any(1) | (known.sum(1) != 1) | (known < 0).any(1)]
                wanted = f"one 1 among its {size} one-hot features"
            if bad is not None and bad.size:
                column = called[at].partition("=")[0] if kind == "category" else called[at]
                shown = "+".join(f"{v:g}" for v in bad[0].tolist()) if kind == "category" else f"{bad.flat[0]:g}"
                raise DiaboloError(
                    f"the column {column!r} is of the type {kind} and must hold {wanted}, not {shown}: give it another type by "
                    "columns_types (--columns-types), such as number"
                )
            at += size

    def mean(self, raw: Tensor) -> Tensor:
        """x_hat (N, D): the mean of numbers and counts, the probability of 1, and those of each value of a category."""
        raw = raw.float()
        x_hat = raw.clone()
        x_hat[:, self.binary] = raw[:, self.binary].sigmoid()
        x_hat[:, self.counted] = held(raw[:, self.counted], high=MOST).exp()
        return self._grouped(x_hat, self._logits(raw).softmax(2))

    def drawn(self, raw: Tensor, draws: Draws) -> Tensor:
        """A draw (N, D) of p(x | z): numbers with their noise, 0 or 1, whole counts, and one 1 in each category."""
        mean = self.mean(raw)
        row = mean.clone()
        if self.scaled:
            sigma = held(self.number("log_sigma"), LOG_SIGMA_FLOOR).exp()
            row[:, self.numbers] += sigma * draws.normal(mean[:, self.numbers])
        row[:, self.binary] = (draws.uniform(mean[:, self.binary]) < mean[:, self.binary]).float()
        if self.logged:
            rate = mean[:, self.counted]

            def counts(shape: Any, generator: Any, device: Any, dtype: Any) -> Tensor:
                return torch.poisson(rate, generator=generator)

            row[:, self.counted] = draws.numbers(counts, tuple(rate.shape), rate.device, rate.dtype)
        logits = self._logits(raw.float())
        if logits.numel():
            uniform = draws.uniform(logits).clamp(min=torch.finfo(torch.float32).tiny)
            chosen = (logits - (-uniform.log()).log()).argmax(2)  # Gumbel's noise: the largest is a draw of the softmax
            row = self._grouped(row, torch.nn.functional.one_hot(chosen, logits.shape[2]).float())
        return row

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """−log p of each row (N,) of `x` (N, D), in nats, over the columns that are known."""
        known = ~x.isnan()
        raw, x = raw.float(), torch.where(known, x, 0.0).float()
        total = raw.new_zeros(len(raw))
        if self.scaled:
            log_sigma = held(self.number("log_sigma"), LOG_SIGMA_FLOOR)
            deviation = (raw - x)[:, self.numbers] * torch.exp(-log_sigma)
            total = total + _over(known[:, self.numbers], 0.5 * deviation.square() + log_sigma + HALF_LOG_TAU)
        if len(self.binary):
            total = total + _over(known[:, self.binary], bernoulli_nll(raw[:, self.binary], x[:, self.binary]))
        if self.logged:
            log_rate = held(wide(raw[:, self.counted]), high=MOST)
            nll = poisson_nll(wide(x[:, self.counted]), log_rate).to(raw.device)
            total = total + _over(known[:, self.counted], nll)
        if len(self.places):
            log_p = self._logits(raw).log_softmax(2).masked_fill(self.filling, 0.0)
            total = total + _over(known[:, self.places].all(2), -(x[:, self.places] * log_p).sum(2))
        return total

    def _logits(self, raw: Tensor) -> Tensor:
        """Those of each category (N, categories, values), −∞ where one has fewer values than the largest."""
        return raw[:, self.places].masked_fill(self.filling, -math.inf)

    def _grouped(self, rows: Tensor, values: Tensor) -> Tensor:
        """The `rows` (N, D) with `values` (N, categories, values) in the places of the categories."""
        rows[:, self.places[~self.filling]] = values[:, ~self.filling]
        return rows


def _over(known: Tensor, nll: Tensor) -> Tensor:
    """Σ over the columns that are `known` (N, C)."""
    return torch.where(known, nll, 0.0).sum(1).float()


def _read(word: str) -> tuple[str, int]:
    """What kind of column a word means, and how many features it has."""
    kind, colon, size = str(word).partition(":")
    if kind not in KINDS:
        raise UnknownNameError("type of a column", kind, KINDS)
    if bool(colon) != (kind == "category") or (colon and not (size.isdecimal() and int(size) > 0)):
        raise DiaboloError(
            f"the type of a column is number, binary, count, or category:3 with the number of its values, not {word!r}"
        )
    return kind, int(size) if colon else 1
