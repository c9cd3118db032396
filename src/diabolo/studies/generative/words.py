"""What the study `generative` says of Deliverables 2 to 4, from what it measured. `f` are the numbers of a row by name."""

from collections.abc import Mapping
from typing import Any

from diabolo.display import words as written
from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, difference

Found = Mapping[str, Measured]
ROOM = 0.25  # by how much the error of a bottleneck that is enough may exceed the best
VARIES = 1.5  # ratio of two variances per pixel from which on something is made of it
LEGIBLE = 0.5  # share of draws read as the right class from which on it is said to stay


def spanned(number: Mapping[str, Any], share: bool = False) -> str:
    """A number of a row with its interval, for a cell: "97.9 % (97.5 … 98.3)", or "0.0353 (0.0350 … 0.0356)"."""
    low, high = number.get("low"), number.get("high")
    if share:
        ends = "" if low is None or high is None else f" ({100 * low:.1f} … {100 * high:.1f})"
        return f"{percent(number['value'], 1)}{ends}"
    ends = "" if low is None or high is None else f" ({written(low)} … {written(high)})"
    return f"{written(number['value'])}{ends}"


def denoised(f: Found) -> str:
    """The denoiser against its input."""
    before, after = f["error of the noisy images"], f["test error"]
    if after.value < before.value:
        return (
            f"The noisy images have an error of {before.value:.4f} (squared error per pixel, against the clean ones), the "
            f"denoised images {after.value:.4f}: the error falls by a factor of {before.value / after.value:.1f}. Copying the "
            "input would leave the noise where it is. The target is the clean image and the noise cannot be predicted, so the "
            "best answer is the mean of all clean images that could look like the noisy one. That has to be learned from the "
            "images."
        )
    return (
        f"The noisy images have an error of {before.value:.4f} (squared error per pixel, against the clean ones), the denoised "
        f"images {after.value:.4f}, which is no less: the network was trained too little to make up for what its bottleneck "
        "loses."
    )


def bottleneck(errors: Mapping[int, float], room: float) -> tuple[int, str]:
    """The smallest bottleneck, of sizes in numbers → test error, whose error is within `room` of the best; and a sentence."""
    best = min(errors.values())
    enough = min(n for n, error in errors.items() if error <= (1 + room) * best)
    least, most = min(errors), max(errors)
    cheapest = min(n for n, error in errors.items() if error == best)
    rule = (
        f"The smallest bottleneck whose test error is within {percent(room)} of the best has {enough} number"
        f"{'s' * (enough > 1)}"
    )
    if enough == least:
        return enough, f"{rule}, the smallest that was tried. A larger one gains less than that."
    costs = errors[least] / best
    carries = "A bottleneck must carry where each stroke goes, since the decoder sees nothing else"
    if enough == most:
        return (
            enough,
            f"{rule}, the largest that was tried. With {least} the error is {costs:.1f} times the best. {carries}.",
        )
    return enough, (
        f"{rule}. With {least} the error is {costs:.1f} times the best; going from {enough} to "
        f"{cheapest} gains another {percent(1 - best / errors[enough])}. {carries}; it need not carry the noise."
    )


def where_draws_vary(f: Found) -> str:
    """Where the pixels vary between draws: beside the strokes or not, and within the ink at its rim or inside."""
    near, pixels = f["variance on and beside strokes"].value, f["pixels on and beside strokes"].value
    on = (
        f"{percent(near)} of the variance between draws lies on strokes and one pixel beside them ({percent(pixels)} of the "
        "pixels)"
    )
    if near <= 1.5 * pixels:
        return f"{on}, so the whole image varies."
    if f["pixels inside strokes"].value == 0:
        return f"{on}, so strokes vary and the background stays. They are too thin to compare their rims with their insides."
    rim, inside = (
        f[f"variance {w} strokes"].value / f[f"pixels {w} strokes"].value for w in ("at the rim of", "inside")
    )
    ratio = rim / max(inside, 1e-12)
    if ratio > VARIES:
        return f"{on}. Within the ink, a pixel at the rim varies {ratio:.1f} times as much as one inside: outlines vary most."
    return f"{on}. Within the ink, a pixel at the rim varies {ratio:.1f} times as much as one inside: strokes vary as a whole."


