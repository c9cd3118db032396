"""Illnesses of the training itself, read off its history."""

import numpy as np

from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import train_again
from diabolo.doctor.symptom import Illness, Remedy, symptom

ROSE = 0.5  # share of its range up to then that the loss rises by again: too large steps
FALLING = 0.1  # share by which the loss fell in the last quarter of the epochs: not done yet
FORGOT = 0.1  # share by which the kept weights are worse on validation images than the best were
HUGE = 1e4  # size of a weight from which on half the digits of a float are gone beside it


@symptom
def learning_rate(patient: Patient) -> Illness | None:
    """A training loss that jumps up again, or that never comes below that of the mean image."""
    loss = patient.curve(term="reconstruction")
    if len(loss) < 2 or not patient.judged:
        return None
    best = np.minimum.accumulate(loss)
    rises = loss[1:] - best[:-1]
    fall = loss[0] - best[:-1]
    worst = int(rises.argmax())
    jumped = rises[worst] > ROSE * max(fall[worst], 0.1 * abs(best[worst]))
    lr = patient.run.config["options"]["lr"]
    stuck = patient.unexplained > 0.95 and lr >= 3e-3 and not (patient.kl_weight or 0) > 1
    if not (jumped or stuck):
        return None
    told = (
        f"the reconstruction term rose again from {best[worst]:.4g} to {loss[worst + 1]:.4g} in epoch {worst + 2}"
        if jumped
        else f"the reconstructions are hardly better than the mean image ({patient.unexplained:.0%} of the variance is left)"
    )
    return Illness(
        "too high a learning rate",
        f"{told}, with a learning rate of {lr:g}",
        train_again(patient, "smaller steps", lr=lr / 10, schedule="one-cycle", clip_norm=1.0),
        explains=("code ignored", "underfitting", "outputs saturated", "blurry reconstructions", "posterior collapse",
                  "latent wider than used", "numerical trouble"),
    )  # fmt: skip


@symptom
def underfitting(patient: Patient) -> Illness | None:
    """The loss was still falling when training ended."""
    loss = patient.curve(term="reconstruction" if patient.judged else "total")
    quarter = max(1, len(loss) // 4)
    if len(loss) < 2 or not patient.run.status.startswith("finished"):
        return None
    fall = (loss[-1 - quarter] - loss[-1]) / abs(loss[-1 - quarter])
    if fall < FALLING:
        return None
    epochs = 3 * len(loss)
    constant = patient.run.config["options"]["schedule"] == "constant"
    again = train_again(patient, "more epochs", epochs=epochs)
    remedy = Remedy(again.words, f"diabolo resume {patient.run.path} --epochs {epochs}") if constant else again
    return Illness(
        "underfitting",
        f"the loss still fell by {fall:.0%} in the last {quarter} of {len(loss)} epochs, to {loss[-1]:.4g}",
        remedy,
        explains=("blurry reconstructions",),
    )


@symptom
def overfitting(patient: Patient) -> Illness | None:
    """The validation loss was lower before: what was learnt since is the training images themselves."""
    loss = patient.curve("validation")
    if len(loss) < 3 or patient.run.config["options"]["keep"] == "best":
        return None
    best = int(loss.argmin())
    if loss[-1] - loss[best] < FORGOT * abs(loss[best]):
        return None
    train = patient.curve()
    return Illness(
        "overfitting",
        f"the validation loss was lowest after epoch {best + 1} ({loss[best]:.4g}) and is {loss[-1]:.4g} at the end, "
        f"while the training loss fell from {train[best]:.4g} to {train[-1]:.4g}",
        train_again(patient, "stop when it no longer helps, and keep the best", keep="best", early_stopping=5),
    )


@symptom
def numerical_trouble(patient: Patient) -> Illness | None:
    """Weights or codes so large that float32 has few digits left for what matters, or that are no numbers at all."""
    found = patient.finding("exploding-codes")
    weights = [p.detach().double() for p in patient.model.parameters()] if hasattr(patient.model, "parameters") else []
    largest = max((float(w.abs().max()) for w in weights if w.numel()), default=0.0)
    history = np.array([v for line in patient.losses for terms in line.values() for v in terms.values()], np.float64)
    bad = not np.isfinite(largest) or not np.isfinite(history).all()
    if found is None and largest < HUGE and not bad:
        return None
    told = (
        "some weights or losses are not finite"
        if bad
        else found.evidence
        if found is not None
        else f"the largest weight is {largest:.3g}"
    )
    lr = patient.run.config["options"]["lr"]
    return Illness(
        "numerical trouble",
        told,
        train_again(patient, "smaller steps of limited length", lr=lr / 10, clip_norm=1.0, precision="float32"),
        explains=("latent wider than used", "prior hole"),
    )
