import io

import pypdf
import pytest

from diabolo.reports import pdf
from diabolo.reports.document import Code, Document, Heading, Paragraph, Table


def opened(document):
    return pypdf.PdfReader(io.BytesIO(pdf.render(document)))


def words_of(reader):
    return "".join(page.extract_text() for page in reader.pages)


@pytest.fixture
def reader(everything):
    return opened(everything)


def test_it_has_pages_with_numbers_and_a_title(reader, nasty):
    assert len(reader.pages) >= 2
    assert reader.metadata["/Title"] == f"Title {nasty}"
    for i, page in enumerate(reader.pages, 1):
        assert f"{i} / {len(reader.pages)}" in page.extract_text()


def test_its_text_holds_the_table(reader, squeezed):
    text = squeezed(words_of(reader))
    for cell in ("what|<it>is", "0.01235", "1,234,567", "−1e−7", "notanumber"):
        assert cell in text


def test_special_characters_survive(reader, nasty, lines, squeezed):
    text = squeezed(words_of(reader)).replace("xx̂", "x̂")  # pypdf reads the letter beneath an accent twice
    assert text.count(squeezed(nasty)) >= 4
    assert all(squeezed(line) in text for line in lines)


def test_figures_are_drawn_and_captioned(reader, squeezed):
    text = words_of(reader)
    assert "Figure 1." in text
    assert "Figure 2. Without an anchor." in text
    forms = [x for page in reader.pages for x in page["/Resources"].get("/XObject", {}).values()]
    assert forms  # pages of vectors
    assert not any(page.images for page in reader.pages)  # and no pixels, since a PDF lies beside each PNG


def test_pixels_are_shown_where_there_are_no_vectors(everything, tmp_path):
    for vectors in (tmp_path / "figures").glob("*.pdf"):
        vectors.unlink()
    assert sum(len(page.images) for page in opened(everything).pages) == 2


def test_citations_link_inside_the_document(reader):
    notes = [note.get_object() for page in reader.pages for note in page.get("/Annots", [])]
    inside = [note for note in notes if "/Dest" in note or note.get("/A", {}).get("/S") == "/GoTo"]
    outside = [note["/A"]["/URI"] for note in notes if note.get("/A", {}).get("/S") == "/URI"]
    assert len(inside) >= 2
    assert outside == ["https://arxiv.org/abs/1312.6114"]


@pytest.mark.parametrize("columns", [3, 12, 20])
def test_a_wide_table_does_not_run_off_the_page(columns):
    names = [f"column number {i}" for i in range(columns)]
    table = Table(names, [[f"words {i}" for i in range(columns)]] * 3, "Wide.")
    (page,) = opened(Document("", "", [table])).pages
    edges = []
    page.extract_text(visitor_text=lambda text, cm, tm, font, size: edges.append(tm[4]) if text.strip() else None)
    assert max(edges) < float(page.mediabox.width) - 40
    assert str(columns - 1) in page.extract_text()


def test_a_long_table_goes_on_under_its_header():
    table = Table(("layer", "parameters"), [(f"layer {i}", i) for i in range(120)], "Long.")
    pages = opened(Document("", "", [table])).pages
    assert len(pages) > 1
    assert all("parameters" in page.extract_text() for page in pages)


def test_long_lines_of_code_are_wrapped():
    line = "diabolo study " + "--option value " * 40 + "end"
    assert "end" in words_of(opened(Document("", "", [Code(line)])))


def test_an_empty_report_is_a_page():
    assert len(opened(Document("Nothing", "", [Heading("Empty"), Paragraph("")])).pages) == 1
