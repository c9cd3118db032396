"""The answers of the study `guide`: of each technique, when it helps, by how much it did here, and what it costs."""

from collections.abc import Callable

from diabolo.plain import percent
from diabolo.studies.engine.findings import between, family, joined
from diabolo.studies.guide import losses, modes, shared, sheet, watching
from diabolo.studies.guide.blur import PIXELS
from diabolo.studies.guide.codes import apart
from diabolo.studies.guide.labels import PRETRAINED, SCRATCH, SEMI, best_way, called, gains
from diabolo.studies.guide.models import DIGIT, FREE, UNITS
from diabolo.studies.guide.plain import Answer, Numbers, against, points
from diabolo.studies.guide.quantised import ALL, ALONE, FINE


def sentence(technique: str, when: str, gain: str, cost: str) -> str:
    """An answer in one paragraph."""
    return f"{technique}. When: {when}. By how much here: {gain}. Cost: {cost}."


def _seconds(n: Numbers, name: str) -> str:
    return f"{n[f'seconds, {name}'].value:.3g} s"


def convolutions(n: Numbers) -> Answer:
    """5.1."""
    gain = against(n, "MSE", "fully connected", "convolutional").say(
        more="error from {a} to {b} per pixel",
        less="no help: error from {a} to {b} per pixel",
        neither="error from {a} to {b} per pixel, {different}",
    )
    cost = (
        f"{_seconds(n, 'convolutional')} of training against {_seconds(n, 'fully connected')}, and "
        f"{_seconds(n, 'PCA')} for PCA"
    )
    return "Convolutions", "where the same strokes and edges occur at many places of an image", gain, cost


def skips(n: Numbers) -> Answer:
    """5.2."""
    gain = against(n, "MSE", "skips cut", "U-Net").say(
        more="error from {a} to {b}",
        less="no help: error from {a} to {b}",
        neither="error from {a} to {b}, {different}",
    )
    cost = (
        f"no bottleneck, since the decoder sees {n['numbers, U-Net'].value:,.0f} numbers instead of "
        f"{n['numbers, skips cut'].value:.0f}"
    )
    return "Skip connections", "where the output is a cleaned copy of the input and no code is wanted", gain, cost


def layers(n: Numbers) -> Answer:
    """5.3."""
    gain = against(n, "MSE", "end to end", "layer by layer").say(
        more="error from {a} to {b} after as many epochs",
        less="no help: error from {a} to {b} after as many epochs",
        neither="error from {a} to {b} after as many epochs, {different}",
    )
    when = "where layers trained together hinder each other, as with saturating units or poor initial weights"
    if gain.startswith("error from"):
        when += "; here also with rectifiers"
    return "Layer-wise training", when, gain, "a schedule of stages, each with epochs of its own to choose"


def against_overfitting(n: Numbers) -> Answer:
    """5.3, L2 and dropout."""
    names = [
        name.removeprefix("test MSE, ") for name in n if name.startswith("test MSE, ") and not name.endswith("neither")
    ]
    best = min(names, key=lambda name: n[f"test MSE, {name}"].value)
    gain = family({name: against(n, "test MSE", "neither", name) for name in names})[best].say(
        more=f"with the best, {best}, test error from {{a}} to {{b}}",
        less=f"no help: with the best, {best}, test error from {{a}} to {{b}}",
        neither=f"with the best, {best}, test error from {{a}} to {{b}}, {{different}}",
    )
    cost = "a strength to search; too much of either underfits"
    return "L2 and dropout", "on few images, where the test error is well above the training error", gain, cost


def pretraining(n: Numbers) -> Answer:
    """5.14, features learnt without labels."""
    said = gains(n, [name for name in PRETRAINED if name != SCRATCH])
    gain = (
        f"from scratch with the same network {percent(n[f'accuracy, {SCRATCH}'].value, 1)}; {'; '.join(said.values())}"
    )
    cost = f"{_seconds(n, 'pre-training')} of pre-training, once; then a short training for each set of labels"
    return (
        "Pre-training without labels",
        "where labels are few and the code is wide enough to keep features",
        gain,
        cost,
    )


