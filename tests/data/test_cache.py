"""Decoded once, found again, decoded anew when anything changed, by one process or two."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diabolo.data import cache, load
from diabolo.errors import DiaboloError


@pytest.fixture
def folder(tmp_path, make):
    for i in range(6):
        make.save(tmp_path / "photos" / f"{i}.png", make.noise(i, 12, 10))
    return tmp_path / "photos"


@pytest.fixture
def decodings(monkeypatch):
    """How often the files were decoded."""
    times = []
    real = cache.decode
    monkeypatch.setattr(cache, "decode", lambda *a: times.append(1) or real(*a))
    return times


def everything(folder, **options):
    train, test = load(folder, n_test=1, **options)
    return np.concatenate([train.images, test.images])


def kept(folder):
    return sorted((folder.parent / ".diabolo").glob("*.npy"))


def test_decoded_once_and_the_same_again(folder, decodings):
    first = everything(folder, size=8)
    assert np.array_equal(everything(folder, size=8), first)
    assert np.array_equal(everything(str(folder) + "/", size=8), first)
    assert len(decodings) == 1
    assert [path.name[:9] for path in kept(folder)] == ["photos-8-"]


def test_a_moved_folder_keeps_what_was_decoded(folder, decodings):
    first = everything(folder, size=8)
    folder.parent.rename(moved := folder.parent.with_name("moved"))
    assert np.array_equal(everything(moved / "photos", size=8), first)
    assert len(decodings) == 1


@pytest.mark.parametrize("change", ["content", "time", "new", "gone", "renamed"])
def test_a_changed_folder_is_decoded_anew(folder, decodings, make, change):
    everything(folder, size=8)
    if change == "content":
        make.save(folder / "3.png", make.noise(77, 12, 10))
    elif change == "time":
        os.utime(folder / "3.png", ns=(1, 1))
    elif change == "new":
        make.save(folder / "9.png", make.noise(9, 12, 10))
    elif change == "gone":
        (folder / "3.png").unlink()
    else:
        (folder / "3.png").rename(folder / "7.png")
    again = everything(folder, size=8)
    assert len(decodings) == 2
    assert len(again) == {"new": 7, "gone": 5}.get(change, 6)


def test_other_options_are_another_file(folder, decodings):
    for options in (
        {"size": 8},
        {"size": 6},
        {"size": 8, "crop": 9},
        {"size": 8, "image_channels": 1},
        {},
        {"skip_bad": True},
    ):
        everything(folder, **options)
    assert len(decodings) == len(kept(folder)) == 6


@pytest.mark.parametrize(
    "damage", ["npy cut short", "npy longer", "npy empty", "npy of another kind", "json", "no json"]
)
def test_a_damaged_copy_is_decoded_again(folder, decodings, damage, caplog):
    first = everything(folder, size=8)
    (npy,) = kept(folder)
    if damage == "npy cut short":
        npy.write_bytes(npy.read_bytes()[:-10])
    elif damage == "npy longer":
        npy.write_bytes(npy.read_bytes() + b"more")
    elif damage == "npy empty":
        npy.write_bytes(b"")
    elif damage == "npy of another kind":
        np.save(npy, first.astype(np.float32))
    elif damage == "json":
        npy.with_suffix(".json").write_text("{")
    else:
        npy.with_suffix(".json").unlink()
    assert np.array_equal(everything(folder, size=8), first)
    assert len(decodings) == 2
    assert ("cannot be used" in caplog.text) == (damage != "no json")


def test_what_was_skipped_is_remembered_and_told_again(folder, decodings, caplog):
    (folder / "2.png").write_bytes(b"broken")
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "diabolo.data"):
            assert len(everything(folder, size=8, skip_bad=True)) == 5
        assert "1 of 6 images are damaged and left out" in caplog.text
        assert "2.png" in caplog.text
    assert len(decodings) == 1


@pytest.mark.parametrize("store", ["decoded", "encoded"])
@pytest.mark.parametrize("channels", [None, 3])  # met in the headers, or only when it is decoded
def test_a_refused_file_leaves_nothing_behind(folder, store, channels):
    (folder / "5.png").write_bytes(b"broken")
    with pytest.raises(DiaboloError, match=r"5\.png is not an image"):
        everything(folder, size=8, cache=store, image_channels=channels)
    assert not [*folder.parent.glob(".diabolo/*")]


def test_beside_a_read_only_folder_it_goes_to_the_home(folder, own_home, decodings):
    (folder.parent / ".diabolo").write_text("a file where the folder would be: not writable, even for root")
    first = everything(folder, size=8)
    assert np.array_equal(everything(folder, size=8), first)
    assert len(decodings) == 1
    assert len(list((own_home / ".cache/diabolo/decoded").glob("photos-8-*.npy"))) == 1


def test_nowhere_to_write(folder, own_home):
    (folder.parent / ".diabolo").write_text("")
    (own_home / ".cache").write_text("")
    with pytest.raises(DiaboloError, match="decoded images cannot be kept: neither"):
        everything(folder, size=8)


FULL_DISK = """
import resource, sys
from diabolo.data import load
from diabolo.errors import DiaboloError
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))  # as a full disk does, it fails in the middle of a write
try:
    load(sys.argv[1], size=8)
