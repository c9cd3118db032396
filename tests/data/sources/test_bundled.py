"""Sets that need no network: digits, faces, patches."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_sample_images

from diabolo.data import draw_faces, load
from diabolo.errors import DiaboloError


class TestDigits:
    def test_every_digit_once_scaled_to_bytes(self):
        train, test = load("digits")
        assert (len(train), len(test)) == (1437, 360)
        both = np.concatenate([train.images, test.images]).reshape(1797, -1)
        wanted = np.rint(load_digits().data * 255 / 16).astype(np.uint8)
        assert np.array_equal(np.sort(both, axis=0), np.sort(wanted, axis=0))
        assert both.max() == 255

    def test_labels_follow_and_are_stratified(self):
        train, test = load("digits")
        known = {tuple(row): label for row, label in zip(load_digits().data, load_digits().target, strict=True)}
        for images in (train, test):
            rows = np.rint(images.images.reshape(len(images), -1) * (16 / 255))
            assert [known[tuple(row)] for row in rows] == images.labels.tolist()
        assert np.bincount(test.labels).tolist() == [36] * 10
        assert train.label_names == tuple("0123456789")

    def test_the_split_is_fixed_and_the_subsets_are_drawn(self):
        assert load("digits", data_seed=1)[1].fingerprint == load("digits", data_seed=2)[1].fingerprint
        few = load("digits", n_train=50, n_test=10, data_seed=1)
        assert [len(part) for part in few] == [50, 10]
        assert few[0].fingerprint != load("digits", n_train=50, data_seed=2)[0].fingerprint
        with pytest.raises(DiaboloError, match="5,000 images were asked of digits"):
            load("digits", n_train=5000)


class TestFaces:
    def test_any_number_with_their_ground_truth(self):
        train, test = load("faces", n_train=40, n_test=7, data_seed=3)
        assert (len(train), len(test)) == (40, 7)
        assert train.shape == (3, 64, 64)
        assert np.array_equal(draw_faces(train.factors), train.images)
        assert "Smiling" in train.attribute_names

    def test_parts_are_disjoint_and_do_not_depend_on_how_many(self):
        train, test = load("faces", n_train=40, n_test=40)
        assert not {x.tobytes() for x in train.images} & {x.tobytes() for x in test.images}
        assert np.array_equal(load("faces", n_train=5, n_test=9)[0].images, train.images[:5])


class TestPatches:
    def test_crops_are_of_the_photographs_and_labelled(self):
        train, test = load("patches", n_train=41, n_test=20)
        photographs = load_sample_images().images
        for part, columns in ((train, [(0, 256), (384, 640)]), (test, [(256, 384)])):
            for image, label in zip(part.images[:12], part.labels, strict=False):
                assert any(found_in(photographs[label][:, low:high], image) for low, high in columns)
        assert np.bincount(train.labels).tolist() == [21, 20]
        assert train.label_names == ("china", "flower")

    def test_defaults_and_size(self):
        train, test = load("patches", size=8)
        assert (len(train), len(test)) == (20_000, 2_000)
        assert train.shape == (3, 8, 8)
        assert np.array_equal(load("patches", size=8, n_train=9)[0].images, train.images[:9])

    @pytest.mark.parametrize("size", [0, 129, "32"])
    def test_size_is_bounded(self, size):
        with pytest.raises(DiaboloError, match="size must be a whole number from 1 to 128"):
            load("patches", size=size)


def found_in(region, crop):
    """Whether the crop `(3, s, s)` is one of the region's `(rows, columns, 3)`."""
    side = crop.shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(region, (side, side), axis=(0, 1))
    corner = np.argwhere((windows[..., 0, 0] == crop[:, 0, 0]).all(axis=-1))
    return any(np.array_equal(windows[y, x], crop) for y, x in corner)
