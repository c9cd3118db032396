# %% [markdown]
# # The weight of the KL term
#
# A variational autoencoder minimises reconstruction error + β · KL. With β = 0 it is essentially a plain autoencoder; with a
# large β its code carries nothing. This study goes from one end to the other with one convolutional pair, and looks at
# reconstructions, samples, paths between images, and what the codes are worth to a classifier.
#
# The reconstruction error is the squared error as a mean over pixels, and the KL term a sum over the units of the code. Many
# papers sum the squared error over pixels instead: their β is this one times the number of pixels. On 28×28 pixels, β = 0.001
# is 0.78 in that convention, and β = 10 is 7,840.
#
# Every model is trained once, from one seed. The intervals, and the word "significant", cover the images and samples that a
# number is measured on. They do not cover what another seed would change. The FID is the Fréchet distance between features
# of a small classifier of these images: it is no Inception FID, and is comparable within this study only.

# %%
from functools import cache
from itertools import combinations
from typing import Any, cast

import numpy as np
import torch
from torch.utils.data import DataLoader

from diabolo import figures, latents, metrics, zoo
from diabolo.data import Images
from diabolo.display import words as written
from diabolo.latents.codes import decode
from diabolo.metrics import generation
from diabolo.metrics.score import Score
from diabolo.pictures import run_figures
from diabolo.plain import percent
from diabolo.statistics import sign_test
from diabolo.studies import Row, Study, Trained
from diabolo.studies.beta import chosen, direction, divergence, midpoints, paths, probes, properties, words
from diabolo.studies.engine import needs
from diabolo.studies.engine.findings import less

# %% tags=["parameters"]
study = Study(
    "beta",
    data="mnist",  # a name (see 'diabolo data'), a folder of images, or a file
    n_train=60_000,  # training images
    n_test=10_000,  # test images
    latent_dim=64,  # length of the code
    batch_size=64,  # images per step
    lr=1e-3,  # learning rate
    epochs=10,  # passes of the plain autoencoder of the first two rows
    log_every=100,  # steps between points of its loss curve
    tuned_epochs=20,  # passes of all models that are compared: plain, beta = 0, tuned, beta = 10
    search=(1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6),  # values of beta to choose from
    search_epochs=2,  # passes for each of them
    pairs=("1-7", "3-5", "6-9"),  # pairs of digits whose paths are shown
    steps=7,  # images on each path
    quick={
        "n_train": 1_500,
        "n_test": 400,
        "latent_dim": 16,
        "epochs": 10,
        "log_every": 10,
        "tuned_epochs": 12,
        "search": (0.1, 1e-2, 1e-3, 1e-4, 1e-5),
        "search_epochs": 5,
    },
)
train, test = study.data(needs="labels")
study.require("steps", study.steps >= 3, "a path has both its ends and something between: 3 or more")
for index in ("4.2", "4.3", "4.6"):
    study.needs(index, *needs.distance(test))
