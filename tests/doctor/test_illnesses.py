"""Each illness is provoked on real digits, named, treated with the very line that is proposed, and gone."""

import numpy as np
import pytest

import quick
from diabolo import data
from diabolo.doctor import diagnose

PLAIN = "diabolo train undercomplete --latent-dim 8 --hidden 64"
VAE = "diabolo train vae --latent-dim 4 --hidden 64 --epochs 15 --lr 3e-3"
VQ = "diabolo train vqvae --codes 32 --latent-dim 8 --width 8 --residual-width 4 --epochs 10 --lr 3e-3"

# What is typed, besides a constant rate, what is found, and a word of the remedy.
PROVOKED = {
    "scale": (f"{VAE} --likelihood squared-error", "wrong loss scale", "--likelihood gaussian"),
    "strong": (f"{VAE} --beta 30", "over-strong beta", "--beta 1"),
    "absent": (f"{VAE} --beta 0", "absent beta", "--beta 1"),
    "weak": (f"{VAE} --beta 0.01", "prior hole", "--beta 1"),
    "deep": ("diabolo train vae --latent-dim 4 --hidden 64 64 64 64 --epochs 20 --lr 3e-3", "posterior collapse",
             "--free-bits 0.5"),
    "skips": ("diabolo train vae --net unet --channels 4 8 --latent-dim 4 --epochs 15 --lr 3e-3", "posterior collapse",
              "--no-skips"),
    "codebook": (f"{VQ} --restart 0 --no-kmeans", "codebook collapse", "--kmeans"),
    "fast": (f"{PLAIN} --activation relu --epochs 20 --lr 0.1", "too high a learning rate", "--lr 0.003"),
    "stuck": (f"{PLAIN} --epochs 5 --lr 0.3", "outputs saturated", "--lr 0.003"),
    "broken off": ("diabolo train undercomplete --latent-dim 8 --hidden 64 64 64 64 64 64 --epochs 20 --lr 1000",
                   "numerical trouble", "--lr 0.003"),
    "short": (f"{PLAIN} --epochs 3 --lr 3e-3", "underfitting", "diabolo resume"),
    "slow": (f"{PLAIN} --epochs 5 --lr 1e-6", "underfitting", "--lr 0.001"),
    "few images": ("diabolo train undercomplete --latent-dim 8 --hidden 256 --epochs 100 --lr 5e-3 --n-train 40 "
                   "--batch-size 20", "overfitting", ""),
    "wide": ("diabolo train undercomplete --latent-dim 60 --hidden 128 --epochs 20 --lr 3e-3", "latent wider than used",
             "--latent-dim"),
    "narrow": ("diabolo train undercomplete --latent-dim 1 --hidden 64 --epochs 25 --lr 3e-3", "blurry reconstructions",
               "--latent-dim 4"),
    "a dozen images": ("diabolo train vae --latent-dim 2 --hidden 128 --likelihood gaussian --n-train 12 "
                       "--batch-size 12 --epochs 150 --lr 5e-3 --activation relu", "memorised samples", ""),
}  # fmt: skip

ALIKE = ("scale", "strong", "deep", "skips")  # where the samples are all alike, too


@pytest.mark.parametrize("case", quick.only(PROVOKED, "absent", "fast", "weak", "broken off", "narrow", "short"))
def test_an_illness_is_named_and_its_remedy_mends_it(case, typed):
    line, name, word = PROVOKED[case]
    found = diagnose(typed(f"{line} --schedule constant"))
    names = {name, "mode collapse"} if case in ALIKE else {name}
    named = [illness.name for illness in found]
    assert named[0] == name, [illness.evidence for illness in found]
    assert names <= {*named} <= {name, "mode collapse"}, [illness.evidence for illness in found]
    command = found.illnesses[0].remedy.command
    assert command is not None
    assert word in command
    after = diagnose(typed(command))
    mended = {name} if case == "deep" else names  # two free nats in so deep a net show few kinds yet
    assert not mended & {illness.name for illness in after}, [illness.evidence for illness in after]


def test_a_validation_loss_that_rises_is_stopped_and_what_only_more_images_mend_is_said(typed):
    train, test = data.load("digits")
    np.savez("small.npz", x_train=train.images[:60], x_test=test.images)
    options = (
        "--likelihood gaussian --latent-dim 4 --hidden 128 --batch-size 20 --epochs 100 --lr 5e-3 --schedule constant"
    )
    (first,) = diagnose(typed(f"diabolo train vae --data small.npz {options}"))
    assert first.name == "overfitting"
    assert "the validation loss was lowest after epoch" in first.evidence
    assert first.remedy.command.endswith("--keep best --early-stopping 5")
    (then,) = diagnose(typed(first.remedy.command))
    assert "of that of test images" in then.evidence
    assert then.remedy.command is None
    assert "more images" in then.remedy.words
