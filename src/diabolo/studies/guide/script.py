# %% [markdown]
# # The techniques of a course on autoencoders, each measured
# A course teaches a dozen techniques and says that each one helps. Here each is tested against the baseline that it should
# improve on, with the same images for both. The answers say of each technique when it helps, by how much it did here, and what
# it costs.
#
# An interval is over trainings from several seeds, over draws of the labels, or over the test images or samples of one
# training. The last kind does not cover the variation between seeds. A number without an interval comes from one training.

# %%
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

import diabolo
from diabolo import figures, latents, metrics, zoo
from diabolo.data import Images
from diabolo.latents.codes import encode
from diabolo.likelihoods import VGG16
from diabolo.metrics import cost, generation
from diabolo.metrics.reconstruction import cross_spectrum, spectrum
from diabolo.plain import count, percent
from diabolo.runs.checkpoint import loss_scale
from diabolo.statistics import blocks, wilson
from diabolo.studies import Row, Study, Trained, less
from diabolo.studies.engine import needs
from diabolo.studies.guide import answers as answered
from diabolo.studies.guide import blur as blurred
from diabolo.studies.guide import choice, divergence, halves, losses, modes, shared, words
from diabolo.studies.guide import labels as few_labels
from diabolo.studies.guide import quantised as codebook
from diabolo.studies.guide import sheet as sheets
from diabolo.studies.guide import watching as watch
from diabolo.training import snapshots
from diabolo.training.code_priors import indices_of

# %% tags=["parameters"]
study = Study(
    "guide",
    data="mnist",  # a name (see 'diabolo data'), a folder of images, or a file
    n_train=60_000,  # training images
    n_test=10_000,  # test images
    n_few=10_000,  # training images of the smaller trainings
    n_few_test=2_000,  # their test images
    n_small=1_000,  # training images of the smallest set, for overfitting
    epochs=6,  # passes of the models on all images
    conv_epochs=6,  # passes of the denoising pre-training
    few_epochs=8,  # passes of the smaller trainings
    small_epochs=60,  # passes on the smallest set
    batch_size=128,  # images per step
    units=512,  # units of each of the two hidden layers of the VAEs
    vq_width=64,  # channels of the VQ-VAEs with a fine map
    seeds=3,  # trainings of each model, from other seeds
    labels=100,  # training images whose label is known
    draws=10,  # draws of these labels
    repeats=60,  # copies of the labelled images in an epoch
    joint_epochs=2,  # passes of the joint training
    wide_epochs=25,  # passes of the wide pre-training
    spread_rounds=3,  # how often labels spread, each time among the codes of the last classifier
    spread_epochs=1,  # passes over all images once labels have spread
    m1_epochs=20,  # passes of the VAE whose codes M2 learns
    m2_epochs=10,  # passes of M2 over the codes
    prior_epochs=12,  # passes of the larger prior over the maps of codes
    face_data="faces",  # images of row 5.7: a name (see 'diabolo data'), a folder of images, or a file
    face_n_train=3_000,  # their training images
    face_n_test=500,  # their test images
    face_epochs=15,  # passes over them
    n_sheet=4_000,  # points on the rolled sheet
    sheet_epochs=100,  # passes over them
    watched_epochs=20,  # passes of the training that is watched
    half_epochs=2,  # passes of the trainings in bf16, float16 and float32 that are compared
    map_points=2_000,  # points on the maps
    maps=("PCA", "t-SNE", "UMAP"),  # how codes are projected: PCA, t-SNE, UMAP
    quick={
        "n_train": 1_200,
        "n_test": 360,
        "n_few": 800,
        "n_few_test": 200,
        "n_small": 200,
        "epochs": 16,
        "conv_epochs": 8,
        "few_epochs": 12,
        "small_epochs": 80,
        "batch_size": 32,
        "units": 128,
        "vq_width": 32,
        "seeds": 2,
        "draws": 2,
        "repeats": 20,
        "joint_epochs": 6,
        "wide_epochs": 6,
        "m1_epochs": 8,
        "m2_epochs": 4,
        "spread_rounds": 2,
        "spread_epochs": 3,
        "prior_epochs": 4,
        "face_n_train": 250,
        "face_n_test": 60,
        "face_epochs": 12,
        "n_sheet": 1_000,
        "sheet_epochs": 40,
        "watched_epochs": 20,
        "half_epochs": 10,
        "map_points": 200,
        "maps": ("PCA", "t-SNE"),  # UMAP compiles for many seconds
    },
)
train, test = study.data(needs="labels")
study.require("seeds", study.seeds >= 2, "an interval needs 2 trainings or more")
study.require("draws", study.draws >= 2, "an interval needs 2 draws or more")

# %% [markdown]
# Slow networks are trained on fewer images, and so is everything that they are compared with.

# %%
study.require("n_few_test", min(len(test), study.n_few_test) >= 10, "10 test images or more are needed")
some, some_test = (part.subset(min(n, len(part))) for part, n in ((train, study.n_few), (test, study.n_few_test)))
small = some.subset(min(study.n_small, len(some)))
study.needs("5.8", *needs.classes(train, range(10)))
study.needs("5.10", *needs.classes(test, (1, 3, 4, 5, 7, 9)))
study.needs("5.9", *needs.distance(some_test))
for index, images, of_test in (("5.11", train, test), ("5.13", train, test)):
    study.needs(index, *needs.distance(of_test))
    study.needs(index, *needs.density("mixture", images, 16))
