"""Killed, or let down by the disk, at any file operation, a command leaves nothing that cannot be gone on with, nothing that
stays, and loses no work but the epoch under way. Every n-th operation is tried here; every one by `pytest -m slow`."""

import errno

import pytest

from crashes import Site, check_errors, check_kills

SMALL = "--n-train 40 --n-test 20 --batch-size 20 --threads 1"
TRAIN = f"train vae --hidden 6 --latent-dim 2 --epochs 2 {SMALL}"
VQVAE = f"train vqvae --codes 8 --latent-dim 2 --width 8 --residual-width 4 --residual-layers 1 --epochs 1 {SMALL} --no-figures"
PRIOR = "fit-prior runs/0001-vqvae-digits --width 8 --layers 1 --heads 2 --epochs 2 --batch-size 20 --threads 1"
RUN = "runs/0001-vae-digits"
DISK = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT)

EVERY = pytest.param(1, marks=pytest.mark.slow)


@pytest.fixture
def site(farm, tmp_path):
    return Site(farm, tmp_path / "site")


def train_or_resume(words):
    """The run goes on where it can be seen; else the same command again."""
    figures = " --no-figures" if "--no-figures" in words else ""
    return lambda work: f"resume {RUN}{figures}" if (work / RUN).exists() else words


def again(words):
    return lambda work: words


@pytest.mark.parametrize("stride", [6, EVERY])
def test_train_is_killed(stride, site):
    words = f"{TRAIN} --no-figures"
    assert check_kills(site, words, train_or_resume(words), stride) >= 7


@pytest.mark.parametrize("stride", [9, EVERY])
def test_train_is_let_down_by_the_disk(stride, site):
    words = f"{TRAIN} --no-figures"
    assert check_errors(site, words, train_or_resume(words), DISK, stride) >= 6


@pytest.mark.parametrize("stride", [9, EVERY])
def test_the_drawing_of_figures_is_killed(stride, site):
    site.well(f"{TRAIN} --no-figures")
    config = site.work / RUN / "config.json"
    config.write_text(config.read_text().replace("{\n", '{\n  "then": ["figures"],\n', 1))
    assert check_kills(site, f"resume {RUN}", again(f"resume {RUN}"), stride) >= 3


@pytest.mark.parametrize("stride", [7, EVERY])
def test_resume_is_killed(stride, site):
    site.well(f"{TRAIN} --no-figures")
    words = f"resume {RUN} --epochs 4 --no-figures"
    assert check_kills(site, words, again(words), stride) >= 4


@pytest.mark.parametrize("stride", [7, EVERY])
def test_fit_prior_is_killed(stride, site):
    site.well(VQVAE)
    prior = "runs/0001-vqvae-digits/prior/0001-prior-codes"
    ended = f"resume {prior.split('/prior')[0]}"

    def then(work):
        return ended if (work / prior / "model.safetensors").exists() else PRIOR

    assert check_kills(site, PRIOR, then, stride) >= 5
