"""Whether one model is better than another: over its seeds where there are several, and of two runs on the same test images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from diabolo.metrics.score import Score
from diabolo.statistics import Decision, Estimate, Shared, against_best, apart, decide, least_difference, mean, welch


@dataclass(frozen=True)
class Behind:
    """How far a model is behind the best of several by one score.

    Attributes:
        difference: its score less that of the best; None where nothing is known of the noise.
        p: how probable so large a difference is by chance, adjusted for all pairs of models (Holm 1979).
        decision: what the difference allows to say (`diabolo.statistics.decide`).
        least: the least difference that matters (`diabolo.statistics.least_difference`), in the unit of the score.
        how: by which test.
    """

    difference: Estimate | None
    p: float
    decision: Decision
    least: float
    how: str

    @property
    def worse(self) -> bool:
        """Whether it is significantly worse, and by as much as matters."""
        return self.decision in ("more", "less")


def behind(scores: Mapping[str, Sequence[Score]]) -> tuple[str, dict[str, Behind]]:
    """The best of several models, and how far each other one is behind it.

    The best is chosen by the same numbers that it is compared by, so that all pairs of models count as one family.

    Args:
        scores: of each model, one per seed; of a kind of which more or less is better.
    """
    like = next(score for some in scores.values() for score in some)
    means = {label: fmean(score.value for score in some) for label, some in scores.items()}
    best, found = against_best(means, lambda a, b: of_two(scores[a], scores[b])[0], like.better == "higher")
    others = dict[str, Behind]()
    for label, (difference, p) in found.items():
        least = least_difference(like.unit, means[label], means[best])
        decision: Decision = "not decided" if difference is None else decide(difference, least=least, p=p)
        others[label] = Behind(difference, p, decision, least, of_two(scores[label], scores[best])[1])
    return best, others


def of_two(a: Sequence[Score], b: Sequence[Score]) -> tuple[Estimate | None, str]:
    """a − b, and how it is judged: over the seeds of both, or of two single runs by what is known of each on its images. A
    model with one seed is held against n seeds of another as if its own would spread as theirs do: with the error s √(1 + 1/n)
    and n − 1 degrees of freedom (Crawford & Howell 1998, "Comparing an individual's test score against norms derived from small
    samples")."""
    if len(a) > 1 and len(b) > 1:
        return welch([s.value for s in a], [s.value for s in b]), "Welch's test over seeds"
    if len(a) > 1 or len(b) > 1:
        several = mean([s.value for s in (a if len(a) > 1 else b)])
        error = several.error * math.sqrt(several.df + 2)  # s √(1 + 1/n) = s/√n √(n + 1)
        value = fmean(s.value for s in a) - fmean(s.value for s in b)
        return Estimate(value, error, several.df), "one seed against several, as if it spread as they do"
    one, other = (_estimate(scores[0]) for scores in (a, b))
    if one is None or other is None:
        return None, "no interval of a single run"
    kept = [Shared.read(scores[0].shared) for scores in (a, b)]
    same = kept[0] is not None and kept[1] is not None and kept[0].of == kept[1].of
    over = next((score.over for score in (*a, *b) if score.over != "images"), "")
    how = "of these two runs" + (", on the same test images" if same else f", over {over}" if over else "")
    return apart(one, other, *kept), how


def _estimate(score: Score) -> Estimate | None:
    if score.low is None or score.high is None:
        return None
    return Estimate.within(score.value, score.low, score.high, score.df)
