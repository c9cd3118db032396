"""The card of a model, README.md: its head is for machines (the Hub's YAML, with scores as a model-index), the rest for people.
Every number in it was measured and lies in scores.json of the run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from diabolo import zoo
from diabolo.data.catalogue import names
from diabolo.data.options import DataOptions
from diabolo.display import words
from diabolo.doctor.prescription import same_line_of, train
from diabolo.errors import UnknownNameError
from diabolo.evaluation.learned import Learned
from diabolo.evaluation.measure import rank
from diabolo.evaluation.measuring import FOLDER, Evaluation
from diabolo.metrics.score import Score
from diabolo.plain import count, visible
from diabolo.reports import markdown
from diabolo.reports.document import Block, Code, Document, Heading, Paragraph, Picture, Table, in_words
from diabolo.reports.run_report import CAPTIONS
from diabolo.runs.config import Config
from diabolo.runs.loading import Run

LICENCES = (  # those that the Hub knows and that weights are given under
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "mpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "unlicense", "cc0-1.0",
    "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0",
    "cc-by-nd-4.0", "openrail", "openrail++", "odc-by", "pddl", "other", "unknown",
)  # fmt: skip
FROM_PYTHON = "The model or its images were given from Python"
WHY_NOT = {
    "weights": "Its training began with weights that were not drawn from its seed",
    "epochs": "It was given further epochs after its first, and its schedules were stretched over them",
}
Named = tuple[str, str, Score]


def check_licence(licence: str | None) -> None:
    """Refuse an id that the Hub does not know."""
    if licence is not None and licence not in LICENCES:
        raise UnknownNameError("licence", licence, LICENCES, see="diabolo.hub.LICENCES")


def text(run: Run, config: Config, licence: str | None, figures: Sequence[Path], folder: Path, name: str) -> str:
    """The card of `run` as it lies in `folder`; `config` is what is shared of its own, `name` what it is called on the Hub."""
    found, why = _evaluated(run)
    best = [] if found is None else _first(found)
    blocks = (
        *_use(config, name),
        Heading("Scores", 2),
        *_scores(found, why, best),
        Heading("How it was made", 2),
        *_lines(config, bool(run.folder.config.options.get("init"))),
        *_loss(run, config),
        *([Heading("Figures", 2)] if figures else []),
        *(Picture(path, CAPTIONS.get(path.stem, path.stem)) for path in figures),
        Heading("Data and licence", 2),
        Paragraph(_terms(config)),
        Paragraph("No licence is stated." if licence is None else f"The weights are licensed under {licence}."),
    )
    document = Document(_title(config), config.words(_about(config)), [*in_words(blocks, config.words)])
    head = yaml.safe_dump(_head(config, licence, found, best), sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{head}---\n\n{markdown.render(document, folder)}"


def _evaluated(run: Run) -> tuple[Evaluation | None, str]:
    """The evaluation of the weights of `run`; or None, and why there is none."""
    folder = run.folder.path / FOLDER
    if not (folder / "scores.json").exists():
        return None, "This model has not been evaluated: diabolo evaluate writes the scores that belong here."
    found = Evaluation.read(folder)
    if found.about.get("weights") != run.folder.fingerprint():
        return None, "The run was trained on after its evaluation, so its scores are of other weights and are left out."
    return found, ""


def _first(found: Evaluation) -> list[Named]:
    """The scores that a reader wants first, as `diabolo evaluate` prints them; all of them where there are none of these."""
    every = [(name, key, score) for name, section in found.sections.items() for key, score in section.scores.items()]
    ranked = [(place, *one) for one in every if (place := rank(one[0], one[1])) is not None]
    return [(name, key, score) for _, name, key, score in sorted(ranked, key=lambda one: one[0])] or every


def _head(config: Config, licence: str | None, found: Evaluation | None, best: Sequence[Named]) -> dict[str, Any]:
    image = len(config.train.shape) == 3
    head: dict[str, Any] = {
        "library_name": "diabolo",
        **({} if licence is None else {"license": licence}),
        "pipeline_tag": "image-feature-extraction" if image else "feature-extraction",
        "tags": ["diabolo", "autoencoder", _one_line(config.name)],
    }
    if found is None:
        return head
    test = found.about["test"]
    task = {"type": "image-feature-extraction" if image else "feature-extraction", "name": "Autoencoding"}
    data = {"type": _slug(test["name"]), "name": _one_line(test["name"]), "split": _one_line(test["split"])}
    result = {"task": task, "dataset": data, "metrics": [_metric(*one) for one in best]}
    return head | {"model-index": [{"name": _title(config), "results": [result]}]}


def _metric(measure: str, name: str, score: Score) -> dict[str, Any]:
    """One number in the form of a model-index; its interval stands in its name and in its arguments."""
    ends = _interval(score)
    told = f"{name} ({score.unit}{f'; 95 % interval {ends}' if ends else ''})"
    args: dict[str, Any] = {"measure": measure, "unit": score.unit, "n": score.n, "of": score.of}
    if ends:
        args |= {"low": score.low, "high": score.high, "interval": score.interval}
    return {"type": _slug(name), "name": told, "value": score.value, "args": args}


def _use(config: Config, name: str) -> Iterator[Block]:
    yield Heading("Use", 2)
    yield Paragraph(f"Opening it runs no code but Diabolo's own. In place of {name}, the path of a folder will do.")
    shape = ", ".join(map(str, config.train.shape))
    yield Code(
        "import diabolo\n\n"
        f"model = diabolo.from_pretrained({name!r})\n"
        f"z = model.encode(x)  # x: uint8 (N, {shape}), or floats in the units of the data\n"
        "x_hat = model.decode(z)",
        "python",
    )


def _loss(run: Run, config: Config) -> Iterator[Block]:
    if not run.history:
        return
    last = run.history[-1]
    splits = [split for split in ("train", "validation") if last.get(split)]
    rows = [(term, *(last[split].get(term) for split in splits), config.units.get(term, "")) for term in last["train"]]
    yield Table(("term", *splits, "unit"), rows, f"The loss after epoch {last['epoch']}.")


def _scores(found: Evaluation | None, why: str, best: Sequence[Named]) -> Iterator[Block]:
    if found is None:
        yield Paragraph(why)
        return
    rows = [(name, score.value, _interval(score), score.over, score.unit, score.of) for _, name, score in best]
    at = str(found.about["at"])[:10]
    columns = ("score", "value", "95 % interval", "over", "unit", "of")
    yield Table(columns, rows, f"Measured on {found.tested} by diabolo evaluate, {at}.")
    if "learned" in found.sections:
        said = Learned.of(found["learned"].scores).verdict
        yield Paragraph(f"{said[:1].upper()}{said[1:]}.")


def _lines(config: Config, taken_over: bool) -> Iterator[Block]:
    """The lines that train it again; none where weights of another run were `taken_over`."""
    options = None if taken_over else same_line_of(config)
    if options is None:
        why = "It began with weights of another run" if taken_over else WHY_NOT.get(config.not_again or "", FROM_PYTHON)
        yield Paragraph(f"{why}, so that no single line makes it again. config.json has its parts and all options.")
        return
    yield Code(train(config, options), "bash")
    yield Paragraph("The same from Python:")
    yield Code(python_lines(config, options), "python")
    versions = ", ".join(f"{name} {version}" for name, version in config.versions.items())
    yield Paragraph(f"On the same device with the same number of threads the weights come out the same. {versions}.")


def python_lines(config: Config, options: Mapping[str, Any]) -> str:
    """The training of `config` in Python; `options` as `same_line_of` gives them.

    Example:
        >>> from diabolo.doctor.prescription import same_line_of
        >>> from diabolo.hub.card import python_lines
        >>> config = diabolo.fit("pca", diabolo.data.load("digits")[0], latent_dim=2, quiet=True).config
        >>> print(python_lines(config, same_line_of(config)))
        import diabolo
        <BLANKLINE>
        train, test = diabolo.data.load('digits')
        run = diabolo.fit('pca', train, latent_dim=2)
    """
    of_data = {field.name for field in fields(DataOptions)}
    data = {name: value for name, value in options.items() if name in of_data}
    rest = {name: value for name, value in options.items() if name not in of_data | {"data", "validation"}}
    loaded = _call("diabolo.data.load", [options["data"]], data)
    lines = ["import diabolo", "", f"train, test = {loaded}"]
    watched = config.validation
    given = ["train"]
    if watched is not None:
        held = (watched.origin or {}).get("held_out")
        if held:
            lines.append(f"train, held = diabolo.data.origin.hold_out(train, {held['fraction']!r}, {held['seed']!r})")
            given.append("held")
        elif (watched.origin or {}).get("part") == "validation":
            parts = _call("diabolo.data.loading.load_parts", [options["data"]], data)
            lines.append(f"held = {parts}.validation")
            given.append("held")
        else:
            given.append("test")
    lines.append("run = " + _call("diabolo.fit", [zoo.path_of(config.name)], rest, given))
    return "\n".join(lines)


def _call(function: str, values: Sequence[Any], options: Mapping[str, Any], names: Sequence[str] = ()) -> str:
    """`function('value', name, option=1)`."""
    told = [*map(repr, values), *names, *(f"{name}={value!r}" for name, value in options.items())]
    return f"{function}({', '.join(told)})"


def _terms(config: Config) -> str:
    """What it was trained on, and under which terms that is given."""
    about = config.train
    what = (
        f"Trained on {count(about.images, 'image')} of {'×'.join(map(str, about.shape))}, {about.name} ({about.split})"
    )
    known = names().get(str(about.load.get("name")))
    if known is None:
        return (
            f"{what}. The terms of these images are not known to Diabolo: they are for whoever shares the model to say."
        )
    shown = "" if known.shown else " No picture of them, or made from them, is shown here."
    return f"{what}: {known.description}. Terms of the data set: {known.licence}.{shown}"


def _title(config: Config) -> str:
    return _one_line(f"{config.name} on {config.train.name}")


def _about(config: Config) -> str:
    return f"An autoencoder trained with Diabolo {config.versions.get('diabolo', '')}".strip()


def _interval(score: Score) -> str:
    return "" if score.low is None or score.high is None else f"{words(score.low)} to {words(score.high)}"


def _one_line(text: str) -> str:
    """A stranger's words on one line: with several they could end the head of the card."""
    return visible(" ".join(text.split()))


def _slug(name: str) -> str:
    """An id as the Hub writes them: "linear probe: codes" → linear-probe-codes."""
    return re.sub(r"[^\w]+", "-", name.lower().replace("−", "")).strip("-") or "score"
