"""Labels spread along neighbours: against scikit-learn's iteration and a dense solution in float64."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.semi_supervised import LabelSpreading

import diabolo
from diabolo import latents
from diabolo.codec import PlainCodec
from diabolo.errors import DiaboloError
from diabolo.latents import label_by_neighbours, neighbour_graph, spread


def two_moons(n=200, seed=0):
    from sklearn.datasets import make_moons

    codes, classes = make_moons(n, noise=0.05, random_state=seed)
    labels = np.full(n, -1)
    for label in (0, 1):
        labels[np.flatnonzero(classes == label)[:2]] = label
    return codes.astype(np.float32), classes, labels


@pytest.mark.parametrize("alpha", [0.2, 0.9, 0.99])
def test_the_solution_of_the_equation(alpha):
    codes, _, labels = two_moons()
    graph = neighbour_graph(codes, 7)
    W = graph.toarray()
    S = W / np.sqrt(np.outer(W.sum(0), W.sum(0)))
    Y = (labels[:, None] == [0, 1]).astype(float)
    F = np.linalg.solve(np.eye(len(W)) - alpha * S, (1 - alpha) * Y)
    np.testing.assert_allclose(spread(graph, labels, alpha), F, atol=1e-6)


def test_the_classes_that_scikit_learn_finds():
    codes, classes, labels = two_moons()
    graph = neighbour_graph(codes, 7)
    theirs = LabelSpreading(kernel=lambda x, y: graph.toarray(), alpha=0.95, max_iter=5000, tol=1e-12).fit(
        codes, labels
    )
    ours = spread(graph, labels, 0.95)
    np.testing.assert_allclose(ours / ours.sum(1, keepdims=True), theirs.label_distributions_, atol=1e-3)
    assert (ours.argmax(1) == classes).mean() > 0.97  # along the moons; the nearer label would often be wrong


def test_the_graph():
    codes = np.array([[0.0], [1.0], [3.0], [10.0]], np.float32)
    W = neighbour_graph(codes, 2).toarray()
    assert np.array_equal(W, W.T)
    assert not W.diagonal().any()
    assert W[0, 1] == pytest.approx(np.exp(-4 / 9))  # the second neighbour of 0 is 3 away, that of 1 only 2
    assert W[0, 2] == pytest.approx(np.exp(-4))
    assert W[3, 2] == pytest.approx(np.exp(-4 * 49 / 81))
    assert W[3, 0] == 0
    twice = neighbour_graph(np.repeat(codes, 3, axis=0), 3)
    assert np.isfinite(twice.data).all()
    with pytest.raises(DiaboloError, match="all 5 codes are the same"):
        neighbour_graph(np.zeros((5, 2), np.float32), 3)


def test_a_label_stays_within_its_component():
    graph = sparse.csr_array(np.kron(np.eye(3), np.ones((4, 4)) - np.eye(4)))
    scores = spread(graph, np.array([0, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1, -1]))
    assert (scores[:4, 0] > 0).all()
    assert (scores[4:8, 1] > 0).all()
    assert not scores[8:].any()
    assert not scores[:4, 1].any()


class Halves(PlainCodec):
    """A codec by hand: the mean of the upper half, and of the lower."""

    def encode(self, x, y=None):
        x = torch.as_tensor(x).float()
        return torch.stack([x[:, 0, :4].mean((1, 2)), x[:, 0, 4:].mean((1, 2))], 1)


def test_images_of_which_some_have_a_label():
    random = np.random.default_rng(0)
    classes = np.arange(60) % 2
    pixels = random.integers(0, 50, (60, 1, 8, 8), dtype=np.uint8)
    pixels[classes == 1, :, :4] += 150
    labels = np.full(60, -1)
    labels[[0, 1]] = [0, 1]
    images = diabolo.data.Images(pixels, labels=labels, name="bright")
    full = label_by_neighbours(Halves((1, 8, 8), (2,)), images, neighbours=5)
    assert full.labels.tolist() == classes.tolist()
    assert np.array_equal(images.labels, labels)
    assert full.images is pixels
    wrong = images.labels.copy()
    wrong[2] = 1  # what is known stays as it is
    assert label_by_neighbours(Halves((1, 8, 8), (2,)), diabolo.data.Images(pixels, labels=wrong), 5).labels[2] == 1


def test_images_that_no_label_reaches_have_none():
    pixels = np.zeros((12, 1, 8, 8), np.uint8)
    pixels[:6, :, :4] += 200
    pixels[:, 0, 7, 7] = np.arange(12)  # so that no two are equal
    labels = np.full(12, -1)
    labels[0] = 2
    full = label_by_neighbours(Halves((1, 8, 8), (2,)), diabolo.data.Images(pixels, labels=labels), 3)
    assert full.labels.tolist() == [2] * 6 + [-1] * 6


def test_as_many_neighbours_as_there_are_others():
    assert neighbour_graph(np.eye(4), 3).nnz == 12


def test_what_cannot_be_spread_is_refused():
    images = diabolo.data.Images(np.zeros((4, 1, 8, 8), np.uint8), labels=np.full(4, -1))
    with pytest.raises(DiaboloError, match=r"no label of array .* is known"):
        label_by_neighbours(Halves((1, 8, 8), (2,)), images)
    told = diabolo.zoo.vae((1, 8, 8), 2, condition="label", hidden=(4,))
    with pytest.raises(DiaboloError, match="given more than the image"):
        label_by_neighbours(told, diabolo.data.Images(images.images, labels=np.arange(4)))
    with pytest.raises(DiaboloError, match="neighbours must be from 1 to 3, not 4"):
        neighbour_graph(np.zeros((4, 2)), 4)
    with pytest.raises(DiaboloError, match="alpha must be a number above 0 and below 1"):
        spread(neighbour_graph(np.eye(4), 2), images.labels, 1.0)
    with pytest.raises(DiaboloError, match="alpha must be"):
        spread(neighbour_graph(np.eye(4), 2), images.labels, 0)
    assert latents.spread is spread


def test_codes_that_are_no_numbers():
    codes, _, _ = two_moons()
    codes[3, 1] = np.nan
    with pytest.raises(DiaboloError, match="1 of 200 codes hold NaN or infinity"):
        neighbour_graph(codes, 7)
