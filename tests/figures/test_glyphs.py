"""Class names in every script: no box on the page, no warning, with whatever fonts there are."""

import warnings

import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.text import Text

from diabolo.figures import glyphs, latent_scatter, matrix, save, strips

CAT, CIRCLED, WATCH = "\u732b", "\u20dd", "\u231a"  # the last two are in STIXGeneral, and not in DejaVu Sans


@pytest.fixture
def only(monkeypatch):
    """Only these families are installed."""

    def install(*names):
        fonts = [font for font in font_manager.fontManager.ttflist if font.name in (glyphs.FONT, *names)]
        monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)

    return install


def words(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def test_a_font_that_has_the_character_draws_it(only, tmp_path):
    only("STIXGeneral")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = latent_scatter(np.eye(4)[:, :2], [0, 0, 1, 1], (f"watch {WATCH}", "dog"))
        save(figure, tmp_path / "map.png", pdf=True)
    named = [text for text in figure.findobj(Text) if WATCH in text.get_text()]
    assert named
    assert all(text.get_fontfamily() == [glyphs.FONT, "STIXGeneral"] for text in named)


def test_what_no_font_has_is_shown_by_its_number(only, tmp_path):
    only()
    names = (f"{CAT}{CAT}", "Größe", "кошка", WATCH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = latent_scatter(np.eye(4)[:, :2], [0, 1, 2, 3], names)
        save(figure, tmp_path / "map.png", pdf=True)
    assert {"U+732B U+732B", "Größe", "кошка", "U+231A"} <= set(words(figure))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = matrix(np.eye(2), (CAT, "b"), ("a", CAT), f"x {CAT}", "y", title=CAT)
        rows = strips({CAT: np.zeros((2, 1, 8, 8))}, [f"{CAT} = 1", "b"], title="faces")
        save(table, tmp_path / "table.png")
        save(rows, tmp_path / "strips.png")
    assert "U+732B" in words(table)
    assert "U+732B = 1" in words(rows)


def test_text_that_a_figure_got_elsewhere_is_made_legible_when_it_is_saved(only, tmp_path):
    only()
    figure = latent_scatter(np.eye(2))
    figure.axes[0].set_xlabel(CAT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(figure, tmp_path / "map.png")
    assert figure.axes[0].get_xlabel() == "U+732B"


def test_boxes_and_broken_files_are_no_fonts(only, monkeypatch, tmp_path):
    only("Last Resort High-Efficiency")
    assert glyphs.legible(CAT) == "U+732B"
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    fonts = [
        *font_manager.fontManager.ttflist,
        font_manager.FontEntry(str(broken), name="Broken"),
        font_manager.FontEntry(str(tmp_path / "gone.ttf"), name="Gone"),
    ]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)
    assert glyphs.legible({CAT: [f"a {CAT} b", 3]}) == {"U+732B": ["a U+732B b", 3]}
    assert glyphs.families([CAT, {"a": "é"}]) == [glyphs.FONT]
