"""What the study of faces says of arithmetic with the codes of several models.

The gain is a change of a probability, which saturates, while other attributes go on moving: the drift per unit of gain is
larger the farther one goes. So models are compared at an equal gain: each moves its codes as far as it takes (`at_gain`).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from diabolo.studies.celeba.fits import at
from diabolo.studies.engine.findings import Measured, between, family, joined

Found = Mapping[str, Measured]
PLAIN = "undercomplete"
DRIFT = "drift at equal gain"


class Edit(NamedTuple):
    """What becomes of faces as their codes move along a direction, at each of the `alphas` (K,), which begin at 0.

    Attributes:
        alphas: how far.
        gain: of the attribute that is added, in probability.
        drift: how far identity-related attributes move, in probability.
    """

    alphas: Sequence[float]
    gain: Sequence[float]
    drift: Sequence[float]

    def at_gain(self, gain: float) -> tuple[float, float]:
        """The first α at which that gain is reached, and the drift there; both along straight lines between the `alphas`.

        Raises:
            ValueError: where it is not reached.
        """
        there = next((k for k, value in enumerate(self.gain) if value >= gain), None)
        if there is None:
            raise ValueError(f"a gain of {gain} is not reached: it is {max(self.gain)} at most")
        if not there:
            return self.alphas[0], self.drift[0]
        part = (gain - self.gain[there - 1]) / (self.gain[there] - self.gain[there - 1])
        alpha, drift = (
            float(np.interp(part, (0, 1), each[there - 1 : there + 1])) for each in (self.alphas, self.drift)
        )
        return alpha, drift


def common_gain(edits: Sequence[Edit]) -> float:
    """The gain that all of them reach: that of the one which gains least on its way."""
    return min(max(edit.gain) for edit in edits)


def raised(found: Found, betas: tuple[float, float], attribute: str, alpha: float) -> str:
    """What adding the attribute gains in probability at α."""
    numbers = [found[at("gain", beta)].value for beta in betas] + [found[f"gain, {PLAIN}"].value]
    told = [f"{value:.2f} ({name})".replace("-", "−") for value, name in zip(numbers, _names(betas), strict=True)]
    return f"At α = {alpha:g} adding {attribute} raises its probability by {joined(told)}."


def arithmetic(found: Found, betas: tuple[float, float]) -> str:
    """What the KL term does to arithmetic: drift at an equal gain, paired by seed."""
    if f"{DRIFT}, {PLAIN}" not in found:
        return "Not all models gain by the edit, so nothing is compared at an equal gain."
    drifts = [found[at(DRIFT, beta)].value for beta in betas] + [found[f"{DRIFT}, {PLAIN}"].value]
    told = [f"{value:.3f} ({name})" for value, name in zip(drifts, _names(betas), strict=True)]
    said = f"For the same gain of {found['equal gain'].value:.2f}, identity-related attributes move by {joined(told)}."
    pairs = family({beta: between(found, at(DRIFT, beta), f"{DRIFT}, {PLAIN}") for beta in betas})
    each = [
        one.say(
            less=f"at β = {beta:g} the KL term helps arithmetic: they move {{difference}} less than without it",
            more=f"at β = {beta:g} the KL term hurts arithmetic: they move {{difference}} more than without it",
            neither=f"at β = {beta:g} this {{differs}} from no KL term",
        )
        for beta, one in pairs.items()
    ]
    decisions = {one.decision for one in pairs.values()}
    if decisions == {"not decided"}:
        return f"{said} Paired by seed, neither β differs significantly from no KL term."
    if decisions == {"same"}:
        return (
            f"{said} Paired by seed, both β are within {pairs[betas[0]].matters:g} of no KL term, too little to matter."
        )
    return f"{said} Paired by seed, {each[0]}; {each[1]}."


def _names(betas: tuple[float, float]) -> list[str]:
    return [*(f"β = {beta:g}" for beta in betas), PLAIN]
