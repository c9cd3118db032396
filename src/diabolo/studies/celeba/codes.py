"""What the study of faces says of codes: what can be read from them, added to them and drawn from them, and whether they are
used."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from diabolo.display import words
from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, between, family, from_nothing, joined, less

HOLE = 1.5  # times the distance of as many draws of the prior, from which on there is a hole
SURVIVES, LOST = 1 / 3, 2 / 3  # of how far two people differ
FLOORS = ("pixels", "PCA-")
CORRELATED = "The vector is a difference of means, so it holds what is correlated with it in the training images."
CODES = ("undercomplete", "VAE")
Found = Mapping[str, Measured]


def separable(ae_less_vae: Measured, attribute: str, found: Found) -> str:
    """Paired difference of probe accuracies in percentage points, undercomplete less VAE; and "VAE less VAE, sampled codes",
    what a draw of q(z|x) costs the same probe."""
    told = from_nothing(ae_less_vae).say(
        more=f"A linear probe predicts {attribute} {{difference}} percentage points more accurately from the undercomplete "
        "model's "
        "codes. The probe uses posterior means, so sampling noise is not the cause. This is what one expects if detail that "
        "costs more KL than it saves in error is not encoded.",
        less=f"A linear probe predicts {attribute} {{difference}} percentage points more accurately from the VAE's codes. A "
        "linear "
        "layer is not changed by a rotation of the units; one training of each does not show whether the KL term is the cause.",
        neither=f"The accuracies for {attribute} {{differ}} between the two codes (by "
        f"{abs(ae_less_vae.value):.1f} percentage points).",
    )
    return told + from_nothing(found["VAE less VAE, sampled codes"]).say(
        more=" On one draw of q(z|x), which is what the decoder sees, the probe is less accurate than on its mean by "
        "{difference} "
        "percentage points: the means hold differences that the noise of the code drowns.",
        less=" On one draw of q(z|x) the probe is more accurate than on its mean by {difference} percentage points.",
        neither=" On one draw of q(z|x) the probe's accuracy {differs} from that on its mean.",
    )


def floors(found: Found) -> str:
    """Accuracies in % of the better of the two codes and of each floor, with their paired differences "CODE less FLOOR"."""
    code = max(CODES, key=lambda name: found[name].value)
    plain = [name for name in found if name.startswith(FLOORS) and " less " not in name]
    called = code if code == "VAE" else f"{code} model"
    several = family({name: between(found, code, name, less(code, name)) for name in plain})
    each = [
        one.say(
            more=f"{{difference}} percentage points more than on {_on(name)} ({{b}} %)",
            less=f"{{difference}} percentage points less than on {_on(name)} ({{b}} %)",
            neither=f"an accuracy that {{differs}} from that on {_on(name)} ({{b}} %)",
        )
        for name, one in several.items()
    ]
    told = f"On the codes of the {called} a linear layer reaches {found[code].value:.1f} %: {joined(each)}."
    if any(one.decision == "less" for name, one in several.items() if name.startswith("PCA-")):
        return (
            f"{told} PCA, too, keeps only what helps to reconstruct, so that is not why the network's codes do worse."
        )
    return told


def _on(name: str) -> str:
    """ "pixels, by 512 components" as it is said: "512 components of the pixels"."""
    components = name.removeprefix("pixels, by ")
    return name if components == name else f"{components} of the pixels"


def vector(gain: Measured, scores: Mapping[float, float], attribute: str) -> str:
    """Whether adding the vector adds the attribute: `gain` in probability, and `scores` α → mean probability by the probe of
    another model."""
    shown = sorted({0.0, strength(scores)})
    told = joined([f"{scores[alpha]:.2f} at α = {alpha:g}" for alpha in shown])
    through = scores[0] < 0.5 <= max(score for alpha, score in scores.items() if alpha > 0)
    work = from_nothing(gain).say(
        more="works" if through else "works in part, since the probe moves but not from no to yes",
        less="works in the wrong direction",
        neither="has an effect that {differs} from none",
    )
    judge = "a probe on another model's codes of the decoded faces gives it"
    return f"Adding the vector for {attribute} {work}: {judge} a probability of {told}."


def strength(scores: Mapping[float, float]) -> float:
    """The least α above 0 at which the mean probability is ½ or more; the largest when it never is."""
    return min((alpha for alpha, score in scores.items() if alpha > 0 and score >= 0.5), default=max(scores))


def person(drift: float, apart: float, alpha: float) -> str:
    """Whether the face stays that of the same person at α: mean movement of identity-related attributes, as a
    probability, against how far two people are apart in them."""
    share = drift / apart
    kept = (
        "so the person stays the same"
        if share < SURVIVES
        else "so the edit partly changes the person"
        if share < LOST
        else "so the edit changes the person"
    )
    return (
        f"At α = {alpha:g}, identity-related attributes shift by {drift:.3f} on average, {percent(share)} of the typical "
        f"difference between two people, {kept}."
    )


def moves(moved: Mapping[str, float], identity: Sequence[str]) -> str:
    """The attributes that move most, by their mean change: of the identity-related ones, and of all others. The mean
    over several attributes can hide one."""

    def shift(name: str) -> str:
        return f"{moved[name]:+.2f}".replace("-", "−")

    most = max(identity, key=lambda name: abs(moved[name]))
    rest = [name for name in moved if name not in identity]
    told = f"Of these, {most} moves most ({shift(most)})"
    if rest:
        other = max(rest, key=lambda name: abs(moved[name]))
        told += f"; of all others, {other} ({shift(other)})"
    return f"{told}."


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
        return f"{step}.".replace(" -", " −")
    change = (less / now) / (drift / gain) - 1
    return (
        f"{step}. For each unit of the gain they move {percent(abs(change))} {'more' if change > 0 else 'less'}, one "
        "measurement "
        "without an interval."
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


def few(kl_per_unit: Sequence[float], share: float = 0.9) -> int:
    """How many units, those of the largest KL, carry that share of it."""
    falling = sorted(kl_per_unit, reverse=True)
    return next((i + 1 for i, so_far in enumerate(accumulate(falling)) if so_far >= share * sum(falling)), len(falling))


def collapse(found: Found, units: int, code_use: float) -> str:
    """Whether the posterior collapsed; `code_use` is the share of the error that the own code takes away from that with
    another image's."""
    active, kl = found["active units"].value, found["KL"].value
    told = f"{active:.0f} of {units} units are active and the KL term is {kl:.1f} nats per image"
    use = f"with the code of another image the error is {1 / max(1e-9, 1 - code_use):.1f} times as large"
    if active == 0:
        return f"The posterior collapsed: {told}; the code carries no information about the image."
    if code_use < 0.02:
        return f"The posterior collapsed: {told}, but {use}, so the decoder hardly uses the code."
    uneven = (
        f"But {found['units under 0.1 nat'].value:.0f} units carry less than 0.1 nat, and "
        f"{found['units of 90 % of the KL'].value:.0f} units carry 90 % of the KL term."
    )
    if active < 0.9 * units:
        return (
            f"The posterior did not collapse, but part of the code is idle: {told}. A unit goes idle when it would save less "
            f"squared error than its KL costs. The decoder uses the rest: {use}. {uneven}"
        )
    return f"The posterior did not collapse: {told}; {use}. {uneven}"


