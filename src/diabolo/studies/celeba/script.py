# %% [markdown]
# # Faces: what keeps an autoencoder from copying, and what its codes are good for
#
# An autoencoder that could copy its input would learn nothing. Four things prevent that: a narrow code, a penalty on the
# code, noise on the image, and a prior over the code. Here one model of each kind is trained on the same images of faces,
# with the same encoder and decoder. Then they are compared: in reconstruction, in predicting an attribute from the code, in
# arithmetic with codes, and in generating new faces.
#
# The undercomplete model and the VAE at two weights of its KL term are trained from several seeds each (`seeds`), and row
# 1.13 gives intervals over them. All other models are trained once. Their intervals are over test images and do not cover the
# variation between seeds.

# %%
from functools import cache
from statistics import fmean
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
from diabolo.metrics.reconstruction import resolution
from diabolo.metrics.usage import hoyer
from diabolo.pictures import run_figures
from diabolo.statistics import wilson
from diabolo.studies import NotMeasured, Row, Study
from diabolo.studies.celeba import codes as of_codes
from diabolo.studies.celeba import contents, heads, seen, variants, words
from diabolo.studies.celeba import regimes as of_regimes
from diabolo.studies.celeba import report as of_report
from diabolo.studies.celeba.regimes import GAUSSIAN, MIXTURE, NORMAL, at
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
# Each model is trained when it is first needed. All have the same encoder and decoder, the same number of steps, and the same
# learning rates.

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
study.in_pytorch(vae, undercomplete, by_weight[study.sparsity[0]], denoising)

x = torch.from_numpy(test.pixels)  # (M, 3, 64, 64)
few = range(5)  # test images that are shown
PER_PIXEL = "squared error per pixel"
CHANGE, PER_GAIN = "change of probability", "change of probability for each unit of gain"
GRID = "grey levels of 255, 0 without a checkerboard"


def error_of(x_hat: torch.Tensor) -> list[float]:
    """Squared error per pixel of each test image."""
    return [float(error) for error in (x_hat - x).double().square().mean((1, 2, 3))]


def training_errors() -> dict[float, float]:
    """λ → the error on training images in the last epoch: test images have no say in the choice of λ."""
    return {weight: one.curve()[-1] for weight, one in by_weight.items()}


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


