"""Drawn faces as a data set: any number, with attributes and the factors they were drawn from."""

from pathlib import Path

from diabolo.data.faces import FACTOR_NAMES, draw_faces, face_attributes, face_factors
from diabolo.data.faces.factors import TEST, TRAIN
from diabolo.data.images import Images
from diabolo.data.options import Draw

N_TRAIN, N_TEST = 10_000, 2_000


def load(root: Path, draw: Draw) -> tuple[Images, Images]:
    """`n_train` and `n_test` faces `(3, 64, 64)`, 10,000 and 2,000 unless asked otherwise.

    Both parts come from `seed` but from streams that share nothing, and face i is the same however many are drawn.
    """
    return _faces(draw.n_train or N_TRAIN, draw.seed, TRAIN, "train"), _faces(
        draw.n_test or N_TEST, draw.seed, TEST, "test"
    )


def _faces(n: int, seed: int, stream: int, split: str) -> Images:
    factors = face_factors(n, seed, stream)
    attributes, attribute_names = face_attributes(factors)
    return Images(
        draw_faces(factors),
        attributes=attributes,
        attribute_names=attribute_names,
        factors=factors,
        factor_names=FACTOR_NAMES,
        name="faces",
        split=split,
    )
