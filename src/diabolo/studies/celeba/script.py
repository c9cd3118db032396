# %% [markdown]
# # Faces: what keeps an autoencoder from copying, and what its codes are good for
#
# An autoencoder that could copy its input would learn nothing. Four things prevent that: a narrow code, a penalty on the
# code, noise on the image, and a prior over the code. Here one model of each kind is trained on the same images of faces, with
# the same layers; the VAE alone has a second head. Then they are compared: in reconstruction, in predicting an attribute from
# the code, in arithmetic with codes, and in generating new faces.
#
# The undercomplete model and the VAE at two weights of its KL term are trained from several seeds each (`seeds`), and row
# 1.13 gives intervals over them. All other models are trained once. Their intervals are over test images and do not cover the
# variation between seeds. Principal components, as many as the code has numbers, are the linear baseline.

# %%
import math
from functools import cache
from statistics import fmean, median
from typing import Any

import numpy as np
import torch
from torch.utils.data import Subset

from diabolo import data, figures, latents, metrics, zoo
from diabolo.display import words as written
from diabolo.evaluation.baselines import View
from diabolo.latents.arithmetic import judge
from diabolo.latents.densities import Normal
from diabolo.likelihoods import SquaredError
from diabolo.metrics import generation
from diabolo.metrics.cost import flops
from diabolo.metrics.usage import hoyer
from diabolo.pictures import run_figures
from diabolo.statistics import wilson
from diabolo.studies import NotMeasured, Row, Study
from diabolo.studies.celeba import codes as of_codes
from diabolo.studies.celeba import contents, edits, fits, heads, seen, variants, words
from diabolo.studies.celeba import regimes as of_regimes
from diabolo.studies.celeba import report as of_report
from diabolo.studies.celeba.edits import DRIFT, PLAIN, Edit
from diabolo.studies.celeba.fits import GAUSSIAN, KINDS, MIXTURE, NORMAL, OF_MEANS, at, fid
from diabolo.studies.engine import needs
from diabolo.studies.engine.findings import with_error
from diabolo.studies.engine.trained import Trained

# %% tags=["parameters"]
study = Study(
    "celeba",
    data="celeba",  # a name (see 'diabolo data'), a folder of images, or a file
    split="official",  # for celeba: official (where its table is there), random, or persons
    n_train=30_000,  # training images
    n_test=5_000,  # test images
    latent_dim=128,  # length of the code
    channels=(32, 64, 128, 256),  # channels of the convolutional layers
    epochs=12,  # passes over the training images
    batch_size=128,  # images per step
    lr=2e-3,  # learning rate
    sparsity=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3),  # weights of the L1 penalty to choose from
    within=1.2,  # times the error of the undercomplete model that the sparse one may have
    noise=0.2,  # standard deviation of the noise that is removed
    dropout=0.2,  # share of the values that dropout sets to 0, the other corruption
    beta=1.0,  # weight of the KL term
    weak_beta=0.1,  # the smaller weight that it is compared with
    seeds=3,  # trainings of the undercomplete model and of the VAE at either weight
    attribute="Smiling",  # attribute that a linear probe predicts from the codes
    edited="Eyeglasses",  # attribute that is added to faces
    alphas=(-2.0, 0.0, 2.0, 4.0),  # multiples of its direction
    identity=(
        "Male",
        "Young",
        "Black_Hair",
        "Blond_Hair",
        "Brown_Hair",
        "Gray_Hair",
        "Pale_Skin",
        "Chubby",
        "Big_Nose",
    ),  # attributes related to identity
    tries=5,  # trainings of each way to give the variance
    steps=150,  # steps of each of these
    extractor="classifier",  # features behind FID: classifier, inception, or package.module:extractor
    quick={
        "n_train": 1_500,
        "n_test": 300,
        "latent_dim": 32,
        "channels": (16, 32, 32, 64),
        "batch_size": 16,
        "epochs": 4,
        "lr": 4e-3,
        "sparsity": (1e-5, 1e-4, 1e-3),
        "tries": 3,
        "steps": 40,
    },
)
JUDGED = 5_000  # training images that the judge of row 1.8 is fitted to
train, test = study.data(needs="attributes", split=study.split, size=64)
study.require("alphas", 0.0 in study.alphas and max(study.alphas) > 0, "0 must be among them, and something above it")
for name in (study.attribute, study.edited):
    latents.attribute(train, name)  # refused here, where there is none of that name
known = set(train.attribute_names or ())
study.require("identity", not known.isdisjoint(study.identity), "none of them is an attribute of these images")
study.require("weak_beta", study.weak_beta < study.beta, f"it is compared with the larger weight {study.beta:g}")
study.require("seeds", study.seeds >= 2, "an interval needs 2 trainings or more")
study.require("steps", study.steps >= 10, "the loss is a mean over the last 10 steps")
study.require("n_test", len(test) >= 10, "10 test images or more are needed")
for number in ("1.7", "1.13"):
    study.needs(number, *needs.both(train, study.attribute))
for number in ("1.8", "1.13"):
    study.needs(number, *needs.both(train, study.edited, JUDGED))
    study.needs(number, *needs.both(test, study.edited))
for number, part in (("1.9", "the fitted Gaussian"), ("1.13", "")):
    study.needs(number, *needs.density("gaussian", train, study.latent_dim), part)
for number in ("1.9", "1.13"):
    study.needs(number, *needs.density("mixture", train, study.latent_dim), "the mixture of ten")
    study.needs(number, *needs.distance(test, study.extractor), "FID")

# %% [markdown]
# Each model is trained when it is first needed. All have the same number of steps and the same learning rates. They have the
# same layers, but for the second head of the VAE and the decoder by upsampling of row 1.14. Test images are also called
# validation images: nothing is chosen by them.

# %%
same = {
    "latent_dim": study.latent_dim,
    "net": "conv",
    "channels": study.channels,
    "epochs": study.epochs,
    "batch_size": study.batch_size,
    "lr": study.lr,
    "schedule": "one-cycle",
    "seed": 0,
}
plain = [study.train(zoo.undercomplete, train, test, **{**same, "seed": seed}) for seed in range(study.seeds)]
by_weight = {
    weight: study.train(
        zoo.sparse, train, test, sparsity=weight, **same, may_fail="one of several weights, of which the rule chooses"
    )
    for weight in study.sparsity
}
denoising = study.train(zoo.denoising, train, test, level=study.noise, **same)
betas = of_regimes.Betas(study.beta, study.weak_beta)
vaes = {
    beta: [
        study.train(zoo.vae, train, test, likelihood=SquaredError("image"), beta=beta, **{**same, "seed": seed})
        for seed in range(study.seeds)
    ]
    for beta in betas
}
undercomplete, vae = plain[0], vaes[study.beta][0]
dropped = study.train(zoo.denoising, train, test, corruption="dropout", level=study.dropout, **same)
upsampled = study.train(zoo.undercomplete, train, test, upsampling=True, **same)
principal = study.train(zoo.pca, train, test, latent_dim=study.latent_dim)
study.in_pytorch(vae, undercomplete, by_weight[study.sparsity[0]], denoising)

x = torch.from_numpy(test.pixels)  # (M, 3, 64, 64)
few = range(5)  # test images that are shown
PER_PIXEL = "squared error per pixel"
CHANGE = "change of probability"
PCA = f"PCA-{study.latent_dim}"
GRID = "grey levels of 255, 0 without a checkerboard"


def error_of(x_hat: torch.Tensor) -> list[float]:
    """Squared error per pixel of each test image."""
    return [float(error) for error in (x_hat - x).double().square().mean((1, 2, 3))]


def grid_of(images: Any) -> float:
    """How strong a checkerboard lies over reconstructions of the first 1,000 test images, in levels of 255."""
    return 255 * metrics.grid_pattern(torch.as_tensor(images[:1000]), x[:1000])


