"""The named recipes: which parts make which model. Every one takes the shape of an image and gives a model ready to train."""

from diabolo.zoo.classical import denoising, pca, sparse, undercomplete
from diabolo.zoo.recipe import HELP, RECIPES, PartOptions, build, options_of, own_options_of
from diabolo.zoo.variational import iwae, vae

__all__ = [
    "HELP",
    "RECIPES",
    "PartOptions",
    "build",
    "denoising",
    "iwae",
    "options_of",
    "own_options_of",
    "pca",
    "sparse",
    "undercomplete",
    "vae",
]  # fmt: skip
