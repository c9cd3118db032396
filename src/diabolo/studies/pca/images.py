"""What the study `pca` says of generated images, from the numbers of its rows."""

from statistics import fmean

from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, joined
from diabolo.studies.pca.trainings import HOLE, Found, compared, decisions, each, span

SURE = 0.9  # probability of the likeliest class from which on an image is called a clear digit
DENSITIES = {"N(0, I)": "N(0, I)", "fitted Gaussian": "the fitted Gaussian"}
SETS = {
    f"{density}: {model}": f"the {model}'s images from {said}"
    for density, said in DENSITIES.items()
    for model in ("VAE", "autoencoder")
}
MEANING = {
    "N(0, I): VAE": "The KL term does what it is for: N(0, I) is the best of these densities to draw codes from.",
    "fitted Gaussian: VAE": "The KL term helps, but N(0, I) is not the best density to draw codes from: one fitted to the "
    "codes is better.",
    "N(0, I): autoencoder": "Nothing in its loss mentions that density, so the KL term brings nothing here.",
    "fitted Gaussian: autoencoder": "A density fitted after training is worth more here than the KL term.",
}


def generated(f: Found) -> str:
    """3.2: images decoded from a Gaussian fitted to the codes, of PCA and the autoencoder."""
    why = (
        "An image of PCA is the mean image plus two weighted patterns. It looks like several ghosted digits on top of each "
        f"other, and {percent(f['pixels outside [0, 1]: PCA'].value)} of its pixels must be cut back to [0, 1]"
    )
    return compared(
        fid(f, "fitted Gaussian: autoencoder"),
        fid(f, "fitted Gaussian: PCA"),
        less="Decoded from a Gaussian fitted to the codes, the autoencoder's images are closer to real ones (FID {a}) than "
        f"PCA's (FID {{b}}). {why}. The decoder's hidden layer and its sigmoid draw strokes with clear ends.",
        more="Decoded from a Gaussian fitted to the codes, PCA's images are closer to real ones (FID {b}) than the "
        f"autoencoder's (FID {{a}}). {why}. But the Gaussian also draws codes from gaps in the autoencoder's map, where the "
        "decoder was not trained.",
        neither="Decoded from a Gaussian fitted to the codes, the autoencoder's images have an FID of {a} and PCA's of {b}, "
        f"{{how}}. {why}.",
    )


def fid(f: Found, images: str) -> list[Measured]:
    """The FID of that set of images in every training."""
    return each(f, f"FID, {images}")


def densities(f: Found) -> str:
    """3.6: the images of the VAE beside those of the autoencoder, from each density and from the better one of each."""
    said = [
        compared(
            fid(f, f"{density}: VAE"),
            fid(f, f"{density}: autoencoder"),
            less=f"From {told}, the VAE's images are closer to real ones (FID {{a}}) than the autoencoder's ({{b}}).",
            more=f"From {told}, the autoencoder's images are closer to real ones (FID {{b}}) than the VAE's ({{a}}).",
            neither=f"From {told}, the VAE's images have an FID of {{a}} and the autoencoder's of {{b}}, {{how}}.",
        )
        for density, told in DENSITIES.items()
    ]
    crossed = compared(
        fid(f, "N(0, I): VAE"),
        fid(f, "fitted Gaussian: autoencoder"),
        more="From N(0, I), the density that it is trained for, the VAE ({a}) is worse than the autoencoder with a fitted "
        "Gaussian ({b}).",
        less="From N(0, I), the density that it is trained for, the VAE ({a}) is better than even the autoencoder with a "
        "fitted Gaussian ({b}).",
        neither="From N(0, I), the density that it is trained for, the VAE has an FID of {a} and the autoencoder with a fitted "
        "Gaussian one of {b}, {how}.",
    )
    return " ".join([*said, crossed, refitted(f)])


def refitted(f: Found) -> str:
    """What a Gaussian fitted to the VAE's posterior means changes, and how far its codes are from N(0, I)."""
    away, floor = each(f, "Fréchet distance to N(0, I): VAE"), f["Fréchet distance to N(0, I): draws of N(0, I)"].value
    distance = f"N(0, I) (Fréchet distance {span(away)}; chance level {floor:.2g})"
    hole = min(one.value for one in away) > HOLE * floor
    codes = f"its codes {'still differ' if hole else 'hardly differ'} from {distance}"
    return compared(
        fid(f, "fitted Gaussian: VAE"),
        fid(f, "N(0, I): VAE"),
        less=f"A Gaussian fitted to its posterior means improves the VAE to {{a}}, {'because' if hole else 'although'} "
        f"{codes}.",
        more=f"A Gaussian fitted to its posterior means makes the VAE worse ({{a}}); {codes}.",
        neither=f"A Gaussian fitted to its posterior means takes the VAE to {{a}}, {{how}}; {codes}.",
        same=True,
    )


