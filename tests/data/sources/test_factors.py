"""dSprites, 3D Shapes and MPI3D in the layouts of their published files, made small."""

from pathlib import Path

import numpy as np
import pytest

from diabolo.data import Images, load
from diabolo.data.sources.factors import published
from diabolo.errors import DiaboloError

RNG = np.random.default_rng(0)
SPRITES = RNG.integers(0, 2, (12, 8, 8), np.uint8)
VALUES = RNG.random((12, 6))
CLASSES = np.stack([np.arange(12) * 0, np.arange(12) % 3, *np.arange(48).reshape(4, 12)], 1)
FACTORS = ("colour", "shape", "scale", "orientation", "x", "y")


def files(tmp_path):
    np.savez(
        tmp_path / "d.npz",
        imgs=SPRITES,
        latents_values=VALUES,
        latents_classes=CLASSES,
        metadata=np.array([{}], object),
    )
    yield tmp_path / "d.npz"
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "d.hdf5", "w") as file:
        file["imgs"], file["latents/values"], file["latents/classes"] = SPRITES, VALUES, CLASSES
    yield tmp_path / "d.hdf5"


def test_dsprites(tmp_path):
    for path in files(tmp_path):
        train, _ = load(path, n_train=11)
        place = [next(i for i in range(12) if np.allclose(VALUES[i], row)) for row in train.factors]
        assert train.factor_names == FACTORS
        assert train.label_names == ("square", "ellipse", "heart")
        assert train.labels.tolist() == [i % 3 for i in place]
        np.testing.assert_array_equal(train.images[:, 0], SPRITES[place] * 255)


def test_3d_shapes(tmp_path):
    h5py = pytest.importorskip("h5py")
    x = RNG.integers(0, 256, (12, 8, 8, 3), np.uint8)
    labels = np.column_stack([VALUES[:, :4], np.arange(12) % 4, 60 * VALUES[:, 5] - 30])
    with h5py.File(tmp_path / "3dshapes.h5", "w") as file:
        file["images"], file["labels"] = x, labels
    train, _ = load(tmp_path / "3dshapes.h5", n_train=11)
    assert train.factor_names == ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    place = [next(i for i in range(12) if np.allclose(labels[i], row)) for row in train.factors]
    np.testing.assert_array_equal(train.images, x[place].transpose(0, 3, 1, 2))
    assert train.labels.tolist() == [i % 4 for i in place]
    with h5py.File(tmp_path / "3dshapes.h5", "a") as file:
        file["labels"][0, 4] = 0.5
    with pytest.raises(DiaboloError, match="are not those of 3D Shapes: column 4 is not the number of a shape"):
        load(tmp_path / "3dshapes.h5")


def test_mpi3d_by_the_order_of_its_images(tmp_path):
    x = np.zeros((460_800, 2, 2, 3), np.uint8)
    x[:, 0, 0, 0] = np.arange(len(x)) % 40  # the vertical axis changes fastest
    np.savez(tmp_path / "complex.npz", images=x)
    _, test = load(tmp_path / "complex.npz", n_test=500, n_train=1)
    assert test.factor_names[1::5] == ("object_shape", "vertical_axis")
    assert test.factors[:, 6].tolist() == test.images[:, 0, 0, 0].tolist()
    assert test.label_names == ("coffee cup", "tennis ball", "croissant", "beer cup")
    assert test.labels.tolist() == test.factors[:, 1].tolist()
    assert (test.factors.max(0) <= (3, 3, 1, 2, 2, 39, 39)).all()
    np.savez(tmp_path / "less.npz", images=x[:-1])
    assert load(tmp_path / "less.npz", n_test=5, n_train=1)[1].factors is None


def test_mpi3d_of_simple_shapes():
    x = np.broadcast_to(np.uint8(0), (1_036_800, 1, 1, 3))
    add = published("images", ["images"], {}.get, x, Path("mpi3d_toy.npz"))
    factors = add(Images(x)).factors
    assert factors.max(0).tolist() == [5, 5, 1, 2, 2, 39, 39]
    assert factors[-40 * 40 - 1].tolist() == [5, 5, 1, 2, 1, 39, 39]
    assert add(Images(x)).label_names[-1] == "sphere"


def test_dsprites_of_another_shape(tmp_path):
    np.savez(tmp_path / "d.npz", imgs=SPRITES, latents_values=VALUES[:5], latents_classes=CLASSES)
    with pytest.raises(DiaboloError, match=r"latents_values of d has shape \(5, 6\), not \(12, 6\)"):
        load(tmp_path / "d.npz")
    np.savez(tmp_path / "d.npz", imgs=SPRITES, latents_values=VALUES, latents_classes=CLASSES + 5)
    with pytest.raises(DiaboloError, match="names other shapes than square, ellipse, heart"):
        load(tmp_path / "d.npz")
