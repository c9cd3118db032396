"""What the study `pca` says of maps and of images, from the numbers of its rows."""

from collections.abc import Mapping

from diabolo.plain import percent
from diabolo.studies.engine.findings import Difference, Measured, difference, from_best, joined

Found = Mapping[str, Measured]

SAME_MAP = 0.05  # share of squared distances left after rotation, below which two maps are called one
NEARER = 1.5  # factor from which on one distance of codes to N(0, I) is called less than another: they have no interval
SURE = 0.9  # probability of the likeliest class from which on an image is called a clear digit
MODELS, DENSITIES = ("autoencoder", "VAE"), {"N(0, I)": "N(0, I)", "fitted Gaussian": "the fitted Gaussian"}


def runs(f: Found) -> str:
    """Trainings that differ in the seed alone: their test errors, and how much their maps differ."""
    errors = [one.value for name, one in f.items() if name.startswith("test error, seed")]
    kept = (
        f"Over {len(errors)} seeds the test error is between {min(errors):.4f} and {max(errors):.4f} squared error per pixel, "
        f"a spread of {percent(f['spread of the test error'].value, 1)}"
    )
    left = (
        f"After the best shift, rotation and scale {percent(f['Procrustes distance between runs'].value)} of the squared "
        f"distance between two maps remains. An image keeps {percent(f['neighbourhood overlap between runs'].value)} of its "
        f"ten nearest neighbours ({percent(f['neighbourhood overlap by chance'].value, 1)} by chance)"
    )
    if f["Procrustes distance between runs"].value < SAME_MAP:
        return f"{kept}, and the maps agree. {left}. Nothing in the loss asks for that: it depends on the output alone."
    return (
        f"{kept}, but the maps differ by more than a rotation. {left}. The loss depends on the output alone, so a map may be "
        "bent and folded in any way that the decoder can undo. The initial weights and the order of the images decide which "
        "map is found."
    )


def fits(f: Found) -> str:
    """Two fits of PCA to the same images, and to two halves of them."""
    moved, angle = f["change of a coordinate, fitted twice"].value, f["angle between fits to two halves"].value
    again = "the same map to the last digit" if moved == 0 else f"coordinates that differ by {moved:.2g} at most"
    return (
        f"Fitted twice to the same images, PCA gives {again}: the components are eigenvectors of the covariance matrix, and "
        f"nothing is drawn at random. Planes fitted to two disjoint halves of the images are {angle:.1f}° apart. Other images "
        f"turn the plane more, the closer its second variance is to the third "
        f"(λ₂ / λ₃ = {f['λ₂ / λ₃'].value:.2f})."
    )


def right(f: Found, a: str, b: str) -> Difference:
    """How often nearest neighbours name the class, in % of test images, in the map of `a` less in that of `b`."""
    of_a, of_b = (f[f"neighbours of the same class: {name}"].times(100, "% of test images") for name in (a, b))
    return difference(of_a, of_b)


def maps(f: Found) -> str:
    """The map of the autoencoder beside that of PCA."""
    names = (
        "The five nearest neighbours in the map name the class of {a} % of the test images for the autoencoder and of {b} % "
        "for two principal components"
    )
    return right(f, "autoencoder", "PCA").say(
        more=f"{names}. A curved map can separate classes that overlap in a flat projection.",
        less=f"{names}. Here the curved map separates the classes less well than the flat projection.",
        neither=f"{names}, {{different}}.",
    )


def neighbours(f: Found) -> str:
    """The map of the VAE beside that of the autoencoder."""
    shares = "{a} % of the test images against {b} %"
    return right(f, "VAE", "autoencoder").say(
        more=f"The five nearest neighbours in the VAE's map name the class more often than in the autoencoder's: {shares}.",
        less=f"The five nearest neighbours in the VAE's map name the class less often than in the autoencoder's: {shares}.",
        neither="The shares of test images whose class the five nearest neighbours name {differ} between the VAE's map and the "
        "autoencoder's ({a} % and {b} %).",
    )


def generated(f: Found) -> str:
    """Images decoded from a Gaussian fitted to the codes, of PCA and the autoencoder."""
    ae, pca = (f[f"FID, fitted Gaussian: {name}"] for name in ("autoencoder", "PCA"))
    why = (
        "An image of PCA is the mean image plus two weighted patterns. It looks like several ghosted digits on top of each "
        f"other, and {percent(f['pixels outside [0, 1]: PCA'].value)} of its pixels must be cut back to [0, 1]"
    )
    return difference(ae, pca).say(
        less="Decoded from a Gaussian fitted to the codes, the autoencoder's images are closer to real ones (FID {a}) than "
        f"PCA's (FID {{b}}). {why}. The decoder's hidden layer and its sigmoid draw strokes with clear ends.",
        more="Decoded from a Gaussian fitted to the codes, PCA's images are closer to real ones (FID {b}) than the "
        f"autoencoder's (FID {{a}}). {why}. But the Gaussian also draws codes from gaps in the autoencoder's map, where the "
        "decoder was not trained.",
        neither="The FIDs of images decoded from a Gaussian fitted to the codes {differ} between the autoencoder ({a}) and "
        f"PCA ({{b}}). {why}.",
    )


def prior(f: Found) -> str:
    """How far the codes of the autoencoder and of the VAE are from N(0, I)."""
    ae, vae, floor = (
        f[f"Fréchet distance to N(0, I): {name}"].value for name in ("autoencoder", "VAE", "draws of N(0, I)")
    )
    numbers = (
        f"their Fréchet distance to N(0, I) is {vae:.3g}, that of the autoencoder's codes is {ae:.3g}, and that of as many "
        f"draws of N(0, I) is {floor:.2g}"
    )
    if NEARER * vae < ae:
        return (
            f"The VAE's codes have a fixed place and scale: {numbers}. The KL term penalises codes that are far from the "
            "origin or have too small a variance, so they gather around it. The autoencoder's loss has no such term, and its "
            "codes stay wherever training has put them."
        )
    return (
        f"The VAE's codes are not much closer to N(0, I) than the autoencoder's: {numbers}. The KL term asks for it, but this "
        "training has not achieved it."
    )


