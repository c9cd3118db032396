# %% [markdown]
# # Autoencoders against principal components
#
# Both press an image through a few numbers and draw it again from these. Principal component analysis (PCA) does it with one
# matrix, in closed form; an autoencoder with a network, by training. What does the network gain, and what does it give up?

# %%
import math
from functools import cache
from typing import Any

import numpy as np
import torch

from diabolo import figures, latents, metrics, statistics, zoo
from diabolo.display import words as written
from diabolo.metrics import generation
from diabolo.metrics.score import Score
from diabolo.pictures import run_figures
from diabolo.studies import Measured, Row, Study, Trained
from diabolo.studies.engine import needs
from diabolo.studies.pca import words

# %% tags=["parameters"]
study = Study(
    "pca",
    data="mnist",  # a name (see 'diabolo data'), a folder of images, or a file
    n_train=60_000,  # training images
    n_test=10_000,  # test images
    hidden=128,  # units of the hidden layer
    sizes=(2, 4, 6, 8, 10, 12, 14, 16, 18, 20),  # lengths of the code to compare at
    seeds=3,  # trainings of each model, from other seeds
    epochs=15,  # passes over the training images
    batch_size=128,  # images per step
    lr=3e-3,  # learning rate
    linear_dim=6,  # length of the code of the linear autoencoder
    linear_epochs=30,  # passes of the linear autoencoder
    quick={
        "n_train": 1_500,
        "n_test": 300,
        "hidden": 32,
        "sizes": (2, 4, 8, 12, 20),
        "epochs": 25,
        "batch_size": 32,
        "lr": 5e-3,
        "linear_epochs": 60,
    },
)
train, test = study.data(needs="labels")
study.require("seeds", study.seeds >= 2, "runs are compared with each other: 2 or more")
study.require("sizes", len(study.sizes) >= 3, "a curve with an elbow has 3 sizes or more")
most = min(math.prod(train.shape), len(train) - 1)
study.require("sizes", max(study.sizes) <= most, f"PCA has at most {most:,} components here")
for index in ("3.2", "3.4"):
    study.needs(index, *needs.distance(test))
study.needs("3.1", len(test) >= 12, f"ten neighbours of a code need 12 test images or more, and there are {len(test)}")


# %% [markdown]
# The models of this study, each trained when a row first looks at it. All networks have one hidden layer of ReLU.


# %%
@cache
def autoencoder(latent_dim: int, seed: int) -> Trained:
    return study.train(
        zoo.undercomplete, train, test, latent_dim=latent_dim, net="mlp-one-hidden", hidden=(study.hidden,),
        epochs=study.epochs, batch_size=study.batch_size, lr=study.lr, schedule="one-cycle", seed=seed,
    )  # fmt: skip


@cache
def components(latent_dim: int, seed: int = 0) -> Trained:
    return study.train(zoo.pca, train, test, latent_dim=latent_dim, seed=seed)


vae = study.train(
    zoo.vae, train, test, latent_dim=2, net="mlp-one-hidden", hidden=(study.hidden,),
    epochs=study.epochs, batch_size=study.batch_size, lr=study.lr, schedule="one-cycle", seed=0,
)  # fmt: skip
linear = study.train(
    zoo.linear,
    train,
    test,
    latent_dim=study.linear_dim,
    epochs=study.linear_epochs,
    batch_size=study.batch_size,
    lr=study.lr,
    schedule="one-cycle",
    seed=0,
)
runs = [autoencoder(2, seed) for seed in range(study.seeds)]
study.in_pytorch(runs[0], vae, linear)


def test_error(trained: Trained) -> float:
    return trained.curve("validation")[-1]


# %% [markdown]
# ## 3.1 The autoencoder, trained again and again
# The pixels, one hidden layer of ReLU, 2 numbers, one hidden layer, the pixels through a sigmoid; trained for
# squared error with Adam. Each training starts from other weights and sees the images in another order; all else is the same.


# %%
@cache
def between_runs() -> tuple[str, Score, Score]:
    others = tuple(str(run.run.path) for run in runs[1:])
    scores = runs[0].measure("stability", other_runs=others).scores
    apart, shared = scores["Procrustes distance"], scores["neighbourhood overlap"]
    errors = [test_error(run) for run in runs]
    return words.runs(errors, apart.value, shared.value, 10 / (shared.n - 1)), apart, shared


