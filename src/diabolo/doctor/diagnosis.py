"""`diagnose`: every symptom looked for, and what is but a consequence of something else left out; so are the finer points of
a model that has not learned.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import diabolo.doctor.course
import diabolo.doctor.outcome
import diabolo.doctor.samples  # noqa: F401  # they make their symptoms known, in this order
from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import PEAK, enough, train_again
from diabolo.doctor.symptom import SYMPTOMS, Illness, Remedy
from diabolo.evaluation.closing import judge
from diabolo.evaluation.measure import standing_alone
from diabolo.evaluation.measuring import Pair
from diabolo.runs.loading import Run
from diabolo.surroundings import undisturbed
from diabolo.trust import Trust, trusting
from diabolo.vocabulary import Words

FINER = ("blurry reconstructions", "latent wider than used", "prior hole")  # of a model that has learned


@dataclass(frozen=True)
class Visit:
    """What was found, and what could not be looked at.

    Attributes:
        illnesses: causes before what else is wrong.
        unseen: why a symptom was not looked for, by its name; where it is "overfitting", say, its history has been looked at
            and showed nothing.

    Example:
        >>> visit = diabolo.doctor.diagnose(run, (train, test))
        >>> type(visit).__name__, list(visit.unseen)
        ('Visit', [])
    """

    illnesses: tuple[Illness, ...]
    unseen: Mapping[str, str]

    def __iter__(self) -> Iterator[Illness]:
        return iter(self.illnesses)

    def __len__(self) -> int:
        return len(self.illnesses)


@undisturbed()
def diagnose(run: Run | str | Path, data: Pair | None = None, trust: Trust = ()) -> Visit:
    """What is wrong with a run.

    Args:
        run: a run, or its folder, of a training that has finished, broke off, or goes on.
        data: (training images, test images); when left out, those that the run was trained on. Where they are gone, what its
            history shows is looked at, and the rest is named in `unseen`.
        trust: packages whose code a run folder may name, as in `diabolo.load`.

    Raises:
        DiaboloError: when it is no run, or `data` are not for its model.

    Example:
        >>> visit = diabolo.doctor.diagnose(run, (train, test))
        >>> [illness.name for illness in visit.illnesses]
        []
    """
    with trusting(trust):
        patient = Patient.admit(run, data)
    found: list[Illness] = []
    unseen: dict[str, str] = {}
    for name, look in SYMPTOMS.items():
        with standing_alone(name.replace("_", " "), unseen):
            illness = look(patient)
            found += [] if illness is None else [illness]
    words = patient.run.config.words
    illnesses = (_in_words(illness, words) for illness in without_finer_points(patient, list(_causes(found))))
    return Visit(tuple(illnesses), {name: words(why) for name, why in unseen.items()})


def _in_words(illness: Illness, words: Words) -> Illness:
    """`illness` as it is to be read; the line to type stays as it is."""
    remedy = replace(illness.remedy, words=words(illness.remedy.words))
    return replace(illness, evidence=words(illness.evidence), remedy=remedy)


def _causes(found: list[Illness]) -> Iterator[Illness]:
    """Those that nothing else explains, then those left when all that they explain is taken away; of some that explain each
    other the first."""
    while found:
        roots = [illness for illness in found if not any(illness.name in other.explains for other in found)]
        cause = (roots or found)[0]
        yield cause
        found = [illness for illness in found if illness is not cause and illness.name not in cause.explains]


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


# The symptoms make themselves known when imported, in the order in which they are looked for.
# isort: off

# isort: on
