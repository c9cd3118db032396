"""What the study of faces says of new faces: whether a density that is fitted to codes draws better ones than N(0, I), and what
it is fitted to.

The decoder of a VAE is trained with draws of q(z|x). So a density is fitted to draws, one for each training image: the Gaussian
with the mean and the covariance of q(z). The same densities are fitted to the means of q(z|x) beside, which vary less.
"""

from collections.abc import Mapping

from diabolo.studies.engine.findings import Difference, Measured, between, family

Found = Mapping[str, Measured]
SEVERAL = 2.0  # times, from which on one FID is several times another
NORMAL, GAUSSIAN, MIXTURE = "N(0, I)", "fitted Gaussian", "mixture of ten"
OF_MEANS = {GAUSSIAN: "Gaussian of the means", MIXTURE: "mixture of the means"}
KINDS = {GAUSSIAN: ("gaussian", True), OF_MEANS[GAUSSIAN]: ("gaussian", False), MIXTURE: ("mixture", True),
         OF_MEANS[MIXTURE]: ("mixture", False)}  # name → the density, and whether it is fitted to draws  # fmt: skip


def at(what: str, beta: float | None = None) -> str:
    """What a number at that weight is called; without one, that of the row on a single model."""
    return what if beta is None else f"{what}, β = {beta:g}"


def fid(name: str, beta: float | None = None) -> str:
    """What the FID of faces from there is called."""
    return at(f"FID, {name}", beta)


def gains(found: Found, betas: tuple[float, ...], of: str = GAUSSIAN, over: str = NORMAL) -> dict[float, Difference]:
    """FID of the one less that of the other at each weight, as one family."""
    return family({beta: between(found, fid(of, beta), fid(over, beta)) for beta in betas})


def drawn(found: Found, betas: tuple[float, ...]) -> str:
    """Whether a density fitted to draws samples better than N(0, I)."""
    said = []
    for beta, one in gains(found, betas).items():
        times = found[at("N(0, I) over fitted Gaussian", beta)].value
        told = one.say(
            less=f"At β = {beta:g} the fitted Gaussian has an FID of {{a}}, against {{b}} from N(0, I), {times:.1f} times "
            "as much",
            more=f"At β = {beta:g} the fitted Gaussian has an FID of {{a}}, above the {{b}} of N(0, I)",
            neither=f"At β = {beta:g} the FIDs of the fitted Gaussian and of N(0, I) {{differ}} ({{a}} and {{b}})",
        )
        said.append(f"{told}.")
    return " ".join(said)


def mixtures(found: Found, betas: tuple[float, ...]) -> str:
    """The mixture of ten against the Gaussian, both fitted to draws."""
    said = [
        one.say(
            less=f"At β = {beta:g} a mixture of ten gives a lower FID than the Gaussian ({{a}} against {{b}}).",
            more=f"At β = {beta:g} a mixture of ten gives a higher FID than the Gaussian ({{a}} against {{b}}).",
            neither=f"At β = {beta:g} the FIDs of a mixture of ten and of the Gaussian {{differ}} ({{a}} and {{b}}).",
        )
        for beta, one in gains(found, betas, MIXTURE, GAUSSIAN).items()
    ]
    return " ".join(said)


def means(found: Found, betas: tuple[float, ...]) -> str:
    """What becomes of the Gaussian when it is fitted to posterior means: the variance of a unit, and the FID."""
    said = []
    for beta, one in gains(found, betas, OF_MEANS[GAUSSIAN], GAUSSIAN).items():
        narrow, wide = (found[at(f"variance of a unit, {what}", beta)].value for what in ("means", "draws"))
        then = one.say(
            more="its FID is {a} in place of {b}",
            less="its FID is {a}, lower than {b}",
            neither="the FIDs of the two fits {differ} ({a} and {b})",
        )
        said.append(f"at β = {beta:g} (variance of a unit {narrow:.2f}, not {wide:.2f}) {then}")
    return f"Fitted to the means of q(z|x), the Gaussian is narrower: {'; '.join(said)}."


def single(found: Found) -> str:
    """The same of one model: FIDs of faces from N(0, I), and from the Gaussian and the mixture fitted to draws and to means."""
    told = between(found, fid(GAUSSIAN), fid(NORMAL)).say(
        less="The Gaussian with the mean and the covariance of q(z) gives an FID of {a}, against {b} from N(0, I).",
        more="The Gaussian with the mean and the covariance of q(z) gives an FID of {a}, above the {b} of N(0, I).",
        neither="The FIDs of codes from the Gaussian with the mean and the covariance of q(z) ({a}) and from N(0, I) ({b}) "
        "{differ}.",
    )
    narrow, wide = (found[f"variance of a unit, {what}"].value for what in ("means", "draws"))
    told += between(found, fid(OF_MEANS[GAUSSIAN]), fid(GAUSSIAN)).say(
        more=f" Fitted to the posterior means it is too narrow (variance of a unit {narrow:.2f} in place of {wide:.2f}), and "
        "the FID is {a}.",
        less=f" Fitted to the posterior means (variance of a unit {narrow:.2f} in place of {wide:.2f}) it gives a lower FID, "
        "{a}.",
        neither=f" Fitted to the posterior means (variance of a unit {narrow:.2f} in place of {wide:.2f}) it has an FID that "
        "{differs} ({a}).",
    )
    if fid(MIXTURE) not in found:
        return told
    mixture = between(found, fid(MIXTURE), fid(GAUSSIAN)).say(
        less=" The mixture of ten, fitted to draws, has a lower FID ({a}): q(z) is no single ellipsoid.",
        more=" The mixture of ten, fitted to draws, has a higher FID ({a}).",
        neither=" The FID of the mixture of ten, fitted to draws ({a}), {differs} from the Gaussian's.",
    )
    return f"{told}{mixture} Row 1.13 has the same over seeds, which decides."