def grid_free() -> float:
    """The most that images without a checkerboard measure, in levels of 255: ten pairs of sets of training images, as large as
    those that are measured."""

    def most() -> float:
        n = min(1000, len(test), len(train) // 2)
        orders = [np.random.default_rng(draw).permutation(len(train)) for draw in range(10)]
        pairs = [[torch.from_numpy(train.take(few).pixels) for few in (o[:n], o[n : 2 * n])] for o in orders]
        return max(255 * metrics.grid_pattern(*pair) for pair in pairs)

    found: float = study.remember("grid-free", [train.fingerprint, len(test)], most)
    return found


def contrast(images: Any) -> Any:
    """The standard deviation of the pixels of each image, (M,)."""
    return np.asarray(images, np.float64).reshape(len(images), -1).std(1)


def training_errors() -> dict[float, float]:
    """λ → the error on training images in the last epoch: test images have no say in the choice of λ."""
    return {weight: one.curve()[-1] for weight, one in by_weight.items()}


def still_falling() -> float | None:
    """The share by which the undercomplete model's training error fell in the last epoch; None of a single one."""
    curve = undercomplete.curve()
    return 1 - curve[-1] / curve[-2] if len(curve) > 1 else None


def sparse_weight() -> float:
    """The λ that the rule chooses."""
    chosen = words.largest_within(training_errors(), undercomplete.curve()[-1], study.within)
    return min(study.sparsity) if chosen is None else chosen


def read(view: View) -> list[bool]:
    """Which test images one linear layer on that view gets right."""
    has, truth = (latents.attribute(part, study.attribute) for part in (train, test))
    layer = metrics.linear_probe(view.train, has.astype(np.int64), scale=view.scale)
    return [bool(hit) for hit in layer.predict(view.test) == truth]


def read_off(one: Trained) -> list[bool]:
    """Which test images a probe on its codes gets right: those of a VAE are the means of q(z|x)."""

    def probed() -> list[bool]:
        return read(View("codes", one.subject.codes("train"), one.subject.codes("test")))

    found: list[bool] = one.remember(f"probe-{study.attribute}", probed)
    return found


@cache
def probes() -> dict[str, latents.Probe]:
    """The judge's: one on the codes of the denoising model for each attribute that varies among its images."""
    known = train.take(range(min(JUDGED, len(train))))
    assert known.attributes is not None
    assert known.attribute_names is not None
    shares = zip(known.attribute_names, known.attributes.mean(0), strict=True)
    z = denoising.subject.codes("train")[: len(known)]
    return {name: latents.Probe.fit(z, latents.attribute(known, name)) for name, share in shares if 0 < share < 1}


def bearing() -> list[str]:
    """The identity-related attributes that vary."""
    found = [name for name in study.identity if name in probes()]
    if not found:
        raise NotMeasured("none of the identity-related attributes varies among the training images")
    return found


def direction(one: Trained) -> Any:
    """v, the mean code of training images with the attribute less that of those without."""
    return latents.mean_difference(one.subject.codes("train"), latents.attribute(train, study.edited))


def moved_along(one: Trained, v: Any, alphas: tuple[float, ...] = study.alphas) -> latents.Sweep:
    """Test faces without the attribute, their codes moved along `v` and decoded, as the judge sees them."""
    without = np.flatnonzero(~latents.attribute(test, study.edited))[:200]
    start = one.subject.codes("test")[without]
    return latents.sweep(one.model, start, v, alphas, judge(denoising.model, probes()))


# %% [markdown]
# The images are a torch `Dataset`. The assignment's own lines give the same images, and `diabolo.fit` also takes the data set,
# the `Subset` or a `DataLoader`, which it reads once:
# ```python
# size = transforms.Compose([transforms.Resize((64, 64)), transforms.ToTensor()])
# celeba = torchvision.datasets.CelebA("data", split="train", target_type="attr", transform=size)
# train = Subset(celeba, torch.randperm(len(celeba), generator=torch.Generator().manual_seed(42))[:30_000].tolist())
# loader = DataLoader(train, batch_size=128, shuffle=True)
# ```
# Row 1.14 trains from such a loader, on this subset, by a loop in plain PyTorch.

# %%
some: Subset[Any] = Subset(train, range(min(len(train), 2_000)))  # type: ignore[arg-type]  # it has all that one asks for

# %% [markdown]
# ## 1.1 Encoder, bottleneck, decoder
# Four convolutions reduce the image to a 4×4 map, a linear layer turns that into the code, and the decoder mirrors the
# encoder and ends in a sigmoid. The images come from the data set's own training and test parts, which share no person,
# unless the parameter `split` says otherwise.


# %%
@study.row(
    "1.1",
    "The encoder to a code, the decoder back to 3×64×64, and the images",
    to_try=("How many of the parameters are in the two linear layers? How many would they have at 128×128?"),
)
def networks(row: Row) -> None:
    model = zoo.undercomplete(train.shape, latent_dim=study.latent_dim, net="conv", channels=study.channels)
    layers = [
        (layer.name, layer.kind, " × ".join(map(str, layer.output)), layer.parameters) for layer in model.summary().rows
    ]
    row.table("The undercomplete autoencoder, layer by layer.", ("layer", "type", "output", "parameters"), layers)
    row.number("parameters", model.summary().parameters, "numbers")
    row.number("parameters, VAE", vae.made().summary().parameters, "numbers")
    row.number("compression", np.prod(train.shape) / study.latent_dim, "numbers of an image for one of the code")
    row.figure("faces", figures.sample_grid(x[:24], "Test images", 8), "Some of the test images, 64×64.")
    row.check("length of the code", model.latent_shape[0], "=", study.latent_dim, always=True)
    row.number("training images", len(train), "images")
    row.number("test images", len(test), "images")
    differing = int((data.as_images(some).images != train.images[: len(some)]).sum())
    for part, images, asked in zip(("training", "test"), (train, test), of_report.ASKED, strict=True):
        row.check(f"{part} images, of those that the assignment asks for", len(images), "=", asked)
    row.check("pixels that differ when a Subset is read", differing, "=", 0, always=True)


# %% [markdown]
# ## 1.2 Undercomplete: the narrow code
# Only the narrow code prevents a copy of the image (Hinton & Salakhutdinov 2006). The loss is the mean squared error per
# pixel.


# %%
@study.row(
    "1.2",
    "Undercomplete: mean squared error",
    to_try="Halve `latent_dim`. Which details of a face vanish first?",
)
def narrow(row: Row) -> None:
    row.figure(
        "losses",
        figures.loss_curves(run_figures.losses(undercomplete.run)),
        "Error by epoch, on training and on test images.",
    )
    seconds = median(line["seconds"] for one in plain for line in one.history)
    row.number("training error", undercomplete.curve()[-1], PER_PIXEL)
    row.number("test error", undercomplete.curve("validation")[-1], PER_PIXEL)
    row.number("an epoch", seconds, f"seconds, median over the epochs of {study.seeds} trainings")
    row.number("pixels", train.images.nbytes / 2**20, "MiB")
    whole = zoo.undercomplete((3, 218, 178), latent_dim=study.latent_dim, net="conv", channels=study.channels)
    row.number("operations", flops(lambda: undercomplete.model.reconstruct(x[:1])), "per image of 64×64")
    row.number(
        "operations, full size", flops(lambda: whole.reconstruct(torch.zeros(1, 3, 218, 178))), "per image of 178×218"
    )
    row.finding(words.fitted(undercomplete.curve()[-1], undercomplete.curve("validation")[-1]), "losses")
    row.finding(words.bought(len(train), row.found))


# %% [markdown]
# ## 1.3 Sparse: a penalty on the code
# The loss is the squared error plus λ Σ|z| (Ng 2011). The rule for λ: take the largest value whose training error in the last
# epoch is at most `within` times that of the undercomplete model. So the norm falls as far as a tolerable error allows. The
# row also says which other tolerances would lead to the same λ. The L1 norm also falls when all units shrink together, so
# Hoyer's measure (2004) is shown beside it. It is 0 when all units have the same size, and 1 when only one unit is not 0.


# %%
@study.row(
    "1.3",
    "Sparse: squared error and λ Σ|z|",
    to_try=(
        "Multiply the decoder's first weights by 10 and divide the codes by 10. How does the "
        "L1 penalty change, and how does the image?"
    ),
)
def penalty(row: Row) -> None:
    epochs = range(1, study.epochs + 1)
    norms = {f"λ = {words.power(weight)}": one.curve(term="l1") for weight, one in by_weight.items()}
    plain_norm = float(np.abs(undercomplete.subject.codes("train")).sum(1).mean())
    norms |= {"no penalty, at the end": [plain_norm] * len(epochs)}
    shown = figures.response(
        epochs, norms, "epoch", "Σ|z|, mean over training images", log=True, title="L1 norm of the codes"
    )
    row.figure("l1", shown, "L1 norm of the codes by epoch, for each λ; without a penalty after the last epoch.")
    errors = {f"λ = {words.power(weight)}": one.curve("validation") for weight, one in by_weight.items()}
    errors |= {"undercomplete": undercomplete.curve("validation")}
    shown = figures.response(epochs, errors, "epoch", PER_PIXEL, log=True, title="Error on test images")
    row.figure("errors", shown, "Error on test images by epoch, for each λ and without a penalty.")
    table: list[tuple[float | str, ...]] = []
    for weight, one in by_weight.items():
        error = row.number(f"training error, λ = {written(weight)}", one.curve()[-1], PER_PIXEL)
        z = one.subject.codes("test")
        norm = row.over(f"L1, λ = {written(weight)}", np.abs(z).sum(1), "Σ|z|", "test images")
        share = row.over(f"Hoyer, λ = {written(weight)}", hoyer(z), "0 to 1", "test images")
        table.append((words.power(weight), error, one.curve("validation")[-1], norm, share))
    z = undercomplete.subject.codes("test")
    norm = row.over("L1, no penalty", np.abs(z).sum(1), "Σ|z|", "test images")
    share = row.over("Hoyer, no penalty", hoyer(z), "0 to 1", "test images")
    table.append(("none", undercomplete.curve()[-1], undercomplete.curve("validation")[-1], norm, share))
    row.table(
        "The search for λ: errors per pixel, and how large and how sparse the codes of test images are.",
        ("λ", "training error", "test error", "L1 norm", "Hoyer"),
        table,
    )
    weight = row.number("λ", sparse_weight(), "weight of Σ|z|")
    reference, l1 = undercomplete.curve()[-1], row.found["L1, no penalty"].value
    trade = {"no penalty": (l1, 1.0)} | {
        f"λ = {words.power(w)}": (row.found[f"L1, λ = {written(w)}"].value, error / reference)
        for w, error in training_errors().items()
    }
    title = f"Largest λ within {study.within:g} times the error"
    shown = figures.pareto(
        trade, "Σ|z| of test images", "training error over the undercomplete model's", log=True, title=title
    )
    row.figure("tradeoff", shown, "Size of the codes against error, for each λ and without a penalty.")
    sparse = by_weight[weight].subject.codes("test")
    row.over("L1, sparse", np.abs(sparse).sum(1), "Σ|z|", "test images")
    row.over("Hoyer, sparse less undercomplete", hoyer(sparse) - hoyer(z), "0 to 1", "test images, paired")
    for name, codes in {"sparse": sparse, "no penalty": z}.items():
        small = np.abs(codes) < 0.01 * np.abs(codes).max(1, keepdims=True)
        row.over(f"near 0, {name}", small.sum(1), "units of a code below 1 % of the largest", "test images")
    row.figure(
        "losses",
        figures.loss_curves(run_figures.losses(by_weight[weight].run)),
        f"The terms of the loss at λ = {words.power(weight)}.",
    )
    ratio = training_errors()[weight] / undercomplete.curve()[-1]
    row.check("training error over the undercomplete model's", ratio, "≤", study.within)
    row.check("L1 norm over the undercomplete model's", row.found[f"L1, λ = {written(weight)}"].value / l1, "≤", 0.5)
    chosen = (by_weight[weight],)
    row.finding(words.ratios(training_errors(), reference), "tradeoff", about=chosen)
    row.finding(words.choice(training_errors(), undercomplete.curve()[-1], study.within), "tradeoff", about=chosen)
    row.finding(words.sparse(row.found, weight, study.latent_dim), "l1", about=chosen)
    row.finding(words.near_zero(row.found, study.latent_dim), about=chosen)
    if leaps := words.leap(errors):
        row.finding(leaps, "errors", about=chosen)


# %% [markdown]
# ## 1.4 Denoising: the target is not what the encoder sees
# The encoder sees x + σ ε, clipped to [0, 1], and the decoder must reconstruct x (Vincent et al. 2010). Both loss curves are
# for noisy inputs and clean targets.


# %%
@study.row(
    "1.4",
    "Denoising: Gaussian noise in, the clean image out",
    to_try=("Show the network an image without noise. Does it return a copy, and why could it not do so exactly?"),
)
def noise(row: Row) -> None:
    row.figure(
        "losses",
        figures.loss_curves(run_figures.losses(denoising.run)),
        "Error by epoch, from noisy training and test images to the clean ones.",
    )
    noisy = denoising.model.corrupt(x, seed=1)
    both = {"denoising": denoising, "undercomplete": undercomplete}
    cleaned = {name: one.model.reconstruct(noisy) for name, one in both.items()}
    errors = {
        name: np.array(one.remember(f"noise-{study.noise:g}", lambda name=name: error_of(cleaned[name])))  # type: ignore[misc]
        for name, one in both.items()
    }
    row.over("left as it is", error_of(noisy), f"{PER_PIXEL}, noisy images", "test images")
    row.over("denoising", errors["denoising"], f"{PER_PIXEL}, noisy images", "test images")
    row.over("undercomplete", errors["undercomplete"], f"{PER_PIXEL}, noisy images", "test images")
    more = errors["denoising"] - errors["undercomplete"]
    row.over("denoising less undercomplete", more, f"{PER_PIXEL}, noisy images", "test images, paired")
    shown = {"noisy": noisy[few], **{name: x_hat[few] for name, x_hat in cleaned.items()}}
    row.figure(
        "cleaned",
        figures.reconstructions(x[few], shown),
        f"Test images under noise of σ = {study.noise:g}, reconstructed.",
    )
    row.finding(words.denoised(row.found["left as it is"], row.found["denoising"]), "cleaned")
    row.finding(words.against_plain(row.found))


# %% [markdown]
# ## 1.5 The three reconstructions
# Five test images are shown with their reconstructions by three models, then the frequencies in which these differ.
# Resolution is the highest frequency up to which less than half of the power of the images is lost. Decoders of stride 2 can
# leave a checkerboard of period 2 or 4 pixels. It is measured as the power at its frequencies above that around them, and
# counts where it is above the most that ten pairs of sets of training images, which have none, give.


# %%
@study.row(
    "1.5",
    "Reconstructions: originals and the three models",
    to_try=("Cover the labels of the grid and sort the rows by sharpness. Then compare with the spectrum."),
)
def reconstructions(row: Row) -> None:
    three = {"undercomplete": undercomplete, "sparse": by_weight[sparse_weight()], "denoising": denoising}
    shown = {name: one.subject.reconstructions[few] for name, one in three.items()}
    row.figure(
        "grid",
        figures.reconstructions(x[few], shown),
        "Five test images, reconstructed by the three models.",
    )
    power, table = metrics.reconstruction.spectrum(x[:1000]).mean(0).numpy(), []
    lost = {"half of the power": np.full(len(power), 0.5)}
    for name, one in {**three, PCA: principal}.items():
        x_hat = one.subject.reconstructions
        scores = one.measure("reconstruction").scores
        error, similarity = row.score(f"MSE, {name}", scores["MSE"]), row.score(f"SSIM, {name}", scores["SSIM"])
        power_lost = metrics.reconstruction.spectrum(torch.from_numpy(x_hat[:1000]) - x[:1000]).mean(0).numpy()
        finest = row.number(f"resolution, {name}", seen.finest(power, power_lost), "cycles per image")
        grid = row.number(f"grid, {name}", grid_of(x_hat), GRID)
        shade = row.over(f"contrast, {name}", contrast(x_hat) / contrast(x), "of that of the image", "test images")
        table.append((name, error, similarity, finest, grid, shade))
        lost[name] = power_lost / np.maximum(power, 1e-12)
        if one is not undercomplete:
            more = one.subject.errors - undercomplete.subject.errors
            row.over(f"MSE, {name} less undercomplete", more, PER_PIXEL, "test images, paired")
    row.pair(
        f"MSE, undercomplete less MSE, {PCA}",
        undercomplete.subject.errors,
        principal.subject.errors,
        PER_PIXEL,
        "images",
    )
    row.number("grid, none", grid_free(), GRID)
    row.table(
        "On clean test images: squared error per pixel, similarity, resolution in cycles per image, the strength of a "
        "checkerboard in grey levels of 255, and contrast over that of the image.",
        ("model", "MSE", "SSIM", "resolution", "grid", "contrast"),
        table,
    )
    drawn = figures.response(
        range(1, len(power)), {name: curve[1:] for name, curve in lost.items()}, "cycles per image",
        "power of the error over that of the images", title="What is lost, by frequency",
    )  # fmt: skip
    row.figure("spectrum", drawn, "Power of the errors over that of the images, by spatial frequency.")
    chosen = (by_weight[sparse_weight()],)
    row.finding(seen.reconstructions(row.found, tuple(three), test.shape[1]), "grid", "spectrum", about=chosen)
    row.finding(words.eye(list(three), row.found), "grid", about=chosen)
    row.finding(words.principal(row.found, study.latent_dim))
    if (fall := still_falling()) is not None:
        row.finding(words.falling(fall))


# %% [markdown]
# ## 1.6 The VAE
# The encoder has two heads, μ and log σ². The code is a draw z = μ + σ ε, through which gradients pass (Kingma & Welling
# 2014). The two heads are one linear layer with twice as many outputs, cut in two. Each output has its own weights, so this
# is the same as two linear layers, which the row checks. The loss is the squared error, summed over the image, plus β
# KL(q(z|x) ‖ N(0, I)). Row 1.14 shows why the second head gives log σ².


# %%
@study.row(
    "1.6",
    "VAE: reconstruction and KL",
    to_try="Plot reconstruction against KL for three values of β. Where on that curve is this model?",
)
def variational(row: Row) -> None:
    row.figure(
        "losses", figures.loss_curves(run_figures.losses(vae.run)), "Reconstruction and KL by epoch, each per image."
    )
    shown = {"undercomplete": undercomplete.subject.reconstructions[few], "VAE": vae.subject.reconstructions[few]}
    row.figure(
        "grid", figures.reconstructions(x[few], shown), "Five test images; the VAE's from the mean of the posterior."
    )
    for name, one in {"VAE": vae, "undercomplete": undercomplete}.items():
        row.score(f"MSE, {name}", one.measure("reconstruction").scores["MSE"])
    power, error = (
        metrics.reconstruction.spectrum(images).mean(0).numpy()
        for images in (x[:1000], torch.from_numpy(vae.subject.reconstructions[:1000]) - x[:1000])
    )
    row.number("resolution, VAE", seen.finest(power, error), "cycles per image")
    more = vae.subject.errors - undercomplete.subject.errors
    row.over("MSE, VAE less undercomplete", more, PER_PIXEL, "test images, paired")
    features = vae.model.features(test.images[:100])
    with torch.no_grad():
        apart = torch.cat([head(features) for head in heads.split(vae.model.bottleneck.to_posterior)], 1)
        difference = float((apart - vae.model.bottleneck.to_posterior(features)).abs().max())
    row.check("largest difference between one layer cut in two and two layers", difference, "≤", 1e-4, always=True)
    active = vae.measure("usage").scores["active units"].value
    row.finding(words.variational(row.found, active, study.latent_dim), "grid")


# %% [markdown]
# ## 1.7 A linear probe
# The encoders are frozen. One `nn.Linear` is trained on their codes with cross entropy, to convergence, and predicts the
# attribute of test images. The baselines are the same probe on raw pixels (by 512 principal components), the same probe on as
# many principal components as the code has numbers, and the majority class. The codes of the VAE are the means of q(z|x). One
# draw of q(z|x) for each image, which is what its decoder sees, is probed as well.


# %%
@study.row(
    "1.7",
    "Predicting an attribute from frozen codes",
    to_try="Probe another attribute, such as Wearing_Hat. Is the order of the models the same?",
)
def probe(row: Row) -> None:
    for one in (undercomplete, vae):
        one.model.encoder.requires_grad_(False)
        learning = sum(p.numel() for p in one.model.encoder.parameters() if p.requires_grad)
        row.check(f"trainable weights in the encoder, {one.run.config.name},", learning, "=", 0, always=True)

    def read_floors() -> dict[str, list[bool]]:
        views = {name: view for name, view in undercomplete.subject.views.items() if name != "codes"}
        reduced = {name: f"{name}, by {view.train.shape[1]} components" for name, view in views.items() if view.reduced}
        return {reduced.get(name, name) if name == "pixels" else name: read(view) for name, view in views.items()}

    def read_sampled() -> list[bool]:
        drawn = vae.subject.sampled_codes
        assert drawn is not None
        return read(View("sampled codes", *drawn))

    right = {
        "undercomplete": read_off(undercomplete),
        "VAE": read_off(vae),
        "VAE, sampled codes": vae.remember(f"probe-sampled-{study.attribute}", read_sampled),
        **undercomplete.remember(f"probe-floors-{study.attribute}", read_floors),
    }
    has, truth = (latents.attribute(part, study.attribute) for part in (train, test))
    right["majority"] = (truth == (has.mean() > 0.5)).tolist()
    table = []
    for name, hits in right.items():
        low, high = wilson(sum(hits), len(hits))
        row.number(name, 100 * np.mean(hits), "% of test images", 100 * low, 100 * high, "Wilson")
        table.append((name, 100 * float(np.mean(hits)), f"{100 * low:.1f} … {100 * high:.1f}"))
    caption = (
        f"{study.attribute}: test accuracy of a linear probe; of the VAE on the means of q(z|x), and on one draw of it."
    )
    row.table(caption, ("representation", "accuracy, %", "95 % interval"), table)
    values = {name: row.found[name].value for name in right}
    whiskers = {name: (n["low"], n["high"]) for name, n in row.numbers.items() if "low" in n}
    row.figure(
        "probes",
        figures.bars(values, "% of test images", whiskers, title=f"{study.attribute}, by a linear probe"),
        f"Test accuracy of {study.attribute}, read by one linear layer, with 95 % intervals.",
    )
    paired = 100 * (np.array(right["undercomplete"], float) - np.array(right["VAE"], float))
    row.over("undercomplete less VAE", paired, "percentage points", "test images, paired")
    better = max(of_codes.CODES, key=lambda name: row.found[name].value)
    others = [name for name in right if name.startswith(of_codes.FLOORS)]
    for name, other in (("VAE", "VAE, sampled codes"), *((better, name) for name in others)):
        differences = 100 * (np.array(right[name], float) - np.array(right[other], float))
        row.over(f"{name} less {other}", differences, "percentage points", "test images, paired")
    row.finding(of_codes.separable(row.found["undercomplete less VAE"], study.attribute, row.found), "probes")
    row.finding(of_codes.floors(row.found), "probes")


# %% [markdown]
# ## 1.8 Arithmetic with codes
# The vector v is the mean code of training images with the attribute minus that of images without it (Larsen et al. 2016).
# For test images without the attribute, z + α v is decoded. A probe on the moved codes would confirm any such edit, so the
# decoded images are judged: by probes on the codes of the denoising model, which had no part in making them. The same probes
# measure how far identity-related attributes move, compared with the difference between two people. Then v is made orthogonal
# to all other attributes, and the edit is repeated.


# %%
@study.row(
    "1.8",
    "Adding an attribute, and whether the person stays the same",
    to_try=("Add half of the glasses vector and half of the Smiling vector. Does the person survive both?"),
)
def arithmetic(row: Row) -> None:
    v, swept = direction(vae), moved_along(vae, direction(vae))
    without = np.flatnonzero(~latents.attribute(test, study.edited))
    columns = [f"α = {alpha:g}".replace("-", "−") for alpha in study.alphas]
    rows = {f"test image {i}": images for i, images in zip(without[:4], swept.images[:4], strict=True)}
    row.figure(
        "strips",
        figures.strips(rows, columns, title=f"z + α · {study.edited}"),
        f"Test faces without {study.edited}, their codes moved along v and decoded.",
    )
    scores = {
        alpha: row.over(f"score at α = {alpha:g}", swept.response[study.edited][:, k], "probability", "test images")
        for k, alpha in enumerate(study.alphas)
    }
    alpha = row.number("α", of_codes.strength(scores), "looked at below")
    here, at_rest = swept.alphas.index(alpha), swept.alphas.index(0)
    row.over(
        "gain",
        swept.response[study.edited][:, here] - swept.response[study.edited][:, at_rest],
        CHANGE,
        "images",
    )
    identity = bearing()
    drift, apart = swept.drift(study.edited, alpha), swept.apart()
    row.number("drift", fmean(drift[name] for name in identity), f"probability, mean over {', '.join(identity)}")
    row.number(
        "difference between two people", fmean(apart[name] for name in identity), "probability, the same attributes"
    )
    most = sorted(identity, key=lambda name: drift[name])[-4:]
    curves = {name: swept.response[name].mean(0) for name in (study.edited, *most)}
    title = f"{study.edited} and identity along v"
    shown = figures.response(study.alphas, curves, "α", "probability by the probe", title=title)
    row.figure(
        "response",
        shown,
        "What the judge's probes say of the decoded faces, mean over test images: the attribute that is added and the four "
        "identity-related ones that move most.",
    )
    row.finding(of_codes.vector(row.found["gain"], scores, study.edited), "strips", "response")
    moved = {
        name: float((p[:, here] - p[:, at_rest]).mean()) for name, p in swept.response.items() if name != study.edited
    }
    for name in identity:
        row.number(f"shift of {name}", moved[name], CHANGE)
    row.finding(
        of_codes.person(row.numbers["drift"]["value"], row.numbers["difference between two people"]["value"], alpha)
    )
    row.finding(of_codes.moves(moved, identity))
    row.finding(of_codes.CORRELATED)
    if len(probes()) <= study.latent_dim:
        known, z = train.take(range(min(JUDGED, len(train)))), vae.subject.codes("train")
        others = [
            latents.Probe.fit(z[: len(known)], latents.attribute(known, name)).weight
            for name in probes()
            if name != study.edited
        ]
        rest = latents.orthogonalised(v, np.stack(others))
        turned = moved_along(vae, rest)
        less = fmean(turned.drift(study.edited, alpha)[name] for name in identity)
        row.number("drift at right angles", less, "probability, the same attributes")
        row.number(
            "length at right angles", float(np.linalg.norm(rest) / np.linalg.norm(v)), "of the vector's own length"
        )
        response = turned.response[study.edited]
        row.over("score at right angles", response[:, here], "probability", "test images")
        row.over("gain at right angles", response[:, here] - response[:, at_rest], CHANGE, "images")
        row.finding(of_codes.right_angled(row.found))


# %% [markdown]
# ## 1.9 New faces, and the prior hole
# New codes are drawn from N(0, I), from a Gaussian fitted to training codes, and from a mixture of ten (ex-post density
# estimation: Ghosh et al. 2020, arXiv 1903.12436). The decoder was trained with draws of q(z|x), so both are fitted to one draw
# for each training image: the Gaussian then has the mean and the covariance of q(z). Fitted to the means of q(z|x) they are
# narrower, and both fits are shown. FID compares the decoded images with test images by the features of a small attribute
# classifier, so it cannot be compared with published figures. It needs more images than features. That of reconstructions, made
# from the test images themselves, stands beside; it is no floor that new faces could reach. The prior hole is measured
# separately: how far codes, one draw of the posterior for each test image, lie from N(0, I).


# %%
def codes_of(one: Trained, draws: bool) -> Any:
    """What a density is fitted to: draws of q(z|x) for all training images, or its means."""
    drawn = one.subject.sampled_codes
    assert drawn is not None
    return drawn[0] if draws else one.subject.codes("train")


def variances(one: Trained) -> dict[str, float]:
    """The variance of a unit over training images, mean over units, by what it is of."""
    return {name: float(codes_of(one, name == "draws").var(0).mean()) for name in ("means", "draws")}


def new_faces(one: Trained, names: list[str]) -> dict[str, Any]:
    """Sixteen from N(0, I), and from each density of those names."""
    ways = {name: latents.fit_density(KINDS[name][0], codes_of(one, KINDS[name][1])) for name in names}
    return {name: latents.draw_images(one.model, how, 16, seed=0) for name, how in {NORMAL: None, **ways}.items()}


def generated(one: Trained, names: list[str]) -> dict[str, dict[str, Any]]:
    """name → what → the score of new faces from N(0, I) and from each density of those names, and of reconstructions."""
    kinds = tuple(dict.fromkeys(KINDS[name][0] for name in names))
    scores = {
        False: one.measure("generation", extractor=study.extractor, densities=("prior", *kinds)).scores,
        True: one.measure("generation", extractor=study.extractor, densities=kinds, fit_draws=True).scores,
    }
    keys = {NORMAL: ("prior", False), seen.OWN: ("reconstruction", False), **{name: KINDS[name] for name in names}}
    whats = ("FID", "precision", "recall", "coverage")
    return {name: {what: scores[draws][f"{what}, {key}"] for what in whats} for name, (key, draws) in keys.items()}


@study.row(
    "1.9",
    "Samples from N(0, I), from a fitted Gaussian and a mixture, and the prior hole",
    to_try=(
        "Draw from the fitted Gaussian with its covariance set to the diagonal. How much of the "
        "gain was in the correlations?"
    ),
)
def samples(row: Row) -> None:
    names = []
    if row.can("the fitted Gaussian"):
        names += [GAUSSIAN, OF_MEANS[GAUSSIAN]]
    if row.can("the mixture of ten"):
        names += [MIXTURE, OF_MEANS[MIXTURE]]
    for name, value in variances(vae).items():
        row.number(f"variance of a unit, {name}", value, "mean over units, 1 for the prior")
    shown = figures.density_samples(new_faces(vae, names[:3]), title="Sixteen new faces from each")
    row.figure("grids", shown, "Faces decoded from codes drawn in each way.")
    if row.can("FID"):
        made = generated(vae, names)
        n = made[NORMAL]["FID"].setting["n_generated"]
        row.number("images compared", n, "generated, of each kind")
        for name, scores in made.items():
            row.score(fid(name), scores["FID"])
        fids = {name: row.numbers[fid(name)]["value"] for name in made}
        whiskers = {name: (row.numbers[fid(name)]["low"], row.numbers[fid(name)]["high"]) for name in fids}
        title = f"FID of {n:,} generated images"
        row.figure(
            "fid",
            figures.bars(fids, f"FID, features of {study.extractor}", whiskers, title=title),
            f"FID of new faces against {len(test):,} test images, and of reconstructions of these; lower is better.",
        )
    hole = vae.measure("prior_hole").scores
    moments = hole["mean of a unit"].detail
    shown = figures.posterior_against_prior(moments["means"], moments["deviations"])
    row.figure("hole", shown, "Where the codes of test images lie, unit by unit, against N(0, 1).")
    for name in ("Fréchet distance to N(0, I)", "MMD to N(0, I)"):
        row.score(name, hole[name])
        row.number(
            f"{name}, prior draws", hole[name].setting["of_as_many_prior_draws"], "the same, of draws of N(0, I)"
        )
    row.number("codes' spread", hole["deviation of a unit"].value, "mean over units, 1 for the prior")
    row.finding(of_codes.hole(row.found), "hole")
    if {fid(NORMAL), fid(GAUSSIAN)} <= set(row.numbers):
        row.finding(fits.single(row.found), "grids", "fid")


# %% [markdown]
# ## 1.10 Did the posterior collapse?
# A unit whose posterior is the prior carries no information about the image and costs nothing. A unit is active when the
# variance of its mean over images exceeds 0.01 (Burda et al. 2016). Whether the decoder uses the code is tested by giving it
# the code of another image.


# %%
@study.row(
    "1.10",
    "Collapse watch: KL of each unit, active units, and the balance of the two terms",
    to_try="Set `beta` to 10 and watch the active units epoch by epoch. When do they become inactive?",
)
def collapse(row: Row) -> None:
    usage = vae.measure("usage").scores
    row.number("active units", usage["active units"].value, f"of {study.latent_dim}")
    row.score("KL", usage["KL"])
    shown = figures.kl_bars(usage["KL"].detail, active=usage["active units"].detail)
    row.figure("kl", shown, "KL of each unit of the code, mean over test images; hatched: not active.")
    health = [line["health"] for line in vae.history]
    row.number(
        "code use", health[-1]["code_use"], "share of the error with another image's code that the own code takes away"
    )
    per_unit = [float(value) for value in usage["KL"].detail]
    row.number("units under 0.1 nat", sum(value < 0.1 for value in per_unit), f"of {study.latent_dim}")
    row.number("units of 90 % of the KL", of_codes.few(per_unit), f"of {study.latent_dim}")
    courses = {"KL, training": vae.curve(term="kl"), "KL, test": vae.curve("validation", "kl")}
    courses |= {"squared error, training": vae.curve(), "squared error, test": vae.curve("validation")}
    shown = figures.response(
        range(1, study.epochs + 1), courses, "epoch", "per image", log=True, title="The two terms by epoch"
    )
    row.figure("balance", shown, "KL in nats and squared error by epoch, each per image.")
    row.number("reconstruction", vae.curve("validation")[-1], "squared error per image")
    fitting = 2 * vae.curve("validation")[-1] / x[0].numel()
    row.number("β of the best-fitting noise", fitting, "twice the squared error per pixel of decoded draws")
    for name, curve in list(courses.items())[:2]:
        for what, value in {"first": curve[0], "least": min(curve), "most": max(curve), "last": curve[-1]}.items():
            row.number(f"{name}, {what}", value, "nats per image")
    row.number("epochs to 90 %", of_codes.reached(vae.curve("validation")), "epochs to 90 % of the fall of the error")
    row.finding(of_codes.collapse(row.found, study.latent_dim, health[-1]["code_use"]), "kl")
    row.finding(
        of_codes.balance(vae.curve("validation")[-1], row.found["KL"].value, study.beta, x[0].numel()), "balance"
    )
    row.finding(of_codes.noise(row.found["β of the best-fitting noise"].value, study.beta))
    done = int(row.numbers["epochs to 90 %"]["value"])
    training, testing = list(courses.values())[:2]
    row.finding(of_codes.dynamics(done, training), "balance")
    row.finding(of_codes.course(testing, "On test images"), "balance")


# %% [markdown]
# ## 1.12 The three autoencoders side by side
# The loss is what training minimises: error plus penalty for the sparse model, and the error between noisy inputs'
# reconstructions and clean images for the denoising model. Training values are means over the last epoch. Validation values
# are of the test images after it. Principal components have no epochs and no loss but the error.


# %%
def principal_error() -> float:
    """Squared error per pixel of the principal components on training images."""

    def error() -> float:
        parts = [train.take(few).pixels for few in np.array_split(np.arange(len(train)), max(1, len(train) // 500))]
        squares = [(principal.model.reconstruct(torch.from_numpy(part)).numpy() - part) ** 2 for part in parts]
        return float(sum(square.sum(dtype=np.float64) for square in squares) / train.images.size)

    found: float = principal.remember("training error", error)
    return found


@study.row(
    "1.12",
    "Final losses of the three autoencoders, training and validation",
    to_try="Train all three on a tenth of the images. Whose gap from training to validation grows most?",
)
def finals(row: Row) -> None:
    three = {"undercomplete": undercomplete, "sparse": by_weight[sparse_weight()], "denoising": denoising}
    table: list[tuple[float | str | None, ...]] = []
    curves = {}
    for name, one in three.items():
        for part, called in (("train", "training"), ("validation", "validation")):
            row.number(f"{called} loss, {name}", one.curve(part, "total")[-1], "loss of the last epoch")
            row.number(f"{called} error, {name}", one.curve(part)[-1], PER_PIXEL)
            curves[f"{name}, {called}"] = one.curve(part)
        gap = one.curve("validation")[-1] / one.curve()[-1] - 1
        row.number(f"gap, {name}", 100 * gap, "% of the training error")
        kinds = ("training loss", "validation loss", "training error", "validation error", "gap")
        table.append((name, words.INPUTS[name], *(row.numbers[f"{kind}, {name}"]["value"] for kind in kinds)))
    row.number(f"training error, {PCA}", principal_error(), PER_PIXEL)
    row.number(f"validation error, {PCA}", principal.subject.errors.mean(), PER_PIXEL)
    both = [row.numbers[f"{part} error, {PCA}"]["value"] for part in ("training", "validation")]
    table.append((PCA, "clean", None, None, *both, 100 * (both[1] / both[0] - 1)))
    row.table(
        "The last epoch: loss, squared error per pixel, and how far the validation error lies above the training error.",
        ("model", "input", "training loss", "validation loss", "training error", "validation error", "gap, %"),
        table,
    )
    shown = figures.response(
        range(1, study.epochs + 1), curves, "epoch", PER_PIXEL, log=True, title="Reconstruction error"
    )
    row.figure("errors", shown, "Reconstruction error by epoch; the denoising model's from noisy images to clean ones.")
    row.finding(words.losses(row.found), "errors", about=(by_weight[sparse_weight()],))


# %% [markdown]
# ## 1.13 Two weights of the KL term
# The same VAE is trained at `beta` and at `weak_beta` from several seeds, beside undercomplete models from the same seeds.
# Measured are the accuracy that the probe loses on its codes, the FID of new faces from N(0, I), the fitted Gaussian and the
# mixture, and the prior hole. With the aggregated posterior q(z) = E q(z|x) the KL term has two parts (Hoffman & Johnson
# 2016): E KL(q(z|x) ‖ p) = I(x; z) + KL(q(z) ‖ p), the information that the code has about the image, and the prior hole. For
# any density r, KL(q(z) ‖ p) is at least the mean of log r(z) − log p(z) over codes drawn from q(z). Here r is fitted to
# draws for training images and the mean is over draws for test images: a Gaussian shows what mean and covariance account for,
# a mixture more. Summed squared error plus β times the KL term corresponds to a Gaussian likelihood of variance β/2 for each
# number of an image. How well new faces are formed is judged by their FID between that of reconstructions and that of
# averages of two reconstructions. Missing kinds of faces raise it too; the grid shows which it is.


# %%
def hole(one: Trained, kinds: dict[str, str]) -> dict[str, float]:
    """Lower bounds on KL(q(z) ‖ N(0, I)) in nats, by what shows them; `kinds`: that → the density."""

    def bounds() -> dict[str, float]:
        drawn = one.subject.sampled_codes
        assert drawn is not None
        z_train, z = drawn
        prior = Normal().fit(z).log_prob(z)
        fitted = {name: latents.fit_density(kind, z_train) for name, kind in kinds.items()}
        return {name: float((density.log_prob(z) - prior).mean()) for name, density in fitted.items()}

    found: dict[str, float] = one.remember("hole", bounds)
    return found


def edit_of(one: Trained, alpha: float) -> Edit:
    """What adding the attribute gains, and how far identity-related attributes move, from α = 0 on."""
    alphas = tuple(alpha * k / 8 for k in range(9))

    def edited() -> list[list[float]]:
        swept = moved_along(one, direction(one), alphas)
        response = swept.response[study.edited]
        drifts = [[swept.drift(study.edited, alpha)[name] for name in bearing()] for alpha in alphas]
        return [list(alphas), (response - response[:, :1]).mean(0).tolist(), [fmean(each) for each in drifts]]

    depends = [one.run.folder.fingerprint(), denoising.run.folder.fingerprint(), test.fingerprint, alpha]
    found = study.remember("edit", [*depends, study.edited, study.identity], edited)
    return Edit(*found)


def moments(images: Any) -> generation.Moments:
    """What the extractor of FID sees in the images (N, C, H, W)."""
    return generation.Moments.of(generation.extract(generation.extractor(study.extractor, train), images).values)


def averaged(one: Trained) -> float:
    """FID of averages of two reconstructions: half-formed faces that are as blurred as the model's own."""

    def distance() -> float:
        x_hat = one.subject.reconstructions
        return generation.frechet_distance(moments((x_hat + np.roll(x_hat, 1, 0)) / 2), moments(test.pixels))

    depends = [one.run.folder.fingerprint(), train.fingerprint, test.fingerprint, study.extractor]
    found: float = study.remember("averaged", depends, distance)
    return found


def looks(one: Trained) -> dict[str, float]:
    """The highest frequency that new faces keep, by where their codes are drawn."""

    def sharp() -> dict[str, float]:
        fitted = latents.fit_density("gaussian", codes_of(one, draws=True))
        drawn = {
            name: latents.draw_images(one.model, how, 200) for name, how in {NORMAL: None, GAUSSIAN: fitted}.items()
        }
        return {name: metrics.sharpness(torch.from_numpy(images), x, least=seen.FINE) for name, images in drawn.items()}

    found: dict[str, float] = one.remember("sharpness of draws", sharp)
    return found


def kl_spread(one: Trained) -> dict[str, float]:
    """How unevenly the units carry the KL term."""
    per_unit = [float(value) for value in one.measure("usage").scores["KL"].detail]
    return {"units under 0.1 nat": sum(v < 0.1 for v in per_unit), "units of 90 % of the KL": of_codes.few(per_unit)}


def edited(row: Row, alpha: float) -> None:
    """Arithmetic by all of them: the gain at α, and how far the person changes at an equal gain."""
    each = {at("{}", beta): [edit_of(one, alpha) for one in several] for beta, several in vaes.items()}
    each[f"{{}}, {PLAIN}"] = [edit_of(one, alpha) for one in plain]
    for name, several in each.items():
        row.over(name.format("gain"), [edit.gain[-1] for edit in several], CHANGE)
    common = edits.common_gain([edit for several in each.values() for edit in several])
    if common <= 0.01:
        row.not_measured("some models do not gain by the edit", "the comparison at an equal gain")
        return
    row.number("equal gain", common, f"{CHANGE}, that all models reach by α = {alpha:g}")
    for name, several in each.items():
        reached = [edit.at_gain(common) for edit in several]
        row.over(name.format("α of equal gain"), [there for there, _ in reached], "of the vector")
        row.over(name.format(DRIFT), [drift for _, drift in reached], CHANGE)
    no_kl = [edit.at_gain(common)[1] for edit in each[f"{{}}, {PLAIN}"]]
    for beta in betas:
        drifts = [edit.at_gain(common)[1] for edit in each[at("{}", beta)]]
        row.pair(f"{at(DRIFT, beta)} less {DRIFT}, {PLAIN}", drifts, no_kl, CHANGE, "seeds")


@study.row(
    "1.13",
    "Two weights of the KL term: probe, samples and prior hole over seeds",
    to_try="Set `weak_beta` to 0.01. Which of the two parts of the KL term grows, and what becomes of the samples?",
)
def weights(row: Row) -> None:
    with_fid, mixture = row.can("FID"), row.can("the mixture of ten")
    names = [name for name, (kind, _) in KINDS.items() if mixture or kind != "mixture"]
    shown_by = {"mean and covariance": "gaussian"} | ({"mixture": "mixture"} if mixture else {})
    right = [100 * float(np.mean(read_off(one))) for one in plain]
    alpha = study.found("1.8")["α"].value
    row.over("probe, undercomplete", right, "% of test images")
    row.over("MSE, undercomplete", [one.subject.errors.mean() for one in plain], PER_PIXEL)
    row.number("most of I(x; z)", math.log(len(test)), "nats, the logarithm of the number of test images")
    measured: dict[str, list[float]] = {}
    for beta, several in vaes.items():

        def over(what: str, values: list[float], unit: str, beta: float = beta) -> None:
            measured[at(what, beta)] = values
            row.over(at(what, beta), values, unit)

        def paired(one: str, other: str, unit: str, beta: float = beta) -> None:
            one, other = at(one, beta), at(other, beta)
            row.pair(f"{one} less {other}", measured[one], measured[other], unit, "seeds")

        accuracy = [100 * float(np.mean(read_off(one))) for one in several]
        over("probe", accuracy, "% of test images")
        over("probe gap", [a - b for a, b in zip(right, accuracy, strict=True)], "percentage points")
        over("MSE", [one.subject.errors.mean() for one in several], PER_PIXEL)
        for name in ("means", "draws"):
            over(f"variance of a unit, {name}", [variances(one)[name] for one in several], "mean over units")
        if with_fid:
            made = [generated(one, names) for one in several]
            for name, scores in made[0].items():
                for what in scores:
                    over(f"{what}, {name}", [each[name][what].value for each in made], scores[what].unit)
            unit = made[0][NORMAL]["FID"].unit
            over(f"FID, {seen.AVERAGES}", [averaged(one) for one in several], unit)
            own, mixed = (measured[fid(name, beta)] for name in (seen.OWN, seen.AVERAGES))
            covered = measured[at(f"coverage, {seen.OWN}", beta)]
            for name in (NORMAL, GAUSSIAN):
                scale = zip(measured[fid(name, beta)], own, mixed, strict=True)
                over(f"form, {name}", [seen.form(*each) for each in scale], "of the way to averages of two")
                shares = zip(measured[at(f"coverage, {name}", beta)], covered, strict=True)
                over(
                    f"relative coverage, {name}", [a / max(b, 1e-9) for a, b in shares], "times that of reconstructions"
                )
            first, second = (measured[fid(name, beta)] for name in (GAUSSIAN, NORMAL))
            over("N(0, I) over fitted Gaussian", [b / a for a, b in zip(first, second, strict=True)], "times the FID")
            paired(fid(GAUSSIAN), fid(NORMAL), unit)
            paired(fid(OF_MEANS[GAUSSIAN]), fid(GAUSSIAN), unit)
            if mixture:
                paired(fid(MIXTURE), fid(GAUSSIAN), unit)
        for name in (NORMAL, GAUSSIAN):
            over(f"sharpness, {name}", [looks(one)[name] for one in several], "cycles per image")
        usage = [one.measure("usage").scores for one in several]
        over("KL", [scores["KL"].value for scores in usage], "nats per image")
        bounds = [hole(one, shown_by) for one in several]
        for name in bounds[0]:
            over(f"hole, {name}", [found[name] for found in bounds], "nats, KL(q(z) ‖ p) at least")
        over("hole", [max(0.0, *found.values()) for found in bounds], "nats, the larger of these bounds")
        over("I(x; z) at least", [scores["I(x; z) at least"].value for scores in usage], "nats per image")
        for most, least, how in (
            ("I(x; z)", "hole", "the bound on the hole"),
            ("hole", "I(x; z) at least", "that of I(x; z)"),
        ):
            values = zip(measured[at("KL", beta)], measured[at(least, beta)], strict=True)
            over(f"{most} at most", [kl - bound for kl, bound in values], f"nats, KL less {how}")
        over("active units", [scores["active units"].value for scores in usage], f"of {study.latent_dim}")
        for name in kl_spread(several[0]):
            over(name, [kl_spread(one)[name] for one in several], f"of {study.latent_dim}")
    gap = [at("probe gap", beta) for beta in betas]
    row.pair(f"{gap[0]} less {gap[1]}", measured[gap[0]], measured[gap[1]], "percentage points", "seeds")
    edited(row, alpha)
    whats = [name.removesuffix(f", β = {study.beta:g}") for name in row.found if name.endswith(f", β = {study.beta:g}")]
    cells = {name: with_error(told.value, told.half or 0).replace("-", "−") for name, told in row.found.items()}
    row.table(
        f"Means over {study.seeds} seeds with half of their 95 % intervals; precision and recall are among the numbers.",
        ("measured", *(f"β = {beta:g}" for beta in betas), PLAIN),
        [
            (what, *(cells[at(what, beta)] for beta in betas), cells.get(f"{what}, {PLAIN}"))
            for what in whats
            if " less " not in what and not what.startswith(("precision", "recall"))
        ],
    )
    order = [OF_MEANS[GAUSSIAN], GAUSSIAN, *([MIXTURE] if mixture else [])]
    for beta, (one, *_) in vaes.items():
        shown = figures.density_samples(new_faces(one, order), title=f"β = {beta:g}: sixteen new faces from each")
        name = "grids" if beta == betas.weak else "grids-strong"
        row.figure(name, shown, f"Sixteen new faces from each, by the VAE of the first seed at β = {beta:g}.")
    spread = vaes[study.weak_beta][0].measure("prior_hole").scores["mean of a unit"].detail
    shown = figures.posterior_against_prior(spread["means"], spread["deviations"])
    row.figure(
        "hole", shown, f"Where the codes of test images lie at β = {study.weak_beta:g}, unit by unit, against N(0, 1)."
    )
    row.finding(of_regimes.probe(row.found, betas, study.attribute))
    if of_regimes.gaps(row.found, betas)[betas.strong].decision == "more":
        row.finding(of_regimes.WHY)
    if with_fid:
        shown_fids = {at(name, beta): row.numbers[fid(name, beta)] for beta in betas for name in (NORMAL, *order)}
        shown = figures.bars(
            {name: number["value"] for name, number in shown_fids.items()},
            f"FID, features of {study.extractor}",
            {name: (number["low"], number["high"]) for name, number in shown_fids.items()},
            title="FID of new faces, over seeds",
        )
        row.figure("fid", shown, "FID of new faces, means over seeds with 95 % intervals; lower is better.")
        row.finding(fits.drawn(row.found, betas), "grids", "fid")
        if mixture:
            row.finding(fits.mixtures(row.found, betas), "grids", "fid")
        row.finding(fits.means(row.found, betas), "grids", "fid")
        row.finding(seen.samples(row.found, betas, test.shape[1] // 2), "grids", "grids-strong")
    row.finding(of_regimes.parts(row.found, betas), "hole")
    row.finding(of_regimes.farther(row.found, betas))
    row.finding(of_regimes.ceiling(row.found))
    row.finding(of_regimes.moments(row.found, betas), "hole")
    if with_fid:
        row.finding(of_regimes.verdict(row.found, betas))
    row.finding(edits.raised(row.found, betas, study.edited, alpha))
    row.finding(edits.arithmetic(row.found, betas))


# %% [markdown]
# ## 1.14 Three choices
# * The second head of a VAE gives log σ². It is compared with heads that give σ² itself: through softplus, directly, and
#   directly with initial weights of 0 and a bias of 1, so that training begins at the prior's variance. Each is trained for
#   some steps from several seeds.
# * Dropout sets values of the image to 0 and scales up the others (Srivastava et al. 2014). It is compared with added Gaussian
#   noise.
# * Transposed convolutions of stride 2 can leave a checkerboard. Copied pixels and a convolution are meant to avoid it (Odena
#   et al. 2016). Both are measured.


# %%
def variance(row: Row) -> None:
    """log σ², and σ² itself."""
    net = {"latent_dim": study.latent_dim, "net": "conv", "channels": study.channels}
    batch, table = min(study.batch_size, len(some)), []
    sizes = (study.tries, study.steps, batch, study.lr, study.latent_dim, study.channels)
    for way in heads.WAYS:

        def trained(way: str = way) -> list[list[float]]:
            each = range(study.tries)
            return [heads.first_steps(way, some, seed, study.steps, batch, study.lr, **net) for seed in each]

        curves = study.remember("heads", [way, train.fingerprint, len(some), sizes], trained)
        ended = [len(losses) for losses in curves if len(losses) < study.steps]
        whole = [fmean(losses[-10:]) for losses in curves if len(losses) == study.steps]
        failures = row.number(f"failures, {way}", len(ended), f"of {study.tries} trainings")
        until = row.number(f"steps, {way}", fmean(ended), "steps to the failure, mean") if ended else None
        loss = row.over(f"loss, {way}", whole, "loss per image") if whole else None
        table.append((way, int(failures), until, loss))
    row.table(
        f"{study.tries} trainings of {study.steps} steps: how many fail, after how many steps, and the mean loss of the "
        "last ten steps of the others.",
        ("the head gives", "failures", "steps until then", "loss"),
        table,
    )
    row.check("failures with log σ²", row.found[f"failures, {variants.LOG}"].value, "=", 0, always=True)
    row.finding(variants.heads(row.found, list(heads.WAYS), study.tries, study.steps))


def corruption(row: Row) -> None:
    """Dropout beside Gaussian noise; dropout leaves [0, 1], so the networks are called themselves."""

    def through(one: Trained, images: torch.Tensor) -> torch.Tensor:
        model = one.model
        with torch.no_grad():
            parts = (model.likelihood.mean(model(part.to(model.device))[1]) for part in images.split(500))
            return torch.cat([part.cpu() for part in parts])

    gaussian, dropout = variants.CORRUPTIONS
    noisy, thinned = (one.model.corrupt(x, seed=1) for one in (denoising, dropped))
    inputs = {gaussian: noisy, dropout: thinned, "clean images": x}

    def errors_of(one: Trained) -> dict[str, list[float]]:
        return {on: error_of(through(one, images)) for on, images in inputs.items()}

    errors = {
        name: one.remember(f"corrupted-{study.noise:g}-{study.dropout:g}", lambda one=one: errors_of(one))  # type: ignore[misc]
        for name, one in {gaussian: denoising, dropout: dropped, "undercomplete": undercomplete}.items()
    }
    table: list[tuple[float | str, ...]] = [
        (name, *(row.over(f"{name}, on {on}", error, PER_PIXEL, "test images") for on, error in each.items()))
        for name, each in errors.items()
    ]
    for on in inputs:
        row.pair(
            f"{gaussian}, on {on} less {dropout}, on {on}",
            errors[gaussian][on],
            errors[dropout][on],
            PER_PIXEL,
            "images",
        )
    caption = (
        "Error per pixel by what the model was trained on, on test images corrupted in either way and on clean ones."
    )
    row.table(caption, ("trained on", *inputs), table)
    shown = {"with dropout": thinned[few].clamp(0, 1), "reconstructed": through(dropped, thinned[few])}
    share = f"{100 * study.dropout:g} %"
    row.figure(
        "dropout", figures.reconstructions(x[few], shown), f"Test images under dropout of {share}, reconstructed."
    )
    row.finding(variants.corruptions(row.found, f"noise of σ = {study.noise:g}", f"dropout of {share}"))


def decoders(row: Row) -> None:
    """Transposed convolutions, and copied pixels with a convolution."""
    kinds = {"transposed": undercomplete, "upsampling": upsampled}
    table = [
        (
            name,
            int(row.number(f"parameters, {name}", one.model.summary().parameters, "numbers")),
            row.over(f"MSE, {name}", one.subject.errors, PER_PIXEL, "test images"),
            row.number(f"grid, {name}", grid_of(one.subject.reconstructions), GRID),
        )
        for name, one in kinds.items()
    ]
    row.number("grid, none", grid_free(), GRID)
    both = undercomplete.subject.errors, upsampled.subject.errors
    row.pair("MSE, transposed less MSE, upsampling", *both, PER_PIXEL, "test images")
    columns = ("decoder", "parameters", "MSE", "grid")
    row.table("The undercomplete model with two decoders.", columns, table)
    shown = {name: one.subject.reconstructions[few] for name, one in kinds.items()}
    row.figure(
        "decoders",
        figures.reconstructions(x[few], shown),
        "Five test images, reconstructed by either decoder.",
    )
    row.finding(variants.enlarging(row.found), "decoders")


@study.row(
    "1.14",
    "Three choices: log σ², what corrupts the image, how maps are enlarged",
    to_try="Add 1e-6 to σ² before its logarithm is taken. Which failures disappear, and what does the KL term become?",
)
def choices(row: Row) -> None:
    variance(row)
    corruption(row)
    decoders(row)


# %% [markdown]
# ## 1.11 The report in five sections
# `report.md` summarises the study in at most 7,500 characters and without pictures, from the same numbers, so it comes last.


# %%
pieces = of_report.Pieces(study, train, test, undercomplete)


@study.row(
    "1.11",
    "report.md: five sections, at most 7,500 characters, no pictures",
    to_try=("Write your own Reflection before you read this one. Which measured number would change your mind?"),
)
def short(row: Row) -> None:
    text = row.report(of_report.five_sections(pieces))
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    row.check("sections", len(headings), "=", 5, always=True)
    row.check("characters", len(text), "≤", 7_500, always=True)
    row.check("pictures", text.count("!["), "=", 0, always=True)
    row.number("characters", len(text), "of report.md")


# %% [markdown]
# ## 1.15 What each section must hold
# The assignment is graded section by section, so the report is searched for each required content in its own section. That a
# content is mentioned says nothing of how good it is.


# %%
@study.row(
    "1.15",
    "The report, section by section: the required contents",
    to_try="Read the report once more as its examiner. Which content is there, but not convincing?",
)
def required(row: Row) -> None:
    missing, n = contents.missing(of_report.five_sections(pieces)), sum(map(len, contents.REQUIRED.values()))
    row.number("contents found", n - len(missing), f"of {n}")
    row.text(f"Of {n} required contents report.md mentions {n - len(missing)}{contents.without(missing)}.")


# %% [markdown]
# ## The questions
# The questions of the assignment, answered from the rows above.


# %%
@study.row("answers", "The questions, answered from what was measured")
def answers(row: Row) -> None:
    for question, (answer, rows) in of_report.QUESTIONS.items():
        row.question(question)
        row.finding(answer(pieces), rows=rows)
