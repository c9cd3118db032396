"""What the study `beta` says of samples and of the weight of the KL term, from the numbers of its rows."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from diabolo.display import words
from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, difference, from_best, joined

Found = Mapping[str, Measured]

SILENT = 0.5  # nats per image, below which a code carries next to nothing
SURE = 0.9  # probability of the likeliest class from which on an image is called a clear digit


def from_noise(f: Found) -> str:
    """4.2: what the plain autoencoder decodes from N(0, I), and from a Gaussian fitted to its codes."""
    centre, deviation, far = (
        f[name].value for name in ("mean of a unit", "standard deviation of a unit", "distance of a draw of N(0, I)")
    )
    clear, real = (f[f"clear digits, {name}"].value for name in ("N(0, I)", "test images"))
    look = (
        "the others look like strokes that form no digit"
        if clear < real - 0.1
        else "by that measure alone they look like digits"
    )
    where = (
        f"A classifier reads {percent(clear)} of the images from N(0, I) as a digit with a probability of {SURE:g} or more "
        f"(test images: {percent(real)}); {look}. The means of its units are {centre:.3g} away from 0 (root mean square), "
        f"their standard deviations {deviation:.3g} on average, where N(0, I) has 0 and 1. A draw of N(0, I) is {far:.2g} "
        "times as far from the nearest training code as the code of a test image is"
    )
    decoded = f"After {f['epochs'].value:.0f} epochs, the autoencoder decodes images with an FID of {{a}} from N(0, I)"
    return difference(*(f[f"FID, {name}"] for name in ("N(0, I)", "fitted Gaussian"))).say(
        more=f"{decoded}; from a Gaussian fitted to its codes they are closer to real ones ({{b}}). {where}. The loss does "
        "not say where codes should lie. The decoder is trained at the codes of images alone, so its output elsewhere is "
        "arbitrary.",
        less=f"{decoded}, less than the {{b}} from a Gaussian fitted to its codes. {where}. The loss does not say where codes "
        "should lie, so this is an accident of the training.",
        neither=f"{decoded}, and from a Gaussian fitted to its codes with {{b}}, {{different}}. {where}. The loss does not say "
        "where codes should lie: the decoder is trained at the codes of images alone.",
    )


def free(f: Found) -> str:
    """4.3: β = 0."""
    tuned = f"β = {words(f['β tuned'].value)}"
    hole = {name: f[f"Fréchet distance to N(0, I), {name}"].value for name in ("β = 0", "β tuned")}
    noise = {name: f[f"noise in an active unit, {name}"].value for name in ("β = 0", "β tuned")}
    farther = "farther from" if hole["β = 0"] > hole["β tuned"] else "no farther from"
    shares = (
        f"{percent(noise['β = 0'], 1)} of the variance of an active unit ({percent(noise['β tuned'], 1)} at {tuned})"
    )
    name = (
        f"Noise only harms the reconstruction, and makes up {shares}: this is a plain autoencoder in all but name."
        if noise["β = 0"] < min(noise["β tuned"], 0.1)
        else f"Noise only harms the reconstruction, but still makes up {shares}: this training has not yet removed it."
    )
    samples = difference(*(f[f"FID, {name}"] for name in ("β = 0", "β tuned"))).say(
        more="Samples from N(0, I) have an FID of {a}, against {b}.",
        less="Yet samples from N(0, I) are closer to real images (FID {a} against {b}).",
        neither="The FIDs of samples from N(0, I) {differ} ({a} against {b}).",
    )
    kl = words(f["KL, β = 0"].value)
    return (
        f"At β = 0 the code costs nothing. Its KL reaches {kl} nats per image, and codes are {farther} "
        f"N(0, I) (Fréchet distance {words(hole['β = 0'])}) than at {tuned} ({words(hole['β tuned'])}). {name} {samples}"
    )


def heavy(f: Found, units: int) -> str:
    """4.3: β = 10, of `units` units."""
    kl, active, unexplained = (
        f[f"{name}, β = 10"].value for name in ("KL", "active units", "variance of test images left unexplained")
    )
    vary = f"Samples have {percent(f['variance among samples, β = 10'].value, 1)} of the variance of test images"
    left = f"{percent(unexplained)} of the variance is unexplained"
    if kl < SILENT and active == 0:
        mean = "about the mean image" if unexplained < 1.1 else "a single image, not yet even the mean"
        return (
            f"At β = 10 the posterior has collapsed: the KL is almost 0, and {active:.0f} of {units} units are active. A nat "
            "costs 10 in squared error per pixel, more than the whole image is worth, so the cheapest code carries nothing. "
            f"The decoder always draws {mean} ({left}). {vary}."
        )
    return (
        f"At β = 10 the code still carries {kl:.3g} nats in {active:.0f} of {units} active units, although a nat costs 10 in "
        f"squared error per pixel; {left}. {vary}."
    )


def tuned(f: Found, search: Sequence[float]) -> str:
    """4.3: the search on held-out training images, by FID of samples from N(0, I), among the weights of `search`."""
    fid = {beta: f[f"validation FID, β = {words(beta)}"] for beta in search}
    errors = {beta: f[f"validation error, β = {words(beta)}"] for beta in search}
    best, against = from_best(fid)
    others = [words(beta) for beta, d in against.items() if not d.sure]
    among = f"β = {joined(others)} is not shown to be worse" if others else "all others are significantly worse"
    head = (
        "The criterion is the smallest FID between samples from N(0, I) and held-out training images. Of "
        f"{len(fid)} weights from {words(max(fid))} to {words(min(fid))}, β = {words(best)} meets it, with an FID of "
        f"{fid[best].value:.4g}; {among}"
    )
    ordered = [errors[beta].value for beta in sorted(errors)]
    falls = ", which keeps falling with β," if all(a <= b for a, b in pairwise(ordered)) else ""
    least, close = from_best(errors)
    near = [words(beta) for beta, d in close.items() if not d.sure]
    as_good = f" (β = {joined(near)} is not shown to be worse)" if near else ""
    alone = f"The reconstruction error alone{falls} would choose β = {words(least)}{as_good}"
    if best in (max(fid), min(fid)):
        return f"{head}. {alone}. The best weight is at the end of the search, so one beyond it may be better still."
    return (
        f"{head}. {alone}. Samples are best in between: with a large weight the code carries too little to draw a digit, and "
        "with a small one the codes of images leave N(0, I), from which samples are drawn."
    )


def good(f: Found, epochs: int) -> str:
    """4.3: what a good result is, on test images; both models were trained for `epochs`."""
    ae, vae = (f[f"test error, {name}"].value for name in ("autoencoder", "β tuned"))
    side = (
        f"After {epochs} epochs each, the VAE at β = {words(f['β tuned'].value)} has {f['ratio of test errors'].value:.2f} "
        f"times the autoencoder's test error ({vae:.4f} against {ae:.4f} squared error per pixel)"
    )
    good = "reconstructions that keep the digit, and samples that can be read"
    return difference(*(f[f"FID, {name}"] for name in ("β tuned", "autoencoder"))).say(
        less=f"{side}, and its samples from N(0, I) are closer to real images (FID {{a}} against {{b}}). A good result has "
        f"both: {good}. Neither number alone is enough.",
        more=f"{side}, and its samples from N(0, I) are farther from real images (FID {{a}} against {{b}}). This is not a good "
        f"result yet, which would have {good}.",
        neither=f"{side}, and the FID of its samples from N(0, I) {{differs}} from the autoencoder's ({{a}} against {{b}}). "
        f"This is not a good result yet, which would have {good}.",
    )


def count(text: str) -> int:
    """How many words a text has: signs such as "=" and "%" are none."""
    return sum(any(letter.isalnum() for letter in word) for word in text.split())