def encoded_again(f: Found) -> str:
    """What varies between draws from the posterior of one image."""
    once, far = (f[f"draws read as the right class, variance × {s}"] for s in (1, 20))
    small, large = (f[f"spread between draws, variance × {s}"].value for s in (1, 20))
    mean = f["reconstructions from the mean read as the right class"].value
    seen = (
        f"{where_draws_vary(f)} At twenty times the variance the standard deviation per pixel is {large / small:.1f} times as "
        "large (in a linear decoder: √20 = 4.5 times)."
    )
    shares = (
        f"{percent(once.value)} of the draws are read as the right class (reconstructions from μ: {percent(mean)}), and "
        f"{percent(far.value)} at twenty times the variance"
    )
    draws = difference(once.times(100, "percentage points"), far.times(100, "percentage points"))
    if once.value < LEGIBLE:
        return f"{seen} " + draws.say(
            more=f"Even at the variance of the posterior the class is often lost: {shares}.",
            less=f"The draws rarely keep the class: {shares}.",
            neither=f"The draws rarely keep the class, whatever the variance: {shares}, {{different}}.",
        )
    return f"{seen} " + draws.say(
        more=f"The class usually stays at the variance of the posterior and is lost more often at a larger one: {shares}. "
        "Strokes break, and some digits turn into others. Such draws probably leave the codes that were decoded as this image "
        "in training, and reach those of other images.",
        less=f"The class is lost no more often at a larger variance: {shares}.",
        neither=f"A larger variance is not shown to lose the class more often: {shares}, {{different}}.",
    )


def asked(f: Found) -> str:
    """Samples read as the digit asked for: one-hot labels against embedded ones."""
    one, other = (f[f"read as asked: {name}"] for name in ("one-hot", "embedded"))
    real = percent(f["real test images read right"].value, 1)
    both = f"{percent(one.value, 1)} and {percent(other.value, 1)}"
    told = (
        f"With one-hot and embedded labels the classifier reads {both} of the samples as the digit asked for, and {real} of "
        "the real test images as their own."
    )
    shares = difference(one.times(100, "percentage points"), other.times(100, "percentage points")).say(
        more="One-hot labels are better by {difference} percentage points.",
        less="Embedded labels are better by {difference} percentage points. An embedding adds a learned vector for each class, "
        "whose scale can grow; whether that is the cause is not tested here.",
        neither="The two {differ}. An embedding is meant for many classes; here there are ten.",
    )
    losses = difference(*(f[f"test loss: {name}"] for name in ("one-hot", "embedded"))).say(
        more="The test loss is higher with one-hot labels ({a}) than with embedded ones ({b}, nats per image).",
        less="The test loss is lower with one-hot labels ({a}) than with embedded ones ({b}, nats per image).",
        neither="The test losses ({a} and {b} nats per image) {differ}.",
    )
    return f"{told} {shares} {losses}"


def relabelled(f: Found) -> str:
    """Codes of real images decoded under another label."""
    new, old = (f[f"read as the {which} label: one-hot"] for which in ("new", "old"))
    told = (
        f"Of the images that are encoded under their own label and decoded under another, {percent(new.value, 1)} are read as "
        f"the new label and {percent(old.value, 1)} as the old one: "
    )
    by = (
        "the condition, not the code, decides the class"
        if new.value > 0.5
        else "the condition says more about the class than the code does"
    )
    return difference(new.times(100, "percentage points"), old.times(100, "percentage points")).say(
        more=f"{told}{by}. The KL term favours that: every nat in the code costs loss, and the label is free.",
        less=f"{told}here the code says more about the class than the condition does.",
        neither=f"{told}these shares {{differ}}, so neither condition nor code is shown to decide alone.",
    )
