# %% [markdown]
# # The weight of the KL term
#
# A variational autoencoder minimises reconstruction error + β · KL. With β = 0 it is all but a plain autoencoder, with a large
# β its code says nothing at all. This study goes from one end to the other with one convolutional pair, and looks at
# reconstructions, samples, ways between images, and what the codes are worth to a classifier.

# %%
from functools import cache
from typing import Any

import numpy as np
import torch

from diabolo import figures, latents, metrics, zoo
from diabolo.data import Images
from diabolo.display import words as written
from diabolo.metrics import generation
from diabolo.pictures import run_figures
from diabolo.plain import percent
from diabolo.studies import Measured, Row, Study, Trained
from diabolo.studies.beta import words
from diabolo.studies.engine import needs

# %% tags=["parameters"]
study = Study(
    "beta",
    data="mnist",  # a name (see 'diabolo data'), a folder of images, or a file
    n_train=60_000,  # training images
    n_test=10_000,  # test images
    latent_dim=64,  # length of the code
    batch_size=64,  # images per step
    lr=1e-3,  # learning rate
    epochs=10,  # passes of each model but the tuned one
    tuned_epochs=20,  # passes with the tuned beta
    search=(1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6),  # values of beta to choose from
    search_epochs=2,  # passes for each of them
    pairs=("1-7", "3-5", "6-9", "2-8"),  # pairs of digits to interpolate between
    steps=7,  # images on each way between two
    quick={
        "n_train": 1_500,
        "n_test": 400,
        "latent_dim": 16,
        "epochs": 10,
        "tuned_epochs": 12,
        "search": (0.1, 1e-2, 1e-3, 1e-4, 1e-5),
        "search_epochs": 5,
    },
)
train, test = study.data(needs="labels")
study.require("steps", study.steps >= 3, "a way has both its ends and something between: 3 or more")
for index in ("4.2", "4.3"):
    study.needs(index, *needs.distance(test))
