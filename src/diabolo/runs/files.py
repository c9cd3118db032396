"""JSON and tensors as files that are either whole or not there; tensors carry a checksum."""

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from diabolo import disk, regular
from diabolo.disk import append, make_folder, write, write_pieces
from diabolo.errors import DiaboloError

__all__ = [
    "append",
    "make_folder",
    "move",
    "parse",
    "read_about",
    "read_json",
    "read_tensors",
    "write",
    "write_json",
    "write_pieces",
    "write_tensors",
]

BACK = "put the one of before back, or train a new run"  # what to do where nothing makes a damaged file anew
DIGITS = 300  # of a whole number; floats end at 308


def write_json(path: Path, value: Any) -> None:
    """Put `value` at `path` as readable JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write(path, text.encode(errors="backslashreplace"))  # half of a surrogate pair as JSON writes it: \ud800


def move(source: Path, target: Path) -> None:
    """Rename a file, in place of the one there.

    Raises:
        NotWrittenError, DiaboloError: when that cannot be.
    """
    try:
        disk.move(source, target)
    except OSError as error:
        raise disk.refusal(f"{target} could not be written", error) from error
    disk.settle(target.parent)


def read_json(path: Path, remedy: str = BACK) -> Any:
    """What `write_json` wrote; `remedy` is what to do where it is damaged.

    Raises:
        DiaboloError: when the file is missing or is not JSON.
    """
    try:
        return parse(regular.read_bytes(path))
    except OSError as error:
        missing = f"; {remedy}" if isinstance(error, FileNotFoundError) else ""
        raise DiaboloError(f"{path} cannot be read: {error.strerror}{missing}") from error
    except DiaboloError:
        raise
    except ValueError as error:
        raise DiaboloError(f"{path} is not valid JSON: {error}; {remedy}") from error


def parse(text: str | bytes) -> Any:
    """What JSON says.

    Raises:
        ValueError: when it is none, is deeper than anything that is ever written, says something twice, or has a whole number
            that no float can be made of.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_int=_whole)
    except RecursionError:
        raise ValueError("objects and lists lie too deep within each other") from None


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return found


def write_tensors(path: Path, tensors: dict[str, Tensor], about: Any = None) -> None:
    """Put named tensors at `path` as safetensors, with JSON-able `about` and a checksum of all of it in its header."""
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    told = json.dumps(about)
    content = safetensors.torch.save(plain, {"about": told})
    # put in by hand: safetensors itself has no order of several entries, and the same tensors are to give the same bytes
    length = int.from_bytes(content[:8], "little")
    entry = f'{{"__metadata__":{{"checksum":"{checksum(plain, told)}",'.encode()
    header = content[8 : 8 + length].rstrip(b" ").replace(b'{"__metadata__":{', entry, 1)
    header += b" " * (-len(header) % 8)
    write(path, len(header).to_bytes(8, "little") + header, memoryview(content)[8 + length :])


def read_tensors(path: Path, remedy: str = BACK) -> tuple[dict[str, Tensor], Any]:
    """The tensors that `write_tensors` wrote, on the CPU, and `about`; `remedy` is what to do where they are damaged. Files of
    before there were checksums have none.

    Raises:
        DiaboloError: when the file is missing, cut short, no safetensors file, or does not agree with its checksum.
    """
    tensors, told = _read(path, True, remedy)
    return tensors, parse(told)


def read_about(path: Path) -> Any:
    """`about` alone, from the header; the checksum is not looked at.

    Raises:
        DiaboloError: when the file is missing, cut short, or no safetensors file.
    """
    return parse(_read(path, False, BACK)[1])


def _read(path: Path, whole: bool, remedy: str) -> tuple[dict[str, Tensor], str]:
    if not path.is_file():
        raise DiaboloError(f"{path} is {'no file' if path.exists() else 'missing'}; {remedy}")
    try:
        with safetensors.safe_open(path, "pt") as file:
            header = file.metadata() or {}
            told = header.get("about", "null")
            parse(told)
            names = list(file.keys()) if whole else []
            tensors = {name: file.get_tensor(name) for name in names}
    except (safetensors.SafetensorError, OSError, ValueError, RecursionError) as error:
        raise DiaboloError(f"{path} is damaged or cut short ({error}); {remedy}") from error
    known = set(header) <= {"about", "checksum", "format"}  # else one of these words itself is damaged
    if whole and not (known and header.get("checksum", checksum(tensors, told)) == checksum(tensors, told)):
        raise DiaboloError(f"{path} is damaged: its checksum does not agree with what it holds; {remedy}")
    return tensors, told


def checksum(tensors: dict[str, Tensor], about: str) -> str:
    """A digest of names, types, shapes and numbers of `tensors`, which lie on the CPU, and of the text `about`."""
    digest = hashlib.blake2b(about.encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"|{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
