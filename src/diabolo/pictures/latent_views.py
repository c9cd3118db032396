"""Pictures of a latent space, one per function: what `diabolo explore` draws.

Each takes a `Look`, which is a codec with its images, and options; it returns a figure. `VIEWS` holds them by name.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from diabolo import figures, latents
from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.figures.style import MAX_CLASSES
from diabolo.latents.codes import decode, encode, known, refuse_discrete
from diabolo.latents.projection import METHODS
from diabolo.pictured import as_pictures, pictures_of
from diabolo.plain import count
from diabolo.ranges import At, Count, Natural, Positive, Weight, checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure
else:
    Figure = Any  # whoever reads the hints when it runs needs no matplotlib for it

GRAPH = 10_000  # training codes in the graph that a way along the data goes by
MEASURED = 5_000  # images by which units are ordered
FITTED = 5_000  # training images that a probe is fitted to
FACES = 5  # rows where nobody says which images
DIRECTIONS = ("mean", "probe")
WAYS = ("linear", "spherical", "along-data")


@dataclass(frozen=True)
class Look:
    """A codec, the images it was trained on and test images, and the seed of all that is drawn. Numbers in other units than
    [0, 1] are shown as pictures, see `diabolo.pictured`."""

    codec: Codec
    train: Images
    test: Images
    seed: int = 0

    def __post_init__(self) -> None:
        scaling = self.codec.scaling
        if len(self.codec.input_shape) == 3:
            for part in ("train", "test"):
                object.__setattr__(self, part, pictures_of(getattr(self, part), scaling))
            object.__setattr__(self, "codec", as_pictures(self.codec))


View = Callable[..., "Figure"]


@checked
def interpolate(
    look: Look,
    *,
    images: tuple[Natural, ...] = (),
    classes: tuple[str, ...] = (),
    steps: Annotated[int, At(2, 100)] = 7,
    ways: tuple[str, ...] = WAYS,
    neighbours: Count = 10,
) -> "Figure":
    """From one test image to another, a row for each way; by the condition of the first, where there is one."""
    refuse_discrete(look.codec, "interpolation")
    _some("way", ways, WAYS)
    for way in ways:
        if way not in WAYS:
            raise UnknownNameError("way", way, WAYS)
    a, b = _pair(look, images, classes)
    z = encode(look.codec, look.test.take([a, b]))
    start, end, y = z[:1], z[1:], known(look.codec, look.test.take([a]))
    rows = {}
    for way in ways:
        if way == "along-data":
            few = look.train.at_most(GRAPH, look.seed)
            path = latents.along_data(start, end, steps, latents.CodeGraph(encode(look.codec, few), neighbours))
        else:
            path = (latents.linear if way == "linear" else latents.spherical)(start, end, steps)
        frames = decode(look.codec, path, y)
        longest = f", longest step {latents.smoothness(frames).longest_step[0]:.2f}×" if steps > 2 else ""
        rows[f"{way}{longest}"] = frames[0]
    return figures.strips(rows, title=f"{_title(look)}: from test image {a} to {b}")


@checked
def traverse(
    look: Look,
    *,
    images: tuple[Natural, ...] = (),
    units: Count = 10,
    reach: Positive = 3.0,
    steps: Annotated[int, At(2, 100)] = 7,
) -> "Figure":
    """One unit after the other moved, those that tell most first, from the code of a test image."""
    few = look.train.at_most(MEASURED, look.seed)
    order = latents.units(look.codec, few, look.seed)
    (at,) = _chosen(look, images, 1)
    shown = look.test.take([at])
    rows = latents.traverse(look.codec, encode(look.codec, shown), order, reach, steps, units, known(look.codec, shown))
    labels = [f"z{j + 1}: {told:.3g} {order.unit}" for j, told in zip(order.order[:units], order.told, strict=False)]
    columns = [f"{_number(k)} σ" for k in np.linspace(-reach, reach, steps)]
    title = f"{_title(look)}: units of the code of test image {at}, by {order.unit}"
    return figures.strips(dict(zip(labels, rows, strict=True)), columns, title=title)


@checked
def arithmetic(
    look: Look,
    *,
    attribute: str = "",
    images: tuple[Natural, ...] = (),
    alphas: tuple[float, ...] = (-2.0, 0.0, 2.0, 4.0),
    direction: str = "mean",
    keep: tuple[str, ...] = (),
) -> "Figure":
    """z + α v for test images without the attribute; v at right angles to the directions of those to `keep`."""
    refuse_discrete(look.codec, "arithmetic")
    if direction not in DIRECTIONS:
        raise UnknownNameError("direction", direction, DIRECTIONS)
    _some("α", alphas, ("-2", "0", "2", "4"))
    if not np.isfinite(alphas).all():
        raise DiaboloError(f"each α must be a finite number, not {', '.join(map(str, alphas))}")
    few = look.train.at_most(FITTED, look.seed)
    find = latents.mean_difference if direction == "mean" else latents.probe_normal
    has, others = latents.attribute(few, attribute), [latents.attribute(few, other) for other in keep]
    z = encode(look.codec, few)
    v = find(z, has)
    if others:
        v = latents.orthogonalised(v, np.stack([find(z, other) for other in others]))
    without = np.flatnonzero(~latents.attribute(look.test, attribute, varies=False))
    if not len(without):
        raise DiaboloError(
            f"all of {look.test.name} ({look.test.split}) have {attribute}: it can be added to none of them"
        )
    shown = look.test.take(list(_chosen(look, images, 0)) if images else without[:FACES])
    swept = latents.sweep(look.codec, encode(look.codec, shown), v, alphas, y=known(look.codec, shown))
    numbers = images or tuple(without[:FACES].tolist())
    rows = {f"test image {i}": row for i, row in zip(numbers, swept.images, strict=True)}
    kept = f", keeping {', '.join(keep)}" if keep else ""
    title = f"{_title(look)}: z + α · {attribute} by the {direction}{kept}"
    return figures.strips(rows, [f"α = {_number(alpha)}" for alpha in alphas], title=title)


@checked
def grid(look: Look, *, side: Annotated[int, At(2, 100)] = 20, quantiles: bool = False) -> "Figure":
    """What the decoder draws all over a code of two numbers: over the range of the codes, or by quantiles of N(0, I)."""
    refuse_discrete(look.codec, "a grid")
    if look.codec.condition.to_decoder:
        raise DiaboloError("the decoder is given more than the code: there is a grid for each thing it is given")
    tiles = latents.by_quantiles(side) if quantiles else latents.over_range(encode(look.codec, look.test), side)
    title = f"{_title(look)}: decoded " + ("by quantiles of the prior" if quantiles else "over the codes")
    images = decode(look.codec, tiles.codes)
    return figures.decoded_grid(
        images, tiles.extent, title, tiles.axis_names, tiles.places(encode(look.codec, look.test))
    )


@checked
def nearest(look: Look, *, n: Annotated[int, At(1, 1000)] = 8, neighbours: Count = 3) -> "Figure":
    """Samples above the training images that are nearest to them, in pixels."""
    samples = decode_clipped(look.codec.sample(n, look.seed))
    index, distance = latents.nearest(samples, look.train.images, neighbours)
    found = np.asarray(look.train.take(index.ravel()).images)
    title = f"{_title(look)}: samples and the nearest of {len(look.train):,} training images"
    return figures.neighbours(samples, found.reshape(*index.shape, *look.train.shape), distance, title=title)


@checked
def map_(look: Look, *, projections: tuple[str, ...] = ("pca",), most: Annotated[int, At(4)] | None = None) -> "Figure":
    """Test codes as points of a plane, by class, for each projection; the same codes and colours in all. Beside each class's
    name stands the image in its middle."""
    _some("projection", projections, METHODS)
    z = encode(look.codec, look.test)
    labels, names = look.test.labels, look.test.label_names
    if labels is not None and len(np.unique(labels)) > MAX_CLASSES:
        labels = names = None
    told = None if names is None else dict(enumerate(names)) | {-1: "not known"}
    usual = min(latents.most_of(how) for how in projections)
    most = usual if most is None else most
    panels: list[Any] = []
    pictures = len(look.test.shape) == 3 and look.test.shape[0] in (1, 3)
    for how in projections:
        found = latents.project(z, how, look.seed, most)
        own = None if labels is None else labels[found.chosen]
        if own is None or not pictures:
            panels.append(partial(figures.latent_scatter, found.points, own, told, found.told, found.axis_names))
        else:
            shown = look.test.take(found.chosen).images
            panels.append(
                partial(figures.thumbnail_scatter, found.points, own, shown, told, found.axis_names, title=found.told)
            )
    return panels[0]() if len(panels) == 1 else figures.page(panels, f"{_title(look)}: codes of test images")


@checked
def posterior(
    look: Look,
    *,
    images: tuple[Natural, ...] = (),
    scales: tuple[Weight, ...] = (1.0, 20.0),
    n: Annotated[int, At(1, 1000)] = 8,
) -> "Figure":
    """Draws from the posterior of one test image, and with its variance multiplied."""
    (at,) = _chosen(look, images, 1)
    found = latents.scaled_samples(look.codec, look.test.take([at]), scales, n, look.seed)
    rows = {f"variance × {scale:g}": samples[0] for scale, samples in found.items()}
    return figures.strips(rows, title=f"{_title(look)}: test image {at}, encoded {n} times")


@checked
def codebook(look: Look, *, projections: tuple[str, ...] = ("pca",)) -> "Figure":
    """The codes of a quantiser as points of a plane, by their use for the test images."""
    _some("projection", projections, METHODS)
    vectors, counts = latents.codebook(look.codec), latents.uses(look.codec, look.test)
    found = latents.project(vectors, projections[0], look.seed, max(4, len(vectors)))
    title = f"{_title(look)}: {len(vectors)} codes, {found.told}"
    return figures.codebook_map(found.points, counts, title=title, axis_names=found.axis_names)


PICTURES = ("interpolate", "traverse", "arithmetic", "grid", "nearest", "posterior")  # views that draw images


def refuse_undrawable(what: str, shape: Sequence[int]) -> None:
    """Refuse, before anything is computed, the view `what` of images of a `shape` that no page can show: vectors, and images of
    other than 1 or 3 channels. A map and a codebook are of codes, and can always be drawn."""
    if what in PICTURES and not (len(shape) == 3 and shape[0] in (1, 3)):
        raise DiaboloError(
            f"{what} draws images of 1 or 3 channels, and these have the shape {tuple(shape)}; explore map draws their codes"
        )


def _of_pictures(view: View) -> View:
    """`view`, which says at once where it cannot be drawn."""

    @wraps(view)
    def refusing(look: Look, **options: Any) -> "Figure":
        refuse_undrawable(view.__name__, look.codec.input_shape)
        return view(look, **options)

    return refusing


VIEWS: dict[str, View] = {
    "interpolate": _of_pictures(interpolate),
    "traverse": _of_pictures(traverse),
    "arithmetic": _of_pictures(arithmetic),
    "grid": _of_pictures(grid),
    "nearest": _of_pictures(nearest),
    "map": map_,
    "posterior": _of_pictures(posterior),
    "codebook": codebook,
}


def decode_clipped(samples: Any) -> NDArray[np.float32]:
    """Images in [0, 1], which PCA leaves."""
    found: NDArray[np.float32] = samples.float().clamp(0, 1).cpu().numpy()
    return found


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _title(look: Look) -> str:
    return f"{look.codec.name} on {look.test.name}"


def _some(what: str, given: Iterable[Any], such_as: Iterable[str]) -> None:
    """Refuse an option that was given empty."""
    if not list(given):
        raise DiaboloError(f"give one {what} or more, such as {' '.join(such_as)}")


def _chosen(look: Look, images: tuple[int, ...], wanted: int) -> tuple[int, ...]:
    """`wanted` of the test images by index, the first when nobody says; 0 for any number."""
    chosen = images or tuple(range(wanted))
    if wanted and len(chosen) != wanted:
        raise DiaboloError(f"{count(wanted, 'test image')} wanted, {len(chosen)} given")
    for i in chosen:
        if not 0 <= i < len(look.test):
            raise DiaboloError(f"test images are numbered from 0 to {len(look.test) - 1}, and {i} was asked for")
    return chosen


def _pair(look: Look, images: tuple[int, ...], classes: tuple[str, ...]) -> tuple[int, int]:
    """Two test images: those given, or the first of each of two classes, or the first and the first of another class."""
    if images and classes:
        raise DiaboloError("say the two test images by number or by class, not both")
    if classes:
        if len(classes) != 2:
            raise DiaboloError(f"a way goes from one class to another: give two, not {len(classes)}")
        ends = [np.flatnonzero(latents.of_class(look.test, name)) for name in classes]
        return int(ends[0][0]), int(ends[1][-1])
    if images:
        a, b = _chosen(look, images, 2)
        return a, b
    labels = look.test.labels
    other = np.flatnonzero(labels != labels[0]) if labels is not None else np.array([], np.int64)
    return (0, int(other[0])) if len(other) else _chosen(look, (0, len(look.test) - 1), 2)  # type: ignore[return-value]
