"""What links in a document point at: every heading, figure and table has one anchor, and one name that all renderers share."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from diabolo.reports.document import Block, Document, Heading, Paragraph, Picture, Table


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
