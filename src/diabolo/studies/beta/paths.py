"""What the study `beta` says of straight paths between codes, and of what to take either model for."""

from diabolo.statistics.verdicts import LEVEL
from diabolo.studies.beta.midpoints import OWN, SIGN
from diabolo.studies.beta.words import Found
from diabolo.studies.engine.findings import between as apart
from diabolo.studies.engine.findings import difference


def between(f: Found) -> str:
    """4.4: straight paths between the codes of two random test images of different classes."""
    steps = difference(*(f[f"longest step, {name}"] for name in ("VAE", "AE")))
    even = steps.say(
        less="The VAE's images change more evenly along a path: the longest step is {a} times the mean step, against {b} for "
        "the autoencoder.",
        more="The VAE's images change less evenly along a path: the longest step is {a} times the mean step, against {b} for "
        "the autoencoder.",
        neither="How evenly images change along a path {differs} (longest step over mean step: VAE {a}, autoencoder {b}).",
    )
    clear = difference(*(f[f"lowest confidence, {name}"] for name in ("VAE", "AE"))).say(
        more="A classifier's lowest confidence along it is higher for the VAE ({a} against {b}).",
        less="A classifier's lowest confidence along it is lower for the VAE ({a} against {b}).",
        neither="A classifier's lowest confidence along it {differs} (VAE {a}, autoencoder {b}).",
    )
    return f"{even} {clear}"


def typical(f: Found) -> str:
    """4.4: paths between the typical images of all pairs of classes."""
    step, confidence = ("longest step between typical images", "lowest confidence between typical images")
    pairs, smaller = (f[name].value for name in ("pairs of classes", "pairs with the smaller longest step, VAE"))
    vae, ae = (f"{f[f'{step}, {name}'].value:.2f}" for name in ("VAE", "AE"))
    clear = apart(f, f"{confidence}, VAE", f"{confidence}, AE").say(
        more="A classifier's lowest confidence is on average higher for the VAE ({a} against {b}).",
        less="A classifier's lowest confidence is on average lower for the VAE ({a} against {b}).",
        neither="A classifier's mean lowest confidence {differs} (VAE {a}, autoencoder {b}).",
    )
    return (
        f"Between the typical images of all {pairs:.0f} pairs of classes, the longest step averages {vae} times the mean step "
        f"for the VAE and {ae} times for the autoencoder. It is smaller for the VAE in {smaller:.0f} pairs (sign test: "
        f"p = {f['p, longest step'].value:.2g}). {clear} These pairs share their images, so intervals and p-values over them "
        "are approximate."
    )


def use(samples: Found, steps: Found) -> str:
    """What to take for what: by the FID of samples, the longest steps, and what is drawn half-way."""
    draw = difference(*(samples[f"FID, {name}"] for name in ("β tuned", "autoencoder"))).say(
        less="To draw new images take the VAE, whose codes lie closer to where samples are drawn.",
        more="To draw new images the VAE has gained nothing here.",
        neither="To draw new images the two {differ} in FID ({a} and {b}).",
    )
    move = difference(*(steps[f"longest step, {name}"] for name in ("VAE", "AE"))).say(
        less="To move between images take the VAE where only even change counts.",
        more="To move between images take the autoencoder where only even change counts.",
        neither="To move between images the two {differ} in their longest step ({a} and {b}).",
    )
    vae, ae = (steps[f"{OWN}, {name}"].value for name in ("VAE", "AE"))
    better = "VAE" if vae > ae else "autoencoder"
    stay = (
        f"Where each image must stay one of two digits, the {better} is better."
        if steps[SIGN].value < LEVEL
        else "Where each image must stay one of two digits, neither is shown to be better."
    )
    return f"{draw} {move} {stay} For features to classify by, go by the probes, not by the samples."
