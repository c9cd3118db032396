"""Few labels, many images: a label spreads along the neighbours in latent space to all images that lie where it lies.

run = diabolo.fit(diabolo.zoo.denoising(train.shape), train)            # needs no label
full = latents.label_by_neighbours(run.model, train.keep_labels(100))   # every image has a label now, most of them right
diabolo.fit(diabolo.zoo.classifier(train.shape), full, init=run.path)   # and new images can be classified
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import cg

from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes, check_differ, encode
from diabolo.ranges import Count, PartOf, checked
from diabolo.surroundings import undisturbed

UNKNOWN = -1
PRECISION = 1e-6  # of the solution, relative


@checked
@undisturbed()
def label_by_neighbours(model: Codec, images: Images, neighbours: Count = 10, alpha: PartOf = 0.99) -> Images:
    """The same images, all of them labelled: those without a label (-1) get the one that reaches them through their neighbours
    among the codes of `model`. (-1 is left to those that no label reaches.)

    Args:
        model: any trained model whose codes need no label.
        images: of which some have a label.
        neighbours: of each image in the graph.
        alpha: how far labels spread, see `spread`.

    Raises:
        DiaboloError: when no label is known, or the codes themselves depend on the label.

    Example:
        >>> few, _ = diabolo.data.load("digits", n_train=400, n_labels=50)
        >>> spread = diabolo.latents.label_by_neighbours(model, few)
        >>> int((spread.labels == -1).sum())
        0
    """
    if images.labels is None or not (images.labels != UNKNOWN).any():
        raise DiaboloError(f"no label of {images.name} ({images.split}) is known: there is nothing to spread")
    if model.condition.to_encoder:
        raise DiaboloError("labels cannot spread among the codes of a model whose encoder is given more than the image")
    scores = spread(neighbour_graph(encode(model, images), neighbours), images.labels, alpha)
    found = np.where(scores.max(1) > 0, scores.argmax(1), UNKNOWN)
    labels = np.where(images.labels != UNKNOWN, images.labels, found)
    return replace(images, labels=labels, origin=None)


@checked
def neighbour_graph(codes: NDArray[Any], neighbours: Count = 10) -> sparse.csr_array:
    """The graph (N, N) whose edge from i to each of its k nearest codes j weighs exp(−4 |i − j|² / d²), d being the distance
    from i to the farthest of the k (Calder et al. 2020, arXiv 2006.11184); symmetric, by the heavier of the two ways.

    Args:
        codes: (N, D).
        neighbours: k.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(50, 3))
        >>> graph = diabolo.latents.neighbour_graph(codes, neighbours=5)
        >>> graph.shape
        (50, 50)
    """
    from sklearn.neighbors import NearestNeighbors  # slow to import

    if neighbours >= len(codes):
        raise DiaboloError(f"the number of neighbours must be from 1 to {len(codes) - 1}, not {neighbours}")
    check_differ(check_codes(codes), "a graph of neighbours")
    distance, index = NearestNeighbors(n_neighbors=neighbours).fit(codes).kneighbors()
    farthest = np.maximum(distance[:, -1:], np.finfo(np.float32).tiny)
    weight = np.exp(-4 * np.square(distance / farthest, dtype=np.float64))
    rows = np.repeat(np.arange(len(codes)), neighbours)
    one_way = sparse.csr_array((weight.ravel(), (rows, index.ravel())), shape=(len(codes), len(codes)))
    return sparse.csr_array(one_way.maximum(one_way.T))


@checked
def spread(graph: sparse.csr_array, labels: NDArray[np.int64], alpha: PartOf = 0.99) -> NDArray[np.float64]:
    """How much of each class reaches each node: the F (N, classes) that solves F = α S F + (1 − α) Y, with S = D^−½ W D^−½ for
    the graph W with degrees D, and Y one-hot for the nodes whose label is known, 0 elsewhere (Zhou et al. 2004, NeurIPS,
    "Learning with local and global consistency"; after Zhu & Ghahramani 2002, CMU-CALD-02-107).

    Args:
        graph: W (N, N), symmetric with weights of 0 or more, as `neighbour_graph` gives it.
        labels: (N,), −1 where not known.
        alpha: in (0, 1): the share that a node takes from its neighbours, the nearer to 1 the farther labels spread.

    Example:
        >>> graph = diabolo.latents.neighbour_graph(np.array([[0.0], [0.1], [0.3], [5.0], [5.1], [5.3]]), neighbours=2)
        >>> diabolo.latents.spread(graph, np.array([0, -1, -1, 1, -1, -1])).argmax(1)
        array([0, 0, 0, 1, 1, 1])
    """
    degree = np.asarray(graph.sum(axis=1), np.float64)
    root = sparse.diags_array(1 / np.sqrt(np.maximum(degree, np.finfo(np.float64).tiny)))
    system = sparse.csr_array(sparse.eye_array(len(labels)) - alpha * (root @ graph @ root))  # positive definite
    columns = []
    for label in range(int(labels.max()) + 1):
        at = (1 - alpha) * (labels == label)
        solution, left = cg(system, at, rtol=PRECISION)
        assert not left  # N steps would be exact, and it takes about ln(1 / precision) / √(1 − α)
        columns.append(np.maximum(solution, 0))
    return np.stack(columns, 1)
