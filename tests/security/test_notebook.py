"""The notebook of a stranger's run: what the folder says goes in as data, and nothing that lies in it is imported."""

import ast
import math
import os

import jupytext
import nbformat
import pytest

from diabolo.errors import DiaboloError
from diabolo.reports import notebook
from diabolo.reports.notebook import literal
from diabolo.studies.engine.scripts import find

SHADOWS = [
    "ipykernel_launcher",
    "ipykernel",
    "diabolo",
    "torch",
    "numpy",
    "matplotlib",
    "sitecustomize",
    "usercustomize",
    "typing",
]
NAME = "innocent\n\n# %%\nopen({mark!r}, 'w').close()\n# %% [markdown]\n# <script>x</script> \x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}"


def test_a_name_is_no_code_and_files_are_no_modules(stranger, canary, diabolo, tmp_path, monkeypatch):
    mark = tmp_path / "the-canary-was-run"
    run = stranger(lambda config: config.update(name=NAME.format(mark=str(mark))))
    canary(run, *SHADOWS)
    (run / "matplotlibrc").write_text("backend: module://torch\ntext.usetex: True\n")
    monkeypatch.chdir(run)
    monkeypatch.setenv(
        "PYTHONPATH", f"{os.environ.get('PYTHONPATH', '')}:"
    )  # the empty place stands for the working directory
    code, out, err = diabolo("report", run)
    assert code == 0, (out, err)
    assert not mark.exists()
    made = nbformat.read(run / "notebook.ipynb", as_version=4)
    plain = notebook.make(notebook.script())
    assert [c.source for c in made.cells if c.cell_type == "code"] == [
        c.source for c in plain.cells if c.cell_type == "code"
    ]
    head = next(cell.source for cell in made.cells if cell.cell_type == "markdown")
    assert head.startswith("# innocent ")
    assert "\\<script\\>" in head
    assert head.count("\n") == plain.cells[1].source.count("\n") + 1
    everything = "".join((run / f"report.{kind}").read_text() for kind in ("md", "html")) + head
    assert not {"\x1b", "\N{RIGHT-TO-LEFT OVERRIDE}"} & set(everything)
    assert "<script>x" not in everything.replace("\\<", "")


def test_the_notebook_of_a_trusted_run_says_so_by_a_literal():
    source = notebook.script(("my_pkg", "'; import os #"))
    ast.parse(source.replace("# %%", "#"))
    line = next(line for line in source.splitlines() if line.startswith("trust ="))
    assert ast.literal_eval(line.partition("= ")[2].partition("  #")[0]) == ("my_pkg", "'; import os #")


@pytest.mark.parametrize(
    "value",
    [
        "\n# %%\nimport os",
        "a'b\"c\\",
        "\u2028x\x85y\x0cz",
        "!ls",
        "what?",
        "\N{RIGHT-TO-LEFT OVERRIDE}",
        (),
        ("one",),
        [1, 2.5, None, True, -3],
        {"a": {"b": ("\n",)}},
        10**400,
    ],
    ids=ascii,
)
def test_a_literal_is_what_it_stands_for_on_one_line_of_its_own(value):
    text = literal(value)
    assert text.isascii()
    assert len(text.splitlines()) <= 1
    cells = jupytext.reads(f"# %%\nx = {text}\n", fmt="py:percent").cells
    assert len(cells) == 1
    assert ast.literal_eval(cells[0].source.partition("x = ")[2]) == value


def test_what_is_no_literal_is_refused():
    assert math.isnan(eval(literal(float("nan"))))
    assert eval(literal([float("-inf")])) == [-math.inf]

    class Text(str):
        __slots__ = ()

        def __repr__(self):
            return "exit()"

    for value in (Text("a"), object(), {1, 2}, b"x"):
        with pytest.raises(DiaboloError, match="cannot be written into a notebook"):
            literal(value)


def test_parameters_of_a_study_are_data_in_its_notebook():
    script = find("pca")
    hostile = "mnist\")\nimport os  # '"
    source = script.with_parameters(script.parameters | {"data": hostile}, "a quick\n# %%\nrun")
    made = notebook.make(source)
    plain = notebook.make(script.source)
    assert len(made.cells) == len(plain.cells)
    call = next(
        n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Study"
    )
    assert {k.arg: ast.literal_eval(k.value) for k in call.keywords}["data"] == hostile
