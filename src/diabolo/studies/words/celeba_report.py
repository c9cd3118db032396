"""The questions of the study of faces, and its report.md in five sections."""

from collections.abc import Mapping

from diabolo.reports.document import Block, Document, Heading, Paragraph, Table
from diabolo.studies.findings import Measured, difference
from diabolo.studies.study import Study
from diabolo.studies.words.celeba import ZERO, fitted

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
    "A narrow code leaves no room for a copy; a penalty leaves room and makes it dear; noise leaves room too and makes "
    "the copy wrong. The sparse and the denoising model here have the narrow code as well, so that each adds to it."
)


def takeaway(images: str, attribute: str, probe: Found, drawn: Found) -> str:
    """One sentence: numbers of the rows on the probe and on samples."""
    first = difference(probe["undercomplete less VAE"], ZERO).say(
        more=f"a linear layer reads {attribute} better off the plain autoencoder's codes than off the VAE's, by "
        "{difference} points",
        less=f"a linear layer reads {attribute} better off the VAE's codes than off the plain autoencoder's, by "
        "{difference} points",
        same=f"a linear layer does not tell the codes of the plain autoencoder and of the VAE apart by how well it reads "
        f"{attribute}",
    )
    if "FID, N(0, I)" not in drawn:
        return f"On {images}, {first}."
    second = difference(drawn["FID, fitted Gaussian"], drawn["FID, N(0, I)"]).say(
        less="new faces become better when codes are drawn from a Gaussian fitted to them and not from N(0, I) (FID {a}, "
        "not {b})",
        more="a Gaussian fitted to the codes draws worse faces than N(0, I) (FID {a}, not {b})",
        same="faces from a Gaussian fitted to the codes cannot be told from those of N(0, I) by their FID ({a} and {b})",
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
    """report.md, from what the rows found."""
    probe = study.found("1.7")
    accuracies = {name: told for name, told in probe.items() if name != "undercomplete less VAE"}
    rows = [(name, f"{told.value:.1f}", _margin(told)) for name, told in accuracies.items()]
    table = Table(("read off", "accuracy, %", "±"), rows, f"{study.attribute}, by one linear layer, on test images.")
    said = {index: " ".join(study.said(index)) for index in ("1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "1.10")}
    cost = " ".join(study.said("1.2"))
    limits = (
        "Each model was trained once: intervals are over test images, not over trainings. FID is by the features of a "
        "small classifier of attributes, and cannot be compared with figures elsewhere. The judge of the arithmetic is a "
        "linear probe on another model's codes, which sees what linear probes see."
    )
    errors, (n_train, n_test) = (
        study.found("1.2"),
        (study.found("1.1")[f"{part} images"].value for part in ("training", "test")),
    )
    learned = fitted(errors["training error"].value, errors["test error"].value)
    sizes = instead(int(n_train), int(n_test), study.split)
    parts: tuple[tuple[Block, ...], ...] = (
        (Paragraph(takeaway(images, study.attribute, probe, study.found("1.9"))), Paragraph(about)),
        (
            Paragraph(f"{COPYING} Undercomplete: {learned[0].lower()}{learned[1:]}"),
            Paragraph(said["1.3"]),
            Paragraph(said["1.4"]),
            Paragraph(said["1.5"]),
        ),
        (table, Paragraph(said["1.7"]), Paragraph(said["1.8"])),
        (Paragraph(said["1.6"]), Paragraph(said["1.9"]), Paragraph(said["1.10"])),
        (Paragraph(cost), *([Paragraph(sizes)] if sizes else []), Paragraph(limits)),
    )
    blocks: list[Block] = []
    for title, part in zip(SECTIONS, parts, strict=True):
        blocks += [Heading(title), *part]
    return Document("What keeps an autoencoder from copying faces", "", blocks)


def _margin(told: Measured) -> str:
    return "" if told.half is None else f"{told.half:.1f}"
