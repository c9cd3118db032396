"""What the study `generative` says of Deliverable 5: many completions of one quarter, against one deterministic answer."""

from collections.abc import Mapping

from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, between, from_nothing

Found = Mapping[str, Measured]
PLAIN, STANDARD, CONDITIONAL, HYBRID = "plain network", "N(0, I)", "conditional prior", "hybrid objective"
SURE = 0.9  # probability from which on the classifier reads an image with confidence
HALF = 0.5  # probability below which it reads nothing: no class is more probable than all others together


def single(f: Found, prior: str) -> str:
    """One completion, and the mean of all, against the plain network."""
    one = between(f, f"error of one: {prior}", f"error of one: {PLAIN}")
    told = one.say(
        more="A single completion has a larger error ({a}, squared error per pixel not given) than the plain network ({b}). "
        "Part of that is unavoidable: the mean of all possible answers has the least expected error, and the plain network is "
        "trained to give it, as a blur where the quarter leaves several digits open. A completion commits to one of them.",
        less="A single completion has a smaller error ({a}, squared error per pixel not given) than the plain network ({b}). "
        "The mean of all possible answers has the least expected error, so the plain network is not fully trained.",
        neither="The error of a single completion ({a}, squared error per pixel not given) {differs} from that of the plain "
        "network ({b}).",
    )
    if not (one.sure and one.value > 0):
        return told
    return told + between(f, f"error of the mean of all: {prior}", f"error of one: {PLAIN}").say(
        more=" Even the average of infinitely many completions would have an error of {a} (the plain network: {b}). That "
        "excess is model misfit, not the price of committing to one answer.",
        less=" The average of infinitely many completions would have an error of {a} (the plain network: {b}), so the excess "
        "of a single one is the price of committing to one answer.",
        neither=" The average of infinitely many completions would have an error of {a}, {different} from the plain network's "
        "({b}), so the excess of a single one is the price of committing to one answer.",
    )


def best(f: Found, prior: str, k: int) -> str:
    """The best of `k` completions against the plain network."""
    drawn = "codes drawn from N(0, I)" if prior == STANDARD else f"the {prior}"
    return between(f, f"error of the best: {prior}", f"error of one: {PLAIN}").say(
        less=f"With {drawn}, the best of {k} completions, chosen knowing the truth, has a smaller error ({{a}}) than the plain "
        "network ({b}): one of the answers is close to the original.",
        more=f"With {drawn}, even the best of {k} completions, chosen knowing the truth, has a larger error ({{a}}) than the "
        "plain network ({b}).",
        neither=f"With {drawn}, the error of the best of {k} completions, chosen knowing the truth ({{a}}), {{differs}} from "
        "that of the plain network ({b}).",
    )


def legible(f: Found) -> str:
    """How many completions the classifier reads with confidence, or at all, by the prior that their codes are drawn from."""
    rate = "read with confidence: {}"
    real, usual, fitted = (
        f[rate.format(what)].times(100, "percentage points") for what in ("real images", STANDARD, CONDITIONAL)
    )

    def nothing(name: str) -> str:
        return percent(1 - f[f"read at all: {name}"].value, 1)

    gained = between(f, rate.format(CONDITIONAL), rate.format(STANDARD))
    told = (
        f"The classifier reads {percent(fitted.value / 100, 1)} of the completions by the conditional prior with confidence (a "
        f"probability of {percent(SURE)} or more), {percent(usual.value / 100, 1)} of those by N(0, I), and "
        f"{percent(real.value / 100, 1)} of the real images. In {nothing(CONDITIONAL)}, {nothing(STANDARD)} and, for the plain "
        f"network, {nothing(PLAIN)} it reads no digit at all (none reaches {percent(HALF)})."
    )
    return f"{told} " + gained.say(
        more="N(0, I) draws codes that no image with this quarter has, and the decoder was never trained on them; the "
        "conditional prior draws fewer.",
        less="So the conditional prior does not make the completions more legible.",
        neither="The two priors {differ} here.",
    )


def nats(f: Found) -> str:
    """The paired difference of cross entropies, plain network − conditional VAE."""
    return from_nothing(f["nats gained by the code"]).say(
        more="Given the quarter, the conditional VAE needs {difference} nats per image less than the plain network: the code "
        "decides together the pixels that depend on each other, such as those of a loop, while the plain network treats each "
        "pixel as independent.",
        less="Given the quarter, the conditional VAE needs {difference} nats per image more than the plain network: training "
        "or the estimate, which is on average too large, lose more than the code saves.",
        neither="Given the quarter, the nats per image of the conditional VAE and of the plain network {differ} "
        "({difference}).",
    )


def hybrid(f: Found) -> str:
    """What the hybrid objective changes."""
    one = between(f, f"error of one: {HYBRID}", f"error of one: {CONDITIONAL}")
    best = between(f, f"error of the best: {HYBRID}", f"error of the best: {CONDITIONAL}")
    first = one.say(
        less="The hybrid objective lowers the error of a single completion from {b} to {a}.",
        more="The hybrid objective raises the error of a single completion from {b} to {a}.",
        neither="With the hybrid objective the error of a single completion ({a}) {differs} from that without it ({b}).",
    )
    second = best.say(
        less=" The error of the best falls from {b} to {a}.",
        more=" The error of the best rises from {b} to {a}.",
        neither=" The error of the best ({a}) {differs} from that without it ({b}).",
    )
    narrower = (
        f[f"variance between completions: {HYBRID}"].value / f[f"variance between completions: {CONDITIONAL}"].value
    )
    why = (
        " It also trains what is drawn without seeing the image and penalises every draw far from the truth, so completions "
        f"move towards their mean: their variance is {percent(narrower)} of that without it."
        if narrower < 1
        else ""
    )
    return f"{first}{second}{why}"
