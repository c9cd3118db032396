"""What the study `generative` says, from what it measured. `f` are the numbers of a row by name."""

from collections.abc import Mapping

from diabolo.display import words as written
from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, between, difference, from_nothing, signed

Found = Mapping[str, Measured]
ALIKE = 0.05  # relative difference of two trainings below which nothing is made of it: there is one training of each
LEGIBLE = 0.5  # share of draws read as the right class from which on it is said to stay
GROWN = 1.5  # factor from which on the range of the encoder's outputs is said to have changed


def size_of_map(areas: list[float], errors: list[float]) -> str:
    """Maps of several seeds: their areas, and their test errors."""
    wider, worse = max(areas) / min(areas) - 1, max(errors) / min(errors) - 1
    scale = (
        "nothing in the loss fixes the scale of the code: a map twice as large, with weights half as large behind it, decodes "
        "to the same images"
    )
    if len(areas) < 2:
        return f"The size of the map alone says nothing, since {scale}; what counts is how the codes fill it."
    if wider > 2 * worse:
        return (
            f"Over {len(areas)} seeds the area of the map varies by {percent(wider)}, and the test error by "
            f"{percent(worse, 1)}. The "
            f"size alone says nothing, since {scale}; what counts is how the codes fill it."
        )
    return (
        f"Over {len(areas)} seeds the area of the map varies by {percent(wider)}, no more than the test error can "
        f"({percent(worse, 1)}). Even so the size alone is no measure, since {scale}; what counts is how the codes fill it."
    )


def filled(f: Found) -> str:
    """How much of the grid holds codes, and whether what is decoded elsewhere looks like digits to a classifier."""
    told = f"{percent(f['tiles that hold a training code'].value)} of the tiles of the grid hold the code of a training image. "
    there, elsewhere = (f[f"confidence in {kind} tiles"] for kind in ("filled", "empty"))
    if elsewhere.value == 0:
        return told + "There is no empty tile to compare them with."
    return told + difference(there, elsewhere).say(
        more="A classifier trained on real images is surer of what is decoded there ({a}) than of what is decoded from "
        "empty tiles ({b}): there the decoder was never trained, and blends two classes or prolongs one.",
        less="A classifier trained on real images is less sure of what is decoded there ({a}) than of what is decoded from "
        "empty tiles ({b}): the outskirts prolong the clear members of a class, while the crowded middle is where classes "
        "meet.",
        neither="A classifier's confidence in what is decoded there ({a}) {differs} from that in what is "
        "decoded from empty tiles ({b}).",
    )


def denoised(f: Found) -> str:
    """The denoiser against its input."""
    before, after = f["error of the noisy images"], f["test error"]
    if after.value < before.value:
        return (
            f"The noisy images are {before.value:.4f} (squared error per pixel) away from the clean ones, what the network "
            f"makes of them {after.value:.4f}, {before.value / after.value:.1f} times less. The identity would leave the "
            f"noise where it is: since the target is the clean image and the noise cannot be guessed, the best answer is "
            f"the mean of all clean images that could look like this, which has to be learnt from the images."
        )
    return (
        f"The noisy images are {before.value:.4f} (squared error per pixel) away from the clean ones, and what the network "
        f"makes of them {after.value:.4f}, no less: it was trained too little to pay for what is lost on the way through "
        f"its bottleneck."
    )


def bottleneck(errors: Mapping[int, float], room: float) -> tuple[int, str]:
    """The smallest bottleneck, of sizes in numbers → test error, whose error is within `room` of the best; and a sentence."""
    best = min(errors.values())
    enough = min(n for n, error in errors.items() if error <= (1 + room) * best)
    least, most = min(errors), max(errors)
    rule = (
        f"The smallest bottleneck whose test error is within {percent(room)} of the best has {enough} number"
        f"{'s' * (enough > 1)}"
    )
    if enough == least:
        return enough, f"{rule}, which is the smallest that was tried: a larger one gains less than that."
    costs = errors[least] / best
    if enough == most:
        return enough, (
            f"{rule}, which is the largest that was tried; with {least} the error is {costs:.1f} times the best. A bottleneck "
            f"must carry where each stroke goes, since the decoder sees nothing else."
        )
    return enough, (
        f"{rule}; with {least} the error is {costs:.1f} times the best, and beyond {enough} there is no more than "
        f"{percent(1 - best / errors[enough])} to gain. A bottleneck must carry where each stroke goes, since the decoder sees "
        f"nothing else, but not the noise."
    )


