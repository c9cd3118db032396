"""The questions of the study of faces, and its report.md in five sections."""

from collections.abc import Mapping, Sequence

from diabolo.reports.document import Block, Document, Heading, Paragraph, Table
from diabolo.studies.celeba.words import fitted
from diabolo.studies.engine.findings import Measured, difference, from_nothing
from diabolo.studies.engine.study import Study

Found = Mapping[str, Measured]
SECTIONS = (
    "Executive Summary",
    "Autoencoder Regularization",
    "Representation Learning & Interpretability",
    "Generative Modeling & Prior Holes",
    "Reflection",
)
QUESTIONS = {  # and the rows whose findings answer them
    "How do the three reconstructions differ to the eye, and in which frequencies?": ("1.5",),
    "What keeps the denoising model from the identity, against a narrow code and an L1 penalty?": ("1.4", "1.3"),
    "Which codes are more linearly separable, and what does the KL term help or hurt?": ("1.7", "1.6"),
    "Did the vector work, and did the person survive it?": ("1.8",),
    "What is the prior hole here, and does the fitted Gaussian sample better, and why?": ("1.9",),
    "Did the posterior collapse, and how were the two terms balanced?": ("1.10",),
    "What did the subset and the resize buy in time and memory?": ("1.2",),
}
ASKED = (30_000, 5_000)  # training and test images
COPYING = (
    "A narrow code has no room for a copy; a penalty makes copying expensive; noise makes a copy the wrong answer. "
    "The sparse and the denoising model here have the narrow code as well, so each adds to it."
)


LIMITS = (
    "Each model was trained once: intervals are over test images, not over trainings. FID is by the features of a "
    "small classifier of attributes, and cannot be compared with figures elsewhere. The judge of the arithmetic is a "
    "linear probe on another model's codes, which sees what linear probes see."
)


def takeaway(images: str, attribute: str, probe: Found, drawn: Found) -> str:
    """One sentence: numbers of the rows on the probe and on samples."""
    first = from_nothing(probe["undercomplete less VAE"]).say(
        more=f"a linear probe reads {attribute} more accurately from the plain autoencoder's codes than from the VAE's, by "
        "{difference} percentage points",
        less=f"a linear probe reads {attribute} more accurately from the VAE's codes than from the plain autoencoder's, by "
        "{difference} percentage points",
        neither=f"the accuracy of a linear probe for {attribute} {{differs}} between the codes of the plain "
        "autoencoder and of the VAE",
    )
    if "FID, N(0, I)" not in drawn or "FID, fitted Gaussian" not in drawn:
        return f"On {images}, {first}."
    second = difference(drawn["FID, fitted Gaussian"], drawn["FID, N(0, I)"]).say(
        less="new faces improve when codes are drawn from a fitted Gaussian instead of N(0, I) (FID {a}, not {b})",
        more="a Gaussian fitted to the codes draws worse faces than N(0, I) (FID {a}, not {b})",
        neither="the FID of faces from a fitted Gaussian {differs} from that of N(0, I) ({a} and {b})",
    )
    return f"On {images}, {first}, and {second}."


def instead(n_train: int, n_test: int, split: str) -> str:
    """What was looked at in place of what the study asks for."""
    if (n_train, n_test, split) == (*ASKED, "official"):
        return ""
    return (
        f"The study asks for {ASKED[0]:,} training and {ASKED[1]:,} test images of CelebA's official parts; these are "
        f"{n_train:,} and {n_test:,}{'' if split == 'official' else f', split by {split}'}, and more images would narrow the "
        f"intervals and help every model."
    )


def five_sections(study: Study, images: str, about: str) -> Document:
    """report.md, from what the rows found; of those without findings it says why there are none."""
    said = {index: " ".join(study.said(index)) for index in ("1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "1.10")}
    first: list[Block] = [Paragraph(_summary(study, images)), Paragraph(about)]
    second: list[Block] = [Paragraph(said[index]) for index in ("1.3", "1.4", "1.5")]
    if study.measured("1.2"):
        errors = study.found("1.2")
        learned = fitted(errors["training error"].value, errors["test error"].value)
        second.insert(0, Paragraph(f"{COPYING} Undercomplete: {learned[0].lower()}{learned[1:]}"))
    third: list[Block] = [Paragraph(said["1.7"]), Paragraph(said["1.8"])]
    if study.measured("1.7"):
        probe = study.found("1.7")
        accuracies = {name: told for name, told in probe.items() if name != "undercomplete less VAE"}
        rows = [(name, f"{told.value:.1f}", _margin(told)) for name, told in accuracies.items()]
        caption = f"{study.attribute}, by one linear layer, on test images."
        third.insert(0, Table(("representation", "accuracy, %", "±"), rows, caption))
    n_train, n_test = (int(study.found("1.1")[f"{part} images"].value) for part in ("training", "test"))
    sizes = instead(n_train, n_test, study.split)
    parts: tuple[Sequence[Block], ...] = (
        first,
        second,
        third,
        [Paragraph(said["1.6"]), Paragraph(said["1.9"]), Paragraph(said["1.10"])],
        [Paragraph(" ".join(study.said("1.2"))), *([Paragraph(sizes)] if sizes else []), Paragraph(LIMITS)],
    )
    blocks: list[Block] = []
    for title, part in zip(SECTIONS, parts, strict=True):
        blocks += [Heading(title), *part]
    return Document("What keeps an autoencoder from copying faces", "", blocks)


def _summary(study: Study, images: str) -> str:
    """The takeaway, where there is one."""
    if not study.measured("1.7"):
        return f"On {images}, nothing is concluded: the models of the probe have not learned, or could not be measured."
    drawn = study.found("1.9") if study.measured("1.9") else {}
    return takeaway(images, study.attribute, study.found("1.7"), drawn)


def _margin(told: Measured) -> str:
    return "" if told.half is None else f"{told.half:.1f}"
