"""What the study `beta` says of the KL divergence and its direction, from the numbers of its row."""

from diabolo.display import words
from diabolo.plain import percent
from diabolo.studies.beta.words import Found

FITS = {"covering": "KL(p ‖ q)", "seeking": "KL(q ‖ p)"}  # a fit, and the divergence that it has the least of

IN_A_VAE = (
    "Both directions occur in a VAE. The KL term is KL(q(z|x) ‖ p(z)), a mean over the posterior: it penalises codes where the "
    "prior has no mass, and nothing forces one posterior to cover the prior. The likelihood fits the model to the data in the "
    "direction KL(data ‖ model), a mean over the data: the model must give mass to every image, and where it cannot follow, it "
    "spreads over images in between. That is one reason why samples of a VAE look blurred."
)


def direction(f: Found) -> str:
    """What either fit covers, and at what cost."""
    gap, held = ({fit: f[f"{what}, {fit}"].value for fit in FITS} for what in ("mass in the gap", "mixture covered"))
    least = {kl: {fit: f[f"{kl}, {fit}"].value for fit in FITS} for kl in FITS.values()}
    forward, backward = least["KL(p ‖ q)"], least["KL(q ‖ p)"]
    best = forward["covering"] <= forward["seeking"] and backward["seeking"] <= backward["covering"]
    head = (
        "Each fit is the best by its own divergence and the worse by the other"
        if best
        else "The numerical fits are not the best by their own divergences here, so the shares below are not those of optima"
    )
    return (
        f"{head}. Minimising KL(p ‖ q) covers both parts of the mixture: {percent(held['covering'])} of its mass lies within "
        f"the 95 % ellipse of the fit, but {percent(gap['covering'])} of the mass of the fit lies where the mixture has next "
        f"to none. Minimising KL(q ‖ p) seeks one part: it covers {percent(held['seeking'])} of the mixture, with "
        f"{percent(gap['seeking'])} of the fit in the gap. KL(p ‖ q) is {words(forward['covering'])} nats for the first fit "
        f"and {words(forward['seeking'])} for the second; KL(q ‖ p) is {words(backward['covering'])} and "
        f"{words(backward['seeking'])}. A mean over p of log p/q penalises a q that is small where p is large; a mean over q "
        "of log q/p penalises a q that is large where p is small."
    )


def no_distance(f: Found) -> str:
    """KL is never negative, and not symmetric."""
    there, back = (f[f"KL between the two fits, {way}"].value for way in ("there", "back"))
    return (
        f"KL is never negative: the least of {f['random pairs'].value:,.0f} random pairs of Gaussians is "
        f"{words(f['least KL of random pairs'].value)} nats, and from itself a Gaussian has "
        f"{words(f['KL of a Gaussian from itself'].value)}. It is no distance: between the two fits it is "
        f"{words(there)} nats one way and {words(back)} the other."
    )
