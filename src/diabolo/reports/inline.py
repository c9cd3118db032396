"""What is within a document: prose with inline Markdown (what is code, stressed or a link; paragraphs and lists), and what
links point at: every heading, figure and table has one anchor, and one name that all renderers share.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from diabolo.reports.document import Block, Bullets, Code, Document, Heading, Paragraph, Picture, Prose, Table

Kind = Literal["plain", "code", "strong", "stressed", "link"]
MARKED: tuple[Kind, ...] = ("code", "strong", "stressed", "link")

_INLINE = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\*\*(?P<strong>\S(?:[^*]*\S)?)\*\*"
    r"|(?<![\w*])\*(?P<stressed>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])"
    r"|\[(?P<link>[^\]]+)\]\((?P<url>https?://[^)\s]+)\)"
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^[-*] ", re.MULTILINE)


@dataclass(frozen=True)
class Span:
    """A few words of one kind; `url` of a link."""

    kind: Kind
    text: str
    url: str = ""


def spans(markdown: str) -> list[Span]:
    """`code`, **strong**, *stressed*, [a link](https://…), and all else, in order."""
    found, end = [], 0
    for match in _INLINE.finditer(markdown):
        if match.start() > end:
            found.append(Span("plain", markdown[end : match.start()]))
        kind = next(kind for kind in MARKED if match[kind])
        found.append(Span(kind, match[kind], match["url"] or ""))
        end = match.end()
    return [*found, Span("plain", markdown[end:])] if end < len(markdown) else found


def blocks_of(markdown: str) -> Iterator[Block]:
    """The blocks of a Markdown cell: paragraphs, lists and fenced code. Headings are left out: the document has its own."""
    end = 0
    for fence in _FENCE.finditer(markdown):
        yield from _blocks(markdown[end : fence.start()])
        yield Code(fence[2].rstrip(), fence[1])
        end = fence.end()
    yield from _blocks(markdown[end:])


def _blocks(markdown: str) -> Iterator[Block]:
    text = "\n".join("" if line.startswith("#") else line for line in markdown.splitlines())
    for part in re.split(r"\n\s*\n", text):
        before, *items = _ITEM.split(part)
        if before.strip():
            yield Prose(" ".join(before.split()))
        if items:
            yield Bullets(tuple(" ".join(item.split()) for item in items))


@dataclass(frozen=True)
class Entry:
    """A block with what it is called.

    Attributes:
        block: itself.
        cites: (anchor, name) of what a paragraph or each row of a table rests on; the anchor is empty where that is not in this
            document, such as a row that was not run.
        anchor: what a link to it points at, unique in the document; empty where nothing links to it.
        name: "3.2", "Figure 4", "Table 2".
    """

    block: Block
    anchor: str = ""
    name: str = ""
    cites: tuple[tuple[str, str], ...] = ()


def entries(document: Document) -> list[Entry]:
    """The blocks in order; figures and tables are numbered through the document."""
    found: list[Entry] = []
    taken: set[str] = set()
    for block in document.blocks:
        if not isinstance(block, Heading | Picture | Table):
            found.append(Entry(block))
            continue
        if isinstance(block, Heading):
            number = re.match(r"\d+(\.\d+)*", block.text)
            name, usual = number[0] if number else block.text, _slug(block.text)
        else:
            kind = "Figure" if isinstance(block, Picture) else "Table"
            n = 1 + sum(type(entry.block) is type(block) for entry in found)
            name, usual = f"{kind} {n}", f"{kind.lower()}-{n}"
        anchor = _free(_slug(block.anchor) if block.anchor else usual, taken)
        taken.add(anchor)
        found.append(Entry(block, anchor, name))
    return list(_citing(found))


def _citing(found: list[Entry]) -> Iterator[Entry]:
    """The same with what paragraphs cite. The long name of a section without a number is not repeated inside it."""
    names = {entry.anchor: entry.name for entry in found if entry.anchor}
    here = ""
    for entry in found:
        block = entry.block
        if isinstance(block, Heading) and block.level == 2:
            here = entry.anchor if entry.name == block.text else ""
        if isinstance(block, Paragraph):
            anchors = [(_slug(cite), cite) for cite in block.cites if _slug(cite) != here]
            cites = tuple((anchor if anchor in names else "", names.get(anchor, cite)) for anchor, cite in anchors)
            entry = replace(entry, cites=cites)
        if isinstance(block, Table):
            anchors = [(_slug(link) if link else "", link) for link in block.links]
            entry = replace(entry, cites=tuple((a if a in names else "", names.get(a, link)) for a, link in anchors))
        yield entry


def _slug(text: str) -> str:
    """Letters, digits and hyphens, as in an address."""
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-") or "part"


def _free(anchor: str, taken: set[str]) -> str:
    n, free = 1, anchor
    while free in taken:
        n += 1
        free = f"{anchor}-{n}"
    return free
