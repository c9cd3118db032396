import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabolo.data import Images
from diabolo.data import gather as gathering
from diabolo.errors import DiaboloError


def some(n=10, **fields):
    pixels = np.arange(n * 12, dtype=np.int64).astype(np.uint8).reshape(n, 1, 3, 4)
    return Images(pixels, **fields)


def full(n=10):
    return some(
        n,
        labels=np.arange(n) % 3,
        label_names=("a", "b", "c"),
        attributes=np.arange(2 * n).reshape(n, 2) % 3 == 0,
        attribute_names=("Smiling", "Bald"),
        factors=np.arange(n, dtype=np.float32)[:, None],
        factor_names=("turn",),
    )


def test_shape_and_length():
    assert len(some()) == 10
    assert some().shape == (1, 3, 4)
    assert Images(np.zeros((5, 7), np.float32)).shape == (7,)
    assert "10 of 1×3×4" in repr(some())


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        some().name = "other"


@given(st.integers(1, 40), st.data())
def test_a_subset_is_exact_and_everything_follows(n, data):
    k = data.draw(st.integers(1, n))
    images = full(n)
    part = images.subset(k, seed=data.draw(st.integers(0, 2**31)))
    rows = part.factors[:, 0].astype(int)  # the factor is the row number
    assert len(part) == len(set(rows)) == k
    assert list(rows) == sorted(rows)
    assert np.array_equal(part.images, images.images[rows])
    assert np.array_equal(part.labels, images.labels[rows])
    assert np.array_equal(part.attributes, images.attributes[rows])


def test_a_subset_depends_on_the_seed_alone():
    assert np.array_equal(full(100).subset(10, 1).labels, full(100).subset(10, 1).labels)
    assert full(100).subset(10, 1).fingerprint != full(100).subset(10, 2).fingerprint


def test_of_at_most_so_many_images_more_are_a_subset():
    images = Images(np.arange(5, dtype=np.float32)[:, None] / 5)
    assert images.at_most(5) is images.at_most(6) is images
    np.testing.assert_array_equal(images.at_most(4, 3).images, images.subset(4, 3).images)


def test_a_subset_too_large_says_how_many_there_are():
    with pytest.raises(DiaboloError, match=r"1,000 images were asked of array \(all\), which holds 10"):
        some().subset(1000)


@pytest.mark.parametrize("n", [0, -1, 2.0, True])
def test_a_subset_is_a_whole_number(n):
    with pytest.raises(DiaboloError, match="whole number of images from 1 up"):
        some().subset(n)


def test_take_by_mask_and_by_index():
    mask = np.zeros(10, bool)
    mask[[2, 5]] = True
    assert full().take(mask).factors[:, 0].tolist() == [2, 5]
    assert full().take([5, 2, 2]).factors[:, 0].tolist() == [5, 2, 2]


@pytest.mark.parametrize(
    ("indices", "says"),
    [([], "choice is empty"), ([10], "from 0 to 9, got 10 to 10"), ([-1], "got -1"), ([0.5], "whole numbers"),
     (np.zeros(4, bool), "bool mask")],
)  # fmt: skip
def test_take_refuses(indices, says):
    with pytest.raises(DiaboloError, match=says):
        some().take(indices)


def test_a_run_of_a_memory_map_stays_on_disk(tmp_path):
    np.save(tmp_path / "x.npy", full(50).images)
    images = Images(np.load(tmp_path / "x.npy", mmap_mode="r"))
    run = images.take(np.arange(5, 25))
    assert isinstance(run.images, np.memmap)
    assert np.shares_memory(run.images, images.images)


