"""What the study `pca` says of the length of the code: what one more number is worth, and rules for how many to keep."""

from collections.abc import Sequence

from diabolo.plain import percent
from diabolo.statistics import least_difference
from diabolo.studies.engine.findings import Difference, joined, less
from diabolo.studies.pca.trainings import Found, compared

PARTS = ("training", "test")
SHARES = (0.8, 0.9, 0.95)  # of the variance
KINDS = {"PCA": "PCA", "autoencoder": "the autoencoder"}


def error(kind: str, size: int) -> str:
    """What the test error of that kind of code with so many numbers is called."""
    return f"{kind}'s error with {size} numbers"


def latent(f: Found, size: int) -> str:
    """The errors of both with `size` numbers."""
    ae, pca = error("autoencoder", size), error("PCA", size)
    return Difference(f[ae], f[pca], f[less(ae, pca)]).say(
        less=f"With {size} numbers the autoencoder's test error is {{a}} and PCA's {{b}}, lower by {{difference}}.",
        more=f"With {size} numbers the autoencoder's test error is {{a}} and PCA's {{b}}, higher by {{difference}}.",
        neither=f"With {size} numbers the autoencoder's test error ({{a}}) {{differs}} from PCA's ({{b}}).",
    )


def as_good_as(size: int) -> str:
    """What the number of components is called whose error is that of so many latent variables."""
    return f"components as good as {size} latent variables"


def equals(f: Found, sizes: Sequence[int]) -> str:
    """How many components match how many latent variables, at the first, the middle and the last of `sizes`."""
    shown = [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
    found = {d: round(f[as_good_as(d)].value) for d in shown}
    counts = joined([f"{k} to match {d}" for d, k in found.items()])
    told = counts.replace(" to match", " principal components to match", 1).replace(",", " latent variables,", 1)
    wins = [d for d in shown if found[d] > d]
    if len(wins) == len(shown):
        end = (
            "At every size PCA needs more. Its components are the best that a linear code can do; the hidden layers let the "
            "same few numbers follow a curved surface."
        )
    elif wins:
        rest_of = joined([str(d) for d in shown if d not in wins])
        end = (
            f"With {joined([str(d) for d in wins])} numbers the autoencoder is ahead; with {rest_of} PCA is as good or "
            "better: this training has not found what the hidden layers could gain there."
        )
    else:
        end = "PCA needs no more at any size: in this training the hidden layers gain nothing."
    return f"It takes {told}, by test error. {end}"


def elbow_to(end: int, kind: str) -> str:
    """What the elbow of the curve of that kind up to the size `end` is called."""
    return f"elbow of the curve to {end}: {kind}"


def elbows(f: Found, sizes: Sequence[int]) -> str:
    """The elbow of each curve, over all `sizes` and over the first half of them."""
    half, last = middle(sizes), sizes[-1]
    names = {kind: [elbow_to(end, kind) for end in (last, half)] for kind in KINDS}
    flat = [said for kind, said in KINDS.items() if any(name not in f for name in names[kind])]
    if flat:
        return f"The error of {joined(flat)} does not fall from the first size to the last, so it has no elbow."
    at = [joined([f"{f[name[end]].value:.0f} for {KINDS[kind]}" for kind, name in names.items()]) for end in (0, 1)]
    rule = "The elbow, the point farthest below the straight line between the ends of the curve,"
    if at[0] == at[1]:
        return f"{rule} is at {at[0]}. It stays there when the curve ends at {half}: here the rule is sound."
    return (
        f"{rule} is at {at[0]}. When the same curve ends at {half} instead of {last}, it is at {at[1]}. The error falls "
        "smoothly, without a corner, so the elbow reflects the plotted range more than the data."
    )


def explains(kind: str, size: int) -> str:
    """What the share of the variance of test images is called that so many numbers explain."""
    return f"variance explained by {size} numbers: {kind}"


def middle(sizes: Sequence[int]) -> int:
    """The size at which the curve is cut off to see whether its elbow stays."""
    return sizes[max(3, len(sizes) // 2) - 1]


def needed(share: float) -> str:
    """What the number of components that explain so much is called."""
    return f"components for {percent(share)} of the variance"


def explained(f: Found, sizes: Sequence[int]) -> str:
    """The rule of explained variance and its shortcomings."""
    counts = joined([f"{f[needed(share)].value:.0f} for {percent(share)}" for share in SHARES])
    whole = round(f["components in all"].value)
    return (
        "The rule of explained variance keeps the fewest components that explain a chosen share of the variance of the "
        f"training images: {counts}, of {whole} in all. It has four shortcomings. {arbitrary(f)} {use(f)} {in_sample(f)} "
        f"{of_networks(f, sizes)} Neither rule decides without a choice that the images do not make, so choose the size from "
        "the error you can tolerate."
    )


def arbitrary(f: Found) -> str:
    """How much the answer depends on the share."""
    low, high = percent(SHARES[0]), percent(SHARES[-1])
    grown = f["growth of the number of components"].value
    return f"First, the share is arbitrary: from {low} to {high} the number of components grows by a factor of {grown:.1f}."


def use(f: Found) -> str:
    """What the added variance is worth to whoever reads the class off the code."""
    few, many = (round(f[needed(share)].value) for share in (SHARES[0], SHARES[-1]))
    by_many, by_few = (
        [f[f"5-nearest-neighbour accuracy: {percent(share)} of the variance"].times(100, "% of test images")]
        for share in (SHARES[-1], SHARES[0])
    )
    numbers = f"for {{a}} % of the test images with {many} components and for {{b}} % with {few}"
    return "Second, variance is not the same as use: " + compared(
        by_many,
        by_few,
        more=f"here a 5-nearest-neighbour classifier is right more often with more of it ({numbers}), but nothing in the rule "
        "looks at the class.",
        less=f"a 5-nearest-neighbour classifier is right less often with more of it ({numbers}).",
        neither=f"a 5-nearest-neighbour classifier is right {numbers}, {{how}}.",
    )


def of_part(part: str, share: float) -> str:
    """What the share of the variance of the training or test images is called that those components explain."""
    return f"variance of {part} images explained by the {needed(share)}"


def in_sample(f: Found) -> str:
    """Whether the share holds for images that the components were not fitted to."""
    seen, new = (f[of_part(part, SHARES[-1])].value for part in PARTS)
    shares = f"{percent(seen, 1)} of the variance of the training images, {percent(new, 1)} of that of the test images"
    here = (
        "it carries over" if new > seen - least_difference("share of variance", seen, new) else "new images have less"
    )
    return f"Third, the share holds in principle only for the images that are fitted; here {here} ({shares})."


def of_networks(f: Found, sizes: Sequence[int]) -> str:
    """What the same share is of an autoencoder's code as a whole."""
    last, share = sizes[-1], percent(SHARES[0])
    ae, pca = (f[explains(kind, last)].value for kind in ("autoencoder", "PCA"))
    enough = [d for d in sizes if f[explains("autoencoder", d)].value >= SHARES[0]]
    reach = f"{enough[0]} are the fewest tried that reach {share}" if enough else f"no size tried reaches {share}"
    return (
        "Fourth, the rule does not apply to the units of an autoencoder, which are correlated and have no order. Only its "
        f"whole code explains a share: {last} latent variables explain {percent(ae, 1)} of the variance of test images ({last} "
        f"components: {percent(pca, 1)}), and {reach}."
    )
