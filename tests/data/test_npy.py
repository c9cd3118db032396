"""Headers of .npy files are checked before anything is made of them."""

import contextlib
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diabolo.data import load
from diabolo.data.npy import map_npy
from diabolo.errors import DiaboloError


def npy(header: str | bytes, body: bytes = b"", version: int = 1) -> bytes:
    header = header.encode() if isinstance(header, str) else header
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + body


def described(shape="(4, 8, 8)", descr="'|u1'", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (npy(described("(-4, 8, 8)"), b"\0" * 256), "claims the shape"),
        (npy(described("(4, 8, 8"), b"\0" * 256), "makes no sense"),
        (npy(described("(4, (8, 8)"), b"\0" * 256), "makes no sense"),
        (npy("(" * 60_000, b"\0" * 256, version=2), "makes no sense"),
        (npy(described("(1000000, 1000000, 1000000)"), b"\0" * 256), "cut short"),
        (npy(described("(4.0, 8, 8)"), b"\0" * 256), "claims the shape"),
        (npy(described("(True, 8, 8)"), b"\0" * 256), "claims the shape"),
        (npy(described("7"), b"\0" * 256), "makes no sense"),
        (npy(described(order="'no'"), b"\0" * 256), "makes no sense"),
        (npy(described(descr="'|V0'"), b"\0" * 256), "records"),
        (npy(described(descr="'|O'"), b"\0" * 2048), "holds Python objects"),
        (npy(described(descr="[('a', '|u1'), ('b', '|u1')]"), b"\0" * 512), "records of several fields"),
        (npy(described(descr="'nonsense'"), b"\0" * 256), "makes no sense"),
        (npy("[1, 2]", b"\0" * 256), "makes no sense"),
        (npy("{'descr': '|u1'}", b"\0" * 256), "makes no sense"),
        (npy("__import__('os').abort()", b"\0" * 256), "makes no sense"),
        (npy(b"\xff\xfe\xfd", b"\0", version=3), "makes no sense"),
        (npy(described(), b"\0" * 255), "cut short, its header says 256 bytes,? and 255 are there"),
        (b"\x93NUMPY\x01", "no .npy file of a known version"),
        (b"\x93NUMPY\x09\x00" + b"\0" * 300, "no .npy file of a known version"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "cut short or longer"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{", "cut short or longer"),
        (b"", "no .npy file"),
        (b"\x80\x04.", "holds Python objects"),
        (npy(described("(0, 8, 8)")), "empty"),
    ],
)
def test_a_damaged_header_is_a_sentence(tmp_path, content, says):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DiaboloError, match=says):
        load(tmp_path / "x.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("images.npy", content)
    with pytest.raises(DiaboloError):
        load(tmp_path / "x.npz")


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["|u1", "<u2", ">u2", "<f4", ">f4", "<f8", "|b1", "<i8"])
def test_what_numpy_writes_is_read(tmp_path, version, order, dtype):
    x = np.random.default_rng(0).integers(0, 2, (6, 3, 4)).astype(dtype)
    x = np.asarray(x, order=order)
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array(file, x, version=version)
    found = map_npy(tmp_path / "x.npy")
    assert isinstance(found, np.memmap)
    assert found.dtype == x.dtype
    assert np.array_equal(found, x)
    np.savez_compressed(tmp_path / "x.npz", x=x)
    for path in ("x.npy", "x.npz"):
        train, test = load(tmp_path / path, n_test=1)
        assert sorted(np.unique(np.concatenate([train.images, test.images]))) == [0, 255]


def test_a_header_of_python_2_is_read(tmp_path):
    (tmp_path / "x.npy").write_bytes(npy(described("(4L, 8L, 8L)"), bytes(range(256))))
    assert np.array_equal(map_npy(tmp_path / "x.npy"), np.arange(256).reshape(4, 8, 8))


def test_a_large_member_goes_to_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("diabolo.data.npy.IN_MEMORY", 100)
    x = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", x=x)
    train, test = load(tmp_path / "x.npz")
    assert np.array_equal(np.sort(np.concatenate([train.images, test.images]).ravel()), np.sort(x.ravel()))
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(DiaboloError, match=r"images|x\.npy in .* do not fit into .*the disk is too full"):
        load(tmp_path / "x.npz")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_scribbled_arrays_are_read_or_refused(tmp_path, data):
    x = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", images=x, labels=np.arange(6))
    path = tmp_path / data.draw(st.sampled_from(["x.npy", "x.npz"]))
    spoilt = bytearray(path.read_bytes())
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(spoilt) - 1), st.integers(0, 255)), max_size=6)
    ):
        spoilt[place] = value
    path.write_bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))])
    with contextlib.suppress(DiaboloError):  # any other exception fails the test
        train, test = load(path)
        assert len(train) + len(test) > 1
