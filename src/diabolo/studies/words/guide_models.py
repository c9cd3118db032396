"""What the study `guide` says of its later rows, on variational and quantised models; see `guide`."""

from collections.abc import Sequence

from diabolo.studies.findings import difference, joined
from diabolo.studies.words.guide_plain import Numbers, against, points

UNITS = 16


def annealing(n: Numbers, names: Sequence[str]) -> str:
    """5.6: schedules against a constant weight."""
    said = [
        against(n, "−ELBO", name, names[0]).say(
            more=f"{name} makes the bound worse by {{difference}} nats",
            less=f"{name} makes the bound better by {{difference}} nats",
            same=f"{name} changes nothing beyond the noise",
        )
        for name in names[1:]
    ]
    usual = n[f"active units, {names[0]}"].value
    why = (
        f"At the constant weight {usual:.0f} of {UNITS} units are active, so there was little to rescue: annealing "
        f"helps where "
        f"units go silent before the decoder has learnt to listen."
        if usual > UNITS / 2
        else f"At the constant weight only {usual:.0f} of {UNITS} units are active."
    )
    return f"At a final weight of 1, {joined(said)}. {why}"


def collapse(n: Numbers) -> str:
    """5.6: whether the collapse came, and was found."""
    name = "β 50"
    active, kl, ill = (n[f"{what}, {name}"].value for what in ("active units", "KL", "collapse found"))
    if active > UNITS / 4:
        return f"At β = 50 {active:.0f} of {UNITS} units are still active, with {kl:.3g} nats: the collapse did not come about here."
    found = "The doctor finds it from the run alone." if ill else "The doctor does not call it a collapse."
    return (
        f"At β = 50 {active:.0f} of {UNITS} units are active and the code says {kl:.3g} nats of each image: a nat "
        f"of the code costs "
        f"fifty nats of the loss and saves fewer, so q(z|x) becomes the prior, whatever the image. {found}"
    )


def cures(n: Numbers) -> str:
    """5.6: which of the cures work."""
    said = []
    for name in ("β 50, free bits 0.5", "β 50, annealed", "β 1"):
        active, kl = n[f"active units, {name}"].value, n[f"KL, {name}"].value
        said.append(f"{name}: {active:.0f} active units and {kl:.3g} nats")
    works = n["active units, β 50, annealed"].value > UNITS / 4
    why = (
        "Annealing leads to another end here although the final weight is the same."
        if works
        else "Annealing does not cure it, since at the end the same loss is minimised, and silence is its optimum, not a trap on the "
        "way."
    )
    free = (
        "Free bits make the first half nat of each unit cost nothing, so it is used."
        if n["KL, β 50, free bits 0.5"].value > n["KL, β 50"].value + 1
        else "Free bits do not bring the code back here."
    )
    return f"The cures: {'; '.join(said)}. {free} {why}"


def blur(n: Numbers) -> str:
    """5.7: features against pixels."""
    detail = against(n, "detail", "features", "pixels").say(
        more="Trained on features, the reconstructions keep {a} of the power of the upper frequencies, trained on "
        "pixels {b}: squared "
        "pixels are smallest at the mean of all that might be there, which is blurred, and features tell a sharp "
        "edge from a "
        "faint one",
        less="Trained on features, the reconstructions keep less of the power of the upper frequencies ({a}) than "
        "trained on pixels "
        "({b}): these features do not ask for more detail than the pixels do",
        same="Both keep the same power of the upper frequencies within the noise ({a} and {b})",
    )
    error = against(n, "MSE", "features", "pixels").say(
        more="the squared error per pixel is higher, {a} against {b}",
        less="the squared error per pixel is lower, {a} against {b}",
        same="the squared error per pixel is the same within the noise",
    )
    read = points(against(n, "read", "features", "pixels")).say(
        more="a classifier reads them rightly more often, by {difference} points",
        less="a classifier reads them rightly less often, by {difference} points",
        same="a classifier reads both equally well within the noise",
    )
    return f"{detail}; {error}, and {read}."


