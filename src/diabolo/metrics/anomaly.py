"""How well a score distinguishes anomalous images from normal ones."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.masks import as_mask
from diabolo.statistics import bootstrap

Interval = tuple[float, float]
Z = NormalDist().inv_cdf(0.975)
PRIOR = 5  # degrees of freedom of the usual variance, beside those of the one that was found
BESIDE = 1e-12  # so near to an area of 0 or 1, at which nothing varies, its interval is looked for
WHICH = "the labels that say which images are anomalous"


@dataclass(frozen=True)
class Separation:
    """How well a score separates n images, of which m are anomalous.

    Attributes:
        auroc: the probability that an anomalous image scores above a normal one, ties counting half; 0.5 by chance.
        auroc_interval: its 95 % interval, see `delong`.
        auprc: average precision, Σ (Rₖ − Rₖ₋₁) Pₖ over the thresholds; m / n by chance.
        auprc_interval: its 95 % interval, by a bootstrap over images.
        share: m / n.
    """

    auroc: float
    auroc_interval: Interval
    auprc: float
    auprc_interval: Interval
    share: float


def separation(scores: ArrayLike, anomalous: ArrayLike, n_resamples: int = 200, seed: int = 0) -> Separation:
    """How well `scores` (n,), the higher the more anomalous, tell which images are `anomalous` (n,). Areas by scikit-learn.

    Args:
        scores, anomalous: as above; the latter True and False, or 0 and 1.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DiaboloError: for scores that are NaN, fewer than two images of either kind, and labels that are neither 0 nor 1.

    Example:
        >>> scores, anomalous = np.arange(100.0), np.arange(100) >= 90
        >>> found = diabolo.metrics.separation(scores, anomalous)
        >>> round(found.auroc, 3), found.share
        (1.0, 0.1)
    """
    from sklearn.metrics import average_precision_score, roc_auc_score  # slow to import

    values = np.asarray(scores, np.float64)
    odd = as_mask(anomalous, WHICH, values.shape)
    if bad := int(np.isnan(values).sum()):
        raise DiaboloError(f"{bad:,} of {len(values):,} anomaly scores are NaN")
    m = int(odd.sum())
    if not 2 <= m <= len(values) - 2:
        raise DiaboloError(f"two anomalous and two normal images are needed at least, not {m} and {len(values) - m}")
    values = np.nan_to_num(values)  # infinity is a score, only no number that scikit-learn takes
    auroc = float(roc_auc_score(odd, values))

    def auprc(s: NDArray[np.float64], y: NDArray[np.bool_]) -> float:
        return float(average_precision_score(y, s)) if y.any() else 0.0

    between = bootstrap(auprc, values, odd, n_resamples=n_resamples, seed=seed)
    return Separation(auroc, delong(values, odd), auprc(values, odd), between, m / len(values))


def delong(scores: ArrayLike, anomalous: ArrayLike) -> Interval:
    """95 % interval of the area under the ROC curve; arguments as in `separation`.

    Its variance at the area A that was found is that of DeLong, DeLong & Clarke-Pearson 1988, v = var(V₁) / m + var(V₀) /
    (n − m): V₁ is the share of normal images below each anomalous one, V₀ the share of anomalous ones above each normal one,
    ties counting half. By ranks (Sun & Xu 2014), so that no pair is looked at.

    A ± 1.96 √v would hold an area of 0.98 in half of all cases with ten images of either kind, and would have no width at all
    where every pair is in order. So all areas θ are within that A is not too far from, (A − θ)² ≤ t² s V(θ), with

    V(θ) = θ (1 − θ) (1 + N (1 − θ) / (2 − θ) + N θ / (1 + θ)) / (m (n − m)),  N = n / 2 − 1

    how the variance depends on the area (Newcombe 2006, Statistics in Medicine 25, method 5). With s = v / V(A) and t = 1.96
    the interval would hold the area in 88 of 100 cases where there are five anomalous images and fifty others, for v is then
    known badly: with f degrees of freedom (Brunner & Munzel 2000). So it is moderated (Smyth 2004, "Linear models and empirical
    Bayes methods"): s = (f v / V(A) + 5) / (f + 5), and t is Student's quantile of f + 5; where v is 0, which says nothing, s
    is 1 and t 1.96. For many images it is DeLong's interval.

    Where every pair is in order nothing is seen of how the scores spread, and V may be far too small: two anomalous images of
    widely spread scores lie both above eight others in nearly a quarter of all cases of θ = 0.5. But that k = min(m, n − m)
    pairs which share no image are in order has the probability θᵏ, whatever the scores; so the interval reaches at least to
    0.025 to the power of 1 / k, as that of a share of k images of which all are right (Clopper & Pearson 1934).
    """
    from scipy.optimize import brentq  # slow to import
    from scipy.special import stdtrit
    from scipy.stats import rankdata

    values = np.asarray(scores, np.float64)
    odd = as_mask(anomalous, WHICH, values.shape)
    above, below = values[odd], values[~odd]
    ranks = rankdata(np.concatenate([above, below]))
    m, n = len(above), len(below)
    v1 = (ranks[:m] - rankdata(above)) / n
    v0 = (ranks[m:] - rankdata(below)) / m  # 1 − V₀, which varies as much
    area, (one, other) = float(v1.mean()), (float(v1.var(ddof=1) / m), float(v0.var(ddof=1) / n))

    def usual(at: float) -> float:
        more = ((m + n) / 2 - 1) * ((1 - at) / (2 - at) + at / (1 + at))
        return at * (1 - at) * (1 + more) / (m * n)

    factor, quantile = 1.0, Z
    if (variance := one + other) > 0:
        df = variance**2 / (one**2 / (m - 1) + other**2 / (n - 1))
        factor = (df * variance / usual(area) + PRIOR) / (df + PRIOR)
        quantile = float(stdtrit(df + PRIOR, 0.975))

    def beyond(at: float) -> float:
        return abs(at - area) - quantile * math.sqrt(factor * usual(at))

    low, high = brentq(beyond, 0.0, area * (1 - BESIDE)), brentq(beyond, area + (1 - area) * BESIDE, 1.0)
    alone = 0.025 ** (1 / min(m, n))
    return min(low, alone) if area == 1 else low, max(high, 1 - alone) if area == 0 else high
