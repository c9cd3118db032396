"""The graph of codes that are near each other, and the shortest ways in it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes, check_differ
from diabolo.ranges import Count, checked

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
