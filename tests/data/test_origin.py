"""Where images came from, kept as JSON, gives the same ones again."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabolo.data import Images, load
from diabolo.data.origin import Record, check_columns, hold_out, reload
from diabolo.errors import DiaboloError


def numbered(n, **fields):
    """Images whose factor is their number."""
    x = np.random.default_rng(0).integers(0, 256, (n, 1, 2, 2), dtype=np.uint8)
    factors = np.arange(n, dtype=np.float32)[:, None]
    return Images(x, factors=factors, factor_names=("number",), labels=np.arange(n) % 3, **fields)


def numbers(images):
    return images.factors[:, 0].astype(int).tolist()


def through_json(origin):
    return json.loads(json.dumps(origin))


@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_nothing_is_held_out_twice_or_lost(n, fraction, seed):
    images = numbered(n)
    try:
        kept, held = hold_out(images, fraction, seed)
    except DiaboloError:
        assert round(fraction * n) in (0, n)
        return
    assert len(held) == round(fraction * n)
    assert sorted(numbers(kept) + numbers(held)) == list(range(n))
    assert numbers(kept) == sorted(numbers(kept))
    for part in (kept, held):  # everything known follows its image
        assert np.array_equal(part.images, images.images[numbers(part)])
        assert np.array_equal(part.labels, images.labels[numbers(part)])


def test_the_seed_decides():
    images = numbered(100)
    assert numbers(hold_out(images, 0.2, seed=1)[1]) == numbers(hold_out(images, 0.2, seed=1)[1])
    assert numbers(hold_out(images, 0.2, seed=1)[1]) != numbers(hold_out(images, 0.2, seed=2)[1])
    assert numbers(hold_out(images, 0.2)[1]) != list(range(20))  # drawn, not cut off


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan"), 1e-9, 0.9999999])
def test_a_share_that_leaves_one_side_empty_is_refused(fraction):
    with pytest.raises(DiaboloError, match=r"cannot hold out a share of .* of 10 training images"):
        hold_out(numbered(10), fraction)


def test_train_and_validation_are_different_words():
    for train in (load("digits")[0], numbered(10, split="train")):
        kept, held = hold_out(train, 0.1)
        assert (kept.split, held.split) == ("train", "validation")


def test_a_named_set_comes_back():
    for images in load("digits", n_train=100, n_test=20, data_seed=3):
        again = reload(through_json(images.origin))
        assert again.fingerprint == images.fingerprint
        assert again.split == images.split


def test_both_sides_of_a_hold_out_come_back():
    train, _ = load("digits")
    kept, held = hold_out(train, 0.2, seed=7)
    assert kept.fingerprint != held.fingerprint
    for images in (kept, held):
        again = reload(through_json(images.origin))
        assert again.fingerprint == images.fingerprint
        assert again.split == images.split


def test_a_hold_out_of_a_hold_out_comes_back_or_has_no_origin():
    train, _ = load("digits")
    kept, _ = hold_out(train, 0.2, seed=1)
    for images in hold_out(kept, 0.5, seed=2):
        assert images.origin is None or reload(through_json(images.origin)).fingerprint == images.fingerprint


def test_a_file_comes_back_from_wherever_one_stands(tmp_path, monkeypatch):
    x = np.random.default_rng(0).integers(0, 256, (30, 1, 6, 6), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    monkeypatch.chdir(tmp_path)
    train, test = load("x.npy", data_seed=5)
    kept, held = hold_out(train, 0.3)
    monkeypatch.chdir("/")
    for images in (train, test, kept, held):
        assert reload(through_json(images.origin)).fingerprint == images.fingerprint
    x[0] ^= 1
    np.save(tmp_path / "x.npy", x)  # another file: found out by the fingerprint
    assert {reload(o.origin).fingerprint == o.fingerprint for o in (train, test)} == {True, False}


def test_where_the_images_lie_now_is_asked_for_when_their_folder_is_gone(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(10 * 16, dtype=np.uint8).reshape(10, 4, 4))
    train, _ = load(str(tmp_path / "x.npy"))
    (tmp_path / "x.npy").rename(tmp_path / "y.npy")
    with pytest.raises(
        DiaboloError, match=r"x.npy: say where the images of this run lie now by --data \(from Python: data="
    ):
        reload(train.origin)
    (tmp_path / "x.npy").write_bytes(b"no array")  # there, and wrong in another way
    with pytest.raises(DiaboloError) as refused:
        reload(train.origin)
    assert "--data" not in str(refused.value)


def test_arrays_and_choices_have_no_origin():
    assert load(np.zeros((10, 1, 4, 4), np.uint8))[0].origin is None
    assert load("digits")[0].subset(10).origin is None
    assert hold_out(numbered(10), 0.5)[0].origin is None


GOOD = {"load": {"name": "digits", "data_seed": 42}, "part": "train"}
HELD = {"fraction": 0.2, "seed": 1, "part": "kept"}


def test_the_good_one_is_good():
    assert len(reload(GOOD)) == 1437
    assert len(reload(GOOD | {"held_out": HELD})) == 1437 - 287


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "digits",
        [],
        {},
        {"part": "train"},
        {"load": GOOD["load"]},
        GOOD | {"part": "validation"},
        GOOD | {"part": ["train"]},
        GOOD | {"load": None},
        GOOD | {"load": "digits"},
        GOOD | {"load": {}},
        GOOD | {"load": GOOD["load"] | {"name": "digitz"}},
        GOOD | {"load": GOOD["load"] | {"name": None}},
        GOOD | {"load": GOOD["load"] | {"name": "/nowhere/x.npy"}},
        GOOD | {"load": GOOD["load"] | {"size": 8}},
        GOOD | {"load": GOOD["load"] | {"data_seed": "x", "n_train": 10}},
        GOOD | {"load": GOOD["load"] | {"n_train": -3}},
        GOOD | {"load": GOOD["load"] | {"root": 5}},
        GOOD | {"held_out": None},
        GOOD | {"held_out": {}},
        GOOD | {"held_out": HELD | {"part": "lost"}},
        GOOD | {"held_out": HELD | {"fraction": 2}},
        GOOD | {"held_out": HELD | {"fraction": "half"}},
        GOOD | {"held_out": HELD | {"seed": -1}},
        GOOD | {"held_out": HELD | {"seed": [1]}},
    ],
    ids=str,
)
def test_an_origin_edited_to_nonsense_is_refused(origin):
    with pytest.raises(DiaboloError):
        reload(origin)


def test_rows_of_other_columns_are_refused_by_the_first_that_differs():
    def rows(*names):
        return Images(np.ones((3, len(names)), np.float32), feature_names=names, name="t.csv")

    about = Record("t", "train", 3, (2,), "f", {"load": {"name": "t"}, "part": "train", "features": ["a", "b"]})
    check_columns(about, rows("a", "b"), Images(np.ones((3, 2), np.float32)))
    with pytest.raises(DiaboloError, match=r"t\.csv has other columns .*: number 1 is 'b', and was 'a'"):
        check_columns(about, rows("a", "b"), rows("b", "a"))
    with pytest.raises(DiaboloError, match="number 2 is 'none', and was 'b'"):
        check_columns(about, rows("a"))
    check_columns(Record("t", "train", 3, (2,), "f", {"features": 7}), rows("b", "a"))  # whatever a stranger wrote
