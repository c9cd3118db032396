"""Would the tests notice? Modules are changed in one small place at a time, and the tests that reach it are run.

    python benchmarks/mutants.py --mutants 300 --seed 0 --out mutants.json

First every test of the rooms runs once, and which lines it reaches is written down (`--map`, kept for the next time). A mutant
is then written into a copy of the sources and the tests that reach its line run in a fork of a process that has imported torch
already, until one fails. A mutant that no test notices is listed, unless `mutants_equivalent.json` says why nothing can.
"""

import argparse
import gc
import importlib
import json
import math
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import CodeType, FunctionType

from mutations import Mutation, mutation, sites

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ROOMS = ("metrics", "evaluation", "latents", "objectives", "bottlenecks")
TESTS = (
    *ROOMS, "likelihoods", "priors", "test_heads.py", "test_likelihoods.py", "training/test_greedy.py", "cli/test_closing.py",
    "training/test_health.py",
)  # fmt: skip
EQUIVALENT = HERE / "mutants_equivalent.json"
DEFAULTS = "metrics/test_defaults.py"
LONG = 150.0  # seconds after which tests are taken to hang
UNCHANGED = 17  # exit code where a change cannot be made in functions that are there already


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


def quiet() -> None:
    """Nothing more is printed by this process."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def forked(work, seconds: float) -> tuple[int | None, float]:
    """The exit code of `work()` in a fork, None where it took longer; and how long it took."""
    started = time.perf_counter()
    if not (child := os.fork()):
        os.setsid()
        quiet()
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
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(ended[1]), time.perf_counter() - started


def run_tests(copy: Path, tests: Iterable[str], plugin: object = None, *options: str) -> int:
    """pytest's exit code, for `tests` against the sources in `copy`."""
    import pytest

    os.chdir(copy)
    sys.path.insert(0, str(copy / "src"))
    os.environ["PYTHONPATH"] = str(copy / "src")
    return pytest.main(["-q", "-p", "no:cacheprovider", *options, *tests], plugins=[plugin] if plugin else [])


def mapped(copy: Path, folders: Iterable[str]) -> dict:
    """The map of the tests in these folders and files."""
    out = copy / "map.json"

    def work() -> int:
        plugin = Map(copy / "src")
        code = run_tests(copy, [f"tests/{folder}" for folder in folders], plugin)
        kept = {test: plugin.lines[test] for test in plugin.passed if test in plugin.lines}
        out.write_text(json.dumps({"lines": kept, "seconds": plugin.seconds}))
        return code

    forked(work, 3600)
    return json.loads(out.read_text())


def put_in(change: Mutation, copy: Path) -> bool:
    """Give the functions that are there already the changed code; whether that is all that the change changes."""
    path = str(copy / change.path)
    before, after = (_codes(compile(source, path, "exec")) for source in (Path(path).read_text(), change.source))
    changed = {name for name in before if [*map(_told, before[name])] != [*map(_told, after.get(name, []))]}
    outer, put = {name.split(".<locals>.")[0] for name in changed}, set()
    for function in [f for f in gc.get_objects() if isinstance(f, FunctionType) and f.__code__.co_filename == path]:
        new = after.get(name := function.__code__.co_qualname, [])
        if name in outer and len(new) == 1 and function.__code__.co_freevars == new[0].co_freevars:
            function.__code__ = new[0]
            put.add(name)
    return bool(outer) and outer == put


def _codes(code: CodeType) -> dict[str, list[CodeType]]:
    """All code of a module, by its qualified name."""
    found: dict[str, list[CodeType]] = {code.co_qualname: [code]}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            for name, codes in _codes(inner).items():
                found.setdefault(name, []).extend(codes)
    return found


def _told(code: CodeType) -> tuple:
    """What a function does, but for those within it."""
    values = [(type(value), value) for value in code.co_consts if not isinstance(value, CodeType)]
    return code.co_code, code.co_names, values, code.co_varnames


class Changes:
    """Each change in a fork of the process in which all tests are collected: a plug-in of pytest."""

    def __init__(self, copy: Path, changes: dict[int, Mutation], tests: Mapping[str, list[str]], out: int) -> None:
        self.copy, self.changes, self.tests, self.out = copy, changes, tests, out

    def pytest_runtestloop(self, session):
        for module in {Path(change.path) for change in self.changes.values()}:
            importlib.import_module(".".join(module.with_suffix("").parts[1:]).removesuffix(".__init__"))
        items = {item.nodeid: item for item in session.items}
        for number, change in self.changes.items():
            chosen = [items[test] for test in self.tests[change.key] if test in items]

            def work(change=change, chosen=chosen) -> int:
                if not put_in(change, self.copy):
                    return UNCHANGED
                for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                    if session.testsfailed:
                        return 1
                return 0

            os.write(self.out, (json.dumps([number, *forked(work, LONG)]) + "\n").encode())
        return True


