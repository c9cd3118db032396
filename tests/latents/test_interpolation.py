"""Ways between codes: against SciPy's slerp, by what they must keep, and where directions fail."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import geometric_slerp
from scipy.spatial.distance import cdist

from diabolo import latents
from diabolo.errors import DiaboloError
from diabolo.latents import CodeGraph, along_data, confidence, linear, smoothness, spherical
from diabolo.latents.codes import decode, encode
from diabolo.latents.interpolation import _resampled, _walk

finite = st.floats(-1e3, 1e3, width=32)
pairs = arrays(np.float64, (2, 3, 5), elements=finite)


def unit(*numbers):
    z = np.array(numbers, np.float64)
    return z / np.linalg.norm(z)


@pytest.mark.parametrize("seed", range(5))
def test_between_codes_of_length_one_it_is_scipys_slerp(seed):
    a, b = np.random.default_rng(seed).normal(size=(2, 7))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    ours = spherical(a[None], b[None], 6)[0]
    np.testing.assert_allclose(ours, geometric_slerp(a, b, np.linspace(0, 1, 6)), atol=1e-12)


def test_between_codes_of_one_length_it_is_the_formula_of_white():
    a, b = np.random.default_rng(0).normal(size=(2, 4))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    omega = np.arccos(a @ b / (a @ a))
    t = np.linspace(0, 1, 5)[:, None]
    expected = (np.sin((1 - t) * omega) * a + np.sin(t * omega) * b) / np.sin(omega)
    np.testing.assert_allclose(spherical(a[None], b[None], 5)[0], expected, atol=1e-12)


@given(pairs)
def test_every_way_starts_and_ends_where_it_should(ends):
    for way in (linear, spherical):
        found = way(ends[0], ends[1], 4)
        np.testing.assert_allclose(found[:, 0], ends[0])
        np.testing.assert_allclose(found[:, -1], ends[1])
        assert np.isfinite(found).all()


@given(pairs)
def test_lengths_go_evenly_along_the_sphere(ends):
    sizes = np.linalg.norm(ends, axis=2)
    ways = np.linalg.norm(spherical(ends[0], ends[1], 5), axis=2)
    assert (ways <= sizes.max(0)[:, None] * (1 + 1e-9) + 1e-9).all()
    turned = np.linalg.norm(ends[0] - ends[1], axis=1) > 1e-2 * sizes.sum(0)
    np.testing.assert_allclose(ways[turned, 2], sizes.mean(0)[turned], rtol=1e-4)  # half-way; parallel ones too


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_parallel_codes_and_a_code_of_length_0_have_the_straight_way(scale):
    a = unit(1, 2, 3)[None]
    for end in (scale * a, np.zeros((1, 3)), a + 1e-12):
        np.testing.assert_allclose(spherical(a, end, 5), linear(a, end, 5), atol=1e-9)
        np.testing.assert_allclose(spherical(end, a, 5), linear(end, a, 5), atol=1e-9)


def test_opposite_codes_are_joined_by_half_a_circle():
    a = unit(3, 1, 2)[None]
    for end in (-a, -a + 1e-15):
        way = spherical(a, end, 9)[0]
        np.testing.assert_allclose(np.linalg.norm(way, axis=1), 1)
        step = np.linalg.norm(np.diff(way, axis=0), axis=1)
        np.testing.assert_allclose(step, step[0])
        np.testing.assert_allclose(way[4] @ a[0], 0, atol=1e-12)  # half-way it is at right angles
    with pytest.raises(DiaboloError, match="no way around 0"):
        spherical([[1.0]], [[-1.0]], 3)


def test_the_way_along_the_data_keeps_to_the_data():
    angle = np.linspace(0, np.pi, 200)
    bow = np.stack([np.cos(angle), np.sin(angle)], 1)
    way = along_data(bow[:1], bow[-1:], 21, CodeGraph(bow, 3))[0]
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 1, atol=1e-3)
    step = np.linalg.norm(np.diff(way, axis=0), axis=1)
    np.testing.assert_allclose(step, np.pi / 20, rtol=1e-2)  # even steps, half a circle in all
    assert np.linalg.norm(linear(bow[:1], bow[-1:], 21), axis=2).min() < 0.01


def test_shortest_ways_are_those_of_sklearns_isomap():
    from sklearn.manifold import Isomap

    z = np.random.default_rng(0).normal(size=(60, 3))
    geodesic = Isomap(n_neighbors=4).fit(z).dist_matrix_
    graph = CodeGraph(z, 4)
    found = [np.linalg.norm(np.diff(path, axis=0), axis=1).sum() for path in graph.shortest(z[:30], z[30:])]
    np.testing.assert_allclose(found, np.diag(geodesic[:30, 30:]))


def test_a_way_does_not_depend_on_the_ways_asked_for_beside_it():
    random = np.random.default_rng(1)
    graph, a, b = CodeGraph(random.normal(size=(50, 3)), 3), *random.normal(size=(2, 20, 3))
    together = along_data(a, b, 5, graph)
    alone = np.concatenate([along_data(a[i : i + 1], b[i : i + 1], 5, graph) for i in range(20)])
    np.testing.assert_allclose(together, alone)


def test_groups_that_no_edge_joins_are_joined_by_the_shortest():
    groups = [np.random.default_rng(k).normal(size=(10, 2)) + 100 * k for k in range(4)]
    graph = CodeGraph(np.concatenate(groups), 2)
    assert np.isfinite(graph.shortest(groups[0][:1], groups[3][:1])[0]).all()
    between = {(i, j) for i, j in zip(*graph.graph.nonzero(), strict=True) if i // 10 != j // 10 and i < j}
    for i, j in between:
        shortest = cdist(groups[i // 10], groups[j // 10]).min()
        assert graph.graph[i, j] == pytest.approx(shortest)


def test_codes_that_are_all_one_have_no_way_along_them():
    with pytest.raises(DiaboloError, match="all 6 codes are the same"):
        CodeGraph(np.ones((6, 3)), 2)


def test_smoothness_of_ways_known_by_hand():
    frames = np.array([[0, 1, 2, 3], [0, 0, 0, 3], [0, 2, 1, 3], [5, 5, 5, 5]], np.float64)[:, :, None] * np.ones(4)
    found = smoothness(frames)
    np.testing.assert_allclose(found.longest_step, [1, 3, 2 / (5 / 3), 1])
    np.testing.assert_allclose(found.detour, [1, 1, 5 / 3, 1])
    assert smoothness(np.array([[[0.0], [1], [0]]])).detour[0] == np.inf


@given(arrays(np.float64, (2, 5, 3), elements=st.floats(0, 1, width=32)))
def test_smoothness_lies_where_it_must(frames):
    found = smoothness(frames)
    assert (found.longest_step >= 1 - 1e-9).all()
    assert (found.longest_step <= 4 + 1e-9).all()
    assert (found.detour >= 1 - 1e-9).all()


def test_the_classifier_is_least_sure_where_the_way_is_least_clear():
    probabilities = np.array([[[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]], [[1, 0], [0.3, 0.7], [0, 1]]])
    np.testing.assert_allclose(confidence(probabilities), [0.5, 0.7])


def test_ends_are_codes_and_not_draws_from_the_posterior(tiny_model, tiny_pixels):
    """The mistake seen in the field: a way between two samples starts beside the image."""
    from diabolo.data import Images

    model, images = tiny_model("vae"), Images(tiny_pixels(6))
    z = encode(model, images)
    np.testing.assert_array_equal(z, encode(model, images))
    np.testing.assert_allclose(z, model.encode(images.images).numpy())
    drawn = latents.draws_of(model, images)
    assert np.abs(drawn - z).max() > 0.1  # draws are something else
    frames = decode(model, linear(z[:3], z[3:], 3))
    with torch.no_grad():
        np.testing.assert_allclose(frames[:, 0], model.reconstruct(images.images[:3]).numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (([[1.0, np.nan]], [[0.0, 1.0]], 3), "NaN"),
        (([[1.0, 2.0]], [[0.0, 1.0, 2.0]], 3), "one to one"),
        (([[1.0, 2.0]], [[0.0, 1.0]], 1), "steps must be a whole number of at least 2"),
        (([1.0, 2.0], [0.0, 1.0], 3), "shape"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words, said):
    for way in (linear, spherical):
        with pytest.raises(DiaboloError, match=said):
            way(*words)


def test_too_many_neighbours_are_refused():
    assert CodeGraph(np.eye(5), 4).graph.nnz == 20
    with pytest.raises(DiaboloError, match="from 1 to 4"):
        CodeGraph(np.eye(5), 5)


@pytest.mark.parametrize("shape", [(1, 2, 3), (4, 5)])
def test_smoothness_is_of_three_steps_or_more(shape):
    with pytest.raises(DiaboloError, match="of 3 steps or more"):
        smoothness(np.zeros(shape))


def test_a_broken_line_is_cut_at_even_lengths():
    line = np.array([[0.0], [1.0], [1.0], [3.0]])  # stands still once
    np.testing.assert_allclose(_resampled(line, np.array([0, 1 / 6, 1 / 3, 0.5, 1])).ravel(), [0, 0.5, 1, 1.5, 3])
    np.testing.assert_allclose(_resampled(line[:2], np.linspace(0, 1, 3)).ravel(), [0, 0.5, 1])
    np.testing.assert_array_equal(_resampled(np.ones((3, 2)), np.linspace(0, 1, 4)), np.ones((4, 2)))


def test_ends_of_a_sphere_are_kept_to_the_last_bit_and_one_number_may_meet_0():
    a, b = np.random.default_rng(0).normal(size=(2, 50, 7))
    way = spherical(a, b, 3)
    np.testing.assert_array_equal(way[:, 0], a)
    np.testing.assert_array_equal(way[:, -1], b)
    np.testing.assert_allclose(spherical([[2.0]], [[0.0]], 3).ravel(), [2, 1, 0])
    np.testing.assert_allclose(spherical([[2.0]], [[4.0]], 3).ravel(), [2, 3, 4])


def test_a_way_from_a_code_to_itself_stays_there():
    z = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_array_equal(along_data(z[:1], z[:1], 4, CodeGraph(z, 3))[0], np.repeat(z[:1], 4, 0))


def test_a_way_goes_from_its_start_to_its_end():
    before = np.array([3, 0, 1, -9999], np.int32)
    assert _walk(before, 3, 2) == [3, 0, 1, 2]


@pytest.mark.parametrize(("code", "axis"), [((-3, 1, 2), 1), ((2, -5, -1), 2), ((-1, -4, 3), 0), ((4, 0, -9), 1)])
def test_the_way_between_opposite_codes_passes_by_the_axis_of_least_magnitude(code, axis):
    a = unit(*code)
    beside = np.eye(3)[axis] - a[axis] * a
    np.testing.assert_allclose(spherical(a[None], -a[None], 3)[0, 1], beside / np.linalg.norm(beside), atol=1e-12)


def test_two_codes_are_a_graph_and_one_is_none():
    graph = CodeGraph([[0.0, 0.0], [4.0, 0.0]], neighbours=1)
    assert graph.graph.toarray().tolist() == [[0, 4], [4, 0]]
    np.testing.assert_allclose(along_data([[0.0, 0.0]], [[4.0, 0.0]], 3, graph), [[[0, 0], [2, 0], [4, 0]]])
    with pytest.raises(DiaboloError, match="2 codes or more are needed, not 1"):
        CodeGraph([[0.0, 0.0]], neighbours=1)


def test_ways_without_a_length_or_a_direction_are_found_without_a_division_by_zero():
    a, b = np.array([[1.0, 2], [0, 0], [0, 0], [3, 1]]), np.array([[2.0, 4], [0, 0], [1, 0], [-3, -1]])
    with np.errstate(all="raise"):
        way = spherical(a, b, 5)
        np.testing.assert_allclose(_resampled(np.array([[0.0], [0], [2], [2]]), np.linspace(0, 1, 3)), [[0], [1], [2]])
    np.testing.assert_allclose(way[:3], linear(a[:3], b[:3], 5), atol=1e-15)
    np.testing.assert_allclose(way[3, 2], [0, 0], atol=np.sqrt(10) + 1e-9)
    np.testing.assert_allclose(np.linalg.norm(way[3], axis=1), np.sqrt(10))
