"""How well a codec generates: from each density over its codes, and for reconstruction and interpolation beside."""

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.autoencoder import Autoencoder
from diabolo.data.portable_random import permutation
from diabolo.errors import DiaboloError
from diabolo.evaluation.generated import USUAL, check_densities, every_kind, made_from, ordered
from diabolo.evaluation.measure import NotApplicable, Panel, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject, pixels
from diabolo.metrics.score import Score
from diabolo.randomness import derive
from diabolo.ranges import Count, Plural
from diabolo.statistics import Estimate, blocks, mean_interval, wilson

MOST = 10_000  # images generated unless asked for others
SHOWN = 36
SUBSET = 1000  # of the kernel distance


@measure(
    densities="Where codes to generate from are drawn: prior (the model's own), normal, gaussian, mixture, neighbours, flow.",
    extractor="What takes features of images: classifier (trained on the training images), inception, or package.module:name.",
    generated="Images generated from each density; as many as there are test images, at most 10,000, when left out.",
    manifold_images="Of how many images of either kind precision, recall, density and coverage are found.",
    manifold_k="The neighbour that the ball around an image reaches to, for these four.",
)
def generation(
    subject: Subject,
    *,
    densities: tuple[str, ...] = USUAL,
    extractor: str = "classifier",
    generated: Count | None = None,
    manifold_images: Plural = 5000,
    manifold_k: Count = 5,
) -> Section:
    """Fréchet and kernel distance, precision, recall, density, coverage and inception-style score of generated images against
    test images, for each density and for reconstruction and interpolation: the table of Ghosh et al. 2020, arXiv 1903.12436."""
    from diabolo.metrics import generation as measures

    if isinstance(subject.codec, Autoencoder) and not subject.codec.objective.judges_reconstructions:
        raise NotApplicable("its decoder was not trained")
    if manifold_images <= manifold_k:
        raise DiaboloError(
            f"balls reach to neighbour 1 or farther among more images, not {manifold_k} of {manifold_images}"
        )
    check_densities(subject, densities)
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
    shown = {"test images": pixels(test.take(permutation(len(test), derive(subject.seed, "generation"))[:SHOWN]))}
    same = f"{taker.name} of {test.fingerprint}, {n:,} images, seed {subject.seed}"
    block = _blocks(subject, n)
    skipped: dict[str, str] = {}
    for name, make in every_kind(subject, densities, n):
        with standing_alone(name, skipped):
            images, how = make()
            made = measures.extract(taker, images)
            few, of = made.first(alike), made_from(subject, name, n)
            fid = measures.fid(made.values, as_stored.values, of, subject.seed)
            kid = measures.kid(made.values, as_stored.values, SUBSET, subject.seed, of)
            parts = kid.shared(f"{same}, {len(kid.subsets)} subsets of {'samples' if of is None else name}")
            found = {
                "fid": fid,
                "fid parts": fid.shared(same, block).record(),
                "kid": kid,
                "kid parts": None if parts is None else parts.record(),
                "manifold": measures.manifold(few.values, balls, manifold_k, reach),
                "spread": measures.spread(few.values, balls, manifold_k),
                "score": None if made.logits is None else measures.inception_score(made.logits),
            }
            scores |= _scores(name, found, common | how | {"n_generated": len(images)}, test.split)
            shown[name] = images[:SHOWN]
    return Section(scores, _panels(subject, scores, shown, taker.name), skipped)


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
    fid, kid, balls, score = (found[key] for key in ("fid", "kid", "manifold", "score"))
    n, m = setting["n_generated"], len(balls.within)
    of_kid = setting | {"kernel": "(xᵀy / F + 1)³", "subsets": len(kid.subsets), "subset_size": kid.size}
    within = setting | {"k": balls.k, "n_generated": m, "n_real": len(balls.covered)}
    each, subsets = "± 1.96 standard errors, from what each image adds", "Student's t over disjoint subsets"
    few = {"KID": len(kid.subsets) - 1, "score": n - 1}  # degrees of freedom of Student's t
    of = f"{setting['extractor']} features of {setting['size']} pixels"
    lines: list[tuple[str, float, str, int, Any, str, Any, dict[str, Any]]] = [
        ("FID", fid.value, f"squared distance of {of}", n, (fid.low, fid.high), each, "lower", setting),
        ("KID", kid.value, f"squared MMD of {of}", n, kid.interval or (None, None), subsets, "lower", of_kid),
    ]
    if (limit := fid.without_bias) is not None:
        unit = f"squared distance of {of}, were there infinitely many images"
        lines.insert(1, ("FID without bias", limit.value, unit, n, limit.interval(), each, "lower", setting))
    for what, hits in (("precision", balls.within > 0), ("recall", balls.recalled), ("coverage", balls.covered)):
        unit = f"share of {'generated' if what == 'precision' else 'test'} images, by {of}"
        interval, how, df = _wider(
            wilson(int(hits.sum()), len(hits)), hits.mean(), found["spread"].get(what), 1.0, "Wilson"
        )
        few |= {} if df is None else {what: df}
        lines.append((what, float(hits.mean()), unit, len(hits), interval, how, "higher", within))
    fixed, unit = mean_interval(balls.within / balls.k), f"balls of test images / k, by {of}"
    interval, how, df = _wider(
        fixed, balls.density, found["spread"].get("density"), math.inf, "Student's t over images", len(balls.within) - 1
    )
    few |= {} if df is None else {"density": df}
    lines.append(("density", balls.density, unit, m, interval, how, "higher", within))
    if score is not None:
        how = "Student's t over images, without the bias of few"
        lines.append(
            (
                "score",
                score.value,
                f"effective classes of {setting['extractor']}",
                n,
                (score.low, score.high),
                how,
                "higher",
                setting,
            )
        )
    shared = {"FID": found["fid parts"], "FID without bias": found["fid parts"], "KID": found["kid parts"]}
    return {
        f"{what}, {name}": Score(
            value, unit, n, split, low, high, None if low is None else how, better, of, shared=shared.get(what),
            df=None if low is None else few.get(what),
        )
        for what, value, unit, n, (low, high), how, better, of in lines
    }  # fmt: skip


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
    panels: dict[str, Panel] = {
        "generation-fid": partial(figures.bars, values, unit, whiskers or None, title=f"{what}: FID")
    }
    shape = subject.test.shape
    if len(shape) == 3 and shape[0] in (1, 3):
        panels["generation-samples"] = partial(figures.density_samples, shown, title=f"{what}: what is compared")
    return panels
