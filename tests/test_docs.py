"""What the Markdown files of the repository point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "docs").exists(), reason="a source distribution holds no docs")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("docs/**/*.md")])


def targets(page):
    """What the page's links and pictures point to, but for other sites."""
    found = re.findall(r"(?<=\]\()[^)\s]+(?=\))", page.read_text())
    return [target for target in found if not target.startswith(("http:", "https:", "mailto:"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_and_no_picture_is_broken(page):
    anchors = set(re.findall(r'<a id="([^"]+)">', page.read_text()))
    for target in targets(page):
        path, _, anchor = target.partition("#")
        assert (page.parent / path).exists(), target
        assert path or anchor in anchors, target


def test_every_picture_of_a_study_is_shown():
    pictures = sorted(ROOT.glob("docs/studies/*/figures/*.png"))
    shown = {(page.parent / target).resolve() for page in PAGES for target in targets(page)}
    assert pictures
    assert [picture for picture in pictures if picture.resolve() not in shown] == []
