"""What the study of faces says: each sentence is chosen by numbers, and true for the numbers that choose it."""

import math
from collections.abc import Mapping, Sequence

from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, between, difference, family, from_nothing, joined, less

EVERYTHING, WIDE, HIGH = 162_770, 178, 218  # CelebA's own training part, its pixels (Liu et al. 2015, arXiv 1411.7766)
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
INPUTS = {"undercomplete": "clean", "sparse": "clean", "denoising": "noisy"}
LEAP = 2.0  # times the error of the epoch before
CLOSE = 0.02  # of a ratio of errors: a λ that is nearer to the limit is in or out by a hair


def power(weight: float) -> str:
    """A weight as a multiple of a power of ten: 3·10⁻⁵."""
    digit, exponent = f"{weight:.0e}".split("e")
    whole = f"10{str(int(exponent)).translate(RAISED)}"
    return whole if digit == "1" else f"{digit}·{whole}"


def largest_within(errors: Mapping[float, float], reference: float, factor: float) -> float | None:
    """The largest λ of `errors` (λ → error) whose error is at most `factor` times the `reference`; None when there is none."""
    return max((weight for weight, error in errors.items() if error <= factor * reference), default=None)


def fitted(train: float, test: float) -> str:
    """Errors of the last epoch, in squared error per pixel."""
    told = f"In the last epoch the error is {train:.4f} per pixel on training images and {test:.4f} on test images"
    if test > 1.05 * train:
        return f"{told}, {percent(test / train - 1)} more: the model fits the training images somewhat better than new ones."
    return f"{told}: what the model has learned holds for new images too."


def losses(found: Mapping[str, Measured]) -> str:
    """The last epoch of the three autoencoders: "training error, NAME", "validation error, NAME" and "gap, NAME" in %; that of
    the denoising model is from noisy images, and is not compared with those from clean ones."""
    clean = ("undercomplete", "sparse")
    gaps = {name: found[f"gap, {name}"].value for name in (*clean, "denoising")}
    lowest = [min(clean, key=lambda name: found[f"{part} error, {name}"].value) for part in ("training", "validation")]
    same = f"From clean images, training and validation errors are lowest for the {lowest[0]} and the {lowest[1]} model"
    if lowest[0] == lowest[1]:
        same = f"From clean images the {lowest[0]} model has the lower error"
    told = joined([f"{abs(gap):.1f} % {'higher' if gap >= 0 else 'lower'} ({name})" for name, gap in gaps.items()])
    narrower = [name for name in ("sparse", "denoising") if gaps[name] < gaps["undercomplete"] - 0.5]
    then = {
        0: "neither the penalty nor the noise narrows that gap",
        1: f"only {'the penalty' if narrower[:1] == ['sparse'] else 'the noise'} narrows that gap",
        2: "the penalty and the noise both narrow that gap",
    }[len(narrower)]
    return (
        f"{same}; the denoising model's is from noisy ones. Validation errors, on the test images, are {told} than training "
        f"errors: {then}."
    )


def leap(curves: Mapping[str, Sequence[float]]) -> str:
    """Which test errors leap in one epoch to `LEAP` times the last or more, and what they end at; nothing where none does."""
    found = []
    for name, curve in curves.items():
        epoch = max(range(1, len(curve)), key=lambda i: curve[i] / curve[i - 1], default=0)
        if epoch and curve[epoch] >= LEAP * curve[epoch - 1]:
            found.append(f"to {curve[epoch]:.3f} in epoch {epoch + 1} ({name}; {curve[-1]:.4f} at the end)")
    return f"The test error leaps {joined(found)}." if found else ""


def ratios(errors: Mapping[float, float], reference: float) -> str:
    """The training errors over that of the undercomplete model, by λ."""
    told = joined([f"{error / reference:.2f} at λ = {power(weight)}" for weight, error in sorted(errors.items())])
    return f"Training errors relative to the undercomplete model are {told}."


