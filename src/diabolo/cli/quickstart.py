"""`diabolo quickstart`."""

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App
from rich.console import Console
from rich.table import Column, Table

from diabolo.cli.main import VERBS
from diabolo.cli.options import DataOptions
from diabolo.errors import DiaboloError

if TYPE_CHECKING:
    from diabolo.data import Images
    from diabolo.training.runs import Run

app = App(name="quickstart", help=VERBS["quickstart"])

LATENT_DIM = 8


@app.default
def command(
    *,
    data: str = "digits",
    images: DataOptions | None = None,
    epochs: int = 60,
    out: Path = Path("runs"),
    seed: int = 0,
) -> None:
    """Train PCA, an autoencoder and a VAE, all with codes of 8 numbers, on scikit-learn's handwritten digits; look at them.

    Args:
        data: a name (see 'diabolo data'), a folder of images, .zip, .npy or .npz.
        images: which images.
        epochs: passes over the training images.
        out: the folder of runs.
        seed: of weights, order and noise.
    """
    import torch

    from diabolo import figures, gallery, zoo
    from diabolo.training.fit import fit

    console = Console(highlight=False)
    train, test = (images or DataOptions()).load(data)
    if len(train.shape) != 3:
        raise DiaboloError(
            f"quickstart looks at images, but {data} holds vectors; use: diabolo train vae --data {data}"
        )
    torch.manual_seed(seed)
    models = {
        "pca": zoo.pca(train.shape, LATENT_DIM),
        "undercomplete": zoo.undercomplete(train.shape, LATENT_DIM, activation="silu"),
        "vae": zoo.vae(train.shape, LATENT_DIM, activation="silu"),
    }
    options = {"epochs": epochs, "batch_size": 64, "lr": 2e-3, "schedule": "one-cycle", "seed": seed, "out": out}
    runs = {}
    for name, model in models.items():
        with console.status(f"training {name} on {len(train):,} images of {train.name} …"):
            runs[name] = fit(model, train, test, quiet=True, **options)
            if runs[name].status == "interrupted":
                raise KeyboardInterrupt
            gallery.draw(runs[name], test)
    folder = runs["vae"].path / "figures"
    x = gallery.shown(test).images
    rows = {name: run.model.reconstruct(x).cpu().numpy() for name, run in runs.items()}
    title = f"{test.name} ({test.split}): three codes of {LATENT_DIM} numbers"
    start = figures.save(figures.reconstructions(x, rows, title), folder / "side-by-side.png")

    console.print(_table(runs, test))
    for line in (
        f"runs:    {', '.join(str(run.path) for run in runs.values())}",
        f"look at: {start}, and the other figures there",
        f"go on:   diabolo sample {runs['vae'].path} --n 64",
        "         diabolo train vae --data mnist --latent-dim 16 --epochs 10",
    ):
        console.print(line, soft_wrap=True, markup=False)


def _table(runs: "dict[str, Run]", test: "Images") -> Table:
    titles = ("parameters", "code", "test MSE per pixel", "test −ELBO (nats)", "training (s)")
    table = Table(
        Column("model", no_wrap=True),
        *(Column(title, justify="right") for title in titles),
        title=f"{test.name}: {len(test):,} test images",
        caption="−ELBO of grey pixels under Bernoulli: a loss, not a likelihood of the data",
    )
    for name, run in runs.items():
        total = run.history[-1]["validation"]["total"]
        table.add_row(
            name,
            f"{run.model.summary().parameters:,}",
            str(run.model.latent_shape[0]),
            f"{_mse(run, test):.4f}",
            f"{total:.1f}" if "kl" in run.config["units"] else "",
            f"{sum(line['seconds'] for line in run.history):.1f}",
        )
    return table


def _mse(run: "Run", test: "Images") -> float:
    """The mean squared error per pixel of the reconstructions of all test images."""
    total = 0.0
    for i in range(0, len(test), 1024):
        x = test.images[i : i + 1024]
        error = run.model.reconstruct(x).cpu().numpy() - (x / 255 if x.dtype == "uint8" else x)
        total += float((error**2).sum())
    return total / test.images.size
