"""`diabolo quickstart`: the smallest study, with the report that needs nothing but diabolo."""

from pathlib import Path

from cyclopts import App

from diabolo.cli.options import Root
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Seed, checked
from diabolo.terminal import say

app = App(name="quickstart", help=VERBS["quickstart"])


@app.default
@checked
def command(
    *,
    data: str = "digits",
    root: Root = None,
    n_train: int | None = None,
    n_test: int | None = None,
    latent_dim: int | None = None,
    epochs: int | None = None,
    out: Path = Path("quickstart"),
    seed: Seed = 0,
) -> None:
    """Train PCA, an autoencoder and a VAE, all with codes of 8 numbers, on scikit-learn's handwritten digits; look at them.

    Args:
        data: a name (see 'diabolo data'), a folder of images, .zip, .npy or .npz, or package.module:function.
        n_train: so many training images.
        n_test: so many test images.
        latent_dim: numbers in the code.
        epochs: passes over the training images.
        out: the folder for the report, its figures and the trained runs.
        seed: of weights, order and noise.
    """
    from diabolo.reports import html, markdown
    from diabolo.runs import files
    from diabolo.runs.lines import shell_line
    from diabolo.studies.engine import running, writing
    from diabolo.studies.engine.plan import Plan
    from diabolo.studies.engine.scripts import find
    from diabolo.training.options import TrainOptions

    if epochs is not None:
        TrainOptions.of(epochs=epochs)  # refused here, before PCA, which needs none, is trained
    script, trained = find("quickstart"), out / "trained"
    asked = {
        "data": data, "n_train": n_train, "n_test": n_test, "latent_dim": latent_dim, "epochs": epochs, "seed": seed,
    }  # fmt: skip
    parameters = {name: value for name, value in asked.items() if value is not None}
    study = running.run(script, Plan(parameters, out=out, trained=trained, root=root))
    with running.alone_in(out, "quickstart"):
        document = writing.document_of(script, out)
        files.write(out / "report.md", markdown.render(document, out).encode())
        files.write(out / "report.html", html.render(document, out).encode())
    vae = next(one.run.path for one in study.trainings if one.model.name == "vae")
    say(f"look at:  {out / 'report.html'}")
    say(f"go on:    {shell_line('sample', vae, '--n', 64)}")
    say(f"          {shell_line('look', vae)}  (pip install 'diabolo[look]')")
    say("          diabolo train vae --data mnist --latent-dim 16 --epochs 10")
