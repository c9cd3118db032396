"""How alike two maps are: against the definitions written out, and by what must not matter."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from diabolo import latents, zoo
from diabolo.codec import PlainCodec
from diabolo.errors import DiaboloError
from diabolo.latents import cka, neighbourhood_overlap, procrustes_distance, subspace_angles
from diabolo.latents.stability import SIMILARITIES, between

seeds = st.integers(0, 2**31)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def moved(z, seed):
    """Rotated or mirrored, scaled, shifted."""
    random = np.random.default_rng(seed)
    return random.uniform(0.1, 10) * z @ ortho_group.rvs(z.shape[1], random_state=seed % 1000) + random.normal(
        size=z.shape[1]
    )


@settings(deadline=None)  # the first call imports scikit-learn
@given(seeds)
def test_a_rotation_a_shift_and_a_scale_do_not_matter(seed):
    z, other = normal(seed, 40, 3), normal(seed + 1, 40, 5)
    same = moved(z, seed)
    assert procrustes_distance(z, same) == pytest.approx(0, abs=1e-9)
    assert neighbourhood_overlap(z, same, 5) == 1
    for debiased in (False, True):
        assert cka(z, same, debiased) == pytest.approx(1)
        assert cka(z, other, debiased) == pytest.approx(cka(same, other, debiased))
    assert procrustes_distance(z, other) == pytest.approx(procrustes_distance(same, other))


@settings(deadline=None)  # the first call imports scikit-learn
@given(seeds)
def test_none_minds_which_is_first(seed):
    a, b = normal(seed, 30, 4), normal(seed + 1, 30, 2)
    for similarity in SIMILARITIES.values():
        assert similarity(a, b) == pytest.approx(similarity(b, a))


def test_procrustes_of_a_case_known_by_hand():
    square = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float64)
    flat = square * (1, 0)  # of norm √2 in place of 2; the best fit explains ((1 · 2) / (2 · √2))² = ½ of it
    assert procrustes_distance(square, flat) == pytest.approx(0.5)
    assert procrustes_distance(square, flat[:, :1]) == pytest.approx(0.5)  # filled up with zeros


def test_plain_cka_is_the_formula_with_centred_kernels():
    a, b = normal(0, 25, 3), normal(1, 25, 6)
    H = np.eye(25) - 1 / 25
    K, L = H @ a @ a.T @ H, H @ b @ b.T @ H
    assert cka(a, b, debiased=False) == pytest.approx((K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum()))


def unbiased_hsic(a, b):
    """Song et al. 2012, equation 5, with the kernels written out."""
    n, K, L = len(a), a @ a.T, b @ b.T
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    one = np.ones(n)
    sums = (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ K @ L @ one)
    return (np.trace(K @ L) + sums) / (n * (n - 3))


@settings(deadline=None)  # the first call imports scikit-learn
@given(seeds)
def test_debiased_cka_is_the_formula_with_unbiased_hsic(seed):
    a, b = normal(seed, 25, 3) + 5, normal(seed + 1, 25, 6) - 2
    b[:, :2] += a[:, :2]
    expected = unbiased_hsic(a, b) / np.sqrt(unbiased_hsic(a, a) * unbiased_hsic(b, b))
    assert cka(a, b) == pytest.approx(expected)


def test_only_the_debiased_cka_of_unrelated_codes_is_about_nothing():
    values = [[cka(normal(s, 50, 200), normal(s + 100, 50, 200), debiased) for s in range(20)] for debiased in (0, 1)]
    assert np.mean(values[0]) > 0.7
    assert abs(np.mean(values[1])) < 0.02


def test_neighbours_overlap_by_chance_only_where_maps_are_unrelated():
    shares = [neighbourhood_overlap(normal(s, 101, 4), normal(s + 50, 101, 4), 10) for s in range(30)]
    assert np.mean(shares) == pytest.approx(10 / 100, abs=0.01)


def test_the_overlap_is_that_of_sets_of_neighbours():
    from scipy.spatial.distance import cdist

    a, b = normal(0, 15, 2), normal(0, 15, 2) + 0.7 * normal(1, 15, 2)
    near = [[set(row.argsort()[1:4]) for row in cdist(z, z)] for z in (a, b)]
    expected = np.mean([len(one & other) / 3 for one, other in zip(*near, strict=True)])
    assert 0 < expected < 1
    assert neighbourhood_overlap(a, b, 3) == pytest.approx(expected)


def test_pairs_are_compared_in_their_order():
    codes = {"a": normal(0, 20, 2), "b": normal(1, 20, 2), "c": normal(2, 20, 2)}
    found = between(codes, cka)
    assert found[0, 2] == found[2, 0] == pytest.approx(cka(codes["a"], codes["c"]))
    np.testing.assert_allclose(np.diag(found), 1)


def test_angles_known_by_hand():
    x, y, z = np.eye(3)
    turned = np.stack([x, np.cos(np.radians(30)) * y + np.sin(np.radians(30)) * z])
    np.testing.assert_allclose(subspace_angles(np.stack([x, y]), turned), [30, 0], atol=1e-6)
    np.testing.assert_allclose(subspace_angles(np.stack([x + y, x - 2 * y]), np.stack([x, y])), [0, 0], atol=1e-6)


def test_a_linear_decoder_draws_what_its_weights_span(tiny_pixels):
    model = zoo.pca((1, 8, 8), latent_dim=3)
    model.solve(tiny_pixels(60))
    z = model.encode(tiny_pixels(60)).numpy()
    found = latents.decoded_directions(model, z)
    assert subspace_angles(found, model.components.numpy()).max() < 0.01
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), z.std(0), rtol=1e-3)


def test_a_linear_autoencoder_at_its_optimum_finds_the_principal_subspace():
    """At the optimum the decoder is Uᵣ Q for any invertible Q (Baldi & Hornik 1989)."""
    random = np.random.default_rng(0)
    x = (random.normal(size=(200, 3)) @ random.normal(size=(3, 10)) + 0.01 * random.normal(size=(200, 10))).astype(
        np.float32
    )
    from sklearn.decomposition import PCA

    vectors = PCA(3).fit(x).components_
    mixed = random.normal(size=(3, 3)) @ vectors
    assert subspace_angles(mixed, vectors).max() < 1e-3
    assert subspace_angles(random.normal(size=(3, 10)), vectors).max() > 20


@pytest.mark.parametrize("similarity", SIMILARITIES.values())
def test_a_mistake_is_told_in_one_sentence(similarity):
    for a, b, said in (
        (normal(0, 20, 2), normal(0, 19, 2), "same images"),
        (normal(0, 20, 2), np.ones((20, 2)), "all codes of one side"),
        (normal(0, 20, 2), np.full((20, 2), np.nan), "NaN"),
    ):
        with pytest.raises(DiaboloError, match=said):
            similarity(a, b)


@pytest.mark.parametrize(
    ("similarity", "least"), [(procrustes_distance, 2), (lambda a, b: neighbourhood_overlap(a, b, 1), 3), (cka, 4)]
)
def test_the_least_number_of_codes(similarity, least):
    with pytest.raises(DiaboloError, match=f"{least} codes or more are needed, not {least - 1}"):
        similarity(normal(0, least - 1, 2), normal(1, least - 1, 2))
    assert np.isfinite(similarity(normal(0, least, 2), normal(1, least, 2)))


def test_neighbours_are_fewer_than_all_others():
    assert neighbourhood_overlap(normal(0, 5, 2), normal(0, 5, 2), 3) == 1
    with pytest.raises(DiaboloError, match="from 1 to 3, not 4"):
        neighbourhood_overlap(normal(0, 5, 2), normal(1, 5, 2), 4)


@pytest.mark.parametrize("side", [0, 1])
def test_a_side_that_does_not_vary_is_refused(side):
    both = [normal(0, 9, 2), normal(1, 9, 2)]
    both[side][:] = 3
    with pytest.raises(DiaboloError, match="all codes of one side are the same"):
        procrustes_distance(*both)


def test_codes_that_vary_by_chance_only_cannot_be_aligned():
    """Corners of a tetrahedron, each as far from every other: the unbiased HSIC is 0."""
    corners = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    assert cka(corners, corners, debiased=False) == pytest.approx(1)
    with pytest.raises(DiaboloError, match="by chance"):
        cka(corners, corners)


def test_discrete_codes_have_no_directions():
    torch.manual_seed(0)
    model = zoo.vqvae((1, 8, 8), latent_dim=4, codes=8, width=8, residual_width=4)
    with pytest.raises(DiaboloError, match="discrete"):
        latents.decoded_directions(model, normal(0, 5, 4))


def test_directions_are_taken_from_the_mean_by_one_deviation():
    class Squares(PlainCodec):
        def decode(self, z):
            return z**2

    found = latents.decoded_directions(
        Squares((2,), (2,)), np.array([[1.0, 0.0], [3.0, 4.0]])
    )  # mean 2, 2; deviations 1, 2
    np.testing.assert_allclose(found, [[9 - 4, 0], [0, 16 - 4]])


@pytest.mark.parametrize("similarity", SIMILARITIES.values())
@pytest.mark.parametrize(("n", "value"), [(7, 0.1), (11, 1 / 3), (50, 4000.1)])
def test_codes_that_are_all_the_same_are_no_map_whatever_their_mean_rounds_to(similarity, n, value):
    one = np.full((n, 3), value)
    assert n == 7 or (one - one.mean(0)).any()  # what would be compared
    for sides in ((one, normal(0, n, 3)), (normal(0, n, 3), one)):
        with pytest.raises(DiaboloError, match="are the same"):
            similarity(*sides)


@pytest.mark.parametrize("n", [5, 10, 50])
def test_a_single_code_apart_is_nothing_to_align(n):
    """Its unbiased HSIC is 0 by the definition, and by rounding a little more or less."""
    apart = np.full((n, 2), 0.1)
    apart[0] = 0.4, 0.8
    for other in (normal(1, n, 3), np.roll(3 * apart, 1, 0)):
        with pytest.raises(DiaboloError, match="nothing to align"):
            cka(apart, other)
