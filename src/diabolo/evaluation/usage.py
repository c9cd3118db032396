"""How much of the code is used."""

import math
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import torch

from diabolo.bottlenecks import Discrete
from diabolo.bottlenecks.diagnosis import ACTIVE, DEAD, of_units
from diabolo.bottlenecks.gaussian import kl_per_unit
from diabolo.bottlenecks.quantizer import counts_of
from diabolo.evaluation.measure import Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.metrics.information import mutual_information
from diabolo.metrics.score import Score
from diabolo.metrics.usage import active_units, codebook_use, duplicate_codes, effective_dimensions, live_units
from diabolo.randomness import Draws, generator
from diabolo.ranges import Count

LISTED = 4096  # units or codes up to which each is looked at by itself
SPREAD = "effective dimensions"


@measure(
    {"active units": 40, "live units": 40, "used codes": 40, "perplexity": 41, "effective dimensions": 75},
    posterior_draws="Draws of the posterior that mutual information and marginal divergences are estimated by.",
)
def usage(subject: Subject, *, posterior_draws: Count = 1000) -> Section:
    """How much of the code is used. For a VAE the active units (Burda et al. 2016, arXiv 1509.00519), the KL of each unit and
    what the code tells of the image; for discrete codes how many are used, how evenly, and which say the same; for any other
    code the units that are alive, or repeat another, and the directions that it spreads over."""
    found = subject.indices
    if found is not None:
        return _codebook(subject, found)
    posterior = subject.posterior
    return _units(subject) if posterior is None else _posterior(subject, *posterior, posterior_draws)


def _posterior(subject: Subject, mu: torch.Tensor, logvar: torch.Tensor, draws: int) -> Section:
    from diabolo import figures

    (images, size), split, nats = mu.shape, subject.test.split, "nats per image"
    kl, active = kl_per_unit(mu, logvar), active_units(mu.numpy())
    total, per_unit = kl.sum(1), kl.mean(0)
    setting = {"variance_above": ACTIVE}
    scores = {
        "active units": Score(
            int(active.sum()), f"of {size} units", images, split, setting=setting, detail=active.tolist()
        ),
        "KL": Score.mean(total.numpy(), nats, split, detail=per_unit.tolist()),
    }
    skipped: dict[str, str] = {}
    with standing_alone("I(x; z)", skipped):
        scores |= _information(subject, mu, logvar, total, draws)
    with standing_alone(SPREAD, skipped):
        scores[SPREAD] = _spread(subject, mu.numpy())
    return Section(scores, {"kl-per-unit": partial(figures.kl_bars, per_unit.numpy(), active)}, skipped)


def _information(
    subject: Subject, mu: torch.Tensor, logvar: torch.Tensor, total: torch.Tensor, draws: int
) -> dict[str, Score]:
    """Bounds on what the code tells of the image; `total` (N,) is the KL of each."""
    n = len(mu)
    z, rows = draw(mu, logvar, draws, subject.seed)
    information = mutual_information(z, rows, mu, logvar)
    how = {"draws": len(z), "mixture_of": n, "seed": subject.seed}
    above = ("leaving the image itself out of the mixture (Poole et al. 2019)", information.high)
    if float(information.high.mean()) > float(total[rows].mean()):  # KL = I(x; z) + KL(q(z) ‖ p(z)) is a bound too
        above = ("the KL term, since the estimate that leaves the image itself out is above it", total)
    full = "estimate over the full sample (Hoffman & Johnson 2016)"
    scores = {}
    for name, (kind, values), more in (
        ("at least", (full, information.low), {"at_most": math.log(n)}),
        ("at most", above, {}),
    ):
        setting = {"kind": kind, **how, **more}
        drawn = Score.mean(values.numpy(), "nats per image", subject.test.split, "Student's t", setting=setting)
        scores[f"I(x; z) {name}"] = replace(drawn, n=n)
    return scores


def draw(mu: torch.Tensor, logvar: torch.Tensor, draws: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """z (M, D), one draw each of M posteriors N(μ, σ²) of the N (N, D), chosen without replacement, and whose they are."""
    source = Draws(generator(seed, "aggregated posterior"))
    rows = torch.randperm(len(mu), generator=source.generator)[: max(2, draws)]
    chosen = mu[rows]
    return chosen + (0.5 * logvar[rows]).exp() * source.normal(chosen), rows


def _units(subject: Subject) -> Section:
    codes, split = subject.codes("test"), subject.test.split
    n, size = codes.shape
    named = size <= LISTED
    scores, skipped = dict[str, Score](), dict[str, str]()
    with standing_alone("live units", skipped):
        live, setting = live_units(codes), {"deviation_above": f"{DEAD} of the largest"}
        detail = live.tolist() if named else None
        scores["live units"] = Score(int(live.sum()), f"of {size} units", n, split, setting=setting, detail=detail)
    with standing_alone("duplicate units", skipped):
        maps = codes.reshape(n, *subject.codec.latent_shape)
        repeated = of_units(torch.from_numpy(maps)).values["duplicate_units"]
        assert isinstance(repeated, int)
        scores["duplicate units"] = Score(repeated, f"of {maps.shape[1]} units", n, split, better="lower")
    if named:
        with standing_alone(SPREAD, skipped):
            scores[SPREAD] = _spread(subject, codes)
    return Section(scores, skipped=skipped)


def _spread(subject: Subject, codes: np.ndarray) -> Score:
    n, size = codes.shape
    return Score(effective_dimensions(codes), f"of {size} directions", n, subject.test.split)


def _codebook(subject: Subject, found: torch.Tensor) -> Section:
    from diabolo import figures

    bottleneck = cast(Discrete, subject.codec.bottleneck)  # it has indices
    counts = counts_of(found, bottleneck.codes).numpy()
    n, split, of, how = (
        len(found),
        subject.test.split,
        f"of {bottleneck.codes} codes",
        {"places_per_image": found[0].numel()},
    )
    scores, skipped = dict[str, Score](), dict[str, str]()
    with standing_alone("used codes", skipped):
        use, estimate = codebook_use(counts), {"estimate": "of the counts as they are"}
        scores |= {
            "used codes": Score(use.used, of, n, split, better="higher", setting=how),
            "dead codes": Score(use.dead, of, n, split, better="lower", setting=how),
            "perplexity": Score(use.perplexity, f"evenly used codes, {of}", n, split, better="higher", setting=how),
            "entropy": Score(use.entropy, "bits per code", n, split, setting=how | estimate),
        }
    if bottleneck.codes <= LISTED:
        with standing_alone("duplicate codes", skipped), torch.no_grad():
            every = torch.arange(bottleneck.codes, device=next(bottleneck.parameters()).device).view(-1, 1, 1)
            repeated = duplicate_codes(bottleneck.codes_of(every).flatten(1).cpu().numpy())
            scores["duplicate codes"] = Score(repeated, of, n, split, better="lower")
    return Section(scores, {"codebook": partial(figures.codebook_heat, counts)}, skipped)
