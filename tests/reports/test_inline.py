"""Inline Markdown, and what is not torn apart."""

import pytest

from diabolo.reports.document import Bullets, Code, Prose
from diabolo.reports.inline import FIRM, Span, blocks_of, spans, unbroken


@pytest.mark.parametrize("text", ["N(0, I)", "N(0, 1)", "0.3 ± 0.1", "β = 4", "λ = 0.001", "α = −2"])
def test_what_belongs_together_holds_together(text):
    firm = unbroken(f"so {text}, or not")
    assert firm == f"so {text.replace(' ', FIRM)}, or not"


@pytest.mark.parametrize("text", ["f(0, I)", "a = b", "x ± y", "--beta = 4"])
def test_all_else_may_be_broken(text):
    assert unbroken(text) == text


def test_inline_markdown_is_told_apart():
    assert spans("a `b*c*` *d e* **f** [g](https://h.i) j") == [
        Span("plain", "a "),
        Span("code", "b*c*"),
        Span("plain", " "),
        Span("stressed", "d e"),
        Span("plain", " "),
        Span("strong", "f"),
        Span("plain", " "),
        Span("link", "g", "https://h.i"),
        Span("plain", " j"),
    ]


@pytest.mark.parametrize("text", ["2 * 3 * 4", "a*b*c", "n_train_x", "[a](javascript:x)", "5 ** 2 ** 3", "`", "**", ""])
def test_what_is_no_markup_stays(text):
    assert spans(text) == ([Span("plain", text)] if text else [])


def test_a_cell_becomes_paragraphs_lists_and_code_without_its_headings():
    cell = "## 3.2 Two\nOne\nline.\n\nSecond:\n- a\n  b\n- c\n\n```sh\nls *\n\n# kept\n```\nlast"
    assert list(blocks_of(cell)) == [
        Prose("One line."),
        Prose("Second:"),
        Bullets(("a b", "c")),
        Code("ls *\n\n# kept", "sh"),
        Prose("last"),
    ]
    assert list(blocks_of("")) == []
