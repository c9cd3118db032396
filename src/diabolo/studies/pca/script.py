# %% [markdown]
# # Autoencoders against principal components
#
# Both compress an image into a few numbers and reconstruct it from them. Principal component analysis (PCA) does it with one
# matrix, in closed form; an autoencoder does it with a network, by training. What does the network gain, and what does it give
# up? Ranges such as "92 to 110" are over trainings of one model that differ in the seed.

# %%
import math
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from diabolo import figures, latents, metrics, statistics, zoo
from diabolo.metrics import generation
from diabolo.metrics.score import Score
from diabolo.pictures import run_figures
from diabolo.plain import percent
from diabolo.studies import Row, Study, Trained, less
from diabolo.studies.engine import needs
from diabolo.studies.pca import images, sizes, words

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
for index in ("3.2", "3.4", "3.6"):
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


def variational(seed: int) -> Trained:
    return study.train(
        zoo.vae, train, test, latent_dim=2, net="mlp-one-hidden", hidden=(study.hidden,), likelihood="gaussian",
        epochs=study.epochs, batch_size=study.batch_size, lr=study.lr, schedule="one-cycle", seed=seed,
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
runs, vaes = [autoencoder(2, seed) for seed in range(study.seeds)], [variational(seed) for seed in range(2)]
models = {"autoencoder": runs, "VAE": vaes}
study.in_pytorch(runs[0], vaes[0], linear)


PER_PIXEL = "squared error per pixel"


def each_training(*names: str) -> list[tuple[str, Trained]]:
    """These models with two numbers, in every training, by name."""
    return [(f"{name}, seed {seed}", one) for name in names for seed, one in enumerate(models[name])]


def test_error(trained: Trained) -> float:
    return trained.curve("validation")[-1]


def neighbours(row: Row, name: str, trained: Trained) -> None:
    """How often the nearest neighbours among training codes give the class of a test image."""

    def right() -> dict[str, Any]:
        codes = [trained.subject.codes("train"), trained.subject.codes("test")]
        hits = metrics.nearest_neighbours(codes[0], np.asarray(train.labels), codes[1]) == test.labels
        return {"right": int(hits.sum()), "shared": trained.subject.shared(hits)}

    found = trained.remember("5-nearest-neighbour accuracy", right)
    ends = statistics.wilson(found["right"], len(test))
    share = found["right"] / len(test)
    row.number(
        f"5-nearest-neighbour accuracy: {name}", share, "share of test images", *ends, "Wilson", shared=found["shared"]
    )


def generation_of(trained: Trained, score: str) -> Score:
    """FID, or "score", the number of classes that a classifier finds, high where images are clear and various; of images
    from a density: "FID, prior"."""
    return trained.measure("generation", densities=("prior", "gaussian")).scores[score]


# %% [markdown]
# ## 3.1 The autoencoder, trained again and again
# The pixels, one hidden layer of ReLU, 2 numbers, one hidden layer, the pixels through a sigmoid; trained for
# squared error with Adam. Each training starts from other weights and sees the images in another order; all else is the same.


# %%
@study.row(
    "3.1",
    "The same autoencoder from several seeds: maps and decoded grids",
    to_try=(
        "Before you look: would a map turned by 90° give another reconstruction error? Then set "
        "`seeds` to 5 and compare."
    ),
)
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
        "Codes of the test images by class, for each seed; note the different scales.",
    )
    row.figure(
        "grids",
        figures.decoded_grids(grids, "What the decoders draw over these maps", codes=maps),
        "Images decoded from a regular grid over the codes, for each seed; the line encloses 95 % of the test codes.",
    )
    others = tuple(str(run.run.path) for run in runs[1:])
    scores = runs[0].measure("stability", other_runs=others).scores
    apart, shared = scores["Procrustes distance"], scores["neighbourhood overlap"]
    for score, name in ((apart, "Procrustes distance"), (shared, "neighbourhood overlap")):
        row.number(f"{name} between runs", score.value, score.unit)
    for end in ("least", "most"):
        row.number(f"Procrustes distance between runs, {end}", apart.setting[end], apart.unit)
    row.number("images of the neighbourhoods", shared.n, "test images")
    row.number("neighbourhood overlap by chance", 10 / (shared.n - 1), shared.unit)
    errors = [
        row.number(f"test error, {name}", test_error(run), PER_PIXEL) for name, run in zip(names, runs, strict=True)
    ]
    row.number("spread of the test error", np.ptp(errors) / np.mean(errors), "share of the mean error")
    row.figure(
        "distances",
        figures.matrix(apart.detail, names, names, "run", "run", title="Procrustes distance"),
        "Share of the squared distance between two maps that is left after the best shift, rotation and scale.",
    )
    row.table(
        "Error of each training after its last epoch, in squared error per pixel.",
        ("seed", "training error", "test error"),
        [(seed, run.curve()[-1], errors[seed]) for seed, run in enumerate(runs)],
    )
    row.finding(words.runs(row.found), "maps", "distances")


