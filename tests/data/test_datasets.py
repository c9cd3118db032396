"""torch's data sets and loaders are read once."""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Sampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)

import diabolo
from diabolo.data import Images, as_images, load
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
        wanted, shown = Image.fromarray(PIXELS[0, 0].astype(np.uint16) * 257), PIXELS[0, 0].astype(int) * 257
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


NUMBERED = TensorDataset(torch.from_numpy(PIXELS), torch.from_numpy(LABELS))


class Own(Sampler):
    def __iter__(self):
        return iter([5, 2, 5])

    def __len__(self):
        return 3


class Batches(Own):
    def __iter__(self):
        return iter([[7, 1], [3], [1]])


def halved(items):
    """A collate function of one's own: half as bright, labels in a dictionary."""
    x, y = zip(*items, strict=True)
    return {"image": torch.stack(x) // 2, "label": torch.stack(y)}


LOADERS = {
    "shuffled": (DataLoader(NUMBERED, batch_size=4, shuffle=True, drop_last=True), range(9)),
    "with workers": (DataLoader(NUMBERED, batch_size=4, num_workers=2), range(9)),
    "one by one": (DataLoader(NUMBERED, batch_size=None), range(9)),
    "a part": (DataLoader(NUMBERED, sampler=SubsetRandomSampler([8, 0, 4])), [0, 4, 8]),
    "part of a part": (DataLoader(Subset(Subset(NUMBERED, [5, 3, 1]), [2, 0]), shuffle=True), [1, 5]),
    "weighted": (DataLoader(NUMBERED, sampler=WeightedRandomSampler([1.0] * 9, 20)), range(9)),
    "a sampler of one's own": (DataLoader(NUMBERED, sampler=Own()), [2, 5]),
    "batches of one's own": (DataLoader(NUMBERED, batch_sampler=Batches()), [1, 3, 7]),
}


@pytest.mark.parametrize("case", LOADERS)
def test_of_a_loader_each_image_it_may_choose_is_read_once_and_in_order(case, caplog):
    loader, wanted = LOADERS[case]
    before = torch.get_rng_state()
    images = as_images(loader)
    assert np.array_equal(images.images, PIXELS[list(wanted)])
    assert np.array_equal(images.labels, LABELS[list(wanted)])
    assert torch.equal(torch.get_rng_state(), before)
    assert caplog.text.count("weights of its sampler are not used") == (case == "weighted")


@pytest.mark.parametrize("size", [4, None])
def test_a_loader_whose_collate_function_is_ones_own(size):
    items = [([PIXELS[i], LABELS[i]]) for i in range(9)] if size else [tuple(NUMBERED[:5]), tuple(NUMBERED[5:])]
    collate = halved if size else lambda batch: {"image": batch[0] // 2, "label": batch[1]}
    images = as_images(DataLoader(NUMBERED if size else items, batch_size=size, collate_fn=collate, shuffle=True))
    assert np.array_equal(images.images, PIXELS // 2)
    assert np.array_equal(images.labels, LABELS)


def test_a_collate_function_may_drop_images_as_long_as_its_batches_are_its_own():
    """Images are read twice to find random transforms, and a batch of the second reading must not be smaller than it was."""
    items = [None if i == 7 else (torch.from_numpy(PIXELS[i]), LABELS[i]) for i in range(9)]
    kept = [i for i in range(9) if i != 7]
    loader = DataLoader(items, batch_size=7, collate_fn=lambda batch: default_collate([one for one in batch if one]))
    images = as_images(loader)
    assert np.array_equal(images.images, PIXELS[kept])
    assert np.array_equal(images.labels, LABELS[kept])


def test_pictures_in_a_loader_need_no_collate_function():
    images = as_images(DataLoader(Pictures(GIVES["picture and number"]), batch_size=2))
    assert np.array_equal(images.images, PIXELS)
    assert images.label_names == ("ant", "bee", "cow")


def test_labels_as_one_hot_vectors_floats_and_columns():
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(LABELS))
    for labels in (one_hot, one_hot.float(), torch.from_numpy(LABELS).float(), torch.from_numpy(LABELS)[:, None]):
        assert np.array_equal(as_images(TensorDataset(torch.from_numpy(PIXELS), labels)).labels, LABELS)


def test_attributes_are_kept_with_their_names(caplog):
    flags = np.random.default_rng(1).random((9, 3)) < 0.5
    flags[0] = [1, 1, 0]
    named = Pictures(lambda i: (PIXELS[i], (torch.from_numpy(flags[i]).long(), int(LABELS[i]))))
    named.attr_names = ["smiling", "hat", "old", ""]  # as torchvision's CelebA has them
    images = as_images(Subset(named, range(9)))
    assert np.array_equal(images.attributes, flags)
    assert images.attribute_names == ("smiling", "hat", "old")
    assert np.array_equal(images.labels, LABELS)
    assert load(named)[0].attributes.shape[1] == 3
    assert not caplog.text
    as_images(TensorDataset(torch.from_numpy(PIXELS), torch.from_numpy(LABELS), torch.from_numpy(PIXELS)))
    assert "beside the images but labels is no class of each" in caplog.text


def test_random_transforms_are_said_to_be_frozen(caplog):
    draws = np.random.default_rng(0)
    as_images(Pictures(lambda i: (PIXELS[i] // 2 + draws.integers(0, 9, PIXELS[i].shape, np.uint8), 0)))
    assert caplog.text.count("transforms are random and were drawn once") == 1


def test_images_are_a_data_set_and_come_back_as_they_were():
    images = Images(PIXELS, LABELS, ("a", "b", "c"), attributes=PIXELS[:, :2, 0, 0] > 99, attribute_names=("x", "y"))
    x, y = images[-1]
    assert (x.dtype, y) == (torch.float32, 2)
    assert np.array_equal((x * 255).round().byte().numpy(), PIXELS[8])
    assert Images(PIXELS)[0][1] == -1
    assert len(list(images)) == 9
    for workers in (0, 2):
        batches = list(DataLoader(images, batch_size=4, num_workers=workers))
        assert torch.equal(torch.cat([x for x, _ in batches]), torch.from_numpy(images.pixels))
        assert torch.cat([y for _, y in batches]).tolist() == LABELS.tolist()
    first, second = random_split(images, [6, 3], torch.Generator().manual_seed(0))
    part = as_images(DataLoader(first, batch_size=2, shuffle=True))
    assert part.fingerprint == images.take(first.indices).fingerprint
    assert as_images(ConcatDataset([first, second])).label_names == ("a", "b", "c")
    with pytest.raises(IndexError):
        images[9]
    with pytest.raises(DiaboloError, match=r"several are had by take"):
        images[:3]


def test_training_resuming_and_evaluating_take_them(tmp_path):
    grey = TensorDataset(torch.from_numpy(PIXELS[:, :1]) / 255, torch.from_numpy(LABELS))
    train, held = DataLoader(Subset(grey, range(6)), batch_size=3, shuffle=True), Subset(grey, [6, 7, 8])
    run = diabolo.fit("vae", train, held, hidden=(4,), latent_dim=2, epochs=1, out=tmp_path, quiet=True)
    array = diabolo.fit(
        "vae", PIXELS[:6, :1], PIXELS[6:, :1], hidden=(4,), latent_dim=2, epochs=1, out=tmp_path, quiet=True
    )
    assert run.history[0]["validation"] == array.history[0]["validation"]
    assert len(diabolo.resume(run, train, held, epochs=2).history) == 2
    scores = diabolo.evaluate(run, (train, held), measures=("reconstruction",))
    assert scores["reconstruction"].scores
    with pytest.raises(DiaboloError, match="not those"):
        diabolo.resume(run, Subset(grey, range(5)), held, epochs=3)


def test_labels_of_a_set_that_begin_at_1():
    train, _ = load(TensorDataset(torch.from_numpy(PIXELS), torch.from_numpy(LABELS + 1)))
    assert train.label_names == ("1", "2", "3")


class Stream(IterableDataset):
    def __iter__(self):
        while True:
            yield PIXELS[0]


class Endless(Dataset):
    def __len__(self):
        return 10**15

    def __getitem__(self, index):
        return PIXELS[0]


class NoLength(Dataset):
    def __len__(self):
        raise NotImplementedError

    def __getitem__(self, index):
        return PIXELS[0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Stream(), "Stream has no length and may never end; collect the images"),
        (DataLoader(Stream(), 2), "Stream has no length"),
        (DataLoader(NUMBERED, sampler=itertools.cycle([0])), "cycle has no length and may never end"),
        (Endless(), "Endless says that it holds .* images of 60 bytes each, which do not fit into memory"),
        (Pictures(lambda i: PIXELS[i, : 1 + 2 * (i % 2)]), "make all of them grey, or all of them RGB"),
        (NoLength(), "NoLength has no length"),
        (Subset(Pictures(GIVES["floats"]), []), "is empty"),
        (Pictures(lambda i: np.zeros((3, 4, 4 + i), np.uint8)), "differ in shape"),
        (Pictures(lambda i: {"picture": 1}), "none of these is called image"),
        (Pictures(lambda i: "text"), "holds <U4"),
        (Pictures(lambda i: Endless()), "tensors, arrays or pictures of Pillow, got Endless"),
        (Pictures(lambda i: (PIXELS[i], 10**30)), "labels hold numbers of more than 64 bits"),
        (Pictures(lambda i: (PIXELS[i], 1e300)), "labels hold numbers of more than 64 bits"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(given, says):
    with pytest.raises(DiaboloError, match=says):
        as_images(given)
    with pytest.raises(DiaboloError):
        load(given)