def semi_supervised(n: Numbers) -> Answer:
    """5.14, unlabelled images used a second time."""
    best = best_way(n, SEMI)
    reached = f"from {{b}} % (fine-tuned) to {{a}} % with {called(best)}, the better of the two on validation images"
    gain = points(between(n, f"accuracy, {best}", "accuracy, fine-tuned")).say(
        more=reached, less=f"no help: {reached}", neither=f"{reached}, {{different}}"
    )
    cost = "a training on all images for each set of labels, and wrong labels where classes overlap"
    return "Semi-supervised learning", "where classes lie apart in latent space", gain, cost


def noise(n: Numbers) -> Answer:
    """5.5."""
    middle = "gaussian 0.5"
    gain = between(n, f"none on {middle}", f"{middle} on {middle}").say(
        more="error on noisy images from {a} to {b}",
        less="no help on noisy images: error from {a} to {b}",
        neither="error on noisy images from {a} to {b}, {different}",
    )
    clean = between(n, f"{middle} on none", "none on none").say(
        more="error on clean images from {b} to {a}",
        less="none on clean images (error from {b} to {a})",
        neither="error on clean images from {b} to {a}, {different}",
    )
    levels = [name.removeprefix("probe, ") for name in n if name.startswith("probe, gaussian")]
    changes = family({name: points(against(n, "probe", name, "none")) for name in levels})
    better = [name for name, d in changes.items() if d.sure and d.value > 0]
    when = "where images come corrupted in a way that can be imitated"
    return ("Denoising", when + ", and for the features" * bool(better), gain, clean)


def kl_term(n: Numbers) -> Answer:
    """5.6."""
    gains = [
        against(n, "−ELBO", "β 1", name).say(
            more=f"−ELBO from {{a}} to {{b}} nats with {name}",
            less=f"no help: −ELBO from {{a}} to {{b}} nats with {name}",
            neither=f"−ELBO from {{a}} to {{b}} nats with {name}, {{different}}",
        )
        for name in ("linear annealing", FREE)
    ]
    units = n["active units, β 50, free bits 0.5"].value
    gain = f"{'; '.join(gains)}; free bits keep {units:.0f} of {UNITS} units active even at β 50"
    cost = "with free bits the loss is a looser bound; while the weight is annealed it is no bound"
    return (
        "Annealing and free bits",
        "where units become inactive before the decoder has learned to use them",
        gain,
        cost,
    )


def features(n: Numbers) -> Answer:
    """5.7."""
    gain = points(against(n, "detail", "features", PIXELS)).say(
        more="fine detail in the right place from {b} % to {a} %",
        less="no help: fine detail in the right place from {b} % to {a} %",
        neither="fine detail in the right place from {b} % to {a} %, {different}",
    )
    error = against(n, "MSE", "features", PIXELS)
    cost = f"{_seconds(n, 'features')} of training against {_seconds(n, PIXELS)}"
    if error.sure and error.value > 0:
        cost += "; squared error {} against {}".format(*error.both)
    when = "where sharpness matters more than exact pixels, and features of such images are at hand"
    return "Perceptual loss", when, gain, cost


def condition(n: Numbers) -> Answer:
    """5.8."""
    bound = against(n, "−ELBO", "none", "embedding")
    of_class = f", of which the class accounts for {DIGIT:.3g} at most" * (bound.value > DIGIT)
    gain = f"{percent(n['read, embedding'].value, 1)} of the samples are read as the digit asked for, and " + bound.say(
        more=f"the bound improves by {{difference}} nats{of_class}",
        less="the bound gets worse by {difference} nats",
        neither="−ELBO goes from {a} to {b} nats, {different}",
    )
    return "A condition", "where images of a given class are wanted", gain, "a label for every training image"


