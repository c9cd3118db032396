"""Whether the codes of a class lie in a heap of their own."""

import numpy as np

from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.probes import check_labels, described
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import different
from diabolo.metrics.clustering import kmeans_agreement
from diabolo.metrics.probes import UNKNOWN
from diabolo.metrics.score import Score

STARTS = 4
FITTED = 20_000  # codes that k-means is fitted to


@measure()
def clustering(subject: Subject) -> Section:
    """k-means with as many clusters as classes, fitted to training codes without labels: its clusters of the test codes
    against the classes, by normalised mutual information and the adjusted Rand index (Hubert & Arabie 1985). Beside the codes
    as many principal components of the pixels."""
    check_labels(subject)
    y, test_y = subject.train.labels, subject.test.labels
    assert y is not None
    assert test_y is not None
    there, classes = test_y != UNKNOWN, len(np.unique(y[y != UNKNOWN]))
    if len(subject.train) < classes:
        raise NotApplicable(f"{len(subject.train)} training codes cannot lie in {classes} clusters")
    chosen = np.sort(np.random.default_rng(subject.seed).permutation(len(subject.train))[:FITTED])
    scores, skipped = dict[str, Score](), dict[str, str]()
    for name, view in subject.views.items():
        if name == "pixels":  # slow, and close to the principal components
            continue
        with standing_alone(f"k-means: {name}", skipped):
            different(view.train[chosen].astype(np.float64), classes, f"k-means with {classes} clusters of {name}")
            found = kmeans_agreement(view.train[chosen], view.test[there], test_y[there], classes, STARTS, subject.seed)
            how = {"clusters": classes, "starts": STARTS, "fitted_to": len(chosen), "seed": subject.seed}
            for what, value, none in (("NMI", found.nmi, "0 if independent"), ("ARI", found.ari, "0 for chance")):
                scores[f"k-means {what}: {name}"] = Score(
                    value, f"{none}, 1 for the classes", int(there.sum()), subject.test.split, better="higher",
                    setting=how | described(view, subject),
                )  # fmt: skip
    return Section(scores, skipped=skipped)
