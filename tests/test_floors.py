"""The order of the rooms: imports run down the list that CONTRIBUTING has, and no files import each other in a circle. The size
of files.

Every import counts: those at the top of a file, those within functions, and those for the type checker alone.
"""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "diabolo"


def names(package: Path) -> dict[str, Path]:
    """Every module of `package` by its dotted name."""
    found = {}
    for file in package.rglob("*.py"):
        *rooms, last = file.relative_to(package.parent).with_suffix("").parts
        found[".".join([*rooms, last] if last != "__init__" else rooms)] = file
    return found


def imported(module: str, text: str, modules: set[str], package: bool) -> Iterator[str]:
    """The modules, of those in `modules`, that the source `text` of `module` imports, wherever it does."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: len(module.split(".")) - node.level + package] if node.level else []
            home = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{home}.{alias.name}"
                if full in modules or home in modules:
                    yield full if full in modules else home


def arrows() -> set[tuple[str, str]]:
    """(importer, imported) between the modules of Diabolo."""
    modules = names(PACKAGE)
    return {
        (module, other)
        for module, file in modules.items()
        for other in imported(module, file.read_text(encoding="utf-8"), set(modules), file.name == "__init__.py")
        if other != module
    }


def floors(text: str) -> list[str]:
    """The rooms in their order, from the ground up: the first words of the indented lines after the sentence that says so."""
    block = re.search(r"Imports run down this list(?:.+\n)+\n((?:    .+\n)+)", text)
    assert block, "CONTRIBUTING.md has lost its list of rooms"
    lines = [line.split("  #")[0] for line in block[1].splitlines()]
    return [name.rstrip("/").removesuffix(".py") for line in lines for name in line.split()]


def room(module: str) -> str:
    """The room that `module` is in: a folder, or a file beside them; `__init__` for the front door."""
    return [*module.split("."), "__init__"][1]


def circles(pairs: set[tuple[str, str]]) -> list[list[str]]:
    """The groups of modules of which each imports every other, over others of them."""
    following: dict[str, set[str]] = {}
    for one, other in pairs:
        following.setdefault(one, set()).add(other)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            for other in following.get(todo.pop(), set()) - seen:
                seen.add(other)
                todo.append(other)
        return seen

    reach = {module: reached(module) for module in following}
    found = {
        tuple(sorted(other for other in reach[module] if module in reach.get(other, set())))
        for module in reach
        if module in reach[module]
    }
    return [list(group) for group in sorted(found)]


@pytest.fixture(scope="module")
def order() -> list[str]:
    return floors((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pairs() -> set[tuple[str, str]]:
    return arrows()


def test_every_room_has_its_place_once(order):
    there = {room(module) for module in names(PACKAGE)}
    assert sorted(order) == sorted(there)


def test_imports_run_down(order, pairs):
    place = {name: i for i, name in enumerate(order)}
    up = {(one, other) for one, other in pairs if place[room(other)] > place[room(one)]}
    new = sorted(up)
    assert not new, f"{new[0][0]} imports {new[0][1]}, whose room stands further up in CONTRIBUTING.md"


def test_no_files_import_each_other_in_a_circle(pairs):
    found = circles(pairs)
    assert not found, f"a circle of {len(found[0])} files: {', '.join(found[0])}"


def test_a_file_is_a_chapter():
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "__init__.py"]
    lines = [len(file.read_text(encoding="utf-8").splitlines()) for file in files]
    assert 120 <= statistics.median(lines) <= 250
    assert sum(60 <= n <= 300 for n in lines) > len(lines) / 2


@pytest.mark.parametrize(
    ("module", "text", "found"),
    [
        ("p.a.b", "from p.c import d", ["p.c"]),
        ("p.a.b", "def f():\n    from p import c", ["p.c"]),
        ("p.a.b", "if TYPE_CHECKING:\n    import p.c", ["p.c"]),
        ("p.a.b", "from . import b", ["p.a.b"]),
        ("p.a.b", "from ..c import d", ["p.c"]),
        ("p.a", "import os", []),
    ],
)
def test_every_way_to_import_is_seen(module, text, found):
    assert list(imported(module, text, {"p", "p.a", "p.a.b", "p.c"}, False)) == found


def test_circles_are_found():
    assert circles({("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")}) == [["a", "b", "c"]]
    assert circles({("a", "b"), ("b", "c")}) == []
