"""What the study `generative` says of Deliverable 1: the map of two numbers, the grid decoded over it, longer codes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.display import words as written
from diabolo.latents import Grid
from diabolo.plain import count, percent
from diabolo.studies.engine.findings import Measured, difference, joined

Found = Mapping[str, Measured]
AGREE = 0.75  # share of tiles from which on grid and scatter are said to agree
SURE = 0.9  # probability from which on a tile shows the class that it is read as
SECTORS = (
    ("lower left", "bottom", "lower right"),
    ("left", "centre", "right"),
    ("upper left", "top", "upper right"),
)


Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Tiles:
    """A decoded grid, and the codes that lie in its tiles.

    Attributes:
        grid: where the tiles lie.
        codes, labels: of training images, (N, 2) and (N,).
        read, sure: the class that a classifier reads in each tile, and its probability, (n · n,).
    """

    grid: Grid
    codes: NDArray[np.float32]
    labels: Ints
    read: Ints
    sure: NDArray[np.float64]

    @cached_property
    def most(self) -> Ints:
        """The most frequent class of the codes in each tile; −1 in an empty one."""
        return self.grid.majority(self.codes, self.labels)

    @cached_property
    def own(self) -> NDArray[np.bool_]:
        """Whether each code lies in a tile where its own class is the most frequent, (N,)."""
        tiles = self.grid.tiles(self.codes)
        found: NDArray[np.bool_] = (tiles >= 0) & (self.most[tiles] == self.labels)
        return found

    def place(self, label: int) -> tuple[float, float]:
        """The median of the codes of that class, on the axes of the grid."""
        x, y = np.median(self.grid.places(self.codes[self.labels == label]), axis=0).tolist()
        return x, y

    @property
    def shown(self) -> Counter[int]:
        """How many tiles show each class: are read as it with confidence."""
        return Counter(self.read[self.sure >= SURE].tolist())

    @property
    def agree(self) -> tuple[int, int]:
        """How many tiles are read as their most frequent class, of how many that hold a code."""
        return int((self.read == self.most).sum()), int((self.most >= 0).sum())

    @property
    def confused(self) -> Counter[tuple[int, int]]:
        """How many tiles are of one class by their codes and of another one as they are read, by the two."""
        apart = (self.most >= 0) & (self.read != self.most)
        pairs = np.sort(np.stack([self.read, self.most], 1)[apart], axis=1)
        return Counter((int(a), int(b)) for a, b in pairs)


def sector(x: float, y: float) -> str:
    """Where (x, y), shares of the codes, lies on the map, in words: a third of the axes each."""
    return SECTORS[min(2, int(3 * y))][min(2, int(3 * x))]


def size_of_map(areas: Sequence[float], errors: Sequence[float]) -> str:
    """Maps of several seeds: their areas, and their test errors."""
    wider, worse = max(areas) / min(areas) - 1, max(errors) / min(errors) - 1
    scale = (
        "Nothing in the loss fixes the scale of the code: a map twice as large, followed by weights half as large, decodes to "
        "the same images."
    )
    if len(areas) < 2:
        return f"The size of the map alone says nothing. {scale}"
    compared = (
        f"Of {len(areas)} seeds the largest map is {percent(wider)} larger than the smallest, and the largest test error "
        f"{percent(worse, 1)} higher than the smallest."
    )
    related = "" if wider > 2 * worse else "no more than the errors do; "
    return (
        f"{compared} These {len(areas)} seeds cannot establish a relation of size and quality, and {related}none is expected. "
        f"{scale}"
    )


def two_grids(regular: int, quantile: int, classes: int, missed: Sequence[str] = ()) -> str:
    """How many of the classes a grid of equal steps shows, and one of equal shares; `missed` are those that only the second
    shows."""
    shown = f"{quantile} of the {classes} classes"
    if regular < quantile:
        return (
            f"A grid of equal steps over the same codes shows {regular} of the {classes} classes, the grid by quantiles "
            f"{shown}{f'; the first misses {joined(missed)}' if missed else ''}. Some classes fill a small, crowded part of "
            "the map, and equal steps pass over it; quantiles give every part as much room as it has codes."
        )
    if regular == quantile:
        return f"Both the grid by quantiles and a grid of equal steps show {shown}."
    return f"The grid by quantiles shows {shown}, a grid of equal steps {regular}: the outskirts of the map are less crowded."


def where(places: Mapping[str, tuple[float, float]]) -> str:
    """Where the classes lie, name → the median of their codes in shares."""
    found: dict[str, list[str]] = {}
    for name, place in places.items():
        found.setdefault(sector(*place), []).append(name)
    order = [name for line in reversed(SECTORS) for name in line if name in found]
    listed = "; ".join(f"{name}: {joined(found[name])}" for name in order)
    return f"The medians of the classes lie at these places of the scatter and the grid: {listed}."


def corresponds(f: Found, worst: Sequence[tuple[str, int]], wrong: int, medians: str = "") -> str:
    """Whether the digit decoded in a tile is the most frequent class of its codes; `worst` are the two classes that disagree
    most often, in how many of the `wrong` tiles, and where their `medians` lie."""
    crowded, few, unread = (
        f[name].value
        for name in ("tiles that hold 95 % of the codes", "tiles with few codes", "tiles that show no class")
    )
    agree, full = f["tiles read as their most frequent class"].value, f["tiles that hold a training code"].value
    told = (
        f"{percent(full)} of the tiles hold the code of a training image, but the codes are unevenly spread: {crowded:.0f} "
        f"tiles hold 95 % of them, and {few:.0f} hold fewer than a tenth of the average. {unread:.0f} tiles show no class with "
        f"a probability of {percent(SURE)}. In {percent(agree)} of the tiles with a code the classifier reads in "
        "the decoded tile the class that is most frequent among the codes there"
    )
    if not worst:
        return f"{told}: grid and scatter agree in every tile."
    ((pair, times),) = worst
    why = f"{pair} are confused most often (in {times} of the {count(wrong, 'tile')} that disagree)"
    if agree < AGREE:
        return f"{told}, so the grid is only a rough picture of the scatter. The classes {why}."
    return (
        f"{told}: the grid agrees with the scatter. The classes {why}: their codes lie close together{medians}. Where codes "
        "overlap, the best answer of the decoder is a blend."
    )


def filled(f: Found) -> str:
    """Whether what is decoded where no image lies looks like digits to a classifier."""
    there, elsewhere = (f[f"confidence in {kind} tiles"] for kind in ("filled", "empty"))
    if elsewhere.value == 0:
        return "No tile is empty."
    return difference(there, elsewhere).say(
        more="The classifier is more confident in tiles with codes ({a}) than in empty ones ({b}), by {difference} if tiles "
        "were independent. Neighbouring tiles are not, so the evidence is weaker than that interval. In empty tiles the "
        "decoder was never trained.",
        less="The classifier is less confident in tiles with codes ({a}) than in empty ones ({b}), by {difference} if tiles "
        "were independent. Neighbouring tiles are not, so the evidence is weaker than that interval.",
        neither="The classifier's confidence in tiles with codes ({a}) {differs} from that in empty tiles ({b}).",
    )


def longer(
    errors: Mapping[int, float], fits: Mapping[int, float], pca: Mapping[int, float], read: Mapping[int, float]
) -> str:
    """Test errors of autoencoders and of PCA by the length of the code, the training losses beside them, and how many
    reconstructions are read right."""
    short, long, best = min(errors), max(errors), min(errors, key=lambda n: errors[n])
    listed = ", ".join(f"{written(error)} with {n}" for n, error in errors.items())
    told = (
        f"The test error by the numbers of the code is {listed} (one training each). The classifier reads the right class in "
        f"{percent(read[short], 1)} of the reconstructions from {short} and {percent(read[long], 1)} of those from {long}. "
    )
    if best == short:
        return f"{told}A longer code is no better here: these networks were not trained long enough to use it."
    if best != long:
        ends = f"(from {written(fits[best])} to {written(fits[long])})"
        told += f"The error falls up to {best} numbers and rises after that. " + (
            f"The training loss rises too {ends}, so the limit is the training, not what the code can hold. "
            if fits[long] > fits[best]
            else f"The training loss still falls {ends}, so the longest code overfits. "
        )
    ahead = [n for n in errors if errors[n] < pca[n]]
    against = (
        f"PCA with as many numbers has a larger error at every length ({pca[short] / errors[short]:.1f} times as large at "
        f"{short}, {pca[long] / errors[long]:.1f} times at {long})."
        if len(ahead) == len(errors)
        else f"PCA with as many numbers has a larger error at {joined([str(n) for n in ahead])} numbers, but not at the others."
        if ahead
        else "PCA with as many numbers has a lower error at every length."
    )
    return (
        f"{told}{against} Only a code of 2 can be plotted on paper and decoded over a grid; a longer one has to be looked at "
        "through projections and traversals."
    )