study.needs("5.16", *needs.kinds(some, some_test))
batches = study.watched_epochs * -(-len(train) // study.batch_size)
study.needs("5.17", batches >= 100, f"a loss every 100 batches is wanted, and there are {batches:,}")
fast: dict[str, Any] = {"lr": 3e-3, "schedule": "one-cycle", "batch_size": study.batch_size}


PER_PIXEL = "squared error per pixel"


def x_of(images: Images) -> torch.Tensor:
    """Pixels (N, C, H, W) in [0, 1]."""
    return torch.from_numpy(images.pixels)


def errors(x_hat: torch.Tensor, images: Images) -> list[float]:
    """The squared error per pixel of each reconstruction."""
    each: list[float] = (x_hat.cpu() - x_of(images)).double().square().flatten(1).mean(1).tolist()
    return each


# %% [markdown]
# ## 5.1 Vanilla and convolutional autoencoders
# Only a narrow code keeps a plain autoencoder from copying its input. Three networks compress an image into 32 numbers: full
# layers (pixels-256-128-32), 4×4 convolutions that halve the map, and convolutions of 16, 32 and 64 channels whose last
# kernel covers the whole map. PCA with 32 components is the linear baseline.


# %%
def plain(seed: int = 0) -> Trained:
    return study.train(
        zoo.undercomplete, train, test, net="mlp-256-128", latent_dim=32, epochs=study.epochs, seed=seed, **fast
    )


conv = study.train(zoo.undercomplete, train, test, net="conv", latent_dim=32, epochs=study.epochs, **fast)
to_a_point = study.train(
    zoo.undercomplete, train, test, net="conv-16-32-64", latent_dim=32, epochs=study.epochs, **fast
)
pca = study.train(zoo.pca, train, test, latent_dim=32)
study.in_pytorch(plain(), conv, to_a_point)


@study.row(
    "5.1",
    "Vanilla and convolutional autoencoders against PCA with 32 components",
    to_try=("Give the fully connected network as many parameters as the convolutional one. Which has the lower error?"),
)
def vanilla(row: Row) -> None:
    row.over(
        "MSE, fully connected",
        [plain(seed).measure("reconstruction").scores["MSE"].value for seed in range(study.seeds)],
        "squared error per pixel",
    )
    models = {"fully connected": plain(), "convolutional": conv, "16-32-64 to a point": to_a_point, "PCA": pca}
    table: list[tuple[str | float, ...]] = []
    for name, model in models.items():
        if name != "fully connected":
            row.score(f"MSE, {name}", model.measure("reconstruction").scores["MSE"])
        row.score(f"probe, {name}", model.measure("probes", probe_floors=False).scores["linear probe: codes"])
        row.number(f"seconds, {name}", sum(line["seconds"] for line in model.history), "seconds of training")
        row.number(f"parameters, {name}", model.model.summary().parameters, "numbers that are learned")
        size, error, probe, seconds = (
            row.found[f"{what}, {name}"].value for what in ("parameters", "MSE", "probe", "seconds")
        )
        table.append((name, size, error, 100 * probe, seconds))
    columns = ("model", "parameters", "test MSE", "probe accuracy, %", "training seconds")
    row.table("Codes of 32 numbers.", columns, table)
    first = next(m for m in conv.model.encoder.modules() if isinstance(m, torch.nn.Conv2d))
    maps = first(x_of(test)[:1])[0]
    row.number("weights, first convolution", sum(p.numel() for p in first.parameters()), "numbers")
    row.number("weights, full layer of that size", (x_of(test)[0].numel() + 1) * maps.numel(), "numbers")
    row.number("outputs, first convolution", maps.numel(), "numbers of an image")
    shown = {name: model.subject.reconstructions[:10] for name, model in models.items()}
    row.figure(
        "reconstructions",
        figures.reconstructions(x_of(test)[:10], shown),
        "Test images, reconstructed from codes of 32 numbers.",
    )
    row.finding(words.bent(row.found), "reconstructions")
    row.finding(words.convolutional(row.found), "reconstructions")
    row.finding(shared.why(row.found))


# %% [markdown]
# ## 5.2 U-Net
# Skip connections carry the encoder's maps past the code. What does the code still contribute? To find out, each code is
# replaced by zeros, or by the mean of all codes, and decoded. The decoder was never trained on a code of zeros, so the mean
# is the milder test.


# %%
unet, cut = (
    study.train(
        zoo.unet, some, some_test, channels=(8, 16), latent_dim=32, skips=skips, epochs=study.few_epochs, **fast
    )
    for skips in (True, False)
)
study.in_pytorch(unet)


@study.row(
    "5.2",
    "A U-Net, and why its code is no bottleneck",
    to_try="Zero one skip connection at a time. Which one carries most of the image?",
)
def skipping(row: Row) -> None:
    shown, each = {}, {}
    for name, model in {"U-Net": unet.model, "skips cut": cut.model}.items():
        z = model.encode(some_test.images)
        zeroed, silent = z.clone(), z.clone()
        zeroed[:, :32], silent[:, :32] = 0, z[:, :32].mean(0)  # the code comes first, the skip maps after it
        for said, codes in {name: z, f"{name}, code zeroed": zeroed, f"{name}, mean code": silent}.items():
            x_hat = model.decode(codes)
            each[said] = errors(x_hat, some_test)
            row.over(f"MSE, {said}", each[said], PER_PIXEL, "images")
            shown[said] = x_hat[:10]
        row.number(f"numbers, {name}", z[0].numel(), "numbers that the decoder sees")
    row.number("numbers, image", x_of(some_test)[0].numel(), "pixels")
    row.pair("MSE, skips cut less U-Net", each["skips cut"], each["U-Net"], PER_PIXEL, "images")
    without = "MSE, U-Net without its code less skips cut with it"
    row.pair(without, each["U-Net, mean code"], each["skips cut"], PER_PIXEL, "images")
    row.figure(
        "silenced",
        figures.reconstructions(x_of(some_test)[:10], shown),
        "Test images, and what is decoded from their own codes, from zeros and from the mean code, with skips and without.",
    )
    row.finding(words.skips(row.found), "silenced")


# %% [markdown]
# ## 5.3 Layer-wise training, L2 and dropout
# Before rectifiers and Adam, deep autoencoders were trained one layer at a time. Does that still help? And on few images, do L2
# and dropout narrow the gap between training and test error?


# %%
layer_epochs = max(1, study.epochs // 6)


def greedy(seed: int) -> Trained:
    return study.train(
        zoo.undercomplete, train, test, net="mlp", hidden=(256, 128), latent_dim=32, seed=seed, **fast,
        epochs_per_layer=layer_epochs, epochs=max(1, study.epochs - 3 * layer_epochs),
    )  # fmt: skip


against: dict[str, dict[str, Any]] = {
    "neither": {},
    "L2 1e-5": {"weight_decay": 1e-5},
    "L2 1e-4": {"weight_decay": 1e-4},
    "dropout 0.1": {"dropout": 0.1},
    "dropout 0.3": {"dropout": 0.3},
}


@study.row(
    "5.3",
    "Greedy layer-wise training against end-to-end; L2 and dropout",
    to_try="Train the greedy stack end to end for one more epoch. How much of the gap closes?",
)
def layerwise(row: Row) -> None:
    for name, make in {"end to end": plain, "layer by layer": greedy}.items():
        found = [make(seed).measure("reconstruction").scores["MSE"].value for seed in range(study.seeds)]
        row.over(f"MSE, {name}", found, "squared error per pixel")
    for name, how in against.items():
        models = [
            study.train(
                zoo.undercomplete, small, some_test, net="mlp", hidden=(256, 128), latent_dim=32,
                epochs=study.small_epochs,
                checkpoint_every=study.small_epochs, seed=seed, **how, **(fast | {"batch_size": 50}),
            )
            for seed in range(study.seeds)
        ]  # fmt: skip
        for part, images in {"training": small, "test": some_test}.items():
            found = [float(np.mean(errors(m.model.reconstruct(images.images), images))) for m in models]
            row.over(f"{part} MSE, {name}", found, "squared error per pixel")
    n = row.found
    table = [(name, n[f"training MSE, {name}"].value, n[f"test MSE, {name}"].value) for name in against]
    row.table(f"Trained on {len(small):,} images.", ("against overfitting", "training MSE", "test MSE"), table)
    gaps = {name: (before, after) for name, before, after in table}
    row.figure("gap", figures.pareto(gaps, "training MSE", "test MSE"), "Training and test error on few images.")
    row.finding(words.greedy(row.found))
    row.finding(words.regularised(row.found, list(against)), "gap")


# %% [markdown]
# ## 5.4 Few labels and a narrow code
# A hundred digits are labelled; all others are not. A convolutional autoencoder with a code of 32 numbers, of whose input 30 %
# is masked, learns from all of them what digits look like. How much does that help a classifier? Each accuracy is a mean over
# several draws of the hundred labels. The best method is chosen on validation images, held out of the training images, and
# reported on the test images.


# %%
shape: dict[str, Any] = {"net": "conv", "latent_dim": 32}
noise: dict[str, Any] = {"corruption": "masking", "level": 0.3}
unlabelled, held = study.hold_out(train, min(len(test), len(train) // 6))
judged = {"validation": held, "test": test}
pretrained = study.train(zoo.denoising, unlabelled, test, **shape, **noise, epochs=study.conv_epochs, **fast)


def classifier(images: Images, recipe: Callable[..., Any] = zoo.classifier, **how: Any) -> Trained:
    return study.train(recipe, images, test, **({"schedule": "cosine", "batch_size": 50, "epochs": 1} | how))


def classes_by(model: Trained) -> few_labels.Classes:
    """The class that the model gives each validation and each test image."""
    return {part: model.model.predict(seen.images).argmax(1).numpy() for part, seen in judged.items()}


def repeated(few: Images) -> Images:
    """The labelled images alone, so often that an epoch has enough steps."""
    assert few.labels is not None
    return few.take(np.tile(np.flatnonzero(few.labels >= 0), study.repeats))


def over_draws(what: str, ways: dict[str, few_labels.Way], *depends: Any) -> few_labels.Accuracies:
    """The accuracy of each of the ways for each draw of the labels; or what was found before for the same."""
    sizes = [study.labels, study.draws, study.repeats, study.joint_epochs, study.n_few, study.batch_size]

    def found() -> few_labels.Accuracies:
        return few_labels.accuracies(ways, unlabelled, judged | {"training": unlabelled}, study.labels, study.draws)

    remembered: few_labels.Accuracies = study.remember(what, [*sizes, *depends], found)
    return remembered


@study.row(
    "5.4",
    "A hundred labels and a narrow code: from scratch, frozen, fine-tuned, joint",
    to_try="Take 10 labels, then 1,000. Where do the curves of the four ways cross?",
)
def narrow(row: Row) -> None:
    start = str(pretrained.run.path)
    frozen: dict[str, Any] = {"init": start, "freeze": ("encoder", "bottleneck"), "lr": 1e-2}

    def joint(few: Images, draw: int) -> few_labels.Classes:
        assert few.labels is not None
        mixed = few.take(np.concatenate([np.flatnonzero(few.labels >= 0), np.arange(min(study.n_few, len(few)))]))
        how = {"alpha": 0.2, "labelled_per_batch": 16, "epochs": study.joint_epochs, "batch_size": study.batch_size}
        return classes_by(classifier(mixed, zoo.joint, init=start, seed=draw, **shape, **noise, **how))

    ways: dict[str, few_labels.Way] = {
        "from scratch": lambda few, draw: classes_by(classifier(repeated(few), seed=draw, **shape)),
        "frozen features": lambda few, draw: classes_by(classifier(repeated(few), seed=draw, **shape, **frozen)),
        "fine-tuned": lambda few, draw: classes_by(classifier(repeated(few), seed=draw, **shape, init=start)),
        "joint": joint,
    }
    found = over_draws("narrow", ways, pretrained.run.path.parent.name)
    few_labels.tell(row, found, few_labels.NARROW, study.labels)
    row.number("seconds, pre-training", sum(line["seconds"] for line in pretrained.history), "seconds of training")
    row.finding(words.few_labels(row.found), "accuracy")


# %% [markdown]
# ## 5.5 Denoising
# The encoder sees a corrupted image and the target is the clean one, so copying the input is the wrong answer. How much does it
# matter which noise a model is trained on, and at which level? Each model is tested on each noise.


# %%
levels = {"gaussian": (0.25, 0.5, 1.0), "masking": (0.25, 0.5, 0.75), "salt-and-pepper": (0.1, 0.25, 0.5)}
denoisers = {
    f"{kind} {level:g}": study.train(
        zoo.denoising,
        train,
        test,
        corruption=kind,
        level=level,
        latent_dim=32,
        epochs=max(1, study.epochs // 2),
        **fast,
    )
    for kind, several in levels.items()
    for level in several
}
clean = study.train(zoo.undercomplete, train, test, latent_dim=32, epochs=max(1, study.epochs // 2), **fast)


@study.row(
    "5.5",
    "Denoising: Gaussian, masking and salt-and-pepper noise, and its level",
    to_try=("Train with masking and test with Gaussian noise. Does the matrix agree with what you see?"),
)
def denoising(row: Row) -> None:
    models = {"none": clean, **denoisers}
    seen = {name: model.model.corrupt(some_test.images, 0) for name, model in models.items()}
    names = list(models)
    axis = [words.called(name) for name in names]
    each = {
        f"{trained} on {tried}": errors(model.model.reconstruct(noisy), some_test)
        for trained, model in models.items()
        for tried, noisy in seen.items()
    }
    for name, values in each.items():
        row.over(name, values, PER_PIXEL, "images")
    square = np.array([[row.found[f"{trained} on {tried}"].value for tried in names] for trained in names])
    row.over("gaussian 0.5, copied", errors(seen["gaussian 0.5"], some_test), PER_PIXEL, "images")
    compared = [(f"{name} on {name}", f"{words.rival(row.found, names, name)} on {name}") for name in denoisers]
    compared += [("none on gaussian 0.5", "gaussian 0.5 on gaussian 0.5"), ("gaussian 0.5 on none", "none on none")]
    for a, b in compared:
        row.pair(less(a, b), each[a], each[b], PER_PIXEL, "images")
    row.figure(
        "matrix",
        figures.matrix(1000 * square, axis, axis, "tested on", "trained on", title="1,000 × squared error per pixel"),
        "Error of each denoiser on each noise. On the diagonal is the noise that it was trained on.",
    )
    middle = denoisers["gaussian 0.5"].model
    shown = {"noisy": seen["gaussian 0.5"][:10], "denoised": middle.reconstruct(seen["gaussian 0.5"][:10])}
    row.figure(
        "denoised",
        figures.reconstructions(x_of(some_test)[:10], shown),
        "Images with Gaussian noise of 0.5, and the denoised images.",
    )
    for name in ("none", *(f"gaussian {level:g}" for level in levels["gaussian"])):
        scores = models[name].measure("probes", probe_floors=False).scores
        row.score(f"probe, {name}", scores["linear probe: codes"])
    row.finding(words.matched(row.found, names), "matrix")
    row.finding(words.no_identity(row.found), "denoised")
    row.finding(words.level(row.found, [f"gaussian {level:g}" for level in levels["gaussian"]]), "matrix")


# %% [markdown]
# ## 5.6 The KL term: annealing, free bits, β, and collapse
# KL(q ‖ p) is the mean of log q(z)/p(z) over draws from q. It is never negative, it is 0 only for q = p, and it is not
# symmetric. It is first measured between Gaussians, where there is a closed form. In a VAE, its weight limits how much
# information the code carries. The posterior collapses when information costs more than it saves. A weight of 50 is
# used to provoke this. Then three cures are tried: free bits and annealing at the same weight, and a weight of 1, that of the
# evidence lower bound.


# %%
wide: dict[str, Any] = {"hidden": (study.units, study.units), "activation": "silu"}


def vae(seed: int = 0, **how: Any) -> Trained:
    return study.train(zoo.vae, train, test, latent_dim=16, epochs=study.epochs, seed=seed, **wide, **fast, **how)


schedules: dict[str, dict[str, Any]] = {
    "β 1": {},
    "linear annealing": {"beta": "linear(0, 1, 0.3)"},
    "cyclical annealing": {"beta": "cyclical(0, 1, 2)"},
    words.FREE: {"free_bits": 0.5},
}
PROVOKED = "a weight of 50, chosen to provoke a collapse"
weights: dict[str, dict[str, Any]] = {
    "β 4": {"beta": 4.0, "may_fail": "a heavier weight, to see what it costs"},
    "β 50": {"beta": 50.0, "may_fail": PROVOKED},
    "β 50, annealed": {"beta": "linear(0, 50, 0.5)", "may_fail": PROVOKED},
    "β 50, free bits 0.5": {"beta": 50.0, "free_bits": 0.5, "may_fail": PROVOKED},
}


@study.row(
    "5.6",
    "VAE: annealing, free bits, β; collapse provoked, detected, cured",
    to_try=("Make the collapsed model recover with one of the cures halfway through training. Does it?"),
)
def collapse(row: Row) -> None:
    for name, how in schedules.items():
        bounds = [
            sum(vae(s, **how).curve("validation", t)[-1] for t in ("reconstruction", "kl")) for s in range(study.seeds)
        ]
        row.over(f"−ELBO, {name}", bounds, "nats per image")
    table, found = [], {}
    for name, how in {**schedules, **weights}.items():
        model = vae(**how)
        reconstruction, kl = (model.curve("validation", term)[-1] for term in ("reconstruction", "kl"))
        active = model.measure("usage").scores["active units"].value
        ill = [illness.name for illness in diabolo.doctor.diagnose(model.run, (train, test))]
        named = any(name in ill for name in ("posterior collapse", "over-strong beta"))
        row.number(f"active units, {name}", active, "of 16 units")
        row.number(f"reconstruction, {name}", reconstruction, "nats per image")
        row.number(f"KL, {name}", kl, "nats per image")
        row.number(f"collapse found, {name}", named, "1 where the doctor names the collapse or its cause")
        table.append((name, reconstruction, kl, reconstruction + kl, active, ", ".join(ill)))
        found[name] = (kl, reconstruction)
    columns = ("variant", "reconstruction", "KL", "−ELBO at β 1", "active units", "the doctor says")
    row.table("Nats per test image, for the trainings from seed 0.", columns, table)
    row.figure(
        "balance",
        figures.pareto(found, "rate: KL, nats", "distortion: reconstruction, nats", title="Rate and distortion"),
        "What the code carries about an image (KL) against what it leaves out (reconstruction), for each variant.",
    )
    units = {name: row.found[f"active units, {name}"].value for name in found}
    row.figure("collapsed", figures.bars(units, "active units of 16"), "Active units of each variant.")
    divergence.measure(row, vae().model.sample_codes(x_of(test)).cpu().numpy())
    row.figure(
        "divergence", divergence.picture(), "KL divergence between N(0, σ²) and N(0, 1) in both directions, against σ."
    )
    row.finding(divergence.properties(row.found), "divergence")
    row.finding(divergence.of_codes(row.found))
    row.finding(words.annealing(row.found, list(schedules)), "collapsed")
    row.finding(words.heavier(row.found), "balance")
    row.finding(words.collapse(row.found), "collapsed", "balance")
    row.finding(words.cures(row.found), "balance")


# %% [markdown]
# ## 5.7 Perceptual loss
# Squared error per pixel is smallest at the mean of all images that a code allows, and a mean of sharp images is blurred. A
# perceptual loss compares features such as edges and shapes (Johnson et al. 2016). Here it is added to 40 times the squared
# error; of 1, 10 and 40, this weight was best on images held out of the training images. The images are colour faces, whose
# edges show blur well. The features are those of a classifier trained on the attributes of the same training images. Is an
# improvement due to the loss, or only to a better fit? A model trained on squared error for twice as many epochs separates
# the two.


# %%
faces, test_faces = study.data("face_data")
of_faces: dict[str, Any] = {
    "net": "conv",
    "channels": (16, 32, 64, 128),
    "latent_dim": 64,
    **fast,
    "batch_size": max(1, study.batch_size // 2),
}
VGG = "VGG-16"


def by_pixels(seed: int, times: int = 1) -> Trained:
    return study.train(zoo.undercomplete, faces, test_faces, seed=seed, epochs=times * study.face_epochs, **of_faces)


def by_features(source: str, seed: int) -> Trained:
    features: dict[str, Any] = {"likelihood": "perceptual", "features": source, "pixel_weight": 40.0}
    how: dict[str, Any] = {"seed": seed, "epochs": study.face_epochs, **of_faces, **features}
    return study.train(zoo.undercomplete, faces, test_faces, **how)


@study.row(
    "5.7",
    "Perceptual loss against blur, on faces",
    to_try="Set the weight of the squared error to 0. What appears in the images that it would have prevented?",
)
def perceptual(row: Row) -> None:
    x, shown = x_of(test_faces), {}
    fine = slice(faces.shape[-1] // 8, None)  # from 8 cycles per image of 64 pixels
    power = {"test images": spectrum(x).mean(0)}
    losses: dict[str, Callable[[int], Trained]] = {blurred.PIXELS: by_pixels}
    losses[blurred.LONG] = lambda seed: by_pixels(seed, times=2)
    losses["features"] = lambda seed: by_features(str(generation.classifier(faces).path), seed)
    if VGG16.at_hand():
        losses[VGG] = lambda seed: by_features("vgg16", seed)
    each: dict[str, dict[str, list[float]]] = {}
    for name, train_by in losses.items():
        found = each[name] = {what: [] for what in blurred.UNITS}
        for seed in range(study.seeds):
            model = train_by(seed)
            x_hat = model.model.reconstruct(test_faces.images)
            of_images = spectrum(x_hat).mean(0)
            found["MSE"].append(float(np.mean(errors(x_hat, test_faces))))
            there = power["test images"][fine].sum()
            found["detail"].append(float(cross_spectrum(x, x_hat).mean(0)[fine].sum() / there))
            found["power"].append(float(of_images[fine].sum() / there))
            found["seconds"].append(sum(line["seconds"] for line in model.history))
            if not seed:
                shown[name], power[name] = x_hat[:8], of_images
        for what, unit in blurred.UNITS.items():
            row.over(f"{what}, {name}", found[what], unit)
            for other in [one for one in each if one != name]:
                row.pair(f"{what}, {less(name, other)}", found[what], each[other][what], unit, "seeds")
    n = row.found
    row.table(
        f"{len(faces):,} training images of {faces.name}, {study.face_epochs} epochs, {study.seeds} seeds. Detail is how much "
        f"of that of the images, from 8 cycles per image on, is in the right place. Power is that of the same frequencies, "
        f"relative to the images'.",
        ("loss", "MSE", "detail, %", "power, %", "seconds"),
        [
            (
                name,
                *(n[f"{what}, {name}"].value * (100 if what in ("detail", "power") else 1) for what in blurred.UNITS),
            )
            for name in losses
        ],
    )
    row.figure(
        "blur",
        figures.reconstructions(x[:8], shown),
        "Test images, and their reconstructions by models trained on squared error and on features.",
    )
    row.figure("spectrum", figures.spectrum(power), "Power of test images and of their reconstructions, by frequency.")
    for name in losses:
        if name not in (blurred.PIXELS, blurred.LONG):
            row.finding(words.blur(n, name), "blur", "spectrum")
            row.finding(words.seen(n, name), "blur")
    if VGG not in losses:
        row.text("Features of VGG-16 are left out: its weights are not at hand.")


# %% [markdown]
# ## 5.8 A class-embedded conditional VAE
# The decoder is given the class, so the code need not encode it. The class is concatenated with image and code, as a learned
# vector or as a one-hot vector. Or it is added as learned vectors, one to the encoder's features h and one to the code z. A
# classifier trained on real digits checks which digit each sample shows.


# %%
reader = study.train(zoo.classifier, train, test, net="conv", channels=(16, 32), latent_dim=64, epochs=2, **fast)
ways_in: dict[str, dict[str, Any]] = {
    "embedding": {"condition": "embedding"},
    "label": {"condition": "label"},
    "added": {"condition": "label", "joined": "added"},
}


def cvae(way: str, seed: int = 0) -> Trained:
    how = {**ways_in[way], **wide, **fast}
    return study.train(zoo.cvae, train, test, latent_dim=16, epochs=study.epochs, seed=seed, **how)


conditional = {way: cvae(way) for way in ways_in}
study.in_pytorch(*conditional.values())


@study.row(
    "5.8",
    "A conditional VAE with embedded classes",
    to_try="Add the vectors of a 3 and an 8 and give the decoder their mean. What does it draw?",
)
def classes(row: Row) -> None:
    y = torch.arange(10).repeat_interleave(100)
    real = reader.model.predict(test.images).argmax(1).numpy() == test.labels
    row.number("read, real digits", real.mean(), "share of test images", *wilson(int(real.sum()), len(real)), "Wilson")
    for name, model in {"none": vae(), **conditional}.items():
        make = vae if name == "none" else partial(cvae, name)
        bounds = [
            sum(make(seed=seed).curve("validation", t)[-1] for t in ("reconstruction", "kl"))
            for seed in range(1 if name == "label" else study.seeds)
        ]
        row.over(f"−ELBO, {name}", bounds, "nats per image")
        row.number(f"KL, {name}", model.curve("validation", "kl")[-1], "nats per image")
    shown: dict[str, torch.Tensor] = {}
    for name, model in conditional.items():
        images = model.model.sample(len(y), seed=1, y=y)
        hits = int((reader.model.predict(images).argmax(1) == y).sum())
        row.number(
            f"read, {name}", hits / len(y), "share of samples read as asked for", *wilson(hits, len(y)), "Wilson"
        )
        shown[shared.GIVEN[name]] = images.reshape(10, 100, *images.shape[1:])[:, :10].flatten(0, 1)
    row.figure(
        "samples",
        figures.density_samples(shown, title="Samples of each class"),
        "Samples of the digits 0 to 9, one row each, for each way of giving the model the class.",
    )
    vectors = torch.nn.functional.normalize(conditional["embedding"].model.condition.vectors.weight.detach().cpu())
    names = [str(digit) for digit in range(10)]
    row.figure(
        "vectors",
        figures.matrix((vectors @ vectors.T).numpy(), names, names, "digit", "digit", title="Cosine of class vectors"),
        "Cosine similarity of the learned class vectors.",
    )  # fmt: skip
    row.finding(words.told(row.found), "samples")
    row.finding(words.embedded(row.found), "samples", "vectors")
    row.finding(shared.added(row.found), "samples")


# %% [markdown]
# ## 5.9 VQ-VAE: codebook collapse and its cures; samples from a prior over the codes
# A codebook vector that is never the nearest one gets no gradient and never moves: the codebook collapses. Three cures are
# common: moving averages, a k-means start from the encoder's outputs, and restarts of unused vectors. A transformer then
# learns the sequence of codes and draws new maps of codes. A network that halves the image once more gives a coarser map, in
# which fewer codes have to fit together.


# %%
book: dict[str, Any] = {
    "codes": 256,
    "latent_dim": 16,
    "width": study.vq_width,
    "residual_width": 32,
    "epochs": study.few_epochs,
    **fast,
}
books: dict[str, dict[str, Any]] = {
    "by gradient": {"codebook": "loss", "kmeans": False, "restart": 0.0, "may_fail": "a codebook meant to collapse"},
    "moving averages": {"codebook": "ema", "kmeans": False, "restart": 0.0},
    "+ k-means start": {"codebook": "ema", "kmeans": True, "restart": 0.0},
    "all three": {"codebook": "ema", "kmeans": True, "restart": 0.1},
}
quantised = {name: study.train(zoo.vqvae, some, some_test, **book, **how) for name, how in books.items()}
coarse: dict[str, Any] = {"net": "resnet", "channels": (16, 32, 64), "codes": 256, "latent_dim": 16, **fast}
brief: dict[str, Any] = {"width": 64, "layers": 2, "epochs": study.few_epochs}
maps_of: dict[str, tuple[Trained, dict[str, Any]]] = {  # a model, and its prior
    codebook.FINE: (quantised["all three"], brief),
    codebook.COARSE: (study.train(zoo.vqvae, some, some_test, epochs=study.few_epochs, **coarse), brief),
    codebook.ALL: (
        study.train(zoo.vqvae, train, test, epochs=study.epochs, **coarse),
        {"width": 96, "layers": 3, "epochs": study.prior_epochs},
    ),
}
study.in_pytorch(quantised["all three"])


@study.row(
    "5.9",
    "VQ-VAE: codebook collapse, its cures, and a prior over the codes",
    to_try=("Draw all codes with the same probability instead of from the prior. What is missing in the images?"),
)
def codebooks(row: Row) -> None:
    table = []
    for name, model in quantised.items():
        use, error = model.measure("usage").scores, model.measure("reconstruction").scores["MSE"]
        used = row.number(f"used codes, {name}", use["used codes"].value, "of 256 codes")
        even = row.number(f"perplexity, {name}", use["perplexity"].value, "codes, were they evenly used")
        table.append((name, used, even, row.score(f"MSE, {name}", error)))
    row.table(
        f"After {study.few_epochs} epochs of {len(some):,} images, measured on {len(some_test):,} test images.",
        ("codebook", "used codes", "perplexity", "MSE"),
        table,
    )
    best = quantised["all three"]
    row.number("bits per code, counted", best.measure("usage").scores["entropy"].value, "bits")
    drawn: dict[str, torch.Tensor] = {}
    for name, (model, options) in maps_of.items():
        prior = model.fit_prior(**options, **fast)
        row.number(f"bits per code, {name}", prior[-1]["validation"]["bits_per_code"], "bits")
        row.number(f"seconds, {name}", sum(line["seconds"] for line in (*model.history, *prior)), "seconds of training")
        row.number(f"indices, {name}", indices_of(model.model, some_test)[0].size, "of an image")
        row.score(f"MSE, {name}", model.measure("reconstruction").scores["MSE"])
        drawn[name] = model.model.sample(study.n_few_test, seed=1)
    indices = indices_of(best.model, some)
    one_by_one = np.random.default_rng(0).choice(indices.ravel(), (study.n_few_test, *indices.shape[1:]))
    drawn[codebook.ALONE] = best.model.decode(best.model.bottleneck.codes_of(torch.from_numpy(one_by_one)))
    extractor = generation.extractor("classifier", train)  # as in 5.11
    real = generation.extract(extractor, some_test.images).values
    for name, images in {"test images": x_of(some_test), **drawn}.items():
        row.score(f"read, {name}", generation.clearly_read(extractor, images.clamp(0, 1).numpy(), codebook.SURE))
        if name == "test images":
            continue
        found = generation.fid(generation.extract(extractor, images.clamp(0, 1).numpy()).values, real)
        kept = found.shared("5.9", blocks(len(some_test))).record()
        how = "± 1.96 standard errors, from what each image adds"
        row.number(f"FID, {name}", found.value, "squared distance of features", found.low, found.high, how, shared=kept)
    n = row.found
    columns = (
        "codes drawn by",
        "codes of an image",
        "bits per code",
        "read with confidence, %",
        "FID",
        "MSE of the model",
    )
    measured = {"indices": 1, "bits per code": 1, "read": 100, "FID": 1, "MSE": 1}  # what, and times what it is shown
    row.table(
        f"{study.n_few_test:,} images drawn by each prior; of the test images {percent(n['read, test images'].value, 1)} are "
        "read with confidence.",
        columns,
        [(name, *(times * n[f"{what}, {name}"].value for what, times in measured.items())) for name in maps_of],
    )
    name = f"read, {codebook.ALL}"
    row.check("images drawn that are read with confidence", n[name].value, "≥", 0.85, number=name)
    row.figure(
        "samples",
        figures.density_samples({k: v[:36].clamp(0, 1) for k, v in drawn.items()}),
        "Images decoded from new maps of codes: drawn by three priors, and with each code drawn independently.",
    )
    for name, of, how in (
        ("collapsed", "by gradient", "by gradient"),
        ("codebook", "all three", "with all three cures"),
    ):
        chosen = indices_of(quantised[of].model, some_test)
        row.figure(
            name,
            figures.codebook_heat(np.bincount(chosen.ravel(), minlength=256)),
            f"How often each code is used for the test images (codebook trained {how}).",
        )
    row.finding(words.codebooks(n), "collapsed", "codebook")
    row.finding(words.code_prior(n), "samples")
    row.finding(words.legible(n), "samples")


# %% [markdown]
# ## 5.10 Maps of the latent space, and paths through it
# A code of 16 numbers cannot be plotted directly. Three projections to the plane each keep something different: PCA keeps the
# directions of largest variance, t-SNE and UMAP keep neighbourhoods. Two kinds of path between codes are compared as well: a
# straight line, and an arc along the sphere.


# %%
@study.row(
    "5.10",
    "Maps of the latent space; interpolation, linear and spherical",
    to_try="Change the perplexity of t-SNE. Which distances between clusters can you trust?",
)
def maps(row: Row) -> None:
    model, digits = vae(), np.asarray(test.labels)
    codes = model.subject.codes("test")
    methods = [name for name in study.maps if name != "UMAP" or find_spec("umap")]
    if len(methods) < len(study.maps):
        row.text("UMAP is left out: it needs the extra, pip install 'diabolo[umap]'.")
    for name in methods:
        map_ = latents.project(codes, name.lower(), seed=0, most=study.map_points)
        overlap = latents.neighbourhood_overlap(codes[map_.chosen], map_.points)
        row.number(f"overlap, {name}", overlap, "share of the 10 nearest neighbours that the map keeps")
        drawn = figures.latent_scatter(map_.points, digits[map_.chosen], axis_names=map_.axis_names, title=map_.told)
        row.figure(name, drawn, f"Codes of test images by {map_.told}.")
    ways = model.measure("interpolation", path_classifier=str(reader.run.path)).scores
    for way in ("linear", "spherical"):
        row.score(f"longest step, {way}", ways[f"{way}: longest step"])
        row.score(f"least confidence, {way}", ways[f"{way}: least confidence"])
    row.score("least confidence, spherical less linear", ways["spherical less linear: least confidence"])
    typical = latents.medoids(test.images, digits)
    a, b = (codes[[typical[digit] for digit in ends]] for ends in ((1, 3, 4), (7, 5, 9)))
    strips: dict[str, torch.Tensor] = {}
    for name, path in {"linear": latents.linear(a, b, 9), "spherical": latents.spherical(a, b, 9)}.items():
        frames = model.model.decode(torch.from_numpy(path).float().flatten(0, 1)).unflatten(0, (3, 9))
        strips |= {f"{pair}, {name}": each for pair, each in zip(("1 → 7", "3 → 5", "4 → 9"), frames, strict=True)}
    row.figure(
        "ways",
        figures.strips(strips, title="From one test image to another"),
        "Paths between the most typical test images of three pairs of digits, decoded by the VAE at nine codes each: straight, "
        "and along the sphere.",
    )
    row.finding(words.maps(row.found, methods), *methods)
    row.finding(words.ways(row.found), "ways")


# %% [markdown]
# ## 5.11 Generation, measured
# Codes are drawn from the prior N(0, I), and from a Gaussian and a mixture of ten Gaussians fitted to the training codes (for
# the VAE, the posterior means). The decoded images are compared with test images by the features of a small classifier
# trained on the training images. These distances compare models within this study; published FIDs use another extractor.


# %%
ae = study.train(zoo.undercomplete, train, test, latent_dim=16, epochs=study.epochs, **wide, **fast)
IMAGES = {  # as the measure calls them, and as the table does
    "reconstruction": "reconstructions",
    "normal": "N(0, I)",
    "gaussian": "fitted Gaussian",
    "mixture": "fitted mixture",
}


@study.row(
    "5.11",
    "Generation: FID, KID, precision and recall, inception-style score",
    to_try=("Compute FID from 500 images and from all of them. How much of the difference between models is bias?"),
)
def generated(row: Row) -> None:
    n = min(study.n_few, len(test))
    table: list[tuple[str | float, ...]] = []
    fids: dict[str, float] = {}
    for name, model in {"AE": ae, "VAE": vae()}.items():
        found = model.measure(
            "generation", densities=("normal", "gaussian", "mixture"), generated=n, manifold_images=study.n_few_test
        ).scores
        for how in ("reconstruction", "normal", "gaussian", "mixture"):
            line = [row.score(f"{what}, {name}, {how}", found[f"{what}, {how}"]) for what in words.MEASURES]
            fid, kid, precision, recall, score = line
            table.append((name, IMAGES[how], fid, kid, 100 * precision, 100 * recall, score))
            fids[f"{name}, {IMAGES[how]}"] = fid
    setting = found["FID, normal"].setting
    row.table(
        f"{n:,} images each; extractor: {setting['extractor']}, {setting['trained_on']}.",
        ("model", "images", "FID", "KID", "precision, %", "recall, %", "score"),
        table,
    )
    row.figure(
        "fid",
        figures.bars(fids, "Fréchet distance to test images"),
        "Fréchet distance to test images; lower is better.",
    )
    shown = {f"{name}, {IMAGES[how]}": latents.draw_images(m.model, latents.fit_density(how, m.subject.codes("train")), 36)
             for name, m in {"AE": ae, "VAE": vae()}.items() for how in ("normal", "mixture")}  # fmt: skip
    row.figure(
        "samples", figures.density_samples(shown), "Images drawn from N(0, I) and from a mixture fitted to the codes."
    )
    row.finding(words.hole(row.found), "fid", "samples")
    row.finding(words.fitted(row.found), "fid", "samples")
    row.finding(words.other_measures(row.found), "samples")


# %% [markdown]
# ## 5.12 Mixed precision and gradient checkpointing
# bf16 has the range of float32 with fewer digits, and many chips multiply it faster. float16 has more digits than bf16, but
# its smallest number is 6e-8, so small gradients vanish. The loss is therefore multiplied by a large number, and the gradient
# divided by it again, as torch's GradScaler does. Checkpointing keeps only the inputs of the layers and recomputes their
# activations for the gradient, which trades time for memory. None of the three should change what is learned.


# %%
precise, mixed = (
    study.train(zoo.vae, train, test, latent_dim=16, epochs=study.half_epochs, precision=p, **wide, **fast)
    for p in ("float32", "bf16")
)
whole, half = (
    study.train(
        zoo.undercomplete, some, some_test, net="mlp-256-128", latent_dim=32, epochs=study.half_epochs, precision=p, **fast,
    )
    for p in ("float32", "float16")
)  # fmt: skip
kept, again = (
    study.train(
        zoo.undercomplete, some, some_test, net="conv", latent_dim=32, epochs=max(1, study.few_epochs // 4),
        precision="float32",
        checkpointing=checkpointing, **fast,
    )
    for checkpointing in (False, True)
)  # fmt: skip


def one_step(model: Trained, x: torch.Tensor, dtype: torch.dtype) -> Callable[[], dict[str, Any]]:
    """What a training step of the images `x`, with its products in `dtype`, takes in memory and time."""

    def measured() -> dict[str, Any]:
        live = model.run.model.train()

        def step() -> None:
            live.zero_grad(set_to_none=True)
            with torch.autocast(live.device.type, dtype, enabled=dtype != torch.float32):
                total = live.loss(x).total
            total.backward()

        found = {
            "bytes": cost.peak_bytes(step, live.device),
            "seconds": cost.pace(step, live.device).seconds,
            "device": live.device.type,
        }
        live.eval()
        return found

    return measured


@study.row(
    "5.12",
    "Mixed precision and gradient checkpointing: speed, memory, the same result",
    to_try="Double the batch. Which of the two, bf16 or checkpointing, saves more memory now?",
)
def economy(row: Row) -> None:
    x, table = x_of(some)[:512], []
    models = {
        "float32": (precise, torch.float32, "nats per image"),
        "bf16": (mixed, torch.bfloat16, "nats per image"),
        "float32, small": (whole, torch.float32, PER_PIXEL),
        "float16": (half, torch.float16, PER_PIXEL),
        "all kept": (kept, torch.float32, PER_PIXEL),
        "computed again": (again, torch.float32, PER_PIXEL),
    }
    for name, (model, dtype, unit) in models.items():
        found = study.remember("step", [model.run.path.parent.name, len(x), str(dtype)], one_step(model, x, dtype))
        loss = row.number(f"loss, {name}", model.curve("validation", "total")[-1], unit)
        fastest = min(line["seconds"] for line in model.history)
        row.number(f"seconds, {name}", fastest, "seconds of the fastest epoch")
        mib = row.number(f"MiB, {name}", found["bytes"] / 2**20, f"MiB of tensors made in a step of {len(x)} images")
        seconds = row.number(f"seconds of a step, {name}", min(found["seconds"]), "seconds")
        table.append((name, fastest, seconds, mib, loss, unit))
    where = f"{found['device']}, {count(torch.get_num_threads(), 'thread')}"
    columns = ("training", "s an epoch", f"s a step of {len(x)}", "MiB of its tensors", "test loss", "unit")
    row.table(
        f"A VAE in float32 and in bf16; a smaller autoencoder in float32 and in float16; a convolutional one with all "
        f"activations kept and with activations recomputed. Measured on: {where}. Memory is the peak of the tensors that the "
        f"step creates.",
        columns,
        table,
    )
    off = words.apart(row.found, "float32", "bf16")
    row.check("relative difference of the test loss, bf16 against float32", 100 * off, "≤", 1, "%")
    off = words.apart(row.found, "float32, small", "float16")
    row.check(
        "relative difference of the test loss, float16 with a scaled loss against float32", 100 * off, "≤", 1, "%"
    )
    off = words.apart(row.found, "all kept", "computed again")
    row.check("relative difference of the test loss with checkpointing", 100 * off, "≤", 0.1, "%")
    row.number("loss scale, float16", loss_scale(half.run.path) or 1.0, "times the loss, at the end")
    row.number("on a GPU", found["device"] != "cpu", "1 where the row was run on a GPU")
    row.finding(words.precision(row.found))
    row.finding(halves.scaled(row.found))
    row.finding(words.checkpointing(row.found))


# %% [markdown]
# ## 5.13 AE, VAE and VQ-VAE side by side
# All three models are trained on all training images for the same number of epochs. Images are drawn from N(0, I), the only
# density that needs no fitting, and from the best density for each model: a mixture fitted to the codes, or a transformer
# trained on the indices. For the VQ-VAE, a draw from N(0, I) at each position is replaced by the nearest codebook vector.


# %%
three = {"AE": ae, "VAE": vae(), "VQ-VAE": maps_of[codebook.ALL][0]}


def from_noise(model: Trained, n: int) -> torch.Tensor:
    """`n` images (n, C, H, W) of a VQ-VAE from N(0, I), each vector replaced by the nearest of the codebook."""
    quantiser = model.model.bottleneck
    noise = torch.randn(n, *model.model.latent_shape, generator=torch.Generator().manual_seed(0))
    decoded: torch.Tensor = model.model.decode(quantiser.codes_of(quantiser.indices_of(noise)))
    return decoded.clamp(0, 1)


def pace(model: Trained) -> float:
    """Seconds to draw 100 images."""
    return min(cost.pace(lambda: model.model.sample(100), model.model.device).seconds)


@study.row(
    "5.13",
    "AE, VAE and VQ-VAE: latent space, generation, reconstruction, training cost",
    to_try=("Which column would you ask for first if you had to compress images, and which if you had to draw them?"),
)
def summary(row: Row) -> None:
    vq, n = three["VQ-VAE"], min(study.n_few, len(test))
    prior = vq.fit_prior(**maps_of[codebook.ALL][1], **fast)
    row.number("seconds, prior", sum(line["seconds"] for line in prior), "seconds of training")
    places = indices_of(vq.model, some_test)[0].size
    row.number("indices, VQ-VAE", places, "of an image")
    codes = row.number("codes, VQ-VAE", vq.model.bottleneck.codes, "codebook vectors")
    row.number("bits, VQ-VAE", places * np.log2(codes), "of an image at most")
    row.number(
        "numbers, VQ-VAE", vq.subject.codes("test").shape[1], "numbers of a code, its vectors one after the other"
    )
    row.number("used codes, VQ-VAE", vq.measure("usage").scores["used codes"].value, "codebook vectors")
    extractor = generation.extractor("classifier", train)  # that of the measure
    real = generation.extract(extractor, test.images).values
    table: list[tuple[str | float, ...]] = []
    for name, model in three.items():
        how: dict[str, Any] = {"generated": n, "manifold_images": study.n_few_test}  # as in 5.11
        if name == "VQ-VAE":
            drawn = model.measure("generation", densities=("prior",), **how).scores
            row.score(f"FID, {name}", drawn["FID, prior"])
            noise = generation.fid(generation.extract(extractor, from_noise(model, n).numpy()).values, real)
            how_sure = "± 1.96 standard errors, from what each image adds"
            row.number(
                f"FID from N(0, I), {name}", noise.value, drawn["FID, prior"].unit, noise.low, noise.high, how_sure
            )
        else:
            drawn = model.measure("generation", densities=("normal", "gaussian", "mixture"), **how).scores
            row.score(f"FID, {name}", drawn["FID, mixture"])
            row.score(f"FID from N(0, I), {name}", drawn["FID, normal"])
            z = model.model.sample_codes(x_of(some)).double().cpu().numpy()  # of the VAE, draws of q(z|x)
            apart = metrics.gaussian_kl(z.mean(0), np.cov(z, rowvar=False), 0, 1)
            row.number(f"nats from N(0, I), {name}", apart, "nats, of the Gaussian of the codes")
            row.number(f"units, {name}", z.shape[1], "numbers of a code")
            row.number(f"least deviation, {name}", z.std(0).min(), "standard deviation of a unit")
            row.number(f"largest deviation, {name}", z.std(0).max(), "standard deviation of a unit")
        row.score(f"MSE, {name}", model.measure("reconstruction").scores["MSE"])
        row.score(f"probe, {name}", model.measure("probes", probe_floors=False).scores["linear probe: codes"])
        row.number(f"seconds, {name}", sum(line["seconds"] for line in model.history), "seconds of training")
        row.number(f"parameters, {name}", model.model.summary().parameters, "numbers that are learned")
        drawing = study.remember("pace", [model.run.path.parent.name, name], partial(pace, model))
        row.number(f"seconds to draw, {name}", drawing, "seconds for 100 images")
        columns = ("FID from N(0, I)", "FID", "MSE", "probe", "seconds", "parameters")
        from_normal, best, error, probe, *spent = (row.found[f"{what}, {name}"].value for what in columns)
        space = choice.space(row.found, name)
        table.append((name, space, from_normal, best, choice.DRAWN_BY[name], error, 100 * probe, *spent))
    row.table(
        f"{len(train):,} images, {study.epochs} epochs; measured on {len(test):,} test images and {n:,} drawn ones. Seconds "
        f"and parameters of the VQ-VAE exclude its prior.",
        ("model", "latent space", "FID, N(0, I)", "FID, best", "best by", "MSE", "probe, %", "seconds", "parameters"),
        table,
    )
    row.finding(choice.side_by_side(row.found))
    row.finding(choice.why(row.found))


# %% [markdown]
# ## 5.14 Few labels, a wide code and masking
# Now the code is wide. Masking half of the pixels keeps the autoencoder from copying, since it must fill in the rest. Two
# methods also use the unlabelled images a second time, when the classes are learned. In label spreading, labels spread to
# neighbouring codes in rounds: a classifier learns the spread labels, and they spread again among its codes. In M1+M2, a
# variational autoencoder M2 with the class as a latent learns the codes of another, M1, with noise on them, so that it cannot
# memorise the hundred labels. Settings were chosen on images held out of the training images and on other draws of the labels,
# those of M2 and of fine-tuning on one draw.
#
# Other settings were tried on these held-out images. For the support vector machine, the first and the last hidden layer,
# centred codes, codes averaged over masked copies and a net with one hidden layer were less accurate than the codes at unit
# length (80.6 to 83.3 % against 84.0 %, three draws). For fine-tuning, masked images with a smaller learning rate and four
# times the steps gained one percentage point on one draw.


# %%
broad: dict[str, Any] = {"net": "mlp", "hidden": (1000, 500), "latent_dim": 500}
masked = study.train(
    zoo.denoising, unlabelled, test, **broad, corruption="masking", level=0.5, epochs=study.wide_epochs, **fast
)
m1 = study.train(zoo.vae, unlabelled, test, net="mlp", hidden=(600, 600), latent_dim=50, epochs=study.m1_epochs, **fast)


@study.row(
    "5.14",
    "A hundred labels, a wide code and masking: fine-tuned, frozen + SVM, M1+M2, label spreading",
    to_try="Remove the masking and keep everything else. How many points does fine-tuning lose?",
)
def broadly(row: Row) -> None:
    start = str(masked.run.path)
    tuned: dict[str, Any] = {**broad, "dropout": 0.5}
    codes = {"training": masked.subject.codes("train"), "test": masked.subject.codes("test")}
    codes["validation"] = encode(masked.model, held)
    graph = latents.neighbour_graph(pretrained.subject.codes("train"))

    def machine(few: Images, draw: int) -> few_labels.Classes:
        assert few.labels is not None
        return {part: metrics.support_vectors(codes["training"], few.labels, codes[part]) for part in judged}

    def m1_m2(few: Images, draw: int) -> few_labels.Classes:
        of_few, *of_judged = latents.codes_as_images(m1.model, few, *judged.values())
        how = {
            "hidden": (256,),
            "activation": "silu",
            "likelihood": "gaussian",
            "corruption": "gaussian",
            "level": 0.045,
            "labelled_per_batch": max(1, study.batch_size // 4),
        }
        model = study.train(
            zoo.m2, of_few, of_judged[1], latent_dim=4, epochs=study.m2_epochs, seed=draw, **how, **fast
        ).model
        return {part: model.predict(of.images).argmax(1).numpy() for part, of in zip(judged, of_judged, strict=True)}

    def spread(few: Images, draw: int) -> few_labels.Classes:
        assert few.labels is not None
        how: dict[str, Any] = {"init": str(pretrained.run.path), "batch_size": study.batch_size, "seed": draw, **shape}
        around = graph  # among the codes of the autoencoder; from the second round on, of the last classifier
        for left in reversed(range(study.spread_rounds)):
            labels = np.where(few.labels >= 0, few.labels, latents.spread(around, few.labels).argmax(1))
            learned = classifier(Images(few.images, labels=labels, name=few.name), epochs=study.spread_epochs, **how)
            if left:
                around = latents.neighbour_graph(encode(learned.model, unlabelled))
        return classes_by(learned) | {"training": labels}

    ways: dict[str, few_labels.Way] = {
        "from scratch": lambda few, draw: classes_by(classifier(repeated(few), seed=draw, **tuned)),
        "fine-tuned": lambda few, draw: classes_by(classifier(repeated(few), seed=draw, init=start, **tuned)),
        "frozen + SVM": machine,
        "M1+M2": m1_m2,
        "spread": spread,
    }
    trained = [one.run.path.parent.name for one in (masked, pretrained, m1)]
    found = over_draws("wide", ways, *trained, study.m2_epochs, study.spread_rounds, study.spread_epochs)
    row.over(
        few_labels.SPREAD,
        found["spread"].pop("training"),
        "share of training images labelled rightly",
        "draws of labels",
    )
    few_labels.tell(row, found, few_labels.WIDE, study.labels)
    for name, bar in {"fine-tuned": 0.84, "frozen + SVM": 0.85, "M1+M2": 0.95, "spread": 0.97}.items():
        claim = f"test accuracy from {study.labels} labels, mean of draws, {few_labels.called(name)}"
        row.check(claim, row.numbers[f"accuracy, {name}"]["value"], "≥", bar, number=f"accuracy, {name}")
    row.number("seconds, pre-training", sum(line["seconds"] for line in masked.history), "seconds of training")
    row.finding(words.pretraining(row.found), "accuracy")
    row.finding(words.semi_supervised(row.found), "accuracy")
    row.finding(words.baselines(row.found, study.found("5.4")), rows=("5.4",))


# %% [markdown]
# ## 5.15 A rolled sheet, the choice of loss, the choice of layers
# Points on a rolled-up sheet have three coordinates but need only two: their positions along and across the sheet. A plane
# cannot follow the roll. Then come two choices that every first autoencoder involves: the loss, and the kind of layer.


# %%
sheet, sheet_test = diabolo.data.load("sheet", n_train=study.n_sheet, n_test=min(1_000, study.n_sheet))
on_sheet: dict[str, Any] = {**fast, "latent_dim": 2, "epochs": study.sheet_epochs}


def flattener(way: str, seed: int = 0) -> Trained:
    how: dict[str, dict[str, Any]] = {
        "linear AE": {**on_sheet, "lr": 3e-2},
        "AE": {**on_sheet, "lr": 1e-2, "hidden": (128, 128, 128), "activation": "silu"},
    }
    recipe = zoo.linear if way == "linear AE" else zoo.undercomplete
    return study.train(recipe, sheet, sheet_test, seed=seed, **how[way])


plane = study.train(zoo.pca, sheet, sheet_test, latent_dim=2)
same_net: dict[str, Any] = {"net": "mlp-256-128", "latent_dim": 32, "epochs": study.few_epochs, **fast}
by_loss = {"MSE": "squared-error", "BCE": "bernoulli"}
families: dict[str, dict[str, dict[str, Any]]] = {
    "full layers": {f"full {width}": {"net": "mlp", "hidden": (width,)} for width in (16, 32, 64, 128, 256)},
    "convolutions": {f"conv {c}-{2 * c}": {"net": "conv", "channels": (c, 2 * c)} for c in (2, 4, 8, 16)},
}
study.in_pytorch(flattener("AE"))


@study.row(
    "5.15",
    "A rolled sheet encoded in two numbers; MSE against BCE; convolutional against full layers at equal error",
    to_try="Roll the sheet twice as often. Does the autoencoder still unroll it into two numbers?",
)
def first_examples(row: Row) -> None:
    x, places = sheet_test.tensor, sheet_test.factors
    assert places is not None
    lost, spread = {}, float(sheet_test.images.var(0).mean())
    shown, codes = {"data": sheet_test.images}, {}
    for way in sheets.WAYS:
        models = [plane] if way == "PCA" else [flattener(way, seed) for seed in range(study.seeds)]
        each = [errors(model.model.reconstruct(x), sheet_test) for model in models]
        row.over(
            f"MSE, {way}",
            each[0] if way == "PCA" else np.mean(each, 1),
            "squared error per coordinate",
            "points" if way == "PCA" else "seeds",
        )
        lost[way] = row.number(
            f"variance lost, {way}", float(np.mean(each)) / spread, "of the variance of the points, 1 for their mean"
        )
        shown[way], codes[way] = models[0].model.reconstruct(x).numpy(), models[0].model.encode(x).numpy()
        told = [sheets.explained(model.model.encode(x).numpy(), places) for model in models]
        for place in ("along", "across"):
            of = "share of the variance of the places"
            row.over(f"place {place}, from codes of {way}", [max(0.0, one[place]) for one in told], of)
    row.figure(
        "sheet",
        figures.space_scatter(
            shown, places[:, 0], "place along the sheet", codes, title="A rolled sheet encoded in two numbers"
        ),
        "Test points on the sheet, their reconstructions from two numbers, and these two numbers below. Colour shows the place "
        "along the sheet.",
    )
    row.check("variance that the autoencoder loses, relative to PCA", 100 * lost["AE"] / lost["PCA"], "≤", 10, "%")
    row.finding(sheets.unrolled(row.found), "sheet")
    row.finding(sheets.flattened(row.found), "sheet")

    x = x_of(some_test)
    for name, likelihood in by_loss.items():
        models = [
            study.train(zoo.undercomplete, some, some_test, likelihood=likelihood, seed=seed, **same_net)
            for seed in range(study.seeds)
        ]
        again = [model.model.reconstruct(some_test.images).cpu().double() for model in models]
        row.over(f"MSE, trained by {name}", [float((x_hat - x).square().mean()) for x_hat in again], PER_PIXEL)
        row.over(f"BCE, trained by {name}", [losses.cross_entropy(x_hat, x) for x_hat in again], "nats per image")
    row.number("BCE, a perfect copy", losses.cross_entropy(x.double(), x), "nats per image")
    row.finding(losses.compared(row.found))

    table: list[tuple[str, float, float]] = []
    points: dict[str, list[tuple[float, float]]] = {name: [] for name in families}
    for family, several in families.items():
        for name, net in several.items():
            model = study.train(
                zoo.undercomplete,
                some,
                some_test,
                latent_dim=32,
                epochs=study.few_epochs,
                may_fail="a narrow network, to see how many parameters an error requires",
                **net,
                **fast,
            )
            size = row.number(f"parameters, {name}", model.model.summary().parameters, "numbers that are learned")
            error = row.over(
                f"MSE, {name}", errors(model.model.reconstruct(some_test.images), some_test), PER_PIXEL, "images"
            )
            points[family].append((size, error))
            table.append((name, size, error))
    row.table(
        "All with a code of 32 numbers, the same images and epochs.", ("network", "parameters", "test MSE"), table
    )
    row.figure(
        "parameters",
        figures.pareto({name: (size / 1e3, error) for name, size, error in table}, "thousand parameters", "test MSE"),
        "Parameters and test error of full layers and of convolutions, each in several widths.",
    )
    if found := losses.at_equal_error(points["full layers"], points["convolutions"]):
        row.number("error compared at", found[0], PER_PIXEL)
        row.number("parameters at equal error, full layers", found[1], "numbers that are learned")
        row.number("parameters at equal error, convolutions", found[2], "numbers that are learned")
    row.finding(losses.fewer(row.found), "parameters")


# %% [markdown]
# ## 5.16 Mode collapse; pros and cons of a discrete code; when to use each model
# Mode collapse means that whole kinds of images are missing from the samples. A heavy KL term provokes it: the code carries
# so little information that the decoder can produce only a few images. The doctor detects it by sorting images into twenty
# groups of similar ones.


# %%
LOSING: dict[str, dict[str, Any]] = {
    "β 1": {},
    "β 4": weights["β 4"],
    modes.LOST: {"beta": modes.HEAVY, "may_fail": "a weight chosen to provoke mode collapse"},
    "β 50": weights["β 50"],
}


@study.row(
    "5.16",
    "Mode collapse provoked, detected and cured; pros and cons of VQ; when to use each model",
    to_try=("Which symptom would you have noticed first without the doctor: the samples, the loss, or the codes?"),
)
def collapses(row: Row) -> None:
    shown, table = {"test images": x_of(test)[:36]}, []
    for name, how in LOSING.items():
        model = vae(**how)
        images = model.model.sample(modes.DRAWN, seed=0)
        found = generation.kinds(images.numpy(), x_of(some_test).numpy(), x_of(some).numpy())
        ill = [illness.name for illness in diabolo.doctor.diagnose(model.run, (train, test))]
        of = f"of {generation.GROUPS} groups of images"
        row.number(f"kinds shown, {name}", found.shown, of)
        row.number(f"images of lost kinds, {name}", found.lost, "share of test images")
        row.number(f"groups that differ, {name}", found.different, "share of groups")
        row.number(f"named, {name}", "mode collapse" in ill, "1 where the doctor names mode collapse")
        drawn = model.measure("generation", densities=("normal",), manifold_images=study.n_few_test).scores
        row.score(f"recall, {name}", drawn["recall, normal"])
        active = row.number(f"active units, {name}", model.measure("usage").scores["active units"].value, "of 16 units")
        lost, recall = 100 * found.lost, 100 * drawn["recall, normal"].value
        table.append((name, active, found.shown, lost, recall, ", ".join(ill)))
        shown[name] = images[:36]
    row.table(
        f"{modes.DRAWN} samples of each model, sorted into {generation.GROUPS} groups of training images.",
        ("model", "active units", "groups shown", "images of lost groups, %", "recall, %", "the doctor says"),
        table,
    )
    row.figure("samples", figures.density_samples(shown), "Test images, and samples from the prior of each model.")
    row.finding(modes.provoked(row.found), "samples")
    row.finding(modes.why(row.found), "samples")
    row.finding(choice.weighed(study.found("5.13"), study.found("5.9")), rows=("5.13", "5.9"))
    row.finding(choice.when(study.found("5.13")), rows=("5.13",))


# %% [markdown]
# ## 5.17 Watching a training
# The loss every hundred batches, and samples from the same noise every five epochs, show how a training goes while it can
# still be stopped.


# %%
WATCHED = 17  # a training of its own: pictures are only made while a model is trained
watched = study.train(
    zoo.vae, train, test, latent_dim=16, epochs=study.watched_epochs, seed=WATCHED, log_every=100, sample_every=5, **wide,
    **fast,
)  # fmt: skip


@study.row(
    "5.17",
    "The loss every hundred batches, samples every five epochs",
    to_try="In the strip, at which epoch can you first read a digit? What did the loss say then?",
)
def watching(row: Row) -> None:
    path, lines = watched.run.path, watched.run.folder.steps
    curves = watch.by_step(lines, watched.history)
    ends = [i for i, line in enumerate(lines) if line["epoch"] == 1] or [0]
    for when, i in {"first 100 batches": 0, "end of the first epoch": ends[-1], "last 100 batches": -1}.items():
        row.number(f"loss, {when}", curves["every 100 batches"][i], "nats per training image")
    row.figure(
        "steps",
        figures.response(
            [line["step"] for line in lines], curves, "batches", "loss, nats per image", title="Loss by batch"
        ),
        "The training loss every hundred batches, and the mean of each epoch.",
    )
    pictures = snapshots.read(path)
    moved = watch.changes(pictures)
    for epoch, change in moved.items():
        row.number(f"change of the samples by epoch {epoch}", change, PER_PIXEL)
    drawn = snapshots.drawn(path, "VAE")
    row.figure("samples", drawn["progress-samples"], "Samples decoded from the same ten draws of noise, by epoch.")
    row.figure(
        "reconstructions", drawn["progress-reconstructions"], "Reconstructions of the same test images, by epoch."
    )
    row.finding(watch.early(row.found), "steps")
    row.finding(watch.strip(row.found, list(moved)), "samples")


# %% [markdown]
# ## For each technique: when does it help, by how much here, and what does it cost?
# Every number is from a row above.


# %%
@study.row("answers", "For each technique: when it helps, by how much here, what it costs")
def answers(row: Row) -> None:
    for index, several in answered.ANSWERS.items():
        for answer in several:
            row.finding(answered.sentence(*answer(study.found(index))), rows=(index,))