def choice(errors: Mapping[float, float], reference: float, factor: float) -> str:
    """What the rule for λ chose, and for which other factors it would have chosen the same."""
    chosen = largest_within(errors, reference, factor)
    if chosen is None:
        return (
            f"No λ keeps the training error within a factor of {factor:g} of the undercomplete model's, so the smallest λ, "
            f"{power(min(errors))}, is used."
        )
    ratio = {weight: error / reference for weight, error in errors.items()}
    above = [one for weight, one in ratio.items() if weight > chosen]
    least = max(1.0, ratio[chosen])
    span = f"between {least:.2f} and {min(above):.2f}" if above else f"from {least:.2f} upwards"
    margin = min(factor - ratio[chosen], min(above, default=math.inf) - factor)
    close = " The choice is a close one." if margin < CLOSE else ""
    return (
        f"The largest λ whose training error stays within a factor of {factor:g} of the undercomplete model's is "
        f"{power(chosen)}; any tolerance {span} leads to it.{close}"
    )


def sparse(found: Mapping[str, Measured], weight: float, units: int) -> str:
    """What the penalty did to codes of so many units: "L1, sparse" and "L1, no penalty", "Hoyer, no penalty" and its paired
    difference "Hoyer, sparse less undercomplete", and how many units are "near 0, …" in a code."""
    l1, plain_l1, more_hoyer = (
        found[name] for name in ("L1, sparse", "L1, no penalty", "Hoyer, sparse less undercomplete")
    )
    plain_hoyer = found["Hoyer, no penalty"].value
    most = math.sqrt(units)  # (√n − L1/L2) / (√n − 1) is Hoyer's measure
    before, after = (most - hoyer * (most - 1) for hoyer in (plain_hoyer, plain_hoyer + more_hoyer.value))
    fall = plain_l1.value / max(l1.value, 1e-12)
    scale = fall * after / max(before, 1e-12)  # of the L2 norms
    mostly = (
        f" Most of the drop is a uniform {scale:.2g}-fold shrinkage of the codes, which the decoder undoes with larger "
        "weights: "
        "so scale evades the penalty."
        if scale > math.sqrt(fall) > 1
        else ""
    )
    size = difference(l1, plain_l1).say(
        less=f"At λ = {power(weight)} the L1 norm of a code is {{a}}, against {{b}} without the penalty",
        more=f"At λ = {power(weight)} the L1 norm of a code is {{a}}, above the {{b}} without the penalty, which is too "
        "weak to reduce it",
        neither=f"At λ = {power(weight)} the L1 norm of a code is {{a}}, {{different}} from {{b}} without the penalty",
    )
    return size + from_nothing(more_hoyer).say(
        more=f"; and the units are less alike in size: Hoyer's measure is higher by {{difference}}.{mostly}",
        less="; but the units are no less alike in size: Hoyer's measure, which does not depend on scale, is lower by "
        "{difference}. An L1 norm can be lowered by smaller numbers alone, which a decoder undoes with larger weights.",
        neither="; but how alike the units are in size, by Hoyer's measure, {differs}. An L1 norm can be "
        "lowered by smaller numbers alone, which a decoder undoes with larger weights.",
    )


def near_zero(found: Mapping[str, Measured], units: int) -> str:
    """Whether units leave the code: how many are small beside the largest of it, "near 0, …"."""
    near = [found[f"near 0, {which}"].value for which in ("sparse", "no penalty")]
    return f"Of the {units} units of a code {near[0]:.1f} are below 1 % of the largest; without the penalty, {near[1]:.1f}."


def denoised(identity: Measured, model: Measured) -> str:
    """Errors on noisy test images: of passing them on as they are, and of the denoising model."""
    return difference(model, identity).say(
        less="Passing a noisy image on as it is would leave an error of {b} per pixel; the model leaves {a}. So training does "
        "not reward the identity: the target differs from what the encoder sees.",
        more="Passing a noisy image on as it is would leave an error of {b} per pixel, less than the model's {a}. So the "
        "identity would be the better answer here; the narrow code and the short training keep the model from it, not the "
        "noise.",
        neither="Passing a noisy image on as it is would leave an error of {b} per pixel, {different} from the model's {a}. So "
        "this does not show that the identity is the worse answer.",
    )


