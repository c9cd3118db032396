"""A document as one HTML file with nothing outside it: style, script and pictures are inside, and it asks no server."""

import base64
import hashlib
from html import escape as as_markup
from importlib.resources import files
from itertools import zip_longest
from pathlib import Path

from PIL import Image

from diabolo.display import Cell, escape, words
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

TAGS = {"code": "code", "strong": "strong", "stressed": "em"}
STATES = {"met": "met", "missed": "missed", "not decided": "undecided", "not checked": "unchecked"}
LONG = 20  # characters from which on a cell is a sentence
SCREEN = 96  # pixels of CSS in an inch
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<nav aria-label="Contents">
<details open><summary>Contents</summary>
<ol>
{contents}
</ol>
</details>
<button type="button" id="theme" hidden></button>
</nav>
<main>
<header id="top">
<h1>{title}</h1>
<p class="about">{about}</p>
</header>
{body}
</main>
<dialog id="large" aria-label="Figure"><img alt="" src="{nothing}"><p></p></dialog>
<script>{script}</script>
</body>
</html>
"""
# Nothing is fetched, sent or run but what is written here, even if a renderer let something through.
POLICY = (
    "default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"
)
NOTHING = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="  # until a figure is enlarged


def render(document: Document, folder: Path | None = None) -> str:
    """The text of report.html; it can lie anywhere."""
    found = entries(document)
    here = files("diabolo.reports")
    style, script = ((here / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    contents = [
        f'<li><a href="#{entry.anchor}">{escape(entry.block.text)}</a></li>'
        for entry in found
        if isinstance(entry.block, Heading) and entry.block.level == 2
    ]
    return PAGE.format(
        title=escape(document.title),
        about=escape(document.about),
        policy=POLICY.format(style=_digest(style), script=_digest(script)),
        style=style,
        script=script,
        nothing=NOTHING,
        contents="\n".join(contents),
        body="\n".join(_block(entry) for entry in found),
    )


def _digest(text: str) -> str:
    """How a policy names a style or script that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _block(entry: Entry) -> str:
    block, name = entry.block, escape(entry.name)
    match block:
        case Heading():
            link = f'<a class="anchor" href="#{entry.anchor}" aria-label="Link to this section">#</a>'
            return f'<h{block.level} id="{entry.anchor}">{escape(block.text)} {link}</h{block.level}>'
        case Paragraph():
            links = ", ".join(
                f'<a href="#{anchor}">{escape(told)}</a>' if anchor else escape(told) for anchor, told in entry.cites
            )
            return f"<p>{escape(block.text)}" + (f' <span class="cites">({links})</span></p>' if links else "</p>")
        case Prose():
            return f"<p>{_inline(block.text)}</p>"
        case Bullets():
            return "<ul>\n" + "\n".join(f"<li>{_inline(item)}</li>" for item in block.items) + "\n</ul>"
        case Code():
            return f"<pre><code>{as_markup(visible(block.text, lines=True))}</code></pre>"
        case Table():
            return _table(entry, f"<b>{name}.</b> {escape(block.caption)}", block)
        case Picture():
            data = base64.b64encode(block.path.read_bytes()).decode()
            caption = escape(block.caption)
            wide, tall = _size(block.path)
            return (
                f'<figure id="{entry.anchor}"><button type="button" class="enlarge" title="Enlarge">'
                f'<img alt="{caption}" width="{wide}" height="{tall}" src="data:image/png;base64,{data}"></button>'
                f"<figcaption><b>{name}.</b> {caption}</figcaption></figure>"
            )
        case Verdict():
            note = f" ({escape(block.note)})" if block.note else ""
            return (
                f'<p class="verdict"><span class="mark {STATES[block.state]}">{block.state}</span> '
                f"{escape(block.claim)}; measured: {escape(block.measured)}{note}</p>"
            )


def _size(path: Path) -> tuple[int, int]:
    """Width and height in pixels of CSS, so that a figure is as large on the screen as on paper."""
    with Image.open(path) as image:
        resolution = image.info.get("dpi", (SCREEN, SCREEN))
        wide, tall = (round(n * SCREEN / dpi) for n, dpi in zip(image.size, resolution, strict=True))
    return wide, tall


def _inline(text: str) -> str:
    told = []
    for span in spans(text):
        if span.kind == "link":
            told.append(f'<a href="{as_markup(span.url)}">{escape(span.text)}</a>')
        elif span.kind == "plain":
            told.append(escape(span.text))
        else:
            words = as_markup(visible(span.text, lines=True)) if span.kind == "code" else escape(span.text)
            told.append(f"<{TAGS[span.kind]}>{words}</{TAGS[span.kind]}>")
    return "".join(told)


def _table(entry: Entry, caption: str, table: Table) -> str:
    numeric = [' class="number"' if is_numeric(table, i) else "" for i in range(len(table.columns))]
    heads = "".join(
        f'<th scope="col"{kind}><button type="button">{escape(column)}</button></th>'
        for column, kind in zip(table.columns, numeric, strict=True)
    )
    links = [anchor for anchor, _ in entry.cites]
    rows = "\n".join(
        "<tr>"
        + "".join(
            _cell(cell, kind, link if not i else "") for i, (cell, kind) in enumerate(zip(row, numeric, strict=True))
        )
        + "</tr>"
        for row, link in zip_longest(table.rows, links, fillvalue="")
    )
    return (
        f'<div class="table" id="{entry.anchor}"><p class="caption">{caption}</p>\n<div class="scroll" tabindex="0"><table>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div></div>"
    )


def _cell(cell: Cell, kind: str, link: str) -> str:
    """Numbers keep all their digits for sorting; sentences get room to be read."""
    value = f' data-value="{float(cell)!r}"' if isinstance(cell, int | float) else ""
    text = words(cell)
    long = ' class="long"' if len(text) > LONG and not kind else ""
    told = f'<a href="#{link}">{escape(text)}</a>' if link else escape(text)
    return f"<td{kind}{long}{value}>{told}</td>"
