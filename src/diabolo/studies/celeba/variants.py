"""What the study of faces says of three choices beside the usual ones: how the variance is given, what corrupts the image, and
how the decoder enlarges its maps."""

from collections.abc import Mapping, Sequence

from diabolo.bottlenecks.gaussian import LOGVAR_RANGE
from diabolo.studies.engine.findings import Measured, between, difference, family, joined

Found = Mapping[str, Measured]
LOG, SOFT = "log σ²", "σ² by softplus"
CORRUPTIONS = ("Gaussian noise", "dropout")
CLEAR = 1.25  # grey levels of 255 from which on a grid shows without enlarging: about 1 % of contrast. By
# `benchmarks/looks.py`, checkerboards of 1, 2 and 4 levels are measured to within 0.03


def shows(grids: Mapping[str, float], none: float) -> str:
    """Whether a grid lies over the images of each, in grey levels of 255: above `none`, the most that images without a grid
    measure."""
    patterned = [name for name, grid in grids.items() if grid > none]
    if not patterned:
        return "No checkerboard shows"
    clear = [name for name in patterned if grids[name] >= CLEAR]
    where = "all" if len(patterned) == len(grids) > 1 else joined(patterned)
    return (
        f"A checkerboard shows in {joined(clear)}"
        if clear
        else f"Enlarged, a faint checkerboard shows in flat areas of {where}"
    )


def checkerboard(grids: Mapping[str, float], none: float) -> str:
    """The same with the levels."""
    told = joined([f"{grid:.2f} ({name})" for name, grid in grids.items()])
    return f"{shows(grids, none)}, of period 2 or 4 pixels: {told} grey levels of 255 (images without one: {none:.2f} at most)"


def heads(found: Found, ways: Sequence[str], tries: int, length: int) -> str:
    """Why log σ²: "failures, WAY" of so many trainings, "steps, WAY" until then, "loss, WAY" at the end of the others."""
    failed = {way: round(found[f"failures, {way}"].value) for way in ways}
    direct = [way for way in ways if way not in (LOG, SOFT) and failed[way]]
    told = joined([f"{failed[way]} ({way})" for way in ways])
    said = [f"Of {tries} trainings of {length} steps each, so many diverge: {told}."]
    if direct:
        steps = {way: found[f"steps, {way}"].value for way in direct}
        when = joined([f"{_after(n)} ({way})" for way, n in steps.items()])
        said.append(
            "A variance must be above 0, and a linear layer gives any number. As soon as one σ² of one image is "
            f"negative, its logarithm in the KL term is not a number; here {when} on average."
        )
    safe = [way for way in (LOG, SOFT) if not failed[way]]
    if safe == [LOG, SOFT]:
        said.append(
            difference(found[f"loss, {SOFT}"], found[f"loss, {LOG}"]).say(
                more="Softplus keeps σ² positive too, but its loss after these steps is higher ({a} against {b}): log σ² is "
                "the better choice here.",
                less="Softplus keeps σ² positive too, and its loss after these steps is lower ({a} against {b}): log σ² is "
                "convention, and not the better choice here.",
                neither="Softplus keeps σ² positive too, and the losses after these steps {differ} ({a} and {b}): log σ² is "
                "convention here.",
            )
        )
    if LOG in safe:
        low, high = LOGVAR_RANGE
        said.append(
            f"With log σ² any real number is a variance; it needs only a wide clamp against overflow, here from {low:g} to "
            f"{high:g}.".replace("-", "−")
        )
    return " ".join(said)


def _after(steps: float) -> str:
    return "at the first step" if steps < 1 else "after 1 step" if steps == 1 else f"after {steps:.3g} steps"


def corruptions(found: Found, noise: str, dropout: str) -> str:
    """Two corruptions: "MODEL, on INPUT" errors per pixel, of the two models on either input and on clean images."""
    models = CORRUPTIONS
    pairs = {on: between(found, f"{models[0]}, on {on}", f"{models[1]}, on {on}") for on in (*models, "clean images")}
    several = family(pairs)
    said = [
        several[on].say(
            more=f"On {told} the model trained on dropout has the lower error ({{b}} against {{a}})",
            less=f"On {told} the model trained on Gaussian noise has the lower error ({{a}} against {{b}})",
            neither=f"On {told} the errors {{differ}} ({{a}} and {{b}})",
        )
        for on, told in zip(pairs, (noise, dropout, "clean images"), strict=True)
    ]
    own = several[models[0]].decision == "less" and several[models[1]].decision == "more"
    why = (
        "Each model removes best what it was trained on: a denoiser learns its corruption too, not the images alone."
        if own
        else "A model's own corruption is not always what it removes best."
    )
    return f"{'. '.join(said)}. {why}"


def enlarging(found: Found) -> str:
    """Transposed convolutions against copied pixels: "MSE, …", "grid, …" and "parameters, …"."""
    kinds = ("transposed", "upsampling")
    error = between(found, *(f"MSE, {kind}" for kind in kinds)).say(
        more="Upsampling followed by a convolution has the lower error per pixel ({b} against {a})",
        less="Transposed convolutions have the lower error per pixel ({a} against {b})",
        neither="The errors per pixel of transposed convolutions and of upsampling followed by a convolution {differ} "
        "({a} and {b})",
    )
    sizes = [found[f"parameters, {kind}"].value for kind in kinds]
    board = checkerboard({kind: found[f"grid, {kind}"].value for kind in kinds}, found["grid, none"].value)
    return f"{error}. The two have {sizes[0]:,.0f} and {sizes[1]:,.0f} parameters. {board}."
