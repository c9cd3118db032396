"""How much memory do `encode`, `reconstruct` and `evaluate` take above the data at rest?

    python benchmarks/memory.py
    python benchmarks/memory.py --vectors 100000 --images 20000 --only evaluate --each

Made-up data without labels: vectors of 20 numbers (float32), and pictures of 28×28 bytes, and a small VAE of each kind. Each
work runs in a process of its own, after the same work on 2048 of the rows, which loads libraries and fills buffers:

* `encode` and `reconstruct` are the commands. The data lie in a .npy file and so do the results.
* `model.encode` is that method of the model, given all rows as one array; all codes are then in memory.
* `evaluate` takes the measures that it takes when none is named. Half of the rows are training data, half test data.

The peak is that of the resident set, which Linux keeps for each process, above what was resident when the work began, the data
among it where they are in memory. Beside it stand the bytes that all rows take at rest and as float32. Half as many rows come
first, so that one sees what grows with their number.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

WORKS = ("encode", "reconstruct", "model.encode", "evaluate")
SHAPES: dict[str, tuple[int, ...]] = {"vectors": (20,), "images": (1, 28, 28)}
COLUMNS = ("at rest, MiB", "as float32, MiB", "peak above, MiB", "seconds")
PIECE = 10_000  # rows that are made up at once
FEW = 2048
MIB = 2**20


def made_up(kind: str, n: int, seed: int = 0) -> np.ndarray:
    """`n` rows: vectors that lie near a space of 5 dimensions, or pictures of a blob each."""
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(5, 20))
    found = np.empty((n, *SHAPES[kind]), np.float32 if kind == "vectors" else np.uint8)
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    for start in range(0, n, PIECE):
        few = found[start : start + PIECE]
        if kind == "vectors":
            few[:] = np.tanh(random.normal(size=(len(few), 5)) @ mixing) + 0.1 * random.normal(size=few.shape)
            continue
        down, right, width = random.uniform((-0.5, -0.5, 0.2), (0.5, 0.5, 0.6), (len(few), 3)).T[:, :, None, None]
        few[:, 0] = np.rint(255 * np.exp(-((x - right) ** 2 + (y - down) ** 2) / width**2))
    return found


def as_images(kind: str, n: int, seed: int = 0) -> Any:
    import diabolo

    return diabolo.data.as_images(made_up(kind, n, seed), range="own" if kind == "vectors" else "auto")


def train(kind: str, out: Path) -> Path:
    """A small VAE of that data, in a run folder."""
    import diabolo

    how: dict[str, Any] = {"likelihood": "gaussian", "latent_dim": 5} if kind == "vectors" else {"latent_dim": 8}
    first, second = (as_images(kind, 2000, seed) for seed in (1, 2))
    return diabolo.fit("vae", first, second, hidden=(64,), epochs=3, out=out, quiet=True, **how).path


def status(name: str) -> int:
    """Bytes that Linux tells of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def forget_peak() -> None:
    """Let the peak of the resident set be what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")


def commanded(what: str, n: int, run: Path, file: Path) -> None:
    """Run the command on `n` rows, which lie in a file."""
    from importlib import import_module

    command = import_module(f"diabolo.cli.{what}").command
    with contextlib.redirect_stdout(sys.stderr):
        command(run, str(file.with_name(f"{n}.npy")), out=file.with_name("out.npy"))


class Evaluating:
    """`evaluate` with the peak of each measure."""

    def __init__(self, model: Any) -> None:
        self.model, self.before, self.peaks = model, status("VmRSS"), dict[str, int]()
        self.now: str | None = None
        self.found: Any = None

    def __call__(self, images: Any) -> None:
        import diabolo

        half = np.arange(len(images)) < len(images) // 2
        pair = images.take(half).called(split="train"), images.take(~half).called(split="test")
        self.found = diabolo.evaluate(self.model, pair, say=self.begins)
        self.ends()

    def begins(self, name: str) -> None:
        self.ends()
        self.now = name

    def ends(self) -> None:
        if self.now is not None:
            self.peaks[self.now] = round((status("VmHWM") - self.before) / MIB)
        self.now = None
        forget_peak()


def work(kind: str, what: str, n: int, run: Path, each: bool) -> dict[str, Any]:
    """What one process measures."""
    import diabolo

    more: dict[str, Any] = {}
    rows = as_images(kind, n)
    with tempfile.TemporaryDirectory() as folder:
        if what in ("encode", "reconstruct"):
            for number in (FEW, n):
                np.save(Path(folder) / f"{number}.npy", rows.images[:number])
            del rows
            commanded(what, FEW, run, Path(folder) / "x.npy")
            forget_peak()
            before, began = status("VmRSS"), time.perf_counter()
            commanded(what, n, run, Path(folder) / "x.npy")
            peak = status("VmHWM") - before
        elif what == "model.encode":
            model = diabolo.load(run)
            model.encode(rows.images[:FEW])
            forget_peak()
            before, began = status("VmRSS"), time.perf_counter()
            codes = model.encode(rows.images)
            peak = status("VmHWM") - before
            more = {"codes, MiB": round(codes.nbytes / MIB)}
        else:
            model = diabolo.load(run)
            Evaluating(model)(rows.take(np.arange(FEW)))
            forget_peak()
            evaluating, began = Evaluating(model), time.perf_counter()
            evaluating(rows)
            peak = MIB * max(evaluating.peaks.values())
            more = {"peaks": evaluating.peaks, "took": dict(evaluating.found.seconds)} if each else {}
            more |= {"skipped": dict(evaluating.found.skipped)} if each else {}
    size = int(np.prod((n, *SHAPES[kind])))
    at_rest = size * (4 if kind == "vectors" else 1)
    figures = (at_rest / MIB, 4 * size / MIB, peak / MIB, time.perf_counter() - began)
    return {"data": kind, "rows": n, "work": what} | dict(zip(COLUMNS, map(round, figures), strict=True)) | more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--only", choices=WORKS, nargs="+", default=WORKS)
    parser.add_argument("--each", action="store_true", help="the peak and the seconds of every measure too")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--work", nargs=4, metavar=("KIND", "WORK", "ROWS", "RUN"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        import torch

        torch.set_num_threads(args.threads)
        kind, what, n, run = args.work
        print(json.dumps(work(kind, what, int(n), Path(run), args.each)), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        print(
            "| data | rows | work | " + " | ".join(COLUMNS) + " |\n" + "| --- " * (3 + len(COLUMNS)) + "|", flush=True
        )
        for kind, most in (("vectors", args.vectors), ("images", args.images)):
            run = train(kind, Path(folder)) if most else Path()
            for what in args.only if most else ():
                for n in (most // 2, most):
                    command = [sys.executable, __file__, "--threads", str(args.threads), *["--each"] * args.each]
                    command += ["--work", kind, what, str(n), str(run)]
                    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
                    told = json.loads(done.stdout.splitlines()[-1])
                    cells = [kind, f"{n:,}", f"`{what}`", *(f"{told[column]:,}" for column in COLUMNS)]
                    print("| " + " | ".join(cells) + " |", flush=True)
                    if args.each:
                        print(done.stdout.splitlines()[-1], file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
