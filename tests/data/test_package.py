"""What importing costs, and the table of names."""

import subprocess
import sys

import pytest

import diabolo.data
from diabolo.data import names

CHEAP = """
import sys
import diabolo.data
from diabolo.data import Images, as_images, draw_faces, load, names, read_images
names()
heavy = [m for m in ("torch", "torchvision", "sklearn", "PIL") if m in sys.modules]
assert not heavy, heavy
load("faces", n_train=1, n_test=1)
assert "torch" not in sys.modules and "sklearn" not in sys.modules
"""


def test_importing_costs_no_heavy_library():
    done = subprocess.run([sys.executable, "-c", CHEAP], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_there():
    for name in diabolo.data.__all__:
        assert getattr(diabolo.data, name) is not None
        assert name in dir(diabolo.data)
    with pytest.raises(AttributeError, match="no attribute 'lood'"):
        _ = diabolo.data.lood


def test_the_table_tells_all_of_each_set():
    table = names()
    assert set(table) == {"digits", "faces", "patches", "sheet", "mnist", "fashion_mnist", "cifar10", "celeba"}
    for info in table.values():
        assert info.description
        assert info.licence
        assert info.train > info.test > 0
    assert [name for name, info in table.items() if not info.download] == ["digits", "faces", "patches", "sheet"]
    table.clear()
    assert names()  # a copy was given