@study.row("3.1", "The same autoencoder from several seeds: maps and decoded grids")
def several(row: Row) -> None:
    names = [f"seed {seed}" for seed in range(study.seeds)]
    maps = {name: run.subject.codes("test") for name, run in zip(names, runs, strict=True)}
    grids = {}
    for name, run in zip(names, runs, strict=True):
        grid = latents.over_range(maps[name], 15)
        grids[name] = run.model.decode(torch.from_numpy(grid.codes)).numpy(), grid.extent
    row.figure(
        "maps",
        figures.latent_maps(maps, test.labels, title="One autoencoder, several trainings: its maps"),
        "Codes of the test images by class, for each seed; mind the scales.",
    )
    row.figure(
        "grids",
        figures.decoded_grids(grids, "What the decoders draw over these maps"),
        "Images decoded from a regular grid over the codes, for each seed.",
    )
    finding, apart, shared = between_runs()
    for score, name in ((apart, "Procrustes distance"), (shared, "neighbourhood overlap")):
        row.number(f"{name} between runs", score.value, score.unit)
    matrix = figures.matrix(apart.detail, names, names, "run", "run", title="Procrustes distance")
    row.figure(
        "distances",
        matrix,
        "Share of the squared distances between two maps that is left by the best shift, rotation and scale.",
    )
    row.table(
        "Error of each training after its last epoch, in squared error per pixel.",
        ("seed", "training error", "test error"),
        [(seed, run.curve()[-1], test_error(run)) for seed, run in enumerate(runs)],
    )
    row.finding(finding, "maps", "distances")


# %% [markdown]
# ## 3.2 Two principal components
# PCA finds the directions in which the images vary most. An image is then x = μ + Σ αᵢ √λᵢ vᵢ: the mean image, and so many
# standard deviations of each component. Walking over α draws the images along the axes.
#
# PCA and the autoencoder of the first seed are compared in two ways: how often the nearest neighbours in the map have the class
# of an image, and how far images decoded from a Gaussian fitted to the codes are from real ones (FID by a classifier of these
# images).


# %%
@cache
def fitted_twice() -> str:
    first, second = components(2).subject.codes("test"), components(2, seed=1).subject.codes("test")
    shuffled = np.random.default_rng(0).permutation(len(train))  # a subset may hold the classes in turn
    halves = [study.train(zoo.pca, train.take(half), test, latent_dim=2) for half in np.array_split(shuffled, 2)]
    angle = latents.subspace_angles(*(half.model.components.numpy() for half in halves))[0]
    variances = components(3).model.variances
    return words.fits(float(abs(first - second).max()), float(angle), float(variances[1] / variances[2]))


def neighbours(trained: Trained) -> tuple[float, float, float]:
    def right() -> int:
        codes = [trained.subject.codes("train"), trained.subject.codes("test")]
        return int((metrics.nearest_neighbours(codes[0], np.asarray(train.labels), codes[1]) == test.labels).sum())

    found = trained.remember("neighbours in the map", right)
    return found / len(test), *statistics.wilson(found, len(test))


def percent_right(trained: Trained) -> Measured:
    share, low, high = neighbours(trained)
    return Measured.of(100 * share, 100 * low, 100 * high, unit="% of test images")


def fid(trained: Trained) -> Score:
    return trained.measure("generation", densities=("gaussian",)).scores["FID, gaussian"]


BOTH = {"autoencoder": runs[0], "PCA": components(2)}


@cache
def two_kinds() -> str:
    samples = components(2).model.sample(1000, seed=0)
    outside = float(((samples < 0) | (samples > 1)).float().mean())
    accuracy = {name: percent_right(one) for name, one in BOTH.items()}
    distance = {name: Measured.of(**fid(one).record()) for name, one in BOTH.items()}
    return f"{words.maps(accuracy)} {words.generated(distance, outside)}"


@study.row("3.2", "Two principal components: the map, and images along the axes")
def two_components(row: Row) -> None:
    pca = components(2)
    codes, deviation = pca.subject.codes("test"), pca.model.variances.sqrt()
    row.figure(
        "map",
        figures.latent_scatter(codes, test.labels, title="PCA", axis_names=("PC 1", "PC 2")),
        "Test images by their first two principal components, coloured by class.",
    )
    extent = (-2.5, 2.5, -2.5, 2.5)
    drawn = pca.model.decode(torch.from_numpy(figures.latent_grid(extent, 15)) * deviation).clamp(0, 1).numpy()
    grid = figures.decoded_grid(drawn, extent, "x = μ + α₁ √λ₁ v₁ + α₂ √λ₂ v₂", ("α₁", "α₂"))
    row.figure("grid", grid, "Images along the two components, in standard deviations, cut to [0, 1].")
    row.number("test error of two components", test_error(pca), "squared error per pixel")
    row.finding(fitted_twice(), "map")
    for name, one in BOTH.items():
        value, low, high = neighbours(one)
        row.number(f"neighbours of the same class: {name}", value, "share of test images", low, high, "Wilson")
        row.score(f"FID of images from a fitted Gaussian: {name}", fid(one))
    drawn = {
        f"{name}: {written(fid(one).value)}": latents.draw_images(
            one.model, latents.fit_density("gaussian", one.subject.codes("train")), 36
        )
        for name, one in BOTH.items()
    }
    row.figure(
        "generated",
        figures.density_samples(drawn, title="Images decoded from a Gaussian fitted to the codes, and their FID"),
        "Images decoded from draws of a Gaussian fitted to the codes of the training images; their FID is above them.",
    )
    row.finding(two_kinds(), "map", "generated")


