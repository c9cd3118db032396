"""Files that are either whole or not there: temporary file, fsync, rename."""

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from diabolo.errors import DiaboloError, NotWrittenError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # nobody asked for what cannot be


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`; whatever stops it, the old file stays as it was.

    Raises:
        NotWrittenError: when the disk is full.
        DiaboloError: when nothing can be written there.
    """
    part: str | None = None
    try:
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except OSError as error:
        kept = " (the one written before it is untouched)" if path.exists() else ""
        kind = NotWrittenError if error.errno in FULL else DiaboloError
        raise kind(f"{path} could not be written: {error.strerror}{kept}") from error
    finally:
        if part is not None and os.path.exists(part):
            os.unlink(part)


def sweep(folder: Path) -> None:
    """Take away what writers that were killed left half-written in the run folder `folder`."""
    for ending in ("json", "jsonl", "safetensors"):
        for part in (*folder.glob(f".*.{ending}.*"), *folder.glob(f"checkpoint/.*.{ending}.*")):
            part.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Put `value` at `path` as readable JSON."""
    write(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """What `write_json` wrote.

    Raises:
        DiaboloError: when the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise DiaboloError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DiaboloError(f"{path} is not valid JSON: {error}") from error


def write_tensors(path: Path, tensors: dict[str, Tensor], about: Any = None) -> None:
    """Put named tensors at `path` as safetensors, with JSON-able `about` in its header."""
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    metadata = {"about": json.dumps(about)}
    write(path, safetensors.torch.save(plain, metadata))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], Any]:
    """The tensors that `write_tensors` wrote, on the CPU, and `about`.

    Raises:
        DiaboloError: when the file is missing, cut short, or no safetensors file.
    """
    if not path.is_file():
        raise DiaboloError(f"{path} is missing")
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "null"))
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118  # not a dict
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise DiaboloError(f"{path} is damaged or cut short ({error}); it cannot be used") from error
