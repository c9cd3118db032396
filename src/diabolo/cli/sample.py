"""`diabolo sample RUN`."""

from pathlib import Path

from cyclopts import App

from diabolo.cli.main import VERBS

app = App(name="sample", help=VERBS["sample"])


@app.default
def command(run: Path, /, *, n: int = 16, seed: int = 0, out: Path | None = None) -> None:
    """New images from a trained model: codes drawn from its prior, decoded.

    Args:
        run: the run folder.
        n: how many.
        seed: the same seed gives the same images.
        out: a .png or .pdf file for one grid, a .npy file for the numbers (N, C, H, W), or a folder for one PNG each; when
            left out, figures/samples.png of the run.
    """
    from diabolo import figures, gallery
    from diabolo.cli.images import check_out, write_images
    from diabolo.training.runs import load

    model = load(run)
    target = out or run / "figures" / "samples.png"
    grid = target.suffix.lower() in (".png", ".pdf")
    check_out(target.with_suffix("") if grid else target, model.input_shape)
    images = model.sample(n, seed).numpy()
    if grid:
        figures.save(figures.sample_grid(images, gallery.samples_title(model)), target)
    else:
        write_images(target, images, [f"sample-{i:04d}.png" for i in range(n)])
    print(target)
