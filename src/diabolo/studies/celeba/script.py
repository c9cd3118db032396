# %% [markdown]
# # Faces: what keeps an autoencoder from copying, and what its codes are good for
#
# An autoencoder that could copy would learn nothing. Four things keep it from that: a narrow code, a penalty on the code,
# noise on the image, and a prior on the code. Here all four are trained on the same images of faces with the same encoder and
# decoder, and then asked what they are good for: reconstruction, reading an attribute off the code, arithmetic with codes,
# new faces.
#
# There is one training of each, so that every ± and every interval is over test images and says nothing of how much another
# seed would change.

# %%
from statistics import fmean

import numpy as np
import torch

from diabolo import figures, latents, metrics, zoo
from diabolo.display import words as written
from diabolo.evaluation.baselines import View
from diabolo.latents.arithmetic import judge
from diabolo.likelihoods import SquaredError
from diabolo.metrics.cost import flops
from diabolo.metrics.reconstruction import resolution
from diabolo.metrics.usage import hoyer
from diabolo.pictures import run_figures
from diabolo.statistics import wilson
from diabolo.studies import NotMeasured, Row, Study
from diabolo.studies.celeba import codes as of_codes
from diabolo.studies.celeba import report as of_report
from diabolo.studies.celeba import words
from diabolo.studies.engine import needs

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
    sparsity=(1e-5, 1e-4, 1e-3),  # weights of the L1 penalty to choose from
    within=1.1,  # times the error of the undercomplete model that the sparse one may have
    noise=0.2,  # standard deviation of the noise that is removed
    beta=1.0,  # weight of the KL term
    attribute="Smiling",  # attribute that a linear probe reads off the codes
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
    ),  # attributes that bear on who it is
    extractor="classifier",  # features behind FID: classifier, inception, or package.module:extractor
    quick={
        "n_train": 1_500,
        "n_test": 300,
        "latent_dim": 32,
        "channels": (16, 32, 32, 64),
        "batch_size": 16,
        "epochs": 4,
        "lr": 4e-3,
    },
)
JUDGED = 5_000  # training images that the judge of row 1.8 is fitted to
train, test = study.data(needs="attributes", split=study.split, size=64)
study.require("alphas", 0.0 in study.alphas and max(study.alphas) > 0, "0 must be among them, and something above it")
for name in (study.attribute, study.edited):
    latents.attribute(train, name)  # refused here, where there is none of that name
known = set(train.attribute_names or ())
study.require("identity", not known.isdisjoint(study.identity), "none of them is an attribute of these images")
study.require("n_test", len(test) >= 10, "10 test images or more are needed")
study.needs("1.7", *needs.both(train, study.attribute))
study.needs("1.8", *needs.both(train, study.edited, JUDGED))
study.needs("1.8", *needs.both(test, study.edited))
study.needs("1.9", *needs.density("gaussian", train, study.latent_dim), "the fitted Gaussian")
study.needs("1.9", *needs.density("mixture", train, study.latent_dim), "the mixture of ten")
study.needs("1.9", *needs.distance(test, study.extractor), "FID")

# %% [markdown]
# What is trained, when it is first looked at. Encoder and decoder are the same in all, and so are the steps and their lengths.

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
undercomplete = study.train(zoo.undercomplete, train, test, **same)
by_weight = {
    weight: study.train(
        zoo.sparse, train, test, sparsity=weight, **same, may_fail="one of several weights, of which the rule chooses"
    )
    for weight in study.sparsity
}
denoising = study.train(zoo.denoising, train, test, level=study.noise, **same)
vae = study.train(zoo.vae, train, test, likelihood=SquaredError("image"), beta=study.beta, **same)
study.in_pytorch(vae, undercomplete, by_weight[study.sparsity[0]], denoising)

x = torch.from_numpy(test.pixels)  # (M, 3, 64, 64)
few = range(5)  # test images that are shown
PER_PIXEL = "squared error per pixel"


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


# %% [markdown]
# ## 1.1 Encoder, bottleneck, decoder
# Four convolutions halve the image to a map of 4×4, a linear layer makes the code of it, and the decoder mirrors all that
# up to a sigmoid. The images come from the data set's own training and test parts, which share no person, unless the
# parameter `split` says otherwise.


# %%
@study.row(
    "1.1",
    "The encoder to a code, the decoder back to 3×64×64, and the images",
    to_try=("How many of the parameters are in the two linear layers? What would become of them at 128×128?"),
)
def cones(row: Row) -> None:
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


