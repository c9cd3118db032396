# %% [markdown]
# # Six autoencoders, from a two-number map of digits to a discrete code of colour images
# Six deliverables, each with its own model: a plain autoencoder, one that removes noise, one whose codes can be sampled, one
# that can be asked for a digit, one that completes images, and one whose codes are discrete. The first five see digits, the
# last one small colour images.
#
# An interval is over what its table of numbers names: over seeds where each model was trained several times; otherwise over the
# images, samples or tiles of one training, and then it says nothing about another training. A number without an interval is of
# one training, unless its unit says otherwise.

# %%
import math
from functools import partial
from typing import Any

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

from diabolo import figures, latents, metrics, zoo
from diabolo.data import as_images
from diabolo.display import Cell
from diabolo.metrics import generation
from diabolo.pictures import run_figures
from diabolo.plain import percent
from diabolo.statistics import wilson
from diabolo.studies import Row, Study, Trained
from diabolo.studies.engine import needs
from diabolo.studies.engine.findings import joined
from diabolo.studies.generative import completing, jumping, plane, quantising, words
from diabolo.studies.generative.answers import QUESTIONS

# %% tags=["parameters"]
study = Study(
    "generative",
    data="mnist",  # a name (see 'diabolo data'), a folder of images, or a file
    colour_data="cifar10",  # the data set of colour images
    n_train=60_000,  # training images
    n_test=10_000,  # test images
    colour_n_train=40_000,  # its training images
    colour_n_test=10_000,  # its test images
    seeds=3,  # trainings of each model, from other seeds
    map_epochs=15,  # epochs of the autoencoders of Deliverable 1
    latent_dims=(2, 8, 16, 32),  # lengths of their code
    denoising_epochs=20,  # epochs of the denoising autoencoder
    bottleneck_epochs=3,  # epochs for each width of the bottleneck
    bottlenecks=(1, 2, 4, 8, 16),  # channels of the bottleneck to compare
    vae_epochs=10,  # epochs of the VAE
    conditional_epochs=30,  # epochs of the conditional VAEs
    completion_epochs=15,  # epochs of the networks that complete images
    per_class=1_000,  # images generated of each class
    looked_at=1_000,  # test images that are completed
    completions=10,  # completions drawn for each
    importance_samples=200,  # codes drawn for each image to estimate its NLL
    from_prior=1.0,  # weight of the hybrid objective
    vq_epochs=8,  # epochs of the VQ-VAE
    vq_lr=3e-3,  # their learning rate
    vq_restart=0.08,  # part of the average use below which a code begins anew
    commitment_epochs=2,  # epochs with and without commitment
    halving_epochs=2,  # epochs for each way to halve the VQ-VAE
    quick={
        "n_train": 1_500,
        "n_test": 400,
        "colour_n_train": 320,
        "colour_n_test": 400,
        "seeds": 2,
        "map_epochs": 30,
        "latent_dims": (2, 16),
        "denoising_epochs": 25,
        "bottleneck_epochs": 15,
        "bottlenecks": (1, 16),
        "vae_epochs": 20,
        "conditional_epochs": 20,
        "completion_epochs": 12,
        "per_class": 50,
        "looked_at": 100,
        "completions": 5,
        "importance_samples": 20,
        "vq_epochs": 4,
        "commitment_epochs": 3,
        "halving_epochs": 3,
    },
)
train, test = study.data(needs="labels")
# Small colour images, for the last row.
colour, colour_test = study.data("colour_data") if study.wants("2.6", "answers") else (train, test)
study.require("seeds", study.seeds >= 2, "an interval needs 2 trainings or more")
study.require("completions", study.completions >= 2, "a spread needs 2 or more")
study.require("n_test", len(test) >= 10, "10 test images or more are needed")
few = test.subset(min(study.looked_at, len(test)), 0)
study.needs("2.4", *needs.classes(train, range(10)))
digits = np.asarray(few.labels)
shown = run_figures.shown(test)
once = {"schedule": "one-cycle", "seed": 0}

# %% [markdown]
# ## 2.1 Deliverable 1: a map of digits
# A code of two numbers can be drawn on paper. Encoder and decoder are fully connected with LeakyReLU between their layers,
# nothing bounds the code, a sigmoid keeps the pixels in [0, 1], and the loss is the squared error.
#
# The decoder can draw an image for every point of the plane, also where no image lies. Scatter and grid share their axes: a
# position is the share of training codes below it, so every column and every row of tiles holds equally many codes. The same
# network is then trained with longer codes.


# %%
def mapped(latent_dim: int, seed: int = 0) -> Trained:
    return study.train(
        zoo.undercomplete, train, test, latent_dim=latent_dim, hidden=(600, 256, 128, 64), activation="leaky_relu",
        epochs=study.map_epochs, batch_size=64, lr=1e-3, precision="float32", schedule="one-cycle", seed=seed,
    )  # fmt: skip


maps = [mapped(2, seed) for seed in range(study.seeds)]
longer = {n: mapped(n) for n in study.latent_dims}
linear = study.train(zoo.pca, train, test, latent_dim=min(256, math.prod(train.shape)))
study.in_pytorch(maps[0])


