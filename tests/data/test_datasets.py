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


def test_words_are_classes_and_what_is_missing_is_not_known():
    train, _ = load(Pictures(lambda i: (PIXELS[i], ["bee", "ant"][i % 2])), n_test=2)
    assert train.label_names == ("ant", "bee")
    assert train.account.classes == {"ant": 4, "bee": 5}
    assert as_images(Pictures(lambda i: (PIXELS[i], ["bee", "ant"][i % 2]))).label_names == ("ant", "bee")
    images = as_images(Pictures(lambda i: (PIXELS[i], None if i < 4 else int(LABELS[i]))))
    assert images.labels.tolist() == [-1] * 4 + LABELS[4:].tolist()


@pytest.mark.parametrize("mode", ["LA", "P", "HSV", "YCbCr", "CMYK", "RGBA", "RGBX", "1", "I;16", "F"])
def test_pictures_of_any_mode_are_what_they_look_like(mode):
    grey = Image.fromarray(PIXELS[0, 0])
    if mode in ("LA", "P", "1", "F"):
        wanted, shown = grey.convert(mode), np.asarray(grey if mode != "1" else grey.convert("1"))
        wanted = Image.fromarray(np.asarray(grey, np.float32) / 255) if mode == "F" else wanted
        shown = shown * 255 if mode == "1" else shown
    elif mode == "I;16":
        wanted, shown = Image.fromarray(PIXELS[0, 0].astype(np.uint16) * 257), PIXELS[0, 0]
    else:
        wanted = picture(0).convert(mode)
        shown = np.asarray(wanted.convert("RGB")).transpose(2, 0, 1)
    images = as_images(Pictures(lambda _: wanted)).images
    assert np.abs(images[0].astype(int) - shown).max() <= 1
    assert np.array_equal(as_images([wanted, wanted]).images, images[:2])


def test_what_is_left_out_is_said(caplog):
    as_images(Pictures(lambda i: (PIXELS[i], 0.5)))
    assert "no class of each, and is left out" in caplog.text


def test_an_image_that_cannot_be_had_is_named():
    def give(index):
        if index == 3:
            raise FileNotFoundError("it is gone")
        return PIXELS[index]

    with pytest.raises(DiaboloError, match="Pictures gives no image 3: FileNotFoundError: it is gone"):
        as_images(Pictures(give))


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
