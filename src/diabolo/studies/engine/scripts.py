"""A study as it lies on disk: a percent-format script, whose cells and parameters can be read without running it.

# %% [markdown]
# # Autoencoders against principal components
# %% tags=["parameters"]
study = Study(
    "pca",
    data="mnist",  # what the help of --data says
    epochs=15,  # passes over the training images
    quick={"epochs": 1},
)
# %%
@study.row("3.2", "PCA with two components")
def components(row): ...
"""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.reports.notebook import literal

STUDIES = Path(__file__).parent.parent
SCRIPT = "script.py"  # of the folder of a study


@dataclass(frozen=True)
class Script:
    """A study's script."""

    path: Path

    @property
    def name(self) -> str:
        """What the study is called: as its folder where it has one of its own, else as its file."""
        return self.path.parent.name if self.path.name == SCRIPT else self.path.stem

    @cached_property
    def source(self) -> str:
        """Its text."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.source)

    @property
    def title(self) -> str:
        """Its first heading."""
        return next(line.removeprefix("# # ") for line in self.source.splitlines() if line.startswith("# # "))

    @cached_property
    def begin(self) -> ast.Call:
        """The call `Study(…)` in it."""
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return next(call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Study")

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Its parameters and their defaults, as written in the call `Study(name, parameter=default, …)`."""
        return {
            k.arg: ast.literal_eval(k.value)
            for k in self.begin.keywords
            if k.arg and k.arg not in ("quick", "unchecked")
        }

    @cached_property
    def told(self) -> dict[str, str]:
        """What each parameter is: the comment behind its default."""
        lines, found = self.source.splitlines(), {}
        for k in self.begin.keywords:
            if k.arg in self.parameters and k.value.end_lineno is not None:
                found[k.arg] = lines[k.value.end_lineno - 1][k.value.end_col_offset or 0 :].partition("# ")[2].strip()
        return found

    @cached_property
    def quick(self) -> dict[str, Any]:
        """What `--quick` makes of them."""
        return next((ast.literal_eval(k.value) for k in self.begin.keywords if k.arg == "quick"), {})

    @cached_property
    def rows(self) -> dict[str, str]:
        """The rows by number, with their titles, in the order of the script."""
        found = {}
        for node in self.tree.body:
            for call in getattr(node, "decorator_list", []):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "row":
                    number, title = (ast.literal_eval(argument) for argument in call.args)
                    found[number] = title
        return found

    @cached_property
    def lessons(self) -> dict[str, str]:
        """The text of the markdown cell above each row, by the row's number; that of the first cell by ""."""
        found: dict[str, str] = {}
        text = ""
        for cell in re.split(r"^# %%", self.source, flags=re.MULTILINE)[1:]:
            head, _, body = cell.partition("\n")
            if "[markdown]" in head:
                text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in body.splitlines()).strip()
                found.setdefault("", _without_heading(text))
            elif (row := re.search(r"^@study\.row\(\s*[\"']([^\"']+)", body, flags=re.MULTILINE)) is not None:
                found[row[1]], text = _without_heading(text), ""
        return found

    def with_parameters(self, parameters: dict[str, Any], unchecked: str | None = None) -> str:
        """The source with `parameters` written into the call, so that it says what was run, and why bars were not checked."""
        given = parameters | ({} if unchecked is None else {"unchecked": unchecked})
        words = ", ".join([literal(self.name), *(f"{name}={literal(value)}" for name, value in given.items())])
        lines, call = self.source.splitlines(keepends=True), self.begin
        assert call.end_lineno is not None
        before, after = lines[call.lineno - 1][: call.col_offset], lines[call.end_lineno - 1][call.end_col_offset :]
        lines[call.lineno - 1 : call.end_lineno] = [f"{before}Study({words}){after}"]
        return "".join(lines)


def _without_heading(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#")).strip()


def scripts() -> dict[str, Script]:
    """All studies by name."""
    return {path.parent.name: Script(path) for path in sorted(STUDIES.glob(f"*/{SCRIPT}"))}


def find(name: str) -> Script:
    """The study of that name.

    Raises:
        UnknownNameError: when there is none.
    """
    known = scripts()
    if name not in known:
        raise UnknownNameError("study", name, known)
    return known[name]


def check_rows(script: Script, rows: tuple[str, ...]) -> None:
    """Refuse rows that the study has not.

    Raises:
        UnknownNameError: with the nearest.
    """
    for row in rows:
        if row not in script.rows:
            raise UnknownNameError(
                "row", row, script.rows, f" of the study {script.name!r}", f"diabolo study {script.name} --help"
            )
    if not script.rows:
        raise DiaboloError(f"{script.path} has no rows")
