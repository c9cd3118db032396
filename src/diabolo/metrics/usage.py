"""How much of a code is used (active units, the directions that codes spread over, the codes of a codebook), and how large it
is in bits.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.bottlenecks.diagnosis import ACTIVE, DEAD
from diabolo.errors import DiaboloError

NEAR = 1e-3  # of the median distance between two codes: nearer ones are duplicates


def active_units(mu: NDArray[Any], threshold: float = ACTIVE) -> NDArray[np.bool_]:
    """Which units (D,) are active: Var over images of the posterior mean `mu` (N, D) above `threshold` (Burda et al. 2016,
    arXiv 1509.00519, section 4). For codes on the scale of N(0, I) alone; else see `live_units`.

    Example:
        >>> mu = np.random.default_rng(0).normal(size=(100, 3)) * [1.0, 0.01, 2.0]
        >>> diabolo.metrics.active_units(mu)
        array([ True, False,  True])
    """
    variance: NDArray[np.float64] = mu.var(0, dtype=np.float64)
    return variance > threshold


def from_first(codes: NDArray[Any]) -> NDArray[np.float64]:
    """`codes` (N, D) less the first of them, in float64, so that a unit which is the same for all has a deviation of 0: less
    their mean, which is rounded, it may have a little more."""
    z = codes.astype(np.float64)
    return z - z[:1]


def live_units(codes: NDArray[Any], share: float = DEAD) -> NDArray[np.bool_]:
    """Which units (D,) of deterministic `codes` (N, D), whose scale means nothing, vary over images by more than this share of
    the standard deviation of the one that varies most."""
    deviation = from_first(codes).std(0)
    live: NDArray[np.bool_] = deviation > share * deviation.max()
    return live


def effective_dimensions(codes: NDArray[Any]) -> float:
    """exp(−Σ pᵢ log pᵢ), pᵢ = λᵢ / Σ λ the share of the variance of `codes` (N, D) along principal direction i: how many
    directions, evenly used, would spread as much (effective rank: Roy & Vetterli 2007). 0 for codes that are all the same."""
    if len(codes) < 2:
        return 0.0
    variance = np.linalg.eigvalsh(np.atleast_2d(np.cov(from_first(codes), rowvar=False)))
    variance = variance[variance > 0]
    if not len(variance):
        return 0.0
    p = variance / variance.sum()
    return float(np.exp(-(p * np.log(p)).sum()))


def hoyer(codes: NDArray[Any]) -> NDArray[np.float64]:
    """(√D − ‖z‖₁ / ‖z‖₂) / (√D − 1) of each code, (N, D) → (N,): 0 where all units are of one size, 1 where only one speaks.
    The scale of a code does not change it, as it does the L1 norm (Hoyer 2004, JMLR 5). A code of zeros has 0."""
    z = np.abs(codes.astype(np.float64))
    length, root = np.sqrt(np.square(z).sum(1)), np.sqrt(z.shape[1])
    if root == 1:
        return np.zeros(len(z))
    ratio = np.divide(z.sum(1), length, out=np.full(len(z), root), where=length > 0)
    found: NDArray[np.float64] = (root - ratio) / (root - 1)
    return found.clip(0)  # rounding


@dataclass(frozen=True)
class CodebookUse:
    """How a codebook of K codes is used.

    Attributes:
        used: how many codes were used at least once.
        dead: K − used.
        entropy: −Σ pₖ log₂ pₖ in bits per code, pₖ the share of code k.
        perplexity: 2^entropy: how many codes, evenly used, would tell as much.
    """

    used: int
    dead: int
    entropy: float
    perplexity: float


def codebook_use(counts: NDArray[Any]) -> CodebookUse:
    """Of how often each code was used, (K,). The entropy is that of the counts as they are: with few uses per code it is
    too small.

    Example:
        >>> found = diabolo.metrics.codebook_use(np.array([10, 10, 0, 0]))
        >>> found
        CodebookUse(used=2, dead=2, entropy=1.0, perplexity=2.0)
    """
    p = counts[counts > 0] / counts.sum(dtype=np.float64)
    entropy = float(-(p * np.log2(p)).sum()) + 0.0
    return CodebookUse(len(p), len(counts) - len(p), entropy, 2**entropy)


def duplicate_codes(vectors: NDArray[Any], near: float = NEAR) -> int:
    """How many of the codes (K, D) repeat an earlier one: lie nearer to it than `near` times the median distance of two."""
    from scipy.spatial.distance import pdist, squareform  # slow to import

    if len(vectors) < 2:
        return 0
    distances = pdist(vectors.astype(np.float64))
    same = squareform(distances <= near * np.median(distances))
    return int(np.tril(same, -1).any(1).sum())


def image_bits(images: NDArray[Any]) -> int:
    """Bits of one of `images` (N, …) at rest: 8 for each value of a uint8 image, 32 for each of a float32 vector."""
    return images.itemsize * 8 * math.prod(images.shape[1:])


def index_bits(places: int, codes: int) -> float:
    """Bits of `places` indices that may each be any of `codes`: places · log₂ K."""
    if places < 0 or codes < 1:
        raise DiaboloError(f"there are no indices at {places} places of {codes} codes")
    return places * math.log2(codes)


def compression_ratio(image: float, code: float) -> float:
    """How many times the bits of the `code` go into those of the `image`."""
    if not code > 0:
        raise DiaboloError("a code of no bits has no compression ratio")
    return image / code