fitted, held = study.hold_out(train, min(len(test), len(train) // 4))
for index in ("4.3", "4.4", "4.5"):  # which look at the weight that is chosen
    study.needs(index, *needs.distance(held))
study.needs("4.2", *needs.density("gaussian", train, study.latent_dim))
study.require(
    "pairs",
    all(len(two := pair.split("-")) == 2 and all(map(str.isdecimal, two)) for pair in study.pairs),
    "two classes each, such as 3-8",
)
study.needs("4.4", *needs.classes(test, sorted({int(label) for pair in study.pairs for label in pair.split("-")})))


# %% [markdown]
# The models. The loss is the squared error, a mean over pixels, plus β times KL(q(z|x) ‖ N(0, I)), a sum over the code. The
# pair of the first row is made for 28×28 pixels; smaller images get as many layers as they allow.

# %%
options = {
    "latent_dim": study.latent_dim,
    "net": "conv-to-point" if train.shape[-1] >= 28 else "conv",
    "batch_size": study.batch_size,
    "lr": study.lr,
    "seed": 0,
}
plain = study.train(zoo.undercomplete, train, test, epochs=study.epochs, **options)


WHOLE, SEARCHED = (train, test), (fitted, held)


@cache
def variational(beta: float, epochs: int, may_fail: str = "", images: tuple[Images, Images] = WHOLE) -> Trained:
    how = {"likelihood": "squared-error", "beta": beta, "epochs": epochs, "may_fail": may_fail}
    return study.train(zoo.vae, *images, **how, **options)


def error(trained: Trained) -> float:
    return trained.measure("reconstruction").scores["MSE"].value


def measured(trained: Trained, measure: str, score: str, **how: Any) -> Measured:
    return Measured.of(**trained.measure(measure, **how).scores[score].record())


def fid(trained: Trained, density: str = "prior") -> Measured:
    return measured(trained, "generation", f"FID, {density}", densities=(density,))


# %% [markdown]
# ## 4.1 The pair, as a plain autoencoder
# On MNIST, four convolutions take 28×28 pixels to 14×14×32, 7×7×64, 3×3×128 and 1×1×256, with batch norm from the second on and
# LeakyReLU, and a linear layer to the code; the decoder mirrors them. Adam at a constant rate, batches of 64.


# %%
@study.row("4.1", "The convolutional pair as a plain autoencoder")
def autoencoder(row: Row) -> None:
    columns, rows = plain.model.summary().table
    row.table("Layers, shapes and parameters.", columns, rows)
    row.figure(
        "loss",
        figures.loss_curves(run_figures.losses(plain.run), "Training of the autoencoder"),
        "Squared error per pixel by epoch, on training and on test images.",
    )
    shown = figures.reconstructions(test.pixels[:10], plain.subject.reconstructions[:10], "Test images, reconstructed")
    row.figure("reconstructions", shown, "Ten test images above their reconstructions.")
    last = row.number("training error, mean of the last epoch", plain.curve()[-1], "squared error per pixel")
    row.score("test error", plain.measure("reconstruction").scores["MSE"])
    row.check("training error, mean of the last epoch", last, "≤", 0.0050, "squared error per pixel")


# %% [markdown]
# ## 4.2 Samples of the plain autoencoder
# Nothing in its loss says where codes should lie. What does the decoder make of codes drawn from N(0, I)? And of codes drawn
# from a Gaussian that was fitted to those of the training images?


# %%
@cache
def from_noise() -> str:
    def distances() -> list[float]:
        codes = plain.subject.codes("train")
        drawn = np.random.default_rng(0).normal(size=(500, study.latent_dim))
        found = (latents.nearest(few, codes)[1].mean() for few in (drawn, plain.subject.codes("test")[:500]))
        return [float(distance) for distance in found]

    far, usual = plain.remember("distances to training codes", distances)
    hole = plain.measure("prior_hole").scores
    centre, deviation = (hole[f"{moment} of a unit"].value for moment in ("mean", "deviation"))
    both = {"N(0, I)": fid(plain), "fitted Gaussian": fid(plain, "gaussian")}
    return words.from_noise(both, centre, deviation, far, usual)


@study.row("4.2", "What a plain autoencoder decodes from N(0, I)")
def noise(row: Row) -> None:
    fitted = latents.fit_density("gaussian", plain.subject.codes("train"))
    samples = {
        "N(0, I)": plain.model.sample(36, seed=0).numpy(),
        "Gaussian fitted to the codes": latents.draw_images(plain.model, fitted, 36),
        "test images": test.pixels[:36],
    }
    row.figure(
        "samples",
        figures.density_samples(samples, title="The plain autoencoder"),
        "Images decoded from draws of two densities, beside test images.",
    )
    moments = plain.measure("prior_hole").scores["mean of a unit"].detail
    hole = figures.posterior_against_prior(moments["means"], moments["deviations"])
    row.figure("codes", hole, "Mean and deviation of each unit over the test images; those of N(0, I) are 0 and 1.")
    for density in ("prior", "gaussian"):
        row.score(f"FID, {density}", plain.measure("generation", densities=(density,)).scores[f"FID, {density}"])
    row.finding(from_noise(), "samples", "codes")


# %% [markdown]
# ## 4.3 β = 0, β = 10, and β tuned
# β is searched for in steps of 10 with short trainings, on training images of which some are held out to choose it by. The
# criterion: the smallest FID between these and samples from N(0, I), since the error of reconstructions alone would ask for a
# very small β. The weight found is trained for longer, on all training images, and measured on the test images.


# %%
@cache
def search() -> dict[float, Trained]:
    return {beta: variational(beta, study.search_epochs, "a weight of the search", SEARCHED) for beta in study.search}


@cache
def tuned() -> tuple[float, Trained]:
    beta = min(search(), key=lambda beta: fid(search()[beta]).value)
    return beta, variational(beta, study.tuned_epochs)


free, heavy = variational(0.0, study.epochs), variational(10.0, study.epochs, "β = 10 is here to collapse it")
study.in_pytorch(plain, free)


def noise_of(trained: Trained) -> float:
    """The share of noise in the variance of an active unit, in the median."""
    mu = trained.subject.codes("test")
    noise, variance = np.square(latents.draws_of(trained.model, test) - mu).mean(0), mu.var(0)
    active = metrics.active_units(mu)
    return float(np.median((noise / (noise + variance))[active])) if active.any() else 1.0


@cache
def extremes() -> str:
    beta, best = tuned()
    kl = {name: one.measure("usage").scores for name, one in (("0", free), ("10", heavy))}
    hole = {
        n: one.measure("prior_hole").scores["Fréchet distance to N(0, I)"].value
        for n, one in (("0", free), ("tuned", best))
    }
    unexplained = heavy.measure("reconstruction").scores["FVU"].value
    alike = float(heavy.model.sample(500, seed=0).var(0).mean()) / float(test.pixels.var(0).mean())
    return " ".join(
        (
            words.free(
                kl["0"]["KL"].value,
                {"0": noise_of(free), "tuned": noise_of(best)},
                hole,
                {"0": fid(free), "tuned": fid(best)},
                beta,
            ),
            words.heavy(
                10.0, kl["10"]["KL"].value, kl["10"]["active units"].value, study.latent_dim, unexplained, alike
            ),
        )
    )


@cache
def searched() -> str:
    errors = {b: measured(one, "reconstruction", "MSE") for b, one in search().items()}
    return words.tuned({b: fid(one) for b, one in search().items()}, errors)


@cache
def result() -> str:
    beta, best = tuned()
    epochs = {"AE": study.epochs, "VAE": study.tuned_epochs}
    return words.good({"AE": error(plain), "VAE": error(best)}, {"AE": fid(plain), "VAE": fid(best)}, epochs, beta)


@study.row("4.3", "β = 0, β = 10, and β tuned")
def weights(row: Row) -> None:
    beta, best = tuned()
    row.table(
        f"The search, {study.search_epochs} epochs for each weight, on {len(held):,} validation images held out of the "
        "training images: the smallest FID decides.",
        ("β", "error", "FID of samples", "KL, nats", "active units"),
        [
            (
                b,
                error(one),
                fid(one).value,
                *(one.measure("usage").scores[name].value for name in ("KL", "active units")),
            )
            for b, one in search().items()
        ],
    )
    points = {f"β = {written(b)}": (error(one), fid(one).value) for b, one in search().items()}
    front = figures.pareto(
        points, "squared error per pixel, validation images", "FID of samples", title="Two ways to be good"
    )
    row.figure("search", front, "Reconstructions against samples; what nothing else beats in both is filled.")
    row.number("β tuned", beta, "squared error per pixel and nat")
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
        row.figure(
            f"loss-{name.removeprefix('β = ')}", curves, f"The terms of the loss at {name}, KL without its weight."
        )
        row.score(f"test error, {name}", one.measure("reconstruction").scores["MSE"])
        row.score(f"FID of samples, {name}", one.measure("generation", densities=("prior",)).scores["FID, prior"])
        row.score(f"KL, {name}", one.measure("usage").scores["KL"])
    row.finding(searched(), "search")
    row.finding(extremes(), "samples", "reconstructions")
    row.finding(result(), "samples")


# %% [markdown]
# ## 4.4 From one image to another
# Codes on the straight line between those of two test images, decoded. How evenly images change is measured on a hundred
# random pairs of different classes: the longest step in pixels over the mean step, and the least confidence of a classifier
# on the way.


# %%
@cache
def ways() -> dict[str, dict[str, Measured]]:
    judge = {"path_classifier": str(generation.classifier(train).path)}
    both = {"AE": plain, "VAE": tuned()[1]}
    return {
        what: {name: measured(one, "interpolation", f"linear: {what}", **judge) for name, one in both.items()}
        for what in ("longest step", "least confidence")
    }


@study.row("4.4", "Interpolation between two digits, autoencoder and VAE side by side")
def interpolation(row: Row) -> None:
    beta, best = tuned()
    rows = {}
    for pair in study.pairs:
        ends = [int(np.flatnonzero(test.labels == int(digit))[0]) for digit in pair.split("-")]
        for name, one in (("AE", plain), ("VAE", best)):
            codes = one.subject.codes("test")
            way = latents.linear(codes[ends[:1]], codes[ends[1:]], study.steps)[0]
            rows[f"{pair.replace('-', ' → ')}, {name}"] = one.model.decode(torch.from_numpy(way)).numpy()
    captions = [f"{percent(step / (study.steps - 1))}" for step in range(study.steps)]
    row.figure(
        "ways",
        figures.strips(rows, captions, title="Between two test images"),
        f"Images decoded along straight ways between the codes of two test images: AE, and VAE at β = {written(beta)}.",
    )
    for name, one in (("AE", plain), ("VAE", best)):
        scores = one.measure("interpolation", path_classifier=str(generation.classifier(train).path)).scores
        for what in ways():
            row.score(f"{what}, {name}", scores[f"linear: {what}"])
    row.finding(words.between(ways()["longest step"], ways()["least confidence"]), "ways")


# %% [markdown]
# ## 4.5 What it means for downstream use
# The encoders are frozen, and the digit is read off their codes by one linear layer and by the nearest neighbours; beside them
# raw pixels and as many principal components. The VAE is the tuned one, which was trained for longer.


# %%
@cache
def probed() -> str:
    both = {"AE": plain, "VAE": tuned()[1]}
    linear, near = (
        {name: measured(one, "probes", f"{what}: codes") for name, one in both.items()}
        for what in ("linear probe", "5 nearest neighbours")
    )
    linear["pixels"] = measured(plain, "probes", "linear probe: pixels")
    components = next(name for name in plain.measure("probes").scores if name.startswith("5 nearest neighbours: PCA"))
    near["principal components"] = measured(plain, "probes", components)
    active = tuned()[1].measure("usage").scores["active units"].value
    epochs = {"AE": study.epochs, "VAE": study.tuned_epochs}
    return words.downstream(linear, near, active, study.latent_dim, epochs)


@study.row("4.5", "Probes on the codes of both")
def downstream(row: Row) -> None:
    scores = {name: one.measure("probes").scores for name, one in (("AE", plain), ("VAE", tuned()[1]))}
    of_plain = {name: score.value for name, score in scores["AE"].items()}  # whose codes are not drawn
    row.table(
        "Test accuracy of what is read off frozen codes.",
        ("read off by", "AE", "VAE", "low (VAE)", "high (VAE)", "test images"),
        [(name, of_plain.get(name), one.value, one.low, one.high, one.n) for name, one in scores["VAE"].items()],
    )
    shown = {
        f"{name}, {what}": one[what]
        for what in ("linear probe: codes", "5 nearest neighbours: codes")
        for name, one in scores.items()
    }
    shown["linear probe: pixels"] = scores["AE"]["linear probe: pixels"]
    intervals = {n: (s.low, s.high) for n, s in shown.items() if s.low is not None and s.high is not None}
    bars = figures.bars(
        {n: s.value for n, s in shown.items()}, "share of test images", intervals, title="Read off frozen codes"
    )
    row.figure("accuracy", bars, "Test accuracy with 95 % intervals.")
    for name, score in shown.items():
        row.score(name, score)
    row.finding(probed(), "accuracy")


# %% [markdown]
# ## The questions
# Answered from the rows above, in at most 150, 150, 200 and 300 words.


# %%
@study.row("answers", "The questions, answered from what was measured")
def answers(row: Row) -> None:
    steps, samples = ways()["longest step"], {"AE": fid(plain), "VAE": fid(tuned()[1])}
    use = words.use(steps, samples)
    for question, most, rows, answer in (
        ("What does an autoencoder decode from N(0, I), and why?", 150, ("4.2",), from_noise()),
        ("What happens at β = 0 and at β = 10?", 150, ("4.3",), extremes()),
        ("What is a good result, in reconstructions and in samples?", 200, ("4.3",), f"{searched()} {result()}"),
        (
            "How do interpolations of the two differ, and what does that mean for downstream learning?",
            300,
            ("4.4", "4.5"),
            f"{words.between(steps, ways()['least confidence'])} {probed()} {use}",
        ),
    ):
        row.question(question)
        row.finding(answer, rows=rows)
        row.check(f"words in the answer to: {question}", words.words_of(answer), "≤", most, "words", always=True)
