"""What the study `guide` says of its row 5.7, on a loss that compares features; see `guide`."""

from diabolo.plain import percent
from diabolo.studies.guide.plain import Numbers, against, points

PIXELS, LONG = "pixels", "pixels, twice as long"
UNITS = {
    "MSE": "squared error per pixel",
    "detail": "in the right place, of the images' detail from 8 cycles per image on, which is 1",
    "power": "power from 8 cycles per image on, that of the images being 1",
    "seconds": "seconds of training",
}


def blur(n: Numbers, name: str) -> str:
    """5.7: what a loss on the features of `name` changes, against squared error alone, with the same net, images and epochs."""
    errors = against(n, "MSE", name, PIXELS)
    longer = points(against(n, "detail", name, LONG))
    reached, seconds = longer.b.value, (n[f"seconds, {one}"].value for one in (LONG, name))
    control = "Training twice as long on squared error ({:.3g} s against {:.3g} s) ".format(*seconds) + (
        f"reaches {reached:.1f} %."
    )
    why = (
        f"Network, images, epochs and seeds are the same, and training twice as long on squared error reaches only "
        f"{reached:.1f} %. So the loss is the cause: squared error is smallest at the mean of all images that the code allows, "
        f"and that mean is blurred."
        if longer.sure and longer.value > 0
        else f"But training twice as long on squared error reaches {reached:.1f} %, so a better fit alone may explain the "
        f"detail."
    )
    gain = points(against(n, "detail", name, PIXELS))
    detail = gain.say(
        more=f"With the loss on {name}, reconstructions have {{a}} % of the images' fine detail in the right place; with "
        f"squared error alone, {{b}} %. {why}",
        less=f"With the loss on {name}, reconstructions have less of the images' fine detail in the right place ({{a}} %) than "
        f"with squared error alone ({{b}} %). {control}",
        neither=f"With the loss on {name} and with squared error alone, the shares of fine detail in the right place "
        f"{{differ}} ({{a}} % and {{b}} %). {control}",
    )
    error = errors.say(
        more="The price is squared error: {a} per pixel against {b}."
        if gain.sure and gain.value > 0
        else "The squared error is higher, too: {a} per pixel against {b}."
        if gain.sure
        else "The squared error is higher: {a} per pixel against {b}.",
        less="The squared error per pixel is {a} against {b}.",
        neither="The squared errors per pixel {differ} ({a} and {b}).",
    )
    return f"{detail} {error} {pattern(n, name)}"


def pattern(n: Numbers, name: str) -> str:
    """5.7: how much of the fine power is no detail of the image. What has the share d of all waves in the right place has at
    least d² of the power there: just so much where the share is the same for all waves (Cauchy and Schwarz)."""
    power, before = n[f"power, {name}"].value, n[f"power, {PIXELS}"].value
    there = min(1.0, n[f"detail, {name}"].value ** 2 / max(power, 1e-12))
    told = (
        f"In all, the reconstructions by the loss on {name} have {percent(power)} of the images' fine-scale power "
        f"({percent(before)} with squared error alone)"
    )
    if there < 0.5:
        return (
            f"{told}. Up to {percent(1 - there)} of that is in the wrong place: a fine dotted pattern that these features "
            f"hardly see."
        )
    return f"{told}, at least {percent(there)} of it in the right place."


def seen(n: Numbers, name: str) -> str:
    """5.7: what the eye sees, by the share of fine detail that is in the right place."""

    def look(one: str) -> str:
        value = n[f"detail, {one}"].value
        return "blurred" if value < 0.6 else "soft" if value < 0.85 else "sharp"  # as the drawn faces of this row look

    before, longer, after = (look(one) for one in (PIXELS, LONG, name))
    both = (
        f"reconstructions trained on squared error and on {name} are {before}"
        if before == after
        else f"reconstructions trained on squared error are {before}, and those trained on {name} are {after}"
    )
    third = f"those trained twice as long on squared error are {longer}"
    return f"To the eye, {both}; {third}. Compare the rims of glasses, mouths and hairlines."
