"""Whether a model has learned anything: what is asked before a finding is drawn from it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.bottlenecks import Gaussian
from diabolo.codec import Codec
from diabolo.data.columns import column
from diabolo.data.images import Images, chunks
from diabolo.data.portable_random import permutation
from diabolo.errors import DiaboloError
from diabolo.evaluation.baselines import known_pixels
from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import known, pieces
from diabolo.latents.densities.density import draw_images
from diabolo.metrics.probes import UNKNOWN, linear_probe, majority
from diabolo.metrics.score import Score
from diabolo.randomness import derive
from diabolo.statistics import Estimate, State, mean_interval, paired_shares, verdict

ERROR, SPREAD, SAMPLES, READ = "error", "variance of reconstructions", "variance of samples", "read above the majority"
ASKED = {
    ERROR: ("≤", 0.9),
    SPREAD: ("≥", 0.05),
    SAMPLES: ("≥", 0.05),
    READ: ("≥", 0.05),
}  # the least effects that count
RULE = (
    "A model has learned when its squared error on held-out images is at most 90 % of that of the mean training image, its "
    "reconstructions (and samples, where it has a prior) vary by at least 5 % of the images' variance, and a linear probe on "
    "its codes, or its own classifier, gets right at least 5 % of what the most frequent class gets wrong (without classes, of "
    "the attribute that is read best); each by the 95 % interval"
)
LOOKED_AT, FITTED_TO, DRAWN = 1000, 2000, 200  # test images, training images of the probe, samples
FEWEST = 10  # test images: fewer say too little of their own spread
WIDE, KEPT = 128, 64  # a wider code is probed by its first principal components
ROUNDING = 1e-12  # squared pixels
EVEN = 10  # attributes looked at, where there are no classes: those that split the images most evenly

Floats = NDArray[np.float64]
Hits = NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """One thing that a model which has learned does.

    Attributes:
        name: one of `ASKED`.
        value, low, high: what was measured, as a share, with its 95 % interval.
    """

    name: str
    value: float
    low: float
    high: float

    @property
    def state(self) -> State:
        """Met or missed where the whole interval is on one side of what is asked, else not decided."""
        relation, bar = ASKED[self.name]
        return verdict(self.value, relation, bar, self.low, self.high)

    @property
    def told(self) -> str:
        """What was measured and what is asked, in words."""
        most = "at most" if ASKED[self.name][0] == "≤" else "at least"
        of = {
            ERROR: "its squared error on held-out images is {} of that of the mean training image",
            SPREAD: "its reconstructions have {} of the variance of the images",
            SAMPLES: "its samples have {} of the variance of the images",
            READ: "of what the most frequent class gets wrong, {} is read off its codes",
        }[self.name]
        interval = f"{_percent(self.value)} (95 % interval {_percent(self.low)} to {_percent(self.high)})"
        return f"{of.format(interval)}, and {most} {_percent(ASKED[self.name][1])} is asked for"


@dataclass(frozen=True)
class Learned:
    """Whether a model has learned, and by what.

    Attributes:
        evidence: what was looked at; what does not apply is left out.
    """

    evidence: tuple[Evidence, ...]

    @classmethod
    def of(cls, scores: Mapping[str, Score]) -> "Learned":
        """By the scores of the measure `learned`."""
        there = {name: scores[name] for name in ASKED if name in scores}
        return cls(tuple(Evidence(n, s.value, _known(s.low), _known(s.high)) for n, s in there.items()))

    @property
    def state(self) -> State:
        """Missed if anything was missed; not decided if anything was not, or nothing could be looked at; else met."""
        states = {one.state for one in self.evidence}
        return "missed" if "missed" in states else "met" if states == {"met"} else "not decided"

    def __bool__(self) -> bool:
        return self.state == "met"

    @property
    def told(self) -> str:
        """Why not, in words; "" of a model that has learned."""
        if not self.evidence:
            return "nothing of it could be measured on these images"
        worst = [one.told for state in ("missed", "not decided") for one in self.evidence if one.state == state]
        return worst[0] if worst else ""

    @property
    def verdict(self) -> str:
        """The state and why, in a line."""
        met = f"as asked of {', '.join(one.name for one in self.evidence)}"
        return f"has learned: {self.state}, {self.told or met}"


@measure({"read above the majority": 90})
def learned(subject: Subject) -> Section:
    """Whether the model has learned anything at all: its error on test images against that of the mean training image; how much
    its reconstructions, and its samples where it has a prior of its own, vary; and what a linear probe on its codes reads above
    the majority class (of a VAE on a draw of the posterior, so that units which say nothing are noise to it)."""
    few = subject.test.take(permutation(len(subject.test), derive(subject.seed, "learned"))[:LOOKED_AT])
    if len(few) < FEWEST:
        raise NotApplicable(f"it takes {FEWEST} test images, and there are {len(few)}")
    scores, skipped = dict[str, Score](), dict[str, str]()
    if subject.codec.reconstructs:
        x, x_hat = few.pixels.astype(np.float64), reconstructed(subject.codec, few, subject.seed)
        if (found := error_score(x, x_hat, mean_image(subject.train), few.split)) is not None:
            scores[ERROR] = found
        if _varies(x):
            scores[SPREAD] = _spread(x_hat, x, few.split)
            with standing_alone(SAMPLES, skipped):
                if (drawn := _samples(subject, few)) is not None:
                    both = {"n_generated": len(drawn), "n_real": len(x)}
                    scores[SAMPLES] = replace(_spread(drawn, x, few.split), setting=both)
    with standing_alone(READ, skipped):
        if (read := _read(subject, few)) is not None:
            scores[READ] = read
    if not scores:
        raise NotApplicable("the images are all the same, and no class can be read off them")
    return Section(scores, skipped=skipped)


def reconstructed(codec: Codec, images: Images, seed: int = 0) -> Floats:
    """x_hat (N, *shape) of `images`, from what the encoder sees in training: corrupted by `seed`, where it is."""
    found = []
    for few in pieces(images):
        x = codec.corrupt(few.tensor, seed)
        found.append(codec.reconstruct(x, column(few, codec.needs_column)).cpu().numpy())
    return np.concatenate(found).astype(np.float64)


def mean_image(images: Images) -> Floats:
    """The mean (*shape) of `images`, in [0, 1]."""
    total, known = np.zeros(images.shape), np.zeros(images.shape)
    for piece in chunks(images.images):
        total += (np.nansum if images.missing else np.sum)(piece, 0, dtype=np.float64)
        known += np.isfinite(piece).sum(0) if images.missing else len(piece)
    mean: Floats = np.divide(total, known, out=np.full(images.shape, np.nan), where=known > 0)
    return mean / 255 if images.images.dtype == np.uint8 else mean  # summed up as bytes, which is exact


def error_score(x: Floats, x_hat: Floats, mean: Floats, split: str) -> Score | None:
    """The squared error of the reconstructions `x_hat` (N, *shape) of `x` as a share of that of the training images' `mean`;
    None where the images are all that mean. Its detail are both errors per pixel."""
    errors, of_mean = (_per_image(x - y) for y in (x_hat, mean))
    if not of_mean.mean() > ROUNDING:
        return None
    both = {"error": float(errors.mean()), "of the mean image": float(of_mean.mean())}
    return _ratio(errors, of_mean, "of the mean image's squared error", split, "lower", both)


def _per_image(difference: Floats) -> Floats:
    each: Floats = np.nanmean(np.square(difference), tuple(range(1, difference.ndim)))  # over what is known
    return each


def _ratio(
    a: Floats, b: Floats, unit: str, split: str, better: Literal["lower", "higher"], detail: object = None
) -> Score:
    """mean(a) / mean(b) of pairs (N,), with the interval of a ratio of means: Student's t of a − ratio · b, over mean(b)."""
    ratio = float(a.mean() / b.mean())
    low, high = (float(end / b.mean()) for end in mean_interval(a - ratio * b))
    how = "Student's t of the ratio of means, over images"
    return Score(ratio, unit, len(a), split, ratio + low, ratio + high, how, better, detail=detail)


