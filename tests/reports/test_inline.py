"""Inline Markdown, and what is not torn apart."""

from pathlib import Path

import pytest

from diabolo.display import FIRM, unbroken
from diabolo.reports.document import Bullets, Code, Document, Heading, Paragraph, Picture, Prose, Table
from diabolo.reports.inline import Span, blocks_of, entries, spans


@pytest.mark.parametrize("text", ["N(0, I)", "N(0, 1)", "0.3 ± 0.1", "β = 4", "λ = 0.001", "α = −2", "96.8 %"])
def test_what_belongs_together_holds_together(text):
    firm = unbroken(f"so {text}, or not")
    assert firm == f"so {text.replace(' ', FIRM)}, or not"


@pytest.mark.parametrize("text", ["f(0, I)", "a = b", "x ± y", "--beta = 4", "a % b"])
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


PICTURE, TABLE = Picture(Path("a.png"), ""), Table((), [], "")


def test_figures_and_tables_are_numbered_through_the_document_and_rows_go_by_their_number():
    blocks = [Heading("3.2 PCA"), PICTURE, TABLE, Heading("Answers"), Picture(Path("b.png"), "", "map"), TABLE]
    found = entries(Document("", "", blocks))
    assert [entry.name for entry in found] == ["3.2", "Figure 1", "Table 1", "Answers", "Figure 2", "Table 2"]
    assert [entry.anchor for entry in found] == ["3-2-pca", "figure-1", "table-1", "answers", "map", "table-2"]


def test_no_two_things_have_one_anchor():
    blocks = [Heading("One"), Heading("One"), Picture(Path("a"), "", "one"), Heading("…")]
    assert [entry.anchor for entry in entries(Document("", "", blocks))] == ["one", "one-2", "one-3", "part"]


def test_a_citation_of_what_is_not_there_is_no_link():
    blocks = [Heading("3.2 PCA", 2, "row-3-2"), Paragraph("x", ("row-3-2", "row-4-1"))]
    assert entries(Document("", "", blocks))[1].cites == (("row-3-2", "3.2"), ("", "row-4-1"))


def test_a_section_without_a_number_is_not_cited_inside_itself():
    blocks = [Heading("Answers", 2, "row-answers"), Heading("Why?", 3), Paragraph("x", ("row-answers", "row-3-2"))]
    blocks += [Heading("3.2 PCA", 2, "row-3-2"), Paragraph("y", ("row-answers",))]
    found = entries(Document("", "", blocks))
    assert found[2].cites == (("row-3-2", "3.2"),)
    assert found[4].cites == (("row-answers", "Answers"),)
