"""From bytes to numbers in [0, 1]: exact, and in one place."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

import diabolo
from diabolo.data.unit import to_float

BYTES = np.arange(256, dtype=np.uint8)
KEPT = {  # what divides by 255 besides: numbers that are no bytes
    "data/unit.py", "evaluation/learned.py", "metrics/generation/features.py", "likelihoods/densities.py",
    "evaluation/protocol.py", "exporting/certificate.py",
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bytes_are_divided_and_rounded_once(dtype):
    found = to_float(BYTES.reshape(16, 16), dtype)
    assert found.dtype == dtype
    assert found.ravel().tolist() == [dtype(k / 255) for k in range(256)]


def test_tensors_become_the_same_numbers_and_nothing_is_overwritten():
    x = torch.from_numpy(BYTES.copy())
    assert np.array_equal(to_float(x).numpy(), to_float(BYTES))
    assert x.tolist() == list(range(256))


@pytest.mark.parametrize("x", [torch.rand(3), torch.rand(3, dtype=torch.float64), np.ones(3, np.float32)])
def test_floats_stay_as_they_are(x):
    assert to_float(x) is x


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int64, np.float16, np.uint32])
def test_other_numbers_become_floats_in_their_own_units(dtype):
    x = np.array([0, 3, 60000 if dtype != np.int16 else -7], dtype)
    for found, wanted in (
        (to_float(x), np.float32),
        (to_float(torch.from_numpy(x)).numpy(), np.float64 if x.itemsize > 2 else np.float32),
    ):
        assert found.dtype == wanted
        assert np.array_equal(found, x.astype(np.float64))
    assert to_float(x, np.float64).dtype == np.float64


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64])
def test_whole_numbers_beyond_those_of_float32_are_not_rounded(dtype):
    x = np.array([16_777_217, 1_700_000_001], dtype)
    assert to_float(torch.from_numpy(x)).tolist() == x.tolist()


def test_it_is_done_nowhere_else():
    found = set()
    root = Path(diabolo.__file__).parent
    for file in root.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "255" in text else ():
            divided = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _is_255(node.right)
            called = isinstance(node, ast.Call) and "div" in ast.unparse(node.func) and any(map(_is_255, node.args))
            if divided or called:
                found.add(file.relative_to(root).as_posix())
    assert found <= KEPT
    assert "data/unit.py" in found


def _is_255(node):
    return any(isinstance(part, ast.Constant) and part.value in (255, 255.0) for part in ast.walk(node))
