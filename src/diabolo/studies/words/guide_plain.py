"""What the study `guide` says of its rows 5.1 to 5.5: each function takes the numbers of a row by name, and "
"gives a sentence that is true of them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from diabolo.studies.findings import Difference, Measured, difference, joined
from diabolo.studies.words.generative import signed

Numbers = Mapping[str, Measured]
SPREAD = "labels spread along neighbours"
MEASURES = ("FID", "KID", "precision", "recall", "score")
WAYS = {
    "from scratch": "a classifier on the labelled images alone",
    "frozen features": "a linear classifier on the pre-trained code",
    "fine-tuned": "the pre-trained encoder, trained on the labelled images",
    "joint": "reconstruction + 0.2 · cross entropy, from the pre-trained weights",
    "spread, then fine-tuned": "labels spread along neighbours of the codes, then fine-tuned on all images",
}


def against(n: Numbers, what: str, a: str, b: str) -> Difference:
    """What is measured of a, less that of b."""
    return difference(n[f"{what}, {a}"], n[f"{what}, {b}"])


def points(d: Difference) -> Difference:
    """Shares as percentage points."""
    return Difference(*(Measured(100 * m.value, None if m.error is None else 100 * m.error) for m in (d.a, d.b)))


def bent(n: Numbers) -> str:
    """5.1: PCA against the fully connected autoencoder."""
    return against(n, "MSE", "PCA", "fully connected").say(
        more="From as many numbers the fully connected autoencoder reconstructs better than PCA: {b} against {a} "
        "squared error per pixel, {difference} less. PCA's reconstructions lie on a flat sheet, the autoencoder's on "
        "a bent one, which can follow the images.",
        less="PCA reconstructs better than the fully connected autoencoder here: {a} against {b} squared error per "
        "pixel, {difference} less. The best linear map is found exactly; what a network could do beyond it has to be "
        "learnt, and this training did not get there.",
        same="PCA and the fully connected autoencoder reconstruct equally well within the noise ({a} and {b} squared "
        "error per pixel): being able to bend did not pay in this training.",
    )


def convolutional(n: Numbers) -> str:
    """5.1: convolutions against full layers, in error and in what the code tells."""
    error = against(n, "MSE", "fully connected", "convolutional").say(
        more="Convolutions reconstruct better than full layers ({b} against {a}, {difference} less): each weight is "
        "used at every place, so a stroke learnt at one place is known at all",
        less="Convolutions reconstruct worse than full layers here ({b} against {a}, by {difference}): sharing "
        "weights over places saves parameters, but digits stand in the middle, where full layers can learn each place "
        "by itself",
        same="Convolutions and full layers reconstruct equally well within the noise ({b} and {a})",
    )
    told = points(against(n, "probe", "convolutional", "fully connected")).say(
        more="a linear probe reads the digit off their code more often, by {difference} points.",
        less="a linear probe reads the digit off their code less often, by {difference} points.",
        same="a linear probe reads the digit off both codes equally well within the noise.",
    )
    return f"{error}; {told}"


def skips(n: Numbers) -> str:
    """5.2: what zeroing the code does, with skips and without."""
    with_, without = (against(n, "MSE", f"{name}, code zeroed", name) for name in ("U-Net", "skips cut"))
    rise, alone = (100 * (d.a.value / max(d.b.value, 1e-12) - 1) for d in (with_, without))
    better = against(n, "MSE", "skips cut", "U-Net").say(
        more="The skips make the reconstruction better: {b} against {a} squared error per pixel.",
        less="The skips do not make the reconstruction better: {b} against {a} squared error per pixel.",
        same="With and without skips the reconstruction is equally good within the noise.",
    )
    zeroed = (
        f"With the code set to zero the error of the U-Net changes by {signed(rise / 100)}, that of the same net without "
        f"skips by {signed(alone / 100)}"
    )
    numbers = f"the decoder of the U-Net sees {n['numbers, U-Net'].value:,.0f} numbers, of which 32 are the code"
    if not without.sure or alone < 10:
        return f"{better} {zeroed}: neither of the two has learnt to say much by its code in this training."
    if rise < alone / 2:
        return f"{better} {zeroed}: {numbers}, and most of the image goes around it. Such a code is no bottleneck."
    return (
        f"{better} {zeroed}: {numbers}, yet this training leans on the code as well. Nothing forces it to: the way "
        f"around is wide enough for the whole image."
    )


def greedy(n: Numbers) -> str:
    """5.3: layer by layer against end to end."""
    return against(n, "MSE", "layer by layer", "end to end").say(
        more="After as many epochs in all, training layer by layer ends with more error than end to end ({a} against "
        "{b}, by {difference}): a layer is fitted before those above it can say what they need, and the epochs spent "
        "on it are missing at the end.",
        less="After as many epochs in all, training layer by layer ends with less error than end to end ({a} against "
        "{b}, by {difference}): the layers begin where each can already be undone.",
        same="After as many epochs in all, both ways come out alike within the noise (layer by layer {a}, end to end {b}): "
        "rectifiers, good initial weights and Adam let the gradient through few layers at once, and that was what "
        "pre-training was for.",
    )


def regularised(n: Numbers, names: Sequence[str]) -> str:
    """5.3: L2 and dropout on few images."""
    plain = n["test MSE, neither"]
    gap = plain.value - n["training MSE, neither"].value
    best = min(names[1:], key=lambda name: n[f"test MSE, {name}"].value)
    told = difference(plain, n[f"test MSE, {best}"]).say(
        more=f"The best of L2 and dropout, {best}, lowers the test error by {{difference}}, to {{b}}: what it takes "
        f"from the fit to the training images, it more than gives back on others.",
        less=f"L2 and dropout raise the test error at every strength tried, by {{difference}} at the least ({best}): "
        f"the narrow code is what keeps this model from overfitting, and they only take from the fit.",
        same=f"None of the strengths of L2 and dropout tried lowers the test error beyond the noise (the best, {best}: "
        f"{{b}}).",
    )
    size = "is larger than the training error" if gap > 0 else "is not even larger than the training error"
    return f"On few images the test error, {plain.value:.4g}, {size}, {n['training MSE, neither'].value:.4g}. {told}"


def few_labels(n: Numbers) -> str:
    """5.4: what the usual ways gain over training from scratch."""
    said = []
    for name in ("frozen features", "fine-tuned", "joint"):
        d = points(against(n, "accuracy", name, "from scratch"))
        said.append(
            d.say(
                more=f"{name} gains {{difference}} points",
                less=f"{name} loses {{difference}} points",
                same=f"{name} makes no difference beyond the noise",
            )
        )
    scratch = 100 * n["accuracy, from scratch"].value
    return (
        f"The classifier from scratch is right on {scratch:.1f}% of the test images. Against that, {'; '.join(said)}. "
        f"In these three the images without a label shape the features only; which class lies where is still said by "
        f"the labelled ones alone."
    )


def spreading(n: Numbers) -> str:
    """5.4: labels spread along neighbours."""
    name = "spread, then fine-tuned"
    gave = points(difference(n[SPREAD], n["accuracy, from scratch"]))
    share = f"{gave.a.value:.1f}% of the training images"
    labelled = f"The labels that spread along neighbours among the codes are right for {share}"
    why = (
        "these were better labels than a classifier from scratch gives, but training on them was too short or too "
        "coarse to pass that on"
        if gave.sure and gave.value > 0
        else "where codes of different digits are neighbours, wrong labels spread as well as right ones"
    )
    return points(against(n, "accuracy", name, "from scratch")).say(
        more=f"{labelled}; a classifier fine-tuned on all of them gains {{difference}} points over the one from "
        f"scratch ({{a}}%). Images of a digit hang together in latent space through many small steps, so that one "
        f"label reaches many of them, and the classifier then learns from all images instead of a handful.",
        less=f"{labelled}; a classifier fine-tuned on all of them loses {{difference}} points against the one from "
        f"scratch ({{a}}%): {why}.",
        same=f"{labelled}; a classifier fine-tuned on all of them is no better or worse than the one from scratch "
        f"beyond the noise ({{a}}% against {{b}}%).",
    )


def matched(n: Numbers, names: Sequence[str]) -> str:
    """5.5: whether each noise is best undone by the model trained on it."""
    noisy = [name for name in names if name != "none"]
    own = [name for name in noisy if min(noisy, key=lambda model: n[f"{model} on {name}"].value) == name]
    others = joined([name for name in noisy if name not in own])
    rest = f" The exceptions: {others}." if others else ""
    why = (
        "a model learns what images look like together with what this noise does to them"
        if 4 * len(own) >= 3 * len(noisy)
        else "which noise a model has seen counts, and so does how well it has learnt what images look like"
        if 2 * len(own) > len(noisy)
        else "what each has learnt of the images counts more here than which noise it has seen"
    )
    return (
        f"Noises that are undone best by the model trained on just that noise: {len(own)} of {len(noisy)}. So "
        f"{why}.{rest}"
    )


def no_identity(n: Numbers) -> str:
    """5.5: why a denoiser cannot copy."""
    middle = "gaussian 0.5"
    d = difference(n[f"none on {middle}"], n[f"{middle} on {middle}"])
    return d.say(
        more="On images with Gaussian noise of 0.5, the denoiser errs by {b} and the plain autoencoder by {a}. The "
        "denoiser's target is the clean image, so that copying would cost it the variance of the noise: it has to "
        "learn which part of what it sees can be an image.",
        less="On images with Gaussian noise of 0.5 the denoiser errs more, by {b}, than the plain autoencoder, by "
        "{a}: its target is clean, so that copying is no way out, but in this training it has learnt less of what "
        "digits look like.",
        same="On images with Gaussian noise of 0.5 the denoiser and the plain autoencoder err alike within the noise "
        "({b} and {a}): the narrow code alone already keeps either from copying the noise.",
    )


def level(n: Numbers, names: Sequence[str]) -> str:
    """5.5: how to choose the level, by clean images and by a probe."""
    best = max(names, key=lambda name: n[f"probe, {name}"].value)
    told = points(against(n, "probe", best, "none")).say(
        more=f"The features are best at {best}: the probe gains {{difference}} points over the plain autoencoder.",
        less=f"No level helps the features: at the best, {best}, the probe loses {{difference}} points against the "
        f"plain one.",
        same=f"No level changes the features beyond the noise (the best, {best}: {{a}}% against {{b}}% right).",
    )
    clean = [n[f"{name} on none"].value for name in names]
    rises = all(a < b for a, b in pairwise(clean))
    cost = (
        "The stronger the noise in training, the more is lost on clean images"
        if rises
        else "What is lost on clean images does not simply grow with the noise in training"
    )
    errors = ", ".join(f"{value:.4g}" for value in clean)
    return f"{told} {cost} ({errors}): choose the level of the noise to be undone, or by the probe."
