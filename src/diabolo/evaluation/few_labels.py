"""Test accuracy from ten, a hundred, a thousand labels: what the codes save of labelling."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from diabolo.evaluation.measure import NotApplicable, Panel, Section, measure, standing_alone
from diabolo.evaluation.probes import UNIT, check_labels, described
from diabolo.evaluation.subject import Subject
from diabolo.metrics.probes import UNKNOWN, few_label_accuracy
from diabolo.metrics.score import Score
from diabolo.randomness import derive
from diabolo.ranges import Counts, Plural
from diabolo.statistics import mean_interval


@measure(
    few_labels="Numbers of labelled images to learn from; those that the classes or the labels do not allow are left out.",
    label_draws="How often the labelled images are drawn anew, two times or more.",
)
def few_labels(subject: Subject, *, few_labels: Counts = (10, 30, 100, 300, 1000), label_draws: Plural = 10) -> Section:
    """Accuracy of logistic regression on the codes of a few labelled training images, as evenly of all classes as possible;
    against the same on pixels and on as many principal components. Mean over draws; its interval is Student's over draws
    of labels, and says nothing about other test images or another codec trained from another seed."""
    from diabolo import figures

    check_labels(subject)
    train, y, test_y = subject.train, subject.train.labels, subject.test.labels
    assert y is not None
    assert test_y is not None
    there, classes, labels = test_y != UNKNOWN, len(np.unique(y[y != UNKNOWN])), int((y != UNKNOWN).sum())
    sizes = [n for n in sorted(set(few_labels)) if classes <= n <= labels]
    if not sizes:
        raise NotApplicable(f"none of {tuple(few_labels)} labels can be drawn from {labels} of {classes} classes")
    draws: dict[int, list[NDArray[np.int64]]] = {n: [] for n in sizes}
    for i in range(label_draws):
        seed = derive(subject.seed, "few labels", i) % 2**31
        for n in sizes:
            kept = train.keep_labels(n, seed).labels
            assert kept is not None
            draws[n].append(np.flatnonzero(kept != UNKNOWN))
    scores, skipped = dict[str, Score](), dict[str, str]()
    curves: dict[str, dict[int, tuple[float, float, float]]] = {}
    for name, view in subject.views.items():
        x, test_x = view.train / view.scale, view.test / view.scale
        curves[name] = {}
        for n in sizes:
            with standing_alone(f"{n} labels: {name}", skipped):
                shares = few_label_accuracy(x, y, draws[n], test_x[there], test_y[there])
                low, high = (
                    min(1.0, max(0.0, end)) for end in mean_interval(shares)
                )  # t knows nothing of where shares end
                curves[name][n] = (float(shares.mean()), low, high)
                setting = {"labels": n, "draws": label_draws, "deviation_over_draws": float(shares.std(ddof=1))}
                setting |= {"penalty": "scikit-learn's C = 1"} | described(view, subject)
                scores[f"{n} labels: {name}"] = Score(
                    float(shares.mean()), UNIT, int(there.sum()), subject.test.split, low, high,
                    "Student's t over draws of labels, within 0 … 1", "higher", setting, shares.tolist(), df=label_draws - 1,
                )  # fmt: skip
    drawn = {subject.words(name): curve for name, curve in curves.items() if curve}
    panels: dict[str, Panel] = {"few-labels": partial(figures.few_label_curve, drawn)} if drawn else {}
    return Section(scores, panels, skipped)
