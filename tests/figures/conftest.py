"""What every figure must keep to, and data to draw."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.datasets import load_digits

from diabolo.figures.style import style


def canvas(figure: Figure) -> np.ndarray:
    """The figure as pixels (H, W, 3), row 0 at the top."""
    with style():
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]


def written(figure: Figure) -> list[Text]:
    """The texts that are really on the page (an axis also keeps labels of ticks outside its range)."""
    with style():
        figure.canvas.draw()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            shown = {id(t) for t in axis.get_major_ticks() if low <= t.get_loc() <= high and axes.axison}
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if id(tick) not in shown:
                    hidden |= {id(tick.label1), id(tick.label2)}
            if not axes.axison:
                hidden |= {id(axis.label), id(axis.offsetText)}
    texts = figure.findobj(Text)
    return [t for t in texts if t.get_visible() and t.get_text().strip() and id(t) not in hidden]


def check_page(figure: Figure) -> None:
    """Nothing is clipped by the edge of the page and no two texts touch."""
    pixels = canvas(figure)
    frame = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    assert (frame == 255).all(), "something is drawn over the edge of the page"
    height, width = pixels.shape[:2]
    boxes = [(t.get_text(), t.get_window_extent()) for t in written(figure)]
    assert boxes
    for text, box in boxes:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
        assert inside, f"{text!r} leaves the page: {box}"
    for (one, a), (two, b) in combinations(boxes, 2):
        assert not a.padded(-1).overlaps(b.padded(-1)), f"{one!r} and {two!r} overlap"


@pytest.fixture
def sound() -> Callable[[Figure], None]:
    return check_page


@pytest.fixture
def pixels_of() -> Callable[[Figure], np.ndarray]:
    return canvas


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 1, 8, 8) in [0, 1], and their labels."""
    data: Any = load_digits()
    return (data.images[:, None] / 16).astype(np.float32), data.target
