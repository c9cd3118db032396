"""report.html in a real browser: what is written shows and runs, and nothing else, even if a renderer lets markup through."""

import re
import shutil
import subprocess

import pytest
from PIL import Image

from diabolo.reports import html
from diabolo.reports.document import Document, Heading, Paragraph, Picture, Table

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")

RED = (220, 20, 30)
HOSTILE = (
    "\"><script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\"><style>*{display:none}"
)
LET_THROUGH = """<script>document.title = "run"</script>
<img src="x" onerror="document.title = 'run'"><svg onload="document.title = 'run'"></svg>
<iframe src="javascript:parent.document.title = 'run'"></iframe><base href="https://example.org/">
<style>* { display: none !important }</style><link rel="stylesheet" href="other.css"><script src="other.js"></script>
<object data="other.js"></object><p style="position: fixed; inset: 0; background: black">over all</p>"""


@pytest.fixture
def shown(tmp_path):
    """shown(text): title, messages of the console, and the picture of a page."""

    def show(text):
        (tmp_path / "page.html").write_text(text)
        (tmp_path / "other.css").write_text("* { display: none !important }")
        (tmp_path / "other.js").write_text("document.title = 'run'")
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
                   "--enable-logging=stderr", "--virtual-time-budget=2000", "--window-size=800,900",
                   f"--screenshot={tmp_path / 'page.png'}"]  # fmt: skip
        ended = subprocess.run(
            [BROWSER, *options, str(tmp_path / "page.html")], capture_output=True, text=True, timeout=120
        )
        console = [line for line in ended.stderr.splitlines() if "CONSOLE" in line]
        with Image.open(tmp_path / "page.png") as picture:
            return ended.stdout, console, picture.convert("RGB")

    return show


@pytest.fixture
def page(tmp_path):
    picture = tmp_path / "own.png"
    Image.new("RGB", (300, 200), RED).save(picture)
    blocks = [
        Heading(f"Section {HOSTILE}", 2, "one"), Paragraph(HOSTILE), Picture(picture, HOSTILE, "figure"),
        Table((HOSTILE, "n"), [(HOSTILE, 2.0), ("b", 1.0)], HOSTILE),
    ]  # fmt: skip
    return html.render(Document(f"Report {HOSTILE}", HOSTILE, blocks), tmp_path)


def reds(picture):
    return sum(count for count, colour in picture.getcolors(picture.width * picture.height) if colour == RED)


def test_what_is_written_shows_and_what_names_say_does_not_run(page, shown):
    dom, console, picture = shown(page)
    assert console == []
    assert "<title>Report " in dom
    assert re.search(r'<button type="button" id="theme">\w+', dom)  # the page's own script has run
    assert reds(picture) > 200 * 150  # the figure is there
    assert not re.search(r"<script>document|<img src=.?x", dom)


def test_what_a_renderer_lets_through_is_neither_run_nor_fetched_nor_shown(page, shown):
    dom, console, picture = shown(page.replace("</main>", f"{LET_THROUGH}</main>"))
    assert "<title>Report " in dom
    assert reds(picture) > 200 * 150
    for directive in ("script-src", "style-src", "img-src", "base-uri", "default-src"):
        assert any(directive in line for line in console), directive
