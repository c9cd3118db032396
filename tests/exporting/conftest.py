"""Runs of a moment to export, and torch's translations read once."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

import diabolo


@pytest.fixture(scope="session", autouse=True)
def _one_registry():
    """torch reads all its translations to ONNX anew for each export, which takes a second; here it does once."""
    try:
        from torch.onnx._internal.exporter._registration import ONNXRegistry
    except ImportError:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(functools.cache(ONNXRegistry.from_torchlib)))
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory, digits) -> Callable[..., diabolo.Run]:
    """trained(recipe, images, **options): a run of one epoch, of 200 digits unless others are given."""

    def fit(name: str, images: diabolo.data.Images | None = None, **options) -> diabolo.Run:
        few = digits[0].take(range(200)) if images is None else images
        out: Path = tmp_path_factory.mktemp(name)
        how = {"epochs": 1, "batch_size": 50, "precision": "float32", "device": "cpu", "quiet": True, "out": out}
        return diabolo.fit(diabolo.zoo.build_for(name, few, **options), few, **how)

    return fit