def verdict(f: Found) -> str:
    """Which of the four sets of images is closest to real ones, and what the VAE's reconstructions cost."""
    best = min(SETS, key=lambda images: _mean(fid(f, images)))
    close = [
        f"{SETS[images]} ({span(fid(f, images))})"
        for images in SETS
        if images != best and set(_between(f, images, best)) != {"more"}
    ]
    head = f"Verdict: of the four sets, {SETS[best]} have the smallest FID ({span(fid(f, best))})"
    first = (
        f"{head}, but {joined(close)} are not significantly worse in every pair of trainings."
        if close
        else f"{head}, significantly less than all others in every training. {MEANING[best]}"
    )
    vae, ae = (each(f, f"reconstruction error: {model}") for model in ("VAE", "autoencoder"))
    error = "squared error per pixel"
    numbers = f"its test error is {{a}} {error}, the autoencoder's {{b}}"
    cost = compared(
        vae,
        ae,
        more=f"The VAE pays for its codes in reconstruction: {numbers}.",
        less=f"The VAE does not pay for its codes in reconstruction: {numbers}.",
        neither=f"The test error is {{a}} {error} for the VAE and {{b}} for the autoencoder, {{how}}."
        if "more" in decisions(vae, ae)
        else f"The VAE is not shown to pay for its codes in reconstruction: {numbers}.",
    )
    return f"{first} {cost}"


def clear(f: Found) -> str:
    """How many images a classifier reads clearly, how various they are, and whether the set of the smallest FID is clearest."""
    read = {images: each(f, f"clear digits, {images}") for images in SETS}
    shares = {images: f"{span(values, 100, 0)} %" for images, values in read.items()}
    various = {images: span(each(f, f"effective digits, {images}")) for images in SETS}
    (vae, ae), (vae_fitted, ae_fitted) = list(SETS)[:2], list(SETS)[2:]
    real = f["clear digits, test images"].value
    rest = (
        "The others look half-formed: blurred or broken strokes, or blends of two digits."
        if max(map(_mean, read.values())) < real - 0.1
        else "The clearest of these sets is nearly as clear as real images."
    )
    return (
        f"With a probability of {SURE:g} or more a classifier reads {shares[vae]} of the VAE's images from N(0, I) and "
        f"{shares[ae]} of the autoencoder's, {shares[vae_fitted]} and {shares[ae_fitted]} of those from the fitted Gaussian, "
        f"and {percent(real)} of the test images. {rest} The effective numbers of digits are, in the same order, "
        f"{joined([various[images] for images in (vae, ae, vae_fitted, ae_fitted)])}.{clearest(f)}{alike(f)}"
    )


def clearest(f: Found) -> str:
    """That the set of the smallest FID is not the clearest; "" where it is, or where trainings disagree."""
    read = {images: each(f, f"clear digits, {images}") for images in SETS}
    least, most = min(SETS, key=lambda images: _mean(fid(f, images))), max(SETS, key=lambda images: _mean(read[images]))
    same = _model(least) == _model(most)
    if least == most or set(decisions(read[most], read[least], same)) != {"more"}:
        return ""
    return f" The smallest FID does not mean the clearest images: these are {SETS[most]}."


def alike(f: Found) -> str:
    """Where the classifier is sure of images that are all alike; "" where there are none."""
    (vae, ae), (many, few) = (
        [each(f, f"{what}, N(0, I): {model}") for model in ("VAE", "autoencoder")]
        for what in ("clear digits", "effective digits")
    )
    if _mean(ae) < _mean(vae) or _mean(few) >= _mean(many):
        return ""
    return (
        f" A sure classifier is not enough: it is as sure of {span(ae, 100, 0)} % of the autoencoder's images from N(0, I), "
        "which repeat a few shapes."
    )


def _between(f: Found, a: str, b: str) -> list[str]:
    """Which of two sets has the larger FID, in every pair of trainings; of one model, in every training."""
    return list(decisions(fid(f, a), fid(f, b), _model(a) == _model(b)))


def _model(images: str) -> str:
    return images.rpartition(": ")[2]


def _mean(values: list[Measured]) -> float:
    return fmean(one.value for one in values)
