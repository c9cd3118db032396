'''What the doctor can find. One illness is one function:

@symptom
def codebook_collapse(patient: Patient) -> Illness | None:
    """Most codes are never used. Paper."""
    ...
    return Illness("codebook collapse", "412 of 512 codes …", train_again(patient, "begin dead codes anew", restart=0.1))
'''

from collections.abc import Callable
from dataclasses import dataclass

from diabolo.doctor.patient import Patient


@dataclass(frozen=True)
class Remedy:
    """What would mend it.

    Attributes:
        words: in words.
        command: the line to type; None where nothing that can be typed helps.

    Example:
        >>> remedy = diabolo.doctor.Remedy("try more epochs", "diabolo resume runs/0001-vae-mnist --epochs 30")
        >>> remedy.words
        'try more epochs'
    """

    words: str
    command: str | None = None


@dataclass(frozen=True)
class Illness:
    """Something wrong with a run.

    Attributes:
        name: "posterior collapse".
        evidence: what was measured and what it means, without a full stop.
        remedy: what would mend it.
        explains: names of illnesses that are but a consequence of this one.

    Example:
        >>> remedy = diabolo.doctor.Remedy("try more epochs", "diabolo resume runs/0001-vae-mnist --epochs 30")
        >>> illness = diabolo.doctor.Illness("underfitting", "90 % of the variance is left", remedy)
        >>> illness.remedy.command
        'diabolo resume runs/0001-vae-mnist --epochs 30'
    """

    name: str
    evidence: str
    remedy: Remedy
    explains: tuple[str, ...] = ()


Symptom = Callable[[Patient], Illness | None]
SYMPTOMS: dict[str, Symptom] = {}


def symptom(function: Symptom) -> Symptom:
    """Make it known by its function's name.

    Example:
        >>> from diabolo.doctor import Illness, Remedy, diagnose, symptom
        >>> @symptom
        ... def hasty(patient):
        ...     "Trained for one epoch alone."
        ...     if len(patient.run.history) == 1:
        ...         return Illness("hasty", "one epoch of training", Remedy("try more epochs"))
        >>> run = diabolo.fit(model, train, epochs=1, quiet=True)
        >>> "hasty" in [illness.name for illness in diagnose(run, (train, test)).illnesses]
        True
    """
    SYMPTOMS[function.__name__] = function
    return function
