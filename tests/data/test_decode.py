import logging
import os

import numpy as np
import pytest
from PIL import Image
from PIL.ImageFile import ImageFile

from diabolo import data
from diabolo.data import decode as decoding
from diabolo.data import read_images, threads
from diabolo.data.threads import cores
from diabolo.errors import DiaboloError


@pytest.fixture
def folder(tmp_path, make):
    """Three colour images of 8×6, one of them in a sub-folder, and what is none."""
    for i, name in enumerate(("b.png", "a.PNG", "sub/c.png")):
        make.save(tmp_path / name, make.noise(i, 8, 6))
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "._a.png").write_bytes(b"what the Finder leaves")
    return tmp_path


def test_a_folder(folder, make):
    pixels, names = read_images(folder)
    assert names == ["a.PNG", "b.png", "sub/c.png"]
    assert pixels.shape == (3, 3, 6, 8)
    assert np.array_equal(pixels[1], make.noise(0, 8, 6).transpose(2, 0, 1))


def test_files_keep_their_order(folder):
    paths = [folder / "b.png", str(folder / "a.PNG")]
    pixels, names = read_images(paths)
    assert names == [str(path) for path in paths]
    assert np.array_equal(pixels, read_images(folder)[0][[1, 0]])
    assert np.array_equal(read_images(folder / "b.png")[0], pixels[:1])


def test_many_files_come_in_order_from_many_threads(tmp_path, make, monkeypatch):
    monkeypatch.setattr(decoding, "TASK", 3)
    monkeypatch.setattr(threads, "cores", lambda: 4)
    for i in range(50):
        make.save(tmp_path / f"{i:02}.png", np.full((4, 4), i, np.uint8))
    pixels, _ = read_images(tmp_path)
    assert pixels[:, 0, 0, 0].tolist() == list(range(50))


def test_channels_follow_the_files_unless_given(tmp_path, make):
    make.save(tmp_path / "a.png", make.noise(0, 4, 4, channels=1))
    assert read_images(tmp_path)[0].shape == (1, 1, 4, 4)
    assert read_images(tmp_path, image_channels=3)[0].shape == (1, 3, 4, 4)
    make.save(tmp_path / "b.png", make.noise(1, 4, 4))
    assert read_images(tmp_path, size=2)[0].shape == (2, 3, 2, 2)
    assert read_images(tmp_path, image_channels=1)[0].shape == (2, 1, 4, 4)


def test_unequal_sizes_name_the_file_and_both_sizes(folder, make):
    make.save(folder / "d.png", make.noise(9, 5, 6))
    with pytest.raises(DiaboloError, match=r"a\.PNG is 8×6, .*d\.png is 5×6; pass size="):
        read_images(folder)
    assert read_images(folder, size=4)[0].shape == (4, 3, 4, 4)
    assert read_images(folder, crop=5)[0].shape == (4, 3, 5, 5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP"])
def test_unequal_sizes_are_refused_by_the_headers_before_anything_is_decoded(tmp_path, make, monkeypatch, caplog, kind):
    for i in range(5):
        (tmp_path / f"{i}.{kind.lower()}").write_bytes(make.encoded(make.noise(i, 8 if i else 7, 6), kind))
    loaded, load = [], ImageFile.load
    monkeypatch.setattr(ImageFile, "load", lambda image: (loaded.append(image), load(image))[1])
    caplog.set_level(logging.INFO, "diabolo.data")
    for refused in (lambda: read_images(tmp_path), lambda: data.load(tmp_path)):
        with pytest.raises(DiaboloError, match=r"differ in size: .*0\.\w+ is 7×6, .*1\.\w+ is 8×6; pass size="):
            refused()
    assert loaded == []
    assert "decoding" not in caplog.text


@pytest.mark.parametrize("late", [False, True])
def test_a_png_is_turned_as_it_says_wherever_it_says_so(tmp_path, make, late):
    exif = Image.Exif()
    exif[0x0112] = 6
    make.save(tmp_path / "a.png", make.noise(0, 8, 6), exif=exif)
    make.save(tmp_path / "b.png", make.noise(1, 6, 8))
    if late:
        whole = (tmp_path / "a.png").read_bytes()
        start = whole.index(b"eXIf") - 4
        end = start + 12 + int.from_bytes(whole[start : start + 4], "big")
        iend = whole.index(b"IEND") - 4
        (tmp_path / "a.png").write_bytes(whole[:start] + whole[end:iend] + whole[start:end] + whole[iend:])
    assert read_images(tmp_path)[0].shape == (2, 3, 8, 6)


@pytest.mark.parametrize("size", [None, 4])
def test_a_truncated_file_is_named_and_refused_or_skipped(folder, make, caplog, size):
    data = make.encoded(make.noise(5, 8, 6), "JPEG")
    (folder / "broken.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(DiaboloError, match=r"broken\.jpg is damaged: .*skip_bad=True \(--skip-bad\)"):
        read_images(folder, size=size)
    with caplog.at_level(logging.WARNING, "diabolo.data"):
        pixels, names = read_images(folder, size=size, skip_bad=True)
    assert names == ["a.PNG", "b.png", "sub/c.png"]
    assert len(pixels) == 3
    assert "1 of 4 images are damaged and left out" in caplog.text
    assert "broken.jpg" in caplog.text


def test_a_bomb_is_refused_or_skipped(folder, make):
    (folder / "bomb.png").write_bytes(make.png_header(30_000, 30_000))
    with pytest.raises(DiaboloError, match=r"bomb\.png is refused"):
        read_images(folder)
    assert len(read_images(folder, skip_bad=True)[0]) == 3


def test_nothing_left(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    for size in (None, 4):
        with pytest.raises(DiaboloError, match=r"none of 1 image can be read; the first is .*a\.png"):
            read_images(tmp_path, size=size, skip_bad=True)


def test_no_images(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DiaboloError, match=r"there are no images in .* \(looked for .*\.png"):
        read_images(tmp_path)
    with pytest.raises(DiaboloError, match="no image files are given"):
        read_images([])
    with pytest.raises(DiaboloError, match=r"gone\.png cannot be read: No such file"):
        read_images(tmp_path / "gone.png")


def test_a_link_around_the_tree_is_not_followed(folder):
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    assert len(read_images(folder)[1]) == 3


def test_a_file_that_is_too_long(folder, monkeypatch):
    monkeypatch.setattr("diabolo.data.files.MAX_BYTES", 10)
    with pytest.raises(DiaboloError, match=r"a\.PNG is refused: more than 10 bytes"):
        read_images(folder)


def test_a_file_that_vanishes(folder, monkeypatch):
    from diabolo.data.files import disk_files
    from diabolo.data.pixels import Shaping

    files = disk_files(folder)
    (folder / "b.png").unlink()
    with pytest.raises(DiaboloError, match=r"b\.png cannot be read: No such file"):
        list(decoding.decode(files, Shaping(4, channels=3), skip_bad=False))


def test_cores_are_those_really_available():
    assert cores() == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores() >= 1