def _varies(x: Floats) -> bool:
    return bool(np.ma.masked_invalid(x).var(0).mean() > ROUNDING)  # over what is known


def _spread(images: Floats, x: Floats, split: str) -> Score:
    """The variance of `images` (M, *shape) as a share of that of `x` (N, *shape)."""
    a, b = (_per_image(each - np.ma.masked_invalid(each).mean(0).filled(np.nan)) for each in (images, x))
    if len(a) == len(b):
        return _ratio(a, b, "of the images' variance", split, "higher")
    share = float(a.mean() / b.mean())
    error = math.hypot(
        *(float(each.std(ddof=1) / each.mean() / math.sqrt(len(each))) if each.any() else 0 for each in (a, b))
    )
    low, high = Estimate(share, share * error).interval()
    how = "normal, of the ratio of independent means"
    return Score(share, "of the images' variance", len(a), split, max(0.0, low), high, how, "higher")


def _samples(subject: Subject, few: Images) -> Floats | None:
    """Images drawn from a prior that the model was trained towards; None where it has none."""
    bottleneck = subject.codec.bottleneck
    if not (isinstance(bottleneck, Gaussian) or bottleneck.discrete):
        return None
    some = few.take(np.arange(DRAWN) % len(few))
    try:
        return draw_images(subject.codec, None, DRAWN, subject.seed, known(subject.codec, some)).astype(np.float64)
    except DiaboloError:  # discrete codes without a prior
        return None