# %% [markdown]
# ## 3.2 Two principal components
# PCA finds the directions in which the images vary most. An image is then x = μ + Σ αᵢ √λᵢ vᵢ: the mean image, plus αᵢ
# standard deviations along each component. Varying α draws the images along the axes.
#
# PCA and the autoencoder are compared in two ways: how often the five nearest neighbours in the map give the class of an image,
# and how far images decoded from a Gaussian fitted to the codes are from real ones (FID). The features of this FID are those of
# a classifier of the training images, so its values cannot be compared with published ones, which use Inception features.
#
# Intervals cover the draw of images, not the training. So the autoencoder is measured in all its trainings, the VAE of the rows
# below in two, and one model is called better only where it is so in every pair of trainings.


# %%
@study.row(
    "3.2",
    "Two principal components: the map, and images along the axes",
    to_try=(
        "Draw an image three standard deviations along the first axis. Which strokes does the "
        "component add, and which does it remove?"
    ),
)
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
    grid = figures.decoded_grid(drawn, extent, "x = μ + α₁ √λ₁ v₁ + α₂ √λ₂ v₂", ("α₁", "α₂"), codes / deviation.numpy())
    told = "Images along the two components, in standard deviations, cut to [0, 1]; the line encloses 95 % of the test images."
    row.figure("grid", grid, told)
    row.number("test error of two components", test_error(pca), PER_PIXEL)
    again = components(2, seed=1).subject.codes("test")
    row.number("change of a coordinate, fitted twice", abs(codes - again).max(), "at most, in units of pixel values")
    shuffled = np.random.default_rng(0).permutation(len(train))  # a subset may hold the classes in turn
    halves = [study.train(zoo.pca, train.take(half), test, latent_dim=2) for half in np.array_split(shuffled, 2)]
    angle = latents.subspace_angles(*(half.model.components.numpy() for half in halves))[0]
    row.number("angle between fits to two halves", angle, "degrees")
    variances = components(3).model.variances
    row.number("λ₂ / λ₃", variances[1] / variances[2], "ratio of variances")
    row.finding(words.fits(row.found), "map")
    drawn = dict[str, np.ndarray]()
    for name, one in [*each_training("autoencoder"), ("PCA", pca)]:
        neighbours(row, name, one)
        found = row.score(f"FID, fitted Gaussian: {name}", generation_of(one, "FID, gaussian"))
        density = latents.fit_density("gaussian", one.subject.codes("train"))
        if one in (runs[0], pca):
            drawn[f"{name}: FID {found:.3g}"] = latents.draw_images(one.model, density, 36)
    samples = pca.model.sample(1000, seed=0)
    row.number("pixels outside [0, 1]: PCA", ((samples < 0) | (samples > 1)).float().mean(), "share of pixels")
    row.figure(
        "generated",
        figures.density_samples(drawn, title="Images decoded from a Gaussian fitted to the codes"),
        "Images decoded from draws of a Gaussian fitted to the codes of the training images; their FID is above them.",
    )
    row.finding(lambda: words.maps(row.found), "map")
    row.finding(lambda: images.generated(row.found), "generated")


# %% [markdown]
# ## 3.3 How many numbers?
# The test error of both by the number of components or latent variables; that of the autoencoder from several seeds. PCA is
# fitted once: with k components its error is what the others hold, ‖x − μ‖² − Σ zᵢ².
#
# Two rules say how many are enough. The elbow, for both: the size at which the curve lies farthest below the straight line
# between its ends, both axes scaled to [0, 1]. And explained variance, for PCA: the fewest components that hold a chosen share
# of the variance, 1 − error / variance.


