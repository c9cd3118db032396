import base64
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from diabolo.reports import html
from diabolo.reports.document import Document, Heading

VOID = {"meta", "img", "br", "link", "input"}


class Reader(HTMLParser):
    """Tags, attributes and text of a page; complains where a tag is closed that is not open."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.ids, self.text, self.open = [], [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data

    def all(self, tag, name):
        return [attrs[name] for found, attrs in self.tags if found == tag and name in attrs]


@pytest.fixture
def page(everything):
    return html.render(everything)


@pytest.fixture
def read(page):
    return Reader(page)


def test_tags_are_closed_in_order(read):
    assert read.open == []


def test_every_link_leads_somewhere_and_no_anchor_is_there_twice(read):
    assert len(read.ids) == len(set(read.ids))
    links = read.all("a", "href")
    assert {link[1:] for link in links if link.startswith("#")} <= set(read.ids)
    assert {"#row-3-2", "#row-3-2-map"} <= set(links)
    assert {link for link in links if not link.startswith("#")} == {"https://arxiv.org/abs/1312.6114"}


def test_nothing_is_asked_of_a_server(read, page):
    assert all(source.startswith("data:image/") for source in read.all("img", "src"))
    assert not read.all("link", "href")
    assert not read.all("script", "src")
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", page)


def test_pictures_are_inside_and_as_large_as_on_paper(read, tmp_path):
    first = next(attrs for tag, attrs in read.tags if tag == "img" and "png" in attrs["src"])
    inside = base64.b64decode(first["src"].partition(",")[2])
    assert inside == (tmp_path / "figures" / "3.2-map & more.png").read_bytes()
    assert abs(int(first["width"]) - 3 * 96) <= 1
    assert abs(int(first["height"]) - 2 * 96) <= 1


def test_special_characters_survive(read, nasty, lines, squeezed):
    assert squeezed(read.text).count(squeezed(nasty)) >= 7
    assert all(squeezed(line) in squeezed(read.text) for line in lines)
    assert read.all("img", "alt")[0] == f"Caption {nasty}"


def test_numbers_sort_by_all_their_digits(read):
    values = read.all("td", "data-value")
    assert values[:4] == ["0.012345678", "1234567.0", "-1e-07", "-3.0"]
    assert "nan" in values


def test_contents_list_the_sections(page):
    contents = page[page.index("<nav") : page.index("</nav>")]
    found = re.findall(r'<li><a href="#([^"]+)">(.*?)</a>', contents)
    assert [(anchor, unescape(text)) for anchor, text in found] == [("row-3-2", "3.2 Two principal components")]


def test_light_and_dark_and_small_screens_are_cared_for(page):
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page
    assert "max-width: 60rem" in page


def test_braces_and_script_ends_in_the_words_do_no_harm():
    document = Document("{title} </title><script>alert(1)</script>", "{about}", [Heading("{x} </h2>")])
    read = Reader(html.render(document))
    assert "{title} </title><script>alert(1)</script>" in read.text
    assert [tag for tag, _ in read.tags].count("script") == 1
