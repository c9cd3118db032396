"""Which images are unlike those that a model was trained on: anomaly scores, with a threshold from held-out images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diabolo.codec import Codec
from diabolo.data import Images, as_images
from diabolo.data.origin import check_columns
from diabolo.errors import DiaboloError
from diabolo.evaluation.anomaly import anomaly_scores
from diabolo.evaluation.measuring import Pair, images_of
from diabolo.evaluation.subject import Subject
from diabolo.metrics.threshold import Threshold, threshold
from diabolo.ranges import Count, PartOf, Seed, checked
from diabolo.runs.loading import Run, load_run
from diabolo.trust import Trust


@dataclass(frozen=True)
class Screened:
    """What one anomaly score says of n images.

    Attributes:
        scores: (n,), the higher the more anomalous.
        unit: of the scores.
        threshold: above which an image is flagged, from held-out images.
        p: the p-value of each image, (n,): how probable so high a score is for an image like the held-out ones.
        flagged: (n,) which images lie above the threshold.

    Example:
        >>> error = diabolo.evaluation.screen(model, test, (train, test))["reconstruction error"]
        >>> bool((error.flagged == (error.p <= 0.05)).all())
        True
    """

    scores: NDArray[np.float64]
    unit: str
    threshold: Threshold
    p: NDArray[np.float64]
    flagged: NDArray[np.bool_]


@checked
def screen(
    model: Codec | Run | str | Path,
    images: Images | Sequence[Images],
    data: Pair | None = None,
    false_alarms: PartOf = 0.05,
    elbo_samples: Count = 10,
    seed: Seed = 0,
    trust: Trust = (),
) -> dict[str, Screened]:
    """Judge `images` by every anomaly score that the model has: the squared error of the reconstruction, −ELBO, and −log
    density of the code under a Gaussian with the mean and the covariance of the training codes. For each score the threshold
    is chosen so that images like the held-out ones exceed it with a probability of at most `false_alarms`, see
    `diabolo.metrics.threshold`. No score is best for all anomalies: reconstruction error often fails where they are simpler
    than the training images (`diabolo evaluate` measures each on a class that was held out).

    Args:
        model: a trained model, or a run or its folder.
        images: what is judged, in the units of the training images; several, one after the other.
        data: (training, held-out) images; when left out, the training and test images of the run.
        false_alarms: the false-alarm rate of each score by itself; of k scores together it is at most k times that.
        elbo_samples: codes drawn for each image to estimate its −ELBO.
        seed: of all that is drawn.
        trust: packages whose code a run folder may name, as in `diabolo.load`.

    Returns:
        by the name of the score.

    Raises:
        DiaboloError: for images of another shape, too few held-out images for the rate, and models without any such score.

    Example:
        >>> found = diabolo.evaluation.screen(model, test, (train, test), false_alarms=0.1)
        >>> error = found["reconstruction error"]
        >>> error.scores.shape, bool(error.flagged.mean() <= 0.1)
        ((100,), True)
    """
    if isinstance(model, str | Path):
        model = load_run(model, trust=trust)
    run, codec = (model, model.model) if isinstance(model, Run) else (None, model)
    if not codec.reconstructs:
        raise DiaboloError(f"a {codec.name} reconstructs nothing, so that nothing can be unlike what it was trained on")
    train, held = images_of(run, data, trust)
    several = [as_images(images)] if isinstance(images, Images) else [as_images(one) for one in images]
    if run is not None:
        check_columns(run.config.train, *several)
    for one in (train, held, *several):
        if one.shape != tuple(codec.input_shape):
            raise DiaboloError(f"the model is for images {tuple(codec.input_shape)}, and {one.name} has {one.shape}")
    normal = Subject(codec, train, held, seed, run)
    usual = anomaly_scores(normal, elbo_samples)
    codes = {"train": normal.codes("train")} if "latent density" in usual else {}  # of the training images only once
    found = [anomaly_scores(Subject(codec, train, one, seed, run, dict(codes)), elbo_samples) for one in several]
    judged = {}
    for name, (of_normal, setting) in usual.items():
        bound = threshold(of_normal, false_alarms)
        scores = np.concatenate([of_these[name][0] for of_these in found])
        judged[name] = Screened(scores, setting["unit"], bound, bound.p_values(scores), bound.flags(scores))
    return judged
