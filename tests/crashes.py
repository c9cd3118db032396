"""Kills and disk errors at every file operation of a command, and what must be the same after the next one.

A process that is killed leaves the disk as it is at that moment; so a copy of the folder, made at each file operation of one
undisturbed command, holds all that a kill could leave. The copies that differ are gone on with, each in a fork of a process
that has torch imported (`forks.py`).
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diabolo.runs import files, lock

OF_THE_CLOCK = {"seconds", "images_per_second", "peak_memory_mib", "at", "length", "digest"}

# argv: the folder to work in; at its file operations: "copy" it into another, "kill" or "error" at the n-th, or "plain"
SCRIPT = """
import os, shutil, signal, sys

work, mode, argument = sys.argv[1:4]
del sys.argv[1:4]
os.chdir(work)
work = os.getcwd()
passed, busy, wanted = 0, False, os.O_WRONLY | os.O_RDWR | os.O_CREAT


def point(path, handle=None):
    global passed, busy
    if busy:
        return
    busy = True
    try:
        path = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else os.fsdecode(path)
        if handle not in (None, -1):
            path = os.path.join(os.readlink(f"/proc/self/fd/{handle}"), path)
        if not os.path.abspath(path).startswith(work + os.sep):
            return
        passed += 1
        if mode == "copy":
            shutil.copytree(work, f"{argument}/{passed:04d}", ignore_dangling_symlinks=True)
        elif mode == "kill" and passed == int(argument):
            os.kill(os.getpid(), signal.SIGKILL)
        elif mode == "error" and passed == int(argument.split()[0]):
            number = int(argument.split()[1])
            raise OSError(number, os.strerror(number), path)
    finally:
        busy = False


def audit(event, args):
    if event == "open" and isinstance(args[0], str | bytes | os.PathLike) and isinstance(args[2], int) and args[2] & wanted:
        point(args[0])
    elif event in ("os.remove", "os.rmdir"):
        point(args[0], args[1])
    elif event == "os.mkdir":
        point(args[0], args[2])
    elif event in ("os.rename", "os.link"):
        point(args[0], args[2])
    elif event == "os.truncate":
        point(args[0])


def writing(handle, content, write=os.write):  # half of it is there
    done = write(handle, content[: len(content) // 2])
    point(handle)
    return done + write(handle, content[done:])


def synced(handle):
    point(handle)


if mode != "plain":
    os.write, os.fsync = writing, synced
    sys.addaudithook(audit)
try:
    from diabolo.cli import main
    main()
finally:
    if mode == "error":
        busy = True
        print("operations", passed)
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Site:
    """A folder in which commands are run, and copies of it.

    Attributes:
        clocked: names of text files that tell how long something took among other numbers: their numbers are not compared.
        codes: with which the command may end when nothing disturbs it; a study ends with 1 when a bar is missed.
    """

    clocked: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0,)

    def __init__(self, farm: Any, folder: Path) -> None:
        self.farm, self.folder, self.copies = farm, folder, 0
        self.work = folder / "whole"
        self.work.mkdir(parents=True)

    def copy(self, source: Path | None = None) -> Path:
        """A copy of a folder, by default of the first one."""
        self.copies += 1
        return Path(shutil.copytree(source or self.work, self.folder / f"copy-{self.copies}"))

    def begin(self, words: str, work: Path | None = None, mode: str = "plain", argument: object = "") -> Any:
        """A command that runs."""
        return self.farm.start(SCRIPT, self.folder, work or self.work, mode, argument, *words.split())

    def run(self, words: str, work: Path | None = None, mode: str = "plain", argument: object = "") -> Ended:
        """A command that has run."""
        child = self.begin(words, work, mode, argument)
        code = child.wait(300)
        return Ended(code, child.said, child.errors)

    def run_all(
        self, lines: list[str], works: list[Path], mode: str = "plain", arguments: list[str] | None = None
    ) -> list[Ended]:
        """Several commands at once, each in a folder of its own."""
        every = zip(lines, works, arguments or [""] * len(works), strict=True)
        children = [self.begin(line, work, mode, argument) for line, work, argument in every]
        return [Ended(child.wait(300), child.said, child.errors) for child in children]

    def well(self, words: str, work: Path | None = None) -> Ended:
        """A command that must end well."""
        ended = self.run(words, work)
        assert ended.code == 0, (words, ended)
        return ended

    def states(self, words: str) -> Iterator[Path]:
        """All that a kill within a command could leave, in order; the folder itself is as the undisturbed command leaves it."""
        store = self.folder / "states"
        store.mkdir()
        ended = self.run(words, mode="copy", argument=store)
        assert ended.code in self.codes, ended
        seen = set()
        for path in sorted(store.iterdir()):
            if (digest := digest_of(path)) not in seen:
                yield path
            seen.add(digest)

    def contents(self, work: Path | None = None) -> dict[str, Any]:
        """What lies in a folder, less what the clock says and where it lies."""
        work = work or self.work
        return {file.relative_to(work).as_posix(): self._content(file) for file in work.rglob("*")}

    def _content(self, file: Path) -> Any:
        if file.is_dir():
            return "folder"
        if file.suffix == ".safetensors":
            tensors, about = files.read_tensors(file)
            return {name: t.numpy().tobytes() for name, t in tensors.items()}, timeless(about)
        if file.suffix == ".npz":
            with np.load(file) as arrays:
                return {name: arrays[name].tobytes() for name in arrays}
        if file.suffix in (".json", ".jsonl", ".md", ".html"):
            text = re.sub(rf"{re.escape(str(self.folder))}/(whole|copy-\d+|states/\d+)", "HERE", file.read_text())
            if file.name in self.clocked:
                return re.sub(r"\d+(\.\d+)?", "0", text)
            if file.suffix == ".jsonl":
                return [timeless(json.loads(line)) for line in text.splitlines()]
            return timeless(json.loads(text)) if file.suffix == ".json" else text
        return file.read_bytes()


def timeless(value: Any) -> Any:
    """JSON-able data less what the clock says."""
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items() if key not in OF_THE_CLOCK}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


