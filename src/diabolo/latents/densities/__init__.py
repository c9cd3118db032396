"""Densities over codes, to draw new images from. A density is one class here, known by the name in its decorator.

density = latents.fit_density("mixture", codes, components=10)
density.sample(16, seed=1), density.log_prob(codes)
"""

from diabolo.latents.densities.density import (
    DENSITIES,
    PIECE,
    PRIOR,
    Density,
    Scale,
    check_continuous,
    draw_images,
    fit_density,
    make_density,
    options_of,
    take_turns,
)
from diabolo.latents.densities.flow import Flow
from diabolo.latents.densities.gaussian import Gaussian, Mixture, Neighbours, Normal

__all__ = [
    "DENSITIES",
    "PIECE",
    "PRIOR",
    "Density",
    "Flow",
    "Gaussian",
    "Mixture",
    "Neighbours",
    "Normal",
    "Scale",
    "check_continuous",
    "draw_images",
    "fit_density",
    "make_density",
    "options_of",
    "take_turns",
]