# %% [markdown]
# ## 3.3 How many numbers?
# The test error of both by the number of components or latent variables; that of the autoencoder from several seeds. PCA is
# fitted once: with k components its error is what the others hold, ‖x − μ‖² − Σ zᵢ².
#
# The elbow rule, for both: the size at which the curve lies farthest below the straight line between its ends, both axes
# scaled to [0, 1].


# %%
@cache
def curves() -> tuple[np.ndarray, dict[int, list[float]]]:
    whole = components(min(math.prod(train.shape), len(train) - 1))
    by_components = metrics.error_by_components(whole.model, test.images)
    return by_components, {d: [test_error(autoencoder(d, s)) for s in range(study.seeds)] for d in study.sizes}


@cache
def matched() -> str:
    by_components, errors = curves()
    means = {d: float(np.mean(values)) for d, values in errors.items()}
    shown = [d for d in means if d in (study.sizes[0], study.sizes[len(study.sizes) // 2], study.sizes[-1])]
    return words.equals([(d, means[d], metrics.components_needed(by_components, means[d])) for d in shown])


@cache
def elbows() -> str:
    by_components, errors = curves()
    sizes = list(study.sizes)
    lines = {
        "PCA": [float(by_components[d]) for d in sizes],
        "the autoencoder": [float(np.mean(errors[d])) for d in sizes],
    }
    few = max(3, len(sizes) // 2)
    whole, half = (
        {name: metrics.elbow(sizes[:n], line[:n]) for name, line in lines.items()} for n in (len(sizes), few)
    )
    return words.elbows(whole, half, sizes[-1], sizes[few - 1])


@study.row("3.3", "Reconstruction error by the number of components and of latent variables")
def sizes(row: Row) -> None:
    by_components, errors = curves()
    pairs = {d: (float(np.mean(v)), min(v), max(v)) for d, v in errors.items()}
    lines: dict[str, Any] = {
        "PCA": [float(by_components[d]) for d in pairs],
        "autoencoder": list(pairs.values()),
    }
    axes = ("numbers in the code", "squared error per pixel, test images")
    row.figure(
        "error",
        figures.response(list(pairs), lines, *axes, title="What one more number is worth"),
        "Test error by the number of components or latent variables; whiskers are the range over seeds.",
    )
    row.table(
        "Test error by size, in squared error per pixel, and how many components are as good as the autoencoder.",
        ("numbers", "PCA", "autoencoder, mean", "least", "most", "components as good"),
        [(d, float(by_components[d]), *v, metrics.components_needed(by_components, v[0])) for d, v in pairs.items()],
    )
    for d, values in errors.items():
        row.number(
            f"autoencoder's error with {d} numbers", pairs[d][0], "squared error per pixel", *pairs[d][1:], "range"
        )
        row.number(f"PCA's error with {d} numbers", float(by_components[d]), "squared error per pixel")
        if d in (study.sizes[0], study.sizes[-1]):
            row.finding(words.latent(values, float(by_components[d]), d), "error")
    row.finding(matched(), "error")
    row.finding(elbows(), "error")


# %% [markdown]
# ## 3.4 The variational autoencoder
# The same network with a code that is a Gaussian for each image, drawn towards N(0, I) by the KL term. That makes N(0, I) the
# place to draw codes from. Its samples are drawn with one seed, with another, and with the first once more.


# %%
@cache
def held_together() -> str:
    found = {"autoencoder": runs[0], "VAE": vae}
    scores = {name: one.measure("prior_hole").scores["Fréchet distance to N(0, I)"] for name, one in found.items()}
    floor = scores["VAE"].setting["of_as_many_prior_draws"]
    right = {name: percent_right(one) for name, one in found.items()}
    return f"{words.prior({name: score.value for name, score in scores.items()}, floor)} {words.neighbours(right)}"


@cache
def drawn_again() -> str:
    def compare() -> list[Any]:
        one, again, other = (vae.model.sample(len(test), seed=seed) for seed in (1, 1, 2))
        extractor = generation.extractor("classifier", train)
        a, b = (generation.extract(extractor, images.numpy()).values for images in (one, other))
        real = generation.extract(extractor, test.images).values
        to_test = generation.fid(a, real)
        apart = generation.fid(a, b).value
        pair = float((one - other).square().mean())
        return [torch.equal(one, again), apart, pair, to_test.value, to_test.error]

    same, apart, pair, *of_test = vae.remember("samples drawn again", compare)
    return words.redrawn(same, apart, pair, Measured(of_test[0], of_test[1], unit="squared distance"))


@study.row("3.4", "The VAE: its map beside the autoencoder's, its samples drawn again")
def variational(row: Row) -> None:
    row.figure(
        "loss",
        figures.loss_curves(run_figures.losses(vae.run), "Training of the VAE"),
        "The loss of the VAE and its two terms by epoch.",
    )
    both = {"autoencoder": runs[0], "VAE (means)": vae}
    maps = {name: one.subject.codes("test") for name, one in both.items()}
    row.figure(
        "maps",
        figures.latent_maps(maps, test.labels, title="The two maps"),
        "Codes of the test images by class; mind the scales.",
    )
    grid = latents.by_quantiles(15)
    drawn = vae.model.decode(torch.from_numpy(grid.codes)).numpy()
    decoded = figures.decoded_grid(drawn, grid.extent, "The VAE, decoded over its prior", grid.axis_names)
    row.figure("grid", decoded, "Images decoded over the prior: each tile stands for an equal share of N(0, I).")
    samples = {
        f"seed {s}{again}": vae.model.sample(36, seed=s).numpy() for s, again in ((1, ""), (2, ""), (1, ", again"))
    }
    row.figure(
        "samples",
        figures.density_samples(samples, title="Samples of the VAE, drawn three times"),
        "Images decoded from draws of N(0, I), with two seeds and with the first once more.",
    )
    for name, one in both.items():
        value, low, high = neighbours(one)
        row.number(f"neighbours of the same class: {name}", value, "share of test images", low, high, "Wilson")
    row.finding(held_together(), "maps")
    row.finding(drawn_again(), "samples")


# %% [markdown]
# ## 3.5 The linear autoencoder
# Without hidden layers and without the sigmoid an autoencoder is two matrices. Baldi and Hornik (1989) showed that its best
# code spans the space of the first principal components. Does training get there?


# %%
@study.row("3.5", "A linear autoencoder against the subspace of PCA")
def subspace(row: Row) -> None:
    pca = components(study.linear_dim)
    axes = pca.model.components.numpy()
    drawn = latents.decoded_directions(linear.model, linear.subject.codes("train"))
    angles = latents.subspace_angles(drawn, axes)
    chance = latents.subspace_angles(np.random.default_rng(0).normal(size=axes.shape), axes)[0]
    alike = np.abs(drawn @ axes.T) / np.linalg.norm(drawn, axis=1, keepdims=True)
    farthest = float(np.degrees(np.arccos(alike.max(1).min().clip(0, 1))))
    ratio = test_error(linear) / test_error(pca)
    shown = {f"angle {i + 1}": float(angle) for i, angle in enumerate(angles)}
    row.figure(
        "angles",
        figures.bars(shown, "degrees", title="Principal angles to the subspace of PCA"),
        "Principal angles between what the linear autoencoder can draw and the space of as many components, largest first.",
    )
    pattern = figures.matrix(
        alike, [f"unit {i + 1}" for i in range(len(alike))], [f"v{i + 1}" for i in range(len(axes))],
        "principal component", "unit of the autoencoder", title="How alike units and components are (|cosine|)",
    )  # fmt: skip
    row.figure(
        "units",
        pattern,
        "Each unit of the linear autoencoder against each component; the row of a unit that is a component holds a single 1.",
    )
    row.number("largest principal angle", float(angles[0]), "degrees")
    row.number("largest angle of a random subspace", float(chance), "degrees")
    row.number("error over PCA's", ratio, "ratio of squared errors, test images")
    row.finding(words.subspace(float(angles[0]), float(chance), farthest, ratio), "angles", "units")


# %% [markdown]
# ## The questions
# Answered from the rows above.


# %%
@study.row("answers", "The questions, answered from what was measured")
def answers(row: Row) -> None:
    row.question("What stays and what changes between runs of the autoencoder, and between two fits of PCA?")
    row.finding(f"{between_runs()[0]} {fitted_twice()}", rows=("3.1", "3.2"))
    row.question("How do the two maps and the two sets of generated images compare?")
    row.finding(two_kinds(), rows=("3.1", "3.2"))
    row.question(
        "How many principal components equal how many latent variables, and is there a simple rule for the best number?"
    )
    row.finding(f"{matched()} {elbows()}", rows=("3.3",))
    row.question(
        "What does the VAE's map have that the autoencoder's has not, and do its samples differ when drawn again?"
    )
    row.finding(f"{held_together()} {drawn_again()}", rows=("3.4",))
