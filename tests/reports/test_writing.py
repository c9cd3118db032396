import sys

import pytest

from diabolo import reports
from diabolo.errors import DiaboloError
from diabolo.reports import extra
from diabolo.reports.document import Document, Picture, Table

NAMES = ["report.md", "report.html", "report.pdf"]


def test_the_same_document_gives_the_same_bytes(everything, tmp_path):
    first = reports.write(everything, tmp_path)
    assert [path.name for path in first] == NAMES
    before = [path.read_bytes() for path in first]
    assert [path.read_bytes() for path in reports.write(everything, tmp_path)] == before


def test_the_folder_is_made_and_nothing_else_is_left_in_it(tmp_path):
    folder = tmp_path / "a" / "b"
    reports.write(Document("T", "a", []), folder, "other")
    assert sorted(path.name for path in folder.iterdir()) == ["other.html", "other.md", "other.pdf"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiaboloError, match=r"file.*could not be made"):
        reports.write(Document("T", "a", []), tmp_path / "file" / "b")


def test_a_missing_picture_is_told(tmp_path):
    with pytest.raises(DiaboloError, match=r"gone\.png is missing"):
        reports.write(Document("T", "a", [Picture(tmp_path / "gone.png", "")]), tmp_path)


def test_a_table_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match="'Scores' has 2 columns, and a row of 1 cells"):
        Table(("a", "b"), [(1, 2), (1,)], "Scores")


def test_a_missing_extra_is_told_with_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(DiaboloError, match=r"need typst.*pip install 'diabolo\[report\]'"):
        reports.write(Document("T", "a", []), tmp_path)


def test_a_missing_extra_is_known_beforehand(monkeypatch):
    extra.check()
    monkeypatch.setattr(extra, "find_spec", lambda module: None if module == "nbclient" else module)
    with pytest.raises(DiaboloError, match=r"need nbclient.*pip install 'diabolo\[report\]'"):
        extra.check()
