"""The folder for temporary files: missing, full, or taken away. One kind of error, which says what to do."""

import errno
import tempfile

import pytest

from diabolo import disk
from diabolo.errors import NotWrittenError
from diabolo.reports.document import Document, Paragraph
from diabolo.reports.pdf import render


@pytest.fixture
def nowhere(monkeypatch):
    """There is no folder for temporary files."""

    def missing():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", missing)


def test_a_folder_that_cannot_be_made(nowhere):
    with pytest.raises(NotWrittenError, match="TMPDIR") as caught, disk.desk():
        pass
    assert caught.value.exit_code == 1
    pytest.importorskip("typst")
    with pytest.raises(NotWrittenError, match="TMPDIR"):
        render(Document("title", "about", [Paragraph("text")]))


@pytest.mark.parametrize("number", disk.DISK)
def test_a_folder_without_room(number):
    with pytest.raises(NotWrittenError, match="for temporary files could not be written to"), disk.desk() as desk:
        raise OSError(number, "no room", str(desk / "file"))


def test_what_lies_on_it_is_gone_afterwards():
    with disk.desk() as desk:
        (desk / "file").write_text("text")
    assert not desk.exists()
