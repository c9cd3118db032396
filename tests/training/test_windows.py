"""What is done otherwise on Windows, tried here on a system that is made to look like it in that one respect."""

import errno
import importlib.util
import os
import sys
import types

import pytest

from diabolo import disk, owners
from diabolo.errors import InUseError, NotWrittenError
from diabolo.runs import lock

fcntl = pytest.importorskip("fcntl")


def as_on_windows(module, monkeypatch, **others):
    """Another copy of a module, that was imported on Windows, where those modules are too."""
    for name, other in others.items():
        monkeypatch.setitem(sys.modules, name, other)
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_on_windows", module.__file__)
    copy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, copy)
    monkeypatch.setattr(sys, "platform", "win32")
    try:
        spec.loader.exec_module(copy)
    finally:
        monkeypatch.setattr(sys, "platform", "linux")
    return copy


# --- locks: msvcrt has them on bytes, and deletes no open file ----------------------------------------------------------


class Msvcrt(types.ModuleType):
    """Locks of one byte, held by the open file, as Windows has them."""

    LK_NBLCK = 2

    def __init__(self):
        super().__init__("msvcrt")
        self.places = []

    def locking(self, handle, mode, count):
        assert mode == self.LK_NBLCK
        assert count == 1
        self.places.append(os.lseek(handle, 0, os.SEEK_CUR))
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError when another has it


@pytest.fixture
def windows(monkeypatch):
    """The module of locks, and its files that are open: they cannot be deleted."""
    copy = as_on_windows(lock, monkeypatch, msvcrt=Msvcrt())
    monkeypatch.setattr(disk, "WINDOWS", True)
    unlink = os.unlink

    def refuse(path, *args, **options):
        is_open = [os.fstat(one.handle).st_ino for one in copy._held.values()] if path else []
        for number in os.listdir("/proc/self/fd"):
            try:
                is_open.append(os.stat(f"/proc/self/fd/{number}").st_ino)
            except OSError:
                continue
        if os.path.lexists(path) and os.stat(path).st_ino in is_open:
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))
        unlink(path, *args, **options)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("it is not known here which files are open")
    monkeypatch.setattr(os, "unlink", refuse)
    return copy


def test_one_writer_at_a_time(windows, tmp_path):
    with windows.held(tmp_path, "train"):
        handle = os.open(tmp_path / ".lock", os.O_RDWR)
        try:
            assert not windows._lock(handle)  # as another process sees it
        finally:
            os.close(handle)
        with windows.held(tmp_path, "evaluate"):  # within the first
            pass
        assert windows.holder(tmp_path) is not None
    assert not list(tmp_path.iterdir())  # closed first, then deleted
    assert set(sys.modules["msvcrt"].places) == {2**30}  # far behind what the file says, so that others can read that
    with windows.held(tmp_path, "train"):
        pass


def test_a_second_process_is_refused_by_name(windows, tmp_path):
    handle = os.open(tmp_path / ".lock", os.O_RDWR | os.O_CREAT)
    os.write(handle, b'{"owner": "%b", "verb": "resume", "since": "2026-01-01"}' % str(owners.me()).encode())
    assert windows._lock(handle)
    with (
        pytest.raises(InUseError, match=r"another thread of this process \(resume"),
        windows.held(tmp_path, "train", 0),
    ):
        pass
    os.close(handle)


def test_where_there_are_no_locks_the_file_decides(windows, tmp_path, monkeypatch):
    def none_here(handle, mode, count):
        raise OSError(errno.ENOSYS, "not supported")

    monkeypatch.setattr(sys.modules["msvcrt"], "locking", none_here)
    (tmp_path / ".lock").write_text(f'{{"owner": "{owners.me()}"}}')
    with pytest.raises(InUseError), windows.held(tmp_path, "train", 0):
        pass
    (tmp_path / ".lock").write_text(f'{{"owner": "{owners.Owner(owners.me().machine, 2**30, 1)}"}}')  # who has ended
    with windows.held(tmp_path, "train"):
        pass


# --- files: none is replaced while another program has it open ----------------------------------------------------------


def test_a_file_that_is_looked_at_for_a_moment_is_replaced_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "WINDOWS", True)
    replace, refused = os.replace, []

    def busy(source, target):
        if len(refused) < 3:
            refused.append(target)
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    (tmp_path / "file").write_bytes(b"old")
    disk.write(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert len(refused) == 3


@pytest.mark.parametrize("on_windows", [True, False])
def test_one_that_stays_open_is_told_in_a_sentence(on_windows, tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "WINDOWS", on_windows)
    monkeypatch.setattr(disk, "PATIENCE", 0.1)
    tries = []

    def busy(source, target):
        tries.append(target)
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr(os, "replace", busy)
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(NotWrittenError, match=r"file could not be written: Access is denied \(the one"):
        disk.write(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (len(tries) > 1) == on_windows


def test_folders_are_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "WINDOWS", True)
    monkeypatch.setattr(os, "fsync", lambda handle: pytest.fail("folders cannot be opened on Windows"))
    disk.settle(tmp_path)


# --- processes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "error", "waited", "there"),
    [(7, 0, 258, True), (7, 0, 0, False), (0, 5, None, True), (0, 87, None, False)],
    ids=["runs", "has ended", "someone else's", "no such process"],
)
def test_whether_a_process_lives(opened, error, waited, there, monkeypatch):
    closed = []

    class Function:
        def __init__(self, act):
            self.act = act

        def __call__(self, *args):
            return self.act(*args)

    ctypes = types.ModuleType("ctypes")
    ctypes.c_void_p = lambda handle: handle
    kernel = types.SimpleNamespace(
        OpenProcess=Function(lambda rights, inherit, pid: opened or None),
        WaitForSingleObject=Function(lambda handle, milliseconds: waited),
        CloseHandle=Function(closed.append),
    )
    ctypes.WinDLL = lambda name, use_last_error: kernel
    ctypes.get_last_error = lambda: error
    copy = as_on_windows(owners, monkeypatch, ctypes=ctypes)
    monkeypatch.setattr(copy, "_seen", lambda pid: None)  # there is no /proc
    owner = copy.Owner(copy._machine(), 4321, 0)
    assert owner.is_dead() is not there
    assert closed == ([opened] if opened else [])
