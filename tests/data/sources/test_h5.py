"""HDF5 files: arrays by name, and nothing that lies elsewhere."""

import numpy as np
import pytest

from diabolo.data import inspect, load
from diabolo.errors import DiaboloError

h5py = pytest.importorskip("h5py")

X = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)


@pytest.fixture
def write(tmp_path):
    def put(name="t.h5", **arrays):
        with h5py.File(tmp_path / name, "w") as file:
            for key, value in arrays.items():
                file[key.replace("__", "/")] = value
        return tmp_path / name

    return put


def test_images_and_labels(write):
    train, test = load(write(images=X, labels=np.arange(12)), n_test=3)
    assert (len(train), len(test)) == (9, 3)
    np.testing.assert_array_equal(train.images, X[train.labels].transpose(0, 3, 1, 2))
    words = load(write("w.hdf5", x=X, y=np.array(["a", "b"] * 6, "S1")))[0]
    assert words.label_names == ("a", "b")
    texts = load(write("s.h5", x=X, y=["ä", "b"] * 6))[0]
    assert texts.label_names == ("b", "ä")


def test_parts_as_laid_out(write):
    train, test = load(write(x_train=X[:8], y_train=np.arange(8), x_test=X[8:], y_test=np.arange(4)))
    assert (len(train), test.labels.tolist()) == (8, [0, 1, 2, 3])


def test_vectors_in_their_own_units(write):
    x = np.random.default_rng(0).normal(5, 9, (12, 4)).astype(np.float32)
    train, _ = load(write(spectra=x))  # the only array
    assert (train.shape, train.images.dtype) == ((4,), np.float32)


def test_a_key_says_which_array(write):
    path = write(g__emb=np.random.default_rng(0).normal(size=(12, 4)), g__y=np.arange(12) % 2, other=X)
    with pytest.raises(DiaboloError, match=r"holds g/emb, g/y, other; expected images .* by key= \(--key\)"):
        load(path)
    train, _ = load(path, key="g/emb")
    assert (train.shape, sorted(set(train.labels.tolist()))) == ((4,), [0, 1])
    assert load(path, key="other")[0].labels is None
    with pytest.raises(DiaboloError, match=r"unknown array 'g/emd' in .*; did you mean 'g/emb'"):
        load(path, key="g/emd")
    assert inspect(path, key="other").channels == 3
    np.savez(path.with_suffix(".npz"), a=X, b=X[:3])
    assert len(load(path.with_suffix(".npz"), key="b", n_test=1)[0]) == 2


def test_a_large_array_is_read_in_whole_chunks(write, monkeypatch, tmp_path):
    monkeypatch.setattr("diabolo.data.sources.h5.IN_MEMORY", 1_000)
    monkeypatch.setattr("diabolo.data.gather.IN_MEMORY", 1_000)
    monkeypatch.setattr("diabolo.data.sources.h5.CHUNK_BYTES", 192)
    for chunks in ((5, 8, 8, 3), (2, 4, 4, 1), None):
        with h5py.File(tmp_path / "t.h5", "w") as file:
            file.create_dataset("images", data=X, chunks=chunks, compression="gzip" if chunks else None)
        train, _ = load(tmp_path / "t.h5", n_train=11)
        assert {x.tobytes() for x in train.images} <= {x.tobytes() for x in X.transpose(0, 3, 1, 2)}


def test_links_and_maps_of_other_files_are_not_followed(write, tmp_path):
    write("secret.h5", images=X)
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["images"] = h5py.ExternalLink("secret.h5", "images")
        file["soft"] = h5py.SoftLink("/images")
    with pytest.raises(DiaboloError, match="holds links alone, and none is followed"):
        load(tmp_path / "link.h5")
    with h5py.File(tmp_path / "map.h5", "w") as file:
        layout = h5py.VirtualLayout(X.shape, np.uint8)
        layout[:] = h5py.VirtualSource("secret.h5", "images", X.shape)
        file.create_virtual_dataset("images", layout)
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file.create_dataset("images", (12, 8, 8), np.uint8, external=[("secret.h5", 0, 768)])
    for name in ("map.h5", "raw.h5"):
        with pytest.raises(DiaboloError, match="is a map of other files, which is not followed"):
            load(tmp_path / name)


def test_a_circle_of_groups_ends(write):
    path = write(a__images=X)
    with h5py.File(path, "a") as file:
        file["a/again"] = file["a"]
    assert len(load(path, n_test=2)[0]) == 10


def test_claims_are_refused_before_anything_is_allocated(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file.create_dataset("images", (10**12, 8, 8), np.uint8, chunks=(1, 8, 8))
    with pytest.raises(DiaboloError, match="says that it holds 64,000,000,000,000 numbers, and none was ever written"):
        load(tmp_path / "none.h5")
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file.create_dataset("images", (10**12, 8, 8), np.uint8, chunks=(1, 8, 8))[0] = 1
    with pytest.raises(DiaboloError, match=r"the 64000\.0 GB of images in .* do not fit"):
        load(tmp_path / "one.h5")
    monkeypatch.setattr("diabolo.data.sources.h5.CHUNK", 100)
    with h5py.File(tmp_path / "chunk.h5", "w") as file:
        file.create_dataset("images", data=X, chunks=(6, 8, 8, 3))
    with pytest.raises(DiaboloError, match="is refused: its chunks of 1,152 bytes are larger than 100"):
        load(tmp_path / "chunk.h5")


def test_what_is_damaged_or_no_array_of_numbers(write, tmp_path):
    path = write(images=X)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DiaboloError, match=r"cannot read .*t\.h5: "):
        load(path)
    path.write_bytes(b"hello")
    with pytest.raises(DiaboloError, match=r"cannot read .*t\.h5: "):
        load(path)
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file["images"] = np.zeros(3, [("a", "f4"), ("b", "f4")])
    with pytest.raises(DiaboloError, match="holds references, lists or records"):
        load(tmp_path / "odd.h5")
