"""The KL divergence before it is a term of a loss: its properties, measured and said in row 5.6 of the study `guide`."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diabolo import figures, metrics
from diabolo.display import words
from diabolo.studies.engine.row import Row
from diabolo.studies.guide.plain import Numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIRS, DRAWS = 10_000, 1_000_000
NATS = "nats"


def measure(row: Row, codes: NDArray[np.float32]) -> None:
    """Write down KL divergences of univariate Gaussians, and of the Gaussian of the `codes` (N, D) to N(0, I)."""
    random = np.random.default_rng(0)
    row.number("KL(N(0, 1) ‖ N(1, 4))", metrics.gaussian_kl(0, 1, 1, 4), NATS)
    row.number("KL(N(1, 4) ‖ N(0, 1))", metrics.gaussian_kl(1, 4, 0, 1), NATS)
    z = random.standard_normal(DRAWS)
    ratio = np.log(2) - z**2 / 2 + (z - 1) ** 2 / 8  # log p − log q
    row.over("KL(N(0, 1) ‖ N(1, 4)), from draws", ratio, NATS, "draws")
    means, spreads = random.normal(0, 2, (PAIRS, 2)), np.exp(random.normal(0, 1, (PAIRS, 2)))
    every = [metrics.gaussian_kl(m, s**2, n, t**2) for (m, n), (s, t) in zip(means, spreads, strict=True)]
    row.number("least KL of random pairs", min(every), NATS)
    row.number("KL(p ‖ p)", metrics.gaussian_kl(1, 4, 1, 4), NATS)
    mean, covariance = codes.mean(0, dtype=np.float64), np.atleast_2d(np.cov(codes, rowvar=False, dtype=np.float64))
    row.number("KL of the codes, full covariance", metrics.gaussian_kl(mean, covariance, 0, 1), f"{NATS} to N(0, I)")
    row.number(
        "KL of the codes, variances", metrics.gaussian_kl(mean, covariance.diagonal(), 0, 1), f"{NATS} to N(0, I)"
    )


def picture() -> "Figure":
    """Both directions of the KL divergence between N(0, σ²) and N(0, 1), against σ."""
    sigma = np.exp(np.linspace(np.log(0.3), np.log(3), 61))
    curves = {
        "KL(N(0, σ²) ‖ N(0, 1))": [metrics.gaussian_kl(0, s**2, 0, 1) for s in sigma],
        "KL(N(0, 1) ‖ N(0, σ²))": [metrics.gaussian_kl(0, 1, 0, s**2) for s in sigma],
    }
    return figures.response(sigma, curves, "σ", "nats", title="Two directions of one divergence")


def properties(n: Numbers) -> str:
    """5.6: what kind of number the divergence is."""
    there, back = n["KL(N(0, 1) ‖ N(1, 4))"].value, n["KL(N(1, 4) ‖ N(0, 1))"].value
    drawn, least = n["KL(N(0, 1) ‖ N(1, 4)), from draws"], n["least KL of random pairs"].value
    half = drawn.half or 0.0
    agrees = "agrees" if abs(there - drawn.value) <= half else "does not agree"
    sign = "It is never negative" if least >= 0 else "It is negative for some pairs here, which is an error"
    return (
        f"For p = N(0, 1) and q = N(1, 4) the closed form of KL(p ‖ q) gives {there:.4f} nats, and the mean of log p/q over a "
        f"million draws from p {agrees} ({drawn.value:.4f} ± {half:.4f}). {sign} among {PAIRS:,} random pairs: the smallest "
        f"value is {words(float(f'{least:.2g}'))}, and for q = p it is {n['KL(p ‖ p)'].value:.2g}. It is not symmetric: "
        f"KL(q ‖ p) is {back:.4f}. The draws come from the first argument, so the divergence is large where p has mass and q "
        f"has hardly any."
    )


def of_codes(n: Numbers) -> str:
    """5.6: what a full covariance sees that variances do not."""
    full, alone = n["KL of the codes, full covariance"].value, n["KL of the codes, variances"].value
    share = (full - alone) / max(full, 1e-12)
    told = (
        "Most of the divergence is correlation between units, which variances alone do not show."
        if share > 0.6
        else "Most of the divergence is in means and variances."
        if share < 0.4
        else "Means and variances account for about half of it, correlation between units for the rest."
    )
    return (
        f"The same formula with a full covariance measures the aggregated posterior: the Gaussian of the codes that the VAE at "
        f"β = 1 draws for the test images is {full:.3g} nats from N(0, I), {full - alone:.3g} of them due to correlations. "
        f"{told}"
    )
