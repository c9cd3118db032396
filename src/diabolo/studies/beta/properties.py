"""What a well-tuned VAE is like, in general words, each property measured on the models of the study `beta`."""

from diabolo.plain import percent
from diabolo.studies.beta.words import Found, three
from diabolo.studies.engine.findings import difference

GENERAL = (
    "A well-tuned VAE has several properties at once. Its reconstructions keep what matters of the image. Its samples are "
    "sharp, as varied as the data, and cover all of it: there is a sample like every kind of image. Its latent space is "
    "smooth: codes in between decode to clear images that change evenly. And it has not collapsed: the code carries "
    "information about the image, and lies where the prior says. Each property alone is easy to have: a plain "
    "autoencoder reconstructs well, and a collapsed VAE has its codes where the prior is."
)

PROPERTIES = {  # what is measured, as the numbers of the row are called → of which property, and how it is put in a table
    "variance explained": ("faithful reconstructions", "variance explained"),
    "FID": ("samples like real images", "FID"),
    "fine detail": ("sharp samples", "fine detail (real: 1)"),
    "effective digits": ("varied samples", "effective digits"),
    "coverage": ("all of the data covered", "coverage"),
    "longest step": ("smooth paths", "longest step (even: 1)"),
    "lowest confidence": ("smooth paths", "lowest confidence"),
    "KL": ("no collapse", "KL, nats"),
    "active units": ("no collapse", "active units"),
    "Fréchet distance": ("codes where the prior is", "Fréchet distance"),
}

BLURRED, SOFT, ROUGH = 0.6, 0.9, 1.1  # of the detail of test images


def named(measure: str, model: str) -> str:
    """What the number of that model is called."""
    return f"{measure}, {model}"


def sharpness(f: Found) -> str:
    """How much fine detail samples have."""
    vae, ae = (f[named("fine detail", name)].value for name in ("VAE", "AE"))
    look = (
        "visibly blurred"
        if vae < BLURRED
        else "slightly soft"
        if vae < SOFT
        else "about as sharp as real ones"
        if vae <= ROUGH
        else "rougher than real ones"
    )
    return (
        f"Sharpness: the VAE's samples have {percent(vae)} of the fine detail of test images, and look {look}. The "
        f"autoencoder's have {percent(ae)}."
    )


def variety(f: Found) -> str:
    """How many digits are among the samples."""
    vae, ae, real = (f[named("effective digits", name)].value for name in ("VAE", "AE", "test images"))
    among = (
        "so every digit is drawn about as often as it should be, and clearly"
        if vae > 0.9 * real
        else "so some digits are rare or hard to read"
    )
    return (
        f"Variety: a classifier finds {vae:.1f} effective digits among the VAE's samples (autoencoder: {ae:.1f}; test images: "
        f"{real:.1f}), {among}."
    )


def coverage(f: Found) -> str:
    """How much of the data the samples cover."""
    shares = (f[named("coverage", name)].times(100, "% of test images") for name in ("VAE", "AE"))
    return difference(*shares).say(
        more="Coverage: {a} % of the test images have a sample of the VAE nearby, against {b} % for the autoencoder.",
        less="Coverage: only {a} % of the test images have a sample of the VAE nearby, against {b} % for the autoencoder.",
        neither="Coverage: the shares of test images that have a sample nearby {differ} ({a} % for the VAE, {b} % for the "
        "autoencoder).",
    )


def smoothness(f: Found) -> str:
    """How evenly images change along a path, and how clear they stay."""
    steps = difference(*(f[named("longest step", name)] for name in ("VAE", "AE"))).say(
        less="Smoothness: the longest step of a path is {a} times the mean step for the VAE, less than the autoencoder's {b}.",
        more="Smoothness: the longest step of a path is {a} times the mean step for the VAE, more than the autoencoder's {b}.",
        neither="Smoothness: the longest step of a path over the mean step {differs} (VAE {a}, autoencoder {b}).",
    )
    clear = difference(*(f[named("lowest confidence", name)] for name in ("VAE", "AE"))).say(
        more="The classifier's lowest confidence along it is higher for the VAE ({a} against {b}).",
        less="The classifier's lowest confidence along it is lower for the VAE ({a} against {b}).",
        neither="The classifier's lowest confidence along it {differs} (VAE {a}, autoencoder {b}).",
    )
    return f"{steps} {clear}"


def alive(f: Found, units: int) -> str:
    """Whether the code is in use, and where it lies; beside a collapsed model."""
    kl, collapsed = (f[named("KL", name)].value for name in ("VAE", "β = 10"))
    heavy = "less than 0.001" if collapsed < 1e-3 else three(collapsed)
    models = ("VAE", "AE", "β = 10", "draws of N(0, I)")
    hole, of_ae, of_heavy, chance = (three(f[named("Fréchet distance", name)].value) for name in models)
    active = f[named("active units", "VAE")].value
    state = "No collapse" if active else "Collapse"
    return (
        f"{state}: the VAE's code has a KL of {three(kl)} nats, and {active:.0f} of its {units} units are active (β = 10: "
        f"{heavy} nats). Its codes are at a Fréchet distance of {hole} from N(0, I), the autoencoder's at {of_ae}, those of "
        f"β = 10 at {of_heavy}; as many draws of N(0, I) itself are at {chance} by chance."
    )


def price(f: Found) -> str:
    """What the others cost in reconstruction."""
    vae, ae = (f[named("variance explained", name)].value for name in ("VAE", "AE"))
    costs = "The price is reconstruction" if vae < ae else "None of it costs reconstruction"
    return (
        f"{costs}: the VAE explains {percent(vae, 1)} of the variance of test images, the autoencoder {percent(ae, 1)}."
    )


def well_tuned(f: Found, units: int) -> list[str]:
    """A sentence or two for each property, with its numbers."""
    return [sharpness(f), variety(f), coverage(f), smoothness(f), alive(f, units), price(f)]
