"""Would the tests notice? Modules are changed in one small place at a time, and the tests that reach it are run.

    python benchmarks/mutants.py --mutants 300 --seed 0 --out mutants.json

First every test of the rooms runs once, and which lines it reaches is written down (`--map`, kept for the next time). A mutant
is then written into a copy of the sources and the tests that reach its line run in a fork of a process that has imported torch
already, until one fails. A mutant that no test notices is listed, unless `mutants_equivalent.json` says why nothing can.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from mutations import Mutation, mutation, sites

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ROOMS = ("metrics", "evaluation", "latents", "objectives", "bottlenecks")
TESTS = (
    *ROOMS, "likelihoods", "priors", "test_heads.py", "test_likelihoods.py", "training/test_greedy.py",
    "training/test_health.py",
)  # fmt: skip
EQUIVALENT = HERE / "mutants_equivalent.json"
ENOUGH = 60.0  # seconds of tests, by how long they took when they were mapped


class Map:
    """Which lines of the rooms each test reaches, and how long it takes: a plug-in of pytest."""

    def __init__(self, source: Path) -> None:
        self.roots = tuple(str(source / "diabolo" / room) + os.sep for room in ROOMS)
        self.cut, self.here = len(str(source.parent)) + 1, set[tuple[str, int]]()
        self.lines: dict[str, list[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}
        self.passed: set[str] = set()

    def trace(self, frame, event, _):
        if not frame.f_code.co_filename.startswith(self.roots):
            return None
        path, here = frame.f_code.co_filename[self.cut :], self.here

        def line(frame, event, _):
            here.add((path, frame.f_lineno))
            return line

        here.add((path, frame.f_lineno))
        return line

    def pytest_runtest_logstart(self, nodeid):
        self.here, self.started = set(), time.perf_counter()
        sys.settrace(self.trace)

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self.passed.add(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid):
        sys.settrace(None)
        self.lines[nodeid], self.seconds[nodeid] = sorted(self.here), time.perf_counter() - self.started


def forked(work, seconds: float) -> tuple[int | None, float]:
    """The exit code of `work()` in a fork, None where it took longer; and how long it took."""
    started = time.perf_counter()
    if not (child := os.fork()):
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        try:
            code = int(work())
        except BaseException:
            code = 3
        os._exit(code)
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.perf_counter() - started > seconds:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None, time.perf_counter() - started
        time.sleep(0.05)
    return os.waitstatus_to_exitcode(ended[1]), time.perf_counter() - started


def run_tests(copy: Path, tests: Iterable[str], plugin: object = None) -> int:
    """pytest's exit code, for `tests` against the sources in `copy`."""
    import pytest

    os.chdir(copy)
    sys.path.insert(0, str(copy / "src"))
    os.environ["PYTHONPATH"] = str(copy / "src")
    return pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests], plugins=[plugin] if plugin else [])


def mapped(copy: Path, folders: Iterable[str]) -> dict:
    """The map of the tests in these folders and files."""
    out = copy / "map.json"

    def work() -> int:
        plugin = Map(copy / "src")
        import pytest

        os.chdir(copy)
        sys.path.insert(0, str(copy / "src"))
        os.environ["PYTHONPATH"] = str(copy / "src")
        code = pytest.main(
            ["-q", "-p", "no:cacheprovider", *(f"tests/{folder}" for folder in folders)], plugins=[plugin]
        )
        kept = {test: plugin.lines[test] for test in plugin.passed if test in plugin.lines}
        out.write_text(json.dumps({"lines": kept, "seconds": plugin.seconds}))
        return code

    forked(work, 3600)
    return json.loads(out.read_text())


def chosen_tests(
    change: Mutation, reach: dict[tuple[str, int], set[str]], of_file: dict[str, set[str]], seconds: dict
) -> list[str]:
    """The tests that reach the change, the quickest first; of one outside functions those that reach its module at all."""
    found = reach.get((change.path, change.line)) or of_file.get(change.path, set())
    tests, spent = [], 0.0
    for test in sorted(found, key=lambda test: seconds[test]):
        spent += seconds[test]
        if tests and spent > ENOUGH:
            break
        tests.append(test)
    return tests


