"""onnxruntime-web, which runs an exported decoder within a page: two files of its package in the npm registry."""

import base64
import hashlib
import io
import logging
import os
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from diabolo import disk
from diabolo.data.roots import find_root
from diabolo.data.sources.fetching import alone_in
from diabolo.errors import DiaboloError

log = logging.getLogger("diabolo.data")

VERSION = "1.30.0"
# of the package, as the lockfile of npm has it
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
MEGABYTES, LARGEST = 33, 2**27  # what it takes, and what is read at most, in bytes
REGISTRY, VARIABLE = "https://registry.npmjs.org", "npm_config_registry"  # a mirror, as npm itself is told of one
MODULE, WASM = "package/dist/ort.wasm.bundle.min.mjs", "package/dist/ort-wasm-simd-threaded.wasm"
PATIENCE = 30  # seconds without a byte


@dataclass(frozen=True)
class Runtime:
    """The files of onnxruntime-web that a page needs.

    Attributes:
        module: JavaScript.
        wasm: what it drives.
        version: of the package.
    """

    module: bytes
    wasm: bytes
    version: str = VERSION


def where() -> Path:
    """The package as a file, among the data sets."""
    return find_root() / "npm" / f"onnxruntime-web-{VERSION}.tgz"


def runtime() -> Runtime:
    """The files, of the package that lies among the data sets; it is fetched once, and checked each time.

    Raises:
        DiaboloError: when it is not there and cannot be fetched, or is another file than the registry has.
    """
    path = where()
    with alone_in(path.parent):
        content = path.read_bytes() if path.exists() else _fetched(path)
    if _integrity(content) != INTEGRITY:
        raise DiaboloError(f"{path} is not onnxruntime-web {VERSION} as the npm registry has it: remove the file")
    with tarfile.open(fileobj=io.BytesIO(content)) as package:
        found = {one.name: package.extractfile(one) for one in package if one.name in (MODULE, WASM)}
        module, wasm = (file.read() if (file := found.get(name)) else b"" for name in (MODULE, WASM))
    return Runtime(module, wasm)


def _fetched(path: Path) -> bytes:
    """The package from the registry, which is now at `path` too."""
    registry = (os.environ.get(VARIABLE) or REGISTRY).rstrip("/")
    address = f"{registry}/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
    log.info("onnxruntime-web %s is not in %s: fetching %d MB, once", VERSION, path.parent, MEGABYTES)
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            content: bytes = answer.read(LARGEST)
    except (OSError, ValueError) as error:  # no network, no such address
        reason = getattr(error, "reason", error)
        raise DiaboloError(
            f"onnxruntime-web {VERSION} is not in {path} and could not be fetched ({reason}): put there what "
            f"`npm pack onnxruntime-web@{VERSION}` gives"
        ) from error
    if (found := _integrity(content)) != INTEGRITY:
        raise DiaboloError(
            f"{address} gives another file than onnxruntime-web {VERSION} ({found[:20]}…): it is not used"
        )
    disk.make_folder(path.parent)
    disk.write(path, content)
    return content


def _integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
