"""What images can be told by besides their codes, as a floor under every probe: their pixels, and as many principal components
as the code has numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.gather import stacked
from diabolo.data.images import Images, chunks
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.metrics.probes import common_scale
from diabolo.plain import percent

WHOLE = 1024  # numbers an image or a code may have, to be looked at as it is
KEPT = 512  # principal components that stand for a larger one
FITTED = 8192  # images those are fitted to
PIECE = 4096
FILLED = "what is missing is filled in by the mean of the training images"

Codes = tuple[NDArray[np.float32], NDArray[np.float32]]  # of training and test images


@dataclass(frozen=True)
class View:
    """One way to describe the images by numbers.

    Attributes:
        name: "codes", "sampled codes", "pixels", "PCA-16".
        train, test: (N, D) and (M, D), float32.
        reduced: by what it is stood for, where it is too large: a sentence for `Score.setting`.
        scale: the one number that a probe divides all of it by; when left out the `common_scale` of the training images, and 1
            for pixels.
    """

    name: str
    train: NDArray[np.float32]
    test: NDArray[np.float32]
    reduced: str | None = None
    scale: float = 0.0

    def __post_init__(self) -> None:
        if not self.scale:
            object.__setattr__(self, "scale", 1.0 if self.name == "pixels" else common_scale(self.train))


def views(codes: Codes, train: Images, test: Images, seed: int, sampled: Codes | None = None) -> dict[str, View]:
    """The codes (N, D) and (M, D) of the training and test images, draws of their posterior where there is one, their pixels,
    and their first D principal components (left out where D is not less than the pixels), by name. Whatever is fitted is fitted
    to training images alone."""
    for part, z in zip((train, test), codes, strict=True):
        bad = int((~np.isfinite(z)).any(1).sum())
        if bad:
            raise DiaboloError(f"{bad} codes of {part.name} ({part.split}) hold NaN or infinity: train the model anew")
    found = code_views(codes, sampled, seed)
    numbers, size = int(np.prod(train.shape)), codes[0].shape[1]
    whole, wanted = numbers <= WHOLE, min(size, KEPT, numbers - 1)
    kept = wanted if whole else min(KEPT, len(train))
    principal = _principal([train, test], train, kept, seed, exact=whole)
    filled = FILLED if train.holes.any() or test.holes.any() else None
    if whole:
        found.append(View("pixels", known_pixels(train, train), known_pixels(test, train), filled))
    else:
        said = f"by their first {kept} principal components ({percent(principal.share, 1)} of the variance)"
        said = f"{said}; {filled}" if filled else said
        found.append(View("pixels", principal.parts[0], principal.parts[1], reduced=said))
    if size < numbers and wanted <= kept:
        few = [np.ascontiguousarray(part[:, :wanted]) for part in principal.parts]
        found.append(View(f"PCA-{wanted}", few[0], few[1], filled))
    return {view.name: view for view in found}


def flat_pixels(images: Images) -> NDArray[np.float32]:
    """(N, D) as float32."""
    x, n = images.images, len(images)
    if x.dtype == np.float32 and isinstance(x, np.ndarray):
        return x.reshape(n, -1)
    starts = range(0, n, PIECE)
    return stacked((to_float(x[i : i + PIECE]).reshape(min(PIECE, n - i), -1) for i in starts), n, "pixels")


def known_pixels(images: Images, train: Images) -> NDArray[np.float32]:
    """(N, D) as float32, with the mean of the `train`ing images in the place of what is missing."""
    x = flat_pixels(images)
    if not images.holes.any():
        return x
    sums, known = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for piece in chunks(train.images):
        values = to_float(piece, np.float64).reshape(len(piece), -1)
        sums, known = sums + np.nansum(values, 0), known + (~np.isnan(values)).sum(0)
    mean = (sums / np.maximum(known, 1)).astype(np.float32)
    return np.where(np.isnan(x), mean, x)


def code_views(codes: Codes, sampled: Codes | None, seed: int) -> list[View]:
    """The codes, and draws of their posterior where there is one: both of training and test images."""
    found = [_of_codes("codes", *codes, seed)]
    return found if sampled is None else [*found, _of_codes("sampled codes", *sampled, seed)]


def _of_codes(name: str, train: NDArray[np.float32], test: NDArray[np.float32], seed: int) -> View:
    if train.shape[1] <= WHOLE:
        return View(name, train, test)
    if not (train != train[0]).any():
        return View(name, train[:, :1], test[:, :1], "which are all equal")
    from sklearn.decomposition import PCA  # slow to import

    chosen = _few(len(train), seed)
    pca = PCA(min(KEPT, len(chosen)), svd_solver="randomized", random_state=seed).fit(train[chosen])
    share = float(pca.explained_variance_ratio_.sum())
    said = f"by their first {pca.n_components_} principal components ({percent(share, 1)} of the variance)"
    return View(name, pca.transform(train), pca.transform(test), said)


@dataclass(frozen=True)
class _Principal:
    parts: list[NDArray[np.float32]]
    share: float


def _principal(parts: list[Images], fit_to: Images, kept: int, seed: int, exact: bool) -> _Principal:
    from sklearn.decomposition import PCA  # slow to import

    chosen = np.arange(len(fit_to)) if exact else _few(len(fit_to), seed)
    x = known_pixels(fit_to if exact else fit_to.take(chosen), fit_to)
    kept = min(kept, len(x))
    pca = PCA(kept, svd_solver="covariance_eigh" if exact else "randomized", random_state=seed).fit(x)
    found = [
        stacked(
            (pca.transform(known_pixels(piece, fit_to)).astype(np.float32) for piece in _pieces(part)),
            len(part),
            "principal components",
        )
        for part in parts
    ]
    return _Principal(found, float(pca.explained_variance_ratio_.sum()))


def _few(n: int, seed: int) -> NDArray[np.int64]:
    return np.sort(np.random.default_rng(seed).permutation(n)[:FITTED])


def _pieces(images: Images) -> Iterator[Any]:
    return (images.take(np.arange(i, min(i + PIECE, len(images)))) for i in range(0, len(images), PIECE))


def is_told(codec: Any, what: str) -> bool:
    """Whether the encoder of `codec` sees, besides the pixels, the very column that is to be read off its codes."""
    return bool(codec.condition.to_encoder) and codec.needs_column == what
