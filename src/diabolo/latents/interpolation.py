"""From one code to another, in three ways (straight, on a sphere, along the graph of codes that are near each other), and how
smooth the way is in pixels.

Ends are codes (posterior means), never samples of the posterior: a path between two draws begins and ends beside the images.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes, check_differ
from diabolo.ranges import Count, Plural, checked

if TYPE_CHECKING:
    from scipy import sparse


Floats = NDArray[np.float64]
TINY = np.finfo(np.float64).tiny  # a length of 0 would be no edge


class CodeGraph:
    """Codes joined to their k nearest, edges as long as the Euclidean distance (Tenenbaum et al. 2000, Science 290: Isomap).

    Groups of codes that no edge joins are joined by the shortest edge between them, so that there is always a way.

    Args:
        codes: (N, D).
        neighbours: k.

    Example:
        >>> graph = diabolo.latents.CodeGraph(model.encode(train.images), neighbours=5)
        >>> codes = model.encode(test.images[:4])
        >>> diabolo.latents.along_data(codes[:2], codes[2:], steps=7, graph=graph).shape
        (2, 7, 4)
    """

    @checked
    def __init__(self, codes: ArrayLike, neighbours: Count = 10) -> None:
        from scipy import sparse  # slow to import, as all below
        from sklearn.neighbors import NearestNeighbors

        self.codes = check_codes(codes, least=2)
        count = len(self.codes)
        if neighbours >= count:
            raise DiaboloError(f"the number of neighbours must be from 1 to {count - 1}, not {neighbours}")
        check_differ(self.codes, "a way along the data")
        self.search = NearestNeighbors(n_neighbors=neighbours).fit(self.codes)
        length, index = self.search.kneighbors()
        self.graph = _edges(np.repeat(np.arange(count), neighbours), index.ravel(), length.ravel(), count)
        while (bridges := self._bridges()) is not None:
            self.graph = sparse.csr_array(self.graph + _edges(*bridges, count))

    def _bridges(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats] | None:
        """From each group but the largest its shortest edge to any other; None when all is one group."""
        from scipy.sparse.csgraph import connected_components
        from sklearn.neighbors import NearestNeighbors

        groups, group = connected_components(self.graph, directed=False)
        if groups == 1:
            return None
        found = []
        for k in np.argsort(np.bincount(group))[:-1]:
            own, other = np.flatnonzero(group == k), np.flatnonzero(group != k)
            length, index = NearestNeighbors(n_neighbors=1).fit(self.codes[other]).kneighbors(self.codes[own])
            nearest = length.argmin()
            found.append((own[nearest], other[index[nearest, 0]], length[nearest, 0]))
        rows, columns, lengths = zip(*found, strict=True)
        return np.array(rows), np.array(columns), np.array(lengths)

    def shortest(self, start: Floats, end: Floats) -> list[Floats]:
        """The shortest ways between `start` and `end`, (P, D) each, as the codes (n, D) they pass by, the ends first and last.

        The ends need not be codes of the graph: each is joined to its k nearest.
        """
        from scipy import sparse
        from scipy.sparse.csgraph import dijkstra

        count, pairs = len(self.codes), len(start)
        length, index = self.search.kneighbors(np.concatenate([start, end]))
        ends, near = np.repeat(np.arange(count, count + 2 * pairs), index.shape[1]), index.ravel()
        leaving = ends < count + pairs  # one way, so that no path passes by the ends of another
        rows, columns = np.where(leaving, ends, near), np.where(leaving, near, ends)
        size = (count + 2 * pairs,) * 2
        whole = self.graph.copy()
        whole.resize(size)
        joined = sparse.csr_array((np.maximum(length.ravel(), TINY), (rows, columns)), shape=size)
        _, before = dijkstra(whole + joined, indices=count + np.arange(pairs), return_predecessors=True)
        places = np.concatenate([self.codes, start, end])
        return [places[_walk(before[p], count + p, count + pairs + p)] for p in range(pairs)]


def _edges(rows: NDArray[np.int64], columns: NDArray[np.int64], length: Floats, count: int) -> "sparse.csr_array":
    """Symmetric, one edge between any two."""
    from scipy import sparse

    one_way = sparse.csr_array((np.maximum(length, TINY), (rows, columns)), shape=(count, count))
    return sparse.csr_array(one_way.maximum(one_way.T))


def _walk(before: NDArray[np.int32], start: int, end: int) -> list[int]:
    """The nodes from `start` to `end`, of which each is told which comes `before` it."""
    way = [end]
    while way[-1] != start:
        way.append(int(before[way[-1]]))
    return way[::-1]


EPS = 1e-7  # radians: two directions closer than this are one


@checked
def linear(start: ArrayLike, end: ArrayLike, steps: Plural) -> Floats:
    """The straight way z(t) = (1 − t) a + t b at `steps` even values of t from 0 to 1.

    Args:
        start, end: a and b, (P, D) each.
        steps: codes on the way, both ends among them.

    Returns:
        (P, steps, D).

    Example:
        >>> diabolo.latents.linear(torch.zeros(1, 2), torch.ones(1, 2), steps=3)
        array([[[0. , 0. ],
                [0.5, 0.5],
                [1. , 1. ]]])
    """
    a, b, t = _checked(start, end, steps)
    return (1 - t) * a + t * b


@checked
def spherical(start: ArrayLike, end: ArrayLike, steps: Plural) -> Floats:
    """The way along the sphere: directions turn evenly by slerp, sin((1 − t) θ)/sin θ · â + sin(t θ)/sin θ · b̂ (Shoemake
    1985, SIGGRAPH; for latent space White 2016, arXiv 1609.04468), and lengths go evenly from |a| to |b|.

    Between codes of one length it is the formula of White. Parallel codes have the straight way between them, and so has a
    code of length 0, which has no direction. Between opposite codes every great circle is as short: the one taken passes by
    the axis in which a is smallest.

    Args:
        start, end: a and b, (P, D) each; D is 2 or more where any two are opposite.
        steps: codes on the way, both ends among them.

    Returns:
        (P, steps, D).

    Example:
        >>> way = diabolo.latents.spherical(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), steps=3)
        >>> way.round(3)
        array([[[1.   , 0.   ],
                [0.707, 0.707],
                [0.   , 1.   ]]])
    """
    a, b, t = _checked(start, end, steps)
    size_a, size_b = (np.linalg.norm(z, axis=2, keepdims=True) for z in (a, b))
    u, v = (_directions(z, size) for z, size in ((a, size_a), (b, size_b)))
    half = np.arctan2(np.linalg.norm(u - v, axis=2, keepdims=True), np.linalg.norm(u + v, axis=2, keepdims=True))
    angle = 2 * half  # stable at 0 and π, where the arc cosine of the product is not
    opposite = np.pi - angle < EPS
    if a.shape[2] == 1 and opposite.any():
        raise DiaboloError("there is no way around 0 between opposite codes of one number: use linear interpolation")
    smallest = np.eye(a.shape[2])[np.abs(a).argmin(2)]
    ahead = np.where(opposite, smallest, v)
    ahead = ahead - (ahead * u).sum(2, keepdims=True) * u  # the direction in which u sets out for v
    size = np.linalg.norm(ahead, axis=2, keepdims=True)
    ahead = np.divide(ahead, size, out=np.zeros_like(ahead), where=size > 0)
    way = ((1 - t) * size_a + t * size_b) * (np.cos(t * angle) * u + np.sin(t * angle) * ahead)
    straight = (angle < EPS) | (size_a == 0) | (size_b == 0)
    way = np.where(straight, (1 - t) * a + t * b, way)
    way[:, :1], way[:, -1:] = a, b  # to the last bit
    return way


@checked
def along_data(start: ArrayLike, end: ArrayLike, steps: Plural, graph: CodeGraph) -> Floats:
    """The way that keeps to where there are codes: the shortest path in a graph of k nearest neighbours among codes, as in
    Isomap (Tenenbaum et al. 2000, Science 290), which is the geodesic of the data when codes are many.

    The path is cut into `steps` points at even lengths, so that it can be compared with other ways of as many steps.

    Args:
        start, end: a and b, (P, D) each.
        steps: codes on the way, both ends among them.
        graph: of the training codes.

    Returns:
        (P, steps, D).

    Example:
        >>> graph, codes = diabolo.latents.CodeGraph(model.encode(train.images)), model.encode(test.images[:2])
        >>> diabolo.latents.along_data(codes[:1], codes[1:], steps=7, graph=graph).shape
        (1, 7, 4)
    """
    a, b, t = _checked(start, end, steps)
    paths = graph.shortest(a[:, 0], b[:, 0])
    return np.stack([_resampled(path, t.ravel()) for path in paths])


@dataclass(frozen=True)
class Smoothness:
    """Of P ways.

    Attributes:
        longest_step: (P,) the longest step in pixel space over the mean step: 1 for an even way, steps − 1 for one that jumps.
        detour: (P,) the length of the way in pixel space over the distance between its ends: 1 for a cross-fade.
    """

    longest_step: Floats
    detour: Floats


def smoothness(frames: NDArray[Any]) -> Smoothness:
    """How evenly the images on a way change, by Euclidean distances between neighbours on it.

    Args:
        frames: (P, steps, …): the decoded images of P ways, or features of them. Where nothing changes, both numbers are 1;
            a way that goes somewhere and comes back has an infinite detour.

    Example:
        >>> even = np.linspace(0, 1, 5)[None, :, None]  # one way of 5 steps
        >>> diabolo.latents.smoothness(even)
        Smoothness(longest_step=array([1.]), detour=array([1.]))
    """
    x = np.asarray(frames, np.float64)
    if x.ndim < 3 or x.shape[1] < 3:
        raise DiaboloError(f"smoothness is measured on ways (P, steps, …) of 3 steps or more, not {x.shape}")
    x = x.reshape(*x.shape[:2], -1)
    step = np.linalg.norm(np.diff(x, axis=1), axis=2)
    length, straight = step.sum(1), np.linalg.norm(x[:, -1] - x[:, 0], axis=1)
    still = length == 0
    with np.errstate(divide="ignore"):
        detour = np.divide(length, straight, out=np.ones_like(length), where=~still)
    return Smoothness(np.divide(step.max(1), step.mean(1), out=np.ones_like(length), where=~still), detour)


def confidence(probabilities: ArrayLike) -> Floats:
    """The lowest probability (P,) that the likeliest class has anywhere on a way, given those of all classes (P, steps, K):
    near 1 where every image on it is clearly of some class.

    Example:
        >>> ways = np.array([[[0.9, 0.1], [0.55, 0.45], [0.2, 0.8]]])
        >>> diabolo.latents.confidence(ways)
        array([0.55])
    """
    lowest: Floats = np.asarray(probabilities, np.float64).max(2).min(1)
    return lowest


def _checked(start: ArrayLike, end: ArrayLike, steps: Plural) -> tuple[Floats, Floats, Floats]:
    """a and b as (P, 1, D), t as (steps, 1)."""
    a, b = check_codes(start), check_codes(end)
    if a.shape != b.shape:
        raise DiaboloError(f"codes are joined one to one: {a.shape} does not fit {b.shape}")
    return a[:, None], b[:, None], np.linspace(0, 1, steps)[:, None]


def _directions(z: Floats, size: Floats) -> Floats:
    return np.divide(z, size, out=np.zeros_like(z), where=size > 0)


def _resampled(path: Floats, t: Floats) -> Floats:
    """Points at the shares `t` of the length of the polyline `path` (n, D)."""
    at = np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])
    if not at[-1]:
        return np.repeat(path[:1], len(t), 0)
    wanted = t * at[-1]
    i = np.clip(np.searchsorted(at, wanted, side="right") - 1, 0, len(path) - 2)
    share = np.divide(wanted - at[i], at[i + 1] - at[i], out=np.zeros_like(wanted), where=at[i + 1] > at[i])[:, None]
    found: Floats = (1 - share) * path[i] + share * path[i + 1]
    found[-1] = path[-1]
    return found
