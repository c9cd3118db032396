"""What the study of faces says of codes: what can be read from them, added to them and drawn from them, and whether they are
used."""

from collections.abc import Mapping, Sequence

from diabolo.display import words
from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, difference, from_nothing, joined

HOLE = 1.5  # times the distance of as many draws of the prior, from which on there is a hole
SURVIVES, LOST = 1 / 3, 2 / 3  # of how far two people differ
LESS = 0.9  # of a drift: what is nearer to it is about as much
FLOORS = ("pixels", "PCA-", "majority")
Found = Mapping[str, Measured]


def separable(ae_less_vae: Measured, attribute: str, active: float, units: int) -> str:
    """Paired difference of probe accuracies in percentage points, undercomplete less VAE."""
    silent = units - active
    why = (
        f"{silent:.0f} of the VAE's {units} units are idle. A detail that costs more KL than it saves in error is never "
        "encoded, however informative."
        if silent >= 0.05 * units
        else f"{active:.0f} of the VAE's {units} units are in use. The probe uses posterior means, so sampling noise is not "
        "the cause. But a detail that costs more KL than it saves in error is never encoded, however informative."
    )
    return from_nothing(ae_less_vae).say(
        more=f"{attribute} is read more accurately from the undercomplete model's codes, by {{difference}} percentage points. "
        f"{why}",
        less=f"{attribute} is read more accurately from the VAE's codes, by {{difference}} percentage points. A linear layer "
        "is not changed by a rotation of the units; one training of each does not show whether the KL term is the cause.",
        neither=f"The accuracies for {attribute} {{differ}} between the two codes (by "
        f"{abs(ae_less_vae.value):.1f} percentage points).",
    )


def floors(best_code: tuple[str, Measured], floor: tuple[str, Measured]) -> str:
    """Accuracies in %: that of the better of the two codes, and that of the best of pixels and principal components."""
    (name, code), (other, plain) = best_code, floor
    name = name if name == "VAE" else f"{name} model"
    return difference(code, plain).say(
        more=f"A linear layer is more accurate on the codes of the {name} ({{a}} %) than on {other} ({{b}} %).",
        less=f"A linear layer is less accurate on the codes of the {name} ({{a}} %) than on {other} ({{b}} %): a code holds "
        "only what helps to reconstruct.",
        neither=f"A linear layer's accuracy on the codes of the {name} ({{a}} %) {{differs}} from that on "
        f"{other} "
        f"({{b}} %).",
    )


def best(found: Found) -> tuple[tuple[str, Measured], tuple[str, Measured]]:
    """(name, accuracy) of the better of the two codes, and of the best floor."""
    codes = {name: found[name] for name in ("undercomplete", "VAE")}
    floor = {name: told for name, told in found.items() if name.startswith(FLOORS)}
    first, second = (max(group.items(), key=lambda one: one[1].value) for group in (codes, floor))
    return first, second


def vector(gain: Measured, scores: Mapping[float, float], attribute: str) -> str:
    """Whether adding the vector adds the attribute: `gain` in probability, and `scores` α → mean probability by the probe of
    another model."""
    told = joined([f"{score:.2f} at α = {alpha:g}".replace("-", "−") for alpha, score in sorted(scores.items())])
    through = scores[0] < 0.5 <= max(score for alpha, score in scores.items() if alpha > 0)
    work = from_nothing(gain).say(
        more="works" if through else "works in part: the probe moves, but not from no to yes",
        less="works in the wrong direction",
        neither="has an effect that {differs} from none",
    )
    judge = "the judge, a probe on another model's codes of the decoded faces,"
    return f"The vector for {attribute} {work}; {judge} gives a probability of {told}."


def strength(scores: Mapping[float, float]) -> float:
    """The least α above 0 at which the mean probability is ½ or more; the largest when it never is."""
    return min((alpha for alpha, score in scores.items() if alpha > 0 and score >= 0.5), default=max(scores))


def person(drift: float, apart: float, alpha: float) -> str:
    """Whether the face stays that of the same person at α: mean movement of identity-related attributes, as a
    probability, against how far two people are apart in them."""
    share = drift / apart
    kept = (
        "so by these the person stays the same"
        if share < SURVIVES
        else "so by these the edit partly changes the person"
        if share < LOST
        else "so by these the edit changes the person"
    )
    return (
        f"At α = {alpha:g}, identity-related attributes shift by {drift:.3f} on average, {percent(share)} of the typical "
        f"difference between two people, {kept}."
    )


def moves(moved: str, shift: float) -> str:
    """The other attribute that moves most, and by how much."""
    told = f"{shift:+.2f}".replace("-", "−")
    return (
        f"Of all other attributes {moved} moves most, by {told}. The vector is a difference of means, so it also holds what is "
        "correlated with the attribute in the training images."
    )


def right_angled(found: Found) -> str:
    """The same without the directions of all other attributes, which makes the step shorter."""
    (drift, gain), (less, now) = (
        (found[f"drift{end}"].value, found[f"gain{end}"].value) for end in ("", " at right angles")
    )
    step = (
        "Without its components along the normals of the probes of all other attributes the vector is "
        f"{percent(found['length at right angles'].value)} as long: identity-related attributes move by {less:.3f} instead of "
        f"{drift:.3f}, and the attribute itself by {now:.2f} instead of {gain:.2f}"
    )
    if gain <= 0 or now <= 0:
        return f"{step}."
    if less / now < LESS * drift / gain:
        return f"{step}. For the same effect they move less, so part of the drift came from those components."
    return (
        f"{step}. For the same effect they move no less, so the drift arises in the decoder or in the judge, not in a "
        "component that linear probes see."
    )


