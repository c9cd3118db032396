"""What the study `guide` says: each function takes the numbers of a row by name, and gives a sentence that is true of them."""

from diabolo.studies.guide.blur import blur, seen
from diabolo.studies.guide.codes import (
    apart,
    checkpointing,
    fitted,
    hole,
    maps,
    other_measures,
    precision,
    ways,
)
from diabolo.studies.guide.labels import baselines, few_labels, pretraining, semi_supervised
from diabolo.studies.guide.models import FREE, annealing, collapse, cures, embedded, heavier, told
from diabolo.studies.guide.plain import (
    MEASURES,
    Numbers,
    bent,
    called,
    convolutional,
    greedy,
    level,
    matched,
    no_identity,
    regularised,
    rival,
    skips,
)
from diabolo.studies.guide.quantised import code_prior, codebooks, legible

__all__ = [
    "FREE",
    "MEASURES",
    "Numbers",
    "annealing",
    "apart",
    "baselines",
    "bent",
    "blur",
    "called",
    "checkpointing",
    "code_prior",
    "codebooks",
    "collapse",
    "convolutional",
    "cures",
    "embedded",
    "few_labels",
    "fitted",
    "greedy",
    "heavier",
    "hole",
    "legible",
    "level",
    "maps",
    "matched",
    "no_identity",
    "other_measures",
    "precision",
    "pretraining",
    "regularised",
    "rival",
    "seen",
    "semi_supervised",
    "skips",
    "told",
    "ways",
]
