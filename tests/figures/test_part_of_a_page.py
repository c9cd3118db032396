"""What every figure of an evaluation keeps to: it is sound by itself, and looks the same as a part of a page."""

from functools import partial

import numpy as np
import pytest
from matplotlib.axes import Axes

from diabolo import figures
from diabolo.errors import DiaboloError
from diabolo.figures.style import new_figure, style

RNG = np.random.default_rng(0)
IMAGES = RNG.random((40, 1, 8, 8)).astype(np.float32)
COLOUR = RNG.random((40, 3, 8, 8)).astype(np.float32)
LABELS = np.arange(40) % 4
BELL = np.exp(-np.square(np.arange(-4, 5)) / 4) * np.exp(-np.square(np.arange(-3, 6))[:, None] / 3)
LONG = "a name that is far too long to stand anywhere in full"


def within(value):
    return value, value - 0.03, value + 0.02


def shares(*counts):
    return {n: within(0.9 - 1 / n) for n in counts}


PANELS = {
    "kl": partial(figures.kl_bars, [1.2, 0.4, 0.001], [1, 1, 0]),
    "kl of one": partial(figures.kl_bars, [0.7], [True]),
    "kl of 512": partial(figures.kl_bars, np.linspace(0, 1, 512), np.arange(512) > 5),
    "posterior": partial(figures.posterior_against_prior, RNG.normal(size=16), RNG.random(16)),
    "posterior of one": partial(figures.posterior_against_prior, [0.1], [0.9]),
    "posterior of 512": partial(figures.posterior_against_prior, RNG.normal(size=512), RNG.random(512)),
    "few labels": partial(figures.few_label_curve, {"codes": shares(10, 30, 100, 300, 1000), LONG: shares(10, 100)}),
    "one count": partial(figures.few_label_curve, {"codes": shares(100)}),
    "bars": partial(figures.bars, {"codes": 0.95, LONG: 0.91}, "test accuracy", {"codes": (0.94, 0.96)}),
    "bars below zero": partial(figures.bars, {"one": -3.0}, "nats", title=LONG * 3),
    "forty bars": partial(figures.bars, {f"{LONG} {i}": 1e-4 * i for i in range(40)}, "squared error"),
    "pareto": partial(figures.pareto, {f"model {i}": RNG.random((3, 2)) for i in range(10)}, "FID", "test error"),
    "parallel coordinates": partial(
        figures.parallel_coordinates,
        {"lr": RNG.random(9).tolist(), "net": list("abcabcabc"), LONG: [8, 16, 32] * 3},
        RNG.random(9),
        "validation/reconstruction",
        log=["lr"],
    ),
    "front of trials": partial(
        figures.trial_front,
        {str(i): tuple(RNG.random(2)) for i in range(12)},
        "rate",
        "distortion",
        intervals={"3": ((0.2, 0.4), None)},
    ),
    "pareto of one": partial(figures.pareto, {LONG: (1, 2)}, "FID", "test error"),
    "trade-off": partial(figures.trade_off, {f"β = {b}": (5 / b, 80 + b) for b in (1, 2, 4)}, "rate", "distortion"),
    "contours": partial(figures.contours, BELL, {"one": BELL, LONG: BELL.T[::-1]}, (0, 1, 0, 1), title=LONG * 3),
    "strips": partial(figures.strips, {"one": COLOUR[:5], LONG: COLOUR[5:10]}, [f"α = {a}" for a in range(5)]),
    "many strips": partial(figures.strips, {f"z{i}": IMAGES[:9] for i in range(30)}, ["a long caption"] * 9),
    "worst": partial(figures.worst, IMAGES, IMAGES, RNG.random(40)),
    "worst of one": partial(figures.worst, IMAGES[:1], IMAGES[:1], [1e-7]),
    "neighbours": partial(figures.neighbours, IMAGES[:8], IMAGES.reshape(8, 5, 1, 8, 8), RNG.random((8, 5))),
    "densities": partial(figures.density_samples, {"N(0, I)": IMAGES[:9], LONG * 2: IMAGES[:16], "one": IMAGES[:1]}),
    "eight densities": partial(figures.density_samples, {f"density {i}": COLOUR[:6] for i in range(8)}),
    "heat": partial(figures.codebook_heat, RNG.poisson(2, 64)),
    "heat of 1024": partial(figures.codebook_heat, RNG.poisson(2, 1024)),
    "heat of one": partial(figures.codebook_heat, [5]),
    "map": partial(figures.codebook_map, RNG.normal(size=(64, 2)), RNG.poisson(1, 64)),
    "map of one": partial(figures.codebook_map, [[0.0, 1.0]]),
    "spectrum": partial(figures.spectrum, {"error": 1 / np.arange(1, 16), "images": 5 / np.arange(1, 16) ** 3}),
    "narrow spectrum": partial(figures.spectrum, {"error": [0, 2.0]}),
    "histogram": partial(figures.histogram, {"a": RNG.normal(size=200), LONG: [1.0]}, "error", {"limit": 1.5}),
    "many histograms": partial(figures.histogram, {f"digit {i}": RNG.normal(size=50) for i in range(12)}, "error"),
    "constant histogram": partial(figures.histogram, {"a": np.ones(5)}, "error"),
    "maps": partial(
        figures.latent_maps, {"seed 0": RNG.normal(size=(40, 2)), LONG: 30 * RNG.normal(size=(40, 2))}, LABELS
    ),
    "one map": partial(figures.latent_maps, {"PCA": RNG.normal(size=(40, 2))}, title=LONG * 3),
    "seven maps": partial(
        figures.latent_maps,
        {f"{i}": RNG.normal(size=(40, 2)) for i in range(7)},
        np.arange(40),
        dict.fromkeys(range(40), LONG),
    ),
    "decoded grids": partial(
        figures.decoded_grids, {"seed 0": (IMAGES[:9], (-3, 3, 0, 1)), LONG: (COLOUR[:16], (0, 20, -30, 3))}
    ),
    "seven decoded grids": partial(
        figures.decoded_grids, {f"{i}": (IMAGES[:1], (0, 1, 0, 1)) for i in range(7)}, LONG * 3
    ),
    "thumbnails": partial(figures.thumbnail_scatter, RNG.normal(size=(40, 2)), LABELS, IMAGES),
    "many classes": partial(figures.thumbnail_scatter, RNG.normal(size=(40, 2)), np.arange(40), COLOUR),
    "no classes": partial(figures.thumbnail_scatter, RNG.normal(size=(40, 2)), None, COLOUR),
    "attributes": partial(
        figures.attribute_table,
        {f"{LONG} {i}": {c: within(RNG.random()) for c in ("pixels", "a long column name")} for i in range(40)},
        ("pixels", "a long column name"),
    ),
    "one attribute": partial(figures.attribute_table, {"Smiling": {"pixels": within(0.9)}}, ["pixels"]),
    "matrix": partial(figures.matrix, RNG.integers(0, 2000, (4, 6)), list("abcd"), [LONG, *"vwxyz"], "x", "y"),
    "large matrix": partial(
        figures.matrix, RNG.random((80, 40)), range(80), [f"unit {i}" for i in range(40)], "x", "y"
    ),
    "matrix of one": partial(figures.matrix, [[-0.5]], ["a"], ["b"], "x", "y"),
    "response": partial(figures.response, [-2, 0, 4], {"Smiling": [0, 0.5, 1], "two": [within(0.5)] * 3}, "α", "share"),
    "forty responses": partial(
        figures.response, np.arange(20), {f"a {i}": np.ones(20) for i in range(40)}, "α", "share"
    ),
    "health": partial(
        figures.health_timeline,
        [
            {
                "epoch": e,
                "health": {"active_units": 16 - e, "kl_per_unit": [1.0, e], "code_rms": 1e-6 * e},
                "warnings": w,
            }
            for e, w in ((1, {}), (2, {"inactive-units": "…"}), (3, None))
        ],
    ),
    "health of one epoch": partial(figures.health_timeline, [{"epoch": 7, "health": {"code_use": 0.5}}]),
    "space": partial(
        figures.space_scatter,
        {"data": RNG.random((40, 3)), LONG: RNG.random((40, 3))},
        RNG.random(40),
        "place along the sheet",
        {LONG: RNG.normal(size=(40, 2))},
    ),
    "latent": partial(figures.latent_scatter, RNG.normal(size=(40, 2)), LABELS),
    "decoded": partial(figures.decoded_grid, IMAGES[:36], (-3, 3, -3, 3)),
    "reconstructions": partial(figures.reconstructions, IMAGES[:10], {"a": IMAGES[:10], LONG: IMAGES[:10]}),
    "samples": partial(figures.sample_grid, IMAGES),
    "losses": partial(figures.loss_curves, [{"epoch": e, "train": {"total": 1 / e, "kl": e}} for e in (1, 2, 3)]),
}


