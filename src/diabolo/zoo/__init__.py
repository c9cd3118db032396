"""The named recipes: which parts make which model. Every one takes the shape of an image and gives a model ready to train."""

from diabolo.zoo.classical import contractive, denoising, kl_sparse, pca, rae, sparse, topk, undercomplete
from diabolo.zoo.recipe import HELP, RECIPES, PartOptions, build, options_of, own_options_of
from diabolo.zoo.variational import iwae, vae

__all__ = [
    "HELP",
    "RECIPES",
    "PartOptions",
    "build",
    "contractive",
    "denoising",
    "iwae",
    "kl_sparse",
    "options_of",
    "own_options_of",
    "pca",
    "rae",
    "sparse",
    "topk",
    "undercomplete",
    "vae",
]  # fmt: skip
