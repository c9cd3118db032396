"""`diagnose`: every symptom looked for, and what is but a consequence of something else left out."""

from pathlib import Path

# The symptoms make themselves known when imported, in the order in which they are looked for.
# isort: off
import diabolo.doctor.inference
import diabolo.doctor.objective
import diabolo.doctor.collapse
import diabolo.doctor.course
import diabolo.doctor.outputs
import diabolo.doctor.codes
import diabolo.doctor.leaks  # noqa: F401

# isort: on
from diabolo.data.images import Images
from diabolo.doctor.patient import Patient
from diabolo.doctor.symptom import SYMPTOMS, Illness
from diabolo.evaluation.record import images_of
from diabolo.training.runs import Run, load_run


def diagnose(run: Run | str | Path, data: tuple[Images, Images] | None = None) -> list[Illness]:
    """What is wrong with a run, worst first; an empty list when nothing was found.

    Args:
        run: a run, or its folder.
        data: (training images, test images); when left out, those that the run was trained on.

    Raises:
        DiaboloError: when it is not known what images the run was trained on, or they are gone.
    """
    if not isinstance(run, Run):
        run = load_run(run)
    train, test = images_of(run, data)
    patient = Patient(run, train, test)
    found = [illness for look in SYMPTOMS.values() if (illness := look(patient)) is not None]
    explained = {name for illness in found for name in illness.explains}
    return [illness for illness in found if illness.name not in explained]
