# %% [markdown]
# # Six generative models, from a map of digits to a codebook of colours
# Six models, from a plain autoencoder on: one that removes noise, one whose codes can be drawn, one that can be asked for a
# digit, one that completes images, and one whose codes are discrete. The first five see digits, the last one small colour
# images. The questions that this study answers are in its last row.
#
# An interval is over seeds where there are several trainings, else over the images, samples or tiles of one training; then
# it says nothing about another training. A number without one is of one training too.

# %%
import math
from typing import Any

import numpy as np
from scipy.ndimage import morphological_gradient

from diabolo import figures, latents, metrics, zoo
from diabolo.metrics import generation
from diabolo.pictures import run_figures
from diabolo.statistics import wilson
from diabolo.studies import Row, Study, Trained, less
from diabolo.studies.engine import needs
from diabolo.studies.generative import words
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
    map_epochs=15,  # passes of the two-dimensional autoencoder
    denoising_epochs=20,  # passes of the denoising autoencoder
    bottleneck_epochs=3,  # passes for each width of the bottleneck
    bottlenecks=(1, 2, 4, 8, 16),  # channels of the bottleneck to compare
    vae_epochs=10,  # passes of the VAEs
    per_class=1_000,  # images generated of each class
    looked_at=1_000,  # test images that are completed
    completions=10,  # completions drawn for each
    importance_samples=200,  # codes drawn for each image to estimate its NLL
    vq_epochs=8,  # passes of the VQ-VAEs
    vq_lr=3e-3,  # their learning rate
    vq_restart=0.08,  # part of the average use below which a code begins anew
    halving_epochs=2,  # passes for each way to halve the VQ-VAE
    quick={
        "n_train": 1_500,
        "n_test": 400,
        "colour_n_train": 320,
        "colour_n_test": 400,
        "seeds": 2,
        "map_epochs": 30,
        "denoising_epochs": 25,
        "bottleneck_epochs": 15,
        "bottlenecks": (1, 16),
        "vae_epochs": 20,
        "per_class": 50,
        "looked_at": 100,
        "completions": 5,
        "importance_samples": 20,
        "vq_epochs": 4,
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
# ## 2.1 A map of digits
# A code of two numbers can be drawn on paper. Encoder and decoder are fully connected with LeakyReLU between their layers,
# nothing bounds the code, a sigmoid keeps the pixels in [0, 1], and the loss is the squared error. The decoder can be asked
# for every point of the plane, also where no image lies.

# %%
maps = [
    study.train(
        zoo.undercomplete, train, test, latent_dim=2, hidden=(600, 256, 128, 64), activation="leaky_relu",
        epochs=study.map_epochs, batch_size=64, lr=1e-3, precision="float32", schedule="one-cycle", seed=seed,
    )
    for seed in range(study.seeds)
]  # fmt: skip
study.in_pytorch(maps[0])


@study.row("2.1", "An autoencoder with a code of two numbers")
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

    grid = latents.over_range(codes[0])
    row.figure(
        "map",
        figures.latent_scatter(codes[0], test.labels, test.label_names, "The map of the test images"),
        "Codes of the test images by class.",
    )
    tiles = first.model.decode(grid.codes).numpy()
    row.figure(
        "grid",
        figures.decoded_grid(tiles, grid.extent, "Decoded over the map"),
        "Decoded from a regular grid over the middle 98 % of the codes.",
    )
    sides = np.array([np.ptp(np.quantile(z, (0.01, 0.99), axis=0), axis=0) for z in codes])
    row.number("width of the map", sides[0, 0], "units of z₁, middle 98 %")
    row.number("height of the map", sides[0, 1], "units of z₂, middle 98 %")
    row.over("area of the map", sides.prod(1).tolist(), "squared units")
    row.finding(words.size_of_map(sides.prod(1).tolist(), errors), "map", "grid")

    full = grid.counts(first.subject.codes("train")) > 0
    row.number("tiles that hold a training code", full.mean(), "share of tiles")
    _, sure = generation.read(generation.classifier(train), tiles)
    for kind, which in (("filled", full), ("empty", ~full)):
        name, unit = f"confidence in {kind} tiles", "probability of the class"
        if which.any():
            row.over(name, sure[which], unit, "tiles, as if independent")
        else:
            row.number(name, 0, unit)
    row.finding(words.filled(row.found), "grid")


# %% [markdown]
# ## 2.2 Removing noise, with convolutions alone
# The encoder sees each image with Gaussian noise of standard deviation 0.5, cut back to [0, 1]; the target is the clean
# image. Three convolutions with batch norm, LeakyReLU and max pooling, three transposed ones back. Its code is the last map:
# how few numbers may that have? Networks that differ in the channels of that map alone are trained for fewer epochs and
# compared with each other.

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


@study.row("2.2", "A small convolutional network that removes noise")
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
    enough, sentence = words.bottleneck({n: score.value for n, score in size.items()}, room=0.25)
    row.number("smallest bottleneck that is enough", enough, "numbers")
    row.number("pixels", math.prod(test.shape), "numbers")
    row.finding(sentence, "bottleneck", about=(narrower[study.bottlenecks.index(max(study.bottlenecks))],))


# %% [markdown]
# ## 2.3 Codes that can be drawn
# A variational autoencoder gives each image not a code but a Gaussian of codes, and pays (the KL term) for every nat by which
# that differs from N(0, I). Loss: cross entropy summed over the pixels plus KL, averaged over the batch. Grey pixels are no
# coin flips, so these nats are a cross entropy and not a likelihood.

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


@study.row("2.3", "A variational autoencoder, and one image encoded many times")
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

    draws = latents.scaled_samples(vae.model, shown.take([0, 3, 6]), scales=(1, 20), n=8)
    strips = {f"image {i + 1}, σ² × {s}": images[i] for i in range(3) for s, images in draws.items()}
    row.figure(
        "draws",
        figures.strips(strips, title="Eight draws from the posterior of one image"),
        "Three test images: eight draws from the posterior of each, and from one of twenty times its variance.",
    )
    reader = generation.classifier(train)
    for scale, images in latents.scaled_samples(vae.model, few, scales=(1, 20), n=8).items():
        classes, _ = generation.read(reader, images.reshape(-1, *test.shape))
        right = (classes.reshape(len(few), -1) == digits[:, None]).mean(1)
        name = f"draws read as the right class, variance × {scale}"
        row.over(name, right, "share of draws", "images")
        row.number(
            f"spread between draws, variance × {scale}", np.sqrt(images.var(1).mean()), "root mean square per pixel"
        )
        if scale == 1:
            spread, edge = images.var(1), morphological_gradient(few.pixels, size=(1, 1, 3, 3)) > 0.5
            row.number("variance at the edges of strokes", spread[edge].sum() / spread.sum(), "share of the variance")
            row.number("pixels at the edges of strokes", edge.mean(), "share of pixels")
    row.finding(words.encoded_again(row.found), "draws")


# %% [markdown]
# ## 2.4 Asking for a digit
# Encoder and decoder are given the class as a one-hot vector. Then a digit can be asked for, and the code need not say which
# it is. Without a class, the same recipe must be the model of row 2.3, weight by weight.

# %%
cvae = study.train(
    zoo.cvae, train, test, latent_dim=16, hidden=(512, 512), activation="silu", epochs=study.vae_epochs, lr=3e-3, **once
)
untold = study.train(
    zoo.cvae, train, test, condition="none", latent_dim=16, hidden=(512, 512), activation="silu",
    epochs=study.vae_epochs, lr=5e-3, **once,
)  # fmt: skip
study.in_pytorch(cvae)


@study.row("2.4", "A conditional variational autoencoder")
def conditional(row: Row) -> None:
    pairs = zip(vae.model.parameters(), untold.model.parameters(), strict=True)
    apart = row.number(
        "largest difference of a weight from row 2.3", max(float((a - b).detach().abs().max()) for a, b in pairs), ""
    )
    row.check("without a condition, largest difference of a weight from row 2.3", apart, "=", 0, always=True)
    losses = zip(vae.curve(term="total"), untold.curve(term="total"), strict=True)
    apart = row.number(
        "largest difference of a loss from row 2.3", max(abs(a - b) for a, b in losses), "nats per image"
    )
    row.check("without a condition, largest difference of an epoch's loss", apart, "=", 0, "nats", always=True)
    row.figure(
        "loss",
        figures.loss_curves(run_figures.losses(cvae.run), "Conditional VAE"),
        "Negative ELBO and its terms by epoch.",
    )
    row.number("test loss", cvae.curve("validation", "total")[-1], "nats per image, given the label")

    classes = np.arange(10)
    drawn = np.concatenate([cvae.model.sample(10, y=c).numpy() for c in classes])
    title = "Each row is asked for one class, each column has one code"
    row.figure("samples", figures.sample_grid(drawn, title, 10), "Samples: rows share the label, columns the code.")
    reader = generation.classifier(train)
    asked, read = generation.asked_for(cvae.model, reader, study.per_class)
    right = {str(c): int((read == asked)[asked == c].sum()) for c in classes}
    whiskers = {name: wilson(n, study.per_class) for name, n in right.items()}
    shares = {name: n / study.per_class for name, n in right.items()}
    row.figure(
        "read",
        figures.bars(shares, "share read as asked", whiskers, title="Does a classifier read what was asked for?"),
        "Samples that a classifier reads as asked, by class.",
    )
    share = row.number(
        "read as asked", (read == asked).mean(), "share of samples", *wilson(sum(right.values()), len(read)), "Wilson"
    )
    row.number(
        "real test images read right",
        (generation.read(reader, test.pixels)[0] == test.labels).mean(),
        "share of images",
    )
    row.check("samples read as the digit asked for", share, "≥", 0.95, number="read as asked")

    other = (digits + 1 + np.random.default_rng(0).integers(0, 9, len(few))) % 10
    codes = cvae.model.encode(few.images, digits)
    read, _ = generation.read(reader, cvae.model.decode(codes, other).numpy())
    for name, labels in (("new", other), ("old", digits)):
        n = int((read == labels).sum())
        row.number(f"read as the {name} label", n / len(few), "share of images", *wilson(n, len(few)), "Wilson")
    row.finding(words.relabelled(row.found), "samples")


# %% [markdown]
# ## 2.5 Completing an image
# The decoder is given the lower left quarter of the image and must give all of it. One network without a code has the
# decoder's capacity, and one answer. The conditional VAE has a code for what the quarter leaves open, and as many answers as
# are drawn. Codes drawn from N(0, I) are the same for every quarter; with a conditional prior a small network reads off the
# quarter which codes fit it (Sohn, Lee and Yan 2015).

# %%
wide = {"hidden": (512, 512), "activation": "silu", "epochs": study.vae_epochs, "lr": 3e-3}
completing = study.train(zoo.completion, train, test, latent_dim=16, **wide, **once)
fitting = study.train(zoo.completion, train, test, latent_dim=16, prior="conditional", **wide, **once)
plain = study.train(zoo.completion_plain, train, test, **wide, **once)
study.in_pytorch(completing, plain)


@study.row("2.5", "Completions of one quarter, against one deterministic network")
def completion(row: Row) -> None:
    several = metrics.complete(completing.model, few, study.completions)
    fitted = metrics.complete(fitting.model, few, study.completions)
    single = metrics.complete(plain.model, few, 1)
    how = "squared error per pixel not given"
    one = "error of the plain network"
    errors = {
        one: single.mean,
        "error of one completion": several.mean,
        "error of the best": several.best,
        "error of their mean": several.of_mean,
        "error of the mean of all": several.of_mean - several.spread / (study.completions - 1),
        "variance between completions": several.spread,
        "error of one, conditional prior": fitted.mean,
        "error of the best, conditional prior": fitted.best,
        "error of their mean, conditional prior": fitted.of_mean,
    }
    for name, each in errors.items():
        row.over(name, each, how, "images")
        if name.startswith("error of ") and name != one:
            row.pair(less(name, one), each, single.mean, how, "images")
    nats = metrics.nll(completing.model, few, study.importance_samples)
    plainly = metrics.nll(plain.model, few, 1)
    for name, each in {
        "conditional NLL of the VAE": nats.per_image,
        "conditional NLL of the plain network": plainly.per_image,
        "nats gained by the code": plainly.per_image - nats.per_image,
    }.items():
        row.over(name, each, nats.unit, "images, paired")

    eight = few.take(range(8))
    rows = {"told": several.told[:8], "one network": single.images[:8, 0]}
    rows |= {f"completion {i + 1}": several.images[:8, i] for i in range(min(5, study.completions))}
    row.figure(
        "completions",
        figures.reconstructions(eight.pixels, rows, "Completions"),
        "Five of the completions of each test image.",
    )
    shares = {name: row.numbers[name]["value"] for name in errors}
    spans = {name: (row.numbers[name]["low"], row.numbers[name]["high"]) for name in errors}
    row.figure(
        "errors",
        figures.bars(shares, how, spans, title="Errors of completions"),
        f"Errors over {len(few):,} test images; {study.completions} completions each.",
    )
    row.finding(words.completions(row.found, study.completions), "completions", "errors")
    row.finding(words.conditional_prior(row.found, study.completions), "errors")
    row.finding(words.conditional_nll(row.found))


# %% [markdown]
# ## 2.6 Discrete codes
# The VQ-VAE replaces each output of the encoder by the nearest vector of a codebook. The gradient skips that step, so that
# the loss has three terms: the reconstruction, the codebook term, which draws codes to outputs, and the commitment term,
# which draws outputs to codes. The codebook can also follow the outputs as moving averages, without a term of its own. Four
# trainings, with and without commitment for both; then one part of the network is halved at a time, with fewer steps, and
# compared after as many. Without commitment nothing holds the encoder's outputs near the codes, so the result depends on the
# optimiser: `docs/results.md` has another one (0.992) with ReLU, a learning rate of 4e-3 and gradients of any norm.


# %%
def quantised(epochs: int = study.vq_epochs, **options: Any) -> Trained:
    return study.train(
        zoo.vqvae,
        colour,
        colour_test,
        restart=study.vq_restart,
        activation="silu",
        batch_size=32,
        lr=study.vq_lr,
        clip_norm=1.0,
        precision="float32",
        epochs=epochs,
        **options,
        **once,
    )


UNHELD = "it is trained without commitment to show what that does"
usual = quantised()
study.in_pytorch(usual)
quantisers = {
    "moving averages": usual,
    "moving averages, no commitment": quantised(commitment=0.0, may_fail=UNHELD),
    "codebook loss": quantised(codebook="loss"),
    "codebook loss, no commitment": quantised(codebook="loss", commitment=0.0, may_fail=UNHELD),
}
halves = {
    "whole": quantised(study.halving_epochs),
    "half the hidden width": quantised(study.halving_epochs, width=64),
    "half the residual width": quantised(study.halving_epochs, residual_width=16),
    "half the residual layers": quantised(study.halving_epochs, residual_layers=1),
}


@study.row("2.6", "A vector-quantised autoencoder, with and without commitment")
def discrete(row: Row) -> None:
    row.table("The layers of the VQ-VAE.", *usual.model.summary().table)
    cells, outputs = [], {}
    for name, vq in quantisers.items():
        title, caption = f"VQ-VAE: {name}", f"Loss terms, perplexity and used codes in a batch of 32: {name}."
        row.figure(
            f"loss-{name.replace(', ', '-').replace(' ', '-')}",
            figures.loss_curves(run_figures.losses(vq.run), title),
            caption,
        )
        error, use = vq.measure("reconstruction").scores["error over variance"], vq.measure("usage").scores
        outputs[name] = z = latents.unquantised(vq.model, colour_test)
        size = row.number(
            f"encoder outputs, root mean square: {name}", np.sqrt(np.square(z).mean()), "units of the code"
        )
        lost = row.score(f"test error over variance: {name}", error)
        ends = np.quantile(z, (0, 0.01, 0.99, 1)).tolist()
        for share, end in zip(("1 %", "99 %"), ends[1:3], strict=True):
            row.number(f"encoder outputs, {share}: {name}", end, "units of the code")
        cells.append((name, lost, use["perplexity"].value, use["used codes"].value, size, *ends))
    columns = (
        "codebook",
        "test error / variance",
        "perplexity",
        "used codes",
        "outputs, rms",
        "min",
        "1 %",
        "99 %",
        "max",
    )
    row.table("Test images: error, use of the codebook, and the range of the encoder's outputs.", columns, cells)
    steps = usual.history[-1]["step"]
    row.number("steps", steps, "batches of 32")
    row.check(f"test error over variance of the VQ-VAE after {steps:,} steps", cells[0][1], "≤", 0.055)

    use = usual.measure("usage").scores
    row.score("perplexity", use["perplexity"])
    row.score("used codes", use["used codes"])
    few_of = {name: np.abs(z.ravel()[:: max(1, z.size // 100_000)]) for name, z in outputs.items()}
    values = {name: np.log10(np.maximum(size, 1e-3)) for name, size in few_of.items()}
    row.figure(
        "ranges",
        figures.histogram(values, "log₁₀ of the size of each number", title="Size of the encoder's outputs"),
        "What the encoder gives, before it is quantised: how large each number is, sizes below 0.001 as 0.001.",
    )
    seen = latents.project(latents.codebook(usual.model))
    flat = figures.codebook_map(seen.points, latents.uses(usual.model, colour_test), axis_names=seen.axis_names)
    row.figure("codebook", flat, f"The codebook, moving averages with commitment ({seen.told}).")
    some = run_figures.shown(colour_test)
    images = {name: run_figures.reconstruct(vq.model, some).clamp(0, 1).numpy() for name, vq in quantisers.items()}
    row.figure(
        "images",
        figures.reconstructions(some.pixels, images, "Test images"),
        "Test images, and the reconstructions by the four trainings.",
    )
    for book in ("moving averages", "codebook loss"):
        pair = [cells[list(quantisers).index(book + end)] for end in ("", ", no commitment")]
        row.finding(words.commitment(book, (pair[0][4], pair[1][4]), (pair[0][1], pair[1][1])), "ranges")

    errors = {name: vq.measure("reconstruction").scores["error over variance"] for name, vq in halves.items()}
    for name, score in errors.items():
        row.score(f"test error over variance, {name}", score)
        change = score.value / errors["whole"].value - 1
        if name != "whole":
            row.number(f"change of the error: {name.removeprefix('half the ')}", change, "share of the whole network's")
    bars = {name: score.value for name, score in errors.items()}
    about = f"Test error over variance after {halves['whole'].history[-1]['step']:,} steps."
    row.figure("halves", figures.bars(bars, "test error / variance", title="One part halved at a time"), about)
    row.finding(words.halved(bars, "whole"), "halves")


# %% [markdown]
# ## The questions
# Each is answered from what the rows above have measured.


# %%
@study.row("answers", "The questions, answered from the measurements")
def answers(row: Row) -> None:
    for question in QUESTIONS:
        row.question(question.text)
        row.finding(question.answer(study.found(question.row)), rows=(question.row,))
