"""Lines that are printed to be typed."""

import shlex

import pytest

from diabolo.errors import DiaboloError
from diabolo.paths import shell_line
from diabolo.training import runs


def test_a_line_is_typed_as_it_is_printed():
    assert shell_line("resume", "runs/0001-vae", "--epochs", 3) == "diabolo resume runs/0001-vae --epochs 3"
    for path in ("my runs/0001", "it's", "$(touch x)", "a;b", "`id`", "~", "*", "é"):
        assert shlex.split(shell_line("resume", path)) == ["diabolo", "resume", path]


def test_a_folder_with_a_space_is_quoted_in_an_error(tmp_path):
    with pytest.raises(DiaboloError) as refused:
        runs.read_weights(tmp_path / "my run; touch x")
    assert f"diabolo resume '{tmp_path / 'my run; touch x'}'" in str(refused.value)
