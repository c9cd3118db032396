"""metrics.jsonl: one line an epoch, appended; the checkpoint says how far it goes and what it holds, by a chained digest.

    dᵢ = H(dᵢ₋₁ | lineᵢ), d₀ = ""

so that an epoch costs its own line alone, and neither a half-written nor an edited line passes for the record of a training.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from diabolo import regular
from diabolo.errors import DiaboloError
from diabolo.runs import files

FILE = "metrics.jsonl"
STEPS = "steps.jsonl"  # within epochs, where that was asked for
REMEDY = "put the one of before back, or delete it to go on without the record of the epochs so far"
History = list[dict[str, Any]]


def encoded(line: dict[str, Any]) -> bytes:
    """The line of one epoch as it stands in the file."""
    return (json.dumps(line) + "\n").encode()


def chained(before: str, line: bytes) -> str:
    """The digest of a line (or of several) behind what has the digest `before`."""
    for one in line.splitlines(keepends=True):
        before = hashlib.blake2b(before.encode() + one, digest_size=16).hexdigest()
    return before


def add(path: Path, history: History, length: int, digest: str) -> tuple[int, str]:
    """Append the last line of `history` to metrics.jsonl of the run folder `path`.

    Args:
        path: the run folder.
        history: all lines, the new one last.
        length, digest: of the file with all lines before it.

    Returns:
        The new length and digest.
    """
    file, line = path / FILE, encoded(history[-1])
    if length and not (file.is_file() and file.stat().st_size >= length):  # someone took it away meanwhile
        return rewrite(path, history)
    files.append(file, line, length)
    return length + len(line), chained(digest, line)


def rewrite(path: Path, history: History) -> tuple[int, str]:
    """Write metrics.jsonl of the run folder `path` anew; returns its length and digest."""
    content = b"".join(map(encoded, history))
    files.write(path / FILE, content)
    return len(content), chained("", content)


def read(path: Path, name: str = FILE) -> History:
    """The lines of metrics.jsonl, or of steps.jsonl, of the run folder `path`, as far as they are whole.

    Raises:
        DiaboloError: for a whole line that is no record of an epoch.
    """
    try:
        return _parsed(path / name, regular.read_bytes(path / name))
    except OSError:
        return []


def cut_steps(path: Path, epoch: int) -> None:
    """Leave in steps.jsonl of the run folder `path` what is of the epochs up to `epoch`, from which training goes on."""
    if (path / STEPS).exists():
        files.write(path / STEPS, b"".join(encoded(line) for line in read(path, STEPS) if line["epoch"] <= epoch))


def confirmed(path: Path, length: int, digest: str) -> History:
    """The lines that the checkpoint of the run folder `path` knows of: the first `length` bytes of metrics.jsonl.

    Raises:
        DiaboloError: when they are not those that were written; none at all are accepted, and lost.
    """
    try:
        content = regular.read_bytes(path / FILE)[:length]
    except OSError:
        content = b""
    if not content:
        return []
    if len(content) < length or chained("", content) != digest:
        raise DiaboloError(f"{path / FILE} is damaged: its checksum does not agree with what it holds; {REMEDY}")
    return _parsed(path / FILE, content)


def _parsed(file: Path, content: bytes) -> History:
    found: History = []
    damaged = f"{file} was edited or damaged:"
    lines = content.split(b"\n")  # behind the last whole one there is nothing, or the half of one
    for raw in lines:
        if not raw.strip():
            continue
        told = raw[:40].decode(errors="replace")
        try:
            line = files.parse(raw)
        except ValueError as error:
            if raw is not lines[-1]:
                raise DiaboloError(f"{damaged} {told!r} is not valid JSON: {error}; {REMEDY}") from error
            break  # the line that a killed process was writing
        if not is_record(line):
            raise DiaboloError(f"{damaged} {told!r} is no record of an epoch; {REMEDY}")
        found.append(line)
    return found


def is_record(line: Any) -> bool:
    """Whether all that is ever read of an epoch is of its kind."""

    def are_numbers(values: Iterable[Any]) -> bool:
        return all(value is None or isinstance(value, int | float) for value in values)

    def numbers(terms: Any) -> bool:
        return isinstance(terms, dict) and are_numbers(terms.values())

    def watched(values: Any) -> bool:
        return isinstance(values, dict) and all(
            are_numbers(value if isinstance(value, list) else [value]) for value in values.values()
        )

    return (
        isinstance(line, dict)
        and type(line.get("epoch")) is int
        and numbers(line.get("train"))
        and (line.get("validation") is None or numbers(line["validation"]))
        and (line.get("health") is None or watched(line["health"]))
        and (line.get("warnings") is None or isinstance(line["warnings"], dict))
        and all(isinstance(text, str) for text in (line.get("warnings") or {}).values())
        and all(isinstance(line.get(name, 0), int | float) for name in ("seconds", "step"))
    )
