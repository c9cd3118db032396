"""What the study of faces says: each sentence is chosen by numbers, and true for the numbers that choose it."""

import math
from collections.abc import Mapping

from diabolo.display import words
from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, between, difference, family, from_nothing, joined, less

EVERYTHING, WIDE, HIGH = 162_770, 178, 218  # CelebA's own training part, its pixels (Liu et al. 2015, arXiv 1411.7766)
CLOSE = 0.02  # of a ratio of errors: a λ that is nearer to the limit is in or out by a hair


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
    """The last epoch of the three autoencoders: "training error, NAME", "validation error, NAME" and "gap, NAME" in %."""
    names = ("undercomplete", "sparse", "denoising")
    gaps = {name: found[f"gap, {name}"].value for name in names}
    lowest = [min(names, key=lambda name: found[f"{part} error, {name}"].value) for part in ("training", "validation")]
    same = (
        f"The {lowest[0]} model has the lowest training error, and the {lowest[1]} model the lowest validation error."
    )
    if lowest[0] == lowest[1]:
        same = f"The {lowest[0]} model has the lowest error, on training and on validation images."
    told = joined([f"{gap:+.1f} % ({name})".replace("-", "−") for name, gap in gaps.items()])
    narrower = [name for name in names[1:] if gaps[name] < gaps["undercomplete"] - 0.5]
    then = {
        0: "neither the penalty nor the noise narrows that gap",
        1: f"only {'the penalty' if narrower[:1] == ['sparse'] else 'the noise'} narrows that gap",
        2: "the penalty and the noise both narrow that gap",
    }[len(narrower)]
    return f"{same} From training to validation the errors change by {told}: {then}."


def choice(errors: Mapping[float, float], reference: float, factor: float) -> str:
    """The rule for λ, what it chose, and for which other factors it would have chosen the same."""
    chosen = largest_within(errors, reference, factor)
    ratios = {weight: error / reference for weight, error in sorted(errors.items())}
    told = joined([f"{ratio:.2f} at λ = {words(weight)}" for weight, ratio in ratios.items()])
    rule = f"Training errors relative to the undercomplete model are {told}."
    if chosen is None:
        return f"{rule} None stays within a factor of {factor:g}, so the smallest λ, {words(min(errors))}, is used."
    above = [ratio for weight, ratio in ratios.items() if weight > chosen]
    least = max(1.0, ratios[chosen])
    upto = f"up to {min(above):.2f}" if above else "upwards"
    told = f"{rule} The largest λ that stays within a factor of {factor:g} is {words(chosen)}."
    margin = min(factor - ratios[chosen], min(above, default=math.inf) - factor)
    close = " The choice is a close one." if margin < CLOSE else ""
    return f"{told} Any factor from {least:.2f} {upto} leads to the same λ.{close}"


def sparse(
    l1: Measured, plain_l1: Measured, more_hoyer: Measured, plain_hoyer: float, weight: float, units: int
) -> str:
    """What the penalty did to the codes of so many units; `more_hoyer` is the paired difference of Hoyer's measure, sparse less
    plain, and `plain_hoyer` that of the plain ones."""
    most = math.sqrt(units)  # (√n − L1/L2) / (√n − 1) is Hoyer's measure
    before, after = (most - hoyer * (most - 1) for hoyer in (plain_hoyer, plain_hoyer + more_hoyer.value))
    fall = plain_l1.value / max(l1.value, 1e-12)
    scale = fall * after / max(before, 1e-12)  # of the L2 norms
    mostly = (
        f" Most of the drop is a uniform {scale:.2g}-fold shrinkage of the codes, which the decoder undoes with larger weights."
        if scale > math.sqrt(fall) > 1
        else ""
    )
    size = difference(l1, plain_l1).say(
        less=f"At λ = {words(weight)} the L1 norm of a code is {{a}}, against {{b}} without the penalty",
        more=f"At λ = {words(weight)} the L1 norm of a code is {{a}}, above the {{b}} without the penalty, which is too "
        "weak to reduce it",
        neither=f"At λ = {words(weight)} the L1 norm of a code is {{a}}, {{different}} from {{b}} without the penalty",
    )
    return size + from_nothing(more_hoyer).say(
        more=f"; and fewer units carry it, whatever the scale: Hoyer's measure is higher by {{difference}}.{mostly}",
        less="; but no fewer units carry it: Hoyer's measure, which does not depend on scale, is lower by {difference}. An L1 "
        "norm can be lowered by smaller numbers alone, which a decoder undoes with larger weights.",
        neither="; but the share of units that carry it, by Hoyer's measure, {differs}. An L1 norm can be "
        "lowered by smaller numbers alone, which a decoder undoes with larger weights.",
    )


def denoised(identity: Measured, model: Measured) -> str:
    """Errors on noisy test images: of passing them on as they are, and of the denoising model."""
    return difference(model, identity).say(
        less="Passing a noisy image on as it is would leave an error of {b} per pixel; the model leaves {a}. So training does "
        "not reward the identity: the target differs from what the encoder sees, and the noise is new each time.",
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


def eye(resolutions: Mapping[str, float], found: Mapping[str, Measured], finest: int) -> str:
    """How reconstructions differ: `resolutions` of the undercomplete and other models in cycles per image, of which there are
    `finest`; each "MSE, NAME", and the paired differences "MSE, NAME less undercomplete"."""
    told = joined([f"{cycles:.0f} ({name})" for name, cycles in resolutions.items()])
    head = f"At least half of the power of the images is kept at every frequency up to {told} cycles per image"
    if len(set(resolutions.values())) == 1:
        head = (
            f"All keep at least half of the images' power up to {next(iter(resolutions.values())):.0f} cycles per image"
        )
    if not max(resolutions.values()):
        head = "At every frequency all of them lose half of the power of the images or more"
    blur = (
        ". Finer detail, thin lines and sharp edges, is mostly lost. Squared error is smallest at the mean of all faces "
        "that a code may stand for, and a mean of sharp images is blurred."
        if 0 < max(resolutions.values()) < finest
        else "."
    )
    plain, *others = resolutions
    mse = {name: f"MSE, {name}" for name in resolutions}
    several = family({name: between(found, mse[name], mse[plain], less(mse[name], plain)) for name in others})
    each = [
        one.say(
            more=f"the {name} model's is larger by {{difference}}",
            less=f"the {name} model's is smaller by {{difference}}",
            neither=f"the {name} model's {{differs}}",
        )
        for name, one in several.items()
    ]
    error = f"On clean test images the {plain} model's error is {found[mse[plain]].value:.3g} per pixel"
    return f"{head}{blur} {error}; {joined(each)}."


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
        f"An epoch of {n:,} images takes {seconds:.3g} s here, and their pixels {mib:,.0f} MiB; all {EVERYTHING:,} "
        f"training images of CelebA would take {EVERYTHING / n:.1f} times both. At its full {WIDE}×{HIGH} pixels an image "
        f"is {WIDE * HIGH / 64**2:.1f} times as large, and the same layers need {more:.1f} times the operations. Subset "
        f"and resize together: {EVERYTHING / n * more:,.0f} times fewer operations an epoch, and "
        f"{EVERYTHING / n * WIDE * HIGH / 64**2:,.0f} times less memory for the pixels."
    )
