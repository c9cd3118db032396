"""What the study of faces says of three choices beside the usual ones: how the variance is given, what corrupts the image, and
how the decoder enlarges its maps."""

from collections.abc import Mapping, Sequence

from diabolo.studies.engine.findings import Measured, between, difference, family, joined

Found = Mapping[str, Measured]
LOG, SOFT = "log σ²", "σ² by softplus"
CORRUPTIONS = ("Gaussian noise", "dropout")
PATTERN = 1.25  # grey levels of 255 from which on a grid is seen: about 1 % of contrast. By `benchmarks/looks.py`, on held-out
# training images, drawn ones and CelebA's, sets without a grid (blurred, noisy, averages of two) have 0.00 levels, and
# checkerboards of 1, 2 and 4 levels are measured to within 0.03


def heads(found: Found, ways: Sequence[str], tries: int, length: int) -> str:
    """Why log σ²: "failures, WAY" of so many trainings, "steps, WAY" until then, "loss, WAY" at the end of the others."""
    failed = {way: round(found[f"failures, {way}"].value) for way in ways}
    direct = [way for way in ways if way not in (LOG, SOFT) and failed[way]]
    told = joined([f"{failed[way]} ({way})" for way in ways])
    said = [f"Of {tries} trainings of {length} steps each, so many end in a loss that is not finite: {told}."]
    if direct:
        steps = {way: found[f"steps, {way}"].value for way in direct}
        when = joined([f"{f'after {n:.3g} steps' if n else 'at the first step'} ({way})" for way, n in steps.items()])
        said.append(
            "A variance must be above 0, and a linear layer gives any number. As soon as one σ² of one image is "
            f"negative, its logarithm in the KL term is not a number; here {when} on average."
        )
    safe = [way for way in (LOG, SOFT) if not failed[way]]
    if safe == [LOG, SOFT]:
        said.append(
            difference(found[f"loss, {SOFT}"], found[f"loss, {LOG}"]).say(
                more="Softplus keeps σ² positive too, but its loss after these steps is higher ({a} against {b}).",
                less="Softplus keeps σ² positive too, and its loss after these steps is lower ({a} against {b}).",
                neither="Softplus keeps σ² positive too, and the losses after these steps {differ} ({a} and {b}).",
            )
        )
    if LOG in safe:
        said.append(
            "The logarithm needs no bound: any real number is a variance, a step changes σ² by a factor at every size, and "
            "the KL term takes log σ² as it is."
        )
    return " ".join(said)


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
    grids = [found[f"grid, {kind}"].value for kind in kinds]
    shown = [grid >= PATTERN for grid in grids]
    told = f"A grid of period 2 or 4 pixels measures {grids[0]:.1f} and {grids[1]:.1f} grey levels of 255"
    seen = {
        (
            True,
            False,
        ): f"{told}: a checkerboard pattern shows with transposed convolutions, none with upsampling, "
        "which makes all pixels in the same way",
        (True, True): f"{told}: a checkerboard pattern shows with both",
        (
            False,
            False,
        ): f"{told}: no checkerboard pattern shows with either. A kernel of 4 is a multiple of its stride of "
        "2, so it overlaps evenly",
        (False, True): f"{told}: a pattern shows with upsampling, none with transposed convolutions",
    }[shown[0], shown[1]]
    return f"{error}. The two have {sizes[0]:,.0f} and {sizes[1]:,.0f} parameters. {seen}."
