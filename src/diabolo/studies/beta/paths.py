"""What the study `beta` says of paths between codes, and of what codes are worth to a classifier."""

from diabolo.studies.beta.words import Found
from diabolo.studies.engine.findings import difference


def between(f: Found) -> str:
    """4.4: straight paths between the codes of two random test images of different classes."""
    steps = difference(*(f[f"longest step, {name}"] for name in ("VAE", "AE")))
    even = steps.say(
        less="The VAE's images change more evenly along the path: the longest step is {a} mean steps, {b} for the autoencoder.",
        more="The VAE's images change less evenly along the path: the longest step is {a} mean steps, {b} for the autoencoder.",
        neither="How evenly images change along the path {differs}: the longest step is {a} mean steps for the VAE and {b} for "
        "the autoencoder.",
    )
    clear = difference(*(f[f"lowest confidence, {name}"] for name in ("VAE", "AE"))).say(
        more="A classifier's lowest confidence along it is higher for the VAE ({a} against {b}): noise on the codes has made "
        "the decoder draw digits around each code, not only at it.",
        less="A classifier's lowest confidence along it is lower for the VAE ({a} against {b}): between two classes the VAE "
        "draws something between two digits.",
        neither="A classifier's lowest confidence along it {differs} ({a} for the VAE, {b} for the autoencoder).",
    )
    return f"{even} {clear}"


def typical(f: Found) -> str:
    """4.4: paths between the typical images of all pairs of classes."""
    pairs = f["pairs of classes"].value
    even, third = f["pairs with the smaller longest step, VAE"].value, "a third digit or no digit"
    vae, ae = (f[f"mid-points read as one of the two digits, {name}"].value for name in ("VAE", "AE"))
    steps, confidence = (
        " against ".join(f"{f[f'{what} between typical images, {name}'].value:.2f}" for name in ("VAE", "AE"))
        for what in ("longest step", "lowest confidence")
    )
    more = "more" if vae > ae else "fewer" if vae < ae else "as many"
    than = "as" if vae == ae else "than"
    return (
        f"Between the typical images of all {pairs:.0f} pairs of classes, the VAE has the smaller longest step for {even:.0f} "
        f"(on average {steps} mean steps; lowest confidence {confidence}). A classifier reads {vae:.0f} of its mid-points as "
        f"one of the two digits, {more} {than} the autoencoder's {ae:.0f}; the others look like {third}."
    )


def downstream(f: Found, units: int) -> str:
    """4.5: what a linear probe and nearest neighbours read off frozen codes; of `units` units."""
    both = {
        what: [f[f"{what}: codes, {name}"].times(100, "% of test images") for name in ("VAE", "AE")]
        for what in ("linear probe", "5 nearest neighbours")
    }
    said = difference(*both["linear probe"]).say(
        more="A linear probe reads the digit better off the VAE's codes: {a} % of the test images against {b} %.",
        less="A linear probe reads the digit better off the autoencoder's codes: {b} % of the test images against {a} %.",
        neither="The accuracy of a linear probe {differs} ({a} % for the VAE, {b} % for the autoencoder).",
    )
    close = difference(*both["5 nearest neighbours"]).say(
        more="Nearest neighbours are right more often among the VAE's codes ({a} % against {b} %).",
        less="Nearest neighbours are right less often among the VAE's codes ({a} % against {b} %).",
        neither="That of nearest neighbours {differs} ({a} % and {b} %).",
    )
    active = f["active units, VAE"].value
    code = f"The VAE uses {active:.0f} of {units} units: " + (
        "the others carry nothing that the decoder could see through the noise of the posterior."
        if active < units
        else "at this weight none is idle."
    )
    pixels, components = (
        f[name].times(100, "% of test images") for name in ("linear probe: pixels", "5 nearest neighbours: PCA")
    )
    best = {what: max(values, key=lambda one: one.value) for what, values in both.items()}
    floor = difference(best["linear probe"], pixels).say(
        more="On raw pixels a linear probe reaches {b} %, less than on the better code ({a} %).",
        less="On raw pixels a linear probe reaches {b} %, more than on the better code ({a} %).",
        neither="On raw pixels a linear probe reaches {b} %, {different} from the better code ({a} %).",
    )
    flat = difference(best["5 nearest neighbours"], components).say(
        more="Among as many principal components nearest neighbours are right less often ({b} %) than among the better codes "
        "({a} %).",
        less="Among as many principal components nearest neighbours are right more often ({b} %) than among the better codes "
        "({a} %).",
        neither="Among as many principal components the accuracy of nearest neighbours ({b} %) {differs} from that among the "
        "better codes ({a} %).",
    )
    return f"{said} {close} {code} {floor} {flat}"


def use(samples: Found, steps: Found) -> str:
    """What to take for what, by the FID of samples and the longest steps."""
    drawn = difference(*(samples[f"FID, {name}"] for name in ("β tuned", "autoencoder")))
    draw = drawn.say(
        less="To draw new images take the VAE, whose codes lie closer to where samples are drawn.",
        more="To draw new images the VAE has gained nothing here.",
        neither="To draw new images the two {differ} in FID ({a} and {b}).",
    )
    too = "take it too" if drawn.sure and drawn.value < 0 else "take the VAE"
    move = difference(*(steps[f"longest step, {name}"] for name in ("VAE", "AE"))).say(
        less=f"To move between images {too}, since they change more evenly.",
        more="To move between images take the autoencoder, where they change more evenly.",
        neither="To move between images the two {differ} in their longest step.",
    )
    return f"{draw} {move} For features to classify by, go by the probes, not by the look of the samples."
