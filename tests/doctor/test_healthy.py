"""Healthy trainings of every recipe of the zoo raise no alarm."""

import pytest

import quick
from diabolo import zoo

NARROW = "--latent-dim 8 --hidden 64"
BOTTLENECKS = {
    "pca": "--latent-dim 16",
    "topk": "--latent-dim 16 --active 4 --hidden 64",
    "kl_sparse": "--latent-dim 16 --rate 0.2 --hidden 64",
    "denoising_conv": "--channels 16 16",
    "completion_plain": "--hidden 64",
    "unet": "--latent-dim 8 --channels 8 16",
    "linear": "--latent-dim 16",
    "vqvae": "--latent-dim 8 --codes 32 --width 16 --residual-width 8",
    "fsq": "--levels 4 4 --width 16 --residual-width 8 --batch-size 64",
    "vae": "--latent-dim 4 --hidden 64",
    "iwae": "--latent-dim 4 --hidden 64",
    "factorvae": "--latent-dim 4 --hidden 64 --critic-width 32 --critic-layers 2",
    "cvae": "--latent-dim 4 --hidden 64",
    "m2": "--latent-dim 4 --hidden 64 --n-labels 200 --epochs 12",
    "joint": f"{NARROW} --n-labels 200",
    "completion": "--latent-dim 4 --hidden 64",
}


@pytest.mark.parametrize(
    "name", quick.only(zoo.RECIPES, "pca", "undercomplete", "denoising", "vae", "cvae", "fsq", "joint")
)
def test_no_alarm(name, seen):
    options = BOTTLENECKS.get(name, NARROW)
    training = "" if name == "pca" else "--lr 3e-3" if "--epochs" in options else "--lr 3e-3 --epochs 25"
    found = seen(f"diabolo train {name} {options} {training}")
    assert not found.unseen
    assert list(found) == []
