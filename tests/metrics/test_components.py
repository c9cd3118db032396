import numpy as np
import pytest
import torch

from diabolo import metrics
from diabolo.errors import DiaboloError
from diabolo.pca import PCA


@pytest.fixture
def images(tiny_pixels):
    return tiny_pixels(60)


def test_errors_are_those_of_pca_with_so_many_components(images, tiny_pixels):
    test = tiny_pixels(40, seed=1)
    whole = PCA((1, 8, 8), 59)
    whole.solve(images)
    found = metrics.error_by_components(whole, test)
    assert found.shape == (60,)
    x = torch.from_numpy(test).float() / 255
    for k in (1, 5, 30):
        few = PCA((1, 8, 8), k)
        few.solve(images)
        assert found[k] == pytest.approx(float((few.reconstruct(x) - x).square().mean()), rel=1e-4)
    mean = torch.from_numpy(images).float().mean(0) / 255
    assert found[0] == pytest.approx(float((x - mean).square().mean()), rel=1e-5)
    assert (np.diff(found) <= 1e-9).all()


def test_floats_and_bytes_are_the_same(images):
    pca = PCA((1, 8, 8), 5)
    pca.solve(images)
    as_floats = (images / 255).astype(np.float32)
    assert np.allclose(metrics.error_by_components(pca, images), metrics.error_by_components(pca, as_floats), rtol=1e-5)


def test_pieces_do_not_matter_and_no_error_is_below_zero(images, monkeypatch):
    pca = PCA((1, 8, 8), 59)
    pca.solve(images)
    whole = metrics.error_by_components(pca, images)
    assert whole[-1] == pytest.approx(0, abs=1e-9)
    assert (whole >= 0).all()
    monkeypatch.setattr("diabolo.metrics.components.PIECE", 7)
    assert metrics.error_by_components(pca, images) == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_how_many_are_needed():
    assert metrics.components_needed([0.5, 0.3, 0.2, 0.1], 0.25) == 2
    assert metrics.components_needed([0.5, 0.3, 0.2, 0.1], 0.3) == 1
    assert metrics.components_needed([0.5, 0.3], 0.6) == 0
    with pytest.raises(DiaboloError, match=r"0\.05"):
        metrics.components_needed([0.5, 0.3], 0.05)
