"""What the assignment asks of each section of the report, looked for in the section's own words."""

import re
from collections.abc import Mapping

from diabolo.reports.document import Document, Heading, Paragraph, Table

SECTIONS = (
    "Executive Summary",
    "Autoencoder Regularization",
    "Representation Learning & Interpretability",
    "Generative Modeling & Prior Holes",
    "Reflection",
)
REQUIRED: dict[str, Mapping[str, tuple[str, ...]]] = {  # section → content → patterns, each of which must be there
    SECTIONS[0]: {
        "the takeaway and its reason": (r"^On [\d,]+ training and [\d,]+ test images.*\b(because|which)\b",),
        "the progression of the tasks": ("narrow code", "penalty", "noise", "prior", "prob", "edit", "sampl"),
        "the model and its training": (r"[\d,]+ parameters", r"\d+ epochs"),
    },
    SECTIONS[1]: {
        "final losses, training and validation": (r"training loss \| validation loss", *(
            rf"{name} \| \w+ \| [\d.−]+ \| [\d.−]+ \|" for name in ("undercomplete", "sparse", "denoising")
        )),
        "how a bottleneck prevents a copy": (r"narrow code has no room",),
        "how an L1 penalty works": (r"penalty.*towards 0", r"λ = \S+ the L1 norm"),
        "why noise is not passed on": (r"Passing a noisy image on",),
        "the choice of λ": (r"largest λ|smallest λ",),
        "what one sees": (r"To the eye", r"sharp|soft|blurred"),
    },
    SECTIONS[2]: {
        "a table of accuracies": (r"undercomplete \| \d", r"VAE \| \d", r"majority \| \d"),
        "which codes are more separable": (r"linear probe for \w+ .*on the VAE's codes",),
        "what the KL term does to the probe": (r"β = \S+ .*accura", r"gap"),
        "whether the vector works": (r"[Tt]he vector for \w+",),
        "whether the person survives": (r"identity-related attributes",),
        "what the KL term does to arithmetic": (r"For the same gain|at an equal gain",),
    },
    SECTIONS[3]: {
        "what one sees in samples": (
            r"faces from N\(0, I\)", r"fitted Gaussian", r"sharp|soft|blurred", r"varied", r"formed|broken up", r"coverage",
        ),
        "FID of both": (r"FID of [\d,.]+, (against|above)|the FIDs of the fitted Gaussian and of N\(0, I\)",),
        "the aggregated posterior": (r"q\(z\) = E q\(z\|x\)",),
        "the two parts of the KL term, measured": (
            r"I\(x; z\) \+ KL\(q\(z\)‖p\)", r"at least [\d.]+ and at most", r"I\(x; z\) lies between",
        ),
        "why mean and covariance help": (r"mean and covariance of q\(z\)", r"that part is [\d.]+"),
        "the two regimes": (r"regimes",),
    },
    SECTIONS[4]: {
        "collapse": (r"posterior (did not )?collapse",),
        "the balance of the two terms": (r"of which the KL term is [\d.]+ %",),
        "training dynamics": (r"epochs 90 % of the fall",),
        "hardware": (r"An epoch .* takes .* s on",),
        "data": (r"MiB", r"pixels"),
        "limits": (r"[Ii]ntervals ",),
    },
}  # fmt: skip


def sections(report: Document) -> dict[str, str]:
    """The text of each section, a paragraph or a row of a table on each line."""
    found: dict[str, list[str]] = {}
    for block in report.blocks:
        match block:
            case Heading():
                found[block.text] = []
            case Paragraph():
                found[next(reversed(found))].append(block.text)
            case Table():
                lines = [block.columns, *block.rows]
                found[next(reversed(found))] += [" | ".join(map(str, line)) + " |" for line in lines]
    return {title: "\n".join(lines) for title, lines in found.items()}


def found(report: Document) -> dict[tuple[str, str], int]:
    """(section, content) → how often it is mentioned there: the least of its patterns; 0 where one is missing."""
    texts = sections(report)
    return {
        (section, content): min(len(re.findall(p, texts.get(section, ""), re.MULTILINE)) for p in patterns)
        for section, several in REQUIRED.items()
        for content, patterns in several.items()
    }


def missing(report: Document) -> list[str]:
    """The required contents that a report lacks, as "Section: content"."""
    return [f"{section}: {content}" for (section, content), n in found(report).items() if not n]


def without(missing: list[str]) -> str:
    """ ", and not …" of those contents; nothing of none."""
    return f", and not {'; '.join(missing)}" if missing else ""
