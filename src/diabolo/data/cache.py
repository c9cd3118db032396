"""Images of files kept on disk for all processes: decoded once and memory-mapped, or as the bytes of their files."""

import hashlib
import json
import logging
import os
import re
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data import choosing, encoded, scale
from diabolo.data.choosing import HOWS, How
from diabolo.data.decode import Decoded, again, check_shape, decode, gather, settle, span_asked, tell_skipped
from diabolo.data.files import Files
from diabolo.data.gather import as_array
from diabolo.data.npy import map_npy
from diabolo.data.options import Cache
from diabolo.data.pixels import Facts, Keep, Shaping
from diabolo.data.roots import default_cache
from diabolo.data.scale import Numbers
from diabolo.errors import DiaboloError, NotWrittenError
from diabolo.plain import count

log = logging.getLogger("diabolo.data")

VERSION = 5  # raise it when the same files give other pixels
FOLDER = ".diabolo"
ENDINGS: dict[How, tuple[str, str]] = {"decoded": (".npy", ".json"), "encoded": (".files", ".files.json")}
STALE = 24 * 3600  # seconds after which an unfinished file is dead where files cannot be locked


@dataclass(frozen=True)
class Kept:
    """The images of some files as one read-only memory map `(N, C, H, W)`, or `Encoded`.

    owners   the index of the file that each image is, or is a page of
    bad      index → reason, of the files that were left out
    facts    what was met in the files
    shaping  what was done to them, the channels, the range and how numbers are kept found out
    store    how they are kept and, where that was chosen now, why
    """

    pixels: NDArray[Any]
    owners: NDArray[np.int64]
    bad: dict[int, str]
    facts: Facts
    shaping: Shaping
    store: str


def kept(
    files: Files,
    shaping: Shaping,
    beside: Path,
    skip_bad: bool,
    value_range: scale.Range = scale.AUTO,
    cache: Cache = "auto",
) -> Kept:
    """The images of `files`, kept as `cache` asks: with "auto" as they are kept already, else as `choosing.chosen` finds.

    They lie in `.diabolo/` next to `beside` (the folder or archive), or under ~/.cache/diabolo where that cannot be written
    or has no room. The file's name covers the shaping asked for and the name, size and time of every image, so a changed
    folder is decoded anew; what was kept of it before is then removed, and what processes that died had not finished.
    Two processes may do so at once: each writes its own temporary file, and the last to finish takes the name.
    """
    asked = hashlib.sha256(json.dumps([VERSION, asdict(shaping), skip_bad, str(value_range)]).encode()).hexdigest()[:8]
    stem = f"{beside.name}-{shaping.size or 'full'}"
    # names in the home are shared by folders from anywhere, so they say from where
    place = hashlib.sha256(os.fsencode(os.path.realpath(beside))).hexdigest()[:8]
    homes = {beside.parent / FOLDER: f"{stem}-{asked}", default_cache() / "decoded": f"{stem}-{asked}{place}"}
    content = _content(files)
    for how in HOWS if cache == "auto" else (cache,):
        for home, group in homes.items():
            found = _open(home / f"{group}-{content}", how, len(files.names))
            if found is not None:
                log.info("%s images of %s: %s", how, beside, _with(home / f"{group}-{content}", ENDINGS[how][0]))
                tell_skipped(files, found.bad)
                return found
    began = time.perf_counter()
    settled = settle(files, replace(shaping, span=span_asked(value_range)), skip_bad)
    how, why = choosing.chosen(files, settled, homes) if cache == "auto" else (cache, "as asked")
    troubles = []
    for home, group in homes.items():
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home):
                pass
            _sweep(home, group, stem, content)
            path = home / f"{group}-{content}"
            found = _write(files, shaping.keep, settled, skip_bad, value_range, path, how)
            seconds = time.perf_counter() - began
            n = len(found.owners)
            log.info("%s in %.1f s (%.0f images/s)", count(n, f"{how} image"), seconds, n / seconds)
            tell_skipped(files, found.bad)
            return replace(found, store=f"{found.store}, {why}")
        except OSError as error:
            troubles.append(f"{home} ({error.strerror or error})")
    raise NotWrittenError(f"{how} images cannot be kept: neither {' nor '.join(troubles)} can be written")