@pytest.mark.parametrize("name", PANELS)
def test_nothing_is_clipped_and_no_texts_touch(name, sound):
    sound(PANELS[name]())


@pytest.mark.parametrize("name", [n for n in PANELS if n not in ("forty bars", "attributes", "many strips")])
def test_a_part_of_a_page_looks_as_it_does_alone(name, pixels_of):
    """Found again on the page, pixel by pixel but for rounding to its grid."""
    alone = pixels_of(PANELS[name]()).astype(int)
    page = pixels_of(figures.page([PANELS[name]], "A page")).astype(int)
    rows, columns = (np.flatnonzero((page[97:] < 255).any(axis)) for axis in ((1, 2), (0, 2)))
    own_rows, own_columns = (np.flatnonzero((alone < 255).any(axis)) for axis in ((1, 2), (0, 2)))
    assert np.ptp(rows) == pytest.approx(np.ptp(own_rows), abs=2)
    assert np.ptp(columns) == pytest.approx(np.ptp(own_columns), abs=2)
    dark, own = (float((255 - x).sum()) for x in (page[97:], alone))
    assert dark == pytest.approx(own, rel=0.03)


def test_on_a_part_of_a_page_of_the_users_own(sound):
    with style():
        figure = new_figure(12, 5)
    left, right = figure.subfigures(1, 2)
    assert figures.kl_bars([1, 2, 3], [True] * 3, on=left) is figure
    assert figures.sample_grid(IMAGES, on=right) is figure
    assert [type(axes) for axes in left.axes + right.axes] == [Axes, Axes]
    sound(figure)