# %%
def variance(row: Row, whole: Trained, of_test: np.ndarray) -> None:
    """The rule of explained variance, of the training images and of the test images."""
    of_train = metrics.error_by_components(whole.model, train.images)
    explained = {"training": 1 - of_train / of_train[0], "test": 1 - of_test / of_test[0]}
    counts = {share: metrics.components_needed(of_train, (1 - share) * of_train[0]) for share in sizes.SHARES}
    for share, count in counts.items():
        row.number(sizes.needed(share), count, "components")
        for part, curve in explained.items():
            row.number(sizes.of_part(part, share), curve[count], f"share of the variance of {part} images")
    fewest, *_, many = counts.values()
    row.number("components in all", most, "components")
    row.number("growth of the number of components", many / fewest, "ratio")
    for share in (sizes.SHARES[0], sizes.SHARES[-1]):
        neighbours(row, f"{percent(share)} of the variance", components(counts[share]))
    apart = 100 * max(abs(explained["test"] - explained["training"])[: many + 1])
    row.number("explained variance, test less training", apart, "percentage points at most")
    shown = np.unique(np.geomspace(1, many, 12).round().astype(int))
    row.figure(
        "variance",
        figures.response(
            shown,
            {"PCA": explained["test"][shown]},
            "principal components",
            "share of the variance explained, test images",
            title="Explained variance",
        ),
        f"Share of the variance of test images that the first components explain, up to {percent(sizes.SHARES[-1])} of that of "
        f"training images; the two shares differ by {apart:.2g} percentage points at most.",
    )
    row.table(
        "The rule of explained variance.",
        ("share of the variance", "components", "of training images", "of test images"),
        [(percent(s), k, *(percent(curve[k], 1) for curve in explained.values())) for s, k in counts.items()],
    )
    row.finding(sizes.explained(row.found, study.sizes), "variance")


@study.row(
    "3.3",
    "Reconstruction error by the number of components and of latent variables",
    to_try=("Plot the same errors on a logarithmic axis. Is there still an elbow, and at the same number?"),
)
def how_many(row: Row) -> None:
    whole = components(most)
    by_components = metrics.error_by_components(whole.model, test.images)
    errors = {d: [test_error(autoencoder(d, seed)) for seed in range(study.seeds)] for d in study.sizes}
    pairs = {d: (float(np.mean(v)), min(v), max(v)) for d, v in errors.items()}
    lines: dict[str, Any] = {"PCA": [float(by_components[d]) for d in pairs], "autoencoder": list(pairs.values())}
    axes = ("numbers in the code", "squared error per pixel, test images")
    row.figure(
        "error",
        figures.response(list(pairs), lines, *axes, title="What one more number is worth"),
        "Test error by the number of components or latent variables; whiskers are the range over seeds.",
    )
    for d, values in errors.items():
        ae, pca = sizes.error("autoencoder", d), sizes.error("PCA", d)
        row.over(ae, values, PER_PIXEL)
        row.number(pca, by_components[d], PER_PIXEL)
        row.pair(less(ae, pca), values, [by_components[d]] * len(values), PER_PIXEL, "seeds")
        row.number(sizes.as_good_as(d), metrics.components_needed(by_components, pairs[d][0]), "components")
        for kind, left in (("autoencoder", pairs[d][0]), ("PCA", by_components[d])):
            row.number(sizes.explains(kind, d), 1 - left / by_components[0], "share of the variance of test images")
    row.table(
        "Test error by code size, in squared error per pixel, and how many components match the autoencoder's mean.",
        ("code size", "PCA", "autoencoder, mean", "minimum", "maximum", "equivalent components"),
        [(d, float(by_components[d]), *v, round(row.found[sizes.as_good_as(d)].value)) for d, v in pairs.items()],
    )
    for end in {study.sizes[-1], sizes.middle(study.sizes)}:
        few = [d for d in study.sizes if d <= end]
        for kind, line in (("PCA", lines["PCA"]), ("autoencoder", [v[0] for v in lines["autoencoder"]])):
            if (at := metrics.elbow(few, line[: len(few)])) is not None:
                row.number(sizes.elbow_to(end, kind), at, "numbers in the code")
    for d in (study.sizes[0], study.sizes[-1]):
        row.finding(sizes.latent(row.found, d), "error")
    row.finding(sizes.equals(row.found, study.sizes), "error")
    row.finding(sizes.elbows(row.found, study.sizes), "error")
    variance(row, whole, by_components)


