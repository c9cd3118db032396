"""What the study `guide` says of AE, VAE and VQ-VAE side by side: the table of 5.13 read, and what follows from it (5.16)."""

from diabolo.studies.engine.findings import between, from_best, joined
from diabolo.studies.guide.plain import Numbers, against

NAMES = ("AE", "VAE", "VQ-VAE")
DRAWN_BY = {"AE": "a fitted mixture", "VAE": "a fitted mixture", "VQ-VAE": "a learned prior over the codes"}
CLOSE = 0.5  # nats per unit between the Gaussian of the codes and N(0, I), up to which the two are alike


def space(n: Numbers, name: str) -> str:
    """What the latent space of the model is like, for a cell of the table."""
    if name == "VQ-VAE":
        places, codes, bits = (n[f"{what}, VQ-VAE"].value for what in ("indices", "codes", "bits"))
        return f"{places:.0f} symbols of {codes:.0f}, unordered; {bits:.0f} bits at most"
    units, low, high = (n[f"{what}, {name}"].value for what in ("units", "least deviation", "largest deviation"))
    apart = n[f"nats from N(0, I), {name}"].value / units
    where = "near N(0, I)" if apart <= CLOSE else f"anywhere (deviations of {low:.2g} to {high:.2g})"
    return f"{units:.0f} numbers {where}, {apart:.2g} nats per unit from N(0, I)"


def best(n: Numbers, what: str, most: bool = False) -> str:
    """The model that is best by `what`, with those that do not differ significantly from it."""
    first, others = from_best({name: n[f"{what}, {name}"] for name in NAMES}, most)
    close = [name for name in NAMES if name in others and not others[name].sure]
    return f"{joined([first, *close])} (not significantly different)" if close else first


def side_by_side(n: Numbers) -> str:
    """5.13: who is best at what, and what the table compares."""
    seconds = {name: n[f"seconds, {name}"].value for name in NAMES}
    quick, slow = min(seconds, key=lambda k: seconds[k]), max(seconds, key=lambda k: seconds[k])
    return (
        f"The reconstruction error is lowest for {best(n, 'MSE')}. The accuracy of a linear classifier on the codes is highest "
        f"for {best(n, 'probe', most=True)}. The FID from N(0, I) is lowest for {best(n, 'FID from N(0, I)')}, and that from "
        f"the best density of each for {best(n, 'FID')}. The {quick} trains fastest ({seconds[quick]:.3g} s), the {slow} "
        f"slowest ({seconds[slow]:.3g} s, and {n['seconds, prior'].value:.3g} s for the VQ-VAE's prior). Network and "
        f"bottleneck both change: the VQ-VAE is convolutional, the other two are fully connected, and the classifier reads "
        f"{n['numbers, VQ-VAE'].value:.0f} numbers of its codes instead of {n['units, AE'].value:.0f}."
    )


def why(n: Numbers) -> str:
    """5.13: why N(0, I) suits one of them, and a fitted density all."""
    apart = {name: n[f"nats from N(0, I), {name}"].value for name in ("AE", "VAE")}
    normal = against(n, "FID from N(0, I)", "AE", "VAE").say(
        more=f"From N(0, I) the VAE draws better images than the autoencoder (FID {{b}} against {{a}}), because its KL term "
        f"has pulled the codes towards that density. The Gaussian of its codes is {apart['VAE']:.3g} nats from it, that of the "
        f"autoencoder's {apart['AE']:.3g}.",
        less=f"From N(0, I) the autoencoder draws better images than the VAE (FID {{a}} against {{b}}), although its codes are "
        f"{apart['AE']:.3g} nats from that density and the VAE's {apart['VAE']:.3g}.",
        neither="From N(0, I) the FIDs of autoencoder and VAE {differ} ({a} and {b}).",
    )
    own = {name: between(n, f"FID from N(0, I), {name}", f"FID, {name}") for name in NAMES}
    falls = [name for name, d in own.items() if d.sure and d.value > 0]
    fitted = (
        f"With a density fitted to its codes, or learned, the FID falls for {joined(falls)}: where codes lie is then measured "
        f"instead of assumed."
        if falls
        else "A density fitted to the codes, or learned, lowers the FID of none of them."
    )
    ranks = sorted(("AE", "VAE"), key=lambda name: n[f"FID, {name}"].value)
    turned = (
        " So the order of AE and VAE reverses: a plain autoencoder generates well too, once its codes have a density."
        if normal.startswith("From N(0, I) the VAE") and ranks[0] == "AE" and against(n, "FID", "AE", "VAE").sure
        else ""
    )
    return f"{normal} {fitted}{turned}"


def weighed(n: Numbers, before: Numbers) -> str:
    """5.16: what a discrete code gains and what it costs, from the numbers of 5.13 and, `before` its cures, of 5.9."""
    error = against(n, "MSE", "VQ-VAE", "VAE").say(
        more="its reconstruction error is higher than the VAE's, {a} against {b} per pixel",
        less="its reconstruction error is lower than the VAE's, {a} against {b} per pixel",
        neither="its reconstruction error {differs} from the VAE's ({a} and {b})",
    )
    drawn = against(n, "FID", "VQ-VAE", "VAE").say(
        more="its images, drawn by the learned prior, have a higher FID than the VAE's from a mixture ({a} against {b})",
        less="its images, drawn by the learned prior, have a lower FID than the VAE's from a mixture ({a} against {b})",
        neither="the FIDs of its images and of the VAE's {differ} ({a} and {b})",
    )
    said = {"MSE": error, "FID": drawn}
    gains = [sentence for what, sentence in said.items() if _better(n, what)]
    losses = [sentence for what, sentence in said.items() if not _better(n, what)]
    gains.append(
        f"its code is {n['bits, VQ-VAE'].value:.0f} bits at most, a sequence that a transformer can model; sixteen float32 "
        f"numbers are 512 bits"
    )
    slower = n["seconds to draw, VQ-VAE"].value / max(n["seconds to draw, VAE"].value, 1e-9)
    used = before["used codes, by gradient"].value
    losses += [
        f"images need a second model, {n['seconds, prior'].value:.3g} s of training after {n['seconds, VQ-VAE'].value:.3g} s, "
        f"and {slower:.3g} times the VAE's time to draw",
        f"its codes do not follow N(0, I) (FID {n['FID from N(0, I), VQ-VAE'].value:.3g} with codes from there)",
        f"its codebook can collapse: trained by gradient alone it uses {used:.0f} of 256 codes",
    ]
    return f"For the VQ-VAE: {'; '.join(gains)}. Against it: {'; '.join(losses)}."


def _better(n: Numbers, what: str) -> bool:
    d = against(n, what, "VQ-VAE", "VAE")
    return d.sure and d.value < 0


def when(n: Numbers) -> str:
    """5.16: when to use each, each reason a column of the table of 5.13."""
    seconds = min(NAMES, key=lambda name: n[f"seconds, {name}"].value)
    wanted = {
        "the smallest reconstruction error": best(n, "MSE"),
        "features for a linear classifier": best(n, "probe", most=True),
        "new images without fitting anything afterwards": best(n, "FID from N(0, I)"),
        "the best new images, with a density fitted or learned afterwards": best(n, "FID"),
        "the shortest training": seconds,
    }
    told = "; ".join(f"for {what}, {name}" for what, name in wanted.items())
    return (
        f"The table of row 5.13 suggests a model for each purpose: {told}. Two further reasons are not "
        f"measured here: only the VAE is trained towards a known density of its codes, and only the VQ-VAE gives a sequence of "
        f"symbols. The ranking holds for these images, networks and epochs."
    )
