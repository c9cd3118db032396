"""Images kept as the bytes of their files: the same numbers as decoded ones, and what is said of the choice."""

import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

import diabolo
from diabolo.data import cache, choosing, gather, inspect, load, stores, threads
from diabolo.data.encoded import Encoded
from diabolo.data.images import chunks
from diabolo.data.inspection import _of_images
from diabolo.data.selection import without_leaks
from diabolo.errors import DiaboloError, NotWrittenError, UnknownNameError


@pytest.fixture(autouse=True)
def nothing_is_small(monkeypatch):
    """Of encoded images any choice stays encoded."""
    monkeypatch.setattr(gather, "IN_MEMORY", 0)


@pytest.fixture
def folder(tmp_path, make):
    """JPEG and PNG files of three sizes, grey ones and one on its side among them, in two classes."""
    for i in range(20):
        image = make.noise(i, 12 + i % 3, 10, channels=1 if i % 4 == 0 else 3)
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i:02}.{'jpg' if i % 5 else 'png'}"
        exif = Image.Exif()
        exif[0x0112] = 6 if i == 7 else 1
        make.save(path, image, **({"exif": exif} if path.suffix == ".jpg" else {}))
    return tmp_path / "photos"


def both(path, **options):
    """The same data set decoded and encoded: (train, test) of each."""
    found = [load(path, cache=store, **options) for store in ("decoded", "encoded")]
    assert all(isinstance(images.images, Encoded) for images in found[1])
    assert not any(isinstance(images.images, Encoded) for images in found[0])
    return found


@pytest.mark.parametrize(
    "options", [{"size": 8}, {"size": 9, "crop": 10}, {"size": 2, "image_channels": 1}, {"crop": 6}]
)
def test_the_same_numbers_to_the_bit(folder, options):
    decoded, encoded = both(folder, n_test=5, **options)
    for one, other in zip(decoded, encoded, strict=True):
        x, y = np.asarray(one.images), other.images
        assert (y.shape, y.dtype, y.ndim, y.size, y.nbytes) == (x.shape, x.dtype, x.ndim, x.size, x.nbytes)
        for key in (
            slice(None),
            slice(3, 1, -1),
            [2, 0, 2],
            np.arange(4) < 2,
            -1,
            np.int64(3),
            (0, 0),
            (slice(1, 3), 0),
            [],
        ):
            key = np.resize(key, len(x)) if isinstance(key, np.ndarray) else key
            np.testing.assert_array_equal(y[key], x[slice(0) if isinstance(key, list) and not key else key])
        np.testing.assert_array_equal(np.asarray(y), x)
        np.testing.assert_array_equal(np.asarray(y, np.float32), x.astype(np.float32))
        np.testing.assert_array_equal(np.stack([*y]), x)
        assert other.fingerprint == one.fingerprint
        assert (other.names, other.label_names) == (one.names, one.label_names)
        np.testing.assert_array_equal(other.labels, one.labels)


def test_every_thread_writes_where_it_should(folder, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 4)
    monkeypatch.setattr("diabolo.data.encoded.cores", lambda: 4)
    (decoded, _), (encoded, _) = both(folder, size=8, n_test=1)
    rows = np.random.default_rng(0).integers(0, 19, 200)
    np.testing.assert_array_equal(encoded.images[rows], decoded.images[rows])


def test_each_file_is_decoded_once_for_a_batch(folder, monkeypatch):
    _, (encoded, _) = both(folder, size=8, n_test=1)
    read, real = [], encoded.images._read
    monkeypatch.setattr(encoded.images, "_read", lambda file: read.append(file) or real(file))
    encoded.images[[3, 3, 5, 3]]
    assert sorted(read) == sorted(encoded.images.owners[[3, 5]])


