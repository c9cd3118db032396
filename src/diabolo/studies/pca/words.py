"""What the study `pca` says, from what it measured."""

from collections.abc import Mapping, Sequence

from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, difference, joined

SAME_MAP = 0.05  # share of squared distances left after rotation, below which two maps are called one
NEARER = 1.5  # factor from which on one distance of codes to N(0, I) is called less than another: they have no interval


def runs(errors: Sequence[float], procrustes: float, overlap: float, chance: float) -> str:
    """Runs that differ in the seed alone: their test errors, and the means over pairs of Procrustes distance and overlap."""
    mean, spread = sum(errors) / len(errors), max(errors) - min(errors)
    kept = (
        f"Over {len(errors)} seeds the test error lies between {min(errors):.4f} and {max(errors):.4f} squared "
        "error per pixel, "
        f"a spread of {percent(spread / mean, 1)}"
    )
    shared = (
        f"an image keeps {percent(overlap)} of its ten nearest neighbours from one run to another "
        f"({percent(chance, 1)} by chance)"
    )
    left = f"after the best shift, rotation and scale {percent(procrustes)} of the squared distances are unexplained"
    if procrustes < SAME_MAP:
        return (
            f"{kept}; and the maps agree: {left}, and {shared}. Nothing in the loss asks for that, since it "
            "looks at the image "
            "that comes out and never at the code."
        )
    return (
        f"{kept}; the maps differ by more than a rotation: {left}, and {shared}. The loss looks at the image "
        "that comes out and "
        "never at the code, so that a map may be bent and folded in any way that the decoder can undo; which "
        "one is found is "
        "decided by the first weights and the order of the images."
    )


def fits(moved: float, angle: float, gap: float) -> str:
    """Two fits of PCA: the largest difference of a coordinate on the same images, in pixel units; the angle in degrees between
    the planes of two halves of the images; λ₂ / λ₃."""
    again = (
        "Fitted twice to the same images, PCA gives the same map to the last digit"
        if moved == 0
        else f"Fitted twice to the same images, PCA gives coordinates that differ by {moved:.2g} at most"
    )
    return (
        f"{again}: the components are eigenvectors of one covariance matrix, with no first weights to start from. Fitted to "
        f"two halves of the images, which share none, the planes are {angle:.1f}° apart at most: other images turn a plane the "
        f"more, the less its variances stand out from the next (λ₂ / λ₃ = {gap:.2f})."
    )


def maps(accuracy: Mapping[str, Measured]) -> str:
    """How well neighbours in the map tell the class, in % of test images, of "PCA" and "autoencoder"."""
    ae, pca = (accuracy[name] for name in ("autoencoder", "PCA"))
    return difference(ae, pca).say(
        more="The five nearest neighbours in the map name the class of {a} % of the test images for the autoencoder and of "
        "{b} % for two principal components: a curved map can pull classes apart that a flat shadow of the images lays on top "
        "of each other.",
        less="The five nearest neighbours in the map name the class of {a} % of the test images for the autoencoder and of "
        "{b} % for two principal components: here the curved map keeps the classes less apart than the flat one.",
        neither="The five nearest neighbours in the map name the class of {a} % of the test images for the autoencoder and of "
        "{b} % for two principal components: {different}.",
    )


def neighbours(accuracy: Mapping[str, Measured]) -> str:
    """How well neighbours in the map tell the class, in % of test images, of "VAE" and "autoencoder"."""
    return difference(accuracy["VAE"], accuracy["autoencoder"]).say(
        more="The five nearest neighbours in its map name the class more often than in the autoencoder's, for {a} % of the "
        "test images against {b} %.",
        less="The five nearest neighbours in its map name the class less often than in the autoencoder's, for {a} % of the "
        "test images against {b} %.",
        neither="The shares of test images whose class the five nearest neighbours name {differ} between its map and the "
        "autoencoder's ({a} % and {b} %).",
    )


def generated(fid: Mapping[str, Measured], outside: float) -> str:
    """FID of images decoded from a Gaussian fitted to the codes, of "PCA" and "autoencoder"; and the share of
    pixels that PCA's leave outside [0, 1]."""
    ae, pca = (fid[name] for name in ("autoencoder", "PCA"))
    why = (
        "An image of PCA is a sum of the mean and two patterns, so that its strokes are blends of light and "
        "shadow, and "
        f"{percent(outside)} of its pixels have to be cut back to [0, 1]"
    )
    return difference(ae, pca).say(
        less="Images decoded from a Gaussian fitted to the codes lie nearer to real ones for the autoencoder, "
        "at an FID of {a} "
        f"against {{b}} for PCA. {why}; the decoder's hidden layer and its sigmoid draw strokes that begin and end.",
        more="Images decoded from a Gaussian fitted to the codes lie nearer to real ones for PCA, at an FID of "
        "{b} against {a} for "
        f"the autoencoder. {why}; but the Gaussian also draws codes from between the branches of the autoencoder's map, "
        "where nothing was trained.",
        neither="The FIDs of images decoded from a Gaussian fitted to the codes {differ} between the "
        f"autoencoder ({{a}}) and PCA ({{b}}). {why}.",
    )


