"""Faces drawn from known factors: 64×64, colour, the same pixels on every machine.

    factors = face_factors(1000, seed=0)            # float32 (1000, F), columns named by FACTOR_NAMES
    images = draw_faces(factors)                    # uint8 (1000, 3, 64, 64)

What is known about a face is exact: change one factor, draw again, and that is the true direction in image space.
"""

from diabolo.data.faces.factors import FACTOR_NAMES, FACTORS, face_attributes, face_factors
from diabolo.data.faces.paint import draw_faces

__all__ = ["FACTORS", "FACTOR_NAMES", "draw_faces", "face_attributes", "face_factors"]
