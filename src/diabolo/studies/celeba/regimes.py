"""What the study of faces says of one VAE at two weights of the KL term: what its codes hold, and where new ones are drawn.

    E KL(q(z|x) ‖ p) = I(x; z) + KL(q(z) ‖ p),   q(z) = E q(z|x) the aggregated posterior (Hoffman & Johnson 2016)

Numbers are over seeds; a name ends with the weight it belongs to (`at`).
"""

from collections.abc import Mapping
from typing import NamedTuple

from diabolo.studies.engine.findings import Difference, Measured, between, difference, family, from_nothing

Found = Mapping[str, Measured]
SEVERAL = 2.0  # times, from which on one FID is several times another
NORMAL, GAUSSIAN, MIXTURE = "N(0, I)", "fitted Gaussian", "mixture of ten"


def at(what: str, beta: float) -> str:
    """What a number at that weight is called."""
    return f"{what}, β = {beta:g}"


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
    said = [
        several[beta].say(
            more=f"at β = {beta:g} less accurately than from the undercomplete model's, by {{difference}} percentage points",
            less=f"at β = {beta:g} more accurately than from the undercomplete model's, by {{difference}} percentage points",
            neither=f"at β = {beta:g} with an accuracy that {{differs}} from the undercomplete model's (gap "
            f"{found[at('probe gap', beta)].value:.1f} percentage points)".replace("-", "−"),
        )
        for beta in betas
    ]
    change = between(found, *(at("probe gap", beta) for beta in betas)).say(
        more="The smaller weight narrows the gap by {difference} percentage points.",
        less="The smaller weight widens the gap by {difference} percentage points.",
        neither="The gaps at the two weights {differ}.",
    )
    why = " A detail that costs more KL than it saves in error is never encoded, however informative."
    costs = several[betas.strong].decision == "more"
    return (
        f"Over seeds, {attribute} is read from the VAE's codes {said[0]}, and {said[1]}. {change}{why if costs else ''}"
    )


def gains(found: Found, betas: Betas) -> dict[float, Difference]:
    """FID of the fitted Gaussian less that of N(0, I), at each weight."""
    return family({beta: between(found, at(f"FID, {GAUSSIAN}", beta), at(f"FID, {NORMAL}", beta)) for beta in betas})


def drawn(found: Found, betas: Betas) -> str:
    """Whether a density fitted afterwards samples better than N(0, I)."""
    several, said = gains(found, betas), []
    for beta in betas:
        times = found[at("N(0, I) over fitted Gaussian", beta)].value
        first = several[beta].say(
            less=f"At β = {beta:g} the fitted Gaussian has an FID of {{a}} and N(0, I) one of {{b}}, {times:.1f} times as much",
            more=f"At β = {beta:g} the fitted Gaussian has an FID of {{a}}, above the {{b}} of N(0, I)",
            neither=f"At β = {beta:g} the FIDs of the fitted Gaussian and of N(0, I) {{differ}} ({{a}} and {{b}})",
        )
        if at(f"FID, {MIXTURE}", beta) in found:
            first += between(found, at(f"FID, {MIXTURE}", beta), at(f"FID, {GAUSSIAN}", beta)).say(
                less="; a mixture of ten is better still ({a})",
                more="; a mixture of ten is worse than the Gaussian ({a})",
                neither="; the FID of a mixture of ten ({a}) {differs} from the Gaussian's",
            )
        said.append(f"{first}.")
    return " ".join(said)


