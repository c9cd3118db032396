"""What the study `guide` says of its rows 5.10 to 5.12, on maps, generation and cost; see `guide`."""

from collections.abc import Sequence

from diabolo.plain import percent
from diabolo.studies.engine.findings import Difference, family, joined
from diabolo.studies.guide.plain import Numbers, against, points

CLOSE = 0.01  # of the neighbours: maps that differ by less keep as many
FORWARD = 1.5  # times as long at most that a step takes when its forward pass, the lesser part of it, is computed twice


def maps(n: Numbers, names: Sequence[str]) -> str:
    """5.10: which map keeps neighbours."""
    kept = {name: n[f"overlap, {name}"].value for name in names}
    best, said = max(kept, key=lambda name: kept[name]), joined([f"{percent(kept[name])} ({name})" for name in names])
    why = (
        "Such a map is made to keep neighbours and gives up distances between groups: how far apart two groups lie in it "
        "says little."
        if best != "PCA"
        else "Here the plane of most variance keeps neighbours as well as methods designed to."
    )
    level = [name for name in names if kept[best] - kept[name] < CLOSE]
    most = f"{joined(level)} keep most" if len(level) > 1 else f"{best} keeps most"
    return f"Of each code's ten nearest neighbours the maps keep {said}. {most}. {why}"


def ways(n: Numbers) -> str:
    """5.10: linear against spherical."""
    return against(n, "least confidence", "spherical", "linear").say(
        more="Along the spherical path a classifier stays more confident than along the straight one (lowest confidence {a} "
        "against {b}, {difference} more). The straight path passes closer to the origin than its ends do, and few codes lie "
        "there.",
        less="Along the spherical path a classifier is less confident than along the straight one (lowest confidence {a} "
        "against {b}, {difference} less): keeping the length of a code does not keep it where digits are.",
        neither="A classifier's lowest confidence {differs} between the straight and the spherical path ({b} and {a}).",
    )


def hole(n: Numbers) -> str:
    """5.11: N(0, I) for an autoencoder and for a VAE."""
    return against(n, "FID", "AE, normal", "VAE, normal").say(
        more="From N(0, I), images of the plain autoencoder are farther from real digits (FID {a}) than those of the VAE "
        "({b}). Nothing made the autoencoder's codes follow that density; the KL term of the VAE does.",
        less="From N(0, I), images of the plain autoencoder are nearer to real digits (FID {a}) than those of the VAE ({b}), "
        "although nothing made its codes follow that density.",
        neither="From N(0, I), the FIDs of autoencoder and VAE {differ} ({a} and {b}).",
    )


def fitted(n: Numbers) -> str:
    """5.11: a density fitted afterwards."""
    said = [
        against(n, "FID", f"{name}, normal", f"{name}, mixture").say(
            more=f"the {name}'s FID falls from {{a}} to {{b}}",
            less=f"the {name}'s FID rises from {{a}} to {{b}}",
            neither=f"the {name}'s FIDs {{differ}} ({{a}} and {{b}})",
        )
        for name in ("AE", "VAE")
    ]
    falls = all(
        d.sure and d.value > 0 for d in (against(n, "FID", f"{m}, normal", f"{m}, mixture") for m in ("AE", "VAE"))
    )
    why = " The mixture puts its mass where codes are; N(0, I) also draws from where the decoder was never trained."
    return f"With a mixture fitted to the training codes instead of N(0, I), {joined(said)}.{why if falls else ''}"


def other_measures(n: Numbers) -> str:
    """5.11: what KID, recall, score and precision say of the autoencoder's mixture against N(0, I)."""
    better = {"KID": -1, "recall": 1, "score": 1, "precision": 1}
    found = {what: against(n, what, "AE, mixture", "AE, normal") for what in better}
    changes = family(found | {what: points(found[what]) for what in ("recall", "precision")})
    agree = [what for what, d in changes.items() if d.sure and d.value * better[what] > 0]
    others = [what for what in changes if what not in agree]
    told = "; ".join(f"{what} {_both(d)}" for what, d in changes.items())
    said = f"The other measures for the autoencoder, from N(0, I) and from the mixture: {told}."
    if not agree:
        return f"{said} None of them prefers the mixture significantly."
    verb = "prefers" if len(agree) == 1 else "prefer"
    if not others:
        return f"{said} All of them prefer the mixture."
    why = (
        " Precision only asks whether an image lies near some real one in these features, and blurred images of one kind can "
        "do so: do not trust it alone."
        if others == ["precision"]
        else ""
    )
    return (
        f"{said} {joined(agree)} {verb} the mixture; {joined(others)} {'does' if len(others) == 1 else 'do'} not.{why}"
    )


def _both(d: Difference) -> str:
    """The two numbers, b first, of shares in per cent."""
    a, b = d.both
    return f"{b} % and {a} %" if d.a.unit == "percentage points" else f"{b} and {a}"


def apart(n: Numbers, one: str, other: str) -> float:
    """How far two losses are apart, as a share of the first."""
    a, b = n[f"loss, {one}"].value, n[f"loss, {other}"].value
    return abs(a - b) / max(abs(a), 1e-12)


def precision(n: Numbers) -> str:
    """5.12: bf16 against float32."""
    times = n["seconds, float32"].value / max(n["seconds, bf16"].value, 1e-9)
    fast = (
        f"An epoch takes {times:.2g} times as long in float32 as in bf16 on this device"
        if times >= 1
        else f"bf16 is slower here, by a factor of {1 / times:.3g}: converting the numbers may cost more than the products save"
    )
    memory = n["MiB, bf16"].value / max(n["MiB, float32"].value, 1e-9)
    needs = (
        f"A step of 512 images needs {100 * memory:.0f} % of the memory in float32"
        if memory < 1
        else f"It saves no memory: a step of 512 images needs {100 * memory:.0f} % of that in float32, since the float32 "
        f"weights stay and are copied"
    )
    off = apart(n, "float32", "bf16")
    why = ": weights and sums are kept in float32" if off <= 0.01 else ", more than rounding explains"
    return f"{fast}. {needs}. The two losses differ by {100 * off:.2g} %{why}."


def checkpointing(n: Numbers) -> str:
    """5.12: what is saved and what it costs."""
    memory = n["MiB, computed again"].value / max(n["MiB, all kept"].value, 1e-9)
    seconds = n["seconds of a step, computed again"].value / max(n["seconds of a step, all kept"].value, 1e-9)
    saved = (
        f"Checkpointing needs {100 * memory:.0f} % of the memory"
        if memory < 1
        else "Checkpointing saves no memory on so small a network"
    )
    slower = f"A step takes {seconds:.2g} times as long"
    if seconds > FORWARD:
        slower += (
            ". Computing the activations twice accounts for a factor of about 1.3 to 1.5; where the rest comes from is not "
            "measured"
        )
    elif seconds > 1:
        slower += ", since activations are computed twice"
    else:
        slower += ", although activations are computed twice"
    off = apart(n, "all kept", "computed again")
    return f"{saved}. {slower}. " + (f"The losses differ by {100 * off:.2g} %." if off else "The losses are equal.")
