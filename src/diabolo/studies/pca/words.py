"""What the study `pca` says of trainings, maps and subspaces, from the numbers of its rows."""

from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, difference
from diabolo.studies.pca.trainings import HOLE, Found, compared, each, span

SAME_MAP = 0.05  # share of squared distances left after rotation, below which two maps are called one
NEARER = 1.5  # factor from which on one distance of codes to N(0, I) is called less than another: they have no interval


def runs(f: Found) -> str:
    """Trainings that differ in the seed alone: their test errors, and how much their maps differ."""
    errors = [one.value for name, one in f.items() if name.startswith("test error, seed")]
    kept = (
        f"Over {len(errors)} seeds the test error is between {min(errors):.4f} and {max(errors):.4f} squared error per pixel, "
        f"a spread of {percent(f['spread of the test error'].value, 1)}"
    )
    apart, least, most = (f[f"Procrustes distance between runs{what}"].value for what in ("", ", least", ", most"))
    over_pairs = f" on average ({100 * least:.0f} to {percent(most)})" if most > least else ""
    left = (
        f"After the best shift, rotation and scale {percent(apart)} of the squared distance between two maps remains"
        f"{over_pairs}. Of its ten nearest neighbours among {f['images of the neighbourhoods'].value:,.0f} test images, an "
        f"image keeps {percent(f['neighbourhood overlap between runs'].value)} "
        f"({percent(f['neighbourhood overlap by chance'].value, 1)} by chance)"
    )
    if apart < SAME_MAP:
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
        f"nothing is drawn at random. Planes fitted to two disjoint halves of the images are {angle:.1f}° apart. The closer λ₂ "
        f"is to λ₃ (ratio {f['λ₂ / λ₃'].value:.2f}), the more the plane depends on the sample."
    )


def right(f: Found, name: str) -> list[Measured]:
    """How often nearest neighbours in that map are right, in % of test images, in every training."""
    return [one.times(100, "% of test images") for one in each(f, f"5-nearest-neighbour accuracy: {name}")]


def maps(f: Found) -> str:
    """The map of the autoencoder beside that of PCA."""
    numbers = (
        "A 5-nearest-neighbour classifier on the map is right for {a} % of the test images with the autoencoder and for {b} % "
        "with two principal components"
    )
    return compared(
        right(f, "autoencoder"),
        right(f, "PCA"),
        more=f"{numbers}. A curved map can separate classes that overlap in a flat projection.",
        less=f"{numbers}. Here the curved map separates the classes less well than the flat projection.",
        neither=f"{numbers}, {{how}}.",
    )


def neighbours(f: Found) -> str:
    """The map of the VAE beside that of the autoencoder."""
    shares = "for {a} % of the test images against {b} %"
    return compared(
        right(f, "VAE"),
        right(f, "autoencoder"),
        more=f"A 5-nearest-neighbour classifier is right more often on the VAE's map than on the autoencoder's: {shares}.",
        less=f"A 5-nearest-neighbour classifier is right less often on the VAE's map than on the autoencoder's: {shares}.",
        neither="A 5-nearest-neighbour classifier is right for {a} % of the test images on the VAE's map and for {b} % on the "
        "autoencoder's, {how}.",
    )


def prior(f: Found) -> str:
    """How far the codes of the autoencoder and of the VAE are from N(0, I)."""
    vae, ae = (each(f, f"Fréchet distance to N(0, I): {name}") for name in ("VAE", "autoencoder"))
    floor = f["Fréchet distance to N(0, I): draws of N(0, I)"].value
    numbers = (
        f"their Fréchet distance to it is {span(vae)}, that of the autoencoder's codes is {span(ae)}, and that of as many "
        f"draws of N(0, I) is {floor:.2g}"
    )
    nearest, farthest = (pick(one.value for one in vae) for pick in (min, max))
    if NEARER * farthest < min(one.value for one in ae):
        short = ", but they are not distributed as N(0, I)" if nearest > HOLE * floor else ""
        return (
            f"The VAE's codes are closer to N(0, I) than the autoencoder's: {numbers}. The KL term penalises posterior means "
            f"far from 0 and variances far from 1, so the codes gather around the origin{short}. The autoencoder's loss has no "
            "such term, and its codes stay wherever training has put them."
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
    return difference(f["FID between draws of two seeds"], f["FID, N(0, I): VAE, seed 0"]).say(
        less=f"{first}. {second}, but the two sets are from the same distribution: the FID between them is {{a}}, against "
        "{b} to the test images. The seed chooses the codes; what can be drawn is fixed by the weights.",
        more=f"{first}. {second}, and the two sets are farther from each other (FID {{a}}) than from the test images ({{b}}).",
        neither=f"{first}. {second}, and the FIDs of the two sets to each other ({{a}}) and to the test images ({{b}}) "
        "{differ}.",
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
