"""`diabolo explore VIEW RUN`: one command for each picture of a latent space, with its own options."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from diabolo.cli.help import keywords, taking
from diabolo.cli.options import DataFlags
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Seed, check
from diabolo.terminal import say

app = App(name="explore", help=VERBS["explore"])

VIEW, DATA = Group("View", sort_key=1), Group("Data", sort_key=2)
Words, Wholes, Numbers = tuple[str, ...], tuple[int, ...], tuple[float, ...]

# What each view shows, and its own options: name → (type, what it means and is when left out)
VIEWS: dict[str, tuple[str, dict[str, tuple[Any, str]]]] = {
    "interpolate": (
        "From one test image to another, a row for each way.",
        {
            "images": (Wholes, "the two test images, by number from 0; the first and one of another class."),
            "classes": (Words, "instead, the two classes to go between, such as 1 7."),
            "steps": (int, "images in a row; 7."),
            "ways": (Words, "linear, spherical, along-data; all three."),
            "neighbours": (int, "of each code in the graph that along-data goes by; 10."),
        },
    ),
    "traverse": (
        "One unit of the code after the other moved, those that say most first.",
        {
            "images": (Wholes, "which test image, by number from 0; 0."),
            "units": (int, "how many units; 10."),
            "reach": (float, "how far, in deviations of the codes; 3."),
            "steps": (int, "images in a row; 7."),
        },
    ),
    "arithmetic": (
        "Test images with an attribute added to their codes and taken away.",
        {
            "attribute": (str, "its name; of images with labels only, that of a class. It is needed."),
            "images": (Wholes, "which test images, by number from 0; the first that lack it."),
            "alphas": (Numbers, "multiples of the direction; -2 0 2 4."),
            "direction": (str, "mean (the difference of the means) or probe (the normal of a linear probe); mean."),
            "keep": (Words, "attributes to whose directions the one taken is at right angles; none."),
        },
    ),
    "grid": (
        "What the decoder draws all over a code of two numbers.",
        {
            "side": (int, "tiles a side; 20."),
            "quantiles": (bool, "by quantiles of N(0, I) instead of over the range of the codes."),
        },
    ),
    "nearest": (
        "Samples above the training images that are nearest to them.",
        {"n": (int, "samples; 8."), "neighbours": (int, "training images for each; 3.")},
    ),
    "map": (
        "Test codes as points of a plane, by class.",
        {
            "projections": (Words, "pca, t-sne, umap; pca."),
            "most": (int, "points; as many as the slowest of the projections does well with."),
        },
    ),
    "posterior": (
        "Draws from the posterior of one test image, and with its variance multiplied.",
        {
            "images": (Wholes, "which test image, by number from 0; 0."),
            "scales": (Numbers, "what the variance is multiplied by; 1 20."),
            "n": (int, "draws in a row; 8."),
        },
    ),
    "codebook": (
        "The codes of a quantiser as points of a plane, by their use for the test images.",
        {"projections": (Words, "pca, t-sne or umap; pca.")},
    ),
}
SHARED: dict[str, tuple[Any, Any]] = {
    "seed": (Annotated[int, Parameter(group=VIEW, help="of all that is drawn.")], 0),
    "out": (
        Annotated[
            Path | None,
            Parameter(
                group=VIEW,
                help="a .png file, with a .pdf beside it, or a .pdf file alone; figures/VIEW.png of the run.",
            ),
        ],
        None,
    ),
    "data": (Annotated[str | None, Parameter(group=DATA, help="other images than those of the run.")], None),
    "data_options": (Annotated[DataFlags | None, Parameter(name="*", group=DATA)], None),
}


def draw(view: str, run: Path, given: dict[str, Any]) -> None:
    """Draw one picture."""
    from diabolo import figures
    from diabolo.data.origin import check_columns
    from diabolo.errors import DiaboloError
    from diabolo.pictures.latent_views import VIEWS as DRAWN
    from diabolo.pictures.latent_views import Look, refuse_undrawable
    from diabolo.runs.folder import RunFolder
    from diabolo.runs.loading import load
    from diabolo.runs.lock import writing

    options = {name: given[name] for name in VIEWS[view][1] if given.get(name) is not None}
    seed, data, data_options = check("seed", given.get("seed", 0), Seed), given.get("data"), given.get("data_options")
    if view == "arithmetic" and not options.get("attribute"):
        raise DiaboloError("arithmetic needs --attribute NAME")
    target = given.get("out") or run / "figures" / f"{view}.png"
    if target.suffix.lower() not in (".png", ".pdf"):
        raise DiaboloError(f"pictures are written as .png or .pdf, not {target.suffix or target}")
    about = RunFolder(run).config.train
    refuse_undrawable(view, about.shape)
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
    check_columns(about, train, test)
    figure = DRAWN[view](Look(model, train, test, seed), **options)
    with writing(target, "explore"):
        say(figures.save(figure, target, pdf=True))


def _hint(kind: Any, text: str) -> Any:
    told, _, usual = text.removesuffix(".").rpartition("; ")
    text = f"{told}. [default: {usual}]" if told else text
    several = True if kind in (Words, Wholes, Numbers) else None
    return Annotated[kind | None, Parameter(group=VIEW, help=text, consume_multiple=several, negative=())]


def _command(view: str) -> Callable[..., None]:
    """A function whose signature is the options of the view, for cyclopts."""
    told, options = VIEWS[view]

    def command(run: Path, /, **given: Any) -> None:
        draw(view, run, given)

    folder = inspect.Parameter("run", inspect.Parameter.POSITIONAL_ONLY, annotation=Path)
    own: dict[str, tuple[Any, Any]] = {name: (_hint(*option), None) for name, option in options.items()}
    return taking(command, [folder, *keywords(own | SHARED)], f"{told}\n\nArgs:\n    run: the run folder.")


for _order, _view in enumerate(VIEWS):
    app.command(_command(_view), name=_view, sort_key=_order)
