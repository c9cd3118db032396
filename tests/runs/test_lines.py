"""Lines that are printed to be typed: as a shell takes them, and with the trust without which they would be refused."""

import json
import shlex
from pathlib import Path

import pytest

from diabolo import zoo
from diabolo.data import load
from diabolo.errors import DiaboloError
from diabolo.runs import checkpoint
from diabolo.runs.folder import RunFolder
from diabolo.runs.lines import shell_line
from diabolo.training.fit import fit

OWN = {"part": "my_pkg.nets.Encoder", "width": 3}
BY_PATH = {"part": "nets.UserEncoder", "module": {"part": "nets.ByPath", "path": "other.nets:Net", "arguments": "{}"}}


def test_a_line_is_typed_as_it_is_printed():
    assert shell_line("resume", Path("runs/0001-vae"), "--epochs", 3) == "diabolo resume runs/0001-vae --epochs 3"
    for path in ("my runs/0001", "it's", "$(touch x)", "a;b", "`id`", "~", "*", "é"):
        assert shlex.split(shell_line("resume", Path(path))) == ["diabolo", "resume", path]


def test_a_folder_with_a_space_is_quoted_in_an_error(tmp_path):
    with pytest.raises(DiaboloError) as refused:
        RunFolder(tmp_path / "my run; touch x").weights()
    assert f"diabolo resume '{tmp_path / 'my run; touch x'}'" in str(refused.value)


@pytest.mark.parametrize(
    ("change", "packages"),
    [
        ({}, []),
        ({"model": {"encoder": OWN}}, ["my_pkg"]),
        ({"model": {"encoder": BY_PATH, "decoder": OWN}}, ["my_pkg", "other"]),
        ({"options": {"optimizer": {"part": "optims.Mine"}}}, ["optims"]),
        ({"model": {"encoder": {"part": "__main__.Encoder"}}}, []),  # which no trust brings back
        ({"model": {"encoder": {"part": 3, "path": ["x:y"]}}}, []),
        ({"model": None}, []),
        ({"data": {"name": "rings.drawn:load"}}, ["rings"]),
        ({"data": {"name": "x; y:load"}}, []),
    ],
)
def test_code_that_the_folder_names_is_trusted_in_each_line(change, packages, tmp_path):
    train, _ = load("digits", n_train=40)
    run = fit(zoo.pca(train.shape, 2), train, out=tmp_path, quiet=True).path
    config = json.loads((run / "config.json").read_text())
    config["data"]["train"]["origin"]["load"] |= change.pop("data", {})
    for place, more in change.items():
        config[place] = more and config[place] | more
    (run / "config.json").write_text(json.dumps(config))
    (run / "model.safetensors").unlink()
    words = [word for package in packages for word in ("--trust", package)]
    assert set(shlex.split(shell_line("evaluate", run, "--seed", 1))[5:]) == set(words)
    assert checkpoint.way_on(run) == f"go on with: {shell_line('resume', run)}"
