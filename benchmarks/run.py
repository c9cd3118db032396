"""Trains the same work with each contender, one process after the other, interleaved and repeated, and compares.

    python run.py --pythae-python ../.venv-pythae/bin/python

Round after round it runs course, pythae, diabolo and the floor, each in a fresh process on the same cores.
A run's figure is the median of its epochs (training only); the table shows the median and the range over the rounds.
Ratios are taken within a round, where the machine was in the same mood, and then their median is taken.
"""

import argparse
import datetime
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = {
    "course": ["course.py"],
    "pythae": ["pythae_run.py"],
    "diabolo": ["diabolo_run.py"],
    "diabolo --no-compile": ["diabolo_run.py", "--no-compile"],
    "diabolo --compile": ["diabolo_run.py", "--compile"],
    "floor": ["floor.py"],
}
WORKS = ("fc", "conv", "conv64", "celeba64")
IMAGES = {"fc": 60_000, "conv": 60_000, "conv64": 20_000, "celeba64": 6_400}
LOSS_UNIT = {
    "fc": "nats per image",
    "conv": "squared error per pixel",
    "conv64": "nats per image",
    "celeba64": "squared error + nats per image",
}
SAME_LOSS = 0.01
BUSY = 0.03  # share of the cores taken by other programs from which a warning is printed

# (device, work, slower, faster): how much slower at least; beside the floor: at most
RATIO_BARS = {
    ("cpu", "fc", "course", "diabolo"): 4.0,
    ("cpu", "fc", "pythae", "diabolo"): 2.8,
    ("cpu", "fc", "diabolo", "floor"): 1.6,
    ("cpu", "conv", "course", "diabolo"): 2.6,
    ("cpu", "conv", "diabolo", "floor"): 1.35,
    ("cpu", "celeba64", "course", "diabolo"): 2.5,
    ("cpu", "celeba64", "diabolo", "floor"): 1.12,
    ("cuda", "fc", "pythae", "diabolo"): 20.0,
    ("cuda", "conv64", "pythae", "diabolo"): 20.0,
}
# (device, work, images per second at least)
SPEED_BARS = (("cuda", "fc", 1_500_000), ("cuda", "conv64", 60_000))
SHOWN_RATIOS = (
    ("course", "diabolo"),
    ("pythae", "diabolo"),
    ("diabolo", "floor"),
    ("diabolo --no-compile", "floor"),
    ("diabolo --compile", "floor"),
    ("course", "pythae"),
)


# ------------------------------------------------------------------------------------------------- the machine


