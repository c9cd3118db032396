"""`DataOptions`: the one place of the names, types, defaults and help of how images are loaded."""

import dataclasses
import inspect
import json

import numpy as np
import pytest

from diabolo.cli.options import DataFlags
from diabolo.data import DataOptions, load
from diabolo.data.catalogue import SOURCES
from diabolo.data.finding import READERS, find
from diabolo.data.images import Images
from diabolo.data.options import HELP, NAMES, OF_ALL
from diabolo.data.origin import Record, reload
from diabolo.errors import DiaboloError


def test_python_and_the_command_line_have_its_names_and_defaults():
    defaults = {field.name: field.default for field in dataclasses.fields(DataOptions)}
    assert {n: p.default for n, p in inspect.signature(load).parameters.items() if n != "name"} == defaults
    flags = {field.name: getattr(DataFlags(), field.name) for field in dataclasses.fields(DataFlags)}
    assert flags == defaults
    assert list(HELP) == list(defaults)
    assert all(HELP.values())


def test_no_source_takes_what_is_no_option(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 1, 2, 2), np.uint8))
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 1, 2, 2), np.uint8))
    for ending in READERS:
        (tmp_path / f"x{ending}").touch()
    sources = [find(name) for name in SOURCES] + [
        find(tmp_path / (f"x{ending}" if ending else "")) for ending in READERS
    ]
    taken = set()
    for source in sources:
        named = [p for p in inspect.signature(source.read).parameters.values() if p.kind is p.KEYWORD_ONLY]
        assert {p.name for p in named} - {"features"} <= {*NAMES} - {*OF_ALL}, source.what
        taken |= {p.name for p in named} - {"features"}
    assert taken == {*NAMES} - {*OF_ALL}  # and none is there in vain


def test_columns_may_be_said_on_the_command_line_and_come_back_from_the_record(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c,kind\n" + "".join(f"{i},{i}.5,x,{i % 2}\n" for i in range(9)))
    flags = DataFlags(without_column=("c", "b"), label_column="kind")
    train, _ = flags.load(str(tmp_path / "t.csv"))
    assert train.feature_names == ("a",)
    told = json.loads(json.dumps(Record.of(train).as_dict()))
    assert told["origin"]["load"]["without_column"] == ["c", "b"]
    again = reload(Record.parse(told, "data.train").origin)
    assert (again.fingerprint, again.feature_names) == (train.fingerprint, ("a",))
    with pytest.raises(DiaboloError, match="without_column must be names, not 'c'"):
        load(tmp_path / "t.csv", without_column="c")


def test_what_is_left_out_is_not_asked_for():
    assert DataOptions().asked() == {}
    assert DataOptions(range="auto", n_train=None, data_seed=42).asked() == {}
    assert DataFlags(range=("0", "16"), without_class="8").asked() == {"without_class": "8", "range": (0.0, 16.0)}


@pytest.mark.parametrize(
    ("old", "new"), [("seed", "data_seed"), ("channels", "image_channels"), ("value_range", "range")]
)
def test_an_option_by_its_former_name_is_refused_with_the_new_one(old, new, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((20, 1, 2, 2), np.uint8))
    name = tmp_path if old == "channels" else tmp_path / "x.npy"
    with pytest.raises(DiaboloError, match=f"unknown option '{old}' of a .*: it is called '{new}' now"):
        load(name, **{old: 1})


def test_a_record_of_former_names_is_read(tmp_path):
    x = np.random.default_rng(0).integers(0, 200, (30, 1, 6, 6), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    train, _ = load(tmp_path / "x.npy", data_seed=3, range=(0, 200), n_train=20)
    told = json.loads(json.dumps(Record.of(train).as_dict()))
    told["origin"]["load"] = {
        "name": str(tmp_path / "x.npy"), "root": None, "value_range": [0, 200], "n_train": 20, "n_test": None, "seed": 3,
    }  # fmt: skip
    record = Record.parse(told, "data.train")
    assert record.load == {"name": str(tmp_path / "x.npy"), "range": [0, 200], "n_train": 20, "data_seed": 3}
    assert reload(record.origin).fingerprint == train.fingerprint


def test_a_record_says_what_was_asked_and_with_which_seed():
    assert load("digits")[0].origin["load"] == {"name": "digits", "data_seed": 42}
    assert load("digits", n_test=9, label_seed=1)[1].origin["load"] == {
        "name": "digits", "data_seed": 42, "n_test": 9, "label_seed": 1,
    }  # fmt: skip


def test_vectors_stay_whole():
    x = np.random.default_rng(0).random((9, 4), dtype=np.float32)
    assert load(Images(x), n_train=3, n_test=2)[0].shape == (4,)
