"""What the study `beta` says of the KL divergence and its direction, from the numbers of its row."""

from diabolo.plain import percent
from diabolo.studies.beta.words import Found, three

FITS = {"covering": "KL(p ‖ q)", "seeking": "KL(q ‖ p)"}  # a fit, and the divergence that it has the least of

IN_A_VAE = (
    "Both directions occur in a VAE. The KL term is KL(q(z|x) ‖ p(z)), a mean over the posterior: it penalises codes where the "
    "prior density is low, and nothing forces one posterior to cover the prior. The likelihood fits the model to the data in "
    "the direction KL(data ‖ model), a mean over the data. So the model must give mass to every image, and where it cannot "
    "follow, it spreads over images in between. That is one reason why samples of a VAE look blurred."
)


def direction(f: Found) -> str:
    """What either fit covers, and at what cost."""
    gap, held = ({fit: f[f"{what}, {fit}"].value for fit in FITS} for what in ("mass in the gap", "mixture covered"))
    floor = percent(f["mass in the gap, mixture"].value)
    least = {kl: {fit: f[f"{kl}, {fit}"].value for fit in FITS} for kl in FITS.values()}
    forward, backward = least["KL(p ‖ q)"], least["KL(q ‖ p)"]
    best = forward["covering"] <= forward["seeking"] and backward["seeking"] <= backward["covering"]
    head = (
        "Each fit is better by its own divergence and worse by the other"
        if best
        else "The numerical fits are not better by their own divergences here, so the shares below are not those of optima"
    )
    return (
        f"{head}. Minimising KL(p ‖ q) covers both parts of the mixture: {percent(held['covering'])} of its mass lies within "
        f"the 95 % ellipse of the fit. But {percent(gap['covering'])} of the mass of the fit lies in the gap between them, "
        f"where the mixture itself has {floor}. Minimising KL(q ‖ p) seeks one part: its ellipse holds "
        f"{percent(held['seeking'])} of the mixture, and {percent(gap['seeking'])} of the fit lies in the gap. KL(p ‖ q) is "
        f"{three(forward['covering'])} nats for the first fit and {three(forward['seeking'])} for the second; KL(q ‖ p) is "
        f"{three(backward['covering'])} and {three(backward['seeking'])}. A mean over p of log p/q penalises a q that is small "
        "where p is large; a mean over q of log q/p penalises a q that is large where p is small."
    )


def no_distance(f: Found) -> str:
    """KL is never negative, and not symmetric."""
    there, back = (f[f"KL between the two fits, {way}"].value for way in ("there", "back"))
    return (
        "By Jensen's inequality KL is never negative, and 0 only where p = q. The smallest of "
        f"{f['random pairs'].value:,.0f} random pairs of Gaussians is {three(f['least KL of random pairs'].value)} nats. It is "
        f"no distance: between the two fits it is {three(there)} nats one way and {three(back)} the other."
    )
