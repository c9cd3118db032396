"""What the study `guide` says of its row 5.9, on codebooks and on images drawn by a prior over their codes; see `guide`."""

from diabolo.plain import percent
from diabolo.studies.guide.plain import Numbers, against, points

SURE = 0.9  # probability of the likeliest class from which on an image is read with confidence
FINE, COARSE, ALL = "fine map", "coarse map", "coarse map, larger prior"
ALONE = "each code independently"
ONE_STEP = "How much of that is due to the prior, and how much to the images, is not measured."


def codebooks(n: Numbers) -> str:
    """5.9: collapse of the codebook and its cures."""
    used, even = (n[f"{what}, by gradient"].value for what in ("used codes", "perplexity"))
    others = {name: n[f"perplexity, {name}"].value for name in ("moving averages", "+ k-means start", "all three")}
    averages, start, every = others.values()
    steps = {"moving averages": averages - even, "the k-means start": start - averages, "the restarts": every - start}
    said = (
        f"{averages:.0f} with moving averages, {start:.0f} with a k-means start as well and {every:.0f} with all three"
    )
    known = (
        f"The codebook trained by gradient uses {used:.0f} of 256 codes for the test images, with a perplexity of "
        f"{even:.0f}."
    )
    if max(others.values()) <= 2 * even:
        return f"{known} None of the cures doubles that here ({said})."
    state = (
        "Its vectors start within ±1/256 of the origin, where the same few are nearest to all outputs of the encoder. The "
        "others are never chosen, and a vector that is never chosen gets no gradient."
        if used < 128
        else "Many codes are used, but unevenly."
    )
    return (
        f"{known} {state} The cures are added one after the other: the perplexity is {said}. The largest step is that of "
        f"{max(steps, key=lambda name: steps[name])}, in one training of each."
    )


def code_prior(n: Numbers) -> str:
    """5.9: what an autoregressive prior knows beyond counts."""
    counted, learnt = n["bits per code, counted"].value, n[f"bits per code, {FINE}"].value
    saved = counted - learnt
    known = (
        f"The prior needs {learnt:.3g} bits for each code, {saved:.3g} fewer than the frequencies of the codes alone would: it "
        f"knows which code follows which."
        if saved > 0
        else f"The prior needs {learnt:.3g} bits for each code, no fewer than the frequencies of the codes alone would "
        f"({counted:.3g}): it has not learned which code follows which."
    )
    drawn = against(n, "FID", ALONE, FINE).say(
        more="Its images are closer to real ones than images of independently drawn codes (FID {b} against {a}), because "
        "their parts fit together.",
        less="Its images are farther from real ones than images of independently drawn codes (FID {b} against {a}).",
        neither="The FIDs of its images and of images of independently drawn codes {differ} ({b} and {a}).",
    )
    return f"{known} {drawn}"


def legible(n: Numbers) -> str:
    """5.9: how many samples are digits, and what it took."""
    real, fine = (n[f"read, {name}"].value for name in ("test images", FINE))
    codes = f"{n[f'indices, {COARSE}'].value:.0f}"
    first = (
        f"A classifier reads {percent(real, 1)} of the test images with confidence (a probability of at least {SURE:g}), and "
        f"{percent(fine, 1)} of the images drawn by the prior over the fine map of {n[f'indices, {FINE}'].value:.0f} codes: "
        f"{_look(fine)}."
    )
    size = points(against(n, "read", COARSE, FINE)).say(
        more=f"A coarse map of {codes} codes, with a prior of the same size, raises that to {{a}} %: fewer parts have to fit "
        "together.",
        less=f"A coarse map of {codes} codes, with a prior of the same size, lowers that to {{a}} %.",
        neither=f"With a coarse map of {codes} codes and a prior of the same size the shares {{differ}} "
        "({a} % and {b} %).",
    )
    more = points(against(n, "read", ALL, COARSE)).say(
        more=f"A larger prior, with both models trained on all images, raises it to {{a}} %. {ONE_STEP}",
        less=f"A larger prior, with both models trained on all images, lowers it to {{a}} %. {ONE_STEP}",
        neither="With a larger prior and both models trained on all images, the shares {differ} ({a} % and {b} %).",
    )
    price = against(n, "MSE", COARSE, FINE).say(
        more="The price of the coarse map is reconstruction: {a} squared error per pixel against {b}.",
        less="The coarse map even reconstructs better: {a} squared error per pixel against {b}.",
        neither="The reconstruction errors of both maps {differ} ({a} and {b} squared error per pixel).",
    )
    return f"{first} {size} {more} {price}"


def _look(share: float) -> str:
    return (
        "most look like digits" if share >= 0.85 else "many are half-formed" if share >= 0.5 else "most are not digits"
    )