fitted, held = study.hold_out(train, min(len(test), len(train) // 4))
for index in ("4.3", "4.4", "4.5", "4.6"):  # which look at the weight that is chosen
    study.needs(index, *needs.distance(held))
study.needs("4.2", *needs.density("gaussian", train, study.latent_dim))
study.require(
    "pairs",
    all(len(two := pair.split("-")) == 2 and all(map(str.isdecimal, two)) for pair in study.pairs),
    "two classes each, such as 3-8",
)
study.needs("4.4", *needs.classes(test, sorted({int(label) for pair in study.pairs for label in pair.split("-")})))


# %% [markdown]
# The models. The pair of the first row is made for 28×28 pixels; smaller images get as many layers as they allow. The plain
# autoencoder is trained for the epochs of the first two rows, and again for as many as the VAEs that it is compared with.

# %%
options = {
    "latent_dim": study.latent_dim,
    "net": "conv-to-point" if train.shape[-1] >= 28 else "conv",
    "batch_size": study.batch_size,
    "lr": study.lr,
    "schedule": "constant",
    "seed": 0,
}
first = study.train(zoo.undercomplete, train, test, epochs=study.epochs, log_every=study.log_every, **options)
plain = study.train(zoo.undercomplete, train, test, epochs=study.tuned_epochs, **options)


WHOLE, SEARCHED = (train, test), (fitted, held)
TRAININGS = (study.search_epochs, study.tuned_epochs)
PER_PIXEL = "squared error per pixel"


@cache
def variational(beta: float, epochs: int, may_fail: str = "", images: tuple[Images, Images] = WHOLE) -> Trained:
    how = {"likelihood": "squared-error", "beta": beta, "epochs": epochs, "may_fail": may_fail}
    return study.train(zoo.vae, *images, **how, **options)


def error(trained: Trained) -> Score:
    return trained.measure("reconstruction").scores["MSE"]


def fid(trained: Trained, density: str = "prior") -> Score:
    return trained.measure("generation", densities=(density,)).scores[f"FID, {density}"]


study.in_pytorch(first)


# %% [markdown]
# ## 4.1 The pair, as a plain autoencoder
# On MNIST, four convolutions take 28×28 pixels to 14×14×32, 7×7×64, 3×3×128 and 1×1×256, with batch norm from the second on and
# LeakyReLU, and a linear layer to the code. The decoder mirrors them: a linear layer with batch norm, then four transposed
# convolutions. Every convolution learns a bias. Adam at a constant rate, batches of 64.
#
# `Images` is a data set for a torch `DataLoader`, which shows the first batch here, shuffled; `diabolo.fit` takes such a loader
# too. The trainings below need no workers: the images lie in memory as bytes, and each step gathers its own batch of them, in
# an order drawn anew for each epoch.


# %%
@study.row(
    "4.1",
    "The convolutional pair as a plain autoencoder",
    to_try=(
        "Take the batch norm out of the decoder. What happens to the training error after one epoch, and after ten?"
    ),
)
def autoencoder(row: Row) -> None:
    order, dataset = torch.Generator().manual_seed(0), cast(Any, train)  # torch asks for no more of a data set
    loader = DataLoader(dataset, batch_size=study.batch_size, shuffle=True, num_workers=0, generator=order)
    images, labels = next(iter(loader))
    row.figure(
        "images",
        figures.sample_grid(images[:40], "Training images", columns=10),
        f"Training images, from the first shuffled batch of {len(images)}; the first row is of the classes "
        f"{', '.join(map(str, labels[:10].tolist()))}.",
    )
    columns, rows = first.model.summary().table
    row.table("Layers, shapes and parameters.", columns, rows)
    steps = first.run.folder.steps
    if steps:
        curve = {"training loss": [line["train"]["reconstruction"] for line in steps]}
        axes = (f"steps of {study.batch_size} images", "squared error per pixel")
        row.figure(
            "steps",
            figures.response([line["step"] for line in steps], curve, *axes, log=True, title="The loss within epochs"),
            f"Training loss every {steps[0]['step']} steps, the mean over the steps since the point before.",
        )
    else:
        row.not_measured("this training was found again, and its steps were not logged", "the loss within epochs")
    row.figure(
        "loss",
        figures.loss_curves(run_figures.losses(first.run), "Training of the autoencoder"),
        "Squared error per pixel by epoch, on training and on test images. The training error is the mean over an epoch in "
        "which the model improves, with batch norm by the statistics of each batch; the test error is measured at its end, "
        "with running statistics. So it can be the smaller one, here and in the curves of row 4.3.",
    )
    shown = figures.reconstructions(test.pixels[:10], first.subject.reconstructions[:10], "Test images, reconstructed")
    row.figure("reconstructions", shown, "Ten test images above their reconstructions.")
    last = row.number("training error, mean of the last epoch", first.curve()[-1], PER_PIXEL)
    row.score("test error", error(first))
    row.check("training error, mean of the last epoch", last, "≤", 0.0050, PER_PIXEL)


# %% [markdown]
# ## 4.2 Samples of the plain autoencoder
# Nothing in its loss says where codes should lie. What does the decoder make of codes drawn from N(0, I)? And of codes drawn
# from a Gaussian that was fitted to those of the training images?


# %%
def distances() -> float:
    """How many times as far draws of N(0, I) are from the nearest training code as codes of test images."""
    codes = first.subject.codes("train")
    drawn = np.random.default_rng(0).normal(size=(500, study.latent_dim))
    far, usual = (latents.nearest(few, codes)[1].mean() for few in (drawn, first.subject.codes("test")[:500]))
    return float(far / usual)


def clear(images: np.ndarray) -> Score:
    """The share of images that the classifier reads clearly."""
    return generation.clearly_read(generation.extractor("classifier", train), images, words.SURE)


@study.row(
    "4.2",
    "What a plain autoencoder decodes from N(0, I)",
    to_try=("Multiply the drawn codes by 2, then by 5. At which scale does the decoder draw nothing but strokes?"),
)
def noise(row: Row) -> None:
    density = latents.fit_density("gaussian", first.subject.codes("train"))
    samples = {
        "N(0, I)": latents.draw_images(first.model, None, 1000),
        "fitted Gaussian": latents.draw_images(first.model, density, 1000),
        "test images": test.pixels[:1000],
    }
    row.figure(
        "samples",
        figures.density_samples({name: images[:36] for name, images in samples.items()}, title="The plain autoencoder"),
        "Images decoded from draws of N(0, I), and of a Gaussian fitted to the codes, beside test images.",
    )
    row.number("epochs", study.epochs, "passes of the autoencoder")
    moments = first.measure("prior_hole").scores
    detail = moments["mean of a unit"].detail
    hole = figures.posterior_against_prior(detail["means"], detail["deviations"])
    row.figure(
        "codes", hole, "Mean and standard deviation of each unit over the test images; those of N(0, I) are 0 and 1."
    )
    for name, kind in (("N(0, I)", "prior"), ("fitted Gaussian", "gaussian")):
        row.score(f"FID, {name}", fid(first, kind))
    for name, images in samples.items():
        row.score(f"clear digits, {name}", clear(images))
    row.score("mean of a unit", moments["mean of a unit"])
    row.score("standard deviation of a unit", moments["deviation of a unit"])
    far = first.remember("distances to training codes", distances)
    row.number(
        "distance of a draw of N(0, I)", far, "over that of the code of a test image, to the nearest training code"
    )
    row.finding(words.from_noise(row.found), "samples", "codes")


# %% [markdown]
# ## 4.3 β = 0, β = 10, and β tuned
# β is searched for in steps of 10 with short trainings, on training images of which some are held out to choose it by. The
# criterion: the smallest FID between these and samples from N(0, I), since the reconstruction error alone would ask for a
# very small β. The weight found is trained for longer, on all training images, and measured on the test images. All models
# that are compared there are trained for as many epochs.


# %%
@cache
def search() -> dict[float, Trained]:
    return {beta: variational(beta, study.search_epochs, "a weight of the search", SEARCHED) for beta in study.search}


@cache
def tuned() -> tuple[float, Trained]:
    beta = min(search(), key=lambda beta: fid(search()[beta]).value)
    return beta, variational(beta, study.tuned_epochs)


free = variational(0.0, study.tuned_epochs, "β = 0 is here to show what samples are without the KL term")
heavy = variational(10.0, study.tuned_epochs, "β = 10 is here to collapse it")


HOLE = "Fréchet distance to N(0, I)"


def noise_of(trained: Trained) -> float:
    """The share of noise in the variance of an active unit, in the median."""
    mu = trained.subject.codes("test")
    noise, variance = np.square(latents.draws_of(trained.model, test) - mu).mean(0), mu.var(0)
    active = metrics.active_units(mu)
    return float(np.median((noise / (noise + variance))[active])) if active.any() else 1.0


@study.row(
    "4.3",
    "β = 0, β = 10, and β tuned",
    to_try="Predict the KL at β = 100 before you train it. Were you right?",
)
def weights(row: Row) -> None:
    beta, best = tuned()
    study.in_pytorch(best)
    row.table(
        f"The search, {study.search_epochs} epochs for each weight, on {len(held):,} validation images held out of the "
        "training images: the smallest FID decides.",
        ("β", "error", "FID of samples", "KL, nats", "active units"),
        [
            (
                b,
                row.score(f"validation error, β = {written(b)}", error(one)),
                row.score(f"validation FID, β = {written(b)}", fid(one)),
                *(one.measure("usage").scores[name].value for name in ("KL", "active units")),
            )
            for b, one in search().items()
        ],
    )
    points = {f"β = {written(b)}": (error(one).value, fid(one).value) for b, one in search().items()}
    front = figures.pareto(points, "squared error per pixel", "FID", log=True, title="Error and samples by β")
    row.figure(
        "search",
        front,
        "Reconstruction error of validation images against FID of samples, on logarithmic scales; a weight that no other beats "
        "in both is filled.",
    )
    row.number("β tuned", beta, "squared error per pixel and nat")
    pixels = row.number("pixels", test.pixels[0].size, "pixels of an image")
    for name, weight in (("β tuned", beta), ("β = 10", 10.0)):
        row.number(f"{name}, squared error summed over pixels", weight * pixels, "squared error and nat")
    row.text(words.scale(row.found))
    three = {"β = 0": free, f"β = {written(beta)}": best, "β = 10": heavy}
    rebuilt = {name: one.subject.reconstructions[:10] for name, one in three.items()}
    row.figure(
        "reconstructions",
        figures.reconstructions(test.pixels[:10], rebuilt, "Test images, reconstructed"),
        "Ten test images and their reconstructions, by β.",
    )
    samples = {name: one.model.sample(36, seed=0).numpy() for name, one in three.items()}
    row.figure(
        "samples",
        figures.density_samples(samples, title="Samples from N(0, I)"),
        "Samples by β; the same codes in all three.",
    )
    for name, one in three.items():
        curves = figures.loss_curves(run_figures.losses(one.run), f"Training at {name}")
        drawn = (
            "Codes are sampled from the posterior here; with posterior means, the test error of the trained model is "
            f"{words.three(error(one).value)}."
        )
        caption = f"The terms of the loss at {name}, KL without its weight."
        row.figure(f"loss-{name.removeprefix('β = ')}", curves, f"{caption} {drawn}" if one is best else caption)
    for name, one in {"autoencoder": plain, "β = 0": free, "β tuned": best, "β = 10": heavy}.items():
        row.score(f"test error, {name}", error(one))
        row.score(f"FID, {name}", fid(one))
        for what in ("KL", "active units") if one is not plain else ():
            row.score(f"{what}, {name}", one.measure("usage").scores[what])
    sampled = row.number("test error, β tuned, sampled codes", best.curve("validation")[-1], PER_PIXEL)
    for what, found in (("", error(best).value), (", sampled codes", sampled)):
        row.number(f"ratio of test errors{what}", found / error(plain).value, "the VAE's over the autoencoder's")
    row.score("active units, β tuned in the search", search()[beta].measure("usage").scores["active units"])
    for name, one in (("β = 0", free), ("β tuned", best)):
        row.number(f"noise in an active unit, {name}", noise_of(one), "share of its variance, median")
    for name, one in {"β = 0": free, "β tuned": best, "autoencoder": plain, "earlier autoencoder": first}.items():
        hole = one.measure("prior_hole").scores[HOLE]
        row.score(f"{HOLE}, {name}", hole)
    row.number(f"{HOLE}, draws of N(0, I)", hole.setting["of_as_many_prior_draws"], hole.unit)
    row.score("FID, earlier autoencoder", fid(first))
    for when, epochs in (("earlier", study.epochs), ("later", study.tuned_epochs)):
        row.number(f"epochs of the {when} autoencoder", epochs, "passes")
    left = heavy.measure("reconstruction").scores["FVU"].value
    row.number("variance of test images left unexplained, β = 10", left, "of the variance of test images")
    row.number("error of the mean image", error(heavy).value / left, PER_PIXEL)
    vary = heavy.model.sample(500, seed=0).var(0).mean() / test.pixels.var(0).mean()
    row.number("variance among samples, β = 10", vary, "of the variance among test images")
    row.finding(chosen.tuned(row.found, study.search, TRAININGS), "search")
    row.finding(words.free(row.found), "samples", "reconstructions")
    row.finding(words.heavy(row.found, study.latent_dim), "samples", "reconstructions")
    row.finding(chosen.good(row.found, study.tuned_epochs), "samples")
    row.finding(words.longer(row.found))


# %% [markdown]
# ## 4.4 From one image to another
# Codes on the straight path between those of two test images, decoded. The ends shown are typical images: the medoid of each
# class, the image with the least mean distance to the others of its class. How evenly images change is measured on a hundred
# random pairs of different classes: the longest step in pixels over the mean step, and the lowest confidence of a classifier on
# the path. A digit is clear where the classifier gives it a probability of 0.9 or more.


# %%
STEP, SURE = "longest step", "lowest confidence"
LIKELIEST = "probability of the likeliest class"


def random_paths(trained: Trained) -> dict[str, Score]:
    """The measures of a hundred random straight paths."""
    scores = trained.measure("interpolation", path_classifier=str(generation.classifier(train).path)).scores
    return {STEP: scores["linear: longest step"], SURE: scores["linear: least confidence"]}


@cache
def typical() -> dict[int, int]:
    return latents.medoids(test.images, np.asarray(test.labels))


def decoded(trained: Trained, pairs: list[tuple[int, int]], steps: int) -> np.ndarray:
    """The images (P, steps, C, H, W) along the paths between the typical images of these pairs of classes."""
    codes = trained.subject.codes("test")
    start, end = (np.stack([codes[typical()[pair[i]]] for pair in pairs]) for i in (0, 1))
    way = latents.linear(start, end, steps)
    images: np.ndarray = trained.model.decode(torch.from_numpy(way.reshape(-1, way.shape[-1]))).numpy()
    return images.reshape(len(pairs), steps, *images.shape[1:])


@study.row(
    "4.4",
    "Interpolation between two digits, autoencoder and VAE side by side",
    to_try=("Interpolate from a 1 to a 0 and from a 4 to a 9. Which path leaves the digits, and for which model?"),
)
def interpolation(row: Row) -> None:
    beta, best = tuned()
    both, classes = {"AE": plain, "VAE": best}, list(typical())
    chosen = [(int(a), int(b)) for a, b in (pair.split("-") for pair in study.pairs)]
    shown = {name: decoded(one, chosen, study.steps) for name, one in both.items()}
    row.figure(
        "paths",
        figures.strips(
            {f"{a} → {b}, {name}": images[i] for i, (a, b) in enumerate(chosen) for name, images in shown.items()},
            [percent(step / (study.steps - 1)) for step in range(study.steps)],
            title="Between two typical test images",
        ),
        f"Images decoded along straight paths between the codes of two typical images: AE, and VAE at β = {written(beta)}.",
    )
    square = [(a, b) for b in classes for a in classes]
    edge = (-0.5, len(classes) - 0.5) * 2
    middles = {name: (decoded(one, square, 3)[:, 1], edge) for name, one in both.items()}
    axes = ("class at one end", "class at the other")
    row.figure(
        "mid-points",
        figures.decoded_grids(
            middles, "Half-way between the typical images of two classes", axes, names=[str(k) for k in classes]
        ),
        "Images decoded half-way between the typical images of all pairs of classes; on the diagonal those images themselves, "
        "reconstructed.",
    )
    pairs = list(combinations(classes, 2))
    row.number("pairs of classes", len(pairs), "pairs")
    reader = generation.extractor("classifier", train)
    longest, surest, own, mixed = {}, {}, {}, {}
    for name, one in both.items():
        for what, score in random_paths(one).items():
            row.score(f"{what}, {name}", score)
        frames = decoded(one, pairs, study.steps)
        read, sure = (
            found.reshape(frames.shape[:2]) for found in generation.read(reader, frames.reshape(-1, *test.shape))
        )
        longest[name], surest[name] = latents.smoothness(frames).longest_step, sure.min(1)
        row.over(f"{STEP} between typical images, {name}", longest[name], "mean steps", "pairs")
        row.over(f"{SURE} between typical images, {name}", surest[name], LIKELIEST, "pairs")
        three = decoded(one, pairs, 3)
        half = midpoints.Reading.of(pairs, *generation.read(reader, three[:, 1]))
        own[name], mixed[name] = half.own, midpoints.mixture(three)
        row.number(f"{midpoints.OWN}, {name}", half.own.sum(), "pairs")
        row.number(f"{midpoints.UNCLEAR}, {name}", (~half.sure).sum(), "pairs")
        row.number(f"{midpoints.THIRD}, {name}", sum(number for _, number in half.thirds), "pairs")
        if half.thirds:
            row.number(f"third digit most often, {name}", half.thirds[0][0], "class")
        row.over(f"{midpoints.MIXED}, {name}", mixed[name], "of the squared distance of the ends", "pairs")
        ends = {
            k: int(r) for pair, few in zip(pairs, read, strict=True) for k, r in zip(pair, few[[0, -1]], strict=True)
        }
        as_class = row.number(
            f"typical images read as their class, {name}",
            sum(k == r for k, r in ends.items()),
            f"of {len(ends)} classes",
        )
        claim = f"typical images whose reconstruction by the {name} is read as their class"
        row.check(claim, as_class, "=", len(ends), "classes")
    for name, each, unit in (
        (f"{SURE} between typical images", surest, LIKELIEST),
        (midpoints.MIXED, mixed, "of the squared distance of the ends"),
    ):
        row.pair(less(f"{name}, VAE", f"{name}, AE"), each["VAE"], each["AE"], unit, "pairs")
    smaller, larger = int((longest["VAE"] < longest["AE"]).sum()), int((longest["VAE"] > longest["AE"]).sum())
    row.number("pairs with the smaller longest step, VAE", smaller, "pairs")
    row.number("p, longest step", sign_test(smaller, larger), "two-sided, of the sign test over pairs of classes")
    only = [int((own[a] & ~own[b]).sum()) for a, b in (("VAE", "AE"), ("AE", "VAE"))]
    row.number(midpoints.SIGN, sign_test(*only), "two-sided, of the sign test over pairs where one model alone does")
    row.finding(paths.between(row.found), "paths")
    row.finding(paths.typical(row.found), "paths")
    row.finding(midpoints.look(row.found), "mid-points")


# %% [markdown]
# ## 4.5 What it means for downstream use
# The encoders are frozen, and the digit is read off their codes by one linear layer and by the five nearest neighbours (5-NN);
# beside them raw pixels and as many principal components. A code of the VAE is the mean of its posterior, or a sample of it. A
# unit is idle where its mean hardly varies between images (a variance of 0.01 or less).


# %%
PARTS = ("linear probe: idle units", "linear probe: active units")


def idle_units(trained: Trained) -> dict[str, tuple[float, str]]:
    """How large the means of idle units are, beside their noise and beside those of others, and what they are worth to the
    decoder."""
    mu = trained.subject.codes("test")
    noise, idle = latents.draws_of(trained.model, test) - mu, ~metrics.active_units(trained.subject.codes("train"))
    alone, spread = np.where(idle, mu.mean(0), mu), mu.var(0)
    squared = np.square(decode(trained.model, alone) - test.pixels).mean()
    return {
        "idle units": (int(idle.sum()), f"of {study.latent_dim} units"),
        "units in use": (int((~idle).sum()), f"of {study.latent_dim} units"),
        "standard deviation of means of an idle unit": (
            float(np.sqrt(spread[idle].mean())),
            "root mean square over units",
        ),
        "standard deviation of noise of an idle unit": (
            float(np.sqrt(np.square(noise[:, idle]).mean())),
            "root mean square",
        ),
        "variance in idle units": (float(spread[idle].sum() / spread.sum()), "share of the variance of the means"),
        "change of the test error without idle units": (squared / error(trained).value - 1, "of the test error"),
    }


@study.row(
    "4.5",
    "Probes on the codes of both",
    to_try=("Probe the posterior's samples instead of its means. How much accuracy was in the means alone?"),
)
def downstream(row: Row) -> None:
    scores = {name: one.measure("probes").scores for name, one in (("AE", plain), ("VAE", tuned()[1]))}
    of_plain = {name: score.value for name, score in scores["AE"].items()}  # whose codes are not drawn
    row.table(
        "Test accuracy of what is read off frozen codes.",
        ("read off by", "AE", "VAE", "low (VAE)", "high (VAE)", "test images"),
        [(name, of_plain.get(name), one.value, one.low, one.high, one.n) for name, one in scores["VAE"].items()],
    )
    shown = {
        f"{what}, {name}": one[what]
        for what in ("linear probe: codes", "5 nearest neighbours: codes")
        for name, one in scores.items()
    }
    shown["linear probe: pixels"] = scores["AE"]["linear probe: pixels"]
    neighbours = next(score for name, score in scores["AE"].items() if name.startswith("5 nearest neighbours: PCA"))
    shown["5 nearest neighbours: PCA"] = neighbours
    intervals = {n: (s.low, s.high) for n, s in shown.items() if s.low is not None and s.high is not None}
    bars = figures.bars(
        {n: s.value for n, s in shown.items()}, "share of test images", intervals, title="Read off frozen codes"
    )
    row.figure("accuracy", bars, "Test accuracy with 95 % intervals.")
    for name, score in shown.items():
        row.score(name, score)
    for name in ("linear probe: sampled codes", "5 nearest neighbours: sampled codes", *PARTS):
        if name in scores["VAE"]:
            row.score(f"{name}, VAE", scores["VAE"][name])
    row.score("majority class", scores["VAE"]["majority class"])
    if PARTS[0] in scores["VAE"]:
        for name, (value, unit) in idle_units(tuned()[1]).items():
            row.number(f"{name}, VAE", value, unit)
    row.finding(probes.linear(row.found), "accuracy")
    row.finding(probes.near(row.found), "accuracy")
    row.finding(probes.floors(row.found, study.latent_dim), "accuracy")


# %% [markdown]
# ## 4.6 A well-tuned VAE
# What is expected of a VAE whose β is well chosen, in general words; and each property measured, beside the plain autoencoder
# and both ends of β. Fine detail is the power of samples in the upper half of the spatial frequencies, over that of test
# images. The effective number of digits is high where a classifier reads samples clearly and finds all digits alike often.
# Coverage is the share of test images that have a sample closer than their fifth neighbour among test images (Naeem et al.
# 2020). Paths are those of row 4.4.


# %%
@study.row(
    "4.6",
    "The properties of a well-tuned VAE, each measured",
    to_try="Which of these numbers would a larger network change, and which would it not?",
)
def well_tuned(row: Row) -> None:
    row.text(properties.GENERAL)
    models = {"AE": plain, "β = 0": free, "VAE": tuned()[1], "β = 10": heavy}
    real_images, fine = torch.from_numpy(test.pixels), train.shape[-1] // 4  # the upper half of the frequencies
    reader = generation.extractor("classifier", train)
    logits = generation.extract(reader, test.images).logits
    assert logits is not None  # the images have labels
    real = generation.inception_score(logits)
    unit = plain.measure("generation", densities=("prior",)).scores["score, prior"].unit
    row.number("effective digits, test images", real.value, unit, real.low, real.high, "Student's t over images")
    for name, one in models.items():
        quality = one.measure("generation", densities=("prior",)).scores
        left = one.measure("reconstruction").scores["FVU"].value
        row.number(f"variance explained, {name}", 1 - left, "of the variance of test images")
        detail = metrics.fine_power(one.model.sample(1000, seed=0), real_images, fine)
        row.number(
            f"fine detail, {name}", detail.value, "power, that of test images being 1", *detail.interval(),
            "Student's t over samples and test images", detail.df,
        )  # fmt: skip
        row.score(f"FID, {name}", quality["FID, prior"])
        row.score(f"effective digits, {name}", quality["score, prior"])
        row.score(f"coverage, {name}", quality["coverage, prior"])
        for what, score in random_paths(one).items() if name in ("AE", "VAE") else ():
            row.score(f"{what}, {name}", score)
        hole = one.measure("prior_hole").scores[HOLE]
        row.score(f"Fréchet distance, {name}", hole)
        for what in ("KL", "active units") if one is not plain else ():
            row.score(f"{what}, {name}", one.measure("usage").scores[what])
    chance = row.number("Fréchet distance, draws of N(0, I)", hole.setting["of_as_many_prior_draws"], hole.unit)
    values = {name: number.value for name, number in row.found.items()}
    row.table(
        f"What a well-tuned VAE is like, beside an autoencoder and VAEs of other weights; β tuned is {written(tuned()[0])}. As "
        f"many draws of N(0, I) as there are test images have a Fréchet distance of {words.three(chance)} from it.",
        ("property", "measured by", "AE", "β = 0", "β tuned", "β = 10", "test images"),
        [
            (*told, *(values.get(properties.named(measure, name)) for name in (*models, "test images")))
            for measure, told in properties.PROPERTIES.items()
        ],
    )
    samples = {name: models[name].model.sample(36, seed=0).numpy() for name in ("AE", "VAE")}
    row.figure(
        "samples",
        figures.density_samples(samples | {"test images": test.pixels[:36]}, title="Samples, beside real images"),
        f"Images decoded from N(0, I), by the autoencoder and by the VAE at β = {written(tuned()[0])}, beside test images.",
    )
    for sentence in properties.well_tuned(row.found, study.latent_dim):
        row.finding(sentence, "samples")


# %% [markdown]
# ## 4.7 The KL divergence and its direction
# KL(p ‖ q), the mean over p of log p/q, says how far q is from p. Of two Gaussians in D dimensions it has a closed form
# (`diabolo.metrics.gaussian_kl`). With full covariances,
#
# ```text
# KL(p ‖ q) = ½ [ tr(Σq⁻¹ Σp) + (μp − μq)ᵀ Σq⁻¹ (μp − μq) − D + log(det Σq / det Σp) ]
# ```
#
# With diagonal covariances, of variances σ², it is a sum over dimensions:
#
# ```text
# KL(p ‖ q) = ½ Σᵢ [ σpᵢ²/σqᵢ² + (μpᵢ − μqᵢ)²/σqᵢ² − 1 + log(σqᵢ²/σpᵢ²) ]
# ```
#
# The KL term of a VAE is the second with q = N(0, I): ½ Σᵢ (σᵢ² + μᵢ² − 1 − log σᵢ²). Both are checked against numerical
# integration.
#
# KL is no distance: the order of p and q counts. To see what it decides, one Gaussian q is fitted to the same mixture p of two
# Gaussians twice: by the least KL(p ‖ q) and by the least KL(q ‖ p). The gap of the mixture is the strip between the two means
# where its density is below 5 % of its peak.


# %%
@study.row(
    "4.7",
    "The same mixture, fitted by either direction of KL",
    to_try=("Move the two modes closer together. From which distance on do both directions give the same Gaussian?"),
)
def kl(row: Row) -> None:
    p = direction.TARGET
    fits = {"covering": direction.covering(p), "seeking": direction.seeking(p)}
    for name, q in fits.items():
        row.number(f"KL(p ‖ q), {name}", direction.kl_to(p, q), "nats")
        row.number(f"KL(q ‖ p), {name}", direction.kl_from(q, p), "nats")
        row.number(f"mixture covered, {name}", direction.covered(q), "share of the mass of p in the 95 % ellipse of q")
    gaps = {name: direction.between_the_modes(q) for name, q in fits.items()} | {
        "mixture": direction.between_the_modes(p)
    }
    for name, gap in gaps.items():
        row.number(f"mass in the gap, {name}", gap, "share of mass between the modes, where p is below 5 % of its peak")
    told = {f"least {kl}": direction.on_grid(fits[name]) for name, kl in divergence.FITS.items()}
    row.figure(
        "fits",
        figures.contours(direction.on_grid(p), told, direction.EXTENT, title="One mixture, fitted in both directions"),
        "The mixture p in grey; each fitted Gaussian q by the lines that hold 50 % (solid) and 95 % (dashed) of its mass.",
    )
    f = row.found
    row.table(
        f"Both divergences of both fits, in nats. The mixture itself has {percent(gaps['mixture'])} of its mass in the gap.",
        ("fitted by", "KL(p ‖ q)", "KL(q ‖ p)", "mixture covered", "mass in the gap"),
        [
            (
                f"least {kl}",
                *(f[f"{what}, {name}"].value for what in divergence.FITS.values()),
                *(percent(f[f"{what}, {name}"].value) for what in ("mixture covered", "mass in the gap")),
            )
            for name, kl in divergence.FITS.items()
        ],
    )
    both = direction.closed_and_numerical(*fits.values())
    row.table(
        "KL between the two fitted Gaussians, in nats: by the closed form, and by Gauss–Hermite quadrature.",
        ("covariances", "closed form", "quadrature"),
        [(name, *values) for name, values in both.items()],
    )
    for name, case in (("there", "full"), ("back", "full, p and q exchanged")):
        row.number(f"KL between the two fits, {name}", both[case][0], "nats")
    most = row.number("closed form less quadrature, at most", max(abs(a - b) for a, b in both.values()), "nats")
    row.check("largest difference of closed form and quadrature", most, "≤", 1e-9, "nats", always=True)
    row.number("random pairs", 1000, "pairs")
    row.number("least KL of random pairs", direction.least_of(1000), "nats")
    row.finding(divergence.direction(row.found), "fits")
    row.finding(divergence.no_distance(row.found), "fits")
    row.text(divergence.IN_A_VAE)


# %% [markdown]
# ## The questions
# Answered from the rows above, in at most 150, 150, 200 and 300 words.


# %%
@study.row("answers", "The questions, answered from what was measured")
def answers(row: Row) -> None:
    f = {index: study.found(index) for index in ("4.2", "4.3", "4.4", "4.5")}
    units = study.latent_dim
    for question, said in (
        ("What does an autoencoder decode from N(0, I), and why?", [(words.from_noise(f["4.2"]), "4.2")]),
        (
            "What happens at β = 0 and at β = 10?",
            [(words.free(f["4.3"]), "4.3"), (words.heavy(f["4.3"], units), "4.3")],
        ),
        (
            "What is a good result, in reconstructions and in samples?",
            [
                (chosen.tuned(f["4.3"], study.search, TRAININGS), "4.3"),
                (chosen.good(f["4.3"], study.tuned_epochs), "4.3"),
            ],
        ),
        (
            "How do interpolations of the two differ, and what does that mean for downstream learning?",
            [
                (paths.between(f["4.4"]), "4.4"),
                (midpoints.look(f["4.4"]), "4.4"),
                (probes.linear(f["4.5"]), "4.5"),
                (probes.near(f["4.5"]), "4.5"),
                (paths.use(f["4.3"], f["4.4"]), "4.3", "4.4"),
            ],
        ),
    ):
        row.question(question)
        for finding, *rows in said:
            row.finding(finding, rows=rows)
