"""Linear and nearest-neighbour probes of the codes, against pixels, principal components and the majority class."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.evaluation.baselines import View, code_views, is_told
from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.posterior import has_posterior, units_in_use
from diabolo.evaluation.subject import Subject
from diabolo.metrics.probes import UNKNOWN, common_scale, linear_probe, majority, nearest_neighbours
from diabolo.metrics.score import Score
from diabolo.ranges import Count
from diabolo.statistics import wilson

SLOW = 2**39  # products that neighbours may take in one view; of more, fewer test images are drawn, for all views
UNIT = "share of images"
PENALTY = "scikit-learn's C = 1"


@measure(
    {"linear probe: codes": 30, "linear probe: pixels": 81},
    probe_neighbours="How many nearest training codes vote for the class of a test image.",
    probe_floors="Whether pixels and principal components are probed too, and the codes by scikit-learn; that takes longer.",
)
def probes(subject: Subject, *, probe_neighbours: Count = 5, probe_floors: bool = True) -> Section:
    """How well the class is read off frozen codes by one linear layer (Alain & Bengio 2017, arXiv 1610.01644) and by the
    nearest neighbours; and off raw pixels, off as many principal components, and by always saying the most frequent class.

    The codes of a Gaussian posterior are its means, and are probed beside draws of it: means hold more than the decoder can see
    through the noise. Where some of its units are idle (see `metrics.active_units`), these and the others are probed apart."""
    from diabolo import figures

    check_labels(subject)
    y, test_y = subject.train.labels, subject.test.labels
    assert y is not None
    assert test_y is not None
    there, n_train = test_y != UNKNOWN, int((y != UNKNOWN).sum())
    truth = test_y[there]
    if n_train < probe_neighbours:
        raise NotApplicable(f"{probe_neighbours} neighbours are asked for, and {n_train} training images have a label")

    labelled = np.flatnonzero(there)

    def score(
        found: NDArray[np.int64], wanted: NDArray[np.int64], which: NDArray[np.int64] = labelled, **how: Any
    ) -> Score:
        right, n = int((found == wanted).sum()), len(wanted)
        low, high = wilson(right, n)
        kept = subject.shared(found == wanted, which)
        return Score(right / n, UNIT, n, subject.test.split, low, high, "Wilson", "higher", how, shared=kept)

    scores: dict[str, Score] = {}
    codes = subject.codes("train"), subject.codes("test")
    sampled = None if probe_floors else subject.sampled_codes
    looked_at = subject.views if probe_floors else {v.name: v for v in code_views(codes, sampled, subject.seed)}
    skipped: dict[str, str] = {}
    for name, view in [*looked_at.items(), *_parts(subject)]:
        how = {"trained_on": n_train, **described(view, subject), "divided_by": view.scale, "penalty": PENALTY}
        with standing_alone(f"linear probe: {name}", skipped):
            found = linear_probe(view.train, y, scale=view.scale).predict(view.test[there])
            scores[f"linear probe: {name}"] = score(found, truth, **how)
        if name == "codes" and probe_floors:
            with standing_alone("linear probe: codes (scikit-learn)", skipped):
                found = _scikit_learn(view, y, view.test[there])
                scores["linear probe: codes (scikit-learn)"] = score(found, truth, **how)
    most = SLOW // (n_train * max(view.train.shape[1] for view in looked_at.values()))
    chosen = np.sort(np.random.default_rng(subject.seed).permutation(len(truth))[: max(1, most)])
    for name, view in looked_at.items():  # the same test images in each
        how = {"trained_on": n_train, "neighbours": probe_neighbours, **described(view, subject)}
        if len(chosen) < len(truth):
            how["test_images"] = f"{len(chosen):,} of {len(truth):,}, drawn by seed {subject.seed}"
        called = f"{probe_neighbours} nearest neighbours: {name}"
        with standing_alone(called, skipped):
            found = nearest_neighbours(view.train, y, view.test[there][chosen], probe_neighbours)
            scores[called] = score(found, truth[chosen], labelled[chosen], **how)
    scores["majority class"] = score(np.full_like(truth, majority(y)), truth, trained_on=n_train)
    values = {subject.words(name): one.value for name, one in scores.items()}
    whiskers = {subject.words(name): wilson(round(one.value * one.n), one.n) for name, one in scores.items()}
    title = f"Classes read off frozen codes ({subject.test.split})"
    return Section(scores, {"probes": partial(figures.bars, values, UNIT, whiskers, title=title)}, skipped)


def _parts(subject: Subject) -> Iterator[tuple[str, View]]:
    """The active and the idle units of posterior means each by themselves, in the scale that the whole code has; none where all
    are active, or none is."""
    train, test = subject.codes("train"), subject.codes("test")
    active = units_in_use(subject.codec, train)
    if not has_posterior(subject.codec) or active.all() or not active.any():
        return
    whole = common_scale(train)
    for name, units in (("active units", active), ("idle units", ~active)):
        yield name, View(name, train[:, units], test[:, units], scale=whole)


def check_labels(subject: Subject) -> None:
    """Whether labels can be read off the codes at all.

    Raises:
        NotApplicable: when not, and why.
    """
    if is_told(subject.codec, "labels"):
        raise NotApplicable(
            "the encoder is given the label of each image: its codes say nothing about reading it off them"
        )
    train, test = _classes(subject.train), _classes(subject.test)
    if len(train) < 2:
        raise NotApplicable(f"the training images show {len(train)} classes, and a probe distinguishes two or more")
    if not len(test):
        raise NotApplicable("no label of the test images is known")
    if not np.isin(test, train).any():
        raise NotApplicable("no class of the test images occurs among the training images")


def described(view: View, subject: Subject) -> dict[str, Any]:
    """What to say of a view beside a score."""
    said: dict[str, Any] = {"numbers": view.train.shape[1]}
    if has_posterior(subject.codec) and view.name == "codes":
        said["of"] = "means of q(z|x)"
    if view.name == "sampled codes":
        said |= {"of": "one draw of q(z|x) for each image", "seed": subject.seed}
    if view.reduced:
        said["stood_for"] = view.reduced
    if view.name == "codes" and subject.codec.needs_column:
        said["codec_was_trained_with"] = subject.codec.needs_column
    return said


def _classes(images: Images) -> NDArray[np.int64]:
    return np.unique([] if images.labels is None else images.labels[images.labels != UNKNOWN])


def _scikit_learn(view: View, y: NDArray[np.int64], queries: NDArray[np.float32]) -> NDArray[np.int64]:
    """The same probe by someone else."""
    from sklearn.linear_model import LogisticRegression  # slow to import

    there = y != UNKNOWN
    fitted = LogisticRegression(max_iter=1000).fit(view.train[there] / view.scale, y[there])
    found: NDArray[np.int64] = fitted.predict(queries / view.scale)
    return found
