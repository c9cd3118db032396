"""Illnesses of a bottleneck that says less than it could, as they are watched for while training (`training/health`)."""

import math

from diabolo.bottlenecks.skips import WithSkips
from diabolo.doctor.objective import LOST
from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import USUAL, enough, gentler, train_again
from diabolo.doctor.symptom import Illness, symptom

UNUSED = 0.5  # of the codes of a codebook that no image needs
MOST = 0.75  # of the units, from which on their silence is no economy but a collapse


@symptom
def posterior_collapse(patient: Patient) -> Illness | None:
    """Most units of a posterior say nothing, and the image suffers, or goes another way (Bowman et al. 2016, arXiv 1511.06349;
    Lucas et al. 2019, arXiv 1911.02469)."""
    found, kl = patient.finding("inactive-units"), patient.diagnosis.values.get("kl_per_unit")
    if found is None or not isinstance(kl, list):
        return None
    active = patient.diagnosis.values["active_units"]
    assert isinstance(active, int | float)
    skips = isinstance(patient.model.bottleneck, WithSkips)
    if active > (1 - MOST) * len(kl) or (active and not skips and patient.unexplained < LOST):
        return None  # the others were not needed: a latent wider than used
    held = {"beta": "linear(0, 1, 0.5)", "free_bits": 0.5}
    if skips:  # without them the code has to come to life yet
        remedy = train_again(patient, "cut the skips, which lead the image around the code", skips=False, **held)
    elif patient.beta is not None and patient.beta > 1:
        remedy = train_again(patient, "the ELBO itself", beta=1.0)
    else:
        remedy = train_again(patient, "a KL term that grows, and some nats that cost nothing", **held)
    return Illness(
        "posterior collapse",
        found.evidence.removesuffix(": posterior collapse"),
        remedy,
        explains=("code ignored", "blurry reconstructions", "latent wider than used"),
    )


@symptom
def codebook_collapse(patient: Patient) -> Illness | None:
    """Most codes of a codebook are never used (Dhariwal et al. 2020, arXiv 2005.00341, appendix)."""
    found, dead = patient.finding("dead-codes"), patient.diagnosis.values.get("dead_codes")
    if found is None or not isinstance(dead, int | float) or dead < UNUSED * patient.bottleneck.codes:
        return None
    if len(patient.few.test) * math.prod(patient.model.latent_shape[1:]) < patient.bottleneck.codes:
        return None  # too few positions to need them all
    if patient.option("restart") == 0 or patient.option("kmeans") is False:
        remedy = train_again(patient, "begin with centres, and begin dead codes anew", restart=0.1, kmeans=True)
    else:
        even = patient.diagnosis.values["codebook_perplexity"]
        assert isinstance(even, int | float)
        fewer = max(2, min(patient.bottleneck.codes // 2, round(even)))
        remedy = train_again(patient, "no more codes than are used", codes=fewer)
        if remedy.command is None:  # no codebook to learn: levels
            remedy = train_again(patient, "fewer levels", levels=[max(2, round(even ** (1 / 2)))] * 2)
    return Illness(
        "codebook collapse",
        found.evidence,
        remedy,
        explains=("code ignored", "blurry reconstructions", "too high a learning rate"),
    )


@symptom
def code_ignored(patient: Patient) -> Illness | None:
    """The decoder makes the same of every code."""
    found = patient.finding("code-ignored")
    if found is None:
        return None
    lr = gentler(patient.lr) if patient.lr > USUAL / 10 else USUAL
    epochs = max(2 * len(patient.run.history), enough(patient, lr))
    return Illness(
        "code ignored",
        found.evidence,
        train_again(patient, "another learning rate, for longer", lr=lr, epochs=epochs),
        explains=("blurry reconstructions", "latent wider than used"),
    )
