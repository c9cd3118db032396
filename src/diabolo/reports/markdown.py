"""A document as Markdown that GitHub, editors and converters understand. Pictures are linked by their relative paths."""

import os
import re
from itertools import zip_longest
from pathlib import Path
from urllib.parse import quote

from diabolo.display import words
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
from diabolo.reports.inline import Entry, entries, spans

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$])")
_LINE_START = re.compile(r"^(\s*)(#|[-+=](?=\s|$|[-=])|\d+(?=[.)](\s|$)))", re.MULTILINE)
_ENTITY = re.compile(r"&(?=#?\w+;)")  # what would be read as one character
ADDRESS = ":/?#@!$&'+,;=%~"  # what stays as it is in an address
MARKS = {"met": "✓", "missed": "✗", "not decided": "?", "not checked": "–"}


def render(document: Document, folder: Path) -> str:
    """The text of report.md when it lies in `folder`."""
    parts = [f"# {escape(document.title)}", f"*{escape(document.about.strip())}*" if document.about.strip() else ""]
    parts += [_block(entry, folder) for entry in entries(document)]
    return "\n\n".join(filter(None, parts)) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    text = _SPECIAL.sub(r"\\\1", _ENTITY.sub("&amp;", _line(text)))
    return _LINE_START.sub(lambda m: f"{m[1]}{m[2]}\\" if m[2].isdigit() else f"{m[1]}\\{m[2]}", text)


def _line(text: str) -> str:
    """On one line: an empty one would end the paragraph, and what follows could be raw HTML."""
    return visible(re.sub(r"\s*\n\s*", " ", text))


def _block(entry: Entry, folder: Path) -> str:
    block = entry.block
    match block:
        case Heading():
            return f"{_target(entry)}{'#' * block.level} {escape(block.text)}"
        case Paragraph():
            links = [f"[{escape(name)}](#{anchor})" if anchor else escape(name) for anchor, name in entry.cites]
            return escape(block.text) + (f" ({', '.join(links)})" if links else "")
        case Prose():
            return _inline(block.text)
        case Bullets():
            return "\n".join(f"- {_inline(item)}" for item in block.items)
        case Code():
            text = visible(block.text, lines=True)
            fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
            return f"{fence}{re.sub(r'[^a-z]', '', block.language)}\n{text}\n{fence}"
        case Table():
            return _table(entry, block)
        case Picture():
            where = quote(Path(os.path.relpath(block.path, folder)).as_posix())
            text = escape(" ".join(block.caption.split()))
            return f"{_target(entry)}![{text}]({where})\n\n**{entry.name}.** {text}"
        case Verdict():
            note = f" ({escape(block.note)})" if block.note else ""
            told = f"{escape(block.claim)}; measured: {escape(block.measured)}"
            return f"{MARKS[block.state]} **{block.state}**: {told}{note}"


def _target(entry: Entry) -> str:
    """What links point at, where something was given a name to link to; all else stays plain."""
    given = isinstance(entry.block, Heading | Picture | Table) and entry.block.anchor is not None
    return f'<a id="{entry.anchor}"></a>\n\n' if given else ""


def _inline(text: str) -> str:
    def told(kind: str, words: str, url: str) -> str:
        match kind:
            case "code":
                return f"`{_line(words)}`"
            case "strong":
                return f"**{escape(words)}**"
            case "stressed":
                return f"*{escape(words)}*"
            case "link":
                return f"[{escape(words)}]({quote(url, safe=ADDRESS)})"
            case _:
                return escape(words)

    found: list[str] = []
    for span in spans(text):
        if span.kind == "link" and found and found[-1].endswith("!"):
            found[-1] = found[-1][:-1] + r"\!"  # else the link would be a picture
        found.append(told(span.kind, span.text, span.url))
    return "".join(found)


def _table(entry: Entry, table: Table) -> str:
    def line(cells: list[str], link: str = "") -> str:
        told = [" ".join(escape(cell).split()) for cell in cells]
        return f"| {' | '.join([f'[{told[0]}](#{link})' if link else told[0], *told[1:]])} |"

    rules = ["---:" if is_numeric(table, i) else "---" for i in range(len(table.columns))]
    lines = [line(list(table.columns)), f"| {' | '.join(rules)} |"]
    links = [anchor for anchor, _ in entry.cites]
    lines += [line([words(cell) for cell in row], link) for row, link in zip_longest(table.rows, links, fillvalue="")]
    caption = f"{_target(entry)}**{entry.name}.** {escape(table.caption)}"
    return f"{caption}\n\n" + "\n".join(lines)
