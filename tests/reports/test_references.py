from pathlib import Path

from diabolo.reports.document import Document, Heading, Paragraph, Picture, Table
from diabolo.reports.references import cited, entries, names

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
    called = names(entries(Document("", "", [Heading("3.2 PCA", 2, "row-3-2"), Paragraph("x")])))
    assert cited(("row-3-2", "row-4-1"), called) == [("row-3-2", "3.2"), ("", "row-4-1")]
