"""Prose with inline Markdown, such as the lessons of the studies: what is code, stressed or a link; paragraphs and lists; and
what must not be torn apart at the end of a line: N(0, I), 0.3 ± 0.1, β = 4."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from diabolo.reports.document import Block, Bullets, Code, Prose

FIRM = "\N{NO-BREAK SPACE}"
_TOGETHER = re.compile(r"N\(0, (?=I\)|1\))|(?<=\d) ± (?=\d)|(?<=\b[αβλσ]) = (?=[\d.−-])")


def unbroken(text: str) -> str:
    """`text` with firm spaces inside such expressions."""
    return _TOGETHER.sub(lambda found: found[0].replace(" ", FIRM), text)


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