except DiaboloError as error:
    print(error)
"""


def test_a_full_disk_is_said_and_leaves_nothing(folder):
    done = subprocess.run([sys.executable, "-c", FULL_DISK, folder], capture_output=True, text=True)
    assert "decoded images cannot be kept: neither" in done.stdout, done.stderr
    assert not list((folder.parent / ".diabolo").iterdir())


TWICE = """
import sys
from diabolo.data import load
sys.stdin.readline()  # until both are ready
train, test = load(sys.argv[1], size=16, n_test=2)
print(train.fingerprint, test.fingerprint)
"""


def test_two_processes_at_once_both_succeed(tmp_path, make):
    folder = tmp_path / "photos"
    for i in range(300):
        make.save(folder / f"{i}.png", make.noise(i, 24, 20))
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TWICE, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in both:
        process.stdin.write(b"\n")
        process.stdin.flush()
    ends = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert ends[0][0] == ends[1][0] != b""
    left = {path.suffix for path in Path(folder.parent / ".diabolo").iterdir()}
    assert left == {".npy", ".json"}  # no temporary file
    assert len(kept(folder)) == 1


def test_the_copy_is_a_plain_npy_file(folder):
    everything(folder)
    whole = np.load(kept(folder)[0], allow_pickle=False)
    assert whole.shape == (6, 3, 10, 12)
    assert whole.flags.c_contiguous


def test_images_stay_on_disk(folder, make):
    for part in ("train", "test"):
        make.save(folder / part / "x.png", make.noise(1, 12, 10))
        make.save(folder / part / "y.png", make.noise(2, 12, 10))
    for path in folder.glob("*.png"):
        path.unlink()
    train, test = load(folder)
    assert isinstance(train.images, np.memmap)
    assert isinstance(test.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        train.images[0] = 0


@pytest.mark.parametrize("key", [None, "shape", "bytes", "owners", "bad", "shaping", "facts"])
@pytest.mark.parametrize("value", ["[]", "3", "null", '"x"', "{}", "[[1]]", '{"a": 1}', "[99999999999999999999]"])
def test_notes_of_the_wrong_kind_are_made_anew(folder, key, value):
    first = everything(folder, size=8)
    (npy,) = kept(folder)
    notes = npy.with_suffix(".json")
    about = json.loads(notes.read_text(encoding="utf-8"))
    notes.write_text(value if key is None else json.dumps(about | {key: json.loads(value)}))
    assert np.array_equal(everything(folder, size=8), first)
    assert np.array_equal(everything(folder, size=8), first)


def test_notes_nested_without_end_are_made_anew(folder):
    first = everything(folder, size=8)
    kept(folder)[0].with_suffix(".json").write_text("[" * 100_000)
    assert np.array_equal(everything(folder, size=8), first)


def test_a_change_leaves_no_former_copy(folder, make):
    everything(folder, size=8)
    everything(folder, size=6)
    other = folder.parent / ".diabolo" / "photos of others-8-0123456789abcdef.npy"
    other.write_bytes(b"x")
    for i in range(3):
        make.save(folder / "3.png", make.noise(80 + i, 12, 10))
        os.utime(folder / "3.png", ns=(i, i))
        everything(folder, size=8)
    assert sorted(path.name[:9] for path in kept(folder) if path != other) == ["photos-6-", "photos-8-"]
    assert other.exists()
    assert len(list((folder.parent / ".diabolo").glob("*.json"))) == 2


def test_a_copy_in_use_stays_readable(folder, make):
    train, _ = load(folder, size=8, n_test=1)
    before = np.array(train.images)
    make.save(folder / "3.png", make.noise(80, 12, 10))
    load(folder, size=8, n_test=1)
    assert np.array_equal(train.images, before)


KILLED = """
import os, signal, sys
from diabolo.data import cache, load
real = cache._header
def header(out, *about):
    real(out, *about)
    if sys.argv[2] == "waits":
        print("writing", flush=True)
        sys.stdin.readline()
    else:
        os.kill(os.getpid(), signal.SIGKILL)
