"""What a walk finds: regular files alone, each folder once, names of any system; nothing hangs."""

import os
import socket
import stat
import subprocess
import zipfile

import numpy as np
import pytest

from diabolo.data import load, read_images
from diabolo.data.files import disk_files, extensions, portable, zip_files
from diabolo.errors import DiaboloError


@pytest.fixture
def folder(tmp_path, make):
    for i in range(4):
        make.save(tmp_path / "set" / "cat" / f"{i}.png", make.noise(i, 4, 4))
        make.save(tmp_path / "set" / "dog" / f"{i}.png", make.noise(10 + i, 4, 4))
    return tmp_path / "set"


def spoil(path, kind):
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)  # a socket's path may not be long
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
        os.chdir(here)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "dangling link":
        path.symlink_to("nowhere.png")
    elif kind == "link to itself":
        path.symlink_to(path.name)
    else:
        os.mkfifo(path.with_suffix(""))
        path.symlink_to(path.with_suffix("").name)


KINDS = ["FIFO", "socket", "device", "dangling link", "link to itself", "link to a FIFO"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_refused_or_skipped(folder, kind, caplog):
    spoil(folder / "cat" / "odd.png", kind)
    with pytest.raises(DiaboloError, match=r"odd\.png (is a|cannot be read).*--skip-bad"):
        load(folder)
    with pytest.raises(DiaboloError, match=r"odd\.png"):
        read_images([folder / "cat" / "odd.png"])
    train, test = load(folder, skip_bad=True)
    assert len(train) + len(test) == 8
    assert "odd.png" in caplog.text
    assert train.account.left_out["unreadable"] == 1


@pytest.mark.parametrize("ending", [".npy", ".npz", ".zip"])
def test_a_fifo_is_no_array_and_no_archive(tmp_path, ending):
    os.mkfifo(tmp_path / f"x{ending}")
    with pytest.raises(DiaboloError, match="is a FIFO, not a regular file"):
        load(tmp_path / f"x{ending}")


def test_a_folder_called_like_an_image_is_a_folder(folder, make):
    make.save(folder / "odd.png" / "1.png", make.noise(7, 4, 4))
    assert load(folder)[0].label_names == ("cat", "dog", "odd.png")


def test_linked_folders_are_read_once_and_loops_not_at_all(folder, tmp_path, make):
    make.save(tmp_path / "far" / "1.png", make.noise(7, 4, 4))
    (tmp_path / "far" / "back").symlink_to(tmp_path, target_is_directory=True)
    (folder / "cow").symlink_to(tmp_path / "far", target_is_directory=True)
    (folder / "a-cow").symlink_to(tmp_path / "far", target_is_directory=True)
    (folder / "also cat").symlink_to(folder / "cat", target_is_directory=True)
    (folder / "cat" / "up").symlink_to("..", target_is_directory=True)
    (folder / "gone").symlink_to("nowhere", target_is_directory=True)
    train, test = load(folder)
    assert train.label_names == ("a-cow", "cat", "dog")
    assert len(train) + len(test) == 9
    assert train.account.left_out["links to a folder that is read already"] == 4
    assert train.account.left_out["links to nothing"] == 1


def test_a_linked_file_is_the_file(folder, make, tmp_path):
    far = make.save(tmp_path / "far.png", make.noise(7, 4, 4))
    (folder / "cat" / "link.png").symlink_to(far)
    assert len(disk_files(folder).names) == 9


@pytest.fixture
def deep(tmp_path, make):
    """Two images 1,100 folders down; removed again by hand, since Python's own rmtree cannot."""
    steps = [os.open(tmp_path, os.O_RDONLY)]
    for _ in range(1100):
        os.mkdir("d", dir_fd=steps[-1])
        steps.append(os.open("d", os.O_RDONLY, dir_fd=steps[-1]))
        if len(steps) > 2:
            os.close(steps.pop(0))
    bottom = steps[-1]
    for i in range(2):
        with os.fdopen(os.open(f"{i}.png", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=bottom), "wb") as file:
            file.write(make.encoded(make.noise(i, 4, 4)))
    for step in steps:
        os.close(step)
    yield tmp_path / "d"
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_a_thousand_folders_deep(deep):
    assert len(read_images(deep)[1]) == 2
    assert load(deep)[0].labels is None


def test_a_folder_that_cannot_be_listed(folder, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DiaboloError, match=r"dog cannot be read: Permission denied.*--skip-bad"):
        load(folder)
    assert load(folder, skip_bad=True)[0].account.files == (5, 4)


def test_every_ending_that_pillow_reads(tmp_path, make):
    assert {".png", ".jpg", ".jfif", ".jp2", ".tga", ".avif", ".qoi", ".pcx", ".webp"} <= extensions()
    assert not {".pdf", ".eps", ".mpg", ".h5", ".txt"} & extensions()
    for ending in ("PNG", "Jfif", "tga", "QOI", "pcx", "dib"):
        kind = {"Jfif": "JPEG", "tga": "TGA", "QOI": "QOI", "pcx": "PCX", "dib": "DIB"}.get(ending, "PNG")
        (tmp_path / f"a.{ending}").write_bytes(make.encoded(make.noise(0, 8, 8), kind))
    assert len(read_images(tmp_path)[1]) == 6


@pytest.mark.parametrize(
    ("name", "portably"),
    [
        ("pets\\cat\\1.png", "pets/cat/1.png"),
        ("C:\\pets\\cat\\1.png", "pets/cat/1.png"),
        ("/abs/cat/1.png", "abs/cat/1.png"),
        ("../../cat/1.png", "cat/1.png"),
        ("./cat//1.png", "cat/1.png"),
        ("\\\\server\\share\\1.png", "server/share/1.png"),
    ],
)
def test_names_of_any_system(name, portably):
    assert portable(name) == portably


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name), data)
    return path


