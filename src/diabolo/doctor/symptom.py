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
    """

    name: str
    evidence: str
    remedy: Remedy
    explains: tuple[str, ...] = ()


Symptom = Callable[[Patient], Illness | None]
SYMPTOMS: dict[str, Symptom] = {}


def symptom(function: Symptom) -> Symptom:
    """Make it known by its function's name."""
    SYMPTOMS[function.__name__] = function
    return function