def test_pages_are_images(tmp_path):
    pages = np.random.default_rng(0).integers(0, 4096, (6, 5, 4)).astype(np.uint16)
    (tmp_path / "s").mkdir()
    for i in range(2):
        first, *rest = map(Image.fromarray, pages[3 * i : 3 * i + 3])
        first.save(tmp_path / "s" / f"{i}.tif", save_all=True, append_images=rest)
    (decoded, _), (encoded, _) = both(tmp_path / "s", n_test=1)
    assert encoded.images.dtype == np.uint16
    order = [3 * int(name[0]) + int(name[-1]) - 1 for name in encoded.names]
    np.testing.assert_array_equal(encoded.images[:, 0], pages[order])
    assert encoded.names == decoded.names
    store = stores.open_store(encoded, torch.device("cpu"), "device")
    np.testing.assert_array_equal(next(store.batches([torch.arange(5)]))[:, 0], pages[order])


def test_floats_keep_their_type_and_are_finite(tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 4, 6)).astype(np.float32)
    (tmp_path / "s").mkdir()
    for i in range(5):
        Image.fromarray(x[i]).save(tmp_path / "s" / f"{i}.tif")
    (decoded, _), (encoded, _) = both(tmp_path / "s", n_test=1, range="own")
    assert encoded.images.dtype == np.float32
    np.testing.assert_array_equal(encoded.images[:], decoded.images)
    x[3, 1, 1] = np.nan
    Image.fromarray(x[3]).save(tmp_path / "s" / "3.tif")
    with pytest.raises(DiaboloError, match=r"NaN|nan"):
        load(tmp_path / "s", n_test=1, range="own", cache="encoded")


