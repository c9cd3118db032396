"""Illnesses to be seen in the reconstructions."""

import numpy as np
from numpy.typing import NDArray

from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import train_again
from diabolo.doctor.symptom import Illness, symptom

KEPT = 0.25  # share of the power of fine detail, from which down reconstructions are blurry


@symptom
def saturated(patient: Patient) -> Illness | None:
    """Outputs stuck at 0 or 1, where a sigmoid has no gradient."""
    found = patient.finding("saturated-outputs")
    if found is None:
        return None
    lr = patient.run.config["options"]["lr"]
    return Illness(
        "outputs saturated",
        found.evidence,
        train_again(patient, "smaller steps of limited length", lr=lr / 10, clip_norm=1.0),
        explains=("code ignored", "blurry reconstructions"),
    )


@symptom
def blurry(patient: Patient) -> Illness | None:
    """Fine detail is missing: the upper half of the spatial frequencies in the reconstructions against the images."""
    if not patient.judged or len(patient.model.input_shape) != 3:
        return None
    x = patient.x("test").numpy()
    images, kept = detail(x), detail(patient.few.reconstructions)
    if not images > 0 or kept >= KEPT * images:
        return None
    shape = patient.model.latent_shape
    wider = {"latent_dim": 4 * shape[0]} if len(shape) == 1 else {"likelihood": "ms-ssim"}
    return Illness(
        "blurry reconstructions",
        f"of the power of the test images in the upper half of the frequencies, {kept / images:.0%} is left in their "
        f"reconstructions",
        train_again(patient, "a wider code, or another likelihood than a squared error", **wider),
    )


def detail(x: NDArray[np.floating]) -> float:
    """The power of the images `x` (N, C, H, W) in spatial frequencies above half the highest, along either axis: the mean over
    images of Σ |F|², without the mean of each image."""
    h, w = x.shape[-2:]
    power = np.abs(np.fft.fft2(x.astype(np.float64))) ** 2
    down, across = np.abs(np.fft.fftfreq(h)) >= 0.25, np.abs(np.fft.fftfreq(w)) >= 0.25
    return float((power * (down[:, None] | across[None, :])).mean(0).sum())
