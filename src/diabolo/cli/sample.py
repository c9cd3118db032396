"""`diabolo sample RUN`."""

from pathlib import Path

from cyclopts import App

from diabolo import figures
from diabolo.cli.images import write_images
from diabolo.cli.main import VERBS
from diabolo.training.runs import load

app = App(name="sample", help=VERBS["sample"])


@app.default
def command(run: Path, /, *, n: int = 16, seed: int = 0, out: Path | None = None) -> None:
    """Images decoded from a trained model's prior.

    Args:
        run: the run folder.
        n: how many.
        seed: the same seed gives the same images.
        out: a .png or .pdf file for one grid, a .npy file for the numbers, or a folder for one PNG each; when left out,
            figures/samples.png of the run.
    """
    model = load(run)
    images = model.sample(n, seed).numpy()
    target = out or run / "figures" / "samples.png"
    if target.suffix.lower() in (".png", ".pdf"):
        figures.save(figures.sample_grid(images, title=f"Samples of {model.name} from its prior"), target)
    else:
        write_images(target, images, [f"sample-{i:04d}" for i in range(n)])
    print(target)
