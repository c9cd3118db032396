"""Directions in latent space that stand for an attribute, what becomes of images that are moved along them, and the linear
probe that says how probable an attribute is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.latents.codes import check_codes, check_differ, decode, refuse_discrete
from diabolo.masks import as_mask
from diabolo.metrics.probes import common_scale

Floats = NDArray[np.float64]
PENALTY = 1e-5  # of the weights of codes in one scale, against the mean cross entropy: keeps separable classes finite


@dataclass(frozen=True)
class Probe:
    """p(attribute | z) = σ(w·z + b).

    Attributes:
        weight: w (D,), in units of the codes as they are.
        bias: b.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(200, 2))
        >>> probe = diabolo.latents.Probe.fit(codes, codes[:, 0] > 0)
        >>> probe(np.array([[3.0, 0.0], [-3.0, 0.0]])).round(1)
        array([1., 0.])
    """

    weight: Floats
    bias: float

    @classmethod
    def fit(cls, codes: ArrayLike, has: ArrayLike) -> "Probe":
        """Logistic regression on codes (N, D), of which some have the attribute and some have not, (N,). All are divided by
        one number, see `common_scale`: an idle unit stays as small as it is."""
        from sklearn.linear_model import LogisticRegression  # slow to import

        z, some = halves(codes, has)
        mean, scale = z.mean(0), common_scale(z)
        fitted = LogisticRegression(C=1 / (PENALTY * len(z)), max_iter=1000).fit((z - mean) / scale, some)
        weight = fitted.coef_[0] / scale
        return cls(weight, float(fitted.intercept_[0] - weight @ mean))

    def __call__(self, codes: ArrayLike) -> Floats:
        """The probability (N,) for `codes` (N, D)."""
        from scipy.special import expit

        found: Floats = expit(check_codes(codes) @ self.weight + self.bias)
        return found


def judge(codec: Codec, probes: Mapping[str, Probe]) -> Callable[[NDArray[np.float32]], dict[str, Floats]]:
    """A judge of images (N, C, H, W): `codec`, which need not be the one that made them, encodes them for the `probes`."""

    def see(images: NDArray[np.float32]) -> dict[str, Floats]:
        z = codec.encode(torch.from_numpy(images)).flatten(1).cpu().numpy()
        return {name: probe(z) for name, probe in probes.items()}

    return see


def halves(codes: ArrayLike, has: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Codes (N, D) in float64, and which of them have an attribute, (N,).

    Raises:
        DiaboloError: when all codes are the same, when all have it or none has, and for labels that are neither 0 nor 1.
    """
    z = check_codes(codes, least=2)
    some = as_mask(has, "the labels that say which codes have the attribute", (len(z),))
    if some.all() or not some.any():
        raise DiaboloError(
            f"{'all' if some.all() else 'none'} of {len(z)} codes have the attribute: some must have it and some must not"
        )
    check_differ(z, "a direction")
    return z, some


Judge = Callable[
    [NDArray[np.float32]], Mapping[str, Floats]
]  # images (N, C, H, W) → the probability (N,) of each attribute
LEFT = 1e-6  # of a direction's length: less is nothing


def attribute(images: Images, name: str, varies: bool = True) -> NDArray[np.bool_]:
    """Which of `images` have the attribute `name`, (N,); where there are no attributes, which are of the class `name`.

    Raises:
        UnknownNameError: when there is no such attribute.
        DiaboloError: when all of the images have it, or none has, unless it need not vary.

    Example:
        >>> int(diabolo.latents.attribute(test, "3").sum()), int((test.labels == 3).sum())
        (8, 8)
    """
    if images.attributes is None or images.attribute_names is None:
        return of_class(images, name, varies)
    if name not in images.attribute_names:
        raise UnknownNameError("attribute", name, images.attribute_names, see="attribute_names of the images")
    has: NDArray[np.bool_] = images.attributes[:, images.attribute_names.index(name)]
    return _some(images, name, has) if varies else has


def of_class(images: Images, name: str, varies: bool = True) -> NDArray[np.bool_]:
    """Which of `images` are of the class `name`, (N,); errors as those of `attribute`.

    Example:
        >>> int(diabolo.latents.of_class(test, "3").sum())
        8
    """
    where = f"{images.name} ({images.split})"
    if images.labels is None:
        raise DiaboloError(f"{where} has neither attributes nor labels to go by")
    names = images.label_names or tuple(map(str, range(int(images.labels.max()) + 1)))
    if name not in names:
        raise UnknownNameError("class", name, names, see="diabolo data inspect")
    if (images.labels < 0).any():
        raise DiaboloError(f"not every label of {where} is known: take the images whose label is")
    has: NDArray[np.bool_] = images.labels == names.index(name)
    return _some(images, name, has) if varies else has


