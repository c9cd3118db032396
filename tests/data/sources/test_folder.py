"""Folders and archives of images: classes, parts, and what is refused."""

import zipfile

import numpy as np
import pytest

from diabolo.data import load
from diabolo.errors import DiaboloError


@pytest.fixture(params=["folder", "zip"])
def place(request, tmp_path, make):
    """Lay out `{name: array or bytes}` as a folder or as an archive, and get its path."""

    def lay(files):
        if request.param == "folder":
            for name, content in files.items():
                path = tmp_path / "mine" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else make.encoded(content))
            return tmp_path / "mine"
        with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content if isinstance(content, bytes) else make.encoded(content))
        return tmp_path / "mine.zip"

    return lay


def grey(value):
    return np.full((4, 4), value, np.uint8)


def test_flat(place):
    train, test = load(place({f"{i:02}.png": grey(i) for i in range(20)} | {"readme.txt": b"hello"}))
    assert (len(train), len(test)) == (18, 2)
    assert sorted(np.concatenate([train.images, test.images])[:, 0, 0, 0]) == list(range(20))
    assert train.labels is None
    assert train.name == "mine"


def test_class_folders_are_labels(place):
    train, test = load(place({f"{kind}/{i}.png": grey(10 * k + i) for k, kind in enumerate("cab") for i in range(5)}))
    assert train.label_names == ("a", "b", "c")
    for part in (train, test):
        first = part.images[:, 0, 0, 0] // 10
        assert ["cab"[k] for k in first] == [part.label_names[label] for label in part.labels]


def test_train_and_test_folders_are_used(place):
    files = {f"all/train/{kind}/{i}.png": grey(i) for kind in "ab" for i in range(4)}
    files |= {f"all/test/{kind}/{i}.png": grey(100 + i) for kind in "ab" for i in range(2)}
    train, test = load(place(files))
    assert (len(train), len(test)) == (8, 4)
    assert train.images.max() < 100 <= test.images.min()
    assert train.label_names == test.label_names == ("a", "b")
    assert len(load(place(files), n_train=5)[0]) == 5


def test_loose_images_beside_classes_are_refused(place):
    with pytest.raises(DiaboloError, match="holds 1 image beside folders with 2 more"):
        load(place({"a.png": grey(0), "x/b.png": grey(0), "y/c.png": grey(0)}))


def test_unequal_sizes(place):
    path = place({"a.png": grey(0), "b.png": np.zeros((4, 5), np.uint8)})
    with pytest.raises(DiaboloError, match=r"a\.png.* is 4×4, .*b\.png.* is 5×4; pass size="):
        load(path)
    assert load(path, size=3, image_channels=3)[0].shape == (3, 3, 3)


def test_a_broken_image_is_named_or_skipped(place, caplog):
    path = place({"a.png": grey(0), "b.png": grey(1), "c.png": grey(2), "bad.jpg": b"\xff\xd8\xff\xe0 no more"})
    with pytest.raises(DiaboloError, match=r"bad\.jpg.* is "):
        load(path, size=4)
    train, test = load(path, size=4, skip_bad=True)
    assert (len(train), len(test)) == (2, 1)
    assert "bad.jpg" in caplog.text


