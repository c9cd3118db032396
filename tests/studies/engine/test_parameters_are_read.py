"""Every parameter of a study is read somewhere in it: one that is not says of a training what does not hold."""

import ast
from collections.abc import Iterator

import pytest

from diabolo.studies.engine.scripts import Script, scripts


def read(script: Script) -> Iterator[str]:
    """Parameters that the script or a module beside it reads: as `study.epochs`, or in `study.data("colour_data")`."""
    files = [script.path] if script.path.parent.name == "studies" else sorted(script.path.parent.glob("*.py"))
    for node in (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "study":
            yield node.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "data":
            name = next((ast.literal_eval(argument) for argument in node.args), "data")
            yield from (name, *(name.removesuffix("data") + size for size in ("n_train", "n_test")))


@pytest.mark.parametrize("name", scripts())
def test_every_parameter_of_a_study_is_read(name):
    unread = set(scripts()[name].parameters) - set(read(scripts()[name]))
    assert not unread, f"the study {name} has parameters that nothing reads: {sorted(unread)}"


def test_a_parameter_that_nothing_reads_is_found(tmp_path):
    path = tmp_path / "own" / "script.py"
    path.parent.mkdir()
    path.write_text(
        'study = Study("own", data="mnist", n_test=5, epochs=1, rest=2)\nstudy.data()\nprint(study.epochs)\n'
    )
    assert set(Script(path).parameters) - set(read(Script(path))) == {"rest"}