@study.row(
    "2.1",
    "Deliverable 1: an autoencoder with a code of two numbers",
    to_try=("Find a point of the map where two classes meet and decode it. Which of the two does the image show?"),
)
def two_numbers(row: Row) -> None:
    first, errors = maps[0], [ae.measure("reconstruction").scores["MSE"].value for ae in maps]
    summary, codes = first.model.summary(), [ae.subject.codes("test") for ae in maps]
    row.table("The layers of the autoencoder with a code of two numbers.", *summary.table)
    row.figure(
        "loss",
        figures.loss_curves(run_figures.losses(first.run), "Autoencoder, code of 2"),
        "Squared error per pixel by epoch, on training and on test images.",
    )
    row.check(
        "parameters of the map", row.number("parameters", summary.parameters, "weights"), "≤", 1_500_000, always=True
    )
    lowest = row.number("lowest training loss", min(first.curve()), "squared error per pixel")
    row.check(f"training loss of the map within {study.map_epochs} epochs", lowest, "<", 0.04)
    row.check(
        "test error of the map", row.over("test error", errors, "squared error per pixel"), "≤", 0.034, "per pixel"
    )
    sides = np.array([np.ptp(np.quantile(z, (0.01, 0.99), axis=0), axis=0) for z in codes])
    row.number("width of the map", sides[0, 0], "units of z₁, middle 98 %")
    row.number("height of the map", sides[0, 1], "units of z₂, middle 98 %")
    row.over("area of the map", sides.prod(1).tolist(), "squared units")
    for what, values in {"area": sides.prod(1), "test error": np.array(errors)}.items():
        row.number(f"largest {what} over the smallest", values.max() / values.min(), f"of {study.seeds} seeds")
    row.finding(plane.size_of_map(sides.prod(1).tolist(), errors))

    row.question("Where does each class lie, and what is decoded there?")
    z, reader, labels = first.subject.codes("train"), generation.classifier(train), np.asarray(train.labels)
    names = {c: str(c) if train.label_names is None else train.label_names[c] for c in np.unique(labels).tolist()}
    grid, steps = latents.by_quantiles(20, z), latents.over_range(z)
    images = first.model.decode(grid.codes).numpy()
    tiles = plane.Tiles(grid, z, labels, *generation.read(reader, images))
    plainly = plane.Tiles(steps, z, labels, *generation.read(reader, first.model.decode(steps.codes).numpy()))
    row.figure(
        "units",
        figures.latent_scatter(codes[0], test.labels, test.label_names, "Test images, in units of the code"),
        "Codes of the test images by class, as the encoder gives them.",
    )
    seen: dict[str, Any] = {"title": "Test images, by shares", "axis_names": grid.axis_names, "extent": grid.extent}
    row.figure(
        "map",
        figures.latent_scatter(grid.places(codes[0]), test.labels, test.label_names, **seen),
        "The same codes on the axes of the grid: equal shares of the training codes.",
    )
    row.figure(
        "grid",
        figures.decoded_grid(images, grid.extent, "Decoded over the same axes", grid.axis_names, grid.places(codes[0])),
        "Decoded at the quantiles of the training codes, on the axes of the scatter; the line encloses 95 % of the test codes.",
    )
    cells: list[tuple[Cell, ...]] = []
    for c, name in names.items():
        unit = "share of codes, median of the class"
        x, y = (row.number(f"place of {name}, {axis}", at, unit) for axis, at in zip("xy", tiles.place(c), strict=True))
        n = row.number(f"tiles that show {name}", tiles.shown[c], f"of {len(images)} tiles")
        own = row.number(f"codes of {name} where it is most frequent", tiles.own[labels == c].mean(), "share of codes")
        cells.append((name, plane.sector(x, y), round(x, 2), round(y, 2), percent(own), int(n)))
    row.table(
        f"Where each class lies (median of its training codes, in shares), and the {len(images)} tiles. A tile shows a class "
        f"that the classifier reads in it with a probability of {percent(plane.SURE)} or more.",
        ("class", "place", "x", "y", "codes where it is most frequent", "tiles that show it"),
        cells,
    )
    kinds = f"of {len(names)} classes"
    there = row.number("classes that the grid shows", len(tiles.shown), kinds)
    row.check("classes of which the grid shows a tile", there, "=", 10, number="classes that the grid shows")
    by_steps = row.number("classes that a grid of equal steps shows", len(plainly.shown), kinds)
    missed = [name for c, name in names.items() if c in tiles.shown and c not in plainly.shown]
    row.finding(plane.two_grids(int(by_steps), int(there), len(names), missed), "grid")
    row.finding(plane.where({name: tiles.place(c) for c, name in names.items()}), "map", "grid")

    agree, full = tiles.agree
    row.number("tiles that hold a training code", full / len(images), "share of tiles")
    row.number(
        "tiles read as their most frequent class", agree / full, "share of tiles", *wilson(agree, full),
        "Wilson, tiles as if independent",
    )  # fmt: skip
    for kind, which in (("filled", tiles.most >= 0), ("empty", tiles.most < 0)):
        what, unit = f"confidence in {kind} tiles", "probability of the class"
        if which.sum() > 1:
            row.over(what, tiles.sure[which], unit, "tiles, as if independent")
        else:
            row.number(what, 0, unit)
    held = np.sort(grid.counts(z).ravel())[::-1]
    dense = int(np.searchsorted(held.cumsum(), 0.95 * held.sum())) + 1
    row.number("tiles that hold 95 % of the codes", dense, "tiles, as few as can be")
    row.number("tiles with few codes", (held < held.mean() / 10).sum(), "tiles with less than a tenth of the average")
    row.number("tiles that show no class", (tiles.sure < plane.SURE).sum(), f"of {len(images)} tiles")
    row.number("tiles that disagree with their most frequent class", full - agree, "tiles")
    worst, medians = [], ""
    for (a, b), n in tiles.confused.most_common(1):
        worst = [(joined([names[a], names[b]]), n)]
        medians = f" (medians at {joined(['({:.2f}, {:.2f})'.format(*tiles.place(c)) for c in (a, b)])})"
        row.number("tiles of the two classes confused most often", n, f"tiles: {worst[0][0]}")
    row.finding(plane.corresponds(row.found, worst, full - agree, medians), "map", "grid")
    row.finding(plane.filled(row.found), "grid")

    row.question("What does a longer code change?")
    pca = metrics.error_by_components(linear.model, test.images)
    fits, by_pca, legible, cells = {}, {}, {}, []
    for n, ae in longer.items():
        error = ae.measure("reconstruction").scores["MSE"]
        row.score(f"test error, code of {n}", error)
        last = fits[n] = row.number(f"training loss, code of {n}", ae.curve()[-1], "squared error per pixel")
        by_pca[n] = row.number(f"test error, PCA of {n}", pca[min(n, len(pca) - 1)], "squared error per pixel")
        right = generation.read(reader, ae.subject.reconstructions)[0] == test.labels
        legible[n] = row.number(
            f"reconstructions read right, code of {n}", right.mean(), "share of images",
            *wilson(int(right.sum()), len(right)), "Wilson",
        )  # fmt: skip
        as_pca = int((pca > error.value).sum()) if pca[-1] <= error.value else None
        cells.append((n, ae.model.summary().parameters, last, error.value, by_pca[n], as_pca, percent(legible[n], 1)))
    columns = ("numbers", "parameters", "training loss", "test error", "PCA", "components of PCA", "class read right")
    row.table(
        "One network with codes of several lengths, one training each: squared error per pixel, that of as many principal "
        "components, how many components have as small an error (– for more than 256), and reconstructions that the classifier "
        "reads right.",
        columns,
        cells,
    )
    rows = {f"{n} numbers": ae.model.reconstruct(shown.images).numpy() for n, ae in longer.items()}
    row.figure(
        "lengths",
        figures.reconstructions(shown.pixels, rows, "Reconstructions by the length of the code"),
        "Test images and their reconstructions from codes of several lengths.",
    )
    by_length = {n: row.numbers[f"test error, code of {n}"]["value"] for n in longer}
    row.finding(plane.longer(by_length, fits, by_pca, legible), "lengths")


