"""A model that has not learned: what is said of it in place of finer points."""

import logging
from collections.abc import Sequence

from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import PEAK, enough, train_again
from diabolo.doctor.symptom import Illness, Remedy
from diabolo.evaluation.closing import judge

FINER = ("blurry reconstructions", "latent wider than used", "prior hole")  # of a model that has learned


def without_finer_points(patient: Patient, found: Sequence[Illness]) -> tuple[Illness, ...]:
    """`found`, but of a model that has not learned (`diabolo.evaluation.learned`) no finer points; and where nothing else was
    found, that it has not."""
    why = _why(patient)
    if why is None:
        return tuple(found)
    graver = tuple(illness for illness in found if illness.name not in FINER)
    return graver or (Illness("nothing learned", why, _more(patient)),)


def _why(patient: Patient) -> str | None:
    """Why it has not learned, in numbers; None where it has, or nothing can be said."""
    if not patient.trained or isinstance(patient.images, str):
        return None
    try:
        _, learned = judge(patient.model, *patient.images)
    except Exception:  # whatever it dies of, what was found stays
        logging.getLogger("diabolo").debug("judging failed", exc_info=True)
        return None
    return learned.told if learned.state == "missed" else None


def _more(patient: Patient) -> Remedy:
    if not patient.by_steps:
        return train_again(patient, "a wider code", latent_dim=4 * int(patient.model.latent_shape[0]))
    lr = max(patient.lr, PEAK)
    epochs = max(3 * len(patient.run.history), enough(patient, lr))
    return train_again(patient, "more steps", lr=lr, schedule="one-cycle", epochs=epochs)
