"""What the study `beta` says of the weight that it chooses, and of what a good result is, from the numbers of row 4.3."""

from collections.abc import Sequence
from itertools import pairwise

from diabolo.display import words
from diabolo.studies.beta.words import Found, three
from diabolo.studies.engine.findings import difference, from_best, joined


def tuned(f: Found, search: Sequence[float], epochs: tuple[int, int]) -> str:
    """The search on held-out training images, by FID of samples from N(0, I), among the weights of `search`; `epochs` are those
    of the search, and of the training of the weight found."""
    fid = {beta: f[f"validation FID, β = {words(beta)}"] for beta in search}
    errors = {beta: f[f"validation error, β = {words(beta)}"] for beta in search}
    best, against = from_best(fid)
    others = [words(beta) for beta, d in against.items() if not d.sure]
    among = f"β = {joined(others)} is not shown to be worse" if others else "all others are significantly worse"
    head = (
        "The criterion is the smallest FID between samples from N(0, I) and held-out training images. Of "
        f"{len(fid)} weights from {words(max(fid))} to {words(min(fid))}, β = {words(best)} meets it, with an FID of "
        f"{three(fid[best].value)}; {among}"
    )
    ordered = [errors[beta].value for beta in sorted(errors)]
    falls = ", which falls as β decreases," if all(a <= b for a, b in pairwise(ordered)) else ""
    least, close = from_best(errors)
    near = [words(beta) for beta, d in close.items() if not d.sure]
    as_good = f" (β = {joined(near)} is not shown to be worse)" if near else ""
    alone = f"The reconstruction error alone{falls} would choose β = {words(least)}{as_good}"
    short, whole = epochs
    then, now = (f[f"active units, β tuned{when}"].value for when in (" in the search", ""))
    early = (
        f"β was chosen after {short} epochs, with {then:.0f} units active ({now:.0f} after {whole}): a longer search could "
        "choose another."
        if short < whole
        else f"β was chosen after {short} epochs, with {then:.0f} units active."
    )
    if best in (max(fid), min(fid)):
        return f"{head}. {alone}. The best weight is at the end of the search, so one beyond it may be better still. {early}"
    return (
        f"{head}. {alone}. Samples are best in between: with a large weight the code carries too little to draw a digit, and "
        f"with a small one the codes of images leave N(0, I), from which samples are drawn. {early}"
    )


def good(f: Found, epochs: int) -> str:
    """What a good result is, on test images; both models were trained for `epochs`."""
    ae, vae, drawn = (
        three(f[f"test error, {name}"].value) for name in ("autoencoder", "β tuned", "β tuned, sampled codes")
    )
    by_mean, by_draw = (f[f"ratio of test errors{what}"].value for what in ("", ", sampled codes"))
    side = (
        f"After {epochs} epochs each, the VAE at β = {words(f['β tuned'].value)} has {by_mean:.1f} times the autoencoder's "
        f"test error ({vae} against {ae} squared error per pixel) from posterior means, and {by_draw:.1f} times ({drawn}) from "
        "sampled codes, as in training"
    )
    good = "reconstructions that keep the digit, and samples that can be read"
    return difference(*(f[f"FID, {name}"] for name in ("β tuned", "autoencoder"))).say(
        less=f"{side}. Its samples from N(0, I) are closer to real images (FID {{a}} against {{b}}). A good result has "
        f"both: {good}. Neither number alone is enough.",
        more=f"{side}. Its samples from N(0, I) are farther from real images (FID {{a}} against {{b}}). This is not a good "
        f"result yet, which would have {good}.",
        neither=f"{side}. The FID of its samples from N(0, I) {{differs}} from the autoencoder's ({{a}} against {{b}}). "
        f"This is not a good result yet, which would have {good}.",
    )
