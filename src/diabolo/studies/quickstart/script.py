# %% [markdown]
# # Three codes of a few numbers
#
# An autoencoder compresses an image into a few numbers, its *code*, and decodes it from these. PCA does so with one matrix,
# an undercomplete autoencoder with a network, and a variational one (VAE) with a network whose codes can be drawn at random.

# %%
from diabolo import figures, latents, zoo
from diabolo.pictures import run_figures
from diabolo.studies import Row, Study

# %% tags=["parameters"]
study = Study(
    "quickstart",
    data="digits",  # a name (see 'diabolo data'), a folder of images, or a file
    n_train=1_437,  # training images
    n_test=360,  # test images
    latent_dim=8,  # length of the code
    epochs=60,  # passes over the training images
    seed=0,  # of weights, order and noise
    quick={"epochs": 5},
)
train, test = study.data()
study.require("latent_dim", study.latent_dim >= 2, "a map has two directions: 2 or more")
how = {"epochs": study.epochs, "batch_size": 64, "lr": 2e-3, "schedule": "one-cycle", "seed": study.seed}
models = {
    "PCA": study.train(zoo.pca, train, test, latent_dim=study.latent_dim),
    "undercomplete": study.train(zoo.undercomplete, train, test, latent_dim=study.latent_dim, activation="silu", **how),
    "VAE": study.train(zoo.vae, train, test, latent_dim=study.latent_dim, activation="silu", **how),
}


# %% [markdown]
# ## 1 Before and after
# Test images, which no model has seen, above what each model makes of them from its code alone.


# %%
@study.row("1", "Before and after")
def reconstructions(row: Row) -> None:
    few = run_figures.shown(test)
    rows = {name: run_figures.reconstruct(trained.model, few).cpu().numpy() for name, trained in models.items()}
    row.figure(
        "side-by-side", figures.reconstructions(few.images, rows), "Test images, and each model's reconstructions."
    )
    errors = {name: trained.measure("reconstruction").scores["MSE"] for name, trained in models.items()}
    row.table(
        "What the models are, and how far their reconstructions are from the test images",
        ("model", "parameters", "squared error per pixel", "training (s)"),
        [
            (name, trained.model.summary().parameters, errors[name].value, sum(h["seconds"] for h in trained.history))
            for name, trained in models.items()
        ],
    )  # fmt: skip
    for name, score in errors.items():
        row.number(f"{name}: error", score.value, score.unit, score.low, score.high, score.interval or "")


# %% [markdown]
# ## 2 How the VAE learns
# Its loss has two terms: how badly the images are drawn again, and how many nats the codes hold (the KL term).


# %%
@study.row("2", "How the VAE learns")
def learning(row: Row) -> None:
    run = models["VAE"].run
    history = [{**line, "units": run.config.units} for line in run.history]
    row.figure(
        "curves", figures.loss_curves(history), "The terms of the VAE's loss by epoch, on training and test images."
    )


# %% [markdown]
# ## 3 New images
# Codes drawn at random, decoded: for the VAE from the prior that it was trained towards, for the others from a Gaussian fitted
# to the codes of the training images.


# %%
@study.row("3", "New images")
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
@study.row("4", "Where the codes lie")
def codes(row: Row) -> None:
    points = latents.project(models["VAE"].subject.codes("test"), "pca").points
    row.figure(
        "map", figures.latent_scatter(points, test.labels, test.label_names, axis_names=("PC 1", "PC 2")),
        "The VAE's codes of test images, by class.",
    )  # fmt: skip
