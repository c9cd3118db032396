import importlib.util
import subprocess
import sys

import nbformat
import pytest

from diabolo.errors import DiaboloError
from diabolo.reports import notebook
from diabolo.reports.requirement import requirement

SCRIPT = """# %% [markdown]
# # A lesson
# With *words*.

# %% tags=["parameters"]
x = 20

# %%
import os, sys
print(x + 1, os.environ["TOLD"], sys.executable)

# %%
from IPython.display import Image, display
display(Image(filename=os.environ["PICTURE"]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    png = (
        "89504e470d0a1a0a0000000d494844520000000100000001080000000"
        "03a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
    )
    (folder / "picture.png").write_bytes(bytes.fromhex(png))
    notebook.execute(SCRIPT, folder, {"TOLD": "yes", "PICTURE": str(folder / "picture.png")})
    return folder


@pytest.fixture
def made(folder):
    return nbformat.read(folder / "notebook.ipynb", as_version=4)


def test_it_is_valid_and_names_its_language(made):
    nbformat.validate(made)
    assert made.metadata.kernelspec.name == "python3"
    assert made.metadata.language_info.name == "python"
    assert (made.nbformat, made.nbformat_minor) == (4, 5)


def test_the_first_cell_installs_diabolo_where_it_is_not(made):
    assert "find_spec" in made.cells[0].source
    source = made.cells[0].source
    assert f'"pip", "install", "--quiet", {requirement()!r}' in source
    calls: list[list[str]] = []
    for there in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(subprocess, "check_call", calls.append)
            patch.setattr(importlib.util, "find_spec", lambda name, there=there: there or None)
            exec(source, {})
    assert [call[1:4] for call in calls] == [["-m", "pip", "install"]]  # where it was missing alone
    assert made.cells[0].outputs == []  # it is there


def test_cells_are_those_of_the_script(made):
    assert [cell.cell_type for cell in made.cells] == ["code", "markdown", "code", "code", "code"]
    assert made.cells[1].source == "# A lesson\nWith *words*."
    assert made.cells[2].metadata.tags == ["parameters"]
    assert [cell.id for cell in made.cells] == [f"cell-{i}" for i in range(5)]


def test_outputs_are_inside_and_its_process_was_told_where_things_lie(made):
    assert made.cells[3].outputs[0].text == f"21 yes {sys.executable}\n"
    assert "image/png" in made.cells[4].outputs[0].data
    assert [cell.execution_count for cell in made.cells if cell.cell_type == "code"] == [1, 2, 3, 4]


def test_the_same_script_gives_the_same_notebook():
    assert nbformat.writes(notebook.make(SCRIPT)) == nbformat.writes(notebook.make(SCRIPT))


def test_a_cell_that_fails_is_told(tmp_path):
    with pytest.raises(DiaboloError, match="failed: ZeroDivisionError: division by zero"):
        notebook.execute("# %%\n1 / 0\n", tmp_path, {})
    assert list(tmp_path.iterdir()) == []
