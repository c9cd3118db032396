"""The health of a bottleneck: what can be read off the codes of some images while training, and what to say when it is bad."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from diabolo.hardware import wide

ACTIVE = 0.01  # variance over images above which the mean of a unit is active (Burda et al. 2016, arXiv 1509.00519)
DEAD = 0.01  # a unit is dead whose standard deviation over images is less than this share of the liveliest unit's
DUPLICATE = 0.999  # correlation, of either sign, from which on two units say the same
FEW = 32  # codes below which correlations mean nothing
MOST = 1024  # units above which pairs are not compared: too expensive
BAD_SHARE = 0.25  # of the units, from which on there is something to say


@dataclass(frozen=True)
class Finding:
    """Something wrong.

    Attributes:
        key: its name, the same in every epoch and run: "inactive-units", say.
        evidence: what was measured and what it means, without a full stop.
        remedies: what may help, best first, each by the option that brings it: {"beta": "--beta 'linear(0, 1, 0.3)'"}. Only
            options that the recipe has are told.
        early: whether it means anything in the first steps of training, when no code says much yet.
    """

    key: str
    evidence: str
    remedies: dict[str, str]
    early: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """What was measured, and what of it is bad."""

    values: dict[str, float | list[float]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def of_units(code: Tensor) -> Diagnosis:
    """Dead units and duplicates of the codes (N, D) or (N, D, h, w): how many units say nothing, or nothing new."""
    rows = wide(code.movedim(1, -1).flatten(0, -2))
    rows = rows - rows[:1]  # so that a unit which is always the same has a deviation of 0, without rounding
    rows = rows - rows.mean(0)
    deviation = rows.square().mean(0).sqrt()
    alive = deviation > DEAD * deviation.max()
    dead, units = int((~alive).sum()), len(deviation)
    duplicates = 0
    if len(rows) >= FEW and units <= MOST:
        unit = rows[:, alive] / deviation[alive]
        correlation = (unit.T @ unit / len(rows)).abs()
        duplicates = int((correlation.triu(1) > DUPLICATE).any(0).sum())
    values: dict[str, float | list[float]] = {"dead_units": dead, "duplicate_units": duplicates}
    if dead + duplicates < max(1, BAD_SHARE * units):
        return Diagnosis(values)
    told = f"{dead} of {units} units of the code are dead (the same for every image) and {duplicates} repeat another"
    remedies = {
        "sparsity": "a smaller --sparsity",
        "active": "a larger --active",
        "rate_weight": "a smaller --rate-weight",
        "lr": "a smaller --lr",
        "latent_dim": "a smaller --latent-dim, which would do as well",
    }
    return Diagnosis(values, (Finding("dead-units", told, remedies),))


def of_posterior(mu: Tensor, kl: Tensor) -> Diagnosis:
    """Active units (Burda et al. 2016, arXiv 1509.00519) and KL per unit, of the posterior means `mu` (N, D) and the
    divergences `kl` (N, D) from the prior in nats."""
    variance = mu.var(0, correction=0)
    per_unit = kl.mean(0)
    active, units = int((variance > ACTIVE).sum()), len(variance)
    rounded = [float(f"{value:.4g}") for value in per_unit.tolist()]
    values: dict[str, float | list[float]] = {"active_units": active, "kl_per_unit": rounded}
    idle = units - active
    if idle < max(1, BAD_SHARE * units):
        return Diagnosis(values)
    most = float(torch.where(variance > ACTIVE, 0, per_unit).max())
    told = (
        f"{idle} of {units} units of the code are inactive (their mean varies by less than {ACTIVE} over images, their KL "
        f"is at most {most:.2g} nats): posterior collapse"
    )
    remedies = {
        "beta": "--beta 'linear(0, 1, 0.3)'",
        "free_bits": "--free-bits 0.1",
        "latent_dim": "a smaller --latent-dim",
    }
    return Diagnosis(values, (Finding("inactive-units", told, remedies),))