# %% [markdown]
# ## 2.2 Deliverable 2: removing noise, with convolutions alone
# The encoder sees each image with Gaussian noise of standard deviation 0.5, clipped to [0, 1]; the target is the clean image.
# Three convolutions with batch norm, LeakyReLU and max pooling are followed by three transposed ones. The code is the last
# map of the encoder, the bottleneck. How few numbers may it have? Networks that differ only in the channels of that map are
# trained for fewer epochs and compared.

# %%
denoiser = study.train(zoo.denoising_conv, train, test, epochs=study.denoising_epochs, batch_size=128, lr=1e-2, **once)
narrower = [
    study.train(
        zoo.denoising_conv,
        train,
        test,
        channels=(16, 20, c),
        epochs=study.bottleneck_epochs,
        lr=1e-2,
        **once,
        may_fail="one of several sizes of the bottleneck",
    )
    for c in study.bottlenecks
]
study.in_pytorch(denoiser)


@study.row(
    "2.2",
    "Deliverable 2: a small convolutional network that removes noise",
    to_try="Train with σ = 0.5 and test with σ = 0.8. Does the network still help?",
)
def noise(row: Row) -> None:
    summary = denoiser.model.summary()
    row.table("The layers of the denoising network.", *summary.table)
    row.figure(
        "loss",
        figures.loss_curves(run_figures.losses(denoiser.run), "Denoising autoencoder"),
        "Squared error per pixel by epoch, from noisy training and test images to the clean ones.",
    )
    row.check(
        "parameters of the denoiser", row.number("parameters", summary.parameters, "weights"), "≤", 15_000, always=True
    )
    lowest = row.number("lowest training loss", min(denoiser.curve()), "squared error per pixel")
    row.check(f"training loss of the denoiser within {study.denoising_epochs} epochs", lowest, "<", 0.025)
    found = denoiser.measure("reconstruction").scores["denoising MSE"]
    row.check("test error of the denoiser", row.score("test error", found), "≤", 0.0125, "per pixel")

    away = np.square(denoiser.model.corrupt(few.images).numpy() - few.pixels).mean((1, 2, 3))
    row.over("error of the noisy images", away, "squared error per pixel", "images")
    pairs = denoiser.model.corrupt(shown.images)
    cleaned = {"noisy": pairs.numpy(), "denoised": denoiser.model.reconstruct(pairs).numpy()}
    row.figure(
        "denoised",
        figures.reconstructions(shown.pixels, cleaned, "Test images"),
        "Clean, noisy and denoised test images.",
    )
    row.finding(words.denoised(row.found), "denoised")

    size = {math.prod(ae.model.latent_shape): ae.measure("reconstruction").scores["denoising MSE"] for ae in narrower}
    points = {str(n): (n, score.value) for n, score in size.items()}
    axes = ("numbers in the bottleneck", "test error from noisy images")
    row.figure(
        "bottleneck",
        figures.trade_off(points, *axes, title="How much a bottleneck must hold"),
        f"Test error by the size of the bottleneck, after {study.bottleneck_epochs} epoch"
        f"{'s' * (study.bottleneck_epochs > 1)} each.",
    )
    for n, score in size.items():
        row.score(f"test error, {n} numbers", score)
    enough, sentence = words.bottleneck({n: score.value for n, score in size.items()}, words.ROOM)
    row.number("smallest bottleneck that is enough", enough, "numbers")
    row.number("pixels", math.prod(test.shape), "numbers")
    row.finding(sentence, "bottleneck", about=(narrower[study.bottlenecks.index(max(study.bottlenecks))],))


