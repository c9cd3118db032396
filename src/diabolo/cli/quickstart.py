"""`diabolo quickstart`."""

from pathlib import Path

import torch
from cyclopts import App
from rich.console import Console
from rich.table import Table

from diabolo import figures, gallery, zoo
from diabolo.cli.main import VERBS
from diabolo.cli.options import DataOptions
from diabolo.training.fit import fit
from diabolo.training.runs import Run

app = App(name="quickstart", help=VERBS["quickstart"])

LATENT_DIM = 8


@app.default
def command(*, data: DataOptions | None = None, epochs: int = 60, out: Path = Path("runs"), seed: int = 0) -> None:
    """Train PCA, an autoencoder and a VAE, all with codes of 8 numbers, on scikit-learn's handwritten digits; look at them.

    Args:
        data: which images.
        epochs: passes over the training images.
        out: the folder of runs.
        seed: of weights, order and noise.
    """
    train, test = (data or DataOptions()).load()
    torch.manual_seed(seed)
    models = {
        "pca": zoo.pca(train.shape, LATENT_DIM),
        "undercomplete": zoo.undercomplete(train.shape, LATENT_DIM, activation="silu"),
        "vae": zoo.vae(train.shape, LATENT_DIM, activation="silu"),
    }
    runs = {
        name: fit(model, train, test, epochs=epochs, batch_size=64, lr=2e-3, schedule="one-cycle", seed=seed, out=out)
        for name, model in models.items()
    }
    for run in runs.values():
        gallery.draw(run, test)
    last = runs["vae"].path
    x = test.images[: gallery.SHOWN]
    rows = {name: run.model.reconstruct(x).numpy() for name, run in runs.items()}
    side_by_side = figures.save(
        figures.reconstructions(
            x, rows.pop("pca"), rows, f"{test.name} ({test.split}): three codes of {LATENT_DIM} numbers"
        ),
        last / "figures" / "side-by-side.png",
    )
    console = Console()
    console.print(_table(runs, test))
    console.print(f"runs: {', '.join(str(run.path) for run in runs.values())}", highlight=False, soft_wrap=True)
    console.print(f"look at: {last / 'figures'} (start with {side_by_side.name})", highlight=False, soft_wrap=True)
    console.print(
        f"go on:   diabolo sample {last} --n 64; diabolo train vae --data mnist", highlight=False, soft_wrap=True
    )


def _table(runs: dict[str, Run], test: "figures.Images") -> Table:
    table = Table(
        "model", "parameters", "code", "test MSE per pixel", "test −ELBO (nats)", "training (s)",
        title=f"{test.name}: {len(test):,} test images",
    )  # fmt: skip
    x = torch.from_numpy(test.images).float() / 255
    for name, run in runs.items():
        mse = (run.model.reconstruct(x) - x).square().mean().item()
        elbo = run.history[-1]["validation"]["total"] if "kl" in run.config["units"] else None
        table.add_row(
            name,
            f"{run.model.summary().parameters:,}",
            str(run.model.latent_shape[0]),
            f"{mse:.4f}",
            "" if elbo is None else f"{elbo:.1f}",
            f"{sum(line['seconds'] for line in run.history):.1f}",
        )
    return table
