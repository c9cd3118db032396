"""Illnesses of the loss: terms on scales that do not fit each other."""

import math

from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import train_again
from diabolo.doctor.symptom import Illness, symptom
from diabolo.likelihoods import SquaredError
from diabolo.plain import percent

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
