"""`diabolo fit-prior RUN`."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def quantised(diabolo):
    """The folder of a small VQ-VAE of handwritten digits."""
    small = ["--codes", 16, "--latent-dim", 4, "--width", 8, "--residual-width", 4, "--residual-layers", 1]
    answer = diabolo("train", "vqvae", "--n-train", 128, "--epochs", 1, "--batch-size", 64, "--threads", 1, *small)
    assert answer.code == 0, answer.err
    assert "no picture of samples: nothing can be sampled before a prior is fitted" in answer.err
    return "runs/0001-vqvae-digits"


def test_train_fit_sample(quantised, diabolo):
    answer = diabolo("sample", quantised)
    assert answer.code != 0
    assert f"diabolo fit-prior {quantised}" in answer.err
    how = ["--epochs", 2, "--batch-size", 32, "--threads", 1]
    answer = diabolo("fit-prior", quantised, "--width", 8, "--layers", 1, "--heads", 2, *how)
    assert answer.code == 0, answer.err
    assert "bits_per_code" in answer.out
    assert "codes.npz" not in answer.err  # codes are no grey levels: nothing is to be said of black and white
    assert diabolo("sample", quantised, "--n", 3, "--out", "x.npy").code == 0
    assert np.load("x.npy").shape == (3, 1, 8, 8)
    prior = f"{quantised}/prior/0001-prior-codes"
    assert "prior" in diabolo("info", prior).out
    assert diabolo("resume", prior, "--epochs", 3).code == 0
    assert Path(prior, "figures", "curves.png").exists()
    refusal = diabolo("sample", prior)
    assert refusal.code != 0
    assert "holds a prior over codes" in refusal.err


def test_a_folder_of_its_own_is_refused(quantised, diabolo):
    answer = diabolo("fit-prior", quantised, "--out", "elsewhere")
    assert answer.code != 0
    assert "leave --out out" in answer.err
