"""Illnesses of where the codes lie."""

import math

import numpy as np
from numpy.typing import NDArray

from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import train_again
from diabolo.doctor.symptom import Illness, Remedy, symptom

WIDE = 0.5  # share of the width used, from which down the latent is far too wide
VARIANCE = 0.99  # of the codes, which the directions that count hold
HOLE = 0.5  # nats per unit between the Gaussian of the codes and the prior, from which on samples miss the codes


@symptom
def wide_latent(patient: Patient) -> Illness | None:
    """Far more units than the codes have directions, or than are active in a posterior."""
    if len(getattr(patient.model, "latent_shape", ())) != 1 or getattr(patient.model.bottleneck, "discrete", False):
        return None  # of maps the units are positions
    width = patient.model.latent_shape[0]
    active = patient.diagnosis.values.get("active_units")
    if isinstance(active, int | float):
        used, what = int(active), "of them are active (their mean varies over images)"
    else:
        codes = patient.few.codes("train").astype(np.float64)
        spectrum = np.linalg.svd(codes - codes.mean(0), compute_uv=False) ** 2
        used = int(np.searchsorted(np.cumsum(spectrum) / spectrum.sum(), VARIANCE)) + 1
        what = f"directions hold {VARIANCE:.0%} of the variance of the codes"
    if not 0 < used <= WIDE * width or len(patient.few.train) < 2 * width:
        return None
    return Illness(
        "latent wider than used",
        f"the code has {width} units, and {used} {what}",
        train_again(patient, "a code as wide as is used", latent_dim=used),
    )


@symptom
def prior_hole(patient: Patient) -> Illness | None:
    """The codes of images do not lie where the prior says: the aggregated posterior against N(0, I) (Rosca et al. 2018,
    arXiv 1802.06847; Ghosh et al. 2020, arXiv 1903.12436)."""
    if patient.kl_weight is None or not hasattr(patient.model, "sample_codes"):
        return None
    known = None if patient.model.reads is None else getattr(patient.few.train, patient.model.reads)
    z = patient.model.sample_codes(patient.x("train"), 0, known).flatten(1).double().cpu().numpy()
    gap = gaussian_kl(z) / z.shape[1]
    if gap < HOLE:
        return None
    mean, deviation = float(np.abs(z.mean(0)).max()), z.std(0)
    told = (
        f"the codes of training images are not spread as the prior: {gap:.2g} nats per unit lie between their Gaussian and "
        f"N(0, I) (standard deviations from {deviation.min():.2g} to {deviation.max():.2g}, means up to {mean:.2g}), so that "
        f"samples from the prior are decoded from where no image was"
    )
    beta = patient.kl_weight
    remedy = (
        train_again(patient, "the ELBO itself", beta=1.0)
        if beta < 1
        else Remedy("draw from a density fitted to the codes", f"diabolo sample {patient.run.path} --density mixture")
    )
    return Illness("prior hole", told, remedy)


def gaussian_kl(z: NDArray[np.float64]) -> float:
    """KL(N(μ̂, Σ̂) ‖ N(0, I)) = ½ (tr Σ̂ + μ̂ᵀμ̂ − D − log det Σ̂) in nats, of the codes `z` (N, D)."""
    mu, sigma = z.mean(0), np.atleast_2d(np.cov(z, rowvar=False))
    sign, logdet = np.linalg.slogdet(sigma)
    if sign <= 0:
        return math.inf
    return float(0.5 * (np.trace(sigma) + mu @ mu - len(mu) - logdet))