def encoded_again(f: Found) -> str:
    """What varies between draws from the posterior of one image."""
    once, far = (f[f"draws read as the right class, variance × {s}"] for s in (1, 20))
    edges, pixels = f["variance at the edges of strokes"].value, f["pixels at the edges of strokes"].value
    legible = once.value >= LEGIBLE
    where = (
        f"{percent(edges)} of the variance between draws falls on the {percent(pixels)} of the pixels at the edges "
        "of the strokes of "
        f"the image (where a pixel and its neighbours differ by more than half)"
    )
    where += (
        ", so it is spread over the image rather than gathered at the edges."
        if edges <= 1.5 * pixels
        else ": it is outlines that vary."
    )
    shares = (
        f"{percent(once.value)} of the draws are read as the right class, and {percent(far.value)} at twenty times the "
        f"variance"
    )
    draws = difference(once.times(100, "percentage points"), far.times(100, "percentage points"))
    if not legible:
        return f"{where} " + draws.say(
            more=f"Even with the variance of the posterior the class is often lost: {shares}.",
            less=f"Of the class the draws say little: {shares}.",
            neither=f"Of the class the draws say little, whatever the variance: {shares}, {{different}}.",
        )
    return f"{where} " + draws.say(
        more=f"The class stays with the variance of the posterior and is lost more often with a larger one: {shares}. "
        "Such draws leave the region of codes that was decoded as this image in training, and reach those of other images.",
        less=f"The class is lost no more often with a larger variance: {shares}.",
        neither=f"That the class is lost more often with a larger variance is not shown: {shares}, {{different}}.",
    )


def relabelled(f: Found) -> str:
    """Codes of real images decoded under another label."""
    asked, kept = f["read as the new label"], f["read as the old label"]
    new, old = percent(asked.value), percent(kept.value)
    told = (
        f"Of the images that are encoded under their own label and decoded under another, {new} are read as the new label "
        f"and {old} as the old one: "
    )
    decides = "the condition, not the code, decides the class"
    by = decides if asked.value > 0.5 else "the condition says more of the class than the code does"
    return difference(asked.times(100, "percentage points"), kept.times(100, "percentage points")).say(
        more=f"{told}{by}. The KL term favours that: every nat in the code costs loss, and the label is given free of charge.",
        less=f"{told}here the code says more of the class than the condition does.",
        neither=f"{told}these shares {{differ}}, so neither the code nor the condition is shown to decide alone.",
    )


def completions(f: Found, k: int) -> str:
    """Many completions against one deterministic answer."""
    single = between(f, "error of one completion", "error of the plain network")
    told = single.say(
        more="The error of a single completion is larger ({a}, squared error per pixel that was not given) than that of the "
        "plain network ({b}). Part of that is unavoidable: the mean of all possible answers has the least expected error, and "
        "the plain network is trained to give it, a blur where the quarter leaves several digits open. A draw commits to one.",
        less="The error of a single completion is smaller ({a}, squared error per pixel that was not given) than that of the "
        "plain network ({b}). The mean of all possible answers has the least expected error, and only the plain network gives "
        "it: it is not fully trained yet.",
        neither="The error of a single completion ({a}, squared error per pixel that was not given) {differs} "
        "from that of the plain network ({b}).",
    )
    if single.sure and single.value > 0:
        told += between(f, "error of the mean of all", "error of the plain network").say(
            more=" Even the average of infinitely many samples would have an error of {a} (the plain network: {b}). That "
            "excess "
            "is model misfit, not the price of committing to one answer.",
            less=" The average of infinitely many samples would have an error of {a} (the plain network: {b}), so the excess "
            "of "
            "a single draw is the price of committing to one answer.",
            neither=" The average of infinitely many samples would have an error of {a}, {different} from the "
            "plain "
            "network's ({b}).",
        )
    return told + between(f, "error of the best", "error of the plain network").say(
        less=f" Of {k} completions the best, chosen knowing the truth, has a smaller error ({{a}}).",
        more=f" Even the best of {k} completions, chosen knowing the truth, has a larger error ({{a}}).",
        neither=f" The error of the best of {k} completions, chosen knowing the truth, {{differs}} ({{a}}).",
    )


