"""Archives in the WebDataset layout, and of folders."""

import io
import json
import tarfile

import numpy as np
import pytest

from diabolo.data import inspect, load
from diabolo.data.loading import load_whole
from diabolo.errors import DiaboloError


@pytest.fixture
def pack(tmp_path):
    def put(members, name="t.tar", mode="w"):
        with tarfile.open(tmp_path / name, mode) as archive:
            for path, content in members:
                info = tarfile.TarInfo(path)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return tmp_path / name

    return put


@pytest.fixture
def pictures(make):
    return [make.encoded(make.noise(i, 6, 5, channels=1)) for i in range(12)]


def labelled(pictures, ending, label):
    return [m for i, p in enumerate(pictures) for m in ((f"s/{i:04d}.png", p), (f"s/{i:04d}.{ending}", label(i)))]


@pytest.mark.parametrize(
    ("ending", "label", "names"),
    [
        ("cls", lambda i: str(i % 3).encode(), ("0", "1", "2")),
        ("txt", lambda i: [b"cat\n", b"dog\n", b"eel\n"][i % 3], ("cat", "dog", "eel")),
        ("json", lambda i: json.dumps({"w": 3, "label": i % 3}).encode(), ("0", "1", "2")),
    ],
)
def test_labels_beside_the_images(pack, pictures, make, ending, label, names):
    (images,) = load_whole(pack(labelled(pictures, ending, label)))
    found = [str(name) if images.label_names is None else images.label_names[name] for name in images.labels]
    assert found == [names[i % 3] for i in range(12)]
    assert images.names == tuple(f"s/{i:04d}.png" for i in range(12))
    np.testing.assert_array_equal(images.images[7, 0], make.noise(7, 6, 5, channels=1))
    train, test = load(pack(labelled(pictures, ending, label)), n_test=4, size=4)
    assert (len(train), len(test), train.shape) == (8, 4, (1, 4, 4))
    assert f"the labels are its .{ending} files" in train.account.line()
    account = inspect(pack(labelled(pictures, ending, label)))
    assert (account.parts, list(account.classes.values())) == ({"all": 12}, [4, 4, 4])


def test_folders_are_classes_where_no_labels_lie_beside(pack, pictures):
    path = pack([(f"{'ant' if i % 2 else 'bee'}/{i}.png", p) for i, p in enumerate(pictures)])
    assert load(path)[0].label_names == ("ant", "bee")
    parts = pack([(f"{'train' if i % 3 else 'test'}/{i}.png", p) for i, p in enumerate(pictures)])
    assert [len(part) for part in load(parts)] == [8, 4]


def test_captions_are_no_classes(pack, pictures):
    each = [((f"{i:04d}.png", pictures[0]), (f"{i:04d}.txt", f"picture {i}".encode())) for i in range(24)]
    many = [member for pair in each for member in pair]
    assert load(pack(many))[0].labels is None


def test_labels_of_some_images_alone_are_refused(pack, pictures):
    path = pack([("a.png", pictures[0]), ("a.cls", b"1"), ("b.png", pictures[1])])
    with pytest.raises(
        DiaboloError, match=r"b\.png in .* has no label in a \.cls beside it, as 1 of 2 images have: add the 1"
    ):
        load(path)


def test_links_and_strange_names_are_not_followed(pack, pictures, tmp_path):
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            info = tarfile.TarInfo("a.png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    with pytest.raises(DiaboloError, match=r"there are no images in .*; it holds 2 links"):
        load(tmp_path / "t.tar")
    images = load_whole(pack([("../../a/b.png", pictures[0]), ("/etc/c.png", pictures[1]), ("x.pkl", b"x")]))[0]
    assert images.names == ("a/b.png", "etc/c.png")


def test_damaged_images_and_archives(pack, pictures, tmp_path):
    path = pack([("a.png", pictures[0]), ("b.png", pictures[1][:50]), ("c.png", pictures[2])])
    with pytest.raises(DiaboloError, match=r"b\.png in .*t\.tar is damaged"):
        load(path)
    assert load_whole(path, skip_bad=True)[0].names == ("a.png", "c.png")
    assert inspect(path).left_out == {"unreadable": 1}
    whole = path.read_bytes()
    for content in (whole[:700], b"x" * 3000, b""):
        path.write_bytes(content)
        with pytest.raises(
            DiaboloError, match=r"t\.tar (cannot be read as a \.tar file|is cut short)|there are no images"
        ):
            load(path)
    with pytest.raises(DiaboloError, match="unpack it first if it is compressed"):
        load(pack([("a.png", pictures[0])], mode="w:gz"))