def balance(reconstruction: float, kl: float, beta: float, pixels: int) -> str:
    """The two terms of the last epoch on test images: squared error summed over pixels, and KL in nats."""
    share = percent(beta * kl / (reconstruction + beta * kl))
    weighed = "" if beta == 1 else f"{beta:g} · "
    return (
        f"The test loss ends at {reconstruction + beta * kl:.1f} = {reconstruction:.1f} (squared error, summed over {pixels:,} "
        f"numbers) + {weighed}{kl:.1f} (KL, nats), of which the KL term is {share}."
    )


def noise(best: float, beta: float) -> str:
    """The β at which the Gaussian likelihood has the variance of the errors, `best`, against that of the training."""
    told = (
        "For these errors, of decoded draws of q(z|x), the most likely variance, their mean square, corresponds to "
        f"β = {best:.2g}"
    )
    after = "A model trained at another β has other errors, so this β is no optimum"
    if beta > 1.5 * best:
        return f"{told}: the KL term weighs {beta / best:.2g} times as much here. {after}."
    if beta < best / 1.5:
        return f"{told}: the KL term weighs {best / beta:.2g} times less here. {after}."
    return f"{told}, about that of the training. {after}."


def reached(curve: Sequence[float], share: float = 0.9) -> int:
    """The epoch, from 1, after which that share of the fall from the first to the last of `curve` is done."""
    fall = curve[0] - curve[-1]
    return next((i + 1 for i, value in enumerate(curve) if curve[0] - value >= share * fall), len(curve))


def settled(curve: Sequence[float], within: float = 0.05) -> int:
    """The epoch, from 1, from which on `curve` stays within that share of its last value."""
    far = [i + 1 for i, value in enumerate(curve) if abs(value - curve[-1]) > within * abs(curve[-1])]
    return 1 + max(far, default=0)


def course(curve: Sequence[float], where: str) -> str:
    """How the KL term moves from epoch to epoch, in nats: ends, extremes, and from when on it hardly moves."""
    ends = {curve.index(max(curve)): "at most", curve.index(min(curve)): "at least"}
    turns = [f"{word} {curve[i]:.1f} (epoch {i + 1})" for i, word in sorted(ends.items()) if 0 < i < len(curve) - 1]
    told = joined([f"{curve[0]:.1f} in epoch 1", *turns, f"{curve[-1]:.1f} at the end"])
    since = settled(curve)
    steady = (
        f"from epoch {since} on it stays within 5 % of that"
        if since < len(curve)
        else "it moves by more than 5 % up to the last epoch"
    )
    return f"{where} the KL term in nats is {told}; {steady}."


def dynamics(done: int, training: Sequence[float]) -> str:
    """How the two terms move: after how many epochs 90 % of the fall of the error is `done`, and the KL term by epoch."""
    error = f"After {done} of {len(training)} epochs 90 % of the fall of the test error is complete."
    return f"{error} {course(training, 'In training')}"