def available_cores() -> int:
    """The cores this process may really use: its affinity, cut by the cgroup's quota."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return cores


def cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def machine_busy_seconds() -> float | None:
    """CPU seconds all processes of the machine have used so far (Linux only)."""
    try:
        fields = [int(f) for f in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# ----------------------------------------------------------------------------------------------------- one run


def run_one(what: str, work: str, seed: int, args: argparse.Namespace) -> dict:
    """Run one contender in a process of its own; the JSON line it printed, or {"error": …}."""
    python = args.pythae_python if what == "pythae" else sys.executable
    script, *flags = SCRIPTS[what]
    command = [python, str(HERE / script), *flags, "--threads", str(args.threads), "--device", args.device]
    command += ["--work", work, "--epochs", str(args.epochs), "--seed", str(seed)]
    if args.batch_size:
        command += ["--batch-size", str(args.batch_size)]
    threads = str(args.threads)
    # Waiting OpenMP threads give way soon, for all contenders alike: what else runs on the machine disturbs them less.
    environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "GOMP_SPINCOUNT": "10000"}

    busy, own, start = machine_busy_seconds(), children_seconds(), time.perf_counter()
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True)
    wall = time.perf_counter() - start
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        tail = (done.stderr or done.stdout).strip().splitlines()[-12:]
        return {"what": what, "work": work, "error": "\n".join(tail) or f"exit code {done.returncode}"}
    result = json.loads(lines[-1])
    result["process_seconds"] = round(wall, 2)
    result["cpu_seconds"] = round(children_seconds() - own, 2)
    if busy is not None:
        result["other_cpu_seconds"] = round(max(0.0, machine_busy_seconds() - busy - result["cpu_seconds"]), 2)
    return result


def figure(run: dict) -> float:
    """Seconds per epoch of one run: the median of its epochs (floor: in the precision and layout that is fastest here)."""
    seconds = run["seconds_per_epoch"]
    if isinstance(seconds, dict):
        return min(statistics.median(times) for times in seconds.values())
    return statistics.median(seconds)


# --------------------------------------------------------------------------------------------------- the table


def markdown(header: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(w) for cell, w in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(header), "| " + " | ".join("-" * w for w in widths) + " |", *map(line, rows)])


def spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def met(condition: bool) -> str:
    return "met" if condition else "MISSED"


def last_losses(runs: list[dict], name: str) -> list[float]:
    return [run["train_loss"][-1] if name == "train" else run["test_loss"] for run in runs]


def time_table(work: str, runs: dict[str, list[dict]]) -> str:
    header = ["contender", "s an epoch: median (range)", "images/s", "first epoch, s", "whole process, s"]
    rows = []
    for what, mine in runs.items():
        if what == "floor":
            for name in mine[0]["seconds_per_epoch"]:
                times = [statistics.median(run["seconds_per_epoch"][name]) for run in mine]
                speed = IMAGES[work] / statistics.median(times)
                rows.append([f"floor, {name}", spread(times, ".3f"), f"{speed:,.0f}", "", ""])
            continue
        times = [figure(run) for run in mine]
        rows.append(
            [
                what,
                spread(times, ".3f"),
                f"{IMAGES[work] / statistics.median(times):,.0f}",
                f"{statistics.median(run['seconds_per_epoch'][0] for run in mine):.2f}",
                f"{statistics.median(run['process_seconds'] for run in mine):.1f}",
            ]
        )
    table = markdown(header, rows)
    decoding = [run["decoding_seconds"] for mine in runs.values() for run in mine if "decoding_seconds" in run]
    if decoding:
        seconds = statistics.median(decoding)
        table += f"\n\ndiabolo decodes the files once, before training: {seconds:.1f} s, which are in no epoch."
    ways = {run["compiled"] for run in runs.get("diabolo", [])}
    if ways:
        said = "compiled" if True in ways else "not compiled"
        table += f"\n\nAt its defaults a training of the usual length is {said} by diabolo."
    return table


def ratio_table(device: str, work: str, rounds: list[dict[str, dict]], runs: dict[str, list[dict]]) -> str:
    rows = []
    for slow, fast in SHOWN_RATIOS:
        ratios = [figure(r[slow]) / figure(r[fast]) for r in rounds if slow in r and fast in r]
        if not ratios:
            continue
        bar, ratio = RATIO_BARS.get((device, work, slow, fast)), statistics.median(ratios)
        most = fast == "floor"
        verdict = (
            ["", ""]
            if bar is None
            else [f"{'≤' if most else '≥'} {bar:g}", met(ratio <= bar if most else ratio >= bar)]
        )
        rows.append([f"{slow} / {fast}", spread(ratios, ".2f"), *verdict])
    for on, of, bar in SPEED_BARS:
        if (on, of) == (device, work) and "diabolo" in runs:
            speed = IMAGES[work] / statistics.median(figure(run) for run in runs["diabolo"])
            rows.append(["diabolo, images/s", f"{speed:,.0f}", f"≥ {bar:,}", met(speed >= bar)])
    return markdown(["time ratio", "median (range) over rounds", "bar", "verdict"], rows) if rows else ""


def loss_table(work: str, runs: dict[str, list[dict]]) -> str:
    trained = {what: mine for what, mine in runs.items() if what != "floor"}
    if not trained:
        return ""
    rows = []
    for what, mine in trained.items():
        row = [what, f"{mine[0]['parameters']:,}"]
        for name in ("train", "test"):
            losses = last_losses(mine, name)
            row.append(spread(losses, ".6f" if work == "conv" else ".3f"))
            if what == "course" or "course" not in trained:
                row.append("")
                continue
            off = statistics.median(losses) / statistics.median(last_losses(trained["course"], name)) - 1
            row.append(f"{off:+.2%} {met(abs(off) <= SAME_LOSS)}")
        rows.append(row)
    same = f"within {SAME_LOSS:.0%} of course"
    table = markdown(["contender", "parameters", "train loss, last epoch", same, "test loss", same], rows)
    table += f"\n\nLosses in {LOSS_UNIT[work]}, median (range) over the rounds; every round has its own seed."
    if len({mine[0]["parameters"] for mine in trained.values()}) > 1:
        table += "\nWARNING: the parameter counts differ, so this is not the same work."
    return table


def report(record: dict) -> str:
    machine, parts = record["environment"], []
    for work, rounds in record["works"].items():
        good = [{what: run for what, run in r.items() if "error" not in run} for r in rounds]
        runs: dict[str, list[dict]] = {}
        for r in good:
            for what, run in r.items():
                runs.setdefault(what, []).append(run)
        failures = [
            f"{work}, round {i + 1}, {what}: FAILED\n{run['error']}"
            for i, r in enumerate(rounds)
            for what, run in r.items()
            if "error" in run
        ]
        if not runs:
            parts += [f"### {work}: nothing ran", *failures]
            continue
        batch = next(iter(runs.values()))[0]["batch_size"]
        counts = f"{record['epochs']} epochs, {len(rounds)} rounds, {machine['threads']} threads"
        parts.append(f"### {work}, batch {batch}, {counts}, {machine['device']}")
        parts.append(f"{machine['cpu']}, {machine['cores']} cores, torch {machine['torch']}, {machine['date']}")
        parts.append(time_table(work, runs))
        parts.append(ratio_table(record["device"], work, good, runs))
        parts.append(loss_table(work, runs))
        everything = [run for mine in runs.values() for run in mine]
        taken = sum(run["process_seconds"] for run in everything) * machine["cores"]
        others = sum(run.get("other_cpu_seconds", 0.0) for run in everything)
        if others > BUSY * taken:
            parts.append(f"WARNING: other programs took {others / taken:.0%} of the cores meanwhile; repeat when idle.")
        parts += failures
    parts += record["notes"]
    return "\n\n".join(part for part in parts if part)


# -------------------------------------------------------------------------------------------------------- main


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", nargs="+", choices=WORKS, default=["fc", "conv", "celeba64"])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3, help="rounds; each has a seed of its own")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first round")
    parser.add_argument("--batch-size", type=int, help="default: 128, for conv 64; on a GPU 512 for fc")
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the cores really available")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--only", nargs="+", choices=tuple(SCRIPTS), default=list(SCRIPTS))
    parser.add_argument("--pythae-python", metavar="PATH", help="interpreter that has Pythae; without it, no pythae")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    parser.add_argument("--table", type=Path, metavar="JSON", help="only print the table of an earlier run's JSON")
    args = parser.parse_args()
    if min(args.epochs, args.repeats, args.threads) < 1:
        parser.error("--epochs, --repeats and --threads are at least 1")
    return args


def save(record: dict, path: Path) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    temporary.replace(path)


def main() -> int:
    args = parse()
    if args.table:
        print(report(json.loads(args.table.read_text())))
        return 0

    contenders = [what for what in SCRIPTS if what in args.only]
    notes = []
    if "pythae" in contenders and not args.pythae_python:
        contenders.remove("pythae")
        notes.append("pythae was skipped: give --pythae-python PATH, an interpreter that has it (see README.md).")
    if not contenders:
        print(notes[0], file=sys.stderr)
        return 2
    if hasattr(os, "sched_setaffinity"):  # the children inherit it: nobody gets more cores than its threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])

    record = {
        "environment": {
            "cpu": cpu_model(),
            "cores": args.threads,
            "threads": args.threads,
            "torch": None,
            "python": platform.python_version(),
            "system": platform.platform(),
            "device": args.device,
            "date": datetime.date.today().isoformat(),
        },
        "device": args.device,
        "epochs": args.epochs,
        "notes": notes,
        "works": {},
    }
    failed = False
    for work in args.work:
        record["works"][work] = []
        for i in range(args.repeats):
            record["works"][work].append({})
            for what in contenders:
                if what == "pythae" and work == "celeba64":  # it is the course script's assignment
                    continue
                run = run_one(what, work, args.seed + i, args)
                record["works"][work][-1][what] = run
                failed |= "error" in run
                record["environment"]["torch"] = record["environment"]["torch"] or run.get("torch")
                if args.device == "cuda" and run.get("device"):
                    record["environment"]["device"] = run["device"]
                save(record, args.out)
                said = "failed" if "error" in run else f"{figure(run):.3f} s an epoch"
                if run.get("other_cpu_seconds", 0.0) > BUSY * args.threads * run.get("process_seconds", 0.0):
                    said += f" (other programs used {run['other_cpu_seconds']:.0f} s of CPU meanwhile)"
                print(f"{work}, round {i + 1} of {args.repeats}, {what}: {said}", file=sys.stderr, flush=True)

    print(report(record))
    print(f"\nwritten to {args.out}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