# %% [markdown]
# ## 3.4 The variational autoencoder
# The same network, but the code is a Gaussian for each image, which the KL term draws towards N(0, I). That makes N(0, I) the
# place to draw codes from. Both models reconstruct by squared error; the VAE sums it over pixels and divides it by 2 σ², with
# the noise level σ that maximises the likelihood (Rybkin et al. 2021), so no weight of the KL term has to be chosen. Its
# samples are drawn with one seed, with another, and with the first once more.


# %%
def prior_distances(row: Row, *names: str) -> None:
    """How far the codes of these models are from N(0, I), in every training, and as many draws of N(0, I) themselves."""
    for name, one in each_training(*names):
        distance = one.measure("prior_hole").scores["Fréchet distance to N(0, I)"]
        row.score(f"Fréchet distance to N(0, I): {name}", distance)
    floor = distance.setting["of_as_many_prior_draws"]
    row.number("Fréchet distance to N(0, I): draws of N(0, I)", floor, distance.unit)


def drawn_again() -> dict[str, Any]:
    """Samples with one seed twice, and with another."""
    one, again, other = (vaes[0].model.sample(len(test), seed=seed) for seed in (1, 1, 2))
    extractor = generation.extractor("classifier", train)
    a, b = (generation.extract(extractor, drawn.numpy()).values for drawn in (one, other))
    found, unit = generation.fid(a, b), generation_of(vaes[0], "FID, prior").unit
    changed = float((one != again).flatten(1).any(1).float().mean())
    how = "± 1.96 standard errors, from what each image adds"
    between = {"value": found.value, "unit": unit, "low": found.low, "high": found.high, "how": how}
    return {
        "samples that change when drawn again with one seed": {"value": changed, "unit": "share of samples"},
        "difference between draws of two seeds": {"value": float((one - other).square().mean()), "unit": PER_PIXEL},
        "FID between draws of two seeds": between,
    }


