"""Decoded images kept on disk: decoded once, then memory-mapped by every process that wants them."""

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from diabolo.data.decode import decode, settle, tell_skipped
from diabolo.data.files import Files
from diabolo.data.pixels import Shaping
from diabolo.data.roots import default_cache
from diabolo.errors import DiaboloError

log = logging.getLogger("diabolo.data")

VERSION = 1  # raise it when the same files give other pixels
FOLDER = ".diabolo"


def decoded(files: Files, shaping: Shaping, beside: Path, skip_bad: bool) -> tuple[NDArray[np.uint8], list[int]]:
    """The images of `files` as one read-only memory map uint8 `(N, C, H, W)`, and the indices of those left out.

    Lies in `.diabolo/` next to `beside` (the folder or archive), or under ~/.cache/diabolo where that is read-only.
    The file's name covers the shaping asked for and the name, size and time of every image, so a changed folder is
    decoded anew.
    Two processes may do so at once: each writes its own temporary file, and the last to finish takes the name.
    """
    name = f"{beside.name}-{shaping.size or 'full'}-{_key(files, shaping, skip_bad)}"
    homes = (beside.parent / FOLDER, default_cache() / "decoded")
    for home in homes:
        found = _open(home / name)
        if found is not None:
            log.info("decoded images of %s: %s", beside, home / f"{name}.npy")
            tell_skipped(files, found[1])
            return found
    for home in homes:
        if _writable(home):
            return _write(files, shaping, skip_bad, home / name)
    raise DiaboloError(f"decoded images cannot be kept: neither {homes[0]} nor {homes[1]} can be written.")


def _key(files: Files, shaping: Shaping, skip_bad: bool) -> str:
    digest = hashlib.sha256(json.dumps([VERSION, asdict(shaping), skip_bad]).encode())
    for name, stamp in zip(files.names, files.stamps, strict=True):
        digest.update(f"{name}\0{stamp[0]}\0{stamp[1]}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _open(path: Path) -> tuple[NDArray[np.uint8], list[int]] | None:
    """What was kept, or None if nothing (whole) was."""
    try:
        skipped = json.loads(_with(path, ".json").read_text())["skipped"]
        return np.load(_with(path, ".npy"), mmap_mode="r", allow_pickle=False), skipped
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, EOFError) as error:
        log.warning("decoded images in %s.npy cannot be used (%s): decoding again", path, error)
        return None


def _write(files: Files, shaping: Shaping, skip_bad: bool, path: Path) -> tuple[NDArray[np.uint8], list[int]]:
    log.info("decoding %d images once, to %s.npy", len(files.names), path)
    began = time.perf_counter()
    shaping = settle(files, shaping, skip_bad)
    skipped, count, shape = list[int](), 0, tuple[int, ...]()
    try:
        with _replacing(_with(path, ".npy")) as out:
            for good, bad in decode(files, shaping, skip_bad):
                skipped += bad
                if good and not count:  # only now is the shape known, and so the header; N is not known yet
                    shape = good[0].shape
                    _header(out, (len(files.names), *shape))
                count += len(good)
                for image in good:
                    out.write(np.ascontiguousarray(image).data)
            length = out.tell()
            _header(out, (count, *shape))  # numpy pads headers so that N may change in place
            out.seek(length)
        with _replacing(_with(path, ".json")) as out:
            out.write(json.dumps({"skipped": skipped}).encode())
    except OSError as error:
        raise DiaboloError(f"decoded images cannot be written to {path}.npy: {error.strerror or error}.") from error
    seconds = time.perf_counter() - began
    log.info("decoded %d images in %.1f s (%.0f images/s)", count, seconds, count / seconds)
    tell_skipped(files, skipped)
    found = _open(path)
    if found is None:
        raise DiaboloError(f"decoded images were written to {path}.npy but have vanished; try again.")
    return found


def _header(out: IO[bytes], shape: tuple[int, ...]) -> None:
    out.seek(0)
    np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file in the same folder that takes the name only when all has gone well."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o644)  # mkstemp keeps it from everyone else
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _writable(home: Path) -> bool:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return True
    except OSError:
        return False


def _with(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
