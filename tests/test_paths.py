"""A folder for those who have no home."""

import os
import tempfile
from pathlib import Path

import pytest

from diabolo.paths import own_temporary


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