def codebook(n: Numbers) -> Answer:
    """5.9."""
    before, after = n["perplexity, by gradient"].value, n["perplexity, all three"].value
    error = n["MSE, all three"].value, n["MSE, by gradient"].value
    gain = f"perplexity of 256 codes from {before:.0f} to {after:.0f}, error from {error[1]:.3g} to {error[0]:.3g}"
    if after <= before:
        gain = f"no help: {gain}"
    cost = "k-means once, and a running count of each code's use"
    return "Moving averages, k-means start, restarts", "where some codes of a codebook are never chosen", gain, cost


def code_prior(n: Numbers) -> Answer:
    """5.9, the prior."""
    gain = against(n, "FID", ALONE, FINE).say(
        more="FID from {a} to {b}",
        less="no help: FID from {a} to {b}",
        neither="FID from {a} to {b}, {different}",
    )
    read = (percent(n[f"read, {name}"].value, 1) for name in (ALONE, FINE, ALL))
    gain += "; images read with confidence from {} to {}, and to {} with a coarser map, more images and a larger prior".format(
        *read
    )
    cost = f"a second training ({_seconds(n, ALL)} for both), and drawing one code after the other"
    return "A prior over discrete codes", "where a VQ-VAE is to generate", gain, cost


def projections(n: Numbers) -> Answer:
    """5.10."""
    kept = {name.removeprefix("overlap, "): value.value for name, value in n.items() if name.startswith("overlap, ")}
    gain = "neighbours kept: " + joined([f"{percent(value)} ({name})" for name, value in kept.items()])
    cost = "distances between groups, which say little in t-SNE and UMAP; time that grows with the number of points"
    return "t-SNE and UMAP", "to see which codes are neighbours", gain, cost


def densities(n: Numbers) -> Answer:
    """5.11."""
    gain = against(n, "FID", "AE, normal", "AE, mixture").say(
        more="FID of the autoencoder from {a} to {b}",
        less="no help for the autoencoder: FID from {a} to {b}",
        neither="FID of the autoencoder from {a} to {b}, {different}",
    )
    return (
        "A density fitted afterwards",
        "where codes do not follow the prior",
        gain,
        "a fit to the training codes, no training",
    )


def economy(n: Numbers) -> Answer:
    """5.12."""
    times = n["seconds, float32"].value / max(n["seconds, bf16"].value, 1e-9)
    memory = n["MiB, computed again"].value / max(n["MiB, all kept"].value, 1e-9)
    gain = f"bf16: {times:.2g} times the speed; checkpointing: {100 * memory:.0f} % of the memory"
    again = n["seconds of a step, computed again"].value / max(n["seconds of a step, all kept"].value, 1e-9)
    cost = (
        f"bf16: the loss differs by {100 * apart(n, 'float32', 'bf16'):.2g} %; float16 with a scaled loss: by "
        f"{100 * apart(n, 'float32, small', 'float16'):.2g} %; checkpointing: {again:.2g} times the time of a step"
    )
    return (
        "Mixed precision, checkpointing",
        "where the hardware multiplies bf16 fast; where memory is scarcer than time",
        gain,
        cost,
    )


ANSWERS: dict[str, tuple[Callable[[Numbers], Answer], ...]] = {
    "5.1": (convolutions,),
    "5.2": (skips,),
    "5.3": (layers, against_overfitting),
    "5.5": (noise,),
    "5.6": (kl_term,),
    "5.7": (features,),
    "5.8": (condition,),
    "5.9": (codebook, code_prior),
    "5.10": (projections,),
    "5.11": (densities,),
    "5.12": (economy,),
    "5.14": (pretraining, semi_supervised),
    "5.15": (sheet.answer, losses.answer, shared.answer),
    "5.16": (modes.answer,),
    "5.17": (watching.answer,),
}
