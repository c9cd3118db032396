"""How many trials a sweep trains in a minute with one worker and with two, one thread each, in turn.

    python benchmarks/sweep.py --trials 24 --repeats 3

Trials are alike (a VAE on digits, nothing pruned). The time runs from the start of the first trial to the end of the last, as
the journal has them, so that neither the start of Python nor the import of torch counts. Run it on an idle machine with two
cores or more: how much of them other programs took is printed with each figure.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from statistics import median

import psutil

WORDS = (
    "sweep", "vae", "--data", "digits", "--hidden", "256", "--latent-dim", "8", "--search", "lr=log:1e-4..1e-2", "--minimise",
    "validation/total", "--prune", "none", "--sampler", "random", "--threads", "1", "--no-compile", "--quiet",
)  # fmt: skip


def trials_a_minute(workers: int, trials: int, epochs: int) -> tuple[float, float]:
    """Trials a minute, and the cores that other programs used meanwhile."""
    with tempfile.TemporaryDirectory() as place:
        words = [
            sys.executable,
            "-m",
            "diabolo",
            *WORDS,
            "--epochs",
            str(epochs),
            "--trials",
            str(trials),
            "--out",
            "sweep",
        ]
        before, own = psutil.cpu_times(), os.times()
        started = datetime.now()
        processes = [subprocess.Popen(words, cwd=place, stdout=subprocess.DEVNULL) for _ in range(workers)]
        if any(process.wait() for process in processes):
            raise SystemExit("a worker has failed")
        passed = (datetime.now() - started).total_seconds()
        after, done = psutil.cpu_times(), os.times()
        lines = [json.loads(line) for line in (Path(place) / "sweep" / "journal.log").read_text().splitlines()]
        begun = min(datetime.fromisoformat(line["datetime_start"]) for line in lines if line["op_code"] == 4)
        ended = [datetime.fromisoformat(line["datetime_complete"]) for line in lines if line.get("datetime_complete")]
        assert len(ended) == trials, "a trial has ended twice, or not at all"
        busy = sum(getattr(after, kind) - getattr(before, kind) for kind in ("user", "system", "nice"))
        ours = sum(done[k] - own[k] for k in range(4))
        return 60 * trials / (max(ended) - begun).total_seconds(), max(0.0, busy - ours) / passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    found: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(args.repeats):
        for workers, rates in found.items():
            rate, others = trials_a_minute(workers, args.trials, args.epochs)
            rates.append(rate)
            print(f"workers: {workers}  trials a minute: {rate:.1f}  cores that others used: {others:.2f}", flush=True)
    one, two = (median(rates) for rates in found.values())
    pairs = ", ".join(f"{b / a:.2f}" for a, b in zip(found[1], found[2], strict=True))
    print(f"two workers train {two / one:.2f} times as many trials as one (medians; pair by pair: {pairs})")


if __name__ == "__main__":
    main()