def draw(copy: Path, wanted: int, seed: int, only: str) -> list[Mutation]:
    """So many different changes, from all modules of the rooms."""
    modules = [m for room in ROOMS for m in sorted((copy / "src" / "diabolo" / room).rglob("*.py")) if only in str(m)]
    places = []
    for module in modules:
        source = module.read_text()
        places += [(str(module.relative_to(copy)), source, *site) for site in sites(source)]
    random.Random(seed).shuffle(places)
    found: dict[str, Mutation] = {}
    for place in places:
        if len(found) == wanted:
            break
        if change := mutation(*place):
            found.setdefault(change.key, change)
    return list(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of the module's path")
    parser.add_argument("--map", type=Path, help="the map of an earlier run; written where it is not there")
    parser.add_argument("--again", type=Path, help="only those that survived in this earlier report")
    parser.add_argument("--out", type=Path, default=Path("mutants.json"))
    given = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    import hypothesis, numpy, pytest, scipy.stats, sklearn.ensemble, torch, torchvision  # noqa: E401, F401, I001  # so that forks need not

    equivalent = json.loads(EQUIVALENT.read_text())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("src", "tests", "benchmarks"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        if given.map and given.map.exists():
            known = json.loads(given.map.read_text())
        else:
            known = mapped(copy, TESTS)
            if given.map:
                given.map.write_text(json.dumps(known))
        reach, of_file = defaultdict(set), defaultdict(set)
        for test, lines in known["lines"].items():
            for path, line in lines:
                reach[path, line].add(test)
                of_file[path].add(test)
        changes = draw(copy, given.mutants, given.seed, given.only)
        if given.again:
            before = {one["key"] for one in json.loads(given.again.read_text())["mutants"] if one["end"] == "survived"}
            changes = [change for change in changes if change.key in before]
        report = []
        for number, change in enumerate(changes, 1):
            tests = chosen_tests(change, reach, of_file, known["seconds"])
            end, seconds = "survived", 0.0
            if tests:
                module = copy / change.path
                original, stamp = module.read_text(), time.time() + number
                module.write_text(change.source)
                os.utime(module, (stamp, stamp))  # a cache of the bytecode is told by it
                code, seconds = forked(lambda tests=tests: run_tests(copy, tests), 60 + 4 * ENOUGH)
                module.write_text(original)
                os.utime(module, (stamp + 0.5, stamp + 0.5))
                end = "survived" if code == 0 else "too long" if code is None else "killed"
            if end == "survived" and change.key in equivalent:
                end = "equivalent"
            report.append(
                {
                    "key": change.key,
                    "kind": change.kind,
                    "line": change.line,
                    "tests": len(tests),
                    "end": end,
                    "seconds": seconds,
                }
            )
            print(
                f"{number:4} {end:10} {seconds:5.1f} s {len(tests):4} tests  {change.line:4} {change.key[:200]}",
                flush=True,
            )
            given.out.write_text(json.dumps({"seed": given.seed, "mutants": report}, indent=1, ensure_ascii=False))
    table(report)


def table(report: list[dict]) -> None:
    """How many of each kind ended how."""
    ends = ("killed", "too long", "survived", "equivalent")
    print("\n" + f"{'':12}" + "".join(f"{end:>12}" for end in ends))
    for kind in [*sorted({one["kind"] for one in report}), "all"]:
        counts = [sum(one["end"] == end and kind in (one["kind"], "all") for one in report) for end in ends]
        print(f"{kind:12}" + "".join(f"{count:12}" for count in counts))
    survived, counted = (sum(one["end"] in which for one in report) for which in (("survived",), ends[:3]))
    print(f"\n{survived} of {counted} that are no equivalents survive: {survived / max(1, counted):.1%}")


if __name__ == "__main__":
    main()
