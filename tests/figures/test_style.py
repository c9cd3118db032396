import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest

import diabolo.figures
from diabolo.figures import latent_scatter, loss_curves, sample_grid
from diabolo.figures.style import shorten, wrap


def test_importing_the_room_loads_neither_matplotlib_nor_torch():
    code = "import sys, diabolo.figures; print([m for m in ('matplotlib', 'torch') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_drawing_never_touches_pyplot():
    code = (
        "import sys, numpy; from diabolo.figures import sample_grid, latent_scatter;"
        "sample_grid(numpy.zeros((2, 1, 8, 8))); latent_scatter(numpy.zeros((4, 2)));"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_all_names_are_there_and_others_are_not():
    for name in diabolo.figures.__all__:
        assert callable(getattr(diabolo.figures, name))
    assert set(diabolo.figures.__all__) <= set(dir(diabolo.figures))
    with pytest.raises(AttributeError, match="no_such_figure"):
        _ = diabolo.figures.no_such_figure


def test_settings_are_put_back_also_after_an_error():
    before = dict(matplotlib.rcParams)
    sample_grid(np.zeros((2, 1, 8, 8)))
    with pytest.raises(ValueError, match="vectors"):
        sample_grid(np.zeros((2, 64)))
    assert dict(matplotlib.rcParams) == before


def test_threads_draw_what_one_thread_draws(pixels_of):
    codes = np.random.default_rng(0).normal(size=(100, 2))
    history = [{"epoch": e, "train": {"total": 1 / e}} for e in (1, 2, 3)]
    jobs = [
        lambda: latent_scatter(codes),
        lambda: loss_curves(history),
        lambda: sample_grid(np.zeros((3, 1, 8, 8))),
    ] * 3
    alone = [pixels_of(job()) for job in jobs]
    before = dict(matplotlib.rcParams)
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda job: pixels_of(job()), jobs))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert dict(matplotlib.rcParams) == before


def test_text_is_broken_and_shortened():
    assert wrap("one two three", 10, 10) == "one two three"
    assert "\n" in wrap("x" * 300, 4, 10)
    assert shorten("short", 10) == "short"
    assert shorten("abcdefghijkl", 7) == "abc…jkl"
