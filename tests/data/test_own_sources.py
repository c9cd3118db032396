"""A data set of one's own: a function by its path, or an entry point of an installed package; Diabolo itself is not touched."""

import os
import sys

import numpy as np
import pytest

from diabolo.data import load
from diabolo.data.catalogue import registered
from diabolo.errors import DiaboloError, UnknownNameError

RINGS = """
import numpy as np
from diabolo.data import Images, as_images
from diabolo.data.options import Draw
from diabolo.data.splits import Parts

def part(n, size, seed):
    return as_images(np.random.default_rng(seed).integers(0, 256, (n, 1, size, size), dtype=np.uint8), name="rings")

def load(root, draw, *, size: int = 6, skip_bad):
    assert skip_bad is False
    return part(40, size, draw.seed), part(10, size, draw.seed + 1)

def with_validation(root, draw):
    return (*load(root, draw, skip_bad=False), part(5, 6, 0))

def one(root, draw):
    return part(10, 6, 0)

def four(root, draw):
    return (part(10, 6, 0),) * 4

def arrays(root, draw):
    return np.zeros((9, 1, 6, 6), np.uint8), np.zeros((9, 1, 6, 6), np.uint8)

def nothing(root, draw):
    pass

def listed(root, draw):
    return [part(10, 6, 0), part(10, 6, 1)]

def unlike(root, draw):
    return part(10, 6, 0), part(10, 7, 0)

def no_draw(root):
    pass

def needs_more(root, draw, *, season):
    pass

number = 3
"""


@pytest.fixture(autouse=True)
def rings(tmp_path, monkeypatch):
    """The module `own_rings` on Python's path, and one that cannot be imported; both are forgotten afterwards."""
    (tmp_path / "own_rings.py").write_text(RINGS)
    (tmp_path / "broken_rings.py").write_text("import not_there_at_all")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield
    for name in ("own_rings", "broken_rings"):
        sys.modules.pop(name, None)


@pytest.fixture
def install(tmp_path):
    """install(package, line…): a package whose metadata register data sets."""

    def write(package, *lines):
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("\n".join(["[diabolo.data]", *lines, ""]))

    return write


def test_a_function_is_named_by_its_path():
    train, test = load("own_rings:load", size=8, n_train=30, data_seed=3)
    assert (train.shape, len(train), len(test), train.split, test.split) == ((1, 8, 8), 30, 10, "train", "test")
    assert train.origin["load"] == {"name": "own_rings:load", "data_seed": 3, "size": 8, "n_train": 30}
    assert load("own_rings:load")[0].shape == (1, 6, 6)  # its own default
    assert load("own_rings:load", data_seed=3, size=8)[1].fingerprint == test.fingerprint


def test_its_validation_images_are_taken():
    from diabolo.data.loading import load_parts

    parts = load_parts("own_rings:with_validation", without_class=None)
    assert (len(parts.validation), parts.validation.split) == (5, "validation")


def test_an_installed_package_registers_one(install, diabolo_data):
    install("ringed", "rings = own_rings:load", "digits = own_rings:load")
    assert registered() == {"rings": ("own_rings:load",), "own_rings:load": ("own_rings:load",)}
    assert "own_rings" not in sys.modules  # only looked up
    assert load("rings")[0].fingerprint == load("own_rings:load")[0].fingerprint
    assert load("rings")[0].origin["load"]["name"] == "rings"
    assert load("digits")[0].shape == (1, 8, 8)  # Diabolo's own
    listed = diabolo_data()
    assert "rings" in listed
    assert "own_rings:load, which an installed package has registered" in listed


@pytest.fixture
def diabolo_data(capsys, monkeypatch):
    """What `diabolo data` prints."""
    monkeypatch.setenv("COLUMNS", "200")

    def run():
        from diabolo.cli.main import main

        main(["data"])
        return capsys.readouterr().out

    return run


def test_what_packages_register_may_be_wrong(install, diabolo_data):
    install("one", "both = own_rings:load", "bad = broken_rings:load", "odd = own_rings", "lost = own_rings:gone")
    install("two", "both = own_rings:one")
    diabolo_data()  # lists them without a fault
    for name, says in {
        "both": "registered by several packages; name one as own_rings:load or own_rings:one",
        "bad": r"the module 'broken_rings' of the data set 'broken_rings:load' cannot be imported \(ModuleNotFoundError: ",
        "odd": "named as package.module:function, not 'own_rings'",
        "lost": "unknown data set in 'own_rings' 'gone'",
        "boht": "did you mean 'both'",
    }.items():
        with pytest.raises(DiaboloError, match=says) as caught:
            load(name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("own_rings:gone", r"unknown data set in 'own_rings' 'gone'; did you mean 'one'\? valid: one, unlike, "),
        ("own_rings:number", "unknown data set in 'own_rings' 'number'"),
        ("own_rings:", "named as package.module:function, not 'own_rings:'"),
        (":load", "named as package.module:function, not ':load'"),
        (
            "not_there:load",
            r"the module 'not_there' of the data set 'not_there:load' cannot be imported \(ModuleNotFoundError",
        ),
        ("diabolo.data.sources.digits:load", "diabolo's own data sets are named by one word"),
        ("diabolo:fit", "diabolo's own data sets are named by one word"),
        ("own_rings:one", "own_rings:one gave an object of the type Images; it must give train and test images"),
        ("own_rings:four", "own_rings:four gave 4 things; it must give"),
        ("own_rings:nothing", "own_rings:nothing gave an object of the type NoneType"),
        ("own_rings:listed", "own_rings:listed gave an object of the type list"),
        (
            "own_rings:arrays",
            "gave an object of the type ndarray among them; .* as diabolo.data.as_images makes them of an array",
        ),
        ("own_rings:unlike", r"the parts of rings differ: train holds \(1, 6, 6\), test \(1, 7, 7\)"),
        (
            "own_rings:no_draw",
            "own_rings:no_draw is no data set: it is called with the root, a Draw and options by keyword",
        ),
        ("own_rings:needs_more", "own_rings:needs_more is no data set: .*'season'"),
    ],
)
def test_one_that_is_none_is_told_in_a_sentence(name, says):
    with pytest.raises(DiaboloError, match=says) as caught:
        load(name)
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith(".")


def test_its_options_are_those_that_it_names():
    with pytest.raises(UnknownNameError, match="unknown option 'crop' of own_rings:load"):
        load("own_rings:load", crop=3)
    with pytest.raises(UnknownNameError, match="unknown option 'season' of own_rings:load"):
        load("own_rings:load", season="winter")
    with pytest.raises(DiaboloError, match="size must be a whole number"):
        load("own_rings:load", size="x")
    with pytest.raises(DiaboloError, match=r"50 images were asked of rings \(train\), which holds 40"):
        load("own_rings:load", n_train=50)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names of files")
def test_a_file_that_is_called_so_is_a_file(tmp_path):
    np.save(tmp_path / "own_rings:load.npy", np.zeros((4, 1, 2, 2), np.uint8))
    assert load("own_rings:load.npy")[0].shape == (1, 2, 2)
