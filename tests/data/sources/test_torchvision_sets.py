"""Downloads, against a server of our own with small files in the true formats; and the real sets where at hand."""

import functools
import gzip
import hashlib
import http.server
import io
import os
import pickle
import struct
import sys
import tarfile
import threading

import numpy as np
import pytest
import torchvision

from diabolo.data import load
from diabolo.data.sources.torchvision_sets import CLOTHING, DIGITS
from diabolo.errors import DiaboloError

RNG = np.random.default_rng(0)
TRAIN = RNG.integers(0, 256, (30, 28, 28), dtype=np.uint8)
TEST = RNG.integers(0, 256, (12, 28, 28), dtype=np.uint8)


def idx(array):
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes())


IDX = {
    "train-images-idx3-ubyte.gz": idx(TRAIN),
    "train-labels-idx1-ubyte.gz": idx(np.arange(30) % 10),
    "t10k-images-idx3-ubyte.gz": idx(TEST),
    "t10k-labels-idx1-ubyte.gz": idx(np.arange(12) % 10),
}


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.fixture
def server(tmp_path):
    """Serves the files of a folder; `.asked` lists what was asked for."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            if self.command == "GET":
                httpd.asked.append(self.path)

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    httpd.asked, httpd.folder, httpd.url = [], folder, f"http://127.0.0.1:{httpd.server_port}/"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture(params=["MNIST", "FashionMNIST"])
def kind(request, server, monkeypatch):
    for name, data in IDX.items():
        (server.folder / name).write_bytes(data)
    cls = getattr(torchvision.datasets, request.param)
    monkeypatch.setattr(cls, "mirrors", [server.url])
    monkeypatch.setattr(cls, "resources", [(name, md5(data)) for name, data in IDX.items()])
    return {"MNIST": "mnist", "FashionMNIST": "fashion_mnist"}[request.param]


def test_downloaded_once_then_read_from_disk(kind, server, tmp_path):
    for _ in range(2):
        server.asked.clear()
        train, test = load(kind, tmp_path / "root")
        assert np.array_equal(train.images[:, 0], TRAIN)
        assert np.array_equal(test.images[:, 0], TEST)
        assert train.labels.tolist() == [i % 10 for i in range(30)]
    assert train.label_names[3] == {"mnist": "3", "fashion_mnist": "Dress"}[kind]
    assert not server.asked  # the second time
    assert len(load(kind, tmp_path / "root", n_train=7, n_test=3)[0]) == 7


def test_files_that_are_there_need_no_torchvision(kind, tmp_path, monkeypatch):
    load(kind, tmp_path / "root")
    monkeypatch.setitem(sys.modules, "torchvision", None)  # which takes seconds to import
    train, test = load(kind, tmp_path / "root")
    assert np.array_equal(train.images[:, 0], TRAIN)
    assert np.array_equal(test.images[:, 0], TEST)


def test_class_names_are_those_of_torchvision():
    for ours, kind in ((DIGITS, "MNIST"), (CLOTHING, "FashionMNIST")):
        assert [name.split(" - ")[0] for name in getattr(torchvision.datasets, kind).classes] == list(ours)


def test_labels_of_another_number_than_images(kind, tmp_path):
    load(kind, tmp_path / "root")
    (path,) = (tmp_path / "root").rglob("t10k-labels-idx1-ubyte")
    path.write_bytes(gzip.decompress(idx(np.arange(11) % 10)))
    with pytest.raises(DiaboloError, match=f"{kind} is not complete .*11"):
        load(kind, tmp_path / "root")


def test_a_download_with_a_wrong_checksum_is_refused(kind, server, tmp_path):
    (server.folder / "train-images-idx3-ubyte.gz").write_bytes(idx(TRAIN + 1))
    with pytest.raises(DiaboloError, match=f"{kind} is not complete in .*root/.*could not be fetched"):
        load(kind, tmp_path / "root")


def test_no_network_is_one_sentence_that_says_what_to_do(kind, tmp_path, monkeypatch):
    cls = torchvision.datasets.MNIST if kind == "mnist" else torchvision.datasets.FashionMNIST
    monkeypatch.setattr(cls, "mirrors", ["http://127.0.0.1:1/"])
    with pytest.raises(DiaboloError) as raised:
        load(kind, tmp_path / "root")
    said = str(raised.value)
    assert str(tmp_path / "root" / cls.__name__ / "raw") in said
    assert "--data digits" in said
    assert "\n" not in said
    assert "refused" in said


def test_a_truncated_file_on_disk(kind, tmp_path):
    load(kind, tmp_path / "root")
    (path,) = (tmp_path / "root").rglob("train-images-idx3-ubyte")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DiaboloError, match=f"{kind} is not complete"):
        load(kind, tmp_path / "root")


def cifar_batch(pixels):
    return pickle.dumps({"data": pixels.reshape(len(pixels), -1), "labels": [i % 10 for i in range(len(pixels))]})


@pytest.fixture
def cifar(server, monkeypatch):
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    pixels = RNG.integers(0, 256, (6, 4, 3, 32, 32), dtype=np.uint8)
    files = {f"data_batch_{i + 1}": cifar_batch(pixels[i]) for i in range(5)}
    files |= {"test_batch": cifar_batch(pixels[5]), "batches.meta": pickle.dumps({"label_names": names})}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    (server.folder / "cifar.tar.gz").write_bytes(out.getvalue())
    cls = torchvision.datasets.CIFAR10
    monkeypatch.setattr(cls, "url", server.url + "cifar.tar.gz")
    monkeypatch.setattr(cls, "tgz_md5", md5(out.getvalue()))
    monkeypatch.setattr(cls, "train_list", [[f"data_batch_{i}", md5(files[f"data_batch_{i}"])] for i in range(1, 6)])
    monkeypatch.setattr(cls, "test_list", [["test_batch", md5(files["test_batch"])]])
    monkeypatch.setattr(
        cls, "meta", {"filename": "batches.meta", "key": "label_names", "md5": md5(files["batches.meta"])}
    )
    return pixels


def test_cifar10_is_downloaded_and_read_channels_first(cifar, tmp_path):
    train, test = load("cifar10", tmp_path / "root")
    assert np.array_equal(train.images, cifar[:5].reshape(20, 3, 32, 32))
    assert np.array_equal(test.images, cifar[5])
    assert train.images.flags.c_contiguous
    assert train.label_names[9] == "truck"


def test_a_changed_cifar_batch_is_never_unpickled(cifar, tmp_path, capsys, server):
    class Trap:
        def __reduce__(self):
            return (print, ("unpickled!",))

    load("cifar10", tmp_path / "root")
    (server.folder / "cifar.tar.gz").unlink()
    next((tmp_path / "root").rglob("*.tar.gz")).unlink()
    next((tmp_path / "root").rglob("data_batch_2")).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DiaboloError, match=r"cifar10 is not complete in .*cifar-10-batches-py"):
        load("cifar10", tmp_path / "root")
    assert "unpickled" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "home", "shape", "counts", "mean"),
    [
        ("mnist", "MNIST/raw", (1, 28, 28), (60000, 10000), 33.3),
        ("cifar10", "cifar-10-batches-py", (3, 32, 32), (50000, 10000), 120.7),
    ],
)
def test_the_real_sets(real_root, name, home, shape, counts, mean):
    if not (real_root / home).is_dir():
        pytest.skip(f"no {name} under DIABOLO_DATA")
    train, test = load(name, real_root)
    assert train.shape == test.shape == shape
    assert (len(train), len(test)) == counts
    assert abs(train.images[::7].mean() - mean) < 1  # the mean brightness that everybody quotes
    assert np.bincount(train.labels).min() >= 5000


@pytest.mark.parametrize("damage", ["empty", "magic", "type", "header", "pipe"])
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_a_damaged_file_on_disk_is_one_sentence(kind, tmp_path, damage, name):
    load(kind, tmp_path / "root")
    (path,) = (tmp_path / "root").rglob(name)
    whole = bytearray(path.read_bytes())
    path.unlink()
    if damage == "pipe":
        os.mkfifo(path)
    else:
        whole = whole[:0] if damage == "empty" else whole[:6] if damage == "header" else whole
        if damage in ("magic", "type"):
            whole[{"magic": 0, "type": 2}[damage]] = 0x77
        path.write_bytes(whole)
    with pytest.raises(DiaboloError, match=r"or damaged|is a FIFO") as raised:
        load(kind, tmp_path / "root")
    assert "\n" not in str(raised.value)


def test_a_set_of_another_size_than_published_is_told(kind, tmp_path, caplog):
    load(kind, tmp_path / "root")
    assert "holds 30 train images; 60000 are published" in caplog.text
