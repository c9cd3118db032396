"""Samples that are all alike, or leave out whole kinds of images."""

from diabolo.bottlenecks.gaussian import Variational
from diabolo.conditions import Unconditional
from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import train_again
from diabolo.doctor.symptom import Illness, Remedy, symptom
from diabolo.metrics.generation.groups import FEWEST, GROUPS, kinds
from diabolo.plain import percent
from diabolo.runs.lines import shell_line

LOST = 0.5  # share of the images, from which on their kinds are missed: under 0.1 for VAEs that have learned
DRAWN = 25 * GROUPS  # samples: a group of a twentieth of the images is due 25


@symptom
def mode_collapse(patient: Patient) -> Illness | None:
    """Samples show few of the kinds of images there are, counted by groups of images (Richardson & Weiss 2018, arXiv
    1805.12462)."""
    if not isinstance(patient.model.condition, Unconditional) or not isinstance(patient.bottleneck, Variational):
        return None  # what is drawn is asked for, or nobody said that it could be drawn
    if min(len(patient.few.train), len(patient.few.test)) < FEWEST * GROUPS:
        return None
    real, reference = patient.whole("test").numpy(), patient.whole("train").numpy()
    found = kinds(patient.model.sample(DRAWN, 0).cpu().numpy(), real, reference)
    if found.lost < LOST:
        return None
    evidence = (
        f"of {GROUPS} groups of similar images, {found.shown} occur among {DRAWN} samples from the prior; the others make up "
        f"{percent(found.lost)} of the test images"
    )
    if patient.beta is not None and patient.beta > 1:
        return Illness("mode collapse", evidence, train_again(patient, "the ELBO itself", beta=1.0))
    if kinds(patient.few.reconstructions, real, reference).lost >= LOST:
        return Illness(
            "mode collapse", evidence, Remedy("a code that carries more: reconstructions miss these kinds, too")
        )
    density = shell_line("sample", patient.run.path, "--density", "mixture")
    return Illness("mode collapse", evidence, Remedy("draw from a density fitted to the codes", density))
