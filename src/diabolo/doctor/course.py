"""Illnesses of the training: a layer that stays in training mode, terms of the loss on scales that do not fit each other, and
what the history shows.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import REACH, USUAL, all_images, enough, gentler, reach, train_again
from diabolo.doctor.symptom import Illness, Remedy, symptom
from diabolo.hardware import wide
from diabolo.likelihoods import SquaredError
from diabolo.plain import percent
from diabolo.runs.lines import shell_line

SAME = 1e-3  # mean difference over spread; rounding makes 1e-6, and one in a thousand discrete codes may lie on an edge
PROBED = 64  # images


@symptom
def training_mode(patient: Patient) -> Illness | None:
    """Codes or reconstructions that change from call to call, or with the other images of a batch: a layer is still in training
    mode, as `F.dropout` without `training=self.training` is, or a batch norm that takes the statistics of what it sees."""
    x, y = patient.x("test")[:PROBED], patient.known("test")
    y = None if y is None else y[:PROBED]
    half = len(x) // 2
    if half < 1:
        return None
    model = patient.model
    calls = {
        "codes": model.encode if math.prod(model.latent_shape) > 0 else None,
        "reconstructions": model.reconstruct if patient.decodes else None,
    }
    for what, call in calls.items():
        if call is None:
            continue
        first, again = call(x, y), call(x, y)
        apart = call(x[:half], None if y is None else y[:half])
        twice, alone = _change(first, again), _change(first[:half], apart)
        if not max(twice, alone) < SAME:
            told = "when they go through the model again" if twice >= SAME else "when other images are beside them"
            return Illness(
                "evaluation in training mode",
                f"the same images get other {what} {told}, by {max(twice, alone):.2g} of their spread in the mean: a layer "
                f"still behaves as in training",
                Remedy(
                    "to let every layer heed its mode: F.dropout(x, p, training=self.training), or nn.Dropout and "
                    "nn.BatchNorm as they are"
                ),
                explains=("blurry reconstructions", "code ignored", "overfitting", "too high a learning rate"),
            )
    return None


def _change(a: Tensor, b: Tensor) -> float:
    """The mean difference over the spread."""
    spread = float(wide(a).std(correction=0))
    return float(wide(a - b).abs().mean()) / (spread if spread > 0 else 1.0)


LITTLE = 1.0  # nats per image that a code at least holds that says anything
LOST = 0.6  # share of the variance of the images from which on the reconstructions are bad; 0.2 is usual, 0.5 of tiny images
BAD = ("posterior collapse", "code ignored", "blurry reconstructions", "latent wider than used", "underfitting")


@symptom
def loss_scale(patient: Patient) -> Illness | None:
    """A reconstruction that is a mean over pixels beside a KL term that is a sum over units: the KL term is then stronger by
    the number of pixels than the formula says, and the code empties."""
    likelihood = getattr(patient.model, "likelihood", None)
    beta, kl = patient.beta, patient.curve(term="kl")
    if not isinstance(likelihood, SquaredError) or likelihood.per != "pixel" or not beta or not len(kl):
        return None
    if kl[-1] >= LITTLE:
        return None
    numbers = math.prod(patient.model.input_shape)
    return Illness(
        "wrong loss scale",
        f"the squared error is a mean over {numbers} pixels and the KL term a sum over units: with beta {beta:g} the KL term "
        f"is as strong as with beta {beta * numbers:,.0f} beside an error per image, and the code holds {kl[-1]:.2g} nats",
        train_again(patient, "a likelihood that is summed over pixels", likelihood="gaussian"),
        explains=("over-strong beta", *BAD),
    )


@symptom
def strong_beta(patient: Patient) -> Illness | None:
    """β above 1, and little of the image left in the reconstruction (Higgins et al. 2017)."""
    beta = patient.beta
    if beta is None or beta <= 1 or not patient.judged or patient.unexplained < LOST:
        return None
    return Illness(
        "over-strong beta",
        f"beta is {beta:g}, and the reconstructions of test images leave {percent(patient.unexplained)} of their variance "
        f"unexplained: the code is held so close to the prior that it says too little",
        train_again(patient, "the ELBO itself", beta=1.0, free_bits=None),
        explains=BAD,
    )


@symptom
def absent_beta(patient: Patient) -> Illness | None:
    """A KL term without weight: what is trained is no VAE, and its prior means nothing."""
    if patient.beta != 0:
        return None
    kl = patient.curve(term="kl")
    held = f": it has come to {kl[-1]:.3g} nats per image" if len(kl) else ""
    return Illness(
        "absent beta",
        f"the KL term has the weight 0 at the end of training{held}, and nothing holds the codes to the prior that samples are "
        f"drawn from",
        train_again(patient, "the ELBO itself", beta=1.0),
        explains=("prior hole",),
    )


ROSE = 0.2  # share of what was learnt that the loss has lost again in the end: a run that wavers keeps within a tenth
HIGH = 10 * USUAL  # a learning rate from which on it is the first suspect
UNLEARNT = 0.5  # share of the variance that is left where something may still come
POOR = 0.95  # share of the variance that is left: no better than the mean image
FALLING = (
    0.1  # share of all that was learnt which the last quarter of the epochs brought; 0.07 of ten epochs of 1/√epoch
)
NOISE = 0.01  # share of the loss that it may fall by chance
FORGOT = 0.1  # share of what was learnt by which validation images are worse off in the end than they were
GAP = 2.0  # error of test images over that of training images; 1.1 is usual
COSTLY = 0.1  # share of the variance that such a gap must cost to matter
HUGE = 1e4  # size of a weight from which on half the digits of a float are gone beside it


@symptom
def numerical_trouble(patient: Patient) -> Illness | None:
    """A training that ended in NaN; weights or codes so large that float32 has few digits left for what matters."""
    half, lr = patient.asked["precision"] == "float16", gentler(patient.lr)
    remedy = (
        train_again(patient, "numbers with a wider range", precision="float32")
        if half and patient.lr <= USUAL
        else train_again(patient, "smaller steps of limited length", lr=lr, clip_norm=1.0, epochs=enough(patient, lr))
    )
    if patient.broke_off:
        done = len(patient.run.history)
        return Illness(
            "numerical trouble",
            f"training broke off in epoch {done + 1}: the loss was no finite number any more, with a learning rate of "
            f"{patient.lr:g}{' in float16' if half else ''}",
            remedy,
            explains=("too high a learning rate", "overfitting", "underfitting"),
        )
    if not patient.trained:
        return None
    weights = [wide(p.detach()) for p in patient.model.state_dict().values() if p.is_floating_point() and p.numel()]
    largest = float(torch.stack([w.abs().max().cpu() for w in weights]).max())
    if not largest < HUGE:  # NaN too
        told = f"the largest weight is {largest:.3g}, beside which a float32 has few digits left for the others"
    elif (found := patient.finding("exploding-codes")) is not None:
        told = found.evidence
    else:
        return None
    wrong = ("underfitting", "overfitting", "code ignored", "blurry reconstructions", "prior hole")
    return Illness("numerical trouble", told, remedy, explains=(*wrong, "latent wider than used"))


@symptom
def learning_rate(patient: Patient) -> Illness | None:
    """A reconstruction that was better before; or, at a high rate, one no better than the mean image, or dead units."""
    if not patient.judged or not patient.by_steps:
        return None
    loss = patient.curve(term="reconstruction")
    if patient.steady and len(loss) > 1 and loss[-1] - loss.min() > max(ROSE * (loss[0] - loss.min()), NOISE * loss[0]):
        told = f"the reconstruction term was {loss.min():.4g} after epoch {loss.argmin() + 1} and is {loss[-1]:.4g} in the end"
    elif patient.lr < HIGH:
        return None
    elif patient.unexplained > POOR:
        told = f"the reconstructions are no better than the mean image ({percent(patient.unexplained)} of the variance is left)"
    elif (found := patient.finding("dead-units")) is not None:
        told = found.evidence
    else:
        return None
    lr = gentler(patient.lr)
    return Illness(
        "too high a learning rate",
        f"{told}, with a learning rate of {patient.lr:g}",
        train_again(patient, "smaller steps", lr=lr, schedule="one-cycle", clip_norm=1.0, epochs=enough(patient, lr / 2)),
        explains=("code ignored", "underfitting", "overfitting", "blurry reconstructions", "posterior collapse",
                  "latent wider than used", "numerical trouble", "prior hole"),
    )  # fmt: skip


@symptom
def underfitting(patient: Patient) -> Illness | None:
    """The loss was still falling when training ended, or has hardly begun to fall."""
    if not patient.run.status.startswith("finished") or not patient.by_steps:
        return None
    epochs = len(patient.run.history)
    falls = [_fall(loss) for part in ("train", "validation") if len(loss := _comparable(patient, part)) > 2]
    last = "" if epochs < 8 else f"{epochs // 4} "
    if falls and min(falls) >= FALLING:
        told = f"the last {last}of {epochs} epochs still brought {percent(min(falls))} of all that was learnt"
    elif patient.judged and reach(patient) < REACH and patient.unexplained > UNLEARNT:
        told = (
            f"{percent(patient.unexplained)} of the variance of test images is left, and the steps taken, with a "
            "learning rate of "
            f"{patient.lr:g}, can have moved a weight by no more than about {reach(patient):.2g}"
        )
    else:
        return None
    lr = max(patient.lr, USUAL) if reach(patient) < REACH else patient.lr
    more = max(3 * epochs if lr == patient.lr else epochs, enough(patient, lr))
    remedy = train_again(patient, "more steps", lr=lr, epochs=more)
    if lr == patient.lr and patient.option("schedule") == "constant":
        remedy = Remedy(
            f"more epochs (--epochs {more})",
            shell_line("resume", patient.run.path, "--epochs", more),
        )
    return Illness(
        "underfitting",
        told,
        remedy,
        explains=(
            "blurry reconstructions",
            "code ignored",
            "latent wider than used",
            "codebook collapse",
            "prior hole",
        ),
    )


@symptom
def overfitting(patient: Patient) -> Illness | None:
    """What is learnt is the training images themselves: the validation loss rises, or test images fare far worse."""
    if not patient.by_steps:
        return None
    loss, train = patient.curve("validation", alike=True), patient.curve(alike=True)
    best = int(loss.argmin()) if len(loss) else 0
    stops = patient.option("keep") == "best"
    if (
        len(loss) > 2
        and not stops
        and loss[-1] - loss[best] > FORGOT * (loss[0] - loss[best]) + NOISE * abs(loss[best])
    ):
        lowest = patient.alike[best].get("epoch", best + 1)
        told = (
            f"the validation loss was lowest after epoch {lowest} ({loss[best]:.4g}) and is {loss[-1]:.4g} in the end, "
            f"while the training loss went from {train[best]:.4g} to {train[-1]:.4g}"
        )
    elif (
        not patient.judged
        or patient.unexplained < GAP * patient.unexplained_train
        or (patient.unexplained - patient.unexplained_train < COSTLY)
    ):
        return None
    else:
        told = (
            f"the reconstructions leave {percent(patient.unexplained_train)} of the variance of training images "
            "unexplained, and "
            f"{percent(patient.unexplained)} of that of test images"
        )
        stops = True  # it would not help: the gap was there all along
    if (more := all_images(patient)) is not None:
        remedy = more
    elif not stops:
        remedy = train_again(
            patient, "stop when it no longer helps, and keep the best", keep="best", early_stopping=5, validation=None
        )
    else:
        remedy = Remedy("more images: no option makes up for them (masking half of each image leaves most of the gap)")
    return Illness("overfitting", told, remedy, explains=("blurry reconstructions", "prior hole"))


def _comparable(patient: Patient, part: str) -> NDArray[np.float64]:
    """A loss by epoch that means the same in every epoch: that of epochs with the same weights."""
    if part == "train" and not patient.steady:
        return np.empty(0)
    return patient.curve(part, "reconstruction" if patient.judged and patient.steady else "total", alike=True)


def _fall(loss: NDArray[np.float64]) -> float:
    """The share of all that was learnt which came in the last quarter of the epochs; 0 when it may be chance."""
    quarter = max(1, len(loss) // 4)
    fall, learnt = loss[-1 - quarter] - loss[-1], loss[0] - loss.min()
    return float(fall / learnt) if fall > NOISE * abs(loss[-1]) else 0.0