def told(n: Numbers) -> str:
    """5.8: whether the condition decides the digit, and what it saves the code."""
    read, real = n["read, embedding"].value, n["read, real digits"].value
    saved = n["KL, none"].value - n["KL, embedding"].value
    code = (
        f"the code says {saved:.3g} nats less than that of the VAE without a condition: the class need not be said "
        f"again"
        if saved > 0
        else "the code says no less than that of the VAE without a condition, although it need not say the class"
    )
    return (
        f"A classifier that is right about {100 * real:.1f} % of real test digits reads {100 * read:.1f} % of the "
        f"samples as the "
        f"digit asked for; chance would be 10 %. And {code}."
    )


def embedded(n: Numbers) -> str:
    """5.8: learned vectors against one-hot."""
    return points(against(n, "read", "embedding", "label")).say(
        more="Samples by embedded classes are read as asked for more often than by one-hot classes, by "
        "{difference} points.",
        less="Samples by embedded classes are read as asked for less often than by one-hot classes, by "
        "{difference} points.",
        same="Embedded and one-hot classes do equally well within the noise ({a} % and {b} %): the first layer "
        "after a one-hot "
        "vector is an embedding itself. A separate one pays where classes are many, since several layers and both "
        "cones share it.",
    )


def codebooks(n: Numbers) -> str:
    """5.9: collapse of the codebook and its cures."""
    used, even = (n[f"{what}, by gradient"].value for what in ("used codes", "perplexity"))
    others = {
        name: n[f"perplexity, {name}"].value
        for name in ("moving averages", "+ k-means start", "+ restarts", "all three")
    }
    cured = [name for name, value in others.items() if value > 2 * even]
    said = ", ".join(f"{name} {value:.0f}" for name, value in others.items())
    if not cured:
        return (
            f"The codebook trained by gradient uses {used:.0f} of 256 codes, as if {even:.0f} were used evenly. "
            f"None of the cures "
            f"doubles that here (perplexities: {said})."
        )
    worse = "by-gradient" if used >= 128 else "collapsed"
    state = (
        "It starts within ±1/256 of the origin, where a few codes are nearest to all there is; the others are "
        "never chosen, and "
        "what is never chosen gets no gradient."
        if worse == "collapsed"
        else "Many codes are used, but unevenly."
    )
    return (
        f"The codebook trained by gradient uses {used:.0f} of 256 codes, as if {even:.0f} were used evenly. "
        f"{state} As evenly used "
        f"codes, the cures reach: {said}. More than twice as many: {joined(cured)}."
    )


def code_prior(n: Numbers) -> str:
    """5.9: what an autoregressive prior knows beyond counts."""
    counted, learnt = n["bits per code, counted"].value, n["bits per code, prior"].value
    saved = counted - learnt
    known = (
        f"The prior needs {learnt:.3g} bits for each code, {saved:.2g} fewer than the counts of the codes alone: "
        f"it knows which code "
        f"follows which."
        if saved > 0
        else f"The prior needs {learnt:.3g} bits for each code, no fewer than the counts of the codes alone ({counted:.3g}): it has "
        f"not learnt which code follows which."
    )
    drawn = against(n, "FID", "each code by itself", "prior").say(
        more="Images drawn by it are nearer to real ones than those of codes drawn one by one (FID {b} against "
        "{a}): the parts of "
        "its images fit together.",
        less="Images drawn by it are farther from real ones than those of codes drawn one by one (FID {b} against "
        "{a}).",
        same="Images drawn by it are as far from real ones as those of codes drawn one by one, within the noise.",
    )
    return f"{known} {drawn}"


def maps(n: Numbers, names: Sequence[str]) -> str:
    """5.10: which map keeps neighbours."""
    kept = {name: n[f"overlap, {name}"].value for name in names}
    best, said = max(kept, key=lambda name: kept[name]), ", ".join(f"{name} {100 * kept[name]:.0f} %" for name in names)
    why = (
        "It is made to keep neighbours and gives up distances between groups for that; how far two groups lie "
        "apart in it means "
        "nothing."
        if best != "PCA"
        else "Here the plane of most variance keeps neighbours as well as methods that are made for it."
    )
    return f"Of each code's ten nearest neighbours the maps keep: {said}. {best} keeps most. {why}"


