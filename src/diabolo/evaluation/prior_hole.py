"""The prior hole: where the codes of images lie, against where samples are drawn from."""

import math
from functools import partial

import numpy as np
import torch

from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.evaluation.usage import draw
from diabolo.metrics.information import frechet_to_normal, marginal_kl_per_unit, mmd_to_normal, mutual_information
from diabolo.metrics.score import Score
from diabolo.randomness import Draws, generator

FRECHET, KERNEL = "Fréchet distance to N(0, I)", "MMD to N(0, I)"
MOST = 1024  # numbers in a code
MMD = 5000  # codes that pairs are made of
SURGERY = 1000  # draws for the split of the KL term


@measure()
def prior_hole(subject: Subject) -> Section:
    """The aggregated posterior of the test images, one draw for each, against N(0, I): Fréchet and MMD distance, each beside
    what as many draws of N(0, I) itself come to; the moments of each unit; and for a VAE the parts of its KL term (Hoffman &
    Johnson 2016, "ELBO surgery"; Chen et al. 2018, arXiv 1802.04942). Deterministic codes are what they are, without draws."""
    from diabolo import figures

    if subject.codec.bottleneck.discrete:
        raise NotApplicable("discrete codes are not drawn from N(0, I)")
    posterior = subject.posterior
    if posterior is None:
        codes = subject.codes("test").astype(np.float64)
        whose = "deterministic codes; nothing draws them towards N(0, I)"
    else:
        mu, logvar = posterior
        noise = Draws(generator(subject.seed, "prior hole")).normal(mu)
        codes, whose = (mu + (0.5 * logvar).exp() * noise).numpy(), "one draw of the posterior of each image"
    n, size = codes.shape
    if not 1 <= size <= MOST:
        raise NotApplicable(f"codes of {size:,} numbers have too many moments for {n:,} images")
    if not np.isfinite(codes).all():
        raise NotApplicable(f"{int((~np.isfinite(codes)).any(1).sum())} codes hold NaN or infinity")
    of_prior = torch.randn(n, size, generator=generator(subject.seed, "prior"), dtype=torch.float64).numpy()
    split, mean, deviation = subject.test.split, codes.mean(0), codes.std(0)
    same = {"codes": whose, "seed": subject.seed}
    moments = {"means": mean.tolist(), "deviations": deviation.tolist()}
    scores, skipped = dict[str, Score](), dict[str, str]()
    with standing_alone(FRECHET, skipped):
        scores[FRECHET] = Score(
            frechet_to_normal(codes), "squared distance of fitted Gaussians", n, split, better="lower",
            setting=same | {"of_as_many_prior_draws": frechet_to_normal(of_prior)},
        )  # fmt: skip
    with standing_alone(KERNEL, skipped):
        scores[KERNEL] = Score(
            mmd_to_normal(codes[:MMD]), "squared, unbiased", min(n, MMD), split, better="lower",
            setting=same | {"kernel": "exp(−d²/2D)", "of_as_many_prior_draws": mmd_to_normal(of_prior[:MMD])},
        )  # fmt: skip
    scores["mean of a unit"] = Score(
        float(np.sqrt(np.square(mean).mean())), "root mean square over units, 0 for the prior", n, split,
        setting=same, detail=moments,
    )  # fmt: skip
    scores["deviation of a unit"] = Score(
        float(deviation.mean()), "mean over units, 1 for the prior", n, split, setting=same
    )
    if posterior is not None:
        with standing_alone("parts of the KL term", skipped):
            scores |= _surgery(*posterior, subject)
    panel = partial(figures.posterior_against_prior, mean, deviation)
    return Section(scores, {"prior-hole": panel}, skipped)


def _surgery(mu: torch.Tensor, logvar: torch.Tensor, subject: Subject) -> dict[str, Score]:
    z, rows = draw(mu, logvar, SURGERY, subject.seed)
    n, split = len(mu), subject.test.split
    per_unit = marginal_kl_per_unit(z, mu, logvar)
    own, found = float(per_unit.sum()), mutual_information(z, rows, mu, logvar)
    log_prior = -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)
    kl = float((found.marginal + found.low - log_prior).mean())  # of the same draws, whose chance then cancels
    most = max(own, kl - float(found.low.mean()))  # KL(q(z) ‖ p(z)) is no less than that of its units
    least = min(most, max(own, kl - float(found.high.mean())))
    how = {"draws": len(z), "mixture_of": n, "KL of these draws": kl, "seed": subject.seed}
    nats, why = "nats per image", "between the bounds of I(x; z)"
    return {
        "KL of the aggregated posterior at most": Score(
            most, nats, n, split, setting=how | {"is": "KL − I(x; z) at least"}
        ),
        "KL of the aggregated posterior at least": Score(
            least, nats, n, split, setting=how | {"is": "KL − I(x; z) at most"}
        ),
        "KL of its units": Score(
            own, nats, n, split, setting=how | {"is": "Σ KL(q(zⱼ) ‖ N(0, 1))"}, detail=per_unit.tolist()
        ),
        "total correlation at most": Score(most - own, nats, n, split, setting=how | {"is": why, "log_N": math.log(n)}),
    }
