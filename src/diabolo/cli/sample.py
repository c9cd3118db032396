"""`diabolo sample RUN`."""

from pathlib import Path
from typing import Any, Literal

from cyclopts import App

from diabolo.cli.options import MovedOptions, Several, where
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Count, Seed, checked
from diabolo.terminal import say

app = App(name="sample", help=VERBS["sample"])


@app.default
@checked
def command(
    run: Path,
    /,
    *,
    n: Count = 16,
    seed: Seed = 0,
    density: str = "prior",
    components: Count | Literal["bic"] | None = None,
    label: Several[str] = (),
    values: Several[float] = (),
    images: Several[str] = (),
    out: Path | None = None,
    moved: MovedOptions = None,
) -> None:
    """New images from a trained model: codes drawn from its prior, or from a density fitted to its training codes, decoded.

    Args:
        run: the run folder.
        n: how many.
        seed: the same seed gives the same images.
        density: where codes are drawn: prior (the model's own), normal, gaussian, mixture (gmm), neighbours or flow; all but
            the first are fitted to the codes of the images that the run was trained on, which are loaded again.
        components: of a mixture: how many, or bic to let that criterion choose; 10 when left out.
        label: of a model conditioned on labels: the class to sample from, or several, in turn; each class when left out.
        values: of a model conditioned on attributes or factors: one number for each.
        images: of a model that completes images: files, or one folder, to complete in turn.
        out: a .png or .pdf file for one grid, a .npy file for the numbers (N, C, H, W), or a folder for one PNG each; when
            left out, figures/samples.png of the run, or samples-DENSITY.png.
    """
    from diabolo import figures
    from diabolo.cli.conditioning import told
    from diabolo.cli.images import check_out, check_spared, finite, write_images
    from diabolo.errors import DiaboloError
    from diabolo.latents.densities import PRIOR, draw_images, take_turns
    from diabolo.pictured import as_pictures
    from diabolo.pictures import run_figures
    from diabolo.plain import count
    from diabolo.runs.loading import load
    from diabolo.runs.lock import writing
    from diabolo.scaling import Unscaled

    model = load(run)
    if n < 1:
        raise DiaboloError(f"the number of samples must be at least 1, not {n}")
    own = density == PRIOR
    target = out or run / "figures" / ("samples.png" if own else f"samples-{density}.png")
    grid = target.suffix.lower() in (".png", ".pdf")
    check_spared(target, images)
    check_out(target.with_suffix("") if grid else target, model.input_shape, Unscaled() if grid else model.scaling)
    shown = as_pictures(model) if grid else model
    y = told(run, model, label, values, images)
    if not own and y is None and run_figures.is_told(model):
        y = model.condition.every(model.device)
    fitted = _fitted(run, model, density, seed, {} if components is None else {"components": components}, where(moved))
    drawn = model.drawn_from if own else f"{density} fitted to the training codes"
    y = take_turns(y, n)
    samples = finite(shown.sample(n, seed, y).numpy() if own else draw_images(shown, fitted, n, seed, y))
    with writing(target, "sample"):
        if grid:
            figures.save(figures.sample_grid(samples, f"{model.name}: {drawn}"), target)
        else:
            write_images(target, n, [samples], [f"sample-{i:04d}.png" for i in range(n)], model.scaling)
    if own:
        from diabolo.autoencoder import WITHOUT_PRIOR

        more = "; --density gaussian fits one to its codes" if drawn == WITHOUT_PRIOR else ""
        say(f"diabolo: {count(n, 'image')}: {drawn}{more}", error=True)
    say(target)


def _fitted(run: Path, model: Any, name: str, seed: int, options: dict[str, Any], moved: dict[str, str]) -> Any:
    """The density of that name over the codes of the images that `run` was trained on, which lie where `moved` says; None
    for the model's own prior."""
    from diabolo.errors import DiaboloError, UnknownNameError
    from diabolo.latents.codes import encode
    from diabolo.latents.densities import DENSITIES, PRIOR, check_continuous, make_density
    from diabolo.runs.folder import RunFolder

    if name == PRIOR:
        if moved:
            raise DiaboloError(
                "--data and --root are of the images that a density is fitted to: give --density with them"
            )
        if options:
            raise DiaboloError("--components is of a mixture: give --density mixture with it")
        return None
    if name not in DENSITIES:
        raise UnknownNameError("density", name, (PRIOR, *DENSITIES))
    density = make_density(name, seed, **options)
    check_continuous(model, name)
    about = RunFolder(run).config.train
    if about.origin is None:
        raise DiaboloError(
            f"the training images of {run} were given as arrays; fit a density to their codes from Python: "
            f"diabolo.latents.fit_density({name!r}, codes)"
        )
    return density.fit(encode(model, RunFolder(run).images("train", moved)))
