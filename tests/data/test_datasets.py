"""torch's data sets and loaders are read once."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from diabolo.data import as_images, load
from diabolo.errors import DiaboloError

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 3, 4, 5), dtype=np.uint8)
LABELS = np.arange(9) % 3


class Pictures(Dataset):
    classes = ("ant", "bee", "cow")

    def __init__(self, give):
        self.give = give

    def __len__(self):
        return len(PIXELS)

    def __getitem__(self, index):
        return self.give(index)


def picture(index):
    return Image.fromarray(PIXELS[index].transpose(1, 2, 0))


GIVES = {
    "picture and number": lambda i: (picture(i), int(LABELS[i])),
    "tensor and tensor": lambda i: (torch.from_numpy(PIXELS[i]), torch.tensor(LABELS[i])),
    "floats": lambda i: (torch.from_numpy(PIXELS[i]) / 255, LABELS[i]),
    "dictionary": lambda i: {"image": PIXELS[i], "label": LABELS[i]},
}


@pytest.mark.parametrize("give", GIVES.values(), ids=GIVES)
def test_a_data_set_gives_its_images_labels_and_names(give):
    images = as_images(Pictures(give))
    assert np.array_equal(images.images, PIXELS)
    assert np.array_equal(images.labels, LABELS)
    assert images.label_names == ("ant", "bee", "cow")
    part = as_images(Subset(Pictures(give), [4, 2]))
    assert np.array_equal(part.images, PIXELS[[4, 2]])
    assert part.label_names == ("ant", "bee", "cow")
    train, _ = load(Pictures(give), n_test=2)
    assert len(train) == 7
    assert train.account.classes == {"ant": 3, "bee": 3, "cow": 3}


@pytest.mark.parametrize(
    "give", [lambda i: picture(i), lambda i: (picture(i), {"boxes": i}), lambda i: (PIXELS[i], [1, 2])]
)
def test_what_is_no_class_is_no_label(give):
    images = as_images(Pictures(give))
    assert np.array_equal(images.images, PIXELS)
    assert images.labels is None


def test_tensors_and_chains_of_sets():
    both = TensorDataset(torch.from_numpy(PIXELS), torch.from_numpy(LABELS))
    assert np.array_equal(as_images(both).labels, LABELS)
    assert np.array_equal(as_images(ConcatDataset([both, both])).images, np.concatenate([PIXELS, PIXELS]))
    assert as_images(TensorDataset(torch.from_numpy(PIXELS))).labels is None


def test_a_loader_is_read_once_and_labels_follow_its_order():
    numbered = TensorDataset(
        torch.arange(9, dtype=torch.uint8).repeat_interleave(16).reshape(9, 1, 4, 4) * 20, torch.arange(9)
    )
    images = as_images(DataLoader(numbered, batch_size=4, shuffle=True))
    assert len(images) == 9
    assert np.array_equal(images.images[:, 0, 0, 0] // 20, images.labels)


def test_labels_of_a_set_that_begin_at_1():
    train, _ = load(TensorDataset(torch.from_numpy(PIXELS), torch.from_numpy(LABELS + 1)))
    assert train.label_names == ("1", "2", "3")


class Stream(IterableDataset):
    def __iter__(self):
        while True:
            yield PIXELS[0]


class NoLength(Dataset):
    def __getitem__(self, index):
        return PIXELS[0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Stream(), "Stream has no length and may never end; collect the images"),
        (DataLoader(Stream(), 2), "Stream has no length"),
        (NoLength(), "NoLength has no length"),
        (Subset(Pictures(GIVES["floats"]), []), "is empty"),
        (Pictures(lambda i: np.zeros((3, 4, 4 + i), np.uint8)), "differ in shape"),
        (Pictures(lambda i: {"picture": 1}), "none of these is called image"),
        (Pictures(lambda i: (torch.from_numpy(PIXELS[i]) / 127.5 - 1, 0)), r"use \(x \+ 1\) / 2"),
        (Pictures(lambda i: "text"), "holds <U4"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(given, says):
    with pytest.raises(DiaboloError, match=says):
        as_images(given)
    with pytest.raises(DiaboloError):
        load(given)