def moved_along(one: Trained, v: Any) -> latents.Sweep:
    """Test faces without the attribute, their codes moved along `v` and decoded, as the judge sees them."""
    without = np.flatnonzero(~latents.attribute(test, study.edited))[:200]
    start = one.subject.codes("test")[without]
    return latents.sweep(one.model, start, v, study.alphas, judge(denoising.model, probes()))


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
    row.number("compression", np.prod(train.shape) / study.latent_dim, "numbers of an image for one of the code")
    row.figure("faces", figures.sample_grid(x[:24], "Test images", 8), "Some of the test images, 64×64.")
    row.check("length of the code", model.latent_shape[0], "=", study.latent_dim, always=True)
    row.number("training images", len(train), "images")
    row.number("test images", len(test), "images")
    differing = int((data.as_images(some).images != train.images[: len(some)]).sum())
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
    seconds = float(np.mean([line["seconds"] for line in undercomplete.history]))
    row.number("training error", undercomplete.curve()[-1], PER_PIXEL)
    row.number("test error", undercomplete.curve("validation")[-1], PER_PIXEL)
    row.number("an epoch", seconds, "seconds")
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
    norms = {f"λ = {written(weight)}": one.curve(term="l1") for weight, one in by_weight.items()}
    shown = figures.response(epochs, norms, "epoch", "Σ|z|, mean over training images", title="L1 norm of the codes")
    row.figure("l1", shown, "L1 norm of the codes by epoch, for each λ.")
    errors = {f"λ = {written(weight)}": one.curve("validation") for weight, one in by_weight.items()}
    errors |= {"undercomplete": undercomplete.curve("validation")}
    shown = figures.response(epochs, errors, "epoch", PER_PIXEL, title="Error on test images")
    row.figure("errors", shown, "Error on test images by epoch, for each λ and without a penalty.")
    table: list[tuple[float | str, ...]] = []
    for weight, one in by_weight.items():
        error = row.number(f"training error, λ = {written(weight)}", one.curve()[-1], PER_PIXEL)
        z = one.subject.codes("test")
        norm = row.over(f"L1, λ = {written(weight)}", np.abs(z).sum(1), "Σ|z|", "test images")
        share = row.over(f"Hoyer, λ = {written(weight)}", hoyer(z), "0 to 1", "test images")
        table.append((weight, error, one.curve("validation")[-1], norm, share))
    z = undercomplete.subject.codes("test")
    norm, share = row.over("L1, no penalty", np.abs(z).sum(1), "Σ|z|", "test images"), float(hoyer(z).mean())
    table.append(("none", undercomplete.curve()[-1], undercomplete.curve("validation")[-1], norm, share))
    row.table(
        "The search for λ: errors per pixel, and how large and how sparse the codes of test images are.",
        ("λ", "training error", "test error", "L1 norm", "Hoyer"),
        table,
    )
    weight = row.number("λ", sparse_weight(), "weight of Σ|z|")
    reference, l1 = undercomplete.curve()[-1], row.found["L1, no penalty"].value
    trade = {"no penalty": (l1, 1.0)} | {
        f"λ = {written(w)}": (row.found[f"L1, λ = {written(w)}"].value, error / reference)
        for w, error in training_errors().items()
    }
    title = f"The sweet spot: at most {study.within:g} times the error"
    shown = figures.pareto(trade, "Σ|z| of test images", "training error over the undercomplete model's", title=title)
    row.figure("tradeoff", shown, "Size of the codes against error, for each λ and without a penalty.")
    gained = hoyer(by_weight[weight].subject.codes("test")) - hoyer(z)
    row.over("Hoyer, sparse less undercomplete", gained, "0 to 1", "test images, paired")
    row.figure(
        "losses",
        figures.loss_curves(run_figures.losses(by_weight[weight].run)),
        f"The terms of the loss at λ = {written(weight)}.",
    )
    ratio = training_errors()[weight] / undercomplete.curve()[-1]
    row.check("training error over the undercomplete model's", ratio, "≤", study.within)
    row.check("L1 norm over the undercomplete model's", row.found[f"L1, λ = {written(weight)}"].value / l1, "≤", 0.5)
    chosen = (by_weight[weight],)
    row.finding(words.choice(training_errors(), undercomplete.curve()[-1], study.within), "tradeoff", about=chosen)
    found = row.found
    told = (
        found[f"L1, λ = {written(weight)}"],
        found["L1, no penalty"],
        found["Hoyer, sparse less undercomplete"],
        share,
        weight,
        study.latent_dim,
    )
    row.finding(words.sparse(*told), "l1", about=chosen)


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
# leave a checkerboard of period 2 or 4 pixels. It is measured as the power at its frequencies above that around them.


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
    few_of, table, curves = x[:1000], [], {"images": metrics.reconstruction.spectrum(x[:1000]).mean(0).numpy()}
    for name, one in three.items():
        x_hat = torch.from_numpy(one.subject.reconstructions)
        scores = one.measure("reconstruction").scores
        error, similarity = row.score(f"MSE, {name}", scores["MSE"]), row.score(f"SSIM, {name}", scores["SSIM"])
        finest = row.number(f"resolution, {name}", resolution(few_of, x_hat[:1000]), "cycles per image")
        grid = row.number(f"grid, {name}", 255 * metrics.grid_pattern(x_hat[:1000], few_of), GRID)
        table.append((name, error, similarity, finest, grid))
        curves[f"error: {name}"] = metrics.reconstruction.spectrum(x_hat[:1000] - few_of).mean(0).numpy()
        if one is not undercomplete:
            more = one.subject.errors - undercomplete.subject.errors
            row.over(f"MSE, {name} less undercomplete", more, PER_PIXEL, "test images, paired")
    row.table(
        "On clean test images: squared error per pixel, similarity, resolution in cycles per image, and the strength of a "
        "checkerboard in grey levels of 255.",
        ("model", "MSE", "SSIM", "resolution", "grid"),
        table,
    )
    row.figure("spectrum", figures.spectrum(curves), "Power of the images and of the errors, by spatial frequency.")
    resolutions, grids = (
        {name: row.found[f"{what}, {name}"].value for name in three} for what in ("resolution", "grid")
    )
    row.finding(seen.reconstructions(resolutions, grids, test.shape[1]), "grid", about=(by_weight[sparse_weight()],))
    row.finding(
        words.eye(resolutions, row.found, test.shape[1] // 2),
        "grid",
        "spectrum",
        about=(by_weight[sparse_weight()],),
    )


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
    row.number(
        "resolution, VAE",
        resolution(x[:1000], torch.from_numpy(vae.subject.reconstructions[:1000])),
        "cycles per image",
    )
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
        row.check(f"weights of the {one.model.name}'s encoder that learn", learning, "=", 0, always=True)

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
    active = vae.measure("usage").scores["active units"].value
    row.finding(
        of_codes.separable(row.found["undercomplete less VAE"], study.attribute, active, study.latent_dim), "probes"
    )
    row.finding(of_codes.floors(*of_codes.best(row.found)), "probes")


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
    row.number("two people apart", fmean(apart[name] for name in identity), "probability, the same attributes")
    most = sorted(identity, key=lambda name: drift[name])[-4:]
    curves = {name: swept.response[name].mean(0) for name in (study.edited, *most)}
    title = f"{study.edited} along v, and the four identity-related attributes that move most"
    shown = figures.response(study.alphas, curves, "α", "probability by the probe", title=title)
    row.figure("response", shown, "What the judge's probes say of the decoded faces, mean over test images.")
    row.finding(of_codes.vector(row.found["gain"], scores, study.edited), "strips", "response")
    moved = {
        name: float((p[:, here] - p[:, at_rest]).mean()) for name, p in swept.response.items() if name != study.edited
    }
    farthest = max(moved, key=lambda name: abs(moved[name]))
    row.finding(of_codes.person(row.numbers["drift"]["value"], row.numbers["two people apart"]["value"], alpha))
    row.finding(of_codes.moves(farthest, moved[farthest]))
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
# New codes are drawn from N(0, I), from a Gaussian with the mean and covariance of the training codes, and from a mixture of
# ten (ex-post density estimation: Ghosh et al. 2020, arXiv 1903.12436). FID compares the decoded images with test images by
# the features of a small attribute classifier, so it cannot be compared with published figures. It needs more images than
# features. The prior hole is measured separately: how far codes, one draw of the posterior for each test image, lie from N(0,
# I).


# %%
@study.row(
    "1.9",
    "Samples from N(0, I), from a fitted Gaussian and a mixture, and the prior hole",
    to_try=(
        "Draw from the fitted Gaussian with its covariance set to the diagonal. How much of the "
        "gain was in the correlations?"
    ),
)
def samples(row: Row) -> None:
    z = vae.subject.codes("train")
    densities: dict[str, latents.Density | None] = {"N(0, I)": None}
    if row.can("the fitted Gaussian"):
        densities["fitted Gaussian"] = latents.fit_density("gaussian", z)
    if row.can("the mixture of ten"):
        densities["mixture of ten"] = latents.fit_density("mixture", z, components=10)
    grids = {name: latents.draw_images(vae.model, density, 16, seed=0) for name, density in densities.items()}
    row.figure(
        "grids",
        figures.density_samples(grids, title="Sixteen new faces from each"),
        "Faces decoded from codes drawn in each way.",
    )
    if row.can("FID"):
        kinds = ("prior", "gaussian", "mixture")[: len(densities)]
        scores = vae.measure("generation", extractor=study.extractor, densities=kinds).scores
        n = scores["FID, prior"].setting["n_generated"]
        row.number("images compared", n, "generated, of each kind")
        for name, key in zip(densities, kinds, strict=True):
            row.score(f"FID, {name}", scores[f"FID, {key}"])
        row.score("FID, reconstructions", scores["FID, reconstruction"])
        fids = {name: row.numbers[f"FID, {name}"]["value"] for name in (*densities, "reconstructions")}
        whiskers = {name: (row.numbers[f"FID, {name}"]["low"], row.numbers[f"FID, {name}"]["high"]) for name in fids}
        title = f"FID of {n:,} generated against {len(test):,} test images"
        row.figure(
            "fid",
            figures.bars(fids, f"FID, features of {study.extractor}", whiskers, title=title),
            "FID of new faces, and of reconstructions beside them; lower is better.",
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
    if {"FID, N(0, I)", "FID, fitted Gaussian"} <= set(row.numbers):
        row.finding(of_codes.mended(row.found), "grids", "fid")


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
    active = row.number("active units", usage["active units"].value, f"of {study.latent_dim}")
    row.score("KL", usage["KL"])
    shown = figures.kl_bars(usage["KL"].detail, active=usage["active units"].detail)
    row.figure("kl", shown, "KL of each unit of the code, mean over test images; hatched: not active.")
    health = [line["health"] for line in vae.history]
    row.number(
        "code use", health[-1]["code_use"], "share of the error with another image's code that the own code takes away"
    )
    path = {
        f"epoch {i + 1}": pair
        for i, pair in enumerate(zip(vae.curve("validation", "kl"), vae.curve("validation"), strict=True))
    }
    shown = figures.trade_off(
        path, "KL, nats per image", "squared error per image", title="The balance of the two terms"
    )
    row.figure("balance", shown, "Reconstruction against KL on test images, epoch by epoch.")
    row.number("reconstruction", vae.curve("validation")[-1], "squared error per image")
    row.number("β of the best-fitting noise", 2 * vae.subject.errors.mean(), "twice the squared error per pixel")
    row.number("KL, first epoch", vae.curve("validation", "kl")[0], "nats per image")
    row.number("KL, last epoch", vae.curve("validation", "kl")[-1], "nats per image")
    row.number("epochs to 90 %", of_codes.reached(vae.curve("validation")), "epochs to 90 % of the fall of the error")
    row.finding(of_codes.collapse(active, study.latent_dim, row.found["KL"].value, health[-1]["code_use"]), "kl")
    row.finding(
        of_codes.balance(vae.curve("validation")[-1], row.found["KL"].value, study.beta, x[0].numel()), "balance"
    )
    row.finding(of_codes.noise(row.found["β of the best-fitting noise"].value, study.beta))
    row.finding(of_codes.dynamics(row.found, study.epochs), "balance")


# %% [markdown]
# ## 1.12 The three autoencoders side by side
# The loss is what training minimises: error plus penalty for the sparse model, and the error between noisy inputs'
# reconstructions and clean images for the denoising model. Training values are means over the last epoch. Validation values
# are of the test images after it.


# %%
@study.row(
    "1.12",
    "Final losses of the three autoencoders, training and validation",
    to_try="Train all three on a tenth of the images. Whose gap from training to validation grows most?",
)
def finals(row: Row) -> None:
    three = {"undercomplete": undercomplete, "sparse": by_weight[sparse_weight()], "denoising": denoising}
    table: list[tuple[float | str, ...]] = []
    curves = {}
    for name, one in three.items():
        for part, called in (("train", "training"), ("validation", "validation")):
            row.number(f"{called} loss, {name}", one.curve(part, "total")[-1], "loss of the last epoch")
            row.number(f"{called} error, {name}", one.curve(part)[-1], PER_PIXEL)
            curves[f"{name}, {called}"] = one.curve(part)
        gap = one.curve("validation")[-1] / one.curve()[-1] - 1
        row.number(f"gap, {name}", 100 * gap, "% of the training error")
        kinds = ("training loss", "validation loss", "training error", "validation error", "gap")
        table.append((name, *(row.numbers[f"{kind}, {name}"]["value"] for kind in kinds)))
    row.table(
        "The last epoch: loss, squared error per pixel, and how far the validation error lies above the training error.",
        ("model", "training loss", "validation loss", "training error", "validation error", "gap, %"),
        table,
    )
    shown = figures.response(range(1, study.epochs + 1), curves, "epoch", PER_PIXEL, title="Reconstruction error")
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


def arithmetic_of(one: Trained, alpha: float) -> list[float]:
    """What adding the attribute at α gains in probability, and how far identity-related attributes move for that."""

    def edited() -> list[float]:
        swept = moved_along(one, direction(one))
        response, here, rest = swept.response[study.edited], swept.alphas.index(alpha), swept.alphas.index(0)
        drift = swept.drift(study.edited, alpha)
        gain = float((response[:, here] - response[:, rest]).mean())
        return [gain, fmean(drift[name] for name in bearing()) / max(gain, 0.01)]

    depends = [one.run.folder.fingerprint(), denoising.run.folder.fingerprint(), test.fingerprint, alpha]
    found: list[float] = study.remember("arithmetic", [*depends, study.edited, study.identity, study.alphas], edited)
    return found


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
        fitted = latents.fit_density("gaussian", one.subject.codes("train"))
        drawn = {
            name: latents.draw_images(one.model, how, 200) for name, how in {NORMAL: None, GAUSSIAN: fitted}.items()
        }
        return {name: metrics.sharpness(torch.from_numpy(images), x) for name, images in drawn.items()}

    found: dict[str, float] = one.remember("sharpness", sharp)
    return found


@study.row(
    "1.13",
    "Two weights of the KL term: probe, samples and prior hole over seeds",
    to_try="Set `weak_beta` to 0.01. Which of the two parts of the KL term grows, and what becomes of the samples?",
)
def weights(row: Row) -> None:
    with_fid, kinds, shown_by = (
        row.can("FID"),
        {NORMAL: "prior", GAUSSIAN: "gaussian"},
        {"mean and covariance": "gaussian"},
    )
    if row.can("the mixture of ten"):
        kinds[MIXTURE] = shown_by["mixture"] = "mixture"
    right = [100 * float(np.mean(read_off(one))) for one in plain]
    alpha = study.found("1.8")["α"].value
    of_plain = [arithmetic_of(one, alpha) for one in plain]
    row.over("probe, undercomplete", right, "% of test images")
    row.over("MSE, undercomplete", [one.subject.errors.mean() for one in plain], PER_PIXEL)
    for k, (what, unit) in enumerate((("gain", CHANGE), ("drift per gain", PER_GAIN))):
        row.over(f"{what}, undercomplete", [pair[k] for pair in of_plain], unit)
    measured: dict[str, list[float]] = {}
    for beta, several in vaes.items():

        def over(what: str, values: list[float], unit: str, beta: float = beta) -> None:
            measured[at(what, beta)] = values
            row.over(at(what, beta), values, unit)

        accuracy = [100 * float(np.mean(read_off(one))) for one in several]
        over("probe, VAE", accuracy, "% of test images")
        over("probe gap", [a - b for a, b in zip(right, accuracy, strict=True)], "percentage points")
        over("MSE", [one.subject.errors.mean() for one in several], PER_PIXEL)
        if with_fid:
            made = [
                one.measure("generation", extractor=study.extractor, densities=tuple(kinds.values())).scores
                for one in several
            ]
            for name, kind in {**kinds, seen.OWN: "reconstruction"}.items():
                over(f"FID, {name}", [scores[f"FID, {kind}"].value for scores in made], made[0][f"FID, {kind}"].unit)
                for what in ("precision", "recall", "coverage"):
                    values = [scores[f"{what}, {kind}"].value for scores in made]
                    over(f"{what}, {name}", values, made[0][f"{what}, {kind}"].unit)
            over(f"FID, {seen.AVERAGES}", [averaged(one) for one in several], made[0]["FID, prior"].unit)
            first, second = (measured[at(f"FID, {name}", beta)] for name in (GAUSSIAN, NORMAL))
            over("N(0, I) over fitted Gaussian", [b / a for a, b in zip(first, second, strict=True)], "times the FID")
            row.pair(
                f"{at(f'FID, {GAUSSIAN}', beta)} less {at(f'FID, {NORMAL}', beta)}", first, second,
                made[0]["FID, prior"].unit, "seeds",
            )  # fmt: skip
        for name in (NORMAL, GAUSSIAN):
            over(f"sharpness, {name}", [looks(one)[name] for one in several], "cycles per image")
        usage = [one.measure("usage").scores for one in several]
        over("KL", [scores["KL"].value for scores in usage], "nats per image")
        bounds = [hole(one, shown_by) for one in several]
        for name in bounds[0]:
            over(f"hole, {name}", [found[name] for found in bounds], "nats, KL(q(z) ‖ p) at least")
        over("hole", [max(0.0, *found.values()) for found in bounds], "nats, the larger of these bounds")
        over("I(x; z) at least", [scores["I(x; z) at least"].value for scores in usage], "nats per image")
        most = [kl - least for kl, least in zip(measured[at("KL", beta)], measured[at("hole", beta)], strict=True)]
        over("I(x; z) at most", most, "nats, KL less the bound on the hole")
        over("active units", [scores["active units"].value for scores in usage], f"of {study.latent_dim}")
        edits = [arithmetic_of(one, alpha) for one in several]
        over("gain", [gain for gain, _ in edits], CHANGE)
        over("drift per gain", [drift for _, drift in edits], PER_GAIN)
    gap = [measured[at("probe gap", beta)] for beta in betas]
    row.pair(
        f"{at('probe gap', betas.strong)} less {at('probe gap', betas.weak)}",
        gap[0],
        gap[1],
        "percentage points",
        "seeds",
    )
    whats = [name.removesuffix(f", β = {study.beta:g}") for name in measured if name.endswith(f", β = {study.beta:g}")]
    cells = {name: with_error(told.value, told.half or 0).replace("-", "−") for name, told in row.found.items()}
    row.table(
        f"Means over {study.seeds} seeds with half of their 95 % intervals.",
        ("measured", *(f"β = {beta:g}" for beta in betas), "undercomplete"),
        [(what, *(cells[at(what, beta)] for beta in betas), cells.get(f"{what}, undercomplete")) for what in whats],
    )
    grids: dict[str, Any] = {}
    for beta, (one, *_) in vaes.items():
        densities = {NORMAL: None, GAUSSIAN: latents.fit_density("gaussian", one.subject.codes("train"))}
        grids |= {at(name, beta): latents.draw_images(one.model, how, 16, seed=0) for name, how in densities.items()}
    row.figure("grids", figures.density_samples(grids), "Sixteen new faces from each, by the VAEs of the first seed.")
    spread = vaes[study.weak_beta][0].measure("prior_hole").scores["mean of a unit"].detail
    shown = figures.posterior_against_prior(spread["means"], spread["deviations"])
    row.figure(
        "hole", shown, f"Where the codes of test images lie at β = {study.weak_beta:g}, unit by unit, against N(0, 1)."
    )
    row.finding(of_regimes.probe(row.found, betas, study.attribute))
    if with_fid:
        fids = [at(f"FID, {name}", beta) for beta in betas for name in kinds]
        bars = {name.removeprefix("FID, "): row.numbers[name] for name in fids}
        whiskers = {name: (number["low"], number["high"]) for name, number in bars.items()}
        shown = figures.bars(
            {name: number["value"] for name, number in bars.items()},
            f"FID, features of {study.extractor}",
            whiskers,
            title="FID of new faces, over seeds",
        )
        row.figure("fid", shown, "FID of new faces, means over seeds with 95 % intervals; lower is better.")
        row.finding(of_regimes.drawn(row.found, betas), "grids", "fid")
        row.finding(seen.samples(row.found, betas, test.shape[1] // 2), "grids")
    row.finding(of_regimes.parts(row.found, betas), "hole")
    row.finding(of_regimes.moments(row.found, betas), "hole")
    if with_fid:
        row.finding(of_regimes.verdict(row.found, betas))
    row.finding(of_regimes.arithmetic(row.found, betas, study.edited, alpha))


# %% [markdown]
# ## 1.14 Three choices
# * The second head of a VAE gives log σ². It is compared with heads that give σ² itself: through softplus, directly, and
#   directly with initial weights of 0 and a bias of 1, so that training begins at the prior's variance. Each is trained for
#   some steps from several seeds.
# * Dropout sets values of the image to 0 and scales up the others (Srivastava et al. 2014). It is compared with added Gaussian
#   noise.
# * Transposed convolutions of stride 2 can leave a checkerboard. Copied pixels and a convolution cannot (Odena et al. 2016).


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
            row.number(
                f"grid, {name}", 255 * metrics.grid_pattern(torch.from_numpy(one.subject.reconstructions), x), GRID
            ),
            row.number(f"epoch, {name}", fmean(line["seconds"] for line in one.history), "seconds"),
        )
        for name, one in kinds.items()
    ]
    both = undercomplete.subject.errors, upsampled.subject.errors
    row.pair("MSE, transposed less MSE, upsampling", *both, PER_PIXEL, "test images")
    columns = ("decoder", "parameters", "MSE", "grid", "seconds an epoch")
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
# The assignment is graded section by section, so the report is read again: each required content is looked for in its own
# section.


# %%
@study.row(
    "1.15",
    "The report, section by section: the required contents",
    to_try="Read the report once more as its examiner. Which content is there, but not convincing?",
)
def required(row: Row) -> None:
    found = contents.found(of_report.five_sections(pieces))
    table = [(section, content, n) for (section, content), n in found.items()]
    row.table(
        "Required contents, and how often each is mentioned in its section.", ("section", "content", "mentions"), table
    )
    for (section, content), n in found.items():
        row.check(f"{section}: mentions of {content}", n, "≥", 1, always=True)


# %% [markdown]
# ## The questions
# The questions of the assignment, answered from the rows above.


# %%
@study.row("answers", "The questions, answered from what was measured")
def answers(row: Row) -> None:
    for question, (answer, rows) in of_report.QUESTIONS.items():
        row.question(question)
        row.finding(answer(pieces), rows=rows)
