"""What the study `guide` says of samples that lose kinds of images (5.16)."""

from diabolo.metrics.generation import GROUPS
from diabolo.plain import count, percent
from diabolo.studies.guide.plain import Answer, Numbers

DRAWN = 500  # samples of each model
HEAVY = 20.0  # the weight of the KL term that is to provoke it
LOST = f"β {HEAVY:g}"


def provoked(n: Numbers) -> str:
    """5.16: whether kinds of images were lost, named and won back."""
    shown, lost = (n[f"{what}, {LOST}"].value for what in ("kinds shown", "images of lost kinds"))
    again, left = (n[f"{what}, β 1"].value for what in ("kinds shown", "images of lost kinds"))
    if lost <= left:
        return (
            f"At β = {HEAVY:g} no kind of image is lost that β = 1 shows: {shown:.0f} of {GROUPS} groups occur among its "
            f"samples, {again:.0f} among those of β = 1."
        )
    named = "The doctor detects this" if n[f"named, {LOST}"].value else "The doctor does not detect this"
    cured = (
        "The doctor finds no mode collapse there."
        if not n["named, β 1"].value
        else "The doctor finds mode collapse there as well, so the cure is not complete."
    )
    recall = n[f"recall, {LOST}"].value, n["recall, β 1"].value
    return (
        f"At β = {HEAVY:g}, {shown:.0f} of {GROUPS} groups of similar images occur among {DRAWN} samples; the others hold "
        f"{percent(lost)} of the test images. {named}. At β = 1, the remedy, {again:.0f} groups occur ({percent(left)} of the "
        f"test images lost). {cured} Recall, which counts images instead of groups, goes from {percent(recall[0])} to "
        f"{percent(recall[1])}."
    )


def why(n: Numbers) -> str:
    """5.16: where lost kinds come from in a model that is trained by a likelihood."""
    few, usual = n[f"active units, {LOST}"].value, n["active units, β 1"].value
    because = (
        f"Here it is the first: {count(round(few), 'unit')} {'is' if round(few) == 1 else 'are'} active instead of "
        f"{usual:.0f}, so the decoder can produce only a few kinds of images."
        if few < usual / 2
        else f"Here {few:.0f} of {usual:.0f} units stay active, so inactive units alone do not explain it."
    )
    return (
        f"Samples are decoded draws of the prior, so a VAE can lose kinds in only two ways: its decoder produces few images, "
        f"or the codes of some kinds lie where the prior seldom draws. {because} Training by "
        f"likelihood penalises every training image that the model cannot explain. Adversarial training, which is not "
        f"measured here, has no such term."
    )


def answer(n: Numbers) -> Answer:
    """5.16."""
    before, after = n[f"kinds shown, {LOST}"].value, n["kinds shown, β 1"].value
    gain = f"groups of images among the samples from {before:.0f} to {after:.0f} of {GROUPS}"
    if after <= before:
        gain = f"no help: {gain}"
    cost = "more KL: every active unit adds to it"
    return "A lighter KL term against mode collapse", "where samples leave out kinds of images", gain, cost
