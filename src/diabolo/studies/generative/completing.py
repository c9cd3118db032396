"""What the study `generative` says of Deliverable 5: many completions of one quarter, against one deterministic answer."""

from collections.abc import Mapping, Sequence

from diabolo.display import words as written
from diabolo.plain import percent
from diabolo.studies.engine.findings import Difference, Measured, between, difference, from_nothing, signed

Found = Mapping[str, Measured]
PLAIN, STANDARD, CONDITIONAL, HYBRID = "plain network", "N(0, I)", "conditional prior", "hybrid objective"
SURE = 0.9  # probability from which on the classifier reads an image with confidence
COLLAPSED = 0.1  # share of the variance between completions below which they are called near-copies
HALF = 0.5  # probability below which it reads nothing: no class is more probable than all others together


def single(f: Found, prior: str) -> str:
    """One completion, and the mean of all, against the plain network."""
    named, plain = f"error of one: {prior}", f"error of one: {PLAIN}"
    one, of_all = between(f, named, plain), f"error of the mean of all: {prior}"
    told = one.say(
        more="A single completion has a larger error ({a}, squared error per pixel not given) than the plain network ({b}).",
        less="A single completion has a smaller error ({a}, squared error per pixel not given) than the plain network ({b}). "
        "The mean of all possible answers has the least expected error, so the plain network is not fully trained.",
        neither="The error of a single completion ({a}, squared error per pixel not given) {differs} from that of the plain "
        "network ({b}).",
    )
    if not (one.sure and one.value > 0):
        return told
    spread = (f[named].value - f[of_all].value) / one.value
    return (
        f"{told} Of that difference {percent(min(spread, 1))} is spread: a completion commits to one answer, while the plain "
        "network is trained to give their mean, which has the least expected error and looks blurred where the quarter leaves "
        "several digits open."
    ) + between(f, of_all, plain).say(
        more=f" The other {percent(1 - spread)} is model misfit: even the average of infinitely many completions would have an "
        "error of {a}.",
        less=" The average of infinitely many completions would have an even smaller error ({a}) than the plain network.",
        neither=" The average of infinitely many completions would have an error of {a}, {different} from the plain network's.",
    )


def best(f: Found, priors: Sequence[str], k: int) -> str:
    """The best of `k` completions against the plain network, for each prior."""

    def told(prior: str) -> str:
        name = f"error of the best: {prior}"
        one = between(f, name, f"error of one: {PLAIN}", f"best of {k}, {prior}, less the plain network")
        beats = percent(f[f"images whose best of {k} has a smaller error than the plain network: {prior}"].value)
        change = signed(one.value / one.b.value)
        by = "codes drawn from N(0, I)" if prior == STANDARD else f"the {prior}"
        return one.say(
            less=f"{by}: {{a}}, lower by {{difference}} ({change}), and lower for {beats} of the images",
            more=f"{by}: {{a}}, higher by {{difference}} ({change}), and lower for {beats} of the images",
            neither=f"{by}: {{a}}, which {{differs}} from it, and is lower for {beats} of the images",
        )

    listed = "; ".join(map(told, priors))
    return (
        f"The plain network has an error of {written(f[f'error of one: {PLAIN}'].value)}. The best of {k} completions, "
        f"selected by comparison with the original, has these mean errors. {listed[:1].upper()}{listed[1:]}. Such a selection "
        "favours any spread of the answers."
    )


def legible(f: Found) -> str:
    """How many completions the classifier reads with confidence, or at all, by the prior that their codes are drawn from."""
    rate = "read with confidence: {}"
    real, usual, fitted, plain = (
        percent(f[rate.format(what)].value, 1) for what in ("real images", STANDARD, CONDITIONAL, PLAIN)
    )

    def nothing(name: str) -> str:
        return percent(1 - f[f"read at all: {name}"].value, 1)

    def against(a: str, b: str) -> Difference:
        return difference(*(f[rate.format(name)].times(100, "percentage points") for name in (a, b)))

    told = (
        f"The classifier reads {fitted} of the completions by the conditional prior with confidence (a probability of "
        f"{percent(SURE)} or more), {usual} of those by N(0, I), {plain} of the plain network's answers, and {real} of the "
        f"real images. In {nothing(CONDITIONAL)}, {nothing(STANDARD)} and, for the plain network, {nothing(PLAIN)} it reads no "
        f"digit at all (none reaches {percent(HALF)})."
    )
    priors = against(CONDITIONAL, STANDARD).say(
        more=" Of the two priors the conditional one is better by {difference} percentage points. N(0, I) draws codes that no "
        "image with this quarter has, and the decoder was never trained on them; some of these completions look like white "
        "speckle. The conditional prior draws fewer.",
        less=" So the conditional prior does not make the completions more legible.",
        neither=" The two priors {differ} here.",
    )
    return f"{told}{priors}" + against(PLAIN, CONDITIONAL).say(
        more=" The plain network's answers are read with confidence more often than the conditional prior's, by {difference} "
        "percentage points: blurred as they are, most show one digit, while some completions look half-formed.",
        less=" The conditional prior's completions are read with confidence more often than the plain network's answers, by "
        "{difference} percentage points: a blur of several digits is hard to read.",
        neither=" The conditional prior and the plain network {differ} here.",
    )


def nats(f: Found) -> str:
    """The paired difference of cross entropies, plain network − conditional VAE."""
    return from_nothing(f["nats gained by the code"]).say(
        more="Given the quarter, the conditional VAE needs {difference} nats per image less than the plain network: the code "
        "decides together the pixels that depend on each other, such as those of a loop, while the plain network treats each "
        "pixel as independent.",
        less="Given the quarter, the conditional VAE needs {difference} nats per image more than the plain network: training "
        "or the estimate lose more than the code saves.",
        neither="Given the quarter, the nats per image of the conditional VAE and of the plain network {differ} "
        "({difference}).",
    ) + (
        " This is of one training each, over all pixels, the given quarter among them. The estimate by importance sampling is "
        "on average too large, so the true gain is at least as large."
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
    if narrower >= 1:
        return f"{first}{second}"
    why = (
        " It also trains what is drawn without seeing the image and penalises every draw far from the truth, so completions "
        f"move towards their mean: their variance is {percent(narrower)} of that without it."
    )
    if narrower >= COLLAPSED:
        return f"{first}{second}{why}"
    mean = between(f, f"error of the mean of all: {HYBRID}", f"error of one: {PLAIN}")
    return (
        f"{first}{second}{why} The distribution of answers has nearly collapsed: the completions look alike. "
        + mean.say(
            less="The error of their mean ({a}) is smaller than that of the plain network ({b}).",
            more="The error of their mean ({a}) is larger than that of the plain network ({b}).",
            neither="The error of their mean ({a}) {differs} from that of the plain network ({b}), so they are near-copies of "
            "its answer.",
        )
    )