def test_a_range_that_is_found_out_late_is_decoded_with(tmp_path):
    (tmp_path / "s").mkdir()
    x = np.random.default_rng(0).integers(0, 1000, (4, 4, 6)).astype(np.uint16)
    for i in range(4):
        Image.fromarray(x[i]).save(tmp_path / "s" / f"{i}.tif")
    Image.fromarray((x[0] // 4).astype(np.uint8)).save(tmp_path / "s" / "8.png")
    (decoded, _), (encoded, _) = both(tmp_path / "s", n_test=1)
    np.testing.assert_array_equal(encoded.images[:], decoded.images)


def test_damaged_files_are_left_out_alike(folder, caplog):
    (folder / "a" / "04.jpg").write_bytes(b"\xff\xd8\xff broken")
    (decoded, _), (encoded, _) = both(folder, size=8, n_test=1, skip_bad=True)
    assert "1 of 20 images are damaged and left out" in caplog.text
    assert len(encoded) == 18
    np.testing.assert_array_equal(encoded.images[:], decoded.images)
    caplog.clear()
    again, _ = load(folder, size=8, n_test=1, skip_bad=True, cache="encoded")
    assert "1 of 20 images are damaged and left out" in caplog.text
    assert again.fingerprint == encoded.fingerprint


def test_a_bomb_is_refused(folder, make):
    (folder / "a" / "bomb.png").write_bytes(make.png_header(60000, 60000))
    with pytest.raises(DiaboloError, match=r"bomb\.png is refused"):
        load(folder, size=8, cache="encoded")


def test_archives(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive, tarfile.open(tmp_path / "t.tar", "w") as tar:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder))
            tar.add(path, f"s/{path.stem}{path.suffix}")
            label = path.parent.name.encode()
            info = tarfile.TarInfo(f"s/{path.stem}.cls")
            info.size = len(label)
            tar.addfile(info, io.BytesIO(label))
    for name in ("z.zip", "t.tar"):
        (decoded, _), (encoded, _) = both(tmp_path / name, size=8, n_test=4)
        assert encoded.fingerprint == decoded.fingerprint
        assert encoded.label_names == ("a", "b")


def test_parquet(tmp_path, make):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    pictures = [{"bytes": make.encoded(make.noise(i, 6, 5), "JPEG"), "path": None} for i in range(12)]
    table = pyarrow.table({"image": pictures, "label": [i % 3 for i in range(12)]})
    parquet.write_table(table, tmp_path / "p.parquet", row_group_size=5)
    (decoded, _), (encoded, _) = both(tmp_path / "p.parquet", size=4, n_test=4)
    assert encoded.fingerprint == decoded.fingerprint


# --- which ----------------------------------------------------------------------------------------------------------


def test_what_fits_is_decoded_and_that_is_said(folder):
    train, _ = load(folder, size=8, n_test=1)
    assert not isinstance(train.images, Encoded)
    assert "kept decoded, 0.0 MB, which fit into the " in train.account.line()
    assert dict(train.account.rows())["store"].startswith("kept decoded, 0.0 MB, which fit")
    again, _ = load(folder, size=8, n_test=1)
    assert again.account.line().endswith("kept decoded, 0.0 MB")


@pytest.mark.parametrize("lacks", ["memory", "disk"])
def test_what_does_not_fit_is_encoded_and_that_is_said(folder, monkeypatch, lacks, make):
    for path in folder.rglob("*.*"):  # files that are smaller than their images
        make.save(path, np.full((64, 64), 100, np.uint8))
    monkeypatch.setattr(choosing, "host_memory", lambda: 80_000 if lacks == "memory" else 10**9)
    monkeypatch.setattr(choosing, "_free", lambda home: 80_000 if lacks == "disk" else 10**9)
    train, _ = load(folder, n_test=1)
    assert isinstance(train.images, Encoded)
    told = f"since about 0.1 MB of decoded images do not fit into the 0.1 MB of free {lacks}"
    assert told in train.account.line()
    assert not [*folder.parent.glob(".diabolo/*.npy")]
    monkeypatch.undo()
    monkeypatch.setattr(gather, "IN_MEMORY", 0)
    assert isinstance(load(folder, n_test=1)[0].images, Encoded)  # as it is kept already
    assert not isinstance(load(folder, n_test=1, cache="decoded")[0].images, Encoded)
    assert not isinstance(load(folder, n_test=1)[0].images, Encoded)  # the faster of both that are there


def test_files_that_are_no_smaller_are_decoded(folder, monkeypatch):
    monkeypatch.setattr(choosing, "host_memory", lambda: 10)
    train, _ = load(folder, size=2, n_test=1)
    assert not isinstance(train.images, Encoded)
    assert "since their files are no smaller, though there are 0.0 MB of free memory" in train.account.line()


def test_sizes_are_estimated_by_a_few_files(tmp_path, make):
    for i in range(50):
        make.save(tmp_path / f"{i:02}.png", np.full((20, 30), i, np.uint8))
    (tmp_path / "00.png").write_bytes(b"none")
    files = diabolo.data.files.disk_files(tmp_path)
    encoded, decoded = choosing.sizes(files, diabolo.data.pixels.Shaping(channels=3))
    assert decoded == 50 * 20 * 30 * 3
    mean = np.mean([path.stat().st_size for path in tmp_path.glob("*.png") if path.stat().st_size > 4])
    assert encoded == pytest.approx(50 * mean, rel=0.05)


def test_bytes_in_words():
    assert [choosing.words(size) for size in (0, 123_456, 999_999_999, 2_500_000_000)] == [
        "0.0 MB", "0.1 MB", "1,000.0 MB", "2.5 GB",
    ]  # fmt: skip


def test_the_disk_is_asked_where_the_folder_is_or_will_be(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("shutil.disk_usage", lambda path: asked.append(path) or type("Usage", (), {"free": 5}))
    assert choosing._free(tmp_path / "no" / "such") == 5
    assert asked == [tmp_path]


def test_another_store_is_refused(folder):
    with pytest.raises(DiaboloError, match=r"cache .*auto.*decoded.*encoded"):
        load(folder, cache="packed")
    with pytest.raises(UnknownNameError, match="unknown option 'cache'"):
        load("digits", cache="encoded")


# --- whole or not there ---------------------------------------------------------------------------------------------


def files_of(folder):
    (path,) = folder.parent.glob(".diabolo/*.files")
    return path, path.with_name(path.name + ".json")


@pytest.fixture
def readings(monkeypatch):
    times, real = [], cache.decode
    monkeypatch.setattr(cache, "decode", lambda *a: times.append(1) or real(*a))
    return times


def test_read_once_and_found_again(folder, readings):
    first = load(folder, size=8, cache="encoded")[0]
    assert load(folder, size=8, cache="encoded")[0].fingerprint == first.fingerprint
    assert len(readings) == 1
    path, about = files_of(folder)
    expected = b"".join(path.read_bytes() for path in sorted(folder.rglob("*.*")))
    content = path.read_bytes()
    assert content.startswith(expected)
    assert len(content) == len(expected) + 8 * 21 == json.loads(about.read_text())["bytes"]
    os.utime(folder / "a" / "02.jpg", ns=(1, 1))
    load(folder, size=8, cache="encoded")
    assert len(readings) == 2
    files_of(folder)  # those of before are swept


@pytest.mark.parametrize("harm", ["cut", "longer", "starts", "empty", "dtype", "shape", "owners", "order", "json"])
def test_what_is_not_as_it_was_written_is_read_anew(folder, readings, caplog, harm):
    first = load(folder, size=8, cache="encoded")[0].fingerprint
    path, about = files_of(folder)
    told, content = json.loads(about.read_text()), path.read_bytes()
    if harm == "cut":
        path.write_bytes(content[:-9])
    elif harm == "longer":
        path.write_bytes(b"x" + content)
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "starts":
        starts = np.frombuffer(content[-8 * 21 :], "<i8").copy()
        starts[3] = starts[9]
        path.write_bytes(content[: -8 * 21] + starts.tobytes())
    elif harm == "json":
        about.write_text("{")
    else:
        told |= {
            "dtype": {"dtype": "|O"},
            "shape": {"shape": [20, 3, 8, -8]},
            "owners": {"owners": [*range(19), 20]},
            "order": {"owners": [1, 0, *range(2, 20)]},
        }[harm]
        about.write_text(json.dumps(told))
    again = load(folder, size=8, cache="encoded")[0]
    assert again.fingerprint == first
    assert "cannot be used" in caplog.text
    assert "reading them anew" in caplog.text
    assert len(readings) == 2


def test_a_file_that_rots_later_is_named(folder):
    train, _ = load(folder, size=8, cache="encoded")
    path, _ = files_of(folder)
    content = bytearray(path.read_bytes())
    content[: len(content) - 8 * 21] = bytes(len(content) - 8 * 21)
    path.write_bytes(content)
    with pytest.raises(DiaboloError, match=r"encoded images are damaged .*: delete .*\.files, and they are read anew"):
        train.images[:3]


def test_another_image_than_was_kept_is_named(folder):
    train, _ = load(folder, size=8, cache="encoded")
    train.images.pages = train.images.pages + 1
    with pytest.raises(DiaboloError, match="is not the image that was kept"):
        train.images[0]


KILLED = """
import os, signal, sys
from diabolo.data import encoded, load
encoded.Writer.close = lambda self: os.kill(os.getpid(), signal.SIGKILL)
load(sys.argv[1], size=8, cache="encoded")
"""


def test_what_a_killed_reading_left_is_swept(folder):
    subprocess.run([sys.executable, "-c", KILLED, folder], capture_output=True)
    home = folder.parent / ".diabolo"
    assert [path.suffix for path in home.iterdir()] == [".tmp"]
    load(folder, size=8, cache="encoded")
    assert {path.suffix for path in home.iterdir()} == {".files", ".json"}


def test_nowhere_to_write(folder, own_home):
    (folder.parent / ".diabolo").write_text("")
    (own_home / ".cache").write_text("")
    with pytest.raises(NotWrittenError, match="encoded images cannot be kept: neither"):
        load(folder, size=8, cache="encoded")


# --- what is done with them -----------------------------------------------------------------------------------------


def test_a_small_choice_is_decoded_and_a_large_one_is_not(folder, monkeypatch):
    _, (train, _) = both(folder, size=8, n_test=4)
    monkeypatch.setattr(gather, "IN_MEMORY", 5 * 3 * 8 * 8)
    few, many = train.take(range(5)), train.take(range(6))
    assert isinstance(few.images, np.ndarray)
    assert isinstance(many.images, Encoded)
    np.testing.assert_array_equal(few.images, many.images[:5])
    assert many.images.stored < train.images.stored


def test_images_do_with_them_what_they_do_with_arrays(folder):
    (decoded, held), (encoded, encoded_held) = both(folder, size=8, n_test=4)
    for pick in (
        lambda x: x.take([3, 1, 2]),
        lambda x: x.take(np.arange(16) % 2 == 0),
        lambda x: x.subset(7),
        lambda x: x.spread(5),
        lambda x: x.keep_labels(4),
        lambda x: x.take([5, 6, 7]).called(split="test"),
        lambda x: without_leaks(x, held),
    ):
        assert pick(encoded).fingerprint == pick(decoded).fingerprint
    np.testing.assert_array_equal(encoded.pixels, decoded.pixels)
    x, label = encoded[3]
    assert torch.equal(x, decoded[3][0])
    assert label == decoded[3][1]
    assert repr(encoded) == repr(decoded)
    assert _of_images([encoded, encoded_held]) == _of_images([decoded, held])
    assert inspect(encoded).duplicates == inspect(decoded).duplicates
    np.testing.assert_array_equal(np.concatenate([*chunks(encoded.images)]), decoded.images)


def test_wrong_keys_are_refused(folder):
    _, (train, _) = both(folder, size=8, n_test=4)
    for key in ([16], [-17], 99):
        with pytest.raises(IndexError, match="there are 16 images"):
            train.images[key]
    for key in ([0.5], [[1, 2]], "a", None):
        with pytest.raises(IndexError):
            train.images[key]
    with pytest.raises(ValueError, match="decoded into a new array"):
        np.asarray(train.images, copy=False)


def test_a_pickled_copy_is_as_good(folder):
    _, (train, _) = both(folder, size=8, n_test=4)
    again = pickle.loads(pickle.dumps(train.images))
    np.testing.assert_array_equal(again[:], train.images[:])
    assert "encoded" in repr(train.images).lower()


def test_a_loader_of_torch_reads_them_in_processes(folder):
    (decoded, _), (encoded, _) = both(folder, size=8, n_test=4)
    for workers in (0, 1):
        found = [x for x, _ in torch.utils.data.DataLoader(encoded, batch_size=8, num_workers=workers)]
        np.testing.assert_array_equal(torch.cat(found), decoded.pixels)


@pytest.mark.parametrize("place", ["auto", "device", "host", "disk"])
def test_every_store_gives_the_same_batches(folder, place):
    (decoded, _), (encoded, _) = both(folder, size=8, n_test=4)
    store = stores.open_store(encoded, torch.device("cpu"), place)
    assert ("decoded for each batch" in store.place) == (place == "disk")
    plan = [torch.tensor([3, 9, 1]), torch.tensor([15, 0])]
    for found, rows in zip(store.batches(plan), plan, strict=True):
        np.testing.assert_array_equal(found, decoded.pixels[rows])


def test_what_is_too_large_for_memory_is_decoded_batch_by_batch(folder, monkeypatch):
    _, (encoded, _) = both(folder, size=8, n_test=4)
    monkeypatch.setattr(stores, "host_memory", lambda: encoded.images.nbytes)
    assert "decoded for each batch" in stores.open_store(encoded, torch.device("cpu")).place
