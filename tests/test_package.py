"""What importing the package costs, and its names."""

import subprocess
import sys
import time

import pytest

import diabolo

ALLOWED = 0.3  # seconds above `import torch`
REPEATS = 4


def python(code):
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    seconds = time.perf_counter() - began
    assert done.returncode == 0, done.stderr
    return seconds


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


def test_importing_costs_little_more_than_torch():
    ours, torchs = [], []
    for _ in range(REPEATS):
        torchs.append(python("import torch"))
        ours.append(python("import diabolo; diabolo.fit"))
        if min(ours) <= min(torchs) + ALLOWED:
            return
    pytest.fail(f"import diabolo; diabolo.fit takes {min(ours):.2f} s, import torch {min(torchs):.2f} s")


def test_every_public_name_is_there():
    python("import diabolo\nfor name in diabolo.__all__: getattr(diabolo, name)")
    assert set(diabolo.__all__) <= set(dir(diabolo))
    assert {"data", "zoo", "fit", "load", "resume", "Run", "Autoencoder", "PCA"} <= set(diabolo.__all__)


def test_a_name_that_does_not_exist():
    with pytest.raises(AttributeError, match="module 'diabolo' has no attribute 'fitt'"):
        _ = diabolo.fitt
    assert not hasattr(diabolo, "training_")


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert diabolo.__version__ == version("diabolo")