def ways(n: Numbers) -> str:
    """5.10: linear against spherical."""
    return against(n, "least confidence", "spherical", "linear").say(
        more="On the spherical way a classifier stays surer than on the straight one (lowest confidence {a} "
        "against {b}): the straight "
        "way passes nearer to the origin than most codes lie.",
        less="On the spherical way a classifier is less sure than on the straight one (lowest confidence {a} "
        "against {b}): with this "
        "few dimensions the middle of the prior is where codes are, and the way around it is a detour.",
        same="Straight or spherical makes no difference to a classifier's confidence beyond the noise ({b} and "
        "{a}): with 16 numbers "
        "the two ways are not far apart.",
    )


def hole(n: Numbers) -> str:
    """5.11: N(0, I) for an autoencoder and for a VAE."""
    return against(n, "FID", "AE, normal", "VAE, normal").say(
        more="Drawn from N(0, I), the plain autoencoder is farther from real digits (FID {a}) than the VAE ({b}): "
        "nothing ever told "
        "its codes to lie where that density is, while the KL term of the VAE does just that.",
        less="Drawn from N(0, I), the plain autoencoder is nearer to real digits (FID {a}) than the VAE ({b}), "
        "although nothing told "
        "its codes to lie there.",
        same="Drawn from N(0, I), autoencoder and VAE are equally far from real digits within the noise (FID {a} "
        "and {b}).",
    )


def fitted(n: Numbers) -> str:
    """5.11: a density fitted afterwards."""
    said = [
        against(n, "FID", f"{name}, normal", f"{name}, mixture").say(
            more=f"for the {name} from {{a}} to {{b}}",
            less=f"for the {name} not at all: it rises from {{a}} to {{b}}",
            same=f"for the {name} not beyond the noise ({{a}} and {{b}})",
        )
        for name in ("AE", "VAE")
    ]
    return (
        f"A mixture fitted to the training codes lowers the FID {joined(said)}. It puts its mass where codes are; "
        f"N(0, I) also draws "
        f"from where the decoder was never trained."
    )


def apart(n: Numbers, one: str, other: str) -> float:
    """How far two losses are apart, as a share of the first."""
    a, b = n[f"loss, {one}"].value, n[f"loss, {other}"].value
    return abs(a - b) / max(abs(a), 1e-12)


def precision(n: Numbers) -> str:
    """5.12: bf16 against float32."""
    times = n["seconds, float32"].value / max(n["seconds, bf16"].value, 1e-9)
    fast = (
        f"An epoch takes {times:.2g} times as long in float32 as in bf16"
        if times >= 1
        else f"bf16 is slower here, {1 / times:.2g} times"
    )
    why = "on this device" if times >= 1 else ": without instructions for it the numbers are converted back and forth"
    off = apart(n, "float32", "bf16")
    return f"{fast} {why}; the two losses differ by {100 * off:.2g} %. Sums and weights are kept in float32.".replace(
        " :", ":"
    )


def checkpointing(n: Numbers) -> str:
    """5.12: what is saved and what it costs."""
    memory = n["MiB, computed again"].value / max(n["MiB, all kept"].value, 1e-9)
    seconds = n["seconds of a step, computed again"].value / max(n["seconds of a step, all kept"].value, 1e-9)
    saved = (
        f"Checkpointing needs {100 * memory:.0f} % of the memory"
        if memory < 1
        else "Checkpointing saves no memory on so small a net"
    )
    return (
        f"{saved} and {seconds:.2g} times the time of a step, for at most one forward pass more; the losses differ "
        f"by "
        f"{100 * apart(n, 'all kept', 'computed again'):.2g} %."
    )


def side_by_side(n: Numbers) -> str:
    """5.13: who is best at what."""
    names = ("AE", "VAE", "VQ-VAE")

    def best(what: str, most: bool = False) -> str:
        values = {name: n[f"{what}, {name}"] for name in names}
        first, second, *_ = sorted(values, key=lambda name: values[name].value, reverse=most)
        sure = difference(values[first], values[second]).sure
        return first if sure else f"{first} and {second}, alike within the noise"

    return (
        f"Best reconstruction: {best('MSE')}. Class read off the code best: {best('probe', most=True)}. Nearest to "
        f"real images when "
        f"drawn: {best('FID')}. The quickest training took "
        f"{min(n[f'seconds, {name}'].value for name in names):.3g} seconds, the "
        f"slowest {max(n[f'seconds, {name}'].value for name in names):.3g}. The VQ-VAE's code is a map and holds "
        f"more than the "
        f"sixteen numbers of the others, so its reconstruction is not from an equal code."
    )