def _content(files: Files) -> str:
    digest = hashlib.sha256()
    for name, stamp in zip(files.names, files.stamps, strict=True):
        digest.update(f"{name}\0{stamp[0]}\0{stamp[1]}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _open(path: Path, how: How, n_files: int) -> Kept | None:
    """What was kept, or None if nothing (whole) was."""
    ending, beside = ENDINGS[how]
    if not _with(path, beside).is_file():
        return None
    try:
        about = json.loads(_with(path, beside).read_text(encoding="utf-8"))
        owners = np.arange(n_files) if about["owners"] is None else np.array(about["owners"], np.int64)
        bad = {int(index): str(reason) for index, reason in about["bad"].items()}
        shaping, facts = _shaping(about["shaping"]), _facts(about["facts"])
        if how == "decoded":
            pixels = map_npy(_with(path, ending))
            store = f"kept decoded, {choosing.words(pixels.nbytes)}"
        else:
            several = encoded.opened(_with(path, ending), owners, about["shape"][1:], about["dtype"], shaping)
            pixels = as_array(several)
            store = f"kept encoded, {choosing.words(several.stored)} of files for {choosing.words(several.nbytes)} of images"
        length = _with(path, ending).stat().st_size
        whole = (
            pixels.dtype.str == about["dtype"]
            and list(pixels.shape) == about["shape"]
            and length == about["bytes"]
            and owners.shape == pixels.shape[:1]
            and not ((owners < 0) | (owners >= n_files)).any()
            and all(0 <= index < n_files for index in bad)
        )
        if not whole:
            raise ValueError("it is not as long as it was written")
        return Kept(pixels, owners, bad, facts, shaping, store)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ) as error:
        log.warning("%s images in %s cannot be used (%s): reading them anew", how, _with(path, ending), error)
        return None


def _write(
    files: Files, keep: Keep, shaping: Shaping, skip_bad: bool, wanted: scale.Range, path: Path, how: How
) -> Kept:
    ending, beside = ENDINGS[how]
    verb, write = ("decoding", _decode_to) if how == "decoded" else ("reading", _encode_to)
    log.info("%s %s once, to %s", verb, count(len(files.names), "image"), _with(path, ending))
    what = f"the pixels of {files.where(0)} and others"
    with _replacing(_with(path, ending)) as out:
        found, shape, dtype, length = write(out, files, shaping, skip_bad)
        while (better := again(found.facts, shaping, wanted, what, keep)) is not None:
            shaping = better
            found, shape, dtype, length = write(out, files, shaping, skip_bad)
    owners = None if found.owners == list(range(len(files.names))) else found.owners
    with _replacing(_with(path, beside)) as out:
        about = {
            "shape": shape,
            "dtype": dtype.str,
            "bytes": length,
            "owners": owners,
            "bad": found.bad,
            "shaping": asdict(shaping),
            "facts": found.facts.as_json(),
        }
        out.write(json.dumps(about).encode())
    kept = _open(path, how, len(files.names))
    if kept is None:
        raise DiaboloError(f"{how} images were written to {_with(path, ending)} but have vanished; try again")
    return kept


