"""metrics.jsonl: one line an epoch, appended; the checkpoint says how far it goes and what it holds, by a chained digest.

    dᵢ = H(dᵢ₋₁ | lineᵢ), d₀ = ""

so that an epoch costs its own line alone, and neither a half-written nor an edited line passes for the record of a training.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from diabolo.errors import DiaboloError
from diabolo.training import files

FILE = "metrics.jsonl"
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


def read(path: Path) -> History:
    """The lines of metrics.jsonl of the run folder `path`, as far as they are whole.

    Raises:
        DiaboloError: for a whole line that is no record of an epoch.
    """
    try:
        return _parsed(path, (path / FILE).read_bytes())
    except (OSError, UnicodeDecodeError):
        return []


def confirmed(path: Path, length: int, digest: str) -> History:
    """The lines that the checkpoint of the run folder `path` knows of: the first `length` bytes of metrics.jsonl.

    Raises:
        DiaboloError: when they are not those that were written; none at all are accepted, and lost.
    """
    try:
        content = (path / FILE).read_bytes()[:length]
    except OSError:
        content = b""
    if not content:
        return []
    if len(content) < length or chained("", content) != digest:
        raise DiaboloError(
            f"{path / FILE} is damaged: its checksum does not agree with what it holds; put the one of before back, or delete "
            "it to go on without the record of the epochs so far"
        )
    return _parsed(path, content)


def _parsed(path: Path, content: bytes) -> History:
    found: History = []
    for text in content.decode().splitlines():
        try:
            line = json.loads(text)
        except ValueError:  # the line that a killed process was writing
            break
        if not isinstance(line, dict):
            raise DiaboloError(f"{path / FILE} was edited or damaged: {text[:40]!r} is no record of an epoch")
        found.append(line)
    return found
