"""What `evaluate` can measure. One measure is one function in one file of this package:

@measure(draws="How often the labelled images are drawn anew.")
def few_labels(subject: Subject, *, draws: int = 10) -> Section:
    \"\"\"Test accuracy from few labels. Paper.\"\"\"
    if subject.train.labels is None:
        raise NotApplicable("the images have no labels")
    ...
    return Section({"100 labels": Score(...)}, {"few-labels": partial(figures.few_label_curve, ...)})

Its keyword options are options of `diabolo.evaluate` and of `diabolo evaluate` at once, and must have defaults.
"""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.metrics.score import Score
from diabolo.ranges import checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


class NotApplicable(DiaboloError):  # noqa: N818  # no error: the table says why a measure is left out
    """This measure says nothing about this model on these images; the message says why.

    Example:
        >>> found = diabolo.evaluate(model, (train, test), measures=["reconstruction", "attributes"])
        >>> found.skipped
        {'attributes': 'the images have no attributes'}
    """

    exit_code = 1  # nothing was typed wrongly


class Panel(Protocol):
    """A figure to be: `panel()` draws it on a page of its own, `panel(on=subfigure)` as a part of another page.

    Example:
        >>> found = diabolo.evaluate(model, (train, test), measures=["reconstruction"])
        >>> figure = next(iter(found["reconstruction"].panels.values()))()
        >>> type(figure).__name__
        'Figure'
    """

    def __call__(self, *, on: "SubFigure | None" = None) -> "Figure":
        """Draw it."""
        ...


@dataclass(frozen=True)
class Section:
    """What one measure found.

    Attributes:
        scores: by name, in the order of the table.
        panels: figures by file name without suffix.
        skipped: why a score was left out, by its name.

    Example:
        >>> found = diabolo.evaluate(model, (train, test), measures=["reconstruction"])["reconstruction"]
        >>> found.scores["MSE"].unit, bool(found.panels)
        ('squared error per pixel', True)
    """

    scores: Mapping[str, Score]
    panels: Mapping[str, Panel] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def standing_alone(name: str, skipped: dict[str, str], failed: list[Exception] | None = None) -> Iterator[None]:
    """What fails inside the block costs nothing but itself: its reason is noted in `skipped` under `name`, and the error in
    `failed`."""
    try:
        yield
    except Exception as error:  # whatever a measure dies of, the others are still good
        if disk.has_failed(error):
            raise
        logging.getLogger("diabolo").debug("%s failed", name, exc_info=True)
        skipped[name] = reason(error)
        if failed is not None:
            failed.append(error)


def reason(error: Exception) -> str:
    """Why something was left out, in words for a table; of an error that nobody foresaw also its kind."""
    said = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, DiaboloError):
        return said
    return f"unexpected {type(error).__name__}{f': {said}' if said else ''}"


Measure = Callable[..., Section]
MEASURES: dict[str, Measure] = {}
HELP: dict[str, str] = {}
HEADS: dict[str, Mapping[str, int]] = {}  # of each measure


def measure(heads: Mapping[str, int] | None = None, /, **helps: str) -> Callable[[Measure], Measure]:
    """Make a measure known by its function's name.

    Args:
        heads: those of its scores that a reader wants first, with their rank among those of all measures: 1 comes before 2.
            They are printed first, and stand in the main part of a comparison; the others follow with `--all` and in its
            appendix.
            What does not apply to a model is not measured, so each kind of model is headed by what matters for it.
        **helps: what each of its options means.

    Example:
        >>> from diabolo.evaluation import Section, measure
        >>> from diabolo.metrics.score import Score
        >>> @measure()
        ... def lengths(subject):
        ...     "How long codes are."
        ...     norms = np.linalg.norm(subject.codes("test"), axis=1)
        ...     return Section({"mean length": Score(float(norms.mean()), "norm of z", n=len(norms), split="test")})
        >>> list(diabolo.evaluate(model, (train, test), measures=["lengths"]).sections)
        ['lengths']
    """

    def register(function: Measure) -> Measure:
        parameters = inspect.signature(function).parameters.values()
        own = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        if own != set(helps):
            raise RuntimeError(f"{function.__name__}: options {sorted(own)}, but help for {sorted(helps)}")
        for option, text in helps.items():
            if HELP.setdefault(option, text) != text:
                raise RuntimeError(f"the option {option!r} of {function.__name__} already means: {HELP[option]}")
        MEASURES[function.__name__] = checked(function)
        HEADS[function.__name__] = heads or {}
        return MEASURES[function.__name__]

    return register


def rank(measure: str, score: str) -> int | None:
    """The place of a score among those that a reader wants first; None of all others.

    Example:
        >>> from diabolo.evaluation.measure import rank
        >>> rank("likelihood", "NLL") < rank("reconstruction", "MSE"), rank("reconstruction", "PSNR")
        (True, None)
    """
    return HEADS.get(measure, {}).get(score)


def options_of(name: str) -> dict[str, tuple[Any, Any]]:
    """The options of the measure of that name: name → (type, default).

    Example:
        >>> list(diabolo.evaluation.options_of("generation"))
        ['densities', 'fit_draws', 'extractor', 'generated', 'manifold_images', 'manifold_k']
    """
    parameters = inspect.signature(MEASURES[name], eval_str=True).parameters.values()
    return {p.name: (p.annotation, p.default) for p in parameters if p.kind is p.KEYWORD_ONLY}
