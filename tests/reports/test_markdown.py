import re
from html import unescape
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from diabolo.reports import markdown
from diabolo.reports.document import Document, Heading


@pytest.fixture
def page(everything, tmp_path):
    """The Markdown as a reader's program shows it."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown.render(everything, tmp_path))


@pytest.fixture
def text(page, squeezed):
    return squeezed(unescape(re.sub(r"<[^>]+>", "", page)))


def test_special_characters_survive(text, nasty, squeezed):
    assert text.count(squeezed(nasty)) >= 6  # title, about, paragraph, caption, table, cell, verdict


def test_a_sentence_is_no_heading_list_or_quote(page, text, lines, squeezed):
    assert page.count("<h1>") == 1
    assert page.count("<h2>") == 1
    assert page.count("<ul>") == 1
    assert "<ol>" not in page
    assert "<blockquote>" not in page
    for line in lines:
        assert squeezed(line) in text


def test_inline_markdown_stays(page):
    assert "<em>stressed</em> and <strong>strong</strong> <code>word</code>" in page
    assert '<a href="https://arxiv.org/abs/1312.6114">a link</a> and 2 * 3 * 4.' in page


def test_pictures_are_linked_by_paths_that_lead_there(page, tmp_path):
    sources = [unquote(source) for source in re.findall(r'<img src="([^"]+)"', page)]
    assert sources == ["figures/3.2-map & more.png", "figures/again.png"]
    assert all((tmp_path / source).exists() for source in sources)


def test_links_lead_to_what_they_name(page, text):
    ids = set(re.findall(r'<a id="([^"]+)"', page))
    targets = re.findall(r'href="#([^"]+)"', page)
    assert set(targets) <= ids
    assert ">3.2</a>" in page
    assert ">Figure 1</a>" in page
    assert "row-9-9" in text


def test_the_table_has_all_its_cells(page, nasty):
    table = page[page.index("<table>") : page.index("</table>")]
    cells = [unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", table)]
    assert cells[0] == nasty
    assert cells[1:4] == ["0.01235", "1,234,567", "–"]
    assert table.count("text-align:right") >= 2


def test_verdicts_say_how_it_went(page):
    assert "<strong>met</strong>" in page
    assert "<strong>missed</strong>" in page
    assert "(a quick run)" in page


def test_words_are_left_as_they_are_where_nothing_would_read_them_otherwise(tmp_path):
    text = markdown.render(Document("Learning & Interpretability", "", [Heading("R & D", 2)]), tmp_path)
    assert text == "# Learning & Interpretability\n\n## R & D\n"