@study.row(
    "3.4",
    "The VAE: its map beside the autoencoder's, its samples drawn again",
    to_try="Draw 100 samples from N(0, I) and from N(0, 2 I). Which look less like digits, and why?",
)
def sampled(row: Row) -> None:
    vae = vaes[0]
    row.figure(
        "loss",
        figures.loss_curves(run_figures.losses(vae.run), "Training of the VAE"),
        "The loss of the VAE and its two terms by epoch; minus the log of a density, the reconstruction term can be negative.",
    )
    maps = {name: of[0].subject.codes("test") for name, of in models.items()}
    row.figure(
        "maps",
        figures.latent_maps(maps, test.labels, title="The two maps"),
        "Codes of the test images by class, those of the VAE posterior means; note the different scales.",
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
    for name, one in each_training(*models):
        neighbours(row, name, one)
    prior_distances(row, *models)
    row.score("FID, N(0, I): VAE, seed 0", generation_of(vae, "FID, prior"))
    row.finding(lambda: words.prior(row.found), "maps")
    row.finding(lambda: words.neighbours(row.found), "maps")
    for name, number in vae.remember("samples drawn again", drawn_again).items():
        row.number(name, **number)
    row.finding(words.redrawn(row.found), "samples")


# %% [markdown]
# ## 3.5 The linear autoencoder
# Without hidden layers and without the sigmoid an autoencoder is two matrices. Baldi and Hornik (1989) showed that its best
# code spans the space of the first principal components. Does training get there?


# %%
@study.row(
    "3.5",
    "A linear autoencoder against the subspace of PCA",
    to_try="Give the linear autoencoder a ReLU. Does it still find the subspace of PCA?",
)
def subspace(row: Row) -> None:
    pca = components(study.linear_dim)
    axes = pca.model.components.numpy()
    drawn = latents.decoded_directions(linear.model, linear.subject.codes("train"))
    angles = latents.subspace_angles(drawn, axes)
    chance = latents.subspace_angles(np.random.default_rng(0).normal(size=axes.shape), axes)[0]
    alike = np.abs(drawn @ axes.T) / np.linalg.norm(drawn, axis=1, keepdims=True)
    shown = {f"angle {i + 1}": float(angle) for i, angle in enumerate(angles)}
    row.figure(
        "angles",
        figures.bars(shown, "degrees", title="Principal angles to the subspace of PCA"),
        "Principal angles between the space of the linear autoencoder's outputs and that of as many components, largest first.",
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
    row.number("largest principal angle", angles[0], "degrees")
    row.number("largest angle of a random subspace", chance, "degrees")
    farthest = np.degrees(np.arccos(alike.max(1).min().clip(0, 1)))
    row.number("largest angle of a unit to its component", farthest, "degrees")
    row.number("error over PCA's", test_error(linear) / test_error(pca), "ratio of squared errors, test images")
    row.finding(words.subspace(row.found), "angles", "units")


# %% [markdown]
# ## 3.6 The same densities for both
# A fair comparison of generated images draws the codes of both models from the same densities: from N(0, I), which the VAE was
# trained towards, and from a Gaussian fitted to the codes of the training images. Those of the VAE are the means of q(z|x),
# which vary less than the draws that its decoder was trained with. How close the images are to real ones is measured by FID;
# how clear they look, by how many of them the classifier of these images reads with a probability of 0.9 or more; and how
# various they are, by the effective number of digits that it reads, which is high where images are both clear and various. The
# reconstruction error of both shows what the KL term costs.


# %%
def clear(drawn: np.ndarray) -> Score:
    """The share of images that the classifier reads clearly."""
    return generation.clearly_read(generation.extractor("classifier", train), drawn, images.SURE)


@study.row(
    "3.6",
    "Images of the autoencoder and of the VAE from the same densities",
    to_try="Fit a mixture of ten in place of one Gaussian. Which of the two models gains more?",
)
def same_densities(row: Row) -> None:
    shown, table = {}, list[tuple[Any, ...]]()
    for density, name in (("prior", "N(0, I)"), ("gaussian", "fitted Gaussian")):
        for kind, one in each_training(*models):
            found = generation_of(one, f"FID, {density}")
            row.score(f"FID, {name}: {kind}", found)
            fitted = None if density == "prior" else latents.fit_density(density, one.subject.codes("train"))
            drawn = latents.draw_images(one.model, fitted, 1000)
            sure = row.score(f"clear digits, {name}: {kind}", clear(drawn))
            digits = row.score(f"effective digits, {name}: {kind}", generation_of(one, f"score, {density}"))
            table.append((kind, name, found.value, found.low, found.high, percent(sure), digits))
            if kind.endswith("seed 0"):
                shown[f"{kind.partition(',')[0]}, {name}\nFID {found.value:.3g}"] = drawn[:36]
    real = row.score("clear digits, test images", clear(test.subset(min(1000, len(test)), 0).pixels))
    table.append(("test images", None, None, None, None, percent(real), None))
    for kind, one in each_training(*models):
        row.score(f"reconstruction error: {kind}", one.measure("reconstruction").scores["MSE"])
    prior_distances(row, "VAE")
    row.figure(
        "images",
        figures.density_samples(shown, title="The same densities for both models"),
        "Images of the first training of each, decoded from N(0, I), left, and from a Gaussian fitted to the codes, right; "
        "their FID is above them.",
    )
    row.table(
        "How close generated images are to real ones, with 95 % intervals of FID, over images; how many of 1,000 are clear "
        "digits; and how many digits there are among them, effectively.",
        ("model", "codes from", "FID", "low", "high", "clear digits", "effective digits"),
        table,
    )
    for said in (images.densities, images.verdict, images.clear):
        row.finding(said(row.found), "images")


# %% [markdown]
# ## The questions
# Answered from the rows above.


# %%
@study.row("answers", "The questions, answered from what was measured")
def answers(row: Row) -> None:
    of_sizes = [("3.3", partial(rule, sizes=study.sizes)) for rule in (sizes.equals, sizes.elbows, sizes.explained)]
    for question, said in (
        (
            "What stays and what changes between runs of the autoencoder, and between two fits of PCA?",
            [("3.1", words.runs), ("3.2", words.fits)],
        ),
        (
            "How do the two maps and the two sets of generated images compare?",
            [("3.2", words.maps), ("3.2", images.generated)],
        ),
        (
            "How many principal components equal how many latent variables, and is there a simple rule for the best number?",
            of_sizes,
        ),
        (
            "What does the VAE's map have that the autoencoder's does not, and do its samples differ when drawn again?",
            [("3.4", words.prior), ("3.4", words.neighbours), ("3.4", words.redrawn)],
        ),
        (
            "How do the images of the VAE compare with those of the autoencoder?",
            [("3.6", images.densities), ("3.6", images.verdict), ("3.6", images.clear)],
        ),
    ):
        row.question(question)
        for index, sentence in said:
            row.finding(sentence(study.found(index)), rows=(index,))
