"""A document as a PDF that looks like a paper, set by typst. Its words go there as data, so that none is read as markup."""

import json
import shutil
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from diabolo import disk
from diabolo.display import unbroken, words
from diabolo.plain import visible
from diabolo.reports.document import (
    Bullets,
    Code,
    Document,
    Heading,
    Paragraph,
    Picture,
    Prose,
    Table,
    Verdict,
    is_numeric,
)
from diabolo.reports.extra import needed
from diabolo.reports.html import STATES
from diabolo.reports.inline import Entry, entries, spans

NO_DATE = datetime(
    2000, 1, 1, tzinfo=UTC
)  # the same document gives the same bytes; the date of the results is in its text


def render(document: Document, folder: Path | None = None) -> bytes:
    """The bytes of report.pdf.

    Raises:
        DiaboloError: when typst is not installed.
    """
    typst = needed("typst")
    with disk.desk() as desk:
        record = {
            "title": _text(document.title),
            "about": _text(document.about),
            "blocks": [_record(entry, desk) for entry in entries(document)],
        }
        (desk / "document.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
        paper = desk / "paper.typ"
        paper.write_bytes((files("diabolo.reports") / "paper.typ").read_bytes())
        pdf: bytes = typst.compile(paper, root=desk, timestamp=NO_DATE)
    return pdf


def _record(entry: Entry, desk: Path) -> dict[str, Any]:
    """What paper.typ reads of one block; pictures are laid on the `desk`."""
    block = entry.block
    head: dict[str, Any] = {"kind": type(block).__name__, "anchor": entry.anchor, "name": _text(entry.name)}
    match block:
        case Heading():
            return head | {"text": _text(block.text), "level": block.level}
        case Paragraph():
            cites = [{"anchor": anchor, "name": _text(name)} for anchor, name in entry.cites]
            return head | {"text": _text(block.text), "cites": cites}
        case Prose():
            return head | {"spans": _spans(block.text)}
        case Bullets():
            return head | {"items": [_spans(item) for item in block.items]}
        case Code():
            return head | {"text": visible(block.text, lines=True)}
        case Table():
            numeric = [is_numeric(block, i) for i in range(len(block.columns))]
            rows = [[visible(words(cell), lines=True) for cell in row] for row in block.rows]
            return head | {
                "caption": _text(block.caption),
                "columns": [visible(column) for column in block.columns],
                "numeric": numeric,
                "rows": rows,
                "links": [anchor for anchor, _ in entry.cites],
            }
        case Picture():
            vectors = block.path.with_suffix(".pdf")
            source = vectors if vectors.exists() else block.path
            file = entry.anchor + source.suffix
            shutil.copyfile(source, desk / file)
            return head | {"file": file, "caption": _text(block.caption)}
        case Verdict():
            note = f" ({block.note})" if block.note else ""
            text = f"{block.claim}; measured: {block.measured}{note}"
            return head | {"state": block.state, "mark": STATES[block.state], "text": _text(text)}


def _text(text: str) -> str:
    """Words as they stand on the page; typst reads no markup in them."""
    return unbroken(visible(text, lines=True))


def _spans(text: str) -> list[dict[str, str]]:
    return [
        {
            "kind": span.kind,
            "text": visible(span.text, lines=True) if span.kind == "code" else _text(span.text),
            "url": span.url,
        }
        for span in spans(text)
    ]
