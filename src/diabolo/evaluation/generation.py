"""How well a codec generates: from each density over its codes, and for reconstruction and interpolation beside."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.portable_random import permutation
from diabolo.errors import DiaboloError
from diabolo.evaluation.applicability import require_complete
from diabolo.evaluation.generated import USUAL, check_densities, every_kind, made_from, ordered
from diabolo.evaluation.measure import NotApplicable, Panel, Section, measure, standing_alone
from diabolo.evaluation.posterior import has_posterior
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score
from diabolo.randomness import derive
from diabolo.ranges import Count, Plural
from diabolo.statistics import Estimate, blocks, mean_interval, wilson

MOST = 10_000  # images generated unless asked for others
SHOWN = 36
SUBSET = 1000  # of the kernel distance
Values = NDArray[np.floating[Any]]
Two = tuple[Values, Values]  # generated, test
Line = tuple[str, float, str, int, Any, str, Any, dict[str, Any], int | None]  # of one score


@measure(
    {"FID, prior": 60, "FID, gaussian": 61, "FID, reconstruction": 62},
    densities="Where codes to generate from are drawn: prior (the model's own), normal, gaussian, mixture, neighbours, flow.",
    fit_draws="Whether densities are fitted to a draw of q(z|x) for each training image, and not to its mean.",
    extractor="What takes features of images: classifier (trained on the training images), inception, or package.module:name.",
    generated="Images generated from each density; as many as there are test images, at most 10,000, when left out.",
    manifold_images="Of how many images of either kind precision, recall, density and coverage are found.",
    manifold_k="The neighbour that the ball around an image reaches to, for these four.",
)
def generation(
    subject: Subject,
    *,
    densities: tuple[str, ...] = USUAL,
    fit_draws: bool = False,
    extractor: str = "classifier",
    generated: Count | None = None,
    manifold_images: Plural = 5000,
    manifold_k: Count = 5,
) -> Section:
    """Fréchet and kernel distance, precision, recall, density, coverage and inception-style score of generated images against
    test images, for each density and for reconstruction and interpolation: the table of Ghosh et al. 2020, arXiv 1903.12436."""
    from diabolo.metrics import generation as measures

    if len(subject.codec.input_shape) != 3:
        raise NotApplicable(
            f"it compares features of pictures, and examples of shape {subject.codec.input_shape} are none"
        )
    subject = subject.pictured
    if not subject.codec.reconstructs:
        raise NotApplicable("its decoder was not trained")
    require_complete(subject, "features are taken of")
    if manifold_images <= manifold_k:
        raise DiaboloError(
            f"manifold_images must exceed manifold_k, the neighbour that balls reach to, and {manifold_images} does not exceed "
            f"{manifold_k}"
        )
    check_densities(subject, densities)
    if fit_draws and not has_posterior(subject.codec):
        raise NotApplicable("it has no posterior q(z|x) to draw from")
    test = subject.test
    n = generated or min(MOST, len(test))
    taker = _taker(subject, extractor)
    as_stored = measures.extract(taker, test.images)
    width = as_stored.values.shape[1]
    if min(n, len(test)) <= width:
        raise NotApplicable(
            f"distances between {width:,} features need {width + 1:,} images or more on either side, not {n:,} generated and "
            f"{len(test):,} of {test.name} ({test.split})"
        )
    # In random order, since data sets are not: the first half of MNIST's test images is easier than the second.
    shuffled = as_stored.at(permutation(len(test), derive(subject.seed, "references")))
    alike = min(
        manifold_images, n, len(test)
    )  # as many of either kind, or recall and coverage would be that of fewer tries
    balls = shuffled.first(alike).values
    reach = measures.radii(balls, manifold_k)
    common: dict[str, Any] = {"extractor": taker.name, **taker.setting, "n_real": len(test), "size": _size(test.shape)}
    if isinstance(taker, measures.Classifier):
        common["accuracy"] = taker.accuracy(as_stored, test)
    scores: dict[str, Score] = {}
    shown = {"test images": test.take(permutation(len(test), derive(subject.seed, "generation"))[:SHOWN]).pixels}
    same = f"{taker.name} of {test.fingerprint}, {n:,} images, seed {subject.seed}"
    block = _blocks(subject, n)
    skipped: dict[str, str] = {}
    for name, make in every_kind(subject, densities, n, fit_draws):
        with standing_alone(name, skipped):
            images, how = make()
            made = measures.extract(taker, images)
            few, of = made.first(alike), made_from(subject, name, n)
            shown[name] = images[:SHOWN]
            setting = common | how | {"n_generated": len(images)}

            both, kin = (made.values, as_stored.values), "samples" if of is None else name
            found = {
                "FID": partial(_frechet, both, of, subject.seed, (same, block)),
                "KID": partial(_kernel, both, of, subject.seed, f"{same}, {{}} subsets of {kin}"),
                "precision, recall, density, coverage": partial(_in_balls, few.values, balls, manifold_k, reach),
                "score": partial(_effective_classes, made.logits),
            }
            for what, measured in found.items():
                with standing_alone(f"{what}, {name}", skipped):
                    scores |= _scores(name, measured(), setting, test.split)
    return Section(scores, _panels(subject, scores, shown, taker.name), skipped)


def _frechet(
    both: Two, of: NDArray[np.int64] | None, seed: int, shared: tuple[str, NDArray[np.int64]]
) -> dict[str, Any]:
    from diabolo.metrics.generation import fid

    found = fid(*both, of, seed)
    return {"fid": found, "fid parts": found.shared(*shared).record()}


def _kernel(both: Two, of: NDArray[np.int64] | None, seed: int, shared: str) -> dict[str, Any]:
    from diabolo.metrics.generation import kid

    found = kid(*both, SUBSET, seed, of)
    parts = found.shared(shared.format(len(found.subsets)))
    return {"kid": found, "kid parts": None if parts is None else parts.record()}


def _in_balls(few: Values, balls: Values, k: int, reach: Any) -> dict[str, Any]:
    from diabolo.metrics.generation import manifold, spread

    return {"manifold": manifold(few, balls, k, reach), "spread": spread(few, balls, k)}


def _effective_classes(logits: Any) -> dict[str, Any]:
    from diabolo.metrics.generation import inception_score

    return {"score": None if logits is None else inception_score(logits)}


def _blocks(subject: Subject, n: int) -> NDArray[np.int64]:
    """A block of each test image (N,): runs of neighbours among those that are reconstructed, and as many of the rest."""
    order, found = ordered(subject), np.empty(len(subject.test), np.int64)
    for some in (order[:n], order[n:]):
        found[some] = blocks(len(some))
    return found


def _taker(subject: Subject, extractor: str) -> Any:
    from diabolo.metrics import generation as measures

    train = subject.train
    if extractor == "classifier" and train.labels is None and train.attributes is None:
        raise NotApplicable(
            f"the extractor 'classifier' is trained on labels or attributes, and {train.name} ({train.split}) has neither; "
            f"give another as `extractor`"
        )
    return measures.extractor(extractor, train)


def _scores(name: str, found: dict[str, Any], setting: dict[str, Any], split: str) -> dict[str, Score]:
    """The scores of one set of images."""
    of = f"{setting['extractor']} features of {setting['size']} pixels"
    lines: list[Line] = []
    if (fid := found.get("fid")) is not None:
        lines += _lines_of_fid(fid, of, setting)
    if (kid := found.get("kid")) is not None:
        about = setting | {"kernel": "(xᵀy / F + 1)³", "subsets": len(kid.subsets), "subset_size": kid.size}
        unit, n, subsets = f"squared MMD of {of}", setting["n_generated"], "Student's t over disjoint subsets"
        ends = kid.interval or (None, None)
        lines.append(("KID", kid.value, unit, n, ends, subsets, "lower", about, len(kid.subsets) - 1))
    if (balls := found.get("manifold")) is not None:
        lines += _lines_of_balls(balls, found["spread"], of, setting)
    if (score := found.get("score")) is not None:
        n, how = setting["n_generated"], "Student's t over images, without the bias of few"
        unit = f"effective classes of {setting['extractor']}"
        lines.append(("score", score.value, unit, n, (score.low, score.high), how, "higher", setting, n - 1))
    shared = {"FID": found.get("fid parts"), "FID without bias": found.get("fid parts"), "KID": found.get("kid parts")}
    return {
        f"{what}, {name}": Score(
            value, unit, n, split, low, high, None if low is None else how, better, about, shared=shared.get(what),
            df=None if low is None else df,
        )
        for what, value, unit, n, (low, high), how, better, about, df in lines
    }  # fmt: skip


def _lines_of_fid(fid: Any, of: str, setting: dict[str, Any]) -> Iterator[Line]:
    n, each = setting["n_generated"], "± 1.96 standard errors, from what each image adds"
    yield "FID", fid.value, f"squared distance of {of}", n, (fid.low, fid.high), each, "lower", setting, None
    if (limit := fid.without_bias) is not None:
        unit = f"squared distance of {of}, were there infinitely many images"
        yield "FID without bias", limit.value, unit, n, limit.interval(), each, "lower", setting, None


def _lines_of_balls(balls: Any, spread: dict[str, float], of: str, setting: dict[str, Any]) -> Iterator[Line]:
    m, within = len(balls.within), balls.within
    about = setting | {"k": balls.k, "n_generated": m, "n_real": len(balls.covered)}
    for what, hits in (("precision", within > 0), ("recall", balls.recalled), ("coverage", balls.covered)):
        unit = f"share of {'generated' if what == 'precision' else 'test'} images, by {of}"
        fixed, n = wilson(int(hits.sum()), len(hits)), len(hits)
        ends, how, df = _wider(fixed, hits.mean(), spread.get(what), 1.0, "Wilson")
        yield what, float(hits.mean()), unit, n, ends, how, "higher", about, df
    fixed, unit = mean_interval(within / balls.k), f"balls of test images / k, by {of}"
    ends, how, df = _wider(fixed, balls.density, spread.get("density"), math.inf, "Student's t over images", m - 1)
    yield "density", balls.density, unit, m, ends, how, "higher", about, df


def _wider(
    fixed: tuple[float, float], value: float, error: float | None, most: float, how: str, df: int | None = None
) -> tuple[tuple[float, float], str, int | None]:
    """The interval of hits in balls that are held fixed, or the wider one that counts how the balls vary over subsets; how
    it was found; and the degrees of freedom of the one that is wider, that of fixed balls having `df`."""
    from diabolo.metrics.generation import SUBSETS

    if error is None:
        return fixed, f"{how}, the balls held fixed", df
    low, high = Estimate(float(value), error, SUBSETS - 1).interval()
    ends = max(0.0, min(low, fixed[0])), min(most, max(high, fixed[1]))
    of_subsets = high - low >= fixed[1] - fixed[0]
    how = f"the wider of {how}, the balls held fixed, and Student's t over {SUBSETS} subsets"
    return ends, how, SUBSETS - 1 if of_subsets else df


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _panels(
    subject: Subject, scores: dict[str, Score], shown: dict[str, np.ndarray], extractor: str
) -> dict[str, Panel]:
    from diabolo import figures

    found = {key.removeprefix("FID, "): score for key, score in scores.items() if key.startswith("FID, ")}
    values = {name: score.value for name, score in found.items()}
    whiskers = {name: (s.low, s.high) for name, s in found.items() if s.low is not None and s.high is not None}
    what = f"{subject.codec.name} on {subject.test.name} ({subject.test.split})"
    unit = f"Fréchet distance, features of {extractor}"
    panels: dict[str, Panel] = {}
    if values:
        panels["generation-fid"] = partial(figures.bars, values, unit, whiskers or None, title=f"{what}: FID")
    shape = subject.test.shape
    if len(shape) == 3 and shape[0] in (1, 3):
        panels["generation-samples"] = partial(figures.density_samples, shown, title=f"{what}: what is compared")
    return panels
