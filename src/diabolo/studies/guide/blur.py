"""What the study `guide` says of its row 5.7, on a loss that compares features; see `guide`."""

from diabolo.plain import percent
from diabolo.studies.guide.plain import Numbers, against, points

PIXELS, LONG = "pixels", "pixels, twice as long"
UNITS = {
    "MSE": "squared error per pixel",
    "detail": "of the images' waves of 8 cycles or more, in the right place",
    "power": "power of the waves of 8 cycles or more, that of the images being 1",
    "seconds": "seconds of training",
}


def blur(n: Numbers, name: str) -> str:
    """5.7: what a loss on the features of `name` changes, against squared error alone, with the same net, images and epochs."""
    errors = against(n, "MSE", name, PIXELS)
    longer = against(n, "detail", name, LONG)
    why = (
        "Network, images, epochs and seeds are the same, and training twice as long on squared error reaches only {long}. So "
        "the loss is the cause: squared error is smallest at the mean of all images that the code allows, and that mean is "
        "blurred."
        if longer.sure and longer.value > 0
        else "But training twice as long on squared error reaches {long}, so a better fit alone may explain the detail."
    ).replace("{long}", percent(longer.b.value, 1))
    detail = points(against(n, "detail", name, PIXELS)).say(
        more=f"With the loss on {name}, reconstructions have {{a}} % of the images' fine detail in the right place; with "
        f"squared error alone, {{b}} %. {why}",
        less=f"With the loss on {name}, reconstructions have less of the images' fine detail in the right place ({{a}} %) than "
        "with squared error alone ({b} %).",
        neither=f"With the loss on {name} and with squared error alone, the shares of fine detail in the right place "
        "{differ} ({a} % and {b} %).",
    )
    error = errors.say(
        more="The price is squared error: {a} per pixel against {b}.",
        less="The squared error per pixel is {a} against {b}.",
        neither="The squared errors per pixel {differ} ({a} and {b}).",
    )
    return f"{detail} {error} {pattern(n, name)}"


def pattern(n: Numbers, name: str) -> str:
    """5.7: how much of the fine power is no detail of the image."""
    power, before = n[f"power, {name}"].value, n[f"power, {PIXELS}"].value
    astray = (
        power - n[f"detail, {name}"].value ** 2
    )  # of a reconstruction that has the share d of all waves, d² of the power
    told = (
        f"In all, its reconstructions have {percent(power)} of the images' fine-scale power ({percent(before)} with squared "
        "error alone)"
    )
    if astray > power / 2:
        return f"{told}. Most of that is in the wrong place: a fine dotted pattern that these features hardly see."
    return f"{told}, most of it in the right place."


def seen(n: Numbers, name: str) -> str:
    """5.7: what the eye sees, by the share of fine detail that is in the right place."""

    def look(one: str) -> str:
        value = n[f"detail, {one}"].value
        return "blurred" if value < 0.25 else "soft" if value < 0.6 else "sharp"

    before, after = look(PIXELS), look(name)
    if before == after:
        return f"To the eye both are {before}. Compare the rims of glasses, mouths and hairlines."
    return (
        f"To the eye, reconstructions trained on squared error are {before}, and those trained on {name} are {after}. Compare "
        "the rims of glasses, mouths and hairlines."
    )