def hole(found: Found) -> str:
    """The prior hole: Fréchet distance and MMD² of codes to N(0, I), beside those of as many draws of N(0, I)."""
    distance, of_prior = (found[f"Fréchet distance to N(0, I){end}"].value for end in ("", ", prior draws"))
    mmd, mmd_of_prior = (found[f"MMD to N(0, I){end}"].value for end in ("", ", prior draws"))
    spread = found["codes' spread"].value
    shapes = f"{words(float(f'{mmd:.2g}'))}, of prior draws {words(float(f'{mmd_of_prior:.2g}'))}"
    told = (
        f"The codes of test images have a Fréchet distance of {distance:.3g} from N(0, I); for as many draws of N(0, I) "
        f"itself it is {of_prior:.3g}. The standard deviation of a unit is {spread:.3g} on average"
    )
    if distance >= HOLE * of_prior:
        return (
            f"{told} (MMD² {shapes}): that gap is the prior hole. Where N(0, I) is dense "
            "and codes are rare, the decoder gets codes that it was hardly trained on."
        )
    if mmd >= 1e-4 and mmd >= HOLE * abs(mmd_of_prior):
        return f"{told}: mean and covariance fit, but the shape does not (MMD² {shapes})."
    return f"{told}: there is hardly a prior hole here."


def mended(found: Found) -> str:
    """FIDs of samples from the fitted Gaussian, from N(0, I) and, where it was fitted, from the mixture."""
    normal, gaussian = (found[f"FID, {name}"] for name in ("N(0, I)", "fitted Gaussian"))
    first = difference(gaussian, normal)
    told = first.say(
        less="Codes from the fitted Gaussian give an FID of {a}, those from N(0, I) one of {b}. The Gaussian has the mean and "
        "the covariance of the posterior means, so its draws fall nearer to them.",
        more="Codes from the fitted Gaussian give an FID of {a}, worse than the {b} of N(0, I). Fitted to the posterior means, "
        "it is narrower than the codes that the decoder was trained on, and its faces may vary less.",
        neither="The FIDs of codes from the fitted Gaussian ({a}) and from N(0, I) ({b}) {differ}: a gain from the "
        "mean and the "
        "covariance of the posterior means is not shown here.",
    )
    if "FID, mixture of ten" not in found:
        return told
    return told + difference(found["FID, mixture of ten"], gaussian).say(
        less=" The mixture of ten is better still, at {a}: the codes are no single ellipsoid.",
        more=" The mixture of ten is worse than the Gaussian, at {a}.",
        neither=" The FID of the mixture of ten ({a}) {differs} from the Gaussian's.",
    )


def collapse(active: float, units: int, kl: float, code_use: float) -> str:
    """Whether the posterior collapsed; `code_use` is the share of the error that the own code takes away from that with
    another image's."""
    told = f"{active:.0f} of {units} units are active and the KL term is {kl:.1f} nats per image"
    use = f"with the code of another image the error is {1 / max(1e-9, 1 - code_use):.1f} times as large"
    if active == 0:
        return f"The posterior collapsed: {told}; the code carries no information about the image."
    if code_use < 0.02:
        return f"The posterior collapsed: {told}, but {use}, so the decoder hardly uses the code."
    if active < 0.9 * units:
        return (
            f"The posterior did not collapse, but part of the code is idle: {told}. A unit goes idle when it would save less "
            f"squared error than its KL costs. The decoder uses the rest: {use}."
        )
    return f"The posterior did not collapse: {told}; {use}."


def balance(reconstruction: float, kl: float, beta: float, pixels: int) -> str:
    """The two terms of the last epoch, per image: squared error summed over pixels, and KL in nats."""
    share = percent(beta * kl / (reconstruction + beta * kl))
    return (
        f"The loss ends at {reconstruction:.1f} of squared error, summed over the {pixels:,} numbers of an image, and "
        f"{beta * kl:.1f} for the KL term times {beta:g}, a share of {share} for the KL term. With the mean over pixels the "
        f"same β would weigh {pixels:,} times as much."
    )


def noise(best: float, beta: float) -> str:
    """The β at which the Gaussian likelihood has the variance of the errors, `best`, against that of the training."""
    told = f"The variance that fits the errors best, their mean square, corresponds to β = {best:.2g}"
    if beta > 1.5 * best:
        return f"{told}: the KL term weighs {beta / best:.2g} times as much here as in the most likely model."
    if beta < best / 1.5:
        return f"{told}: the KL term weighs {best / beta:.2g} times less here than in the most likely model."
    return f"{told}, about that of the training."


def reached(curve: Sequence[float], share: float = 0.9) -> int:
    """The epoch, from 1, after which that share of the fall from the first to the last of `curve` is done."""
    fall = curve[0] - curve[-1]
    return next((i + 1 for i, value in enumerate(curve) if curve[0] - value >= share * fall), len(curve))


def dynamics(found: Found, epochs: int) -> str:
    """How the two terms move in training: "epochs to 90 %", and the KL term on test images after the first and last epoch."""
    done, first, last = (found[name].value for name in ("epochs to 90 %", "KL, first epoch", "KL, last epoch"))
    error = f"After {done:.0f} of {epochs} epochs 90 % of the fall of the error is complete"
    if last > 1.05 * first:
        why = "the code holds more as the decoder learns to use it"
        return f"{error}; the KL term rises from {first:.1f} to {last:.1f} nats, so {why}."
    if last < 0.95 * first:
        why = "what does not pay for itself is dropped from the code"
        return f"{error}; the KL term falls from {first:.1f} to {last:.1f} nats, so {why}."
    return f"{error}; the KL term stays at about {last:.1f} nats from the first epoch on."
