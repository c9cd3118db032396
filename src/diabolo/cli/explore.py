"""`diabolo explore RUN`."""

import inspect
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from cyclopts import App, Parameter

from diabolo.cli.options import DataFlags
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Seed, checked
from diabolo.terminal import say

app = App(name="explore", help=VERBS["explore"])

T = TypeVar("T")
Several = Annotated[tuple[T, ...] | None, Parameter(consume_multiple=True, negative=())]
What = Literal["interpolate", "traverse", "arithmetic", "grid", "nearest", "map", "posterior", "codebook"]


@app.default
@checked
def command(
    run: Path,
    /,
    *,
    what: What,
    images: Several[int] = None,
    classes: Several[str] = None,
    steps: int | None = None,
    ways: Several[str] = None,
    neighbours: int | None = None,
    units: int | None = None,
    reach: float | None = None,
    attribute: str | None = None,
    alphas: Several[float] = None,
    direction: str | None = None,
    keep: Several[str] = None,
    side: int | None = None,
    quantiles: Annotated[bool | None, Parameter(negative=())] = None,
    n: int | None = None,
    projections: Several[str] = None,
    most: int | None = None,
    scales: Several[float] = None,
    seed: Seed = 0,
    out: Path | None = None,
    data: str | None = None,
    data_options: Annotated[DataFlags | None, Parameter(name="*")] = None,
) -> None:
    """Look into the latent space of a trained model: one picture.

    Args:
        run: the run folder.
        what: interpolate between two test images; traverse each unit; arithmetic with an attribute; the decoded grid of a
            2-d code; nearest training images of samples; a map of the codes; posterior draws of one image; the codebook.
        images: which test images, by number from 0: two to interpolate between, one for a traversal or a posterior.
        classes: interpolate: the two classes to go between, such as 1 7.
        steps: interpolate, traverse: images in a row; 7.
        ways: interpolate: linear, spherical, along-data; all three.
        neighbours: interpolate along-data: of each code in the graph, 10; nearest: training images for each sample, 3.
        units: traverse: how many, those that tell most first; 10.
        reach: traverse: how far, in deviations of the codes; 3.
        attribute: arithmetic: its name; of images with labels only, that of a class.
        alphas: arithmetic: multiples of the direction; -2 0 2 4.
        direction: arithmetic: mean (the difference of the means) or probe (the normal of a linear probe).
        keep: arithmetic: attributes to whose directions the one taken is at right angles.
        side: grid: tiles a side; 20.
        quantiles: grid: by quantiles of N(0, I) instead of over the range of the codes.
        n: nearest, posterior: how many samples; 8.
        projections: map, codebook: pca, t-sne, umap; pca.
        most: map: points; more are drawn from.
        scales: posterior: what its variance is multiplied by; 1 20.
        seed: of all that is drawn.
        out: a .png file, with a .pdf beside it, or a .pdf file alone; when left out, figures/WHAT.png of the run.
        data: other images than those of the run.
    """
    from diabolo import figures
    from diabolo.errors import DiaboloError, listed
    from diabolo.pictures.latent_views import VIEWS, Look, refuse_undrawable
    from diabolo.runs.folder import RunFolder
    from diabolo.runs.loading import load
    from diabolo.runs.lock import writing

    given = {
        "images": images, "classes": classes, "steps": steps, "ways": ways, "neighbours": neighbours, "units": units,
        "reach": reach, "attribute": attribute, "alphas": alphas, "direction": direction, "keep": keep, "side": side,
        "quantiles": quantiles, "n": n, "projections": projections, "most": most, "scales": scales,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    takes = [name for name in inspect.signature(VIEWS[what]).parameters if name != "look"]
    for name in given:
        if name not in takes:
            raise DiaboloError(f"--what {what} takes no --{name}; it takes {listed(f'--{known}' for known in takes)}")
    if what == "arithmetic" and not attribute:
        raise DiaboloError("arithmetic needs --attribute NAME")
    target = out or run / "figures" / f"{what}.png"
    if target.suffix.lower() not in (".png", ".pdf"):
        raise DiaboloError(f"pictures are written as .png or .pdf, not {target.suffix or target}")
    about = RunFolder(run).config.train
    refuse_undrawable(what, about.shape)
    model = load(run)
    if data is None:
        if data_options is not None:
            raise DiaboloError("options of the data set need --data NAME; without it the images are those of the run")
        if about.origin is None:
            raise DiaboloError(f"the images of {run} were given as arrays: name others by --data")
        train, test = RunFolder(run).pair()
    else:
        train, test = (data_options or DataFlags()).load(data)
    for part in (train, test):
        if part.shape != tuple(model.input_shape):
            raise DiaboloError(f"{run} is for images {tuple(model.input_shape)}, and {part.name} has {part.shape}")
    figure = VIEWS[what](Look(model, train, test, seed), **given)
    with writing(target, "explore"):
        say(figures.save(figure, target, pdf=True))
