"""The report of one training, from its run folder: whether it has learned and what is wrong with it, figures, scores, the loss,
and the model."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from diabolo import regular
from diabolo.display import words
from diabolo.doctor import Visit, diagnose
from diabolo.evaluation.closing import judge
from diabolo.evaluation.learned import Learned
from diabolo.evaluation.measure import standing_alone
from diabolo.evaluation.measuring import FOLDER, Evaluation, Pair, images_of
from diabolo.pictures import run_figures
from diabolo.plain import count
from diabolo.reports.document import Block, Bullets, Code, Document, Heading, Paragraph, Picture, Table, in_words
from diabolo.runs.lines import shell_line
from diabolo.runs.loading import Run, load_run
from diabolo.trust import Trust, trusting

SPLITS = ("train", "validation")
LINES = 12  # of the loss by epoch
CAPTIONS = {
    "curves": "The loss by epoch.",
    "steps": "The loss within epochs: each point is the mean of so many steps.",
    "progress-reconstructions": "The same images and their reconstructions as training went.",
    "progress-samples": "Samples from the same noise as training went.",
    "health": "What was watched of codes and reconstructions in training, by epoch.",
    "samples": "Samples.",
    "reconstructions": "Test images and their reconstructions.",
    "latent": "The codes of test images.",
    "decoded-grid": "What the decoder makes of a regular grid of codes.",
    "reconstruction-classes": "The error of reconstructions by class; whiskers are 95 % intervals.",
    "reconstruction-spectrum": "The power of images and of what their reconstructions miss, by spatial frequency.",
    "reconstruction-worst": "The test images with the largest error.",
    "probes": "Classes read off codes that stay as they are; whiskers are 95 % intervals.",
    "few-labels": "Test accuracy by the number of labelled images; whiskers are 95 % intervals over draws of these alone.",
    "kl-per-unit": "The KL term of each unit of the code.",
    "prior-hole": "Mean and standard deviation of each unit over test images, and of the prior.",
    "interpolation": "Images decoded between the codes of two test images.",
}

WATCHED = {  # what the health watch writes down, and its unit
    "active_units": "units of the code",
    "dead_units": "units of the code",
    "duplicate_units": "units of the code",
    "code_rms": "root mean square over units",
    "code_use": "share of the error with another image's code that the own code takes away",
    "stuck_share": "share of the images' variance in pixels that are stuck",
    "dead_codes": "codes of the codebook",
    "codebook_perplexity": "evenly used codes",
}


def document_of(path: Path, trust: Trust = (), moved: Mapping[str, str] | None = None) -> Document:
    """The report of the run in the folder `path`; its figures are drawn anew. `trust` as in `diabolo.load`; `moved` says where
    its images lie now, as in `diabolo.data.origin.of_run`.

    Raises:
        DiaboloError: when it is no run folder, or its training has not finished.
    """
    with trusting(trust):
        run = load_run(path)
        pair = run.folder.pair(moved) if moved else None
        visit = diagnose(run, pair)
        said = chain(_learned(run, pair), _doctor(visit), _figures(run, pair), _scores(run), _training(run))
        words = run.config.words
        blocks = [*in_words(said, words), *_model(run), *in_words(_unseen(visit), words)]
        return Document(f"{run.config.name}: run {run.path.name}", words(_about(run)), blocks)


def _about(run: Run) -> str:
    options = run.config.options
    told = [
        f"{part}: {count(about.images, 'image')} of {'×'.join(map(str, about.shape))}, {about.name} ({about.split})"
        for part in SPLITS
        if (about := run.config.images(part))
    ]
    versions = ", ".join(f"{name} {version}" for name, version in run.config.versions.items())
    return f"{'; '.join(told)}. Seed {options.get('seed', 0)}; training {run.status}. {versions}."


def _learned(run: Run, pair: Pair | None) -> Iterator[Block]:
    """How good it is beside the mean training image, and whether it has learned at all."""
    said: list[str] = []
    with standing_alone("learned", {}):  # where the images are gone, the figures say so
        said, learned = judge(run.model, *images_of(run, pair))
    if not said:
        return
    yield Heading("Has it learned?", 2, "learned")
    yield Paragraph(f"{_capital('; '.join(said))}.")
    if not learned:
        state = (
            "This model has not learned"
            if learned.state == "missed"
            else "It is not decided whether this model has learned"
        )
        yield Paragraph(
            f"{state}: {learned.told}. Figures and scores below describe it as it is; nothing follows from them."
        )


def _training(run: Run) -> Iterator[Block]:
    if not run.history:
        return
    last, units = run.history[-1], run.config.units
    splits = [split for split in SPLITS if last[split]]
    yield Heading("Training", 2, "training")
    yield Table(
        ("term", *splits, "unit"),
        [(term, *(last[split].get(term) for split in splits), units.get(term, "")) for term in last["train"]],
        f"The loss after epoch {last['epoch']}.",
    )
    stride = -(-len(run.history) // LINES)
    shown = [line for line in run.history if line["epoch"] % stride == 0 or line is last]
    yield Table(
        ("epoch", *(f"{split} {term}" for term in last["train"] for split in splits)),
        [(n["epoch"], *(n[split].get(t) for t in last["train"] for split in splits)) for n in shown],
        "The loss by epoch.",
    )
    health = [
        (name.replace("_", " "), value, WATCHED.get(name, ""))
        for name, value in (last.get("health") or {}).items()
        if not isinstance(value, list)
    ]
    if health:
        yield Table(("what", "value", "unit"), health, "How the codes and reconstructions were after the last epoch.")


def _figures(run: Run, pair: Pair | None) -> Iterator[Block]:
    yield Heading("Figures", 2, "figures")
    drawn: list[Path] = []
    skipped: dict[str, str] = {}
    with standing_alone("figures", skipped):  # the images may be gone
        drawn = run_figures.draw(run, pair and pair[1])
    yield from (Paragraph(f"They could not be drawn: {why}.") for why in skipped.values())
    yield from (Picture(path, CAPTIONS.get(path.stem, _caption(path))) for path in drawn)


def _scores(run: Run) -> Iterator[Block]:
    yield Heading("Evaluation", 2, "evaluation")
    folder = run.path / FOLDER
    line = Code(shell_line("evaluate", run.path))
    if not (folder / "scores.json").exists():
        yield Paragraph("This run has not been evaluated. The scores and their figures are made by:")
        yield line
        return
    found = Evaluation.read(folder)
    if found.about["weights"] != run.folder.fingerprint():
        yield Paragraph(
            "The scores are of other weights than the run now holds: it was trained on. They are made anew by:"
        )
        yield line
    test = found.about["test"]
    yield Table(
        ("measure", "score", "value", "95 % interval", "over", "unit", "of"),
        [
            (name, key, score.value, _interval(score.low, score.high), score.over, score.unit, score.of)
            for name, section in found.sections.items()
            for key, score in section.scores.items()
        ],
        f"Scores on {count(test['images'], 'image')} of {test['name']} ({test['split']}), {found.about['at'][:10]}.",
    )
    if "learned" in found.sections:
        yield Paragraph(f"{_capital(Learned.of(found['learned'].scores).verdict)}.")
    if found.skipped:
        yield Paragraph("Not measured, and why:")
        yield Bullets([f"{name}: {reason}" for name, reason in found.skipped.items()])
    pictures = (regular.inside(folder, f"{name}.png", (".png",)) for name in found.drawn)
    yield from (Picture(path, CAPTIONS.get(path.stem, _caption(path))) for path in pictures if path.exists())


def _doctor(visit: Visit) -> Iterator[Block]:
    yield Heading("What the doctor found", 2, "doctor")
    if not visit.illnesses:
        yield Paragraph("Nothing wrong was found.")
    for illness in visit.illnesses:
        yield Heading(_capital(illness.name), 3)
        yield Paragraph(f"{_capital(illness.evidence)}. What would mend it: {illness.remedy.words}.")
        if illness.remedy.command is not None:
            yield Code(illness.remedy.command)


def _unseen(visit: Visit) -> Iterator[Block]:
    """What the doctor could not look for."""
    if visit.unseen:
        yield Heading("What the doctor could not look for", 2, "unseen")
        reasons = dict.fromkeys(visit.unseen.values())
        yield Bullets(
            [
                f"{', '.join(name for name, why in visit.unseen.items() if why == reason)}: {reason}"
                for reason in reasons
            ]
        )


def _model(run: Run) -> Iterator[Block]:
    yield Heading("Model and options", 2, "model")
    if hasattr(run.model, "summary"):
        summary = run.model.summary()
        columns, rows = summary.table
        yield Table(columns, rows, f"Layers: {summary.parameters:,} parameters, {summary.trainable:,} of them trained.")
    chosen = [(name, _option(value)) for name, value in run.config.options.items() if value is not None]
    yield Table(("option", "value"), chosen, "The training's options. All that defines the run is in config.json.")


def _option(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{words(low)} … {words(high)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _caption(path: Path) -> str:
    return f"{path.stem.replace('-', ' ').capitalize()}."
