"""What the study `guide` says of its rows 5.6 and 5.8, on variational models; see `guide`."""

import math
from collections.abc import Sequence

from diabolo.studies.engine.findings import family, joined
from diabolo.studies.guide.plain import Numbers, against, points

UNITS = 16
HEAVIEST = 50.0  # the weight that is to provoke a collapse
DIGIT = math.log(10)  # nats: the most that one of ten classes can say
FREE = "free bits 0.5"


def annealing(n: Numbers, names: Sequence[str]) -> str:
    """5.6: schedules, and free bits, against a constant weight."""
    against_usual = family({name: against(n, "−ELBO", name, names[0]) for name in names[1:]})
    said = [
        against_usual[name].say(
            more=f"{name} raises −ELBO by {{difference}} nats",
            less=f"{name} lowers −ELBO by {{difference}} nats",
            neither=f"with {name} −ELBO {{differs}} ({{a}} nats)",
        )
        for name in names[1:]
    ]
    usual = n[f"active units, {names[0]}"].value
    changes = [against_usual[name] for name in names[1:] if name != FREE]
    if any(change.sure and change.value < 0 for change in changes):
        why = "A small weight at first lets units carry information before that costs anything."
    elif FREE in names and (free := against_usual[FREE]).sure and free.value < 0:
        why = "So no gain from annealing is shown here, but the units that free bits keep active are useful."
    elif usual > UNITS / 2:
        why = (
            f"At the constant weight {usual:.0f} of {UNITS} units are active, so there is little to gain: annealing "
            f"helps where units become inactive before the decoder has learned to use them."
        )
    else:
        why = (
            f"At the constant weight only {usual:.0f} of {UNITS} units are active, and annealing does not change that."
        )
    active = joined([f"{n[f'active units, {name}'].value:.0f} ({name})" for name in names])
    (constant,) = {against_usual[name].b.value for name in names[1:]}
    return (
        f"At a final weight of 1, against the constant weight ({constant:.3g} nats): {'; '.join(said)}. {why} Active units "
        f"of {UNITS}, in one training each: {active}."
    )


def heavier(n: Numbers) -> str:
    """5.6: what β = 4 does."""
    rate, distortion = (n[f"{what}, β 4"].value - n[f"{what}, β 1"].value for what in ("KL", "reconstruction"))
    return (
        f"β = 4 changes the KL term by {_signed(rate)} nats and the reconstruction term by {_signed(distortion)}. −ELBO, the "
        f"bound at weight 1, gets {'worse' if rate + distortion > 0 else 'better'} by {abs(rate + distortion):.3g} nats (one "
        f"training each)."
    )


def _signed(nats: float) -> str:
    """+3.1 or −3.1."""
    return f"{nats:+.3g}".replace("-", "−")


def collapse(n: Numbers) -> str:
    """5.6: whether the collapse came, and was found."""
    name = "β 50"
    active, kl, ill = (n[f"{what}, {name}"].value for what in ("active units", "KL", "collapse found"))
    if active > UNITS / 4:
        return f"At β = 50, {active:.0f} of {UNITS} units are still active ({kl:.3g} nats): the posterior has not collapsed."
    found = "The doctor detects the collapse or its cause." if ill else "The doctor does not detect it."
    return (
        f"At β = 50, {active:.0f} of {UNITS} units are active and the code carries {kl:.3g} nats per image. A nat in the code "
        f"costs fifty nats of loss and saves fewer, so q(z|x) becomes nearly the prior for every image. {found}"
    )


def cures(n: Numbers) -> str:
    """5.6: which of the cures work."""
    said = []
    for name in ("β 50, free bits 0.5", "β 50, annealed", "β 1"):
        active, kl = n[f"active units, {name}"].value, n[f"KL, {name}"].value
        said.append(f"{name}: {active:.0f} active units and {kl:.3g} nats")
    works = n["active units, β 50, annealed"].value > UNITS / 4
    names = ("β 1", "β 4", "β 50", "β 50, annealed", "β 50, free bits 0.5")
    losses = {name: n[f"reconstruction, {name}"].value + HEAVIEST * n[f"KL, {name}"].value for name in names}
    lowest = losses["β 50, annealed"] <= min(losses[name] for name in ("β 1", "β 4", "β 50, free bits 0.5"))
    why = (
        "Annealing leads to another solution here although the final weight is the same."
        if works
        else "Annealing does not cure it: the final loss is the same, and "
        + (
            "no other code here has a lower one than a code without information."
            if lowest
            else "this training does not find the code here that has a lower one."
        )
    )
    free = (
        "Free bits make the first half nat of each unit cost nothing, so it is used."
        if n["KL, β 50, free bits 0.5"].value > n["KL, β 50"].value + 1
        else "Free bits do not restore the code here."
    )
    return f"The cures: {'; '.join(said)}. {free} {why}"


def told(n: Numbers) -> str:
    """5.8: whether the condition decides the digit, and what it saves the code."""
    read, real = n["read, embedding"].value, n["read, real digits"].value
    saved = n["KL, none"].value - n["KL, embedding"].value
    most = (
        f". The class itself accounts for {DIGIT:.3g} (ln 10) of them at most; one training of each does not show where the "
        f"rest comes from"
        if saved > DIGIT
        else ": it need not encode the class"
    )
    code = (
        f"The code carries {saved:.3g} nats less than that of the VAE without a condition{most}"
        if saved > 0
        else "The code carries no less than that of the VAE without a condition, although it need not encode the class"
    )
    return (
        f"A classifier reads {100 * real:.1f} % of the real test digits correctly, and {100 * read:.1f} % of the samples as "
        f"the digit asked for; chance is 10 %. {code}."
    )


def embedded(n: Numbers) -> str:
    """5.8: learned vectors against one-hot."""
    return points(against(n, "read", "embedding", "label")).say(
        more="Samples given an embedded class are read as the digit asked for more often than those given a one-hot class, by "
        "{difference} percentage points. That is one training of each; another seed may change it.",
        less="Samples given an embedded class are read as the digit asked for less often than those given a one-hot class, by "
        "{difference} percentage points. That is one training of each; another seed may change it.",
        neither="Samples given embedded and one-hot classes {differ} ({a} % and {b} % read as asked for): the first layer "
        "after a one-hot vector is itself an embedding. A separate embedding pays off with many classes, since encoder and "
        "decoder share it.",
    )