def chosen_tests(
    change: Mutation, reach: dict[tuple[str, int], set[str]], of_file: dict[str, set[str]], seconds: dict, enough: float
) -> list[str]:
    """The tests that reach the change, file by file, the quickest first, and those of the defaults; of one outside functions
    those that reach its module at all."""
    found = reach.get((change.path, change.line)) or of_file.get(change.path, set())
    found = found | {test for test in seconds if DEFAULTS in test}
    first: dict[str, float] = {}
    for test in found:
        file = test.split("::")[0]
        first[file] = min(first.get(file, math.inf), seconds[test])
    tests, spent = [], 0.0
    for test in sorted(found, key=lambda test: (first[file := test.split("::")[0]], file, seconds[test])):
        if not tests or spent + seconds[test] <= enough:
            tests.append(test)
            spent += seconds[test]
    return tests


class Report:
    """How each change ended; written after each."""

    def __init__(self, out: Path, seed: int, equivalent: Mapping[str, str], tests: Mapping[str, list[str]]) -> None:
        self.out, self.seed, self.equivalent, self.tests = out, seed, equivalent, tests
        self.rows: list[dict] = []

    def add(self, change: Mutation, code: int | None, seconds: float) -> None:
        end = "survived" if code == 0 else "too long" if code is None else "killed"
        if end == "survived" and change.key in self.equivalent:
            end = "equivalent"
        row = {"key": change.key, "kind": change.kind, "line": change.line, "tests": len(self.tests[change.key])}
        self.rows.append(row | {"end": end, "seconds": seconds})
        print(
            f"{len(self.rows):4} {end:10} {seconds:5.1f} s {row['tests']:4} tests  {change.line:4} {change.key[:200]}",
            flush=True,
        )
        self.out.write_text(json.dumps({"seed": self.seed, "mutants": self.rows}, indent=1, ensure_ascii=False))


def at_once(copy: Path, changes: list[Mutation], report: Report, jobs: int) -> list[Mutation]:
    """Try each change; those that are left take a process that has imported nothing yet."""
    left, (reading, writing) = dict(enumerate(changes)), os.pipe()
    apart = []
    for job in range(jobs):
        mine = dict(list(enumerate(changes))[job::jobs])
        if not os.fork():
            quiet()
            tests = sorted({test.split("::")[0] for one in mine.values() for test in report.tests[one.key]})
            run_tests(copy, tests, Changes(copy, mine, report.tests, writing))
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        for number, code, seconds in map(json.loads, lines):
            one = left.pop(number)
            if code == UNCHANGED:
                apart.append(one)
            else:
                report.add(one, code, seconds)
    return [*apart, *left.values()]


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
    return sorted(found.values(), key=lambda change: (change.path, change.line))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--seconds", type=float, default=30, help="of tests for each, by how long they took when mapped"
    )
    parser.add_argument("--tests", nargs="+", default=TESTS, help="the folders and files of tests that may notice")
    parser.add_argument("--only", default="", help="a part of the module's path")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
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
            known = mapped(copy, given.tests)
            if given.map:
                given.map.write_text(json.dumps(known))
        reach, of_file = defaultdict(set), defaultdict(set)
        for test, lines in known["lines"].items():
            for path, line in lines:
                reach[path, line].add(test)
                of_file[path].add(test)
        if given.again:
            before = [one["key"] for one in json.loads(given.again.read_text())["mutants"] if one["end"] == "survived"]
            every = [draw(copy, sys.maxsize, given.seed, path) for path in sorted({key.split()[0] for key in before})]
            changes = [change for some in every for change in some if change.key in before]
        else:
            changes = draw(copy, given.mutants, given.seed, given.only)
        tests = {one.key: chosen_tests(one, reach, of_file, known["seconds"], given.seconds) for one in changes}
        report = Report(given.out, given.seed, equivalent, tests)
        for one in changes:
            if not tests[one.key]:
                report.add(one, 0, 0.0)
        changes = [one for one in changes if tests[one.key]]
        left = at_once(copy, changes, report, given.jobs)
        for number, one in enumerate(left, 1):
            module = copy / one.path
            original, stamp = module.read_text(), time.time() + number
            module.write_text(one.source)
            os.utime(module, (stamp, stamp))  # a cache of the bytecode is told by it
            report.add(one, *forked(lambda one=one: run_tests(copy, tests[one.key], None, "-x"), LONG))
            module.write_text(original)
            os.utime(module, (stamp + 0.5, stamp + 0.5))
    table(report.rows)


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
