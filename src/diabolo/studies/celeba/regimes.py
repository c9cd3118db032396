"""What the study of faces says of one VAE at two weights of the KL term: what its codes hold, and where new ones are drawn.

    E KL(q(z|x) ‖ p) = I(x; z) + KL(q(z) ‖ p),   q(z) = E q(z|x) the aggregated posterior (Hoffman & Johnson 2016)

Numbers are over seeds; a name ends with the weight it belongs to (`fits.at`).
"""

from collections.abc import Mapping
from typing import NamedTuple

from diabolo.studies.celeba.fits import GAUSSIAN, SEVERAL, at, gains
from diabolo.studies.engine.findings import Difference, Measured, between, difference, family, from_nothing

Found = Mapping[str, Measured]


class Betas(NamedTuple):
    """The two weights, the larger first."""

    strong: float
    weak: float


def gaps(found: Found, betas: Betas) -> dict[float, Difference]:
    """The probe gap, undercomplete less VAE in percentage points, at each weight."""
    return family({beta: from_nothing(found[at("probe gap", beta)]) for beta in betas})


def probe(found: Found, betas: Betas, attribute: str) -> str:
    """Whether the gap of the probe closes at the smaller weight."""
    several = gaps(found, betas)
    strong, weak = (several[beta] for beta in betas)
    on = f"on the VAE's codes at β = {betas.strong:g}"
    first = strong.say(
        more=f"a linear probe for {attribute} is {{difference}} percentage points less accurate {on} than on the undercomplete "
        f"model's",
        less=f"a linear probe for {attribute} is {{difference}} percentage points more accurate {on} than on the undercomplete "
        f"model's",
        neither=f"the accuracies of a linear probe for {attribute} {on} and on the undercomplete model's {{differ}} (gap "
        f"{strong.signed} percentage points)",
    )
    then = weak.say(
        more=f"At β = {betas.weak:g} it is {{difference}} percentage points less accurate.",
        less=f"At β = {betas.weak:g} it is {{difference}} percentage points more accurate.",
        neither=f"At β = {betas.weak:g} the accuracies {{differ}} (gap {weak.signed} percentage points).",
    )
    change = between(found, *(at("probe gap", beta) for beta in betas)).say(
        more="The smaller weight narrows the gap by {difference} percentage points.",
        less="The smaller weight widens the gap by {difference} percentage points.",
        neither="The gaps at the two weights {differ}.",
    )
    return f"Over seeds, {first}. {then} {change}"


WHY = (
    "This is what one expects if detail that costs more KL than it saves in error is not encoded, however informative."
)


def parts(found: Found, betas: Betas) -> str:
    """The two parts of the KL term, each between bounds."""
    rows = []
    for beta in betas:
        kl, hole, information = (found[at(what, beta)].value for what in ("KL", "hole", "I(x; z) at most"))
        least, most = (found[at(what, beta)].value for what in ("I(x; z) at least", "hole at most"))
        rows.append(
            f"At β = {beta:g}, KL(q(z)‖p) is at least {hole:.1f} and at most {most:.1f} of the {kl:.0f} nats, and I(x; z) lies "
            f"between {least:.1f} and {information:.0f}."
        )
    return " ".join(rows)


def farther(found: Found, betas: Betas) -> str:
    """Whether the prior hole is larger at the smaller weight: its lower bound there against the upper bound at the larger."""
    return difference(found[at("hole", betas.weak)], found[at("hole at most", betas.strong)]).say(
        more="So q(z) lies farther from the prior at the smaller weight: at least {a} nats, against at most {b}.",
        less="These bounds do not show that q(z) lies farther from the prior at the smaller weight.",
        neither="Whether q(z) lies farther from the prior at the smaller weight is not decided: its lower bound there and the "
        "upper bound at the larger {differ} ({a} and {b} nats).",
    )


def ceiling(found: Found) -> str:
    """Why the lower bounds on I(x; z) say little."""
    most = found["most of I(x; z)"].value
    return (
        f"The estimate behind the lower bound on I(x; z) cannot exceed {most:.1f} nats, the logarithm of the number of test "
        "images. "
        "So a bound near it says nothing of how much more there is."
    )


def moments(found: Found, betas: Betas) -> str:
    """Why mean and covariance help: what a Gaussian with those of q(z) accounts for, and a mixture beyond it."""
    beta = betas.weak
    gaussian, hole = found[at("hole, mean and covariance", beta)].value, found[at("hole", beta)].value
    identity = (
        "For the Gaussian g with the mean and covariance of q(z), KL(q(z)‖p) = KL(q(z)‖g) + KL(g‖p). The Gaussian fitted to "
        "draws estimates g and so avoids the second part."
    )
    share = gaussian / hole if hole > 0 else 0.0
    if gaussian <= 0.5:
        part = f"At β = {beta:g} that part is {max(gaussian, 0):.1f} nats"
        return f"{identity} {part}: there is nothing for mean and covariance to correct."
    rest = (
        "nearly all of the lower bound"
        if share >= 0.9
        else "most of the lower bound"
        if share >= 0.5
        else "less than half of the lower bound, the rest being shape"
    )
    return f"{identity} At β = {beta:g} that part is {gaussian:.1f} of the {hole:.1f} nats, {rest}."


class Lesson(NamedTuple):
    """Which halves of the lesson show."""

    gap_at_strong: bool
    closes: bool
    gains_at_weak: bool
    no_gain_at_strong: bool

    @property
    def whole(self) -> bool:
        """Whether both do."""
        return all(self)


def lesson(found: Found, betas: Betas) -> Lesson:
    """Whether at the larger weight the probe has a gap and the Gaussian gains little, and at the smaller the reverse."""
    gap, gain = gaps(found, betas), gains(found, betas)
    times = {beta: found[at("N(0, I) over fitted Gaussian", beta)].value for beta in betas}
    return Lesson(
        gap[betas.strong].decision == "more",
        gap[betas.weak].decision != "more" or gap[betas.weak].value < gap[betas.strong].value / 3,
        gain[betas.weak].decision == "less" and times[betas.weak] >= SEVERAL,
        times[betas.strong] < SEVERAL,
    )


def verdict(found: Found, betas: Betas) -> str:
    """The two regimes, or what of them does not show here; with what a fitted density gains at either."""
    shown = lesson(found, betas)
    why = "Under a large β a nat is expensive, so detail is left out; under a small β it is cheap."
    if shown.whole:
        little = gains(found, betas)[betas.strong].say(
            less="lowers the FID too, but less",
            more="raises the FID",
            neither="gives an FID that {differs} from that of N(0, I)",
        )
        return f"Two regimes differ in degree. {why} At β = {betas.strong:g} a Gaussian fitted to draws {little}."
    missing = [
        text
        for holds, text in zip(
            shown,
            (
                f"no gap of the probe at β = {betas.strong:g}",
                f"a gap that stays open at β = {betas.weak:g}",
                f"no gain of {SEVERAL:g} times by the {GAUSSIAN} at β = {betas.weak:g}",
                f"such a gain at β = {betas.strong:g} already",
            ),
            strict=True,
        )
        if not holds
    ]
    return f"The two regimes do not separate fully here: there is {' and '.join(missing)}. {why}"
