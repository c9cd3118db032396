"""What the study `guide` says of its row 5.7, on a loss that compares features; see `guide`."""

from dataclasses import replace

from diabolo.studies.guide.plain import Numbers, against

TOO_MUCH = 1.2  # times the images' power in the upper frequencies, from which on it is no detail
PIXELS = "pixels"
UNITS = {
    "MSE": "squared error per pixel",
    "detail": "power of the upper frequencies, that of the images being 1",
    "resolution": "cycles per image",
    "seconds": "seconds of training",
}


def blur(n: Numbers, name: str) -> str:
    """5.7: what a loss on the features of `name` changes, against squared error alone, with the same net, images and epochs."""
    too_much = n[f"detail, {name}"].value > TOO_MUCH
    errors = against(n, "MSE", name, PIXELS)
    why = (
        "That is more than the images have, so part of it is a pattern that these features do not see."
        if too_much
        else "Its squared error per pixel is lower as well, so a better fit alone may explain the detail."
        if errors.sure and errors.value < 0
        else "Net, images, epochs and seeds are the same, and the squared error is no lower, so the loss is the cause: squared "
        "error is smallest at the mean of all images that the code allows, and a mean of sharp images is blurred."
    )
    detail = against(n, "detail", name, PIXELS).say(
        more=f"With the loss on {name}, reconstructions have {{a}} of the images' power in the upper frequencies; with squared "
        f"error alone, {{b}}. {why}",
        less=f"With the loss on {name}, reconstructions have less of the images' power in the upper frequencies ({{a}}) than "
        "with squared error alone ({b}). These features ask for no more detail than the pixels do.",
        neither=f"With the loss on {name} and with squared error alone, the powers of the upper frequencies {{differ}} ({{a}} "
        "and {b} of that of the images).",
    )
    error = errors.say(
        more="The price is squared error: {a} per pixel against {b}.",
        less="The squared error per pixel is {a} against {b}.",
        neither="The squared errors per pixel {differ} ({a} and {b}).",
    )
    fine = replace(against(n, "resolution", name, PIXELS), least=1.0).say(
        more="Detail in the right place reaches further: up to {a} cycles per image against {b}.",
        less="Detail in the right place reaches less far: up to {a} cycles per image against {b}.",
        neither="The finest detail in the right place {differs} ({a} and {b} cycles per image).",
    )
    return f"{detail} {error} {fine}"


def seen(n: Numbers, name: str) -> str:
    """5.7: what the eye sees, by the power of the upper frequencies."""

    def look(value: float) -> str:
        return "blurred" if value < 0.5 else "soft" if value < 0.8 else "sharp" if value <= TOO_MUCH else "grainy"

    before, after = (look(n[f"detail, {one}"].value) for one in (PIXELS, name))
    if before == after:
        return f"To the eye both are {before}: edges of glasses, mouth and hair look alike."
    return f"To the eye the first are {before}, the others {after}: look at the edges of glasses, mouth and hair."
