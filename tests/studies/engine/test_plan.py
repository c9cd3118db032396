"""Parameters of studies are checked like every other option, before data are read or anything is trained."""

import subprocess
import sys

import pytest

from diabolo.errors import DiaboloError
from diabolo.studies.engine import running
from diabolo.studies.engine.plan import Plan, checked
from diabolo.studies.engine.scripts import find, scripts


@pytest.mark.parametrize(
    ("study", "name", "value", "says"),
    [
        ("pca", "n_train", -5, "n_train must be a whole number from 1 to"),
        ("pca", "epochs", 0, "epochs must be a whole number from 1 to"),
        ("pca", "sizes", (2, 0, 4), "sizes must be"),
        ("pca", "sizes", (), "sizes must be one or more"),
        ("pca", "data", "", "data must be text that is not empty"),
        ("pca", "lr", -1e-3, "lr must be a number above 0"),
        ("pca", "lr", float("nan"), "lr must be a number above 0"),
        ("celeba", "attribute", " ", "attribute must be text that is not empty"),
        ("celeba", "alphas", (0.0, float("inf")), "alphas must be"),
        ("guide", "maps", ("PCA", ""), "maps must be"),
        ("quickstart", "seed", -1, "seed must be a whole number from 0 to"),
        ("generative", "vq_epochs", 2.5, "vq_epochs must be a whole number"),
        ("beta", "steps", True, "steps must be a whole number"),
    ],
)
def test_what_is_not_of_the_kind_of_the_default_is_refused(study, name, value, says, tmp_path):
    with pytest.raises(DiaboloError, match=says):
        running.run(find(study), Plan({name: value}, out=tmp_path / "out", root=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", scripts().values(), ids=lambda script: script.name)
def test_defaults_and_quick_values_are_of_their_kind(script):
    assert checked(script.parameters, script.parameters) == script.parameters
    assert checked(script.quick, script.parameters) == script.quick


def test_numbers_below_0_are_taken_where_the_default_has_one():
    defaults = {"alphas": (-2.0, 0.0), "shift": -1, "off": 0.0, "none": None}
    given = {"alphas": [-7, 3], "shift": -4, "off": 0, "none": None}
    assert checked(given, defaults) == {"alphas": (-7.0, 3.0), "shift": -4, "off": 0.0, "none": None}


def test_the_command_line_says_so_in_one_sentence(tmp_path):
    line = [sys.executable, "-m", "diabolo", "study", "quickstart", "--epochs", "-3", "--out", str(tmp_path / "out")]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "epochs must be a whole number from 1 to 4,294,967,295, not -3" in " ".join(done.stderr.split())
    assert not list(tmp_path.iterdir())