def _some(images: Images, name: str, has: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if has.all() or not has.any():
        raise DiaboloError(
            f"{'all' if has.all() else 'none'} of the {len(images):,} images of {images.name} ({images.split}) are {name!r}: "
            f"a direction needs some that are and some that are not"
        )
    return has


def mean_difference(codes: ArrayLike, has: ArrayLike) -> Floats:
    """v (D,): the mean code of the images that have the attribute, less that of those that have not (Larsen et al. 2016,
    arXiv 1512.09300). Means of codes, which are means of the posterior, never of its samples.

    Args:
        codes: (N, D).
        has: (N,), True for some and not for all, or 1.

    Example:
        >>> codes, has = torch.tensor([[0.0, 0.0], [2.0, 0.0], [4.0, 1.0]]), np.array([False, True, True])
        >>> diabolo.latents.mean_difference(codes, has)
        array([3. , 0.5])
    """
    z, some = halves(codes, has)
    found: Floats = z[some].mean(0) - z[~some].mean(0)
    return found


def probe_normal(codes: ArrayLike, has: ArrayLike, probe: Probe | None = None) -> Floats:
    """v (D,): the normal of the plane that parts the two groups best, a logistic regression (after Shen et al. 2020,
    arXiv 1907.10786), as long as the mean difference is along it, so that a step is as large as one of `mean_difference`.

    It follows attributes that go along with this one less than the mean difference does, but where those tell something of it,
    so they do here: see `orthogonalised`.

    Args:
        codes: (N, D).
        has: (N,), True for some and not for all, or 1.
        probe: the one for this attribute, where it was fitted before.

    Example:
        >>> codes, has = model.encode(train.images), train.labels == 0
        >>> tuple(diabolo.latents.probe_normal(codes, has).shape)
        (4,)
    """
    probe = probe or Probe.fit(codes, has)
    n = probe.weight / np.linalg.norm(probe.weight)
    found: Floats = n * (n @ mean_difference(codes, has))
    return found


def orthogonalised(direction: ArrayLike, others: ArrayLike) -> Floats:
    """What is left of `direction` (D,) at right angles to all of `others` (A, D): a step along it leaves them as they are, as
    far as linear probes see (Shen et al. 2020, arXiv 1907.10786: conditional manipulation).

    Raises:
        DiaboloError: when nothing is left: it is a sum of the others.

    Example:
        >>> diabolo.latents.orthogonalised(torch.tensor([1.0, 1.0]), torch.tensor([[0.0, 2.0]]))
        array([1., 0.])
    """
    v, V = np.asarray(direction, np.float64), np.atleast_2d(np.asarray(others, np.float64))
    _, size, rows = np.linalg.svd(V, full_matrices=False)
    basis = rows[size > size.max(initial=0) * LEFT]
    left: Floats = v - basis.T @ (basis @ v)
    if np.linalg.norm(left) <= LEFT * np.linalg.norm(v):
        raise DiaboloError(
            f"nothing of the direction is left at right angles to the {len(V)} others, in {len(v)} dimensions: keep fewer"
        )
    return left


@dataclass(frozen=True)
class Sweep:
    """Images moved along a direction.

    Attributes:
        alphas: (K,).
        images: (N, K, C, H, W).
        response: of each attribute the probability (N, K) that a judge gives it.

    Example:
        >>> codes = model.encode(test.images[:3])
        >>> found = diabolo.latents.sweep(model, codes, torch.ones(4), alphas=(-1, 0, 1))
        >>> found.images.shape
        (3, 3, 1, 8, 8)
    """

    alphas: tuple[float, ...]
    images: NDArray[np.float32]
    response: Mapping[str, Floats]

    def drift(self, moved: str, alpha: float | None = None) -> dict[str, float]:
        """How far each attribute but the one `moved` goes along: the mean of |p(α) − p(0)| over images and all α ≠ 0, or at one
        `alpha`."""
        away = [k for k in range(len(self.alphas)) if k != self._start] if alpha is None else [self.alphas.index(alpha)]
        return {
            name: float(np.abs(p[:, away] - p[:, [self._start]]).mean())
            for name, p in self.response.items()
            if name != moved
        }

    def apart(self) -> dict[str, float]:
        """How far two of the images are apart in each attribute before they are moved: the mean of |pᵢ(0) − pⱼ(0)| over all
        pairs, beside which a drift is small or large."""
        pairs = {name: np.abs(p[:, None, self._start] - p[None, :, self._start]) for name, p in self.response.items()}
        return {name: float(far.sum() / max(1, len(far) * (len(far) - 1))) for name, far in pairs.items()}

    @property
    def _start(self) -> int:
        return int(np.argmin(np.abs(self.alphas)))


def sweep(
    codec: Codec,
    codes: ArrayLike,
    direction: ArrayLike,
    alphas: Sequence[float],
    judge: Judge | None = None,
    y: Tensor | None = None,
) -> Sweep:
    """Decode z + α v for each of `codes` and `alphas`, and let a judge look at the images.

    A probe that is shown the moved code itself answers what it was asked: its logit is linear in α. So judges see images; one
    that encodes them again is `judge`.

    Args:
        codec: of continuous codes.
        codes: z (N, D).
        direction: v (D,).
        alphas: K numbers, 0 among them where a drift is to be measured.
        judge: images → the probability of each attribute; none when left out.
        y: what the decoder is given of each, see `codes.known`.

    Example:
        >>> codes, has = model.encode(train.images), train.labels == 0
        >>> towards_zero = diabolo.latents.mean_difference(codes, has)
        >>> found = diabolo.latents.sweep(model, codes[:3], towards_zero, alphas=(0, 1, 2))
        >>> found.images.shape
        (3, 3, 1, 8, 8)
    """
    refuse_discrete(codec, "arithmetic")
    z, v = check_codes(codes), np.asarray(direction, np.float64)
    if not len(alphas) or not np.isfinite(alphas).all():
        raise DiaboloError(f"give one α or more, finite numbers such as −2 0 2 4, not {tuple(alphas)}")
    if v.shape != z.shape[1:] or not v.any():
        raise DiaboloError(f"a direction among codes of {z.shape[1]} numbers is one of them and not 0, not {v.shape}")
    images = decode(codec, z[:, None] + np.asarray(alphas, np.float64)[:, None] * v, y)
    flat = images.reshape(-1, *images.shape[2:])
    found = {} if judge is None else {name: p.reshape(images.shape[:2]) for name, p in judge(flat).items()}
    return Sweep(tuple(map(float, alphas)), images, found)