@pytest.mark.parametrize("count", [1, 2, 25])
def test_a_page_holds_all_panels_each_once_and_none_over_another(count, sound):
    few = ["kl", "histogram", "worst", "response", "spectrum"]
    panels = [partial(PANELS[few[i % 5]], title=f"Panel {i}") for i in range(count)]
    figure = figures.page(panels, "vae on mnist")
    sound(figure)
    shown = [
        t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")) if t.get_text().startswith("Panel ")
    ]
    assert sorted(shown) == sorted(f"Panel {i}" for i in range(count))
    wide, tall = figure.get_size_inches()
    assert wide >= 8.27
    assert tall <= 2 * wide


def test_the_same_page_gives_the_same_bytes(tmp_path):
    panels = [PANELS[name] for name in ("pareto", "strips", "few labels", "thumbnails")]
    for name in ("one.png", "two.png"):
        figures.save(figures.page(panels, "A page"), tmp_path / name, pdf=True)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_panels_stand_side_by_side_where_that_is_asked_for(sound):
    maps = [partial(figures.codebook_map, RNG.random((9, 2)), title=name) for name in "abc"]
    figure = figures.page(maps, "Three", columns=2)
    sound(figure)
    first, second, third = (axes.get_window_extent() for axes in figure.axes)
    assert first.y0 == pytest.approx(second.y0)
    assert first.x1 < second.x0
    assert third.y1 < first.y0
    with pytest.raises(DiaboloError, match="columns must be at least 1, not 0"):
        figures.page(maps, "None", columns=0)


def test_no_panels_are_refused():
    with pytest.raises(DiaboloError, match="nothing to draw"):
        figures.page([], "empty")