def conditional_prior(f: Found, k: int) -> str:
    """Completions by codes that fit the quarter, against one deterministic answer."""
    best = between(f, "error of the best, conditional prior", "error of the plain network")
    return best.say(
        less=f"With the conditional prior the best of {k} completions, chosen knowing the truth, has a smaller error "
        "({a}) than the plain network ({b}).",
        more=f"With the conditional prior the best of {k} completions, chosen knowing the truth, has a larger error "
        "({a}) than the plain network ({b}).",
        neither=f"With the conditional prior the error of the best of {k} completions, chosen knowing the truth ({{a}}), "
        "{differs} from that of the plain network ({b}).",
    )


def conditional_nll(f: Found) -> str:
    """The paired difference of cross entropies, plain network − conditional VAE."""
    gain = f["nats gained by the code"]
    return from_nothing(gain).say(
        more="Given the quarter, the conditional VAE needs {difference} nats per image less than the plain network: the "
        "code decides pixels that depend on each other together, such as those of a loop, while the plain network treats each "
        "pixel as independent.",
        less="Given the quarter, the conditional VAE needs {difference} nats per image more than the plain network: what its "
        "code could save is lost again, in its training or in the estimate, which is on average too large.",
        neither="Given the quarter, the nats per image of the conditional VAE and of the plain network {differ} "
        "({difference}).",
    )


def commitment(book: str, rms: tuple[float, float], error: tuple[float, float]) -> str:
    """With and without the commitment term: the root mean square of the encoder's outputs, and the test error."""
    (held, free), (with_it, without) = rms, error
    ratio, worse = free / held, without / with_it - 1
    rms_of = f"root mean square {written(free)} against {written(held)}"
    if ratio > GROWN:
        told = (
            f"without the commitment term the encoder's outputs are {times(ratio)} times as large ({rms_of}): the "
            f"reconstruction reaches the encoder only through the copied gradient, which does not say how far an output lies "
            f"from its code, so that nothing holds the outputs back, and the codes run after them"
        )
    elif ratio < 1 / GROWN:
        told = (
            f"without the commitment term the encoder's outputs are {times(1 / ratio)} times smaller ({rms_of}): the term does "
            f"not hold them small, but draws them to their codes wherever those lie"
        )
    else:
        told = (
            f"without the commitment term the encoder's outputs keep their range ({rms_of}): in this many steps they do not "
            f"run away from the codes, though nothing in the loss would hold them"
        )
    loss = (
        f"the test error is {times(without / with_it)} times as large without it"
        if worse > 1
        else f"the test error is {percent(abs(worse))} {'higher' if worse > 0 else 'lower'} without it"
        if abs(worse) > ALIKE
        else f"the test error is much the same ({signed(worse, 1)} without it)"
    )
    return f"{book[0].upper()}{book[1:]}: {told}; {loss} (one training each)."


def times(ratio: float) -> str:
    """5.1, or 243,000."""
    return f"{ratio:.1f}" if ratio < 100 else f"{float(f'{ratio:.3g}'):,.0f}"


def halved(errors: Mapping[str, float], whole: str) -> str:
    """What halving each part of the network does to the test error, after the same steps; one training each."""
    changes = {name: error / errors[whole] - 1 for name, error in errors.items() if name != whole}
    worst = max(changes, key=lambda name: changes[name])
    listed = ", ".join(f"{name} {signed(change, 1)}" for name, change in changes.items())
    told = f"Change of the test error when one part is halved: {listed} (one training each)."
    gains = [name for name, change in changes.items() if change < -ALIKE]
    if changes[worst] <= ALIKE and gains:
        return f"{told} None of it does harm: after so few steps the whole network is not at its best yet."
    if changes[worst] <= ALIKE:
        return f"{told} None of it is more than another training might give."
    return f"{told} {worst[0].upper() + worst[1:]} costs most: {WHY[worst]}"


WHY = {
    "half the hidden width": "it is the number of channels of every map, so that all layers, the two halvings of the image "
    "among them, carry half as much.",
    "half the residual width": "it is the bottleneck inside the residual blocks, where an output is adjusted to what lies "
    "around it.",
    "half the residual layers": "each block widens what an output can see by a place of the map on every side.",
}
