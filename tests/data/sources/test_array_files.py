import numpy as np
import pytest

from diabolo.data import load
from diabolo.data.loading import load_parts
from diabolo.errors import DiaboloError

X = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4), dtype=np.uint8)
Y = np.arange(20)


def test_npy(tmp_path):
    np.save(tmp_path / "mine.npy", X)
    train, test = load(tmp_path / "mine.npy", n_test=4)
    assert (len(train), len(test), train.name) == (16, 4, "mine")
    assert load(str(tmp_path / "mine.npy"), test_fraction=0.5)[1].shape == (3, 4, 4)
    assert len(load(str(tmp_path / "mine.npy"), test_fraction=0.5)[1]) == 10


@pytest.mark.parametrize("keys", [("images", "labels"), ("x", "y"), ("X", "Y"), ("data", "targets")])
def test_npz_by_any_usual_key(tmp_path, keys):
    np.savez(tmp_path / "a.npz", **dict(zip(keys, (X, Y), strict=True)))
    train, _ = load(tmp_path / "a.npz")
    assert np.array_equal(train.images, X[train.labels])


def test_npz_with_its_own_split(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=X[:15], y_train=Y[:15], x_test=X[15:], y_test=Y[15:])
    train, test = load(tmp_path / "a.npz")
    assert test.labels.tolist() == [15, 16, 17, 18, 19]
    assert (train.split, test.split) == ("train", "test")
    assert len(load(tmp_path / "a.npz", n_train=3)[0]) == 3


def test_npz_without_labels_or_images(tmp_path):
    np.savez(tmp_path / "a.npz", x=X)
    assert load(tmp_path / "a.npz")[0].labels is None
    np.savez(tmp_path / "b.npz", pictures=X)
    assert len(load(tmp_path / "b.npz")[0]) == len(load(tmp_path / "a.npz")[0])  # the only array there is
    np.savez(tmp_path / "b.npz", pictures=X, others=X)
    with pytest.raises(DiaboloError, match=r"b\.npz holds others, pictures; expected images"):
        load(tmp_path / "b.npz")


def test_medmnist_as_published(tmp_path):
    arrays = {f"{part}_images": X[:n] for part, n in (("train", 6), ("val", 3), ("test", 4))}
    arrays |= {f"{part}_labels": np.arange(n)[:, None] % 2 for part, n in (("train", 6), ("val", 3), ("test", 4))}
    np.savez(tmp_path / "blood.npz", **arrays)
    parts = load_parts(tmp_path / "blood.npz")
    assert [len(part) for part in parts] == [6, 4, 3]
    assert parts.test.labels.tolist() == [0, 1, 0, 1]


def test_black_and_white_are_the_same_in_all_parts(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.ones((3, 2, 2), np.uint8), x_test=np.eye(2, dtype=np.uint8)[None])
    train, test = load(tmp_path / "a.npz")
    assert train.images.min() == 255  # white, as the ones of the test part say
    assert sorted(set(test.images.ravel().tolist())) == [0, 255]
    assert "parts alone would be read as train 0 to 255, test 0 to 1" in train.account.line()


def test_an_array_in_memory_has_the_same_account_as_one_in_a_file(tmp_path):
    np.save(tmp_path / "a.npy", X)
    of_file, of_array = load(tmp_path / "a.npy")[0].account, load(X)[0].account
    assert of_array.rows()[1:] == of_file.rows()[1:]


class Trap:
    def __reduce__(self):
        return (print, ("unpickled!",))


def test_nothing_is_ever_unpickled(tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "b.npz", x=np.array([Trap()], dtype=object))
    (tmp_path / "c.npy").write_bytes(__import__("pickle").dumps(Trap()))
    for name in ("a.npy", "b.npz", "c.npy"):
        with pytest.raises(DiaboloError, match=f"{name} holds Python objects"):
            load(tmp_path / name)
    assert "unpickled" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_files_cut_short(tmp_path, name):
    path = tmp_path / name
    np.save(path, X) if name.endswith("npy") else np.savez(path, x=X)
    for length in (len(path.read_bytes()) // 2, 0):
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(DiaboloError, match=f"{name}"):
            load(path)


def test_labels_of_the_wrong_length(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y[:3])
    with pytest.raises(DiaboloError, match="20 images but 3 labels"):
        load(tmp_path / "a.npz")


def test_nan_is_refused_from_files_too_and_units_are_kept(tmp_path):
    np.save(tmp_path / "a.npy", np.full((3, 4, 4), np.nan))
    with pytest.raises(DiaboloError, match="NaN"):
        load(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", X.astype(np.float32))
    train, _ = load(tmp_path / "a.npy")
    assert train.images.max() > 1
    assert train.account.span is None


def test_one_image(tmp_path):
    with pytest.raises(DiaboloError, match="needs at least 2 images"):
        load(X[:1])


def test_dsprites_as_published(tmp_path):
    random = np.random.default_rng(0)
    imgs = (random.random((60, 8, 8)) > 0.8).astype(np.uint8)
    classes = random.integers(0, 3, (60, 6))
    about = np.array({"title": "sprites"}, dtype=object)
    np.savez_compressed(
        tmp_path / "d.npz", metadata=about, imgs=imgs, latents_values=classes / 2, latents_classes=classes
    )
    train, test = load(tmp_path / "d.npz")
    assert np.array_equal(np.unique(train.images), [0, 255])
    assert train.label_names == ("square", "ellipse", "heart")
    assert np.array_equal(train.factors[:, 1], train.labels / 2)
    assert train.factor_names == test.factor_names == ("colour", "shape", "scale", "orientation", "x", "y")


def test_members_that_nobody_needs_are_not_read(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=x, labels=np.arange(20) % 2, more=np.array([{}, None], dtype=object))
    assert load(tmp_path / "a.npz")[0].labels is not None
    np.savez(tmp_path / "b.npz", images=np.array([{}, None], dtype=object))
    with pytest.raises(DiaboloError, match="holds Python objects"):
        load(tmp_path / "b.npz")