def _read(subject: Subject, few: Images) -> Score | None:
    """Of what the majority class gets wrong, the share that is read off the codes, or by the model's own classifier."""
    codec = subject.codec
    if not codec.reconstructs:
        return classified(subject, few)
    columns = _columns(subject.train)
    if not columns or (few.labels is None and columns == ("labels",)) or not math.prod(codec.latent_shape):
        return None
    if codec.condition.to_decoder:
        return None  # a code need not say what the decoder is given beside it
    some = _known_of(subject.train, columns)
    some = some.take(permutation(len(some), derive(subject.seed, "read"))[:FITTED_TO])
    few = _known_of(few, columns)
    codes = [_codes(codec, images, subject.seed) for images in (some, few)]
    found = _above(columns, codes, some, few)
    if found is not None and Evidence(READ, found.value, _known(found.low), _known(found.high)).state != "met":
        flat = [known_pixels(images, some).astype(np.float64) for images in (some, few)]
        floor = _above(columns, flat, some, few)
        if floor is None or not _known(floor.low) >= ASKED[READ][1]:
            return None  # these classes are not to be read off the pixels either
    return found


def _columns(images: Images) -> tuple[str, ...]:
    """What could be read: ("labels",), or the names of the attributes that split the images most evenly."""
    if images.labels is not None and len(np.unique(images.labels[images.labels != UNKNOWN])) > 1:
        return ("labels",)
    if images.attributes is None or images.attribute_names is None:
        return ()
    share = images.attributes.mean(0)
    order = np.argsort(np.abs(share - 0.5), kind="stable")[:EVEN]
    return tuple(images.attribute_names[i] for i in order if 0 < share[i] < 1)


def _known_of(images: Images, columns: Sequence[str]) -> Images:
    """Those whose class is known."""
    return images.take(np.flatnonzero(_column(images, "labels") != UNKNOWN)) if columns == ("labels",) else images


def _column(images: Images, name: str) -> NDArray[np.int64]:
    if name == "labels":
        assert images.labels is not None
        return np.asarray(images.labels, np.int64)
    assert images.attributes is not None
    assert images.attribute_names is not None
    return np.asarray(images.attributes[:, list(images.attribute_names).index(name)] > 0, np.int64)


def _codes(codec: Codec, images: Images, seed: int) -> Floats:
    """What the decoder is given, (N, D): of a VAE a draw of the posterior."""
    found = []
    for few in pieces(images):
        x, y = few.tensor, column(few, codec.needs_column)
        found.append(codec.sample_codes(x, seed, y).cpu().flatten(1).numpy())
    return np.concatenate(found).astype(np.float64)


def _above(columns: Sequence[str], views: Sequence[Floats], some: Images, few: Images) -> Score | None:
    """By linear probes on the representations `views` of training and test images. Of several attributes it is the one that is
    read best, within an interval that allows for the choice (Bonferroni)."""
    train, test = _narrowed(views[0], views[1])
    found = []
    for name in columns:
        y, truth = _column(some, name), _column(few, name)
        if len(np.unique(y)) > 1 and len(truth) > 1:
            hits = linear_probe(train, y).predict(test) == truth
            found.append(_over_majority(hits, truth == majority(y), few.split, name, len(columns)))
    return max(filter(None, found), key=lambda score: _known(score.low), default=None)


def _narrowed(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Wide codes by the first principal components of the training codes; of codes that are all equal one number."""
    if train.shape[1] <= WIDE or len(train) <= KEPT:
        return train, test
    if not (train != train[0]).any():
        return train[:, :1], test[:, :1]
    from sklearn.decomposition import PCA  # slow to import

    pca = PCA(KEPT, svd_solver="randomized", random_state=0).fit(train)
    return pca.transform(train), pca.transform(test)


def classified(subject: Subject, few: Images) -> Score | None:
    """The model's own classifier against the majority class of the training images."""
    y, truth = subject.train.labels, few.labels
    predict = getattr(subject.codec, "predict", None)
    if y is None or truth is None or predict is None or not (y != UNKNOWN).any() or not (truth != UNKNOWN).any():
        return None
    few = few.take(np.flatnonzero(truth != UNKNOWN))
    truth = np.asarray(few.labels)
    answers = predict(few.tensor, column(few, subject.codec.needs_column))
    if answers.ndim != 2 or answers.shape[1] < 2:
        return None
    hits = answers.argmax(1).cpu().numpy() == truth
    return _over_majority(hits, truth == majority(y), few.split)


def _over_majority(hits: Hits, common: Hits, split: str, name: str = "labels", of: int = 1) -> Score | None:
    """Of hits (N,), and those of the majority class: (accuracy − majority) / (1 − majority), over images; of the column `name`,
    one `of` several."""
    left = float(1 - common.mean())
    if len(hits) < 2 or left <= 0:
        return None
    n, right, common_right = len(hits), float(hits.mean()), float(common.mean())
    low, high = paired_shares(int((hits & ~common).sum()), int((common & ~hits).sum()), n, 1 - 0.05 / of)
    detail = {"read": name, "accuracy": right, "majority class": common_right}
    unit, how = "of what the majority class gets wrong", "Agresti and Min, over images, paired"
    return Score((right - common_right) / left, unit, n, split, low / left, high / left, how, "higher", detail=detail)


def _known(end: float | None) -> float:
    return math.nan if end is None else end


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace("-", "−").replace(".0 %", " %")
