"""The named recipes: which parts make which model. Every one takes the shape of an image and gives a model ready to train."""

from diabolo.zoo.classical import (
    contractive,
    denoising,
    denoising_conv,
    kl_sparse,
    linear,
    pca,
    rae,
    sparse,
    topk,
    undercomplete,
    unet,
)
from diabolo.zoo.conditional import completion, completion_plain, cvae
from diabolo.zoo.quantised import fsq, vqvae
from diabolo.zoo.recipe import (
    HELP,
    RECIPES,
    PartOptions,
    build,
    build_for,
    options_of,
    own_options_of,
    path_of,
    recipe_at,
)
from diabolo.zoo.supervised import classifier, joint, m2
from diabolo.zoo.variational import factorvae, iwae, vae

__all__ = [
    "HELP",
    "RECIPES",
    "PartOptions",
    "build",
    "build_for",
    "classifier",
    "completion",
    "completion_plain",
    "contractive",
    "cvae",
    "denoising",
    "denoising_conv",
    "factorvae",
    "fsq",
    "iwae",
    "joint",
    "kl_sparse",
    "linear",
    "m2",
    "options_of",
    "own_options_of",
    "path_of",
    "pca",
    "rae",
    "recipe_at",
    "sparse",
    "topk",
    "undercomplete",
    "unet",
    "vae",
    "vqvae",
]  # fmt: skip
