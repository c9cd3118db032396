"""A few digits, and a pair of networks for them."""

import numpy as np
import pytest
import torch
from torch import nn

from diabolo.data import Images, load


@pytest.fixture(scope="session")
def few() -> tuple[Images, Images]:
    return load("digits", n_train=150, n_test=90)


@pytest.fixture
def networks() -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder of a linear autoencoder, 6 numbers in a code, outputs in [0, 1]."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 6))
    decoder = nn.Sequential(nn.Linear(6, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    return encoder, decoder


@pytest.fixture
def svd(few):
    """encode and decode of the first 12 right singular vectors of the training images, in float64, numpy alone."""
    x = few[0].images.reshape(len(few[0]), -1) / 255
    rows = np.linalg.svd(x, full_matrices=False)[2][:12]
    return (
        lambda x: np.asarray(x, np.float64).reshape(len(x), -1) @ rows.T,
        lambda z: (np.asarray(z, np.float64) @ rows).reshape(-1, 1, 8, 8),
    )