# %% [markdown]
# ## 2.3 Deliverable 3: codes that can be sampled
# A variational autoencoder encodes each image as a Gaussian over codes, with mean μ and variance σ², and the KL term penalises
# every nat by which that Gaussian differs from N(0, I). The loss is the cross entropy summed over pixels plus KL, averaged over
# the batch. Grey pixels are not coin flips, so these nats are a cross entropy and not a likelihood.
#
# μ and log σ² come from one linear layer whose output is cut in two. That is the same as two linear layers side by side: the
# first half of its rows of weights is the layer of μ, the second half that of log σ², and no weight belongs to both.

# %%
vaes = [
    study.train(
        zoo.vae, train, test, latent_dim=16, hidden=(512, 512), activation="silu",
        epochs=study.vae_epochs, lr=5e-3, schedule="one-cycle", seed=seed,
    )
    for seed in range(study.seeds)
]  # fmt: skip
vae = vaes[0]
study.in_pytorch(vae)


@study.row(
    "2.3",
    "Deliverable 3: a variational autoencoder, and one image encoded many times",
    to_try=(
        "Encode one image a hundred times and average the reconstructions. Is the average "
        "sharper or more blurred than one of them?"
    ),
)
def variational(row: Row) -> None:
    summary = vae.model.summary()
    row.table("The layers of the VAE.", *summary.table)
    row.figure(
        "loss", figures.loss_curves(run_figures.losses(vae.run), "VAE"), "Negative ELBO and its two terms by epoch."
    )
    row.check(
        "parameters of the VAE", row.number("parameters", summary.parameters, "weights"), "≤", 1_500_000, always=True
    )
    lowest = row.number("lowest training loss", min(vae.curve(term="total")), "nats per image")
    row.check(f"training loss of the VAE within {study.vae_epochs} epochs", lowest, "<", 120, "nats")
    last = row.over("training loss, last epoch", [v.curve(term="total")[-1] for v in vaes], "nats per image")
    row.check("training loss of the VAE in its last epoch", last, "≤", 98, "nats")
    row.over("test loss", [v.curve("validation", "total")[-1] for v in vaes], "nats per image")

    three = shown.take(np.unique(np.asarray(shown.labels), return_index=True)[1][:3])  # of three classes
    draws = latents.scaled_samples(vae.model, three, scales=(1, 20), n=8)
    strips = {f"image {i + 1}, σ² × {s}": images[i] for i in range(len(three)) for s, images in draws.items()}
    row.figure(
        "draws",
        figures.strips(strips, title="Eight draws from the posterior of one image"),
        "Test images of three classes: eight draws from the posterior of each, and from one of twenty times its variance.",
    )
    reader = generation.classifier(train)
    from_mean = generation.read(reader, vae.model.reconstruct(few.images).numpy())[0] == digits
    row.over("reconstructions from the mean read as the right class", from_mean, "share of images", "images")
    for scale, images in latents.scaled_samples(vae.model, few, scales=(1, 20), n=8).items():
        classes, _ = generation.read(reader, images.reshape(-1, *test.shape))
        right = (classes.reshape(len(few), -1) == digits[:, None]).mean(1)
        name = f"draws read as the right class, variance × {scale}"
        row.over(name, right, "share of draws", "images")
        spread = images.var(1, ddof=1)
        row.number(f"spread between draws, variance × {scale}", np.sqrt(spread.mean()), "standard deviation per pixel")
        if scale == 1:
            ink = few.pixels > 0.5
            inside, near = (look(ink, size=(1, 1, 3, 3)) for look in (minimum_filter, maximum_filter))
            for where, mask in {"on and beside": near, "at the rim of": ink & ~inside, "inside": inside}.items():
                row.number(f"variance {where} strokes", spread[mask].sum() / spread.sum(), "share of the variance")
                row.number(f"pixels {where} strokes", mask.mean(), "share of pixels")
    row.finding(words.encoded_again(row.found), "draws")


# %% [markdown]
# ## 2.4 Deliverable 4: asking for a digit
# Encoder and decoder are given the class, as a one-hot vector or as a learned one (an embedding). Then a digit can be asked
# for, and the code need not say which digit it is. Without a class, the same recipe must be the model of Deliverable 3, weight
# by weight.
#
# The number of epochs and the length of the code were chosen on held-out training images, without the test images.

