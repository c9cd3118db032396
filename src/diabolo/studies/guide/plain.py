"""What the study `guide` says of its rows 5.1 to 5.5: each function takes the numbers of a row by name, and gives a sentence
that is true of them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from diabolo.studies.engine.findings import Difference, Measured, between, family, joined, less, signed

Numbers = Mapping[str, Measured]
Answer = tuple[str, str, str, str]  # a technique, when it helps, by how much here, what it costs
MEASURES = ("FID", "KID", "precision", "recall", "score")


def against(n: Numbers, what: str, a: str, b: str) -> Difference:
    """What is measured of a, less that of b."""
    return between(n, f"{what}, {a}", f"{what}, {b}", f"{what}, {less(a, b)}")


def points(d: Difference) -> Difference:
    """Shares as percentage points."""
    a, b = (one.times(100, "percentage points") for one in (d.a, d.b))
    return Difference(a, b, d.paired and d.paired.times(100, a.unit), d.least and 100 * d.least, d.p)


def bent(n: Numbers) -> str:
    """5.1: PCA against the fully connected autoencoder."""
    return against(n, "MSE", "PCA", "fully connected").say(
        more="From the same number of code units, the fully connected autoencoder reconstructs better than PCA: {b} "
        "against {a} squared error per pixel, {difference} less. PCA's reconstructions lie in a flat subspace, the "
        "autoencoder's on a curved surface, which can follow the images.",
        less="PCA reconstructs better than the fully connected autoencoder here: {a} against {b} squared error per "
        "pixel, {difference} less. PCA finds the best linear map exactly. What a network can do beyond it must be learned, "
        "and this training did not get there.",
        neither="The errors of PCA and of the fully connected autoencoder {differ} ({a} and {b} squared error "
        "per pixel).",
    )


def convolutional(n: Numbers) -> str:
    """5.1: convolutions against full layers, in error and in what a probe reads from the code."""
    error = against(n, "MSE", "fully connected", "convolutional").say(
        more="The 4×4 convolutions reconstruct better than full layers ({b} against {a}, {difference} less): each weight is "
        "used at every place, so a stroke learned at one place is known everywhere.",
        less="The 4×4 convolutions reconstruct worse than full layers here ({b} against {a}, by {difference}): sharing "
        "weights over places saves parameters, but digits are centred, so full layers can learn each place by itself.",
        neither="The errors of the 4×4 convolutions and of full layers {differ} ({b} and {a}).",
    )
    to_a_point = against(n, "MSE", "fully connected", "16-32-64 to a point").say(
        more="The network of 16, 32 and 64 channels has a lower error than full layers, too ({b}).",
        less="The network of 16, 32 and 64 channels has a higher error than full layers ({b} against {a}).",
        neither="The errors of the network of 16, 32 and 64 channels and of full layers {differ} ({b} and {a}).",
    )
    if "better" not in error:
        to_a_point = to_a_point.replace(", too", "")
    told = points(against(n, "probe", "convolutional", "fully connected")).say(
        more="A linear probe reads the digit from the codes of the 4×4 convolutions more often than from those of full "
        "layers, by {difference} percentage points.",
        less="A linear probe reads the digit from the codes of the 4×4 convolutions less often than from those of full "
        "layers, by {difference} percentage points.",
        neither="The accuracies of a linear probe on the codes of the 4×4 convolutions and of full layers {differ}.",
    )
    longer = n["seconds, convolutional"].value / max(n["seconds, fully connected"].value, 1e-9)
    return f"{error} {to_a_point} {told} Training the 4×4 convolutions takes {longer:.2g} times as long as full layers."


def skips(n: Numbers) -> str:
    """5.2: what is lost without the code, with skips and without."""
    with_, without = (against(n, "MSE", f"{name}, mean code", name) for name in ("U-Net", "skips cut"))
    rise, alone = (100 * (d.a.value / max(d.b.value, 1e-12) - 1) for d in (with_, without))
    zeroed = [
        _change(n[f"MSE, {name}, code zeroed"].value / max(n[f"MSE, {name}"].value, 1e-12) - 1)
        for name in ("U-Net", "skips cut")
    ]
    around, whole = n["numbers, U-Net"].value - n["numbers, skips cut"].value, n["numbers, image"].value
    better = against(n, "MSE", "skips cut", "U-Net").say(
        more="The skips make the reconstruction better: {b} against {a} squared error per pixel.",
        less="The skips do not make the reconstruction better: {b} against {a} squared error per pixel.",
        neither="With and without skips the errors {differ}.",
    )
    taken = (
        f"When the mean of all codes replaces each image's own, the error of the U-Net changes by {_change(rise / 100)} and "
        f"that of the same network without skips by {_change(alone / 100)}. With the code set to zero, they change by "
        f"{zeroed[0]} and {zeroed[1]}."
    )
    way = f"The skips alone carry {around:,.0f} numbers, {around / whole:.0f} times as many as the image"
    if not without.sure or alone < 10:
        return f"{better} {taken} So in this training the network without skips hardly uses its code."
    d = between(n, "MSE, U-Net, mean code", "MSE, skips cut", "MSE, U-Net without its code less skips cut with it")
    return f"{better} {taken} " + d.say(
        less=f"Without its code the U-Net still has a smaller error ({{a}}) than the network without skips has with its own "
        f"({{b}}). {way}: such a code is no bottleneck.",
        more=f"Without its code the U-Net has a larger error ({{a}}) than the network without skips has with its own ({{b}}): "
        f"this training uses the code as well. Nothing forces it to. {way}.",
        neither=f"Without its code the error of the U-Net {{differs}} from that of the network without skips with "
        f"its own ({{a}} and {{b}}). {way}.",
    )


def _change(share: float) -> str:
    """+821 %, +0.2 %."""
    return signed(share, 0 if abs(share) >= 0.0095 else 1)


def greedy(n: Numbers) -> str:
    """5.3: layer by layer against end to end."""
    return against(n, "MSE", "layer by layer", "end to end").say(
        more="After the same number of epochs in all, layer-wise training has a higher error than end-to-end training ({a} "
        "against {b}, {difference} more). A layer is fitted before the layers above it can say what they need, and the epochs "
        "spent on it are missing at the end.",
        less="After the same number of epochs in all, layer-wise training has a lower error than end-to-end training ({a} "
        "against {b}, {difference} less). Each layer starts from weights with which its input can already be reconstructed. "
        "But each stage also has a learning-rate cycle of its own, and this comparison does not separate the two.",
        neither="After the same number of epochs in all, the errors {differ} (layer by layer {a}, end to end {b}).",
    )


def regularised(n: Numbers, names: Sequence[str]) -> str:
    """5.3: L2 and dropout on few images."""
    plain, fit = n["test MSE, neither"].value, n["training MSE, neither"].value
    best = min(names[1:], key=lambda name: n[f"test MSE, {name}"].value)
    fitted = n[f"training MSE, {best}"].value
    gap, after = plain - fit, n[f"test MSE, {best}"].value - fitted
    several = family({name: against(n, "test MSE", "neither", name) for name in names[1:]})
    narrowed = (
        f"The gap narrows from {gap:.3g} to {after:.3g}, but only because the training error rises to {fitted:.3g}."
        if after < gap and n[f"test MSE, {best}"].value >= plain
        else f"The training error goes to {fitted:.3g}, so the gap goes from {gap:.3g} to {after:.3g}."
    )
    told = several[best].say(
        more=f"Of {len(names) - 1} strengths of L2 and dropout, {best} has the lowest error on these test images: {{b}}, "
        f"{{difference}} less than without. The training error goes from {fit:.3g} to {fitted:.3g}, so the gap "
        f"{'narrows' if after < gap else 'does not narrow'}: from {gap:.3g} to {after:.3g}.",
        less=f"L2 and dropout raise the test error at every strength tried, by at least {{difference}} ({best}): "
        f"they cost more in fit than they save in overfitting.",
        neither=f"Of {len(names) - 1} strengths of L2 and dropout, {best} has the lowest error on these test images. Its error "
        f"({{b}}) {{differs}} from that without either ({{a}}). {narrowed}",
    )
    size = "is larger than the training error" if gap > 0 else "is not larger than the training error"
    return f"On few images the test error ({plain:.3g}) {size} ({fit:.3g}). {told}"


def called(noise: str) -> str:
    """The name of a kind of noise and its level as it is written."""
    return noise.replace("gaussian", "Gaussian")


def rival(n: Numbers, names: Sequence[str], noise: str) -> str:
    """5.5: of the models that were not trained on `noise`, the one that removes it best."""
    return min((name for name in names if name != noise), key=lambda name: n[f"{name} on {noise}"].value)


def matched(n: Numbers, names: Sequence[str]) -> str:
    """5.5: whether each noise is removed best by the model trained on it."""
    noisy = [name for name in names if name != "none"]
    found = family({name: between(n, f"{name} on {name}", f"{rival(n, names, name)} on {name}") for name in noisy})
    best = [name for name, d in found.items() if d.sure and d.value < 0]
    beaten = [name for name, d in found.items() if d.sure and d.value > 0]
    rest = [name for name in noisy if name not in (*best, *beaten)]
    why = (
        "A model learns what images look like together with what this noise does to them."
        if 4 * len(best) >= 3 * len(noisy)
        else "Which noise a model has seen matters, but that alone does not decide."
        if 2 * len(best) > len(noisy)
        else "Which noise a model has seen decides little here."
    )
    by = {name: rival(n, names, name) for name in beaten}
    others = "; ".join(
        f"{called(name)} is removed better by "
        f"{'the plain autoencoder' if who == 'none' else f'the model trained on {called(who)}'}"
        for name, who in by.items()
    )
    ties = (
        f"For {joined([called(name) for name in rest])} that model is not clearly better or worse than the best of the others."
        if rest
        else ""
    )
    said = (
        f"The model trained on a noise removes it best for {len(best)} of {len(noisy)} noises, with one training of each. "
        f"{why}"
    )
    return " ".join(filter(None, [said, f"The exceptions: {others}." if others else "", ties]))


def no_identity(n: Numbers) -> str:
    """5.5: why a denoiser cannot copy."""
    middle = "gaussian 0.5"
    copied = n[f"{middle}, copied"].value
    return between(n, f"none on {middle}", f"{middle} on {middle}").say(
        more=f"On images with Gaussian noise of 0.5, the error of the denoiser is {{b}} and that of the plain autoencoder "
        f"{{a}}. "
        f"Copying the noisy input would leave an error of {copied:.3g}, since the target is the clean image. So the denoiser "
        f"must learn which part of its input belongs to an image.",
        less="On images with Gaussian noise of 0.5 the error of the denoiser, {b}, is larger than that of the plain "
        "autoencoder, {a}. Its target is clean, so copying is the wrong answer, but in this training it has learned less "
        "about what digits look like.",
        neither="On images with Gaussian noise of 0.5 the errors of the denoiser and of the plain autoencoder "
        "{differ} ({b} and "
        "{a}).",
    )


def level(n: Numbers, names: Sequence[str]) -> str:
    """5.5: how to choose the level, by clean images and by a probe."""
    changes = family({name: points(against(n, "probe", name, "none")) for name in names})
    gains = [f"{called(name)} gains {d.size}" for name, d in changes.items() if d.sure and d.value > 0]
    costs = [f"{called(name)} costs {d.size}" for name, d in changes.items() if d.sure and d.value < 0]
    best = max(names, key=lambda name: n[f"probe, {name}"].value)
    said = f"{joined([*gains, *costs])} percentage points"
    reached, plain = changes[best].both
    if gains:
        told = f"By a linear probe for the digit, the features improve over the plain autoencoder's: {said}."
    elif len(costs) == len(names):
        told = f"Every level makes the features worse for a linear probe ({plain} % correct without noise): {said}."
    else:
        close = f"the best, {called(best)}: {reached} % correct against {plain} %"
        told = f"No level improves the features significantly ({close})" + (f"; {said}." if costs else ".")
    clean = [n[f"{name} on none"].value for name in names]
    rises = all(a < b for a, b in pairwise(clean))
    cost = (
        "The stronger the training noise, the larger the error on clean images"
        if rises
        else "The error on clean images does not simply grow with the training noise"
    )
    errors = joined([f"{value:.3g}" for value in clean])
    own = [
        n[f"{name} on {name}"].value < min(n[f"{other} on {name}"].value for other in names if other != name)
        for name in names
    ]
    rule = (
        "Of these levels, each is removed best by the model trained at that level. So train at the level that is to be "
        "removed."
        if all(own)
        else "Of these levels, not each is removed best by the model trained at it. So choose the level on held-out images."
    )
    return f"{told} {cost} ({errors}). {rule}"
