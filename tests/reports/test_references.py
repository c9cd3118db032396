from pathlib import Path

from diabolo.reports.document import Document, Heading, Paragraph, Picture, Table
from diabolo.reports.references import entries

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