def test_an_archive_packed_on_windows(tmp_path, make):
    members = {f"pets\\{kind}\\{i}.png": make.encoded(make.noise(i, 4, 4)) for kind in ("ant", "bee") for i in range(3)}
    train, _ = load(zipped(tmp_path / "pets.zip", {"pets\\": b"", "pets\\ant\\": b""} | members))
    assert train.label_names == ("ant", "bee")
    assert set(train.names) <= {name.replace("\\", "/") for name in members}


def test_parts_in_an_archive_and_an_empty_one(tmp_path, make):
    image = make.encoded(make.noise(0, 4, 4))
    members = {f"{part}/{i}.png": image for part in ("Train", "Val", "Test") for i in range(2)}
    assert [len(part) for part in load(zipped(tmp_path / "a.zip", members))] == [2, 2]
    with pytest.raises(DiaboloError, match="part test without images"):
        load(zipped(tmp_path / "b.zip", {"train/1.png": image, "train/2.png": image, "test/": b""}))
    with pytest.raises(DiaboloError, match="part test without images"):
        load(zipped(tmp_path / "c.zip", {"train/1.png": image, "train/2.png": image, "test/labels.csv": b"x"}))


def test_what_an_archive_holds_besides(tmp_path, make):
    image = make.encoded(make.noise(0, 4, 4))
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    members = {"a.png": image, "b.png": image, "__MACOSX/._a.png": b"", "more.zip": b"PK", link: b"a.png"}
    path = zipped(tmp_path / "a.zip", members)
    assert zip_files(path).listing.left_out.counts == {"hidden": 1, "not images (.zip)": 1, "links": 1}
    raw = bytearray(path.read_bytes())
    place = raw.index(b"PK\x01\x02")
    raw[place + 8] |= 1  # encrypted, says the directory
    path.write_bytes(raw)
    with pytest.raises(DiaboloError, match=r"a\.png in .* is encrypted"):
        load(path)
    assert zip_files(path, skip_bad=True).names == ["b.png"]


def test_a_class_that_acts_is_shown_in_the_account(tmp_path, make):
    for name in ("one\ntwo", "\x1b[31mred"):
        for i in range(2):
            make.save(tmp_path / name / f"{i}.png", make.noise(i, 4, 4))
    assert r"classes \x1b[31mred 2, one\ntwo 2" in load(tmp_path)[0].account.line()


def test_the_account_in_one_line(folder, caplog):
    (folder / "notes.txt").write_text("x")
    (folder / "cat" / "list.csv").write_text("x")
    (folder / "dog" / "bad.png").write_bytes(b"x")
    train, _ = load(folder, skip_bad=True)
    line = train.account.line()
    assert "8 of 11 files taken; left out: 2 not images (.csv, .txt), 1 unreadable; classes cat 4, dog 4" in line
    assert "train 7, test 1 (split by seed 42); 3 channels, 8 bit, values" in line
    assert line in caplog.text
    assert np.array_equal(train.take([0, 2]).names, [train.names[0], train.names[2]])
