"""Codes that hardly differ, given to methods that stand or fall with how they differ: a sentence with the true causes, or a
result, and never a crash of a library."""

import subprocess
import sys

import numpy as np
import pytest

from diabolo.errors import DiaboloError
from diabolo.latents import fit_density, project
from diabolo.latents.codes import check_differ, different
from diabolo.latents.interpolation import CodeGraph
from diabolo.latents.spreading import neighbour_graph

RNG = np.random.default_rng(0)
PLACES = RNG.normal(size=(4, 3))
CODES = {
    "all equal": np.full((60, 3), 0.25),
    "all zero": np.zeros((60, 3)),
    "two places": np.repeat(PLACES[:2], 30, 0),
    "three places": np.repeat(PLACES[:3], 20, 0),
    "four places": np.repeat(PLACES, 15, 0),
    "one apart": np.concatenate([np.zeros((59, 3)), np.ones((1, 3))]),
    "half equal": np.where(np.arange(60)[:, None] < 36, PLACES[0], RNG.normal(size=(60, 3))),
    "one dimension constant": RNG.normal(size=(60, 3)) * [1.0, 0.0, 1.0] + [0.0, 0.3, 0.0],
    "on a line": RNG.normal(size=(60, 1)) * [1.0, 0.0, 0.0],
    "far from 0": 1e9 + RNG.normal(size=(60, 3)),
    "huge": 1e30 * RNG.normal(size=(60, 3)),
    "tiny": 1e-30 * RNG.normal(size=(60, 3)),
}
DENSITIES = {"gaussian": {}, "mixture": {"components": 2}, "mixture by bic": {"components": "bic"}, "neighbours": {},
             "flow": {"epochs": 2, "hidden": 4, "transforms": 1}}  # fmt: skip


def test_equal_codes_are_found_and_both_causes_named():
    found, which = different(CODES["four places"], 4, "it")
    assert found.shape == (4, 3)
    assert np.array_equal(found[which], CODES["four places"])
    with pytest.raises(
        DiaboloError, match=r"only 4 of 60 codes differ, and it needs 5 .* the images repeat, or the encoder"
    ):
        different(CODES["four places"], 5, "it")
    with pytest.raises(DiaboloError, match="all 60 codes are the same"):
        different(CODES["all zero"], 2, "it")


def test_one_code_is_the_same_as_itself_and_no_codes_are_not():
    check_differ(np.zeros((0, 3)), "a map")
    check_differ(np.array([[0.0, 1], [0, 2]]), "a map")
    for n in (1, 2):
        with pytest.raises(DiaboloError, match=f"all {n} codes are the same, and a map needs 2 different ones or more"):
            check_differ(np.ones((n, 3)), "a map")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", DENSITIES)
@pytest.mark.parametrize("codes", CODES)
def test_a_density_of_any_codes_that_differ(name, codes):
    z = CODES[codes]
    if codes.startswith("all"):
        with pytest.raises(DiaboloError, match=r"all 60 codes are the same.*the images repeat, or"):
            fit_density(name.split()[0], z, **DENSITIES[name])
        return
    density = fit_density(name.split()[0], z, **DENSITIES[name])
    drawn = density.sample(40, seed=1)
    assert np.isfinite(drawn).all()
    assert np.isfinite(density.log_prob(z)).all()
    assert np.abs(drawn - z.mean(0)).max() < 100 * np.abs(z - z.mean(0)).max()


def test_the_width_of_a_neighbour_comes_from_codes_that_differ():
    """Four places of fifteen equal codes: each is moved about as far as the farthest of the other places."""
    density = fit_density("neighbours", CODES["four places"])
    apart = np.linalg.norm(PLACES[:, None] - PLACES[None], axis=2).max(1)
    assert density.sigma[::15] == pytest.approx(apart / np.sqrt(3))
    assert density.setting["different"] == 4
    plain = RNG.normal(size=(40, 2))
    distances = np.sort(np.linalg.norm(plain[:, None] - plain[None], axis=2), 1)[:, 5]
    assert fit_density("neighbours", plain).sigma == pytest.approx(distances / np.sqrt(2))


BAD = {
    "NaN": (np.where(np.arange(180).reshape(60, 3) == 7, np.nan, RNG.normal(size=(60, 3))), "1 of 60 codes hold NaN"),
    "infinity": (np.where(np.arange(180).reshape(60, 3) < 6, np.inf, RNG.normal(size=(60, 3))), "2 of 60 codes hold NaN or"),
    "fewer codes than dimensions": (RNG.normal(size=(3, 20)), "codes or more"),
    "one code": (RNG.normal(size=(1, 3)), "codes or more"),
    "none": (np.zeros((0, 3)), "or more are needed, not 0"),
    "no dimension": (np.zeros((60, 0)), r"of the shape \(N, D\)"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_codes_that_nothing_can_be_made_of_are_refused_by_all(bad):
    z, told = BAD[bad]
    for name, options in DENSITIES.items():
        with pytest.raises(DiaboloError, match=told):
            fit_density(name.split()[0], z, **options)
    for method in ("pca", "t-sne", "umap"):  # before a library is asked
        with pytest.raises(DiaboloError, match=told):
            project(z, method)


SCRIPT = """
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
from test_degenerate import CODES, DiaboloError, np, project
for name, z in CODES.items():
    try:
        points = project(z, sys.argv[2]).points
        print(name, points.shape == (60, 2) and bool(np.isfinite(points).all()))
    except DiaboloError as error:
        print(name, "told", error)
"""


@pytest.mark.parametrize(
    "method", ["t-sne", pytest.param("umap", marks=pytest.mark.slow)]
)  # which compiles for a while
def test_maps_survive_them_all(method, request):
    """In a process of its own: t-SNE of equal codes was a segmentation fault."""
    words = [sys.executable, "-c", SCRIPT, str(request.path.parent), method]
    found = subprocess.run(words, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-300:]
    said = dict(line.split(" told ") if " told " in line else line.rsplit(" ", 1) for line in found.stdout.splitlines())
    assert set(said) == set(CODES)
    few = ("all equal", "all zero", "two places", "three places", "one apart")
    for name, told in said.items():
        assert ("the images repeat, or the encoder" in told) if name in few else (told == "True"), (name, told)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("codes", CODES)
def test_a_plane_by_pca(codes):
    if codes.startswith("all"):
        with pytest.raises(DiaboloError, match="all 60 codes are the same"):
            project(CODES[codes])
    else:
        assert np.isfinite(project(CODES[codes]).points).all()


@pytest.mark.parametrize("codes", CODES)
def test_graphs_of_codes(codes):
    z = CODES[codes]
    if codes.startswith("all"):
        for make in (CodeGraph, neighbour_graph):
            with pytest.raises(DiaboloError, match="all 60 codes are the same"):
                make(z)
    elif codes != "huge":
        (way,) = CodeGraph(z).shortest(z[:1], z[-1:])
        assert np.array_equal(way[[0, -1]], z[[0, -1]])


def test_equal_codes_lie_together_on_the_map():
    z = np.concatenate([RNG.normal(size=(30, 4)), np.tile(RNG.normal(size=(1, 4)), (10, 1))])
    points = project(z, "t-sne").points
    assert (points[30:] == points[30]).all()
    assert len(np.unique(points, axis=0)) == 31