def equals(pairs: Sequence[tuple[int, float, int]]) -> str:
    """How many components are as good as how many latent variables: (latent variables, their error, components)."""
    (d, error, k), *rest = pairs
    first = f"{k} principal components to reach the test error of {d} latent variables ({error:.4f})"
    told = joined([first, *(f"{k} to reach that of {d} ({error:.4f})" for d, error, k in rest)])
    wins = [d for d, _, k in pairs if k > d]
    if len(wins) == len(pairs):
        end = (
            "At every size PCA needs more: its components are the best that a linear code can do, and the "
            "hidden layers let the "
            "same few numbers follow a curved surface."
        )
    elif wins:
        rest_of = joined([str(d) for d, _, _ in pairs if d not in wins])
        end = (
            f"With {joined([str(d) for d in wins])} numbers the autoencoder is ahead; with {rest_of} PCA is as good or "
            "better: what the hidden layers could gain there, this training has not found."
        )
    else:
        end = "PCA needs no more at any size: the hidden layers gain nothing here that this training would have found."
    return f"It takes {told}. {end}"


def elbows(whole: Mapping[str, float | None], half: Mapping[str, float | None], last: int, middle: int) -> str:
    """The elbow of each curve, over all sizes to `last` and to `middle`; None for a curve that does not fall."""
    if None in (*whole.values(), *half.values()):
        risen = joined([name for name in whole if None in (whole[name], half[name])])
        return (
            f"The error of {risen} does not fall from the first size to the last, so that it has no elbow to speak of."
        )
    told = joined([f"{whole[name]:g} for {name}" for name in whole])
    if all(half[name] == whole[name] for name in whole):
        return (
            "The elbow, the point farthest below the straight line between the ends of the curve, is at "
            f"{told}, and stays there "
            f"when the curve is cut off at {middle}: here the rule is sound."
        )
    other = joined([f"{half[name]:g} for {name}" for name in half])
    return (
        f"The elbow, the point farthest below the straight line between the ends of the curve, is at {told}; "
        "but when the same "
        f"curve is cut off at {middle} instead of {last} it is at {other}. The error falls smoothly, without a "
        "corner, so "
        "the elbow reflects the plotted range more than the data: choose the size from the error that can be tolerated."
    )


def prior(distance: Mapping[str, float], floor: float) -> str:
    """Fréchet distance of the codes to N(0, I), of "autoencoder" and "VAE", and of as many draws of N(0, I) itself."""
    ae, vae = distance["autoencoder"], distance["VAE"]
    where = (
        f"The VAE's map has a place and a scale: its codes are at a Fréchet distance of {vae:.3g} from N(0, I), the "
        f"autoencoder's at {ae:.3g} (as many draws of N(0, I) itself: {floor:.2g})"
    )
    if NEARER * vae < ae:
        return (
            f"{where}. The KL term charges for every code that is far from the origin or too sure of itself, which draws them "
            f"together around it; the autoencoder pays for neither, and leaves its codes wherever training has put them."
        )
    return (
        f"The VAE's codes are not much nearer to N(0, I) than the autoencoder's, at a Fréchet distance of {vae:.3g} against "
        f"{ae:.3g} (as many draws of N(0, I) itself: {floor:.2g}). The KL term asks for it, but this training has "
        "not brought it "
        "about."
    )


def redrawn(same: bool, apart: float, pair: float, of_test: Measured) -> str:
    """Samples drawn again: whether the same seed gives the same images; FID between two draws of other seeds; the mean distance
    between images that hold the same place in both draws, per pixel; FID of a draw to test images."""
    first = (
        "With the same seed the VAE draws the same images to the last bit"
        if same
        else "Even with the same seed the VAE does not draw the same images"
    )
    second = f"with another seed every image is another (they differ by {pair:.3f} squared error per pixel)"
    return difference(Measured(apart, 0.0), of_test).say(
        less=f"{first}; {second}, but the two sets are of one kind: their FID to each other is {{a}}, and to the test images "
        f"{{b}}. A seed chooses the codes, and what may be drawn is in the weights.",
        more=f"{first}; {second}, and the two sets are farther from each other (FID {{a}}) than from the test images ({{b}}).",
        neither=f"{first}; {second}, and the FIDs of the two sets to each other ({{a}}) and to the test images "
        f"({{b}}) {{differ}}.",
    )


def subspace(largest: float, chance: float, units: float, ratio: float) -> str:
    """The linear autoencoder: the largest principal angle to PCA's subspace, and that of a random one, in degrees; the largest
    angle between a unit's direction and the component nearest to it; its error over that of PCA."""
    if largest < 10 and ratio < 1.05:
        found = (
            "The linear autoencoder has found the subspace of PCA: the largest principal angle between them is "
            f"{largest:.2f}° "
            f"({chance:.0f}° for a random one)"
        )
    else:
        found = (
            f"After this training the linear autoencoder is still {largest:.1f}° from the subspace of PCA at "
            "its worst angle "
            f"({chance:.0f}° for a random one)"
        )
    axes = (
        f"its single units are not components, one of them lies {units:.0f}° from the nearest: the error is the same for "
        "every basis of "
        "that space, and nothing asks for orthogonal ones"
        if units > 10
        else f"even its single units lie along components, within {units:.0f}°, though nothing in the error asks for that"
    )
    return (
        f"{found}, and its test error is {ratio:.3f} times that of PCA. On the images that both "
        f"are fitted to, no linear code has less squared error than PCA (Baldi & Hornik 1989); {axes}."
    )


def latent(ae: Sequence[float], pca: float, size: int) -> str:
    """Errors of the autoencoder over seeds against PCA's with as many numbers."""
    return difference(Measured.over(ae, "squared error per pixel"), Measured(pca, 0.0)).say(
        less=f"With {size} numbers the autoencoder's test error is {{a}} and PCA's {{b}}, lower by {{difference}}.",
        more=f"With {size} numbers the autoencoder's test error is {{a}} and PCA's {{b}}, higher by {{difference}}.",
        neither=f"With {size} numbers the autoencoder's test error ({{a}}) {{differs}} from PCA's ({{b}}).",
    )
