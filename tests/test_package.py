"""What importing the package costs, and its names."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import diabolo


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_brings_in_nothing_heavy():
    python(
        "import sys, diabolo\n"
        "heavy = {'torch', 'torchvision', 'numpy', 'sklearn', 'matplotlib', 'rich', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )


def test_training_needs_torch_but_not_torchvision():
    python(
        "import sys, diabolo\n"
        "diabolo.fit, diabolo.zoo, diabolo.load, diabolo.Autoencoder\n"
        "heavy = {'torchvision', 'matplotlib', 'torchmetrics', 'tensorboard'} & set(sys.modules)\n"
        "assert 'torch' in sys.modules\n"
        "assert not heavy, heavy"
    )


def test_what_training_imports_beyond_torch_is_counted():
    """Not timed, as times are of the machine and its load: what is imported costs the same everywhere."""
    found = python(
        "import sys, torch\n"
        "before = set(sys.modules)\n"
        "import diabolo\n"
        "diabolo.fit, diabolo.load\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "print(*sorted(name for name in new if not name.startswith('_')))\n"
        "print(sum(name.startswith('diabolo') for name in sys.modules))"
    )
    packages, modules = found.splitlines()
    assert set(packages.split()) <= {"diabolo", "numpy", "psutil", "rich", "safetensors"}, packages
    assert int(modules) < 200, modules


def test_every_public_name_is_there():
    python("import diabolo\nfor name in diabolo.__all__: getattr(diabolo, name)")
    assert set(diabolo.__all__) <= set(dir(diabolo))
    assert {"data", "zoo", "fit", "load", "resume", "Run", "Autoencoder", "PCA", "DiaboloError"} <= set(diabolo.__all__)


def test_the_error_to_catch_is_at_the_top():
    with pytest.raises(diabolo.DiaboloError, match="epochs must be"):
        diabolo.fit(None, [[0.0]], epochs=0)


def test_a_name_that_does_not_exist():
    with pytest.raises(AttributeError, match="module 'diabolo' has no attribute 'fitt'"):
        _ = diabolo.fitt
    assert not hasattr(diabolo, "training_")


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert diabolo.__version__ == version("diabolo")


def test_the_version_stands_in_one_place():
    top = Path(__file__).parents[1]
    assert tomllib.loads((top / "pyproject.toml").read_text("utf-8"))["project"]["dynamic"] == ["version"]
    assert yaml.safe_load((top / "CITATION.cff").read_text("utf-8"))["version"] == diabolo.__version__
    assert "## [Unreleased]" in (top / "CHANGELOG.md").read_text("utf-8")
