"""Whether samples are copies of training images."""

from functools import partial

import numpy as np

from diabolo.errors import NoPriorError
from diabolo.evaluation.applicability import pictures, require_complete
from diabolo.evaluation.measure import NotApplicable, Panel, Section, measure
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score
from diabolo.ranges import Count

LEAST, MOST, SHOWN = 100, 500, 8


@measure(
    checked="Samples that are compared with every training image, as many as test images (500 at most, 100 at least)."
)
def memorisation(subject: Subject, *, checked: Count = 500) -> Section:
    """The distance of samples to the nearest training image against that of unseen test images (Meehan et al. 2020,
    arXiv 2004.05675), and the share of samples of which one training image is far nearer than any other. In pixel space."""
    from diabolo import figures, latents
    from diabolo.latents.nearest import LEVEL

    subject = subject.pictured
    codec = subject.codec
    if not codec.reconstructs:
        raise NotApplicable("its decoder was not trained")
    if codec.condition.to_decoder and codec.condition.every(codec.device) is None:
        raise NotApplicable("its samples need to be given what to show")
    if len(subject.test) < LEAST:
        raise NotApplicable(f"it takes {LEAST} test images, and there are {len(subject.test)}")
    require_complete(subject, "distances between images need")
    try:
        samples = codec.scaling.held(codec.sample(checked, subject.seed).float()).cpu().numpy()
    except NoPriorError as reason:
        raise NotApplicable(str(reason)) from reason
    unseen = subject.test.at_most(MOST, subject.seed)
    found = latents.memorisation(samples, subject.train.images, unseen.images)
    setting = {
        "training images": len(subject.train),
        "n_generated": checked,
        "n_real": len(unseen),
        "space": "pixels",
        "seed": subject.seed,
    }
    scores = {
        "nearer than test images": Score(
            found.nearer, "share of pairs; 0.5 without copying", checked, unseen.split, setting=setting,
            detail={"z": float(found.z), "p": found.p},
        ),
        "copies": Score(
            found.copies, f"share of samples; {LEVEL:g} without copying", checked, unseen.split, better="lower",
            setting=setting,
            detail={"p": found.copies_p},
        ),
    }  # fmt: skip
    panels: dict[str, Panel] = {
        "nearest-distances": partial(
            figures.histogram,
            {"samples": found.samples, "test images": found.unseen},
            "distance to the nearest training image",
            title="How near samples are to training images",
        )
    }
    if pictures(subject):
        first = np.argsort(found.ratio, kind="stable")[:SHOWN]
        near = subject.train.take(found.index[first].ravel()).pixels.reshape(len(first), 2, *subject.train.shape)
        away = np.linalg.norm((near - samples[first][:, None]).reshape(len(first), 2, -1), axis=2)
        panels["nearest-training-images"] = partial(
            figures.neighbours, samples[first], near, away, title="The samples most like one training image"
        )
    return Section(scores, panels)
