# %% [markdown]
# # Three codes of a few numbers
#
# An autoencoder compresses an image into a few numbers, its *code*, and decodes it from these. PCA does so with one matrix,
# an undercomplete autoencoder with a network, and a variational one (VAE) with a network whose codes can be drawn at random.
# Unless you name others, the images are the handwritten digits that come with scikit-learn: 8×8 pixels in 17 shades of grey,
# so that the models train in seconds. `diabolo quickstart --data mnist` shows the same at 28×28.

# %%
import numpy as np
from numpy.typing import NDArray

from diabolo import figures, latents, zoo
from diabolo.evaluation.learned import ERROR, READ
from diabolo.pictures import run_figures
from diabolo.studies import Row, Study
from diabolo.studies.quickstart import words

# %% tags=["parameters"]
study = Study(
    "quickstart",
    data="digits",  # a name (see 'diabolo data'), a folder of images, or a file
    n_train=1_437,  # training images
    n_test=360,  # test images
    latent_dim=8,  # length of the code
    epochs=60,  # passes over the training images
    beta=0.5,  # weight of the VAE's KL term, chosen on held-out digits (docs/defaults.md)
    seed=0,  # of weights, order and noise
    quick={"epochs": 5},
)
train, test = study.data()
study.require("latent_dim", study.latent_dim >= 2, "a map has two directions: 2 or more")
how = {"epochs": study.epochs, "batch_size": 64, "lr": 2e-3, "schedule": "one-cycle", "seed": study.seed}
models = {
    "PCA": study.train(zoo.pca, train, test, latent_dim=study.latent_dim),
    "undercomplete": study.train(zoo.undercomplete, train, test, latent_dim=study.latent_dim, activation="silu", **how),
    "VAE": study.train(zoo.vae, train, test, latent_dim=study.latent_dim, beta=study.beta, activation="silu", **how),
}
PER_PIXEL = "squared error per pixel"


def errors(name: str) -> NDArray[np.float64]:
    """Of each test image."""
    return models[name].subject.errors


# %% [markdown]
# ## 1 Before and after
# Test images, which no model has seen, above what each model makes of them from its code alone.


# %%
@study.row(
    "1",
    "Before and after",
    to_try="Double `latent_dim`. Which model gains most, and which numbers of the table hardly move?",
)
def reconstructions(row: Row) -> None:
    few = run_figures.shown(test)
    rows = {name: run_figures.reconstruct(trained.model, few).cpu().numpy() for name, trained in models.items()}
    row.figure(
        "side-by-side", figures.reconstructions(few.images, rows), "Test images, and each model's reconstructions."
    )
    mean = models["VAE"].measure("learned").scores[ERROR].detail["of the mean image"]
    row.number("mean image", mean, PER_PIXEL)
    for name, trained in models.items():
        row.score(name, trained.measure("reconstruction").scores["MSE"])
    row.pair("undercomplete less PCA", errors("undercomplete"), errors("PCA"), PER_PIXEL, "test images")
    row.pair("VAE less undercomplete", errors("VAE"), errors("undercomplete"), PER_PIXEL, "test images")
    row.table(
        f"{len(test):,} test images, each reconstructed from a code of {study.latent_dim} numbers (the mean training image: "
        "from none). A lower error is better.",
        ("model", "error per pixel", "parameters", "training (s)"),
        [("mean image", mean, 0, 0.0)]
        + [
            (
                name,
                row.found[name].value,
                trained.model.summary().parameters,
                sum(h["seconds"] for h in trained.history),
            )
            for name, trained in models.items()
        ],
    )


# %% [markdown]
# ## 2 How the VAE learns
# Its loss has two terms: the reconstruction error, and the KL term: how many nats the codes carry. The KL term counts `beta`
# times. A large weight leaves few numbers of the code in use; a small one lets the codes stray from N(0, I), which new images
# are drawn from.


# %%
@study.row(
    "2",
    "How the VAE learns",
    to_try="Where does the KL term start, and why does it rise while the total falls? Set `beta` to 1: how many numbers of the "
    "code stay in use, and what happens to the reconstructions?",
)
def learning(row: Row) -> None:
    run = models["VAE"].run
    history = [{**line, "units": run.config.units} for line in run.history]
    row.figure(
        "curves", figures.loss_curves(history), "The terms of the VAE's loss by epoch, on training and test images."
    )
    used = models["VAE"].measure("usage").scores
    row.score("KL", used["KL"])
    row.score("active units", used["active units"])


# %% [markdown]
# ## 3 New images
# Codes drawn at random, decoded: for the VAE from the prior that it was trained towards, for the others from a Gaussian fitted
# to the codes of the training images.


# %%
@study.row(
    "3",
    "New images",
    to_try="Change `seed`. Do the samples of the three models change alike?",
)
def samples(row: Row) -> None:
    grids = {"VAE, from its prior": models["VAE"].model.sample(36, seed=study.seed).cpu().numpy()}
    for name in ("undercomplete", "PCA"):
        density = latents.fit_density("gaussian", models[name].subject.codes("train"), study.seed)
        grids[f"{name}, from a Gaussian"] = latents.draw_images(models[name].model, density, 36, study.seed)
    row.figure("samples", figures.density_samples(grids), "36 new images from each model.")


# %% [markdown]
# ## 4 Where the codes lie
# Each point is the code of a test image, seen along the two directions in which the codes of the VAE vary most.


# %%
@study.row(
    "4",
    "Where the codes lie",
    to_try="Which two classes lie nearest to each other? Find images of both that the VAE confuses.",
)
def codes(row: Row) -> None:
    points = latents.project(models["VAE"].subject.codes("test"), "pca").points
    row.figure(
        "map", figures.latent_scatter(points, test.labels, test.label_names, axis_names=("PC 1", "PC 2")),
        "The VAE's codes of test images, by class.",
    )  # fmt: skip
    if test.labels is not None:
        known = models["VAE"].measure("learned").scores[READ].detail
        row.number("class, from the VAE's code", known["accuracy"], "share of test images")
        row.number("class, by the most frequent one", known["majority class"], "share of test images")


# %% [markdown]
# ## Conclusion
# What the rows show together.


# %%
@study.row("answers", "Conclusion")
def conclusion(row: Row) -> None:
    errors, use = study.found("1"), study.found("2")
    row.finding(words.reconstruction(errors, study.latent_dim), rows=["1"])
    row.finding(words.drawing({**errors, **use}, study.latent_dim), rows=["1", "2", "3"])
    if test.labels is not None:
        row.finding(words.reading(study.found("4")), rows=["4"])
