"""For all tests: an environment in which torch does not crawl, and images and models that train in milliseconds."""

import os
import sys

sys.path.append(os.path.dirname(__file__))  # for user_cones, which is found by its import path as a user's module is
os.environ.setdefault(
    "GOMP_SPINCOUNT", "10000"
)  # read when torch is loaded; waiting threads must not eat a shared machine

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def tiny_pixels() -> Callable[..., np.ndarray]:
    """tiny_pixels(n, shape, seed): uint8 images (n, C, H, W), each a bright square on dark noise."""

    def draw(n: int = 70, shape: tuple[int, int, int] = (1, 8, 8), seed: int = 0) -> np.ndarray:
        random = np.random.default_rng(seed)
        pixels = random.integers(0, 60, (n, *shape), dtype=np.uint8)
        for image in pixels:
            row, column = random.integers(0, (shape[1] // 2, shape[2] // 2))
            image[:, row : row + shape[1] // 2, column : column + shape[2] // 2] += 180
        return pixels

    return draw


@pytest.fixture
def tiny_model() -> Callable[..., Any]:
    """tiny_model(name, seed, shape, **options): a small model of the zoo, its weights drawn from the seed."""
    import torch

    from diabolo import zoo

    def make(name: str = "undercomplete", seed: int = 0, shape: tuple[int, ...] = (1, 8, 8), **options: Any) -> Any:
        net = {"channels": (8, 8)} if options.get("net") == "conv" else {"hidden": (16,)}
        small: dict[str, Any] = {} if name == "pca" else net
        torch.manual_seed(seed)
        return zoo.build(name, shape, **({"latent_dim": 4} | small | options))

    return make