# %% [markdown]
# ## 1.2 Undercomplete: the narrow code
# Nothing but the width of the code stands between the image and a copy of it (Hinton & Salakhutdinov 2006). The loss is the
# mean squared error per pixel.


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
# The loss is the error plus λ Σ|z| (Ng 2011). The rule for λ: of those tried, the largest whose error on training images,
# in the last epoch, is at most `within` times that of the undercomplete model. An L1 norm also falls when all units become
# smaller together, so it is looked at beside Hoyer's measure (2004), which is 0 for units of one size and 1 when only one
# speaks.


# %%
@study.row(
    "1.3",
    "Sparse: squared error and λ Σ|z|",
    to_try=(
        "Multiply the decoder's first weights by 10 and divide the codes by 10. What does the L1 "
        "penalty say, and what does the image say?"
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
    gained = hoyer(by_weight[weight].subject.codes("test")) - hoyer(z)
    row.over("Hoyer, sparse less undercomplete", gained, "0 to 1", "test images, paired")
    row.figure(
        "losses",
        figures.loss_curves(run_figures.losses(by_weight[weight].run)),
        f"The terms of the loss at λ = {written(weight)}.",
    )
    ratio = training_errors()[weight] / undercomplete.curve()[-1]
    row.check("training error over the undercomplete model's", ratio, "≤", study.within)
    chosen = (by_weight[weight],)
    row.finding(words.choice(training_errors(), undercomplete.curve()[-1], study.within), "errors", about=chosen)
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
# The encoder is shown x + σ ε, clipped to [0, 1], and the decoder is asked for x (Vincent et al. 2010). Both
# curves are of noisy images in and clean ones as targets.


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
        "cleaned", figures.reconstructions(x[few], shown), f"Noise of σ = {study.noise:g}, and what is made of it."
    )
    row.finding(words.denoised(row.found["left as it is"], row.found["denoising"]), "cleaned")
    row.finding(words.against_plain(row.found))


# %% [markdown]
# ## 1.5 The three reconstructions
# Five test images and what three models make of them; then in which frequencies they differ. Resolution is the highest
# frequency up to which less than half of the power of the images is lost.


# %%
@study.row(
    "1.5",
    "Reconstructions: originals and the three models",
    to_try=("Cover the labels of the grid and sort the rows by sharpness. Then compare with the spectrum."),
)
def reconstructions(row: Row) -> None:
    three = {"undercomplete": undercomplete, "sparse": by_weight[sparse_weight()], "denoising": denoising}
    shown = {name: one.subject.reconstructions[few] for name, one in three.items()}
    row.figure("grid", figures.reconstructions(x[few], shown), "Five test images, each through the three models.")
    some, table, curves = x[:1000], [], {"images": metrics.reconstruction.spectrum(x[:1000]).mean(0).numpy()}
    for name, one in three.items():
        x_hat = torch.from_numpy(one.subject.reconstructions)
        scores = one.measure("reconstruction").scores
        error, similarity = row.score(f"MSE, {name}", scores["MSE"]), row.score(f"SSIM, {name}", scores["SSIM"])
        finest = row.number(f"resolution, {name}", resolution(some, x_hat[:1000]), "cycles per image")
        table.append((name, error, similarity, finest))
        curves[f"error: {name}"] = metrics.reconstruction.spectrum(x_hat[:1000] - some).mean(0).numpy()
        if one is not undercomplete:
            more = one.subject.errors - undercomplete.subject.errors
            row.over(f"MSE, {name} less undercomplete", more, PER_PIXEL, "test images, paired")
    row.table(
        "On clean test images: squared error per pixel, similarity, and resolution in cycles per image.",
        ("model", "MSE", "SSIM", "resolution"),
        table,
    )
    row.figure("spectrum", figures.spectrum(curves), "Power of the images and of the errors, by spatial frequency.")
    resolutions = {name: row.found[f"resolution, {name}"].value for name in three}
    row.finding(
        words.eye(resolutions, row.found, test.shape[1] // 2),
        "grid",
        "spectrum",
        about=(by_weight[sparse_weight()],),
    )


# %% [markdown]
# ## 1.6 The VAE
# The encoder has two heads, μ and log σ²; the code is a draw z = μ + σ ε, through which gradients pass (Kingma & Welling
# 2014). The loss is the squared error, summed over the image, plus β KL(q(z|x) ‖ N(0, I)).


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
    active = vae.measure("usage").scores["active units"].value
    row.finding(words.variational(row.found, active, study.latent_dim), "grid")


# %% [markdown]
# ## 1.7 A linear probe
# The encoders are frozen. One `nn.Linear` is trained on their codes with cross entropy, to convergence, and asked for the
# attribute on test images. What a probe is worth shows beside the same probe on raw pixels (by 512 principal components),
# on as many principal components as the code has numbers, and beside always giving the more frequent answer. The codes of the
# VAE are the means of q(z|x); one draw of q(z|x) for each image, which is what its decoder sees, is probed beside them.


# %%
@study.row(
    "1.7",
    "Reading an attribute off frozen codes",
    to_try="Probe another attribute, such as Wearing_Hat. Is the order of the models the same?",
)
def probe(row: Row) -> None:
    has, truth = latents.attribute(train, study.attribute), latents.attribute(test, study.attribute)
    for one in (undercomplete, vae):
        one.model.encoder.requires_grad_(False)
        learning = sum(p.numel() for p in one.model.encoder.parameters() if p.requires_grad)
        row.check(f"weights of the {one.model.name}'s encoder that learn", learning, "=", 0, always=True)

    def read(view: View) -> list[bool]:
        layer = metrics.linear_probe(view.train, has.astype(np.int64), scale=view.scale)
        return [bool(hit) for hit in layer.predict(view.test) == truth]

    codes = View("VAE", vae.subject.codes("train"), vae.subject.codes("test"))

    def read_sampled() -> list[bool]:
        drawn = vae.subject.sampled_codes
        assert drawn is not None
        return read(View("sampled codes", *drawn))

    def called(name: str, view: View) -> str:
        return f"{name}, by {view.train.shape[1]} components" if name == "pixels" and view.reduced else name

    views = undercomplete.subject.views
    right = undercomplete.remember(
        f"probe-{study.attribute}", lambda: {called(name, view): read(view) for name, view in views.items()}
    )
    right = {
        "undercomplete": right.pop("codes"),
        "VAE": vae.remember(f"probe-{study.attribute}", lambda: read(codes)),
        "VAE, sampled codes": vae.remember(f"probe-sampled-{study.attribute}", read_sampled),
        **right,
    }
    right["majority"] = (truth == (has.mean() > 0.5)).tolist()
    table = []
    for name, hits in right.items():
        low, high = wilson(sum(hits), len(hits))
        row.number(name, 100 * np.mean(hits), "% of test images", 100 * low, 100 * high, "Wilson")
        table.append((name, 100 * float(np.mean(hits)), f"{100 * low:.1f} … {100 * high:.1f}"))
    caption = (
        f"{study.attribute}: test accuracy of a linear probe; of the VAE on the means of q(z|x), and on one draw of it."
    )
    row.table(caption, ("off", "accuracy, %", "95 % interval"), table)
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
# v is the mean code of training images with the attribute less that of those without (Larsen et al. 2016); z + α v is
# decoded for test images without it. A probe on moved codes would answer what it was asked, so the judge sees the decoded
# images: probes on the codes of the denoising model, which had no part in making them. They also tell how far attributes
# that bear on who it is move, against how far two people are apart in them; and what is left of that when v is taken at
# right angles to all other attributes.


# %%
@study.row(
    "1.8",
    "Adding an attribute, and whether the person survives",
    to_try=("Add half of the glasses vector and half of the Smiling vector. Does the person survive both?"),
)
def arithmetic(row: Row) -> None:
    known = train.take(range(min(JUDGED, len(train))))
    assert known.attributes is not None
    assert known.attribute_names is not None
    varying = [
        name for name, share in zip(known.attribute_names, known.attributes.mean(0), strict=True) if 0 < share < 1
    ]
    has = {name: latents.attribute(known, name) for name in varying}
    seen, z = denoising.subject.codes("train")[: len(known)], vae.subject.codes("train")
    see = judge(denoising.model, {name: latents.Probe.fit(seen, told) for name, told in has.items()})
    without = np.flatnonzero(~latents.attribute(test, study.edited))[:200]
    start, v = vae.subject.codes("test")[without], latents.mean_difference(z, latents.attribute(train, study.edited))
    swept = latents.sweep(vae.model, start, v, study.alphas, see)
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
        "probability",
        "images",
    )
    bearing = [name for name in study.identity if name in has]
    if not bearing:
        raise NotMeasured("none of the attributes that bear on who it is varies among the training images")
    drift, apart = swept.drift(study.edited, alpha), swept.apart()
    row.number("drift", fmean(drift[name] for name in bearing), f"probability, mean over {', '.join(bearing)}")
    row.number("two people apart", fmean(apart[name] for name in bearing), "probability, the same attributes")
    most = sorted(bearing, key=lambda name: drift[name])[-4:]
    curves = {name: swept.response[name].mean(0) for name in (study.edited, *most)}
    title = f"{study.edited} along v, and the four that bear on who it is and move most"
    shown = figures.response(study.alphas, curves, "α", "probability by the probe", title=title)
    row.figure("response", shown, "What the judge's probes say of the decoded faces, mean over test images.")
    row.finding(of_codes.vector(row.found["gain"], scores, study.edited), "strips", "response")
    moved = {
        name: float((p[:, here] - p[:, at_rest]).mean()) for name, p in swept.response.items() if name != study.edited
    }
    farthest = max(moved, key=lambda name: abs(moved[name]))
    row.finding(
        of_codes.person(
            row.numbers["drift"]["value"], row.numbers["two people apart"]["value"], farthest, moved[farthest], alpha
        )
    )
    if len(varying) <= study.latent_dim:
        others = [latents.Probe.fit(z[: len(known)], told).weight for name, told in has.items() if name != study.edited]
        rest = latents.orthogonalised(v, np.stack(others))
        turned = latents.sweep(vae.model, start, rest, study.alphas, see)
        less = fmean(turned.drift(study.edited, alpha)[name] for name in bearing)
        row.number("drift at right angles", less, "probability, the same attributes")
        row.number(
            "length at right angles", float(np.linalg.norm(rest) / np.linalg.norm(v)), "of the vector's own length"
        )
        response = turned.response[study.edited]
        row.over("score at right angles", response[:, here], "probability", "test images")
        row.over("gain at right angles", response[:, here] - response[:, at_rest], "probability", "images")
        row.finding(of_codes.right_angled(row.found))


# %% [markdown]
# ## 1.9 New faces, and the prior hole
# New codes are drawn from N(0, I), from a Gaussian with the mean and covariance of the training codes, and from a mixture
# of ten (ex-post density estimation: Ghosh et al. 2020, arXiv 1903.12436). FID compares them with test images by features
# of a small classifier of the attributes, so that it cannot be compared with figures elsewhere, and needs more images than
# features. The prior hole is measured by itself: how far codes, one draw of the posterior for each test image, lie from
# N(0, I).


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
        "Codes drawn in several ways and decoded.",
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
# A unit whose posterior is the prior says nothing of the image and costs nothing. A unit is active when its mean varies
# over images by more than 0.01 (Burda et al. 2016). That the decoder listens is tested by giving it the code of another
# image.


# %%
@study.row(
    "1.10",
    "Collapse watch: KL of each unit, active units, and the balance of the two terms",
    to_try="Set `beta` to 10 and watch the active units epoch by epoch. When do they fall silent?",
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
    row.finding(of_codes.collapse(active, study.latent_dim, row.found["KL"].value, health[-1]["code_use"]), "kl")
    row.finding(
        of_codes.balance(vae.curve("validation")[-1], row.found["KL"].value, study.beta, x[0].numel()), "balance"
    )


# %% [markdown]
# ## 1.11 The report in five sections
# `report.md` says it all in at most 7,500 characters and without pictures, from the same numbers.


# %%
@study.row(
    "1.11",
    "report.md: five sections, at most 7,500 characters, no pictures",
    to_try=("Write your own Reflection before you read this one. Which measured number would change your mind?"),
)
def short(row: Row) -> None:
    images = f"{len(train):,} training and {len(test):,} test images of {train.name}"
    layers, parameters = len(study.channels), undercomplete.model.summary().parameters
    about = (
        f"Images are {' × '.join(map(str, train.shape))}, the code has {study.latent_dim} numbers, {layers} convolutions lead "
        f"to it and {layers} back ({parameters:,} parameters), and each model was trained for {study.epochs} epochs."
    )
    text = row.report(of_report.five_sections(study, images, about))
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    row.check("sections", len(headings), "=", 5, always=True)
    row.check("characters", len(text), "≤", 7_500, always=True)
    row.check("pictures", text.count("!["), "=", 0, always=True)
    row.number("characters", len(text), "of report.md")


# %% [markdown]
# ## The questions
# What the rows above answer, in the words that their numbers chose.


# %%
@study.row("answers", "The questions, answered from what was measured")
def answers(row: Row) -> None:
    for question, rows in of_report.QUESTIONS.items():
        row.question(question)
        for index in rows:
            row.finding(" ".join(study.said(index)), rows=[index])
        if "1.4" in rows:
            row.text(of_report.COPYING)
