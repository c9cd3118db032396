"""What the study `beta` says of samples and of the weight of the KL term, from the numbers of its rows."""

from collections.abc import Mapping

from diabolo.display import words
from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, difference

Found = Mapping[str, Measured]

SILENT = 0.5  # nats per image, below which a code carries next to nothing
SURE = 0.9  # probability of the likeliest class from which on an image is called a clear digit


def three(value: float) -> str:
    """To three significant digits, as in a sentence; from 1,000 on whole."""
    return words(value if abs(value) >= 1000 else float(f"{value:.3g}"))


def small(share: float) -> str:
    """A share in percent, which may be next to nothing."""
    return "less than 0.001 %" if 0 < share < 1e-5 else percent(share, 1 if share >= 5e-4 else 3)


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
        f"(test images: {percent(real)}); {look}. The units have means of {three(centre)} (root mean square) and standard "
        f"deviations of {three(deviation)} (on average), where N(0, I) has 0 and 1. A draw of N(0, I) is {far:.1f} times as "
        "far from the nearest training code as the code of a test image"
    )
    decoded = (
        f"After {f['epochs'].value:.0f} epochs, images that the autoencoder decodes from N(0, I) have an FID of {{a}}"
    )
    return difference(*(f[f"FID, {name}"] for name in ("N(0, I)", "fitted Gaussian"))).say(
        more=f"{decoded}; those from a Gaussian fitted to its codes are closer to real ones ({{b}}). {where}. The loss does "
        "not say where codes should lie. The decoder is trained at the codes of images alone, so its output elsewhere is "
        "arbitrary.",
        less=f"{decoded}, less than the {{b}} from a Gaussian fitted to its codes. {where}. The loss does not say where codes "
        "should lie, so this is an accident of the training.",
        neither=f"{decoded}, and from a Gaussian fitted to its codes {{b}}, {{different}}. {where}. The loss does not say "
        "where codes should lie: the decoder is trained at the codes of images alone.",
    )


def longer(f: Found) -> str:
    """4.3: samples of the plain autoencoder from N(0, I), early and late in one training."""
    early, late = (f[f"epochs of the {when} autoencoder"].value for when in ("earlier", "later"))
    near, far = (f[f"Fréchet distance to N(0, I), {name}"].value for name in ("earlier autoencoder", "autoencoder"))
    moved = f"The Fréchet distance of its codes to N(0, I) is {three(near)} and {three(far)}"
    free = "nothing in its loss ties them to N(0, I)"
    after = f"after {early:.0f} epochs and {{a}} after {late:.0f}"
    return difference(f["FID, autoencoder"], f["FID, earlier autoencoder"]).say(
        more=f"The plain autoencoder's samples become worse as it trains: their FID is {{b}} {after}. {moved}"
        + (f": the codes move away, since {free}." if far > near else f"; {free}."),
        less=f"The plain autoencoder's samples become better as it trains: their FID is {{b}} {after}. {moved}. This is an "
        f"accident, since {free}.",
        neither=f"The FIDs of the plain autoencoder's samples {{differ}}: {{b}} {after}. {moved}; {free}.",
    )


def scale(f: Found) -> str:
    """4.3: the weights in the other convention, where the squared error is a sum over pixels."""
    tuned, heavy = (f[f"{name}, squared error summed over pixels"].value for name in ("β tuned", "β = 10"))
    return (
        f"An image has {f['pixels'].value:,.0f} pixels. Where the squared error is summed over them, the same losses have "
        f"β = {three(tuned)} (here {words(f['β tuned'].value)}) and β = {three(heavy)} (here 10)."
    )


def free(f: Found) -> str:
    """4.3: β = 0."""
    tuned = f"β = {words(f['β tuned'].value)}"
    hole = {name: f[f"Fréchet distance to N(0, I), {name}"].value for name in ("β = 0", "β tuned")}
    noise = {name: f[f"noise in an active unit, {name}"].value for name in ("β = 0", "β tuned")}
    farther = "farther from" if hole["β = 0"] > hole["β tuned"] else "no farther from"
    shares = f"{small(noise['β = 0'])} of the variance of an active unit ({small(noise['β tuned'])} at {tuned})"
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
    return (
        f"At β = 0 the code costs nothing. Its KL reaches {three(f['KL, β = 0'].value)} nats per image, and codes are "
        f"{farther} N(0, I) (Fréchet distance {three(hole['β = 0'])}) than at {tuned} ({three(hole['β tuned'])}; "
        f"by chance {three(f['Fréchet distance to N(0, I), draws of N(0, I)'].value)}). {name} "
        f"{samples}"
    )


def heavy(f: Found, units: int) -> str:
    """4.3: β = 10, of `units` units."""
    kl, active, unexplained = (
        f[f"{name}, β = 10"].value for name in ("KL", "active units", "variance of test images left unexplained")
    )
    vary = f"Samples have {small(f['variance among samples, β = 10'].value)} of the variance of test images"
    left = f"{percent(unexplained)} of the variance is unexplained"
    costs = f"one nat costs 10, far more than the entire error of the mean image ({three(f['error of the mean image'].value)})"
    if kl < SILENT and active == 0:
        mean = "about the mean image" if unexplained < 1.1 else "a single image, not yet even the mean"
        return (
            f"At β = 10 the posterior has collapsed: the KL is almost 0, and {active:.0f} of {units} units are active. "
            f"{costs[0].upper()}{costs[1:]}, so the cheapest code carries nothing. The decoder always draws {mean} ({left}). "
            f"{vary}."
        )
    return (
        f"At β = 10 the code still carries {three(kl)} nats in {active:.0f} of {units} active units, although {costs}; {left}. "
        f"{vary}."
    )
