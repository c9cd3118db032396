"""Illnesses of where the codes lie."""

import numpy as np
from numpy.typing import NDArray

from diabolo.bottlenecks.identity import Identity
from diabolo.bottlenecks.regularised import Regularised
from diabolo.bottlenecks.variational import Variational
from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import train_again
from diabolo.doctor.symptom import Illness, Remedy, symptom
from diabolo.plain import percent
from diabolo.runs.lines import shell_line

WIDE = 0.5  # share of the width used, from which down the latent is far too wide
SPARE = 4  # units too many, from which on "far" is said
VARIANCE = 0.99  # of the codes, which the directions that count hold
NATS = 0.95  # of the KL term, which the units that count hold
HOLE = 0.5  # nats per unit between the Gaussian of the codes and the prior; under 0.1 at beta 1, 0.7 at 0.1
FLAT = 1e-6  # variance below which a direction counts as having this one: the divergence stays finite


@symptom
def wide_latent(patient: Patient) -> Illness | None:
    """Far more units than the codes have directions, or than carry the KL term of a posterior."""
    found = used_units(patient)
    if found is None:
        return None
    used, what = found
    if not 0 < used <= min(WIDE * patient.width, patient.width - SPARE):
        return None
    return Illness(
        "latent wider than used",
        f"the code has {patient.width} units, and {used} {what}",
        train_again(patient, "a code as wide as is used", latent_dim=used),
    )


def used_units(patient: Patient) -> tuple[int, str] | None:
    """How many units or directions of the code are used, and in what sense; None for codes that are wide on purpose, maps, and
    where it cannot be told."""
    if not patient.judged or not isinstance(patient.bottleneck, Identity | Regularised | Variational):
        return None
    if len(patient.bottleneck.latent_shape) != 1 or len(patient.few.train) < 2 * patient.width:
        return None
    kl = patient.diagnosis.values.get("kl_per_unit")
    if isinstance(kl, list):
        return _reaching(np.sort(kl)[::-1], NATS), f"of them hold {percent(NATS)} of the nats of the KL term"
    codes = patient.codes("train")
    spectrum = np.linalg.svd(codes - codes.mean(0), compute_uv=False) ** 2
    return _reaching(spectrum, VARIANCE), f"directions hold {percent(VARIANCE)} of the variance of the codes"


def _reaching(parts: NDArray[np.float64], share: float) -> int:
    """How many of `parts` (D,), the largest first, make up that share of their sum."""
    total = float(parts.sum())
    return int(np.searchsorted(np.cumsum(parts), share * total)) + 1 if total > 0 else 0


@symptom
def prior_hole(patient: Patient) -> Illness | None:
    """The codes of images do not lie where the prior says: the aggregated posterior against N(0, I) (Rosca et al. 2018,
    arXiv 1802.06847; Ghosh et al. 2020, arXiv 1903.12436)."""
    beta = patient.beta
    if beta is None or not isinstance(patient.bottleneck, Variational) or len(patient.few.train) < 2 * patient.width:
        return None
    drawn = patient.model.sample_codes(patient.x("train"), 0, patient.known("train"))
    z = drawn.flatten(1)[:, : patient.width].cpu().double().numpy()
    if not np.isfinite(z).all():
        return None  # numerical trouble
    gap = gaussian_kl(z) / patient.width
    if gap < HOLE:
        return None
    mean, deviation = float(np.abs(z.mean(0)).max()), z.std(0)
    told = (
        f"the codes of training images are not spread as the prior: {gap:.2g} nats per unit lie between their Gaussian and "
        f"N(0, I) (standard deviations from {deviation.min():.2g} to {deviation.max():.2g}, means up to {mean:.2g}), so that "
        f"samples from the prior are decoded from where no image was"
    )
    remedy = (
        train_again(patient, "the ELBO itself", beta=1.0)
        if beta < 1
        else Remedy(
            "draw from a density fitted to the codes", shell_line("sample", patient.run.path, "--density", "mixture")
        )
    )
    return Illness("prior hole", told, remedy)


def gaussian_kl(z: NDArray[np.float64]) -> float:
    """KL(N(μ̂, Σ̂) ‖ N(0, I)) = ½ Σⱼ (λⱼ − 1 − log λⱼ) + ½ μ̂ᵀμ̂ in nats, of the codes `z` (N, D), λⱼ the eigenvalues of Σ̂."""
    mu = z.mean(0)
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(z, rowvar=False))).clip(FLAT)
    return float(0.5 * (values - 1 - np.log(values)).sum() + 0.5 * mu @ mu)