def against_plain(found: Mapping[str, Measured]) -> str:
    """Errors on noisy test images, "denoising" and "undercomplete", and their paired difference."""
    return between(found, "denoising", "undercomplete").say(
        less="On the same noisy images the undercomplete model, which never saw noise, has the larger error, by {difference}.",
        more="On the same noisy images the undercomplete model has the smaller error, by {difference}, although it never saw "
        "noise: its narrow code alone removes more of the noise than the denoising model has learned to.",
        neither="On the same noisy images the errors of the denoising model and of the undercomplete one, which never saw "
        "noise, {differ} ({a} and {b}).",
    )


def eye(names: Sequence[str], found: Mapping[str, Measured]) -> str:
    """How reconstructions of the undercomplete and other models differ: each "MSE, NAME", and the paired differences "MSE, NAME
    less undercomplete"."""
    plain, *others = names
    mse = {name: f"MSE, {name}" for name in names}
    several = family({name: between(found, mse[name], mse[plain], less(mse[name], plain)) for name in others})
    each = [
        one.say(
            more=f"the {name} model's is larger by {{difference}}",
            less=f"the {name} model's is smaller by {{difference}}",
            neither=f"the {name} model's {{differs}} ({{a}})",
        )
        for name, one in several.items()
    ]
    return (
        f"On clean test images the {plain} model's error is {found[mse[plain]].value:.3g} per pixel; {joined(each)}. "
        "Squared error "
        "is smallest at the mean of all faces that a code may stand for, and a mean of sharp images is blurred."
    )


def principal(found: Mapping[str, Measured], size: int) -> str:
    """Errors on clean test images "MSE, undercomplete" and "MSE, PCA-…", with their paired difference."""
    name = f"PCA-{size}"
    return between(found, "MSE, undercomplete", f"MSE, {name}").say(
        more=f"With as many numbers {name} has a lower error ({{b}} against {{a}}): the network is not yet better than a "
        "linear "
        f"code, and may be undertrained.",
        less=f"With as many numbers {name} has a higher error ({{b}} against {{a}}): the layers between gain something over a "
        "linear code.",
        neither=f"The errors of the undercomplete model ({{a}}) and of {name}, a linear code of as many numbers ({{b}}), "
        "{differ}.",
    )


def falling(share: float) -> str:
    """By what share the network's training error fell in its last epoch."""
    told = f"{percent(abs(share), 1)}".replace("-", "−")
    return f"In the last epoch the undercomplete model's training error {'fell' if share > 0 else 'rose'} by {told}."


def variational(found: Mapping[str, Measured], active: float, units: int) -> str:
    """Test errors "MSE, VAE" and "MSE, undercomplete", with their paired difference."""
    return between(found, "MSE, VAE", "MSE, undercomplete", "MSE, VAE less undercomplete").say(
        more="The VAE's error per pixel is larger by {difference}. Whatever its code holds costs KL nats, so detail "
        f"that would save less error than it costs is left out; {active:.0f} of {units} units are active.",
        less="The VAE's error per pixel is smaller by {difference}: the noise on its code and the KL term do no harm to "
        "the reconstructions here.",
        neither="The VAE's error per pixel {differs} from that of the undercomplete model: a cost of the "
        "noise on its code and of the KL term is not shown here.",
    )


def bought(n: int, found: Mapping[str, Measured]) -> str:
    """What the subset of `n` images and the resize spare, by the numbers of the row on the undercomplete model."""
    seconds, mib = found["an epoch"].value, found["pixels"].value
    more = found["operations, full size"].value / found["operations"].value
    return (
        f"An epoch of {n:,} images takes {seconds:.3g} s here (median), and their pixels {mib:,.0f} MiB; all {EVERYTHING:,} "
        f"training images of CelebA would take {EVERYTHING / n:.1f} times both. At its full {WIDE}×{HIGH} pixels an image "
        f"is {WIDE * HIGH / 64**2:.1f} times as large, and the same layers need {more:.1f} times the operations. Subset "
        f"and resize together: {EVERYTHING / n * more:,.0f} times fewer operations an epoch, and "
        f"{EVERYTHING / n * WIDE * HIGH / 64**2:,.0f} times less memory for the pixels."
    )