def redrawn(f: Found) -> str:
    """Samples of the VAE, drawn again with the same seed and with another."""
    same = f["samples that change when drawn again with one seed"].value == 0
    first = (
        "With the same seed the VAE draws exactly the same images"
        if same
        else "Even with the same seed the VAE does not draw the same images"
    )
    changed = f"they differ by {f['difference between draws of two seeds'].value:.3f} squared error per pixel"
    second = f"With another seed every image changes ({changed})"
    return difference(f["FID between draws of two seeds"], f["FID between a draw and test images"]).say(
        less=f"{first}. {second}, but the two sets are of one kind: the FID between them is {{a}}, against {{b}} to the test "
        "images. The seed chooses the codes; what can be drawn is fixed by the weights.",
        more=f"{first}. {second}, and the two sets are farther from each other (FID {{a}}) than from the test images ({{b}}).",
        neither=f"{first}. {second}, and the FIDs of the two sets to each other ({{a}}) and to the test images ({{b}}) "
        "{differ}.",
    )


def side_by_side(f: Found) -> str:
    """Images of the autoencoder and of the VAE from the same densities, and which are best."""
    each = []
    for density, said in DENSITIES.items():
        each.append(
            difference(*(f[f"FID, {density}: {name}"] for name in ("VAE", "autoencoder"))).say(
                less=f"From {said}, the VAE's images are closer to real ones than the autoencoder's (FID {{a}} "
                "against {b}).",
                more=f"From {said}, the autoencoder's images are closer to real ones than the VAE's (FID {{b}} "
                "against {a}).",
                neither=f"From {said}, the FIDs of the VAE's images ({{a}}) and the autoencoder's ({{b}}) {{differ}}.",
            )
        )
    return " ".join([*each, best(f), clear(f)])


def best(f: Found) -> str:
    """Which of the four sets of images is closest to real ones."""
    sets = {(model, density): f[f"FID, {density}: {model}"] for model in MODELS for density in DENSITIES}
    (model, density), against = from_best(sets)
    close = [
        f"the {m}'s from {DENSITIES[d]} ({sets[m, d].value:.4g})" for (m, d), one in against.items() if not one.sure
    ]
    least = f"the smallest FID ({sets[model, density].value:.4g})"
    head = f"Verdict: of the four sets, the {model}'s images from {DENSITIES[density]} have {least}"
    if close:
        return f"{head}; {joined(close)} {'is' if len(close) == 1 else 'are'} not significantly worse."
    head += ", significantly less than all others"
    if model == "VAE":
        return f"{head}. The KL term pays off: it has shaped the codes into what is drawn from."
    if density == "N(0, I)":
        return f"{head}, although nothing in its loss mentions that density."
    return (
        f"{head}. A density fitted after training does here what the KL term was meant to do, without the reconstruction error "
        "that the KL term costs."
    )


def clear(f: Found) -> str:
    """How many of the images a classifier reads clearly, and how various they are."""
    vae, ae, real = (
        f[f"clear digits, {name}"].value for name in ("VAE: N(0, I)", "autoencoder: fitted Gaussian", "test images")
    )
    rest = (
        "The others look half-formed: blurred strokes, or blends of two digits"
        if min(vae, ae) < real - 0.1
        else "By that the digits are nearly as clear as real ones"
    )
    return (
        f"With a probability of {SURE:g} or more a classifier reads {percent(vae)} of the VAE's images from N(0, I), "
        f"{percent(ae)} of the autoencoder's from the fitted Gaussian, and {percent(real)} of the test images. {rest}."
        f"{alike(f)}"
    )


def alike(f: Found) -> str:
    """Where the classifier is sure of images that are all alike; "" where there are none."""
    (vae, ae), (many, few) = (
        [f[f"{what}, {name}: N(0, I)"].value for name in ("VAE", "autoencoder")]
        for what in ("clear digits", "effective digits")
    )
    if ae < vae or few >= many:
        return ""
    return (
        f" A sure classifier is not enough: it is as sure of {percent(ae)} of the autoencoder's images from N(0, I), which "
        f"repeat a few shapes ({few:.1f} effective digits; the VAE's: {many:.1f})."
    )


def subspace(f: Found) -> str:
    """The linear autoencoder against the subspace of PCA."""
    largest, chance, units, ratio = (
        f[name].value
        for name in (
            "largest principal angle",
            "largest angle of a random subspace",
            "largest angle of a unit to its component",
            "error over PCA's",
        )
    )
    angle = (
        f"the largest principal angle between them is {largest:.2f}° ({chance:.0f}° for a random subspace), and its test error "
        f"is {ratio:.3f} times that of PCA"
    )
    found = (
        f"The linear autoencoder has found the subspace of PCA: {angle}"
        if largest < 10 and ratio < 1.05
        else f"After this training the linear autoencoder has not reached the subspace of PCA: {angle}"
    )
    axes = (
        f"Its single units are not components: one of them is {units:.0f}° away from the nearest component. The error is the "
        "same for every basis of that subspace, and nothing asks for orthogonal units"
        if units > 10
        else f"Even its single units lie along components, within {units:.0f}°, although nothing in the error asks for that"
    )
    return (
        f"{found}. On the images that both are fitted to, no linear code has a smaller squared error than PCA (Baldi & Hornik "
        f"1989). {axes}."
    )
