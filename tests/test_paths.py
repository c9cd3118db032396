"""Lines that are printed to be typed, and a folder for those who have no home."""

import os
import shlex
import tempfile
from pathlib import Path

import pytest

from diabolo.errors import DiaboloError
from diabolo.paths import own_temporary, shell_line
from diabolo.runs.folder import RunFolder


def test_a_line_is_typed_as_it_is_printed():
    assert shell_line("resume", "runs/0001-vae", "--epochs", 3) == "diabolo resume runs/0001-vae --epochs 3"
    for path in ("my runs/0001", "it's", "$(touch x)", "a;b", "`id`", "~", "*", "é"):
        assert shlex.split(shell_line("resume", path)) == ["diabolo", "resume", path]


def test_a_folder_with_a_space_is_quoted_in_an_error(tmp_path):
    with pytest.raises(DiaboloError) as refused:
        RunFolder(tmp_path / "my run; touch x").weights()
    assert f"diabolo resume '{tmp_path / 'my run; touch x'}'" in str(refused.value)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="elsewhere the folder for temporary files is the user's own")
@pytest.mark.parametrize("planted", ["nothing", "own", "open", "link", "file", "foreign"])
def test_a_temporary_folder_is_taken_only_when_no_one_else_can_write_to_it(
    planted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    known = tmp_path / f"cache-{os.getuid()}"
    match planted:
        case "own" | "foreign":
            known.mkdir(mode=0o700)
        case "open":
            known.mkdir()
            known.chmod(0o777)
        case "link":
            (tmp_path / "elsewhere").mkdir()
            known.symlink_to(tmp_path / "elsewhere")
        case "file":
            known.touch()
    if planted == "foreign":
        known = tmp_path / f"cache-{os.getuid() + 1}"
        known.mkdir(mode=0o700)  # ours, in the name of another: as theirs is to us
        other = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: other)
    found = own_temporary.__wrapped__("cache")
    assert (found == known) == (planted in {"nothing", "own"})
    assert found.parent == tmp_path
    assert found.is_dir()
    assert not found.is_symlink()
    assert found.stat().st_mode & 0o777 == 0o700
