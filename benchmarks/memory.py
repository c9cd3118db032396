"""How much memory do `encode`, `reconstruct` and `evaluate` take above the data at rest?

    python benchmarks/memory.py
    python benchmarks/memory.py --vectors 100000 --images 20000 --only evaluate --each

Made-up data: vectors of 20 numbers (float32), and pictures of 28×28 bytes. A small model of each kind is trained once. Each work runs
in a process of its own, on data that lie in its memory before: `encode` and `reconstruct` as the command line writes them (a piece at a
time, into a .npy file), `codes` as `model.encode(array)` gives them (all codes are in memory then), and `evaluate` with
the measures that are there when none is named, half of the rows being training data and half test data.

The peak is that of the resident set, which Linux keeps for each process, above what it was when the work began. Beside it stand the
bytes that all rows take at rest and as float32: what holds chunks stays far below the latter however many rows there are. Two sizes,
the asked one and a fourth of it, show what grows with the number of rows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

WORKS = ("encode", "codes", "reconstruct", "evaluate")
SHAPES: dict[str, tuple[int, ...]] = {"vectors": (20,), "images": (1, 28, 28)}
PIECE = 10_000  # rows that are made up at once
MIB = 2**20


def made_up(kind: str, n: int, seed: int = 0) -> np.ndarray:
    """`n` rows: vectors that lie near a space of 5 dimensions, or pictures of a blob each."""
    shape = SHAPES[kind]
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(5, 20))
    found = np.empty((n, *shape), np.float32 if kind == "vectors" else np.uint8)
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    for start in range(0, n, PIECE):
        few = found[start : start + PIECE]
        if kind == "vectors":
            few[:] = np.tanh(random.normal(size=(len(few), 5)) @ mixing) + 0.1 * random.normal(size=few.shape)
            continue
        down, right, width = random.uniform((-0.5, -0.5, 0.2), (0.5, 0.5, 0.6), (len(few), 3)).T[:, :, None, None]
        few[:, 0] = np.rint(255 * np.exp(-((x - right) ** 2 + (y - down) ** 2) / width**2))
    return found


def train(kind: str, out: Path) -> Path:
    """A small VAE of that data, in a run folder."""
    import diabolo

    parts = (
        diabolo.data.as_images(made_up(kind, 2000, seed), range="own" if kind == "vectors" else "auto")
        for seed in (1, 2)
    )
    first, second = parts
    how: dict[str, Any] = {"likelihood": "gaussian", "latent_dim": 5} if kind == "vectors" else {"latent_dim": 8}
    return diabolo.fit("vae", first, second, hidden=(64,), epochs=3, out=out, quiet=True, **how).path


def status(name: str) -> int:
    """Bytes that Linux tells of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])


def forget_peak() -> None:
    """Let the peak of the resident set be what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")


def work(kind: str, what: str, n: int, run: Path, each: bool) -> dict[str, Any]:
    """What one process measures."""
    import diabolo
    from diabolo.cli.images import Given, in_pieces, write_array

    model = diabolo.load(run)
    images = diabolo.data.as_images(made_up(kind, n), range="own" if kind == "vectors" else "auto")
    few = images.take(np.arange(2048))
    peaks = dict[str, float]()

    def given(some: diabolo.data.Images) -> Given:
        return Given((some,), tuple(map(str, range(len(some)))))

    def run_it(some: diabolo.data.Images) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            if what == "encode":
                write_array(
                    Path(folder) / "x.npy",
                    len(some),
                    in_pieces(lambda x, y: model.encode(x, y).flatten(1), given(some)),
                )
            elif what == "reconstruct":
                write_array(Path(folder) / "x.npy", len(some), in_pieces(model.reconstruct, given(some)))
            elif what == "codes":
                model.encode(some.images)
            else:
                return evaluated(some)
        return {}

    def evaluated(some: diabolo.data.Images) -> dict[str, Any]:
        half = np.arange(len(some)) < len(some) // 2
        pair = some.take(half).called(split="train"), some.take(~half).called(split="test")
        told: list[str] = []

        def say(name: str) -> None:
            if each:
                keep()
                told.append(name)
                forget_peak()

        def keep() -> None:
            if told:
                peaks[told[-1]] = round((status("VmHWM") - before) / MIB)

        found = diabolo.evaluate(model, pair, say=say)
        keep()
        return {"seconds of each": dict(found.seconds), "skipped": dict(found.skipped)}

    before = status("VmRSS")
    run_it(few)  # imports, threads and buffers that do not depend on the number of rows
    peaks.clear()
    forget_peak()
    before, began = status("VmRSS"), time.perf_counter()
    more = run_it(images)
    peak = max(status("VmHWM") - before, *(MIB * p for p in peaks.values()), 0)
    return {
        "data": kind,
        "work": what,
        "rows": n,
        "at rest, MiB": round(images.images.nbytes / MIB),
        "as float32, MiB": round(images.images.size * 4 / MIB),
        "peak above, MiB": round(peak / MIB),
        "seconds": round(time.perf_counter() - began, 1),
        **({"peaks of each": peaks, **more} if each else {}),
    }


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
        print("| data | rows | work | at rest, MiB | as float32, MiB | peak above, MiB | seconds |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for kind, most in (("vectors", args.vectors), ("images", args.images)):
            if not most:
                continue
            run = train(kind, Path(folder))
            for what in args.only:
                for n in (most // 4, most):
                    command = [
                        sys.executable,
                        __file__,
                        "--threads",
                        str(args.threads),
                        "--work",
                        kind,
                        what,
                        str(n),
                        str(run),
                    ]
                    found = subprocess.run(
                        command + ["--each"] * args.each, stdout=subprocess.PIPE, check=True, text=True
                    )
                    told = json.loads(found.stdout.splitlines()[-1])
                    cells = (
                        kind,
                        n,
                        what,
                        *(told[k] for k in ("at rest, MiB", "as float32, MiB", "peak above, MiB", "seconds")),
                    )
                    print(
                        "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |",
                        flush=True,
                    )
                    if args.each:
                        print(json.dumps(told), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
