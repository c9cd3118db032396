"""Directions of attributes, on codes made so that the true direction is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from diabolo import latents, zoo
from diabolo.data import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.latents import Probe, Sweep, mean_difference, orthogonalised, probe_normal, sweep
from diabolo.latents.arithmetic import judge


def faces(pixels, **columns):
    attributes = np.array(list(columns.values()), bool).T
    return Images(pixels, attributes=attributes, attribute_names=tuple(columns), name="faces", split="test")


def angle(a, b):
    return np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


def correlated(n=4000, seed=0):
    """Two attributes that go together in 9 of 10; each moves one axis, and a third axis is noise."""
    random = np.random.default_rng(seed)
    first = random.random(n) < 0.5
    second = np.where(random.random(n) < 0.9, first, ~first)
    z = np.stack([2.0 * first, 2.0 * second, np.zeros(n)], 1) + random.normal(size=(n, 3))
    return z, first, second


def test_the_mean_difference_is_that_of_the_means():
    z = np.array([[0, 0], [2, 4], [4, 0], [6, 2]], np.float64)
    np.testing.assert_allclose(mean_difference(z, np.array([False, True, False, True])), [2, 3])


def test_the_probes_normal_follows_less_what_only_goes_along():
    z, first, _ = correlated()
    normal = probe_normal(z, first)
    assert angle(mean_difference(z, first), np.eye(3)[0]) > angle(normal, np.eye(3)[0]) + 5
    assert normal @ mean_difference(z, first) == pytest.approx(normal @ normal)  # as long as the difference is along it


def test_the_probe_is_the_logistic_model_that_made_the_labels():
    random = np.random.default_rng(0)
    z = random.normal(size=(20_000, 2)) * (1, 10) + 3
    has = random.random(20_000) < expit(z @ (1.0, -0.2) - 0.5)
    probe = Probe.fit(z, has)
    np.testing.assert_allclose(probe.weight, (1.0, -0.2), rtol=0.1)
    assert probe.bias == pytest.approx(-0.5, abs=0.15)
    np.testing.assert_allclose(probe(z), expit(z @ probe.weight + probe.bias))
    assert probe(z).mean() == pytest.approx(has.mean(), abs=1e-3)  # what maximum likelihood promises


def test_a_dead_unit_has_no_weight():
    z, first, _ = correlated(500)
    z[:, 2] = 7
    assert Probe.fit(z, first).weight[2] == pytest.approx(0)


@given(st.integers(0, 1000), st.integers(1, 4))
def test_what_is_left_is_at_right_angles_to_all_others(seed, count):
    random = np.random.default_rng(seed)
    v, others = random.normal(size=6), random.normal(size=(count, 6))
    left = orthogonalised(v, others)
    np.testing.assert_allclose(others @ left, 0, atol=1e-9)
    np.testing.assert_allclose(orthogonalised(left, others), left, atol=1e-9)
    np.testing.assert_allclose(orthogonalised(v, np.concatenate([others, others])), left, atol=1e-9)  # said twice
    assert np.linalg.norm(left) <= np.linalg.norm(v) * (1 + 1e-12)


@pytest.mark.parametrize("size", [1, 1e9])
def test_others_that_hardly_differ_are_one_and_a_rest_that_is_hardly_there_is_none(size):
    x, y, z = np.eye(3)
    np.testing.assert_allclose(orthogonalised(y, size * np.stack([x, x + 1e-7 * y])), y, atol=1e-6)
    np.testing.assert_allclose(orthogonalised(y + z, size * np.stack([x, x + 1e-5 * y])), z, atol=1e-6)
    np.testing.assert_allclose(orthogonalised(size * (x + 2e-6 * y), [x]), size * 2e-6 * y, rtol=1e-6)
    with pytest.raises(DiaboloError, match="to the 1 others, in 3 dimensions"):
        orthogonalised(size * (x + 0.5e-6 * y), [x])


def test_without_0_a_drift_starts_at_the_least_alpha_and_one_image_is_apart_from_none():
    response = {"a": np.array([[0.1, 0.5, 0.8]]), "b": np.array([[0.0, 0.25, 1.0]])}
    swept = Sweep((-2.0, 0.5, 1.0), np.zeros((1, 3, 1, 2, 2), np.float32), response)
    assert swept.drift("a") == {"b": pytest.approx((0.25 + 0.75) / 2)}
    assert swept.drift("b", 1.0) == {"a": pytest.approx(0.3)}
    assert swept.apart() == {"a": 0, "b": 0}


def test_a_probe_is_scikit_learns():
    z, first, _ = correlated(300)
    z *= [1, 10, 0.1]
    scale = np.sqrt(z.var(0).mean())
    other = LogisticRegression(C=1 / (1e-5 * 300), max_iter=1000).fit((z - z.mean(0)) / scale, first)
    found = Probe.fit(z, first)
    np.testing.assert_allclose(found.weight, other.coef_[0] / scale)
    np.testing.assert_allclose(found(z), other.predict_proba((z - z.mean(0)) / scale)[:, 1])


def test_nothing_is_left_of_a_sum_of_the_others():
    with pytest.raises(DiaboloError, match="nothing of the direction is left"):
        orthogonalised([1, 2, 0], [[1, 0, 0], [1, 1, 0]])


def test_moving_at_right_angles_leaves_the_other_probe_as_it_was(tiny_pixels):
    z, first, second = correlated()
    other = Probe.fit(z, second)
    v = orthogonalised(mean_difference(z, first), other.weight)
    np.testing.assert_allclose(other(z + 5 * v), other(z))
    assert np.abs(other(z + 5 * mean_difference(z, first)) - other(z)).mean() > 0.2


@pytest.fixture
def pca(tiny_pixels):
    model = zoo.pca((1, 8, 8), latent_dim=4)
    model.solve(tiny_pixels(60))
    return model


def test_a_sweep_decodes_z_plus_alpha_v(pca, tiny_pixels):
    z, v = pca.encode(tiny_pixels(5)).numpy(), np.array([0.5, 0, 0, 0.1])
    swept = sweep(pca, z, v, (-1, 0, 2))
    assert swept.images.shape == (5, 3, 1, 8, 8)
    expected = pca.decode(torch.from_numpy((z[3] + 2 * v)[None]).float()).clamp(0, 1).numpy()[0]
    np.testing.assert_allclose(swept.images[3, 2], expected, atol=1e-6)


def test_the_judge_sees_images_and_drift_is_counted_from_alpha_0(pca, tiny_pixels):
    def see(images):
        mean = images.mean((1, 2, 3), dtype=np.float64)
        return {"bright": mean, "left": 2 * mean, "still": np.ones(len(images))}

    swept = sweep(pca, pca.encode(tiny_pixels(5)).numpy(), np.array([0.3, 0, 0, 0]), (-1, 0, 1), see)
    mean = swept.images.mean((2, 3, 4), dtype=np.float64)
    np.testing.assert_allclose(swept.response["bright"], mean)
    drift = swept.drift("bright")
    assert set(drift) == {"left", "still"}
    assert drift["still"] == 0
    assert drift["left"] == pytest.approx(2 * np.abs(mean[:, [0, 2]] - mean[:, [1]]).mean())
    assert swept.drift("bright", 1)["left"] == pytest.approx(2 * np.abs(mean[:, 2] - mean[:, 1]).mean())
    pairs = [abs(a - b) for i, a in enumerate(mean[:, 1]) for j, b in enumerate(mean[:, 1]) if i != j]
    assert swept.apart() == {
        "bright": pytest.approx(np.mean(pairs)),
        "left": pytest.approx(2 * np.mean(pairs)),
        "still": 0,
    }


def test_probes_judge_the_code_of_the_image_and_not_the_moved_code(pca, tiny_pixels):
    """The moved code may leave what the decoder can draw; a probe that is shown it sees only its own line."""
    z = pca.encode(tiny_pixels(40)).numpy()
    probe = Probe.fit(z, z[:, 0] > 0)
    swept = sweep(pca, z[:4], np.array([40.0, 0, 0, 0]), (0, 1), judge(pca, {"first": probe}))
    again = pca.encode(torch.from_numpy(swept.images[:, 1])).numpy()
    np.testing.assert_allclose(swept.response["first"][:, 1], probe(again), rtol=1e-6)
    assert np.abs(again[:, 0] - z[:4, 0]).max() < 39  # clipped to what is an image


def test_attributes_by_name(tiny_pixels):
    images = faces(tiny_pixels(4), Smiling=[1, 0, 1, 0], Bald=[0, 0, 0, 0], Human=[1, 1, 1, 1])
    np.testing.assert_array_equal(latents.attribute(images, "Smiling"), [True, False, True, False])
    with pytest.raises(UnknownNameError, match="did you mean 'Smiling'"):
        latents.attribute(images, "Smilling")
    with pytest.raises(DiaboloError, match="none of the 4 images of faces \\(test\\) are 'Bald'"):
        latents.attribute(images, "Bald")
    with pytest.raises(DiaboloError, match="all of the 4 images"):
        latents.attribute(images, "Human")
    assert latents.attribute(images, "Human", varies=False).all()


def test_classes_stand_in_where_there_are_no_attributes(tiny_pixels):
    labelled = Images(tiny_pixels(4), labels=np.array([0, 1, 1, 0]), label_names=("cat", "dog"))
    np.testing.assert_array_equal(latents.attribute(labelled, "dog"), [False, True, True, False])
    numbered = Images(tiny_pixels(3), labels=np.array([0, 2, 2]))
    np.testing.assert_array_equal(latents.attribute(numbered, "2"), [False, True, True])
    assert not latents.attribute(numbered, "1", varies=False).any()
    for name in ("3", "-1"):
        with pytest.raises(UnknownNameError, match=f"unknown class '{name}'"):
            latents.attribute(numbered, name)
    with pytest.raises(UnknownNameError, match="unknown class 'dg'; did you mean 'dog'"):
        latents.attribute(labelled, "dg")
    with pytest.raises(DiaboloError, match="not every label"):
        latents.attribute(Images(tiny_pixels(2), labels=np.array([0, -1])), "0")
    with pytest.raises(DiaboloError, match="neither attributes nor labels"):
        latents.attribute(Images(tiny_pixels(2)), "dog")


def test_mistakes_are_told_in_one_sentence(pca, tiny_pixels):
    z, v = pca.encode(tiny_pixels(5)).numpy(), np.ones(4)
    for alphas in ((), (np.nan,)):
        with pytest.raises(DiaboloError, match="one α or more"):
            sweep(pca, z, v, alphas)
    for wrong in (np.ones(3), np.zeros(4)):
        with pytest.raises(DiaboloError, match="a direction among codes of 4 numbers"):
            sweep(pca, z, wrong, (1,))
    with pytest.raises(DiaboloError, match="NaN"):
        mean_difference(np.full((4, 2), np.nan), np.array([0, 1, 0, 1], bool))
    for has, who in ((1, "all"), (0, "none")):
        with pytest.raises(
            DiaboloError, match=f"{who} of 4 codes have the attribute: some must have it and some must not"
        ):
            mean_difference(np.ones((4, 2)), np.full(4, has, bool))
    discrete = zoo.vqvae((1, 8, 8), latent_dim=4, codes=8, width=8, residual_width=4)
    with pytest.raises(DiaboloError, match="arithmetic adds codes up, and those of vqvae are discrete"):
        sweep(discrete, z, v, (1,))


@pytest.mark.parametrize("direction", [mean_difference, probe_normal])
def test_codes_that_are_all_the_same_have_no_direction(direction):
    """Two means of them may differ by a rounding."""
    with pytest.raises(DiaboloError, match="all 11 codes are the same"):
        direction(np.full((11, 2), 0.1), np.arange(11) < 3)
