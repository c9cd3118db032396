"""Illnesses of the images: what is tested on was trained on, or what is drawn was seen."""

from diabolo.bottlenecks.variational import Variational
from diabolo.conditions import Unconditional
from diabolo.data.selection import NEAR, distance_to
from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import all_images, train_again
from diabolo.doctor.symptom import Illness, Remedy, symptom
from diabolo.latents.nearest import memorisation
from diabolo.plain import percent

LEAK = 0.01  # share of the test images that may lie among the training images
COPIES = 0.1  # share of the samples that may stand out as 1 % of unseen images do
UNSEEN = 100  # images, at least, of which 1 % can be told
DRAWN = 200  # samples: 0.1 of them is known to within 0.02
CHANCE = 1e-6  # that so many stand out by chance


@symptom
def leak(patient: Patient) -> Illness | None:
    """Test images that are training images too, or nearly."""
    test = patient.all("test")
    test = test.at_most(1000, 0)
    near = distance_to(test, patient.all("train")) < NEAR
    if near.mean() < LEAK or near.sum() < 2:
        return None
    return Illness(
        "leak between train and test",
        f"{near.sum()} of {len(test)} test images are (nearly) among the training images: what is measured on them is too good",
        train_again(patient, "leave out training images that are test images", drop_leaks=True),
    )


@symptom
def memorised(patient: Patient) -> Illness | None:
    """Samples that are copies of training images (Meehan et al. 2020, arXiv 2004.05675, ask for a like comparison)."""
    if not isinstance(patient.model.condition, Unconditional):
        return None  # a part of the image may have been told
    if not isinstance(patient.bottleneck, Variational) or len(patient.few.test) < UNSEEN or len(patient.few.train) < 2:
        return None
    samples = patient.model.sample(DRAWN, 0).cpu().numpy()
    found = memorisation(samples, patient.all("train").images, patient.few.test.pixels)
    if found.copies < COPIES or found.copies_p > CHANCE:
        return None
    return Illness(
        "memorised samples",
        f"{percent(found.copies)} of the samples lie as close to a single training image, against the next, as only "
        "1 % of unseen "
        f"images do: they are copies of it",
        all_images(patient) or Remedy("more images, or a smaller model"),
        explains=("overfitting", "prior hole"),
    )
