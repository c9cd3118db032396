"""Near-duplicates: those that were made are found, with the distances of a pairwise comparison, and no others."""

import sys

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from diabolo.data import Images, as_images
from diabolo.errors import DiaboloError
from diabolo.latents import near_duplicates


@pytest.fixture
def copied(tiny_pixels):
    """40 images, of which 40 to 42 are copies of 5, 5 and 9, the last with a little noise."""
    x = tiny_pixels(40)
    noisy = np.clip(x[9].astype(int) + np.random.default_rng(0).integers(-3, 4, x[9].shape), 0, 255).astype(np.uint8)
    return as_images(np.concatenate([x, x[5:6], x[5:6], noisy[None]]))


def expected(images: Images, within: float):
    x = images.images.reshape(len(images), -1).astype(np.float64)
    apart = squareform(pdist(x)) / np.sqrt(2 * x.var(0).sum())
    first, second = np.nonzero(np.triu(apart <= within, 1))
    return np.stack([first, second], 1), apart[first, second]


@pytest.mark.parametrize("name", ["vae", "undercomplete"])
@pytest.mark.parametrize("size", [1 << 24, 100])
def test_copies_are_found(name, size, copied, tiny_model, monkeypatch):
    monkeypatch.setattr(sys.modules["diabolo.latents.duplicates"], "PAIRS", size)
    found = near_duplicates(tiny_model(name), copied)
    pairs, distance = expected(copied, 0.1)
    assert found.pairs.tolist() == pairs.tolist() == [[5, 40], [5, 41], [9, 42], [40, 41]]
    np.testing.assert_allclose(found.distance, distance, atol=1e-9)
    assert found.distance[[0, 1, 3]].tolist() == [0, 0, 0]
    assert 0 < found.distance[2] < 0.1
    assert [group.tolist() for group in found.groups] == [[5, 40, 41], [9, 42]]


def test_how_near_is_chosen(copied, tiny_model):
    assert near_duplicates(tiny_model(), copied, within=1e-6).pairs.tolist() == [[5, 40], [5, 41], [40, 41]]
    every = near_duplicates(tiny_model(), copied, within=100.0, neighbours=42)
    assert len(every.pairs) == 43 * 42 // 2
    assert [len(group) for group in every.groups] == [43]


def test_more_neighbours_than_images_and_equal_images(tiny_model):
    same = as_images(np.full((3, 1, 8, 8), 7, np.uint8))
    found = near_duplicates(tiny_model(), same)
    assert [group.tolist() for group in found.groups] == [[0, 1, 2]]
    assert found.distance.tolist() == [0, 0, 0]


def test_rows_of_a_table_in_their_own_units(tiny_model):
    x = np.random.default_rng(0).normal(4000, 10, (30, 5))
    x[20] = x[3] + 0.1
    found = near_duplicates(tiny_model(shape=(5,), latent_dim=2, scaling="standard"), as_images(x))
    pairs, distance = expected(as_images(x), 0.1)
    assert found.pairs.tolist() == pairs.tolist()
    assert [3, 20] in found.pairs.tolist()
    np.testing.assert_allclose(found.distance, distance, rtol=1e-6)


def test_refused(tiny_model, copied):
    with pytest.raises(DiaboloError, match="two images or more"):
        near_duplicates(tiny_model(), copied.take([0]))
    with pytest.raises(DiaboloError, match="within must be a number above 0"):
        near_duplicates(tiny_model(), copied, within=0)
    gaps = Images(np.array([[1.0, np.nan], [2.0, 3.0]]), missing=True)
    with pytest.raises(DiaboloError, match=r"some numbers of .* are missing"):
        near_duplicates(tiny_model(shape=(2,), latent_dim=1), gaps)