def _decode_to(
    out: IO[bytes], files: Files, shaping: Shaping, skip_bad: bool
) -> tuple[Decoded, list[int], np.dtype[Any], int]:
    """Write all images as one .npy file; what was decoded, the shape, the type, and the length in bytes. It is of no use where
    `again` has something to say: images may be of several types."""
    out.seek(0)
    out.truncate()
    found, shape, dtype, count = Decoded(), tuple[int, ...](), np.dtype(np.uint8), 0
    for some in decode(files, shaping, skip_bad):
        if some.images and not count:  # only now is the shape known, and so the header; N is not known yet
            shape, dtype = some.images[0].shape, some.images[0].dtype
            _header(out, dtype, (len(files.names), *shape))
        count += len(some.images)
        for image in some.images:
            check_shape(image, shape, files.where(some.owners[0]))
            out.write(np.ascontiguousarray(image).data)
        gather(found, some)
    length = out.tell()
    _header(out, dtype, (count, *shape))  # numpy pads headers so that N may change in place
    out.seek(length)
    return found, [count, *shape], dtype, length


def _encode_to(
    out: IO[bytes], files: Files, shaping: Shaping, skip_bad: bool
) -> tuple[Decoded, list[int], np.dtype[Any], int]:
    """The same of the bytes of all files, each of which is decoded once to see that it can be."""
    found, writer, first = Decoded(), encoded.Writer(out), None
    for some in decode(files, shaping, skip_bad, True):
        for image, owner in zip(some.images, some.owners, strict=True):
            first = image if first is None else first
            check_shape(image, first.shape, files.where(some.owners[0]))
            if image.dtype.kind == "f" and not np.isfinite(image).all():
                raise DiaboloError(f"{files.where(owner)} holds NaN or infinity; remove or replace it first")
        for data in some.content:
            writer.add(data)
        gather(found, some)
    assert first is not None  # else `decode` has said that none can be read
    return found, [len(found.owners), *first.shape], first.dtype, writer.close()


def _sweep(home: Path, group: str, stem: str, content: str) -> None:
    """Remove what was kept of the same images as they were before, or by an earlier Diabolo, and what the dead left."""
    # of a file that a process has open nothing is lost: it goes with the process
    kinds = "|".join(ending[1:].replace(".", r"\.") for endings in ENDINGS.values() for ending in endings)
    old = re.compile(
        rf"{re.escape(group)}-(?!{content})[0-9a-f]{{16}}\.({kinds})|{re.escape(stem)}-[0-9a-f]{{16}}\.({kinds})"
    )
    for path in list(home.iterdir()):
        if old.fullmatch(path.name) or (path.name.startswith(".") and path.name.endswith(".tmp") and _is_dead(path)):
            with suppress(OSError):
                path.unlink()


def _is_dead(temporary: Path) -> bool:
    """Whether no process writes this unfinished file any more: whoever does holds a lock on it, which dies with the process."""
    try:
        import fcntl

        with open(temporary, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return f"-{socket.gethostname()}-" in temporary.name or _age(temporary) > STALE
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return _age(temporary) > STALE


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _facts(about: Any) -> Facts:
    numbers = {depth: Numbers(**kept | {"nominal": _span(kept["nominal"])}) for depth, kept in about["numbers"].items()}
    sizes, modes, depths = (Counter[str](about[what]) for what in ("sizes", "modes", "depths"))
    return Facts(sizes, modes, depths, numbers, int(about["animations"]))


def _shaping(about: Any) -> Shaping:
    return Shaping(**about | {"span": _span(about["span"])})


def _span(pair: Sequence[float] | None) -> tuple[float, float] | None:
    return None if pair is None else (float(pair[0]), float(pair[1]))


def _header(out: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    out.seek(0)
    np.lib.format.write_array_header_1_0(out, {"descr": dtype.str, "fortran_order": False, "shape": shape})


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file in the same folder, locked while it is written, that takes the name only when all has gone well."""
    handle, temporary = _locked(path)
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


def _locked(path: Path) -> tuple[int, str]:
    """A new temporary file beside `path`, locked where that is possible."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-{socket.gethostname()}-", suffix=".tmp")
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.exists(name):  # not swept in the instant before the lock
            return handle, name
        os.close(handle)


def _with(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
