"""How much of the code is used."""

import math
from functools import partial

import numpy as np
import torch

from diabolo.bottlenecks import Discrete
from diabolo.bottlenecks.diagnosis import ACTIVE, DEAD, of_units
from diabolo.bottlenecks.gaussian import kl_per_unit
from diabolo.bottlenecks.quantizer import counts_of
from diabolo.evaluation.measure import Section, measure
from diabolo.evaluation.posterior import gaussian_posterior, indices
from diabolo.evaluation.subject import Subject
from diabolo.metrics.information import mutual_information
from diabolo.metrics.score import Score
from diabolo.metrics.usage import active_units, codebook_use, duplicate_codes, effective_dimensions, live_units
from diabolo.randomness import Draws, generator
from diabolo.ranges import Count
from diabolo.statistics import mean_interval


@measure(posterior_draws="Draws of the posterior that mutual information and marginal divergences are estimated by.")
def usage(subject: Subject, *, posterior_draws: Count = 1000) -> Section:
    """How much of the code is used. For a VAE the active units (Burda et al. 2016, arXiv 1509.00519), the KL of each unit and
    what the code tells of the image; for discrete codes how many are used, how evenly, and which say the same; for any other
    code the units that are alive, or repeat another, and the directions that it spreads over."""
    found = indices(subject)
    if found is not None:
        return _codebook(subject, found)
    posterior = gaussian_posterior(subject)
    return _units(subject) if posterior is None else _posterior(subject, *posterior, posterior_draws)


def _posterior(subject: Subject, mu: torch.Tensor, logvar: torch.Tensor, draws: int) -> Section:
    from diabolo import figures

    n, size = mu.shape
    split, images = subject.test.split, n
    kl = kl_per_unit(mu, logvar)
    total, per_unit = kl.sum(1).numpy(), kl.mean(0)
    active = active_units(mu.numpy())
    low, high = mean_interval(total)
    z, rows = draw(mu, logvar, draws, subject.seed)
    information = mutual_information(z, rows, mu, logvar)
    nats, how = "nats per image", {"draws": len(z), "mixture_of": n, "seed": subject.seed}
    if float(information.high.mean()) > float(total[rows].mean()):  # KL = I(x; z) + KL(q(z) ‖ p(z)) is a bound too
        above = (
            "the KL term, since the estimate that leaves the image itself out is above it",
            torch.from_numpy(total),
        )
    else:
        above = ("leaving the image itself out of the mixture (Poole et al. 2019)", information.high)
    bounds = {
        "at least": (
            "estimate over the full sample (Hoffman & Johnson 2016)",
            information.low,
            {"at_most": math.log(n)},
        ),
        "at most": (*above, {}),
    }
    scores = {
        "active units": Score(
            int(active.sum()),
            f"of {size} units",
            images,
            split,
            setting={"variance_above": ACTIVE},
            detail=active.tolist(),
        ),
        "KL": Score(
            float(total.mean()),
            nats,
            images,
            split,
            low,
            high,
            "Student's t over images",
            detail=per_unit.tolist(),
            df=images - 1,
        ),
    }
    for name, (kind, values, more) in bounds.items():
        low, high = mean_interval(values.numpy())
        scores[f"I(x; z) {name}"] = Score(
            float(values.mean()),
            nats,
            images,
            split,
            low,
            high,
            "Student's t",
            setting={"kind": kind, **how, **more},
            df=len(values) - 1,
        )
    scores["effective dimensions"] = _spread(subject, mu.numpy())
    return Section(scores, {"kl-per-unit": partial(figures.kl_bars, per_unit.numpy(), active)})


def draw(mu: torch.Tensor, logvar: torch.Tensor, draws: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """z (M, D), one draw each of M posteriors N(μ, σ²) of the N (N, D), chosen without replacement, and whose they are."""
    source = Draws(generator(seed, "aggregated posterior"))
    rows = torch.randperm(len(mu), generator=source.generator)[: max(2, draws)]
    chosen = mu[rows]
    return chosen + (0.5 * logvar[rows]).exp() * source.normal(chosen), rows


def _units(subject: Subject) -> Section:
    codes, split = subject.codes("test"), subject.test.split
    n, size = codes.shape
    live = live_units(codes)
    maps = codes.reshape(n, *subject.codec.latent_shape)
    repeated = of_units(torch.from_numpy(maps)).values["duplicate_units"]
    assert isinstance(repeated, int)
    scores = {
        "live units": Score(
            int(live.sum()), f"of {size} units", n, split, setting={"deviation_above": f"{DEAD} of the largest"},
            detail=live.tolist() if size <= 4096 else None,
        ),
        "duplicate units": Score(repeated, f"of {maps.shape[1]} units", n, split, better="lower"),
    }  # fmt: skip
    if size <= 4096:
        scores["effective dimensions"] = _spread(subject, codes)
    return Section(scores)


def _spread(subject: Subject, codes: np.ndarray) -> Score:
    n, size = codes.shape
    return Score(effective_dimensions(codes), f"of {size} directions", n, subject.test.split)


def _codebook(subject: Subject, found: torch.Tensor) -> Section:
    from diabolo import figures

    bottleneck = getattr(subject.codec, "bottleneck", None)
    assert isinstance(bottleneck, Discrete)
    counts = counts_of(found, bottleneck.codes).numpy()
    use, n, split = codebook_use(counts), len(found), subject.test.split
    with torch.no_grad():
        vectors = bottleneck.codes_of(
            torch.arange(bottleneck.codes).view(-1, 1, 1).to(next(bottleneck.parameters()).device)
        )
    of = f"of {bottleneck.codes} codes"
    how = {"places_per_image": found[0].numel()}
    scores = {
        "used codes": Score(use.used, of, n, split, better="higher", setting=how),
        "dead codes": Score(use.dead, of, n, split, better="lower", setting=how),
        "perplexity": Score(use.perplexity, f"evenly used codes, {of}", n, split, better="higher", setting=how),
        "entropy": Score(
            use.entropy, "bits per code", n, split, setting=how | {"estimate": "of the counts as they are"}
        ),
    }
    if bottleneck.codes <= 4096:
        repeated = duplicate_codes(vectors.flatten(1).cpu().numpy())
        scores["duplicate codes"] = Score(repeated, of, n, split, better="lower")
    return Section(scores, {"codebook": partial(figures.codebook_heat, counts)})
