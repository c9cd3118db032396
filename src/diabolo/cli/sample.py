"""`diabolo sample RUN`."""

from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, Parameter

from diabolo.cli.main import VERBS

app = App(name="sample", help=VERBS["sample"])

T = TypeVar("T")
Several = Annotated[tuple[T, ...], Parameter(consume_multiple=True, negative=())]


@app.default
def command(
    run: Path,
    /,
    *,
    n: int = 16,
    seed: int = 0,
    label: Several[int] = (),
    values: Several[float] = (),
    images: Several[Path] = (),
    out: Path | None = None,
) -> None:
    """New images from a trained model: codes drawn from its prior, decoded.

    Args:
        run: the run folder.
        n: how many.
        seed: the same seed gives the same images.
        label: of a model conditioned on labels: the class to sample from, or several, in turn; each class when left out.
        values: of a model conditioned on attributes or factors: one number for each.
        images: of a model that completes images: files, or one folder, to complete in turn.
        out: a .png or .pdf file for one grid, a .npy file for the numbers (N, C, H, W), or a folder for one PNG each; when
            left out, figures/samples.png of the run.
    """
    import torch

    from diabolo import figures, gallery
    from diabolo.cli.images import check_out, write_images
    from diabolo.cli.told import told
    from diabolo.training.runs import load

    model = load(run)
    target = out or run / "figures" / "samples.png"
    grid = target.suffix.lower() in (".png", ".pdf")
    check_out(target.with_suffix("") if grid else target, model.input_shape)
    y = told(run, model, label, values, images)
    samples = model.sample(n, seed, None if y is None or n < 1 else y[torch.arange(n) % len(y)]).numpy()
    if grid:
        figures.save(figures.sample_grid(samples, gallery.samples_title(model)), target)
    else:
        write_images(target, samples, [f"sample-{i:04d}.png" for i in range(n)])
    print(target)
