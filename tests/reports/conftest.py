"""A document with everything in it, and words that every format must let through."""

import re
import shutil

import matplotlib.figure
import numpy as np
import pytest

from diabolo import figures
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
)

NASTY = "<b>&amp; &lt; # $x$ _y_ *z* @q \"double\" 'single' ≤ β x̂ [l](u) ![i](p) a|b \\n {c} ~~t~~ https://a.b"
LINES = ("# no heading", "1. no list", "- no list", "+ none", "> no quote", "    no code", "=== no", "#no", "```")


def drawn(path, power=1):
    figure = matplotlib.figure.Figure(figsize=(3, 2))
    figure.subplots().plot(np.arange(4) ** power)
    return figures.save(figure, path, pdf=True)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder with two figures, drawn once."""
    folder = tmp_path_factory.mktemp("pictures") / "figures"
    drawn(folder / "3.2-map & more.png")
    drawn(folder / "again.png", 2)
    return folder


@pytest.fixture
def everything(tmp_path, pictures):
    """A document of every block, each with special characters, in a folder with its figures."""
    shutil.copytree(pictures, tmp_path / "figures")
    rows = [(NASTY, 0.012345678, 1_234_567, None), ("b", -1e-7, -3, "x"), ("c", float("nan"), None, "y")]
    blocks = [
        Prose("A *stressed* and **strong** `word`, [a link](https://arxiv.org/abs/1312.6114) and 2 * 3 * 4."),
        Heading("3.2 Two principal components", 2, "row-3-2"),
        Paragraph(NASTY, ("row-3-2", "row-3-2-map", "row-9-9")),
        *[Paragraph(line) for line in LINES],
        Picture(tmp_path / "figures" / "3.2-map & more.png", f"Caption {NASTY}", "row-3-2-map"),
        Picture(tmp_path / "figures" / "again.png", "Without an anchor."),
        Bullets(("one", "two with `code`")),
        Code("diabolo study pca --quick  # ```"),
        Table(("what | <it> is", "value", "count", "note"), rows, f"Table {NASTY}", "row-3-2-numbers"),
        Verdict(f"loss < 0.04 {NASTY}", "0.031", "met"),
        Verdict("loss < 0.04", "0.05", "missed"),
        Verdict("loss < 0.04", "0.05 (0.03 … 0.07)", "not decided", "the interval contains the threshold"),
        Verdict("loss < 0.04", "0.05", "not checked", "a quick run"),
        Heading("3.2 Two principal components", 3),
    ]
    return Document(f"Title {NASTY}", f"About {NASTY}", blocks)


@pytest.fixture
def nasty():
    """Words that every format must let through."""
    return NASTY


@pytest.fixture
def lines():
    """Sentences that are no headings, lists, quotes or code."""
    return LINES


@pytest.fixture
def squeezed():
    """squeezed(text): without white space, which lines and pages break differently."""
    return lambda text: re.sub(r"\s+", "", text)