# %%
wide = {"hidden": (512, 512), "activation": "silu", "schedule": "one-cycle"}
CONDITIONS = {"one-hot": "label", "embedded": "embedding"}
cvaes = {
    name: [
        study.train(
            zoo.cvae,
            train,
            test,
            condition=condition,
            latent_dim=16,
            **wide,
            epochs=study.conditional_epochs,
            lr=3e-3,
            seed=seed,
        )
        for seed in range(study.seeds)
    ]
    for name, condition in CONDITIONS.items()
}
without = study.train(
    zoo.cvae, train, test, condition="none", latent_dim=16, **wide, epochs=study.vae_epochs, lr=5e-3, seed=0
)
study.in_pytorch(cvaes["one-hot"][0])


@study.row(
    "2.4",
    "Deliverable 4: a conditional variational autoencoder",
    to_try=("Keep the code and change the label from 1 to 7. What stays the same: slant, stroke width, position?"),
)
def conditional(row: Row) -> None:
    pairs = zip(vae.model.parameters(), without.model.parameters(), strict=True)
    apart = row.number(
        "largest difference of a weight from Deliverable 3",
        max(float((a - b).detach().abs().max()) for a, b in pairs),
        "",
    )
    row.check("without a condition, largest difference of a weight from Deliverable 3", apart, "=", 0, always=True)
    losses = zip(vae.curve(term="total"), without.curve(term="total"), strict=True)
    apart = row.number(
        "largest difference of a loss from Deliverable 3", max(abs(a - b) for a, b in losses), "nats per image"
    )
    row.check("without a condition, largest difference of an epoch's loss", apart, "=", 0, "nats", always=True)
    first = cvaes["one-hot"][0]
    row.figure(
        "loss",
        figures.loss_curves(run_figures.losses(first.run), "Conditional VAE, one-hot labels"),
        "Negative ELBO and its terms by epoch.",
    )
    drawn = np.concatenate([first.model.sample(10, y=c).numpy() for c in np.arange(10)])
    title = "One class per row, one code per column"
    row.figure("samples", figures.sample_grid(drawn, title, 10), "Samples: rows share the label, columns the code.")

    reader = generation.classifier(train)
    row.number(
        "real test images read right",
        (generation.read(reader, test.pixels)[0] == test.labels).mean(),
        "share of images",
    )
    other = (digits + 1 + np.random.default_rng(0).integers(0, 9, len(few))) % 10
    cells, by_class = [], {}
    for name, several in cvaes.items():
        answers = [generation.asked_for(one.model, reader, study.per_class) for one in several]
        by_class[name] = np.array([[(read[asked == c] == c).mean() for c in range(10)] for asked, read in answers])
        share = row.over(f"read as asked: {name}", [(read == y).mean() for y, read in answers], "share of samples")
        row.check(f"samples read as the digit asked for, {name}", share, "≥", 0.97, number=f"read as asked: {name}")
        unit = "nats per image, given the label"
        row.over(f"test loss: {name}", [one.curve("validation", "total")[-1] for one in several], unit)
        swapped = [
            generation.read(reader, one.model.decode(one.model.encode(few.images, digits), other).numpy())[0]
            for one in several
        ]
        for which, labels in (("new", other), ("old", digits)):
            row.over(f"read as the {which} label: {name}", [(x == labels).mean() for x in swapped], "share of images")
        measured = ("read as asked", "read as the new label", "read as the old label")
        shares = [words.spanned(row.numbers[f"{what}: {name}"], share=True) for what in measured]
        cells.append((name, *shares, words.spanned(row.numbers[f"test loss: {name}"])))
    columns = ("label", "read as asked", "decoded under another label: as that", "as its own", "test loss")
    row.table(
        f"{study.per_class:,} samples of each digit, and {len(few):,} test images decoded under another label, as a classifier "
        f"of real digits reads them; means and 95 % intervals over {study.seeds} seeds.",
        columns,
        cells,
    )
    right = {}
    for c in range(10):
        for name in CONDITIONS:
            row.over(f"read as asked: {name}, {c}", by_class[name][:, c], "share of samples")
            right[f"{c}, {name}"] = row.numbers[f"read as asked: {name}, {c}"]
    row.figure(
        "read",
        figures.bars(
            {name: 100 * n["value"] for name, n in right.items()},
            "% read as asked",
            {name: (100 * n["low"], 100 * n["high"]) for name, n in right.items()},
            title="Samples read as the requested digit",
        ),
        f"Samples that a classifier reads as asked, by class: means and 95 % intervals over {study.seeds} seeds.",
    )
    row.finding(words.asked(row.found), "samples", "read")
    row.finding(words.relabelled(row.found), "samples")


# %% [markdown]
# ## 2.5 Deliverable 5: completing an image
# The decoder is given the lower left quarter of the image and must draw all of it. The plain network has the decoder's
# capacity but no code, and gives one answer. The conditional VAE has a code for what the quarter leaves open, and gives as
# many answers as codes are drawn.
#
# Codes drawn from N(0, I) are the same for every quarter. With a conditional prior a small network reads off the quarter
# which codes fit it (Sohn, Lee and Yan 2015). Their hybrid objective also trains what is drawn without seeing the image.
# All settings were chosen on held-out training images.

