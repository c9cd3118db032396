"""Illnesses to be seen in the reconstructions."""

import numpy as np
from numpy.typing import NDArray

from diabolo.bottlenecks.variational import Variational
from diabolo.doctor.codes import used_units
from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import enough, gentler, train_again
from diabolo.doctor.symptom import Illness, Remedy, symptom
from diabolo.plain import percent

# Of the power of fine detail, the share that reconstructions explain. On MNIST: 16 units 0.43, a VAE's 0.29, two units 0.03,
# 16 principal components 0.01; on digits: four units 0.33, one unit 0.13.
FINE = 0.2
KEPT = 0.5  # share of that power from which on wrong detail is there: not blurry, whatever else


@symptom
def saturated(patient: Patient) -> Illness | None:
    """Outputs stuck at 0 or 1, where a sigmoid has no gradient."""
    found = patient.finding("saturated-outputs")
    if found is None:
        return None
    lr = gentler(patient.lr)
    return Illness(
        "outputs saturated",
        found.evidence,
        train_again(patient, "smaller steps of limited length", lr=lr, clip_norm=1.0, epochs=enough(patient, lr)),
        explains=("too high a learning rate", "numerical trouble", "underfitting", "overfitting", "code ignored",
                  "blurry reconstructions", "latent wider than used", "posterior collapse", "prior hole"),
    )  # fmt: skip


@symptom
def blurry(patient: Patient) -> Illness | None:
    """Fine detail is missing: of the spectrum of the images, the upper half of the frequencies is all in the error."""
    if not patient.judged or len(patient.model.input_shape) != 3 or min(patient.model.input_shape[1:]) < 4:
        return None
    x, x_hat = patient.x("test").numpy(), patient.few.reconstructions
    mean = x.mean(0)
    power, kept, error = detail(x - mean), detail(x_hat - mean), detail(x - x_hat)
    explained = 1 - error / power if power > 0 else 1.0
    if explained >= FINE or kept >= KEPT * power:
        return None
    return Illness(
        "blurry reconstructions",
        f"of the power of the test images in the upper half of the frequencies, their reconstructions explain "
        f"{percent(max(explained, 0))} (of all their variance {percent(1 - patient.unexplained)})",
        _sharper(patient),
        explains=("latent wider than used",),
    )


def _sharper(patient: Patient) -> Remedy:
    """A wider code where it is full; otherwise what keeps it from being used."""
    used = used_units(patient)
    full = used is None or used[0] > 0.9 * patient.width
    if not full and isinstance(patient.bottleneck, Variational) and patient.beta:
        return train_again(patient, "a lighter KL term, at a cost to samples from the prior", beta=patient.beta / 10)
    if not full:
        epochs = max(3 * len(patient.run.history), enough(patient, patient.lr / 3))
        return train_again(patient, "smaller steps, and more of them", lr=patient.lr / 3, epochs=epochs)
    before = patient.option("latent_dim", patient.model.latent_shape[0])
    return train_again(patient, "a wider code", latent_dim=4 * before)


def detail(x: NDArray[np.floating]) -> float:
    """The power of the images `x` (N, C, H, W) in spatial frequencies above half the highest, along either axis: the mean over
    images of Σ |F|²."""
    h, w = x.shape[-2:]
    power = np.abs(np.fft.fft2(x.astype(np.float64))) ** 2
    down, across = np.abs(np.fft.fftfreq(h)) > 0.25, np.abs(np.fft.fftfreq(w)) > 0.25
    return float((power * (down[:, None] | across[None, :])).mean(0).sum())