cache._header = header
load(sys.argv[1], size=8)
"""


def test_what_a_killed_decoding_left_is_swept_and_a_live_one_is_not(folder):
    subprocess.run([sys.executable, "-c", KILLED, folder, "dies"], capture_output=True)
    home = folder.parent / ".diabolo"
    assert len([path for path in home.iterdir() if path.name.endswith(".tmp")]) == 1
    live = subprocess.Popen(
        [sys.executable, "-c", KILLED, folder, "waits"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert live.stdout.readline() == "writing\n"
    assert len([path for path in home.iterdir() if path.name.endswith(".tmp")]) == 1  # its own
    everything(folder, size=6)
    assert len([path for path in home.iterdir() if path.name.endswith(".tmp")]) == 1
    live.communicate("\n\n\n", timeout=60)
    assert live.returncode == 0
    assert {path.suffix for path in home.iterdir()} == {".npy", ".json"}


def test_with_the_data_disk_full_the_home_is_tried(folder, own_home, monkeypatch):
    real = cache._decode_to

    def full(out, *rest):
        if os.path.dirname(os.readlink(f"/proc/self/fd/{out.fileno()}")) == str(folder.parent / ".diabolo"):
            out.write(b"some")
            raise OSError(28, "No space left on device")
        return real(out, *rest)

    monkeypatch.setattr(cache, "_decode_to", full)
    assert len(everything(folder, size=8)) == 6
    assert not list((folder.parent / ".diabolo").iterdir())
    assert len(list((own_home / ".cache/diabolo/decoded").glob("photos-8-*.npy"))) == 1


def test_pages_are_remembered(tmp_path, decodings):
    stack = [Image.fromarray(np.full((4, 4), 30 * k, np.uint8)) for k in range(3)]
    (tmp_path / "photos").mkdir()
    for i in range(2):
        stack[0].save(tmp_path / "photos" / f"{i}.tif", save_all=True, append_images=stack[1:])
    for _ in range(2):
        train, test = load(tmp_path / "photos", n_test=1)
        assert sorted(train.names + test.names) == [f"{i}.tif#{k}" for i in range(2) for k in (1, 2, 3)]
    assert len(decodings) == 1


@pytest.mark.parametrize(("kind", "low", "high"), [(np.uint8, 0, 255), (np.uint16, 0, 65535), (np.float32, -9, 90)])
def test_every_type_is_kept_as_it_is(tmp_path, decodings, kind, low, high):
    x = np.random.default_rng(0).integers(low, high, (5, 4, 6))
    (tmp_path / "photos").mkdir()
    for i in range(5):
        Image.fromarray(x[i].astype(kind)).save(tmp_path / "photos" / f"{i}.tif")
    for _ in range(2):
        train, test = load(tmp_path / "photos", n_test=1)
        order = [int(name[0]) for name in train.names + test.names]
        values = np.concatenate([train.images, test.images])
        assert values.dtype == kind
        assert np.array_equal(values[:, 0], x[order])
    assert len(decodings) == 1
    (path,) = kept(tmp_path / "photos")
    assert np.load(path).dtype == kind