# %%
completing_options = {**wide, "epochs": study.completion_epochs, "lr": 3e-3}
CODES: dict[str, dict[str, Any]] = {
    completing.STANDARD: {},
    completing.CONDITIONAL: {"prior": "conditional"},
    completing.HYBRID: {"prior": "conditional", "from_prior": study.from_prior},
}
completers = {
    name: [
        study.train(zoo.completion, train, test, latent_dim=16, **how, **completing_options, seed=seed)
        for seed in range(study.seeds)
    ]
    for name, how in CODES.items()
}
plain = [study.train(zoo.completion_plain, train, test, **completing_options, seed=seed) for seed in range(study.seeds)]
study.in_pytorch(completers[completing.CONDITIONAL][0], plain[0])


@study.row(
    "2.5",
    "Deliverable 5: completions of one quarter, against one deterministic network",
    to_try=(
        "Give the model the upper right quarter instead. Which digits become easier to complete, and which harder?"
    ),
)
def completion(row: Row) -> None:
    how, k, reader = "squared error per pixel not given", study.completions, generation.classifier(train)

    def read(name: str, several: list[metrics.Completions]) -> None:
        chances = [generation.read(reader, found.images.reshape(-1, *test.shape))[1] for found in several]
        for what, bar in (("read with confidence", completing.SURE), ("read at all", completing.HALF)):
            row.over(f"{what}: {name}", [(chance >= bar).mean() for chance in chances], "share of completions")

    single = [metrics.complete(one.model, few, 1) for one in plain]
    found = {name: [metrics.complete(one.model, few, k) for one in several] for name, several in completers.items()}
    known = generation.read(reader, few.pixels)[1] >= completing.SURE
    row.number("read with confidence: real images", known.mean(), "share of images")
    named = f"error of one: {completing.PLAIN}"
    row.over(named, [answer.mean.mean() for answer in single], how)
    read(completing.PLAIN, single)
    for name, several in found.items():
        means = {
            "error of one": [c.mean.mean() for c in several],
            "error of the best": [c.best.mean() for c in several],
            "error of their mean": [c.of_mean.mean() for c in several],
            "error of the mean of all": [(c.of_mean - c.spread / (k - 1)).mean() for c in several],
            "variance between completions": [c.spread.mean() for c in several],
        }
        for what, by_seed in means.items():
            row.over(f"{what}: {name}", by_seed, how)
        read(name, several)
    measured = ("error of one", "error of the best", "error of their mean")

    def cells_of(name: str) -> tuple[str, ...]:
        told = [row.numbers.get(f"{what}: {name}") for what in measured]
        shares = [
            words.spanned(row.numbers[f"{what}: {name}"], share=True)
            for what in ("read with confidence", "read at all")
        ]
        return (name, *("–" if number is None else words.spanned(number) for number in told), *shares)

    row.table(
        f"Completions of {len(few):,} test images, {k} of each: squared error per pixel that was not given, and completions "
        f"that a classifier of real digits reads with a probability of {percent(completing.SURE)} and of "
        f"{percent(completing.HALF)} or more; means and 95 % intervals over {study.seeds} seeds.",
        ("codes", "one completion", f"best of {k}", f"mean of {k}", "read with confidence", "read at all"),
        [cells_of(name) for name in (completing.PLAIN, *found)],
    )
    gaps = {}
    for name, several in found.items():
        pairs = list(zip(several, single, strict=True))
        less = [c.best.mean() - a.mean.mean() for c, a in pairs]
        gaps[name] = row.over(f"best of {k}, {name}, less the plain network", less, how)
        beats = [(c.best < a.mean).mean() for c, a in pairs]
        what = f"images whose best of {k} has a smaller error than the plain network: {name}"
        row.over(what, beats, "share of images")
    gap = gaps[completing.CONDITIONAL]
    row.check(f"error of the best of {k} with the conditional prior, less that of the plain network", gap, "<", 0)

    nats = metrics.nll(completers[completing.CONDITIONAL][0].model, few, study.importance_samples)
    plainly = metrics.nll(plain[0].model, few, 1)
    for name, each in {
        "conditional NLL of the VAE": nats.per_image,
        "conditional NLL of the plain network": plainly.per_image,
        "nats gained by the code": plainly.per_image - nats.per_image,
    }.items():
        row.over(name, each, nats.unit, "images, paired")

    eight = few.take(range(8))
    anchors = {
        completing.CONDITIONAL: "completions",
        completing.HYBRID: "hybrid",
        completing.STANDARD: "standard",
    }
    for prior, anchor in anchors.items():
        drawn, by = found[prior][0], "from N(0, I)" if prior == completing.STANDARD else f"by the {prior}"
        shown_rows = {"given": drawn.told[:8], completing.PLAIN: single[0].images[:8, 0]}
        shown_rows |= {f"completion {i + 1}": drawn.images[:8, i] for i in range(min(5, k))}
        row.figure(
            anchor,
            figures.reconstructions(eight.pixels, shown_rows, f"Completions: {prior}"),
            f"Eight test images, the quarter given, the plain network's answer, and completions with codes {by}.",
        )
    drawn_too = [f"{what}: {name}" for name in found for what in measured]
    errors = {name.removeprefix("error of "): row.numbers[name] for name in (named, *drawn_too)}
    bars = {name: n["value"] for name, n in errors.items()}
    spans = {name: (n["low"], n["high"]) for name, n in errors.items()}
    row.figure(
        "errors",
        figures.bars(bars, how, spans, title="Errors of completions"),
        f"Errors over {len(few):,} test images, with 95 % intervals over {study.seeds} seeds; {k} completions each.",
    )
    row.finding(completing.single(row.found, completing.CONDITIONAL), "completions", "errors")
    row.finding(completing.best(row.found, list(anchors), k), "errors")
    row.finding(completing.hybrid(row.found), "hybrid", "errors")
    row.finding(completing.legible(row.found), "completions", "standard")
    row.finding(completing.nats(row.found))