def test_labels_follow_when_images_are_skipped(place):
    files = {f"{kind}/{i}.png": grey(10 * k + i) for k, kind in enumerate("ab") for i in range(5)}
    train, test = load(place(files | {"a/2.png": b"broken"}), skip_bad=True)
    for part in (train, test):
        assert (part.images[:, 0, 0, 0] // 10).tolist() == part.labels.tolist()
    assert len(train) + len(test) == 9


def test_no_images_and_one_image(place):
    with pytest.raises(DiaboloError, match=r"there are no images in .*mine"):
        load(place({"notes.txt": b"x", "__MACOSX/._a.png": b"x"}))
    with pytest.raises(DiaboloError, match="needs at least 2 images, but mine holds 1"):
        load(place({"a.png": grey(0)}))


def test_a_bomb(place, make):
    with pytest.raises(DiaboloError, match=r"bomb\.png.* is refused"):
        load(place({"a.png": grey(0), "bomb.png": make.png_header(30_000, 30_000)}), size=8)


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_nothing_leaves_an_archive(tmp_path, make):
    (tmp_path / "in").mkdir()
    data = make.encoded(grey(7))
    path = zipped(
        tmp_path / "in" / "a.zip", {"../../evil.png": data, "/abs/evil.png": data, "ok.png": data, "k.png": data}
    )
    before = set(tmp_path.rglob("*"))
    with pytest.raises(DiaboloError, match="beside folders"):
        load(path)
    new = set(tmp_path.rglob("*")) - before
    assert all(".diabolo" in item.parts for item in new)
    assert not (tmp_path.parent / "evil.png").exists()


def test_an_archive_that_is_none(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK not really")
    with pytest.raises(DiaboloError, match=r"a\.zip cannot be read as a \.zip file"):
        load(tmp_path / "a.zip")


def test_a_member_with_a_wrong_checksum(tmp_path, make):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", make.encoded(grey(1)))
    raw = bytearray(path.read_bytes())
    raw[60] ^= 255
    path.write_bytes(raw)
    with pytest.raises(DiaboloError, match=r"a\.png in .*a\.zip cannot be read: Bad CRC"):
        load(path, size=4)


def test_a_member_that_unpacks_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("diabolo.data.files.MAX_BYTES", 1000)
    path = zipped(tmp_path / "a.zip", {"a.png": b"\0" * 100_000})
    with pytest.raises(DiaboloError, match=r"a\.png in .* is refused: more than 1,000 bytes"):
        load(path, size=4)


def test_a_changed_archive_is_read_anew(tmp_path, make):
    path = tmp_path / "a.zip"
    for value in (1, 2):
        zipped(path, {f"{i}.png": make.encoded(grey(value)) for i in range(3)})
        assert load(path)[0].images.max() == value


def test_a_test_part_that_cannot_be_read_is_not_replaced(place):
    files = {f"train/{kind}/{i}.png": grey(10 * i) for kind in "ab" for i in range(5)}
    path = place(files | {f"test/a/{i}.png": b"damaged" for i in range(3)})
    with pytest.raises(DiaboloError, match="is not an image"):
        load(path)
    with pytest.raises(DiaboloError, match="part test without images that can be read"):
        load(path, skip_bad=True)


def test_the_validation_part_is_used_and_found_again(place):
    from diabolo.data.loading import load_parts
    from diabolo.data.origin import reload

    files = {f"{part}/{kind}/{i}.png": grey(50 * k + i) for k, part in enumerate(("Train", "valid", "TEST")) for kind in "ab"
             for i in range(4)}  # fmt: skip
    parts = load_parts(place(files), without_class="b")
    assert [len(part) for part in parts] == [4, 8, 4]
    assert [part.split for part in parts] == ["train", "test", "validation"]
    assert set(parts.validation.images.ravel()) == {50, 51, 52, 53}
    assert reload(parts.validation.origin).fingerprint == parts.validation.fingerprint


def test_a_validation_part_is_the_test_part_where_there_is_no_other(place):
    files = {f"{part}/{i}.png": grey(100 * (part == "val") + i) for part in ("train", "val") for i in range(4)}
    train, test = load(place(files))
    assert (train.images.max(), test.images.min()) == (3, 100)
    assert "the validation part is the test part" in train.account.line()


def test_masks_beside_the_parts_are_left_out(place):
    files = {f"train/good/{i}.png": grey(i) for i in range(4)} | {
        "test/good/0.png": grey(9),
        "test/hole/0.png": grey(90),
    }
    train, test = load(place(files | {"ground_truth/hole/0_mask.png": np.zeros((9, 9), np.uint8)}))
    assert train.label_names == ("good", "hole")
    assert sorted(test.names) == ["test/good/0.png", "test/hole/0.png"]
    assert train.account.left_out == {"masks of other images": 1}