def digest_of(folder: Path) -> str:
    """A digest of all names and contents."""
    digest = hashlib.blake2b()
    for path in sorted(folder.rglob("*")):
        digest.update(f"|{path.relative_to(folder)}|{path.is_dir()}|".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Where two contents differ."""
    return [
        f"{name}: {'missing' if name not in found else 'left over' if name not in wanted else 'differs'}"
        for name in sorted(found.keys() | wanted.keys())
        if found.get(name) != wanted.get(name)
    ]


Next = Callable[[Path], str]  # the command that follows, by what it finds
AT_ONCE = 4


def check_kills(site: Site, words: str, then: Next, stride: int = 1) -> int:
    """Kill a command at every `stride`-th file operation that leaves another state; after the command that follows, the folder
    must equal the undisturbed one, without leftovers. Returns how many states were looked at."""
    states = list(site.states(words))[::stride]
    wanted, wrong = site.contents(), []
    for several in pieces(states):
        works = [site.copy(state) for state in several]
        lines = [then(work) for work in works]
        for line, work, state, ended in zip(lines, works, several, site.run_all(lines, works), strict=True):
            told = f"{state.name}, then {line}: {ended.code} {ended.err.strip()[-300:]}"
            if ended.code not in site.codes and not (ended.code == 2 and "finished" in ended.err):
                wrong.append(told)
            if found := differences(site.contents(work), wanted):
                wrong.append(f"{told}: {found}")
            shutil.rmtree(work)
    assert not wrong, f"{len(wrong)} of {len(states)}:\n" + "\n".join(wrong[:8])
    return len(states)


def check_errors(site: Site, words: str, then: Next, numbers: tuple[int, ...], stride: int = 1) -> int:
    """Let the disk fail at every `stride`-th file operation of a command: it ends with exit code 1 and one sentence that names
    no hidden file, or, where the operation does not matter, well; after the command that follows, the folder must equal the
    undisturbed one. Returns how many failures were looked at."""
    start = site.copy()
    operations = int(site.run(words, site.copy(start), "error", "0 0").out.split("operations")[-1])
    undisturbed = site.run(words)
    assert undisturbed.code in site.codes, undisturbed
    wanted, wrong = site.contents(), []
    failures = [(i, numbers[n % len(numbers)]) for n, i in enumerate(range(1, operations + 1, stride))]
    for several in pieces(failures):
        works = [site.copy(start) for _ in several]
        arguments = [f"{i} {number}" for i, number in several]
        ends = site.run_all([words] * len(works), works, "error", arguments)
        failed = [bool(ended.err.strip()) or ended.code not in site.codes for ended in ends]
        lines = [then(work) if bad else "--version" for work, bad in zip(works, failed, strict=True)]
        after = site.run_all(lines, works)
        for (i, number), work, ended, bad, line, last in zip(several, works, ends, failed, lines, after, strict=True):
            sentence = ended.err.strip()
            told = f"operation {i}, {os.strerror(number)}: {ended.code} {sentence[-300:]}"
            one = sentence.startswith("diabolo: ") and os.strerror(number) in sentence and "\n" not in sentence
            if bad and (ended.code != 1 or not one or re.search(r"/\.", sentence)):
                wrong.append(told)
            if not bad:  # what could not be deleted stays until the next verb that writes here, which sweeps it away
                for run in {config.parent for config in work.rglob("config.json")}:
                    with lock.held(run, "sweeping"):
                        pass
            found = differences(site.contents(work), wanted)
            if found:
                wrong.append(f"{told}, then {line}: {last.code} {last.err.strip()[-300:]}: {found}")
            shutil.rmtree(work)
    assert not wrong, f"{len(wrong)} of {operations}:\n" + "\n".join(wrong[:8])
    return len(failures)


def pieces(values: list[Any]) -> Iterator[list[Any]]:
    """A few at a time."""
    for first in range(0, len(values), AT_ONCE):
        yield values[first : first + AT_ONCE]