# %% [markdown]
# ## 2.6 Deliverable 6: discrete codes
# The VQ-VAE replaces each output of the encoder by the nearest vector of a codebook. The gradient skips that step, so the loss
# has three terms: the reconstruction; the codebook term, which draws codes to outputs; and the commitment term, which draws
# outputs to codes. The codebook can also follow the outputs as moving averages, without a term of its own.
#
# After the usual training come four shorter ones, with and without commitment for both kinds of codebook. Then one part of the
# network is halved at a time, over several seeds. Trainings of one comparison have equally many steps.


# %%
EVERY, BY = 50, 1.5  # steps between two points of the loss; how many times its lowest value is a jump


def quantised(epochs: int, seed: int = 0, **options: Any) -> Trained:
    return study.train(
        zoo.vqvae,
        colour,
        colour_test,
        restart=study.vq_restart,
        activation="silu",
        batch_size=32,
        lr=study.vq_lr,
        schedule="one-cycle",
        clip_norm=1.0,
        precision="float32",
        log_every=EVERY,
        epochs=epochs,
        seed=seed,
        **options,
    )


UNHELD = "it is trained without commitment to show what that does"
usual = quantised(study.vq_epochs)
study.in_pytorch(usual)
quantisers = {
    "moving averages": quantised(study.commitment_epochs),
    "moving averages, no commitment": quantised(study.commitment_epochs, commitment=0.0, may_fail=UNHELD),
    "codebook loss": quantised(study.commitment_epochs, codebook="loss"),
    "codebook loss, no commitment": quantised(
        study.commitment_epochs, codebook="loss", commitment=0.0, may_fail=UNHELD
    ),
}
PARTS: dict[str, dict[str, Any]] = {
    "hidden width": {"width": 64},
    "residual width": {"residual_width": 16},
    "residual layers": {"residual_layers": 1},
}
HALVES: dict[str, dict[str, Any]] = {"whole": {}, **{f"half the {part}": how for part, how in PARTS.items()}}
halves = {
    name: [quantised(study.halving_epochs, seed, **how) for seed in range(study.seeds)] for name, how in HALVES.items()
}