def parts(found: Found, betas: Betas) -> str:
    """The two parts of the KL term, and which of them the smaller weight enlarges."""
    rows = []
    for beta in betas:
        kl, hole, information = (found[at(what, beta)].value for what in ("KL", "hole", "I(x; z) at most"))
        least = found[at("I(x; z) at least", beta)].value
        rows.append(
            f"At β = {beta:g}, KL(q(z)‖p) is at least {hole:.1f} of the {kl:.0f} nats and I(x; z) lies between {least:.1f} and "
            f"{information:.0f}."
        )
    wider = difference(found[at("hole", betas.weak)], found[at("hole", betas.strong)]).say(
        more="the lower bound on KL(q(z)‖p) is larger by {difference} nats: q(z) lies farther from the prior",
        less="the lower bound on KL(q(z)‖p) is smaller by {difference} nats: q(z) lies nearer to the prior",
        neither="the lower bounds on KL(q(z)‖p) {differ}",
    )
    spent = found[at("KL", betas.weak)].value - found[at("KL", betas.strong)].value
    more = f"{abs(spent):.0f} nats {'more' if spent > 0 else 'fewer'}"
    return f"{' '.join(rows)} The smaller weight spends {more}, and {wider}."


def moments(found: Found, betas: Betas) -> str:
    """Why mean and covariance help: what a Gaussian with those of q(z) accounts for, and a mixture beyond it."""
    beta = betas.weak
    gaussian, hole = found[at("hole, mean and covariance", beta)].value, found[at("hole", beta)].value
    identity = (
        "For the Gaussian g with the mean and covariance of q(z), KL(q(z)‖p) = KL(q(z)‖g) + KL(g‖p), so drawing from g removes "
        "the second part."
    )
    share = gaussian / hole if hole > 0 else 0.0
    if gaussian <= 0.5:
        part = f"At β = {beta:g} that part is {max(gaussian, 0):.1f} nats"
        return f"{identity} {part}: there is nothing for mean and covariance to correct."
    rest = (
        "nearly all that can be shown"
        if share >= 0.9
        else "most of what can be shown"
        if share >= 0.5
        else "less than half of what can be shown, the rest being shape"
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
    """The two regimes, or what of them does not show here."""
    shown = lesson(found, betas)
    why = (
        "Under a large β nats "
        "are expensive: q(z) stays near the prior, and detail is left out. Under a small β they are cheap: detail gets in, "
        "and little holds q(z) to the prior."
    )
    if shown.whole:
        return f"These are two regimes. {why} Faces must then be drawn from a density fitted afterwards."
    missing = [
        text
        for holds, text in zip(
            shown,
            (
                f"no gap of the probe at β = {betas.strong:g}",
                f"a gap that stays open at β = {betas.weak:g}",
                f"no gain of {SEVERAL:g} times by the fitted Gaussian at β = {betas.weak:g}",
                f"such a gain at β = {betas.strong:g} already",
            ),
            strict=True,
        )
        if not holds
    ]
    return f"The two regimes do not separate fully here: there is {' and '.join(missing)}. {why}"


def arithmetic(found: Found, betas: Betas, attribute: str, alpha: float) -> str:
    """What the KL term does to arithmetic: gain in probability at α, and how far other attributes move for each unit of it."""
    plain, said = "undercomplete", []
    for what, unit in (
        ("gain", "raises its probability by"),
        ("drift per gain", "moves identity-related attributes by"),
    ):
        numbers = [found[f"{what}, {plain}"].value, *(found[at(what, beta)].value for beta in betas)]
        told = f"{numbers[1]:.2f} (β = {betas.strong:g}), {numbers[2]:.2f} (β = {betas.weak:g}) and {numbers[0]:.2f} ({plain})"
        said.append(f"{unit} {told.replace('-', '−')}{' for each unit of that' if what != 'gain' else ''}")
    one = difference(found[at("drift per gain", betas.strong)], found[f"drift per gain, {plain}"]).say(
        less=f"The KL term helps arithmetic at β = {betas.strong:g}: for the same gain the person changes less.",
        more=f"The KL term hurts arithmetic at β = {betas.strong:g}: for the same gain the person changes more.",
        neither=f"For the same gain, how much the person changes {{differs}} between β = {betas.strong:g} and no KL term.",
    )
    return f"At α = {alpha:g} adding {attribute} {said[0]}, and {said[1]}. {one}"