def test_a_large_choice_from_a_memory_map_goes_to_disk(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", full(50).images)
    images = Images(np.load(tmp_path / "x.npy", mmap_mode="r"))
    chosen = [40, 3, 7]
    assert not isinstance(images.take(chosen).images, np.memmap)
    monkeypatch.setattr(gathering, "IN_MEMORY", 10)
    monkeypatch.setattr(gathering, "CHUNK_BYTES", 24)
    assert isinstance(images.take(chosen).images, np.memmap)
    assert np.array_equal(images.take(chosen).images, images.images[chosen])


class TestFingerprint:
    def test_is_that_of_the_content(self, tmp_path):
        np.save(tmp_path / "x.npy", some().images)
        mapped = Images(np.load(tmp_path / "x.npy", mmap_mode="r"), name="other", split="train")
        assert mapped.fingerprint == some().fingerprint
        assert len(mapped.fingerprint) == 64

    def test_does_not_depend_on_the_pieces_it_is_read_in(self, monkeypatch):
        whole = some().fingerprint
        monkeypatch.setattr("diabolo.data.images.CHUNK_BYTES", 24)
        assert some().fingerprint == whole

    def test_moves_with_every_part(self):
        images = full()
        pixels = images.images.copy()
        pixels[3, 0, 1, 1] ^= 1
        others = [
            dataclasses.replace(images, images=pixels),
            dataclasses.replace(images, images=images.images.reshape(10, 1, 4, 3)),
            dataclasses.replace(images, labels=(images.labels + 1) % 3),
            dataclasses.replace(images, labels=None, label_names=None),
            dataclasses.replace(images, label_names=("a", "b", "d")),
            dataclasses.replace(images, attributes=~images.attributes),
            dataclasses.replace(images, factors=images.factors + 1),
        ]
        prints = {other.fingerprint for other in [images, *others]}
        assert len(prints) == len(others) + 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"labels": np.zeros(9, np.int64)}, "10 images but 9 labels"),
        ({"labels": np.zeros(10, np.int32)}, "labels must be int64"),
        ({"labels": [0] * 10}, "labels must be int64"),
        ({"labels": np.full(10, 2), "label_names": ("a", "b")}, "labels run from 2 to 2 but there are 2 label names"),
        ({"labels": np.full(10, -2), "label_names": ("a", "b")}, "labels run from -2"),
        ({"label_names": ("a",)}, "no labels"),
        ({"attributes": np.zeros((10, 2), np.uint8), "attribute_names": ("a", "b")}, "attributes must be bool"),
        ({"attributes": np.zeros((9, 1), bool), "attribute_names": ("a",)}, "10 images but 9 rows of attributes"),
        ({"attributes": np.zeros((10, 2), bool), "attribute_names": ("a",)}, "2 columns but 1 name"),
        ({"attributes": np.zeros((10, 2), bool)}, "2 columns but 0 names"),
        ({"attribute_names": ("a",)}, "no attributes"),
        ({"factors": np.zeros((10, 1)), "factor_names": ("a",)}, "factors must be float32"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_are_refused(fields, says):
    with pytest.raises(DiaboloError, match=says):
        some(**fields)


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (np.zeros((0, 1, 3, 4), np.uint8), "empty"),
        (np.zeros((3, 1, 0, 4), np.uint8), "empty"),
        (np.zeros(3, np.uint8), r"must be an array \(N, …\)"),
        (np.zeros((3, 4), complex), "whole numbers or floats"),
        (np.zeros((3, 4), object), "whole numbers or floats"),
        ([[1.0]], "numpy array"),
        (np.array([[0.0, 1], [2, np.nan]], np.float32), r"NaN or infinity in 1 of 4 places, first at \(1, 1\)"),
    ],
)
def test_pixels_that_are_none_are_refused(pixels, says):
    with pytest.raises(DiaboloError, match=says):
        Images(pixels)


def test_a_label_may_be_unknown_beside_names():
    labels = np.array([0, -1, 1], np.int64)
    images = Images(np.zeros((3, 1, 2, 2), np.uint8), labels, ("a", "b"))
    assert images.take([1]).labels.tolist() == [-1]


def test_names_follow_their_images():
    images = some(4, names=("a.png", "b.png", "c.tif#1", "c.tif#2"))
    assert images.take([3, 0]).names == ("c.tif#2", "a.png")
    assert images.take(np.array([False, True, False, True])).names == ("b.png", "c.tif#2")
    assert len(images.subset(2).names) == 2
    assert images.fingerprint == some(4).fingerprint
    with pytest.raises(DiaboloError, match="4 images but 1 file name"):
        some(4, names=("a.png",))


def test_a_choice_is_held_in_memory_where_the_disk_has_no_room(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", full(50).images)
    images = Images(np.load(tmp_path / "x.npy", mmap_mode="r"))

    def no_room(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gathering, "IN_MEMORY", 10)
    monkeypatch.setattr("tempfile.TemporaryFile", no_room)
    assert np.array_equal(images.take([40, 3]).images, images.images[[40, 3]])
    monkeypatch.setattr(gathering, "AT_MOST", 10)
    with pytest.raises(DiaboloError, match=r"do not fit into .*No space left on device"):
        images.take([40, 3])