@study.row(
    "2.6",
    "Deliverable 6: a vector-quantised autoencoder, with and without commitment",
    to_try="Halve the number of codes once more. Which falls first, the error or the perplexity?",
)
def discrete(row: Row) -> None:
    row.table("The layers of the VQ-VAE.", *usual.model.summary().table)
    steps, use = usual.history[-1]["step"], usual.measure("usage").scores
    row.number("steps", steps, "batches of 32")
    lost = row.score("test error over variance", usual.measure("reconstruction").scores["error over variance"])
    row.check(f"test error over variance of the VQ-VAE after {steps:,} steps", lost, "≤", 0.055)
    row.score("perplexity", use["perplexity"])
    row.score("used codes", use["used codes"])

    row.question("What happens without the commitment term, and why?")
    cells, outputs = [], {}
    for name, vq in quantisers.items():
        error, use = vq.measure("reconstruction").scores["error over variance"], vq.measure("usage").scores
        outputs[name] = z = latents.unquantised(vq.model, colour_test)
        unit = "units of the code"
        size = row.number(f"encoder outputs, root mean square: {name}", np.sqrt(np.square(z).mean()), unit)
        lost = row.score(f"test error over variance: {name}", error)
        ends = np.quantile(z, (0, 0.01, 0.99, 1)).tolist()
        for share, end in zip(("1 %", "99 %"), ends[1:3], strict=True):
            row.number(f"encoder outputs, {share}: {name}", end, unit)
        row.score(f"used codes: {name}", use["used codes"])
        row.score(f"perplexity: {name}", use["perplexity"])
        away = quantising.relative_distance(z[:: max(1, len(z) // 50_000)], latents.codebook(vq.model))
        row.number(f"distance from the codes: {name}", away, "squared, over the mean square of the outputs")
        cells.append((name, lost, use["perplexity"].value, use["used codes"].value, size, *ends))
    columns = ("codebook", "error / variance", "perplexity", "used codes", "outputs, rms", "min", "1 %", "99 %", "max")
    after = quantisers["moving averages"].history[-1]["step"]
    row.table(
        f"Test images, after {after:,} steps: error, use of the codebook, and the range of the encoder's outputs; one training "
        "each.",
        columns,
        cells,
    )
    few_of = {name: np.abs(z.ravel()[:: max(1, z.size // 100_000)]) for name, z in outputs.items()}
    values = {name: np.log10(np.maximum(size, 1e-3)) for name, size in few_of.items()}
    row.figure(
        "ranges",
        figures.histogram(values, "log₁₀ of the absolute value", title="Size of the encoder's outputs"),
        "What the encoder gives, before it is quantised: absolute values on a log scale, clipped below at 0.001.",
    )
    some = run_figures.shown(colour_test)
    images = {name: run_figures.reconstruct(vq.model, some).clamp(0, 1).numpy() for name, vq in quantisers.items()}
    row.figure(
        "images",
        figures.reconstructions(some.pixels, images, "Test images"),
        "Test images, and the reconstructions by the four trainings.",
    )
    row.finding(quantising.commitment(row.found, ("moving averages", "codebook loss")), "ranges", "images")

    row.question("What do the codebooks look like?")
    panels = []
    for name in ("moving averages", "moving averages, no commitment"):
        vq = quantisers[name]
        vectors = latents.codebook(vq.model)
        seen = latents.project(vectors)
        row.number(f"codebook, root mean square: {name}", np.sqrt(np.square(vectors).mean()), "units of the code")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        for end, some_vectors in {"": vectors, " at unit length": vectors / np.maximum(lengths, 1e-12)}.items():
            in_two = quantising.in_two_directions(some_vectors)
            row.number(f"codebook, variance in two directions{end}: {name}", in_two, "share of the variance")
        look: dict[str, Any] = {"title": name[0].upper() + name[1:], "axis_names": seen.axis_names}
        panels.append(partial(figures.codebook_map, seen.points, latents.uses(vq.model, colour_test), **look))
    row.figure(
        "codebook",
        figures.page(panels, "Codebooks with and without commitment", columns=2),
        "The vectors of the codebook in their first two principal components, with commitment and without; an area is the "
        "share of use.",
    )
    row.finding(quantising.codebooks(row.found, "moving averages"), "codebook")

    row.question("Where do the training curves jump, and why?")
    of_usual = usual.measure("reconstruction").scores
    constant = row.number(
        "error of a constant image",
        of_usual["MSE"].value / of_usual["error over variance"].value,
        "squared error per pixel",
    )
    calm: dict[str, str] = {}
    for name, vq in {"usual training": usual, **quantisers}.items():
        anchor = f"loss-{name.replace(', ', '-').replace(' ', '-')}"
        lines, found = jumping.points(vq.run), jumping.rises(vq.run, BY)
        row.figure(
            anchor,
            figures.loss_curves(run_figures.losses(vq.run, lines), f"VQ-VAE: {name}"),
            f"Loss terms, perplexity and used codes in a batch of 32: {name}.",
        )
        jumping.note(row, name, found, BY)
        if found:
            row.finding(jumping.jumped(name, found, BY, constant), anchor)
        else:
            calm[name] = anchor
    if calm:
        every = jumping.points(usual.run)[0]["step"]
        row.finding(jumping.calm(list(calm), every, BY), *calm.values())

    row.question("What do hidden width, residual width and residual layers do?")
    whole = halves["whole"][0].model
    sizes, cells = {}, []
    noise_of_64 = as_images(np.random.default_rng(0).random((4, 64, 64, colour.shape[0])))
    for name, several in halves.items():
        errors = [vq.measure("reconstruction").scores["error over variance"].value for vq in several]
        row.over(f"error: {name}", errors, "error over variance")
        parameters = several[0].model.summary().parameters
        large = zoo.vqvae((colour.shape[0], 64, 64), activation="silu", **HALVES[name])
        sees = max(metrics.receptive_field(large, noise_of_64))
        row.number(f"parameters: {name}", parameters, "weights")
        row.number(f"seen by one code: {name}", sees, "pixels across")
        sizes[name] = quantising.Half(parameters / whole.summary().parameters, sees)
        told = "–"
        if name != "whole":
            part = name.removeprefix("half the ")
            if (change := quantising.change(row.found, part)) is not None:
                what, unit = f"change of the error: {part}", "share of the whole network's"
                row.number(what, change.value, unit, *change.interval(), f"Welch, {study.seeds} seeds each", change.df)
                told = quantising.changed(row.found, part)
        cells.append((name, parameters, sees, words.spanned(row.numbers[f"error: {name}"]), told))
    row.table(
        f"One part halved at a time, {halves['whole'][0].history[-1]['step']:,} steps, {study.seeds} seeds: parameters, the "
        "pixels across that one code depends on in a large image, and the test error over the variance with its 95 % interval.",
        ("network", "parameters", "pixels seen by a code", "error / variance", "change"),
        cells,
    )
    bars = {name: row.numbers[f"error: {name}"] for name in halves}
    row.figure(
        "halves",
        figures.bars(
            {name: n["value"] for name, n in bars.items()}, "test error / variance",
            {name: (n["low"], n["high"]) for name, n in bars.items()}, title="One part halved at a time",
        ),
        f"Test error over variance, means and 95 % intervals over {study.seeds} seeds.",
    )  # fmt: skip
    parts = {part: sizes[f"half the {part}"] for part in PARTS}
    row.finding(quantising.halved(row.found, parts, sizes["whole"]), "halves")


# %% [markdown]
# ## The questions
# Each is answered from what the rows above have measured.


# %%
@study.row("answers", "The questions, answered from the measurements")
def answers(row: Row) -> None:
    for question in QUESTIONS:
        row.question(question.text)
        row.finding(question.answer(study.found(question.row)), rows=(question.row,))
