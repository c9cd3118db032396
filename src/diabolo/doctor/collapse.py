"""Illnesses of a waist that says less than it could, as they are watched for while training (`training/health`)."""

from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import train_again
from diabolo.doctor.symptom import Illness, symptom

MOST = 0.75  # of the units, from which on their silence is no economy but a collapse


@symptom
def posterior_collapse(patient: Patient) -> Illness | None:
    """Most units of a posterior say nothing (Bowman et al. 2016, arXiv 1511.06349; Lucas et al. 2019, arXiv 1911.02469)."""
    found, kl = patient.finding("inactive-units"), patient.diagnosis.values.get("kl_per_unit")
    if found is None or not isinstance(kl, list):
        return None
    active = patient.diagnosis.values["active_units"]
    assert isinstance(active, int | float)
    if active > (1 - MOST) * len(kl):
        return None  # the others were not needed: a latent wider than used
    beta = patient.kl_weight or 0.0
    return Illness(
        "posterior collapse",
        found.evidence.removesuffix(": posterior collapse"),
        train_again(
            patient, "a KL term that grows, and some nats that cost nothing", beta="linear(0, 1, 0.5)", free_bits=0.1
        )
        if beta <= 1
        else train_again(patient, "the ELBO itself", beta=1.0),
        explains=("code ignored", "blurry reconstructions", "latent wider than used"),
    )


@symptom
def codebook_collapse(patient: Patient) -> Illness | None:
    """Most codes of a codebook are never used (Dhariwal et al. 2020, arXiv 2005.00341, appendix)."""
    found = patient.finding("dead-codes")
    if found is None:
        return None
    restart, kmeans = patient.option("restart"), patient.option("kmeans")
    if restart == 0 or kmeans is False:
        remedy = train_again(patient, "begin with centres, and begin dead codes anew", restart=0.1, kmeans=True)
    else:
        codes = patient.model.bottleneck.codes
        even = patient.diagnosis.values["codebook_perplexity"]
        assert isinstance(even, int | float)
        remedy = train_again(patient, "no more codes than are used", codes=max(2, min(codes // 2, round(even))))
    return Illness("codebook collapse", found.evidence, remedy, explains=("code ignored",))


@symptom
def code_ignored(patient: Patient) -> Illness | None:
    """The decoder makes the same of every code."""
    found = patient.finding("code-ignored")
    if found is None:
        return None
    lr = patient.run.config["options"]["lr"]
    return Illness(
        "code ignored",
        found.evidence,
        train_again(patient, "a smaller learning rate, for longer", lr=lr / 10, epochs=2 * len(patient.run.history)),
        explains=("blurry reconstructions",),
    )
