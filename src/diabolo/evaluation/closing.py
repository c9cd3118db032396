"""How good a training ended: the lines that `train`, `resume` and `quickstart` close with."""

from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.evaluation.learned import ERROR, READ, Learned, learned
from diabolo.evaluation.measure import NotApplicable
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score
from diabolo.plain import count, number
from diabolo.runs.loading import Run


def judge(codec: Codec, train: Images, held: Images, seed: int = 0) -> tuple[list[str], Learned]:
    """What to say of a trained model: its error on the held-out images beside that of the mean training image, or what its
    classifier gets right beside the most frequent class; and whether, by all that the measure `learned` looks at, it has."""
    try:
        scores = learned(Subject(codec, train, held, seed)).scores
    except NotApplicable:
        return [], Learned(())
    name = ERROR if codec.reconstructs else READ
    return [told(name, scores[name])] if name in scores else [], Learned.of(scores)


def told(name: str, score: Score) -> str:
    """A score of `learned` in a line, in units: "0.0251 squared error per pixel on 360 test images, …"."""
    on = f"on {count(score.n, f'{score.split} image')}"
    if name == ERROR:
        error, of_mean = score.detail["error"], score.detail["of the mean image"]
        return (
            f"squared error per pixel {on}: {number(error)}, {100 * score.value:.0f} % of that of the mean training image "
            f"({number(of_mean)})"
        )
    right, common = score.detail["accuracy"], score.detail["majority class"]
    return f"accuracy {on}: {100 * right:.1f} %; always the most frequent class: {100 * common:.1f} %"


def warnings(run: Run) -> list[str]:
    """What the health watch found wrong after the last epoch."""
    return list((run.history[-1].get("warnings") or {}).values()) if run.history else []


def last_loss(run: Run) -> str | None:
    """The loss of the last epoch, in its unit, or its terms where they have several; None where `told` says the same."""
    if not run.history:
        return None
    last, units = run.history[-1], run.config.units
    part = "validation" if last.get("validation") else "train"
    unit = units.get("total", "")
    if unit == "squared error per pixel" or "total" not in last[part]:
        return None
    names = [name for name in last[part] if name != "total"] if "×" in unit else ["total"]
    values = [
        f"{name.replace('total', 'loss')} {number(last[part][name])} {units.get(name, '')}".rstrip() for name in names
    ]
    return f"after epoch {last['epoch']}, {part} images: {', '.join(values)}"
