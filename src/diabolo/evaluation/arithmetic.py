"""Whether an attribute can be added to an image by adding a direction to its code, and what else changes then."""

import re
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation.applicability import pictures, require_continuous
from diabolo.evaluation.measure import NotApplicable, Panel, Section, measure
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score
from diabolo.statistics import mean_interval

FITTED = 5000  # training images that probes are fitted to
MOVED, SHOWN = 200, 4  # test images
USUAL = ("Eyeglasses", "Smiling")


@measure(
    edited="Attributes that are added to test images which have them not; Eyeglasses and Smiling where there are such.",
    alphas="By how many mean differences codes are moved along the direction of the attribute.",
)
def arithmetic(
    subject: Subject, *, edited: tuple[str, ...] = (), alphas: tuple[float, ...] = (-2.0, 0.0, 2.0, 4.0)
) -> Section:
    """z + α v for test images without the attribute, by three directions v: the mean difference of training codes (Larsen et
    al. 2016, arXiv 1512.09300), the normal of a linear probe, and the mean difference at right angles to the normals of all
    other attributes (Shen et al. 2020, arXiv 1907.10786; where the code has more numbers than those are). The images are
    encoded again and judged by linear probes: how much more probable the attribute has become from α = 0 to the largest α,
    and how far the other attributes moved on average."""
    from diabolo import figures, latents
    from diabolo.latents.arithmetic import judge

    subject = subject.pictured
    names = _names(subject.train, edited)
    require_continuous(subject, "arithmetic")
    if 0 not in alphas or max(alphas, default=0) <= 0:
        raise DiaboloError(f"alphas must hold 0, from which changes are counted, and a number above it, not {alphas}")
    kept = np.sort(np.random.default_rng(subject.seed).permutation(len(subject.train))[:FITTED])
    few, z = subject.train.take(kept), subject.codes("train")[kept].astype(np.float64)
    varying = [name for name, column in _columns(few).items() if column.any() and not column.all()]
    probes = {name: latents.Probe.fit(z, latents.attribute(few, name)) for name in varying}
    see = judge(subject.codec, probes)
    scores: dict[str, Score] = {}
    panels: dict[str, Panel] = {}
    for name in names:
        has = latents.attribute(few, name)
        others = [probes[other].weight for other in varying if other != name]
        mean = latents.mean_difference(z, has)
        ways = {"mean difference": mean, "probe normal": latents.probe_normal(z, has, probes[name])}
        if 0 < len(others) < z.shape[1]:
            ways["right-angled"] = latents.orthogonalised(mean, np.stack(others))
        without = np.flatnonzero(~_columns(subject.test)[name])[:MOVED]
        if len(without) < 2:
            raise NotApplicable(f"fewer than 2 test images are without {name}")
        moved = {
            way: latents.sweep(subject.codec, subject.codes("test")[without], direction, alphas, see)
            for way, direction in ways.items()
        }
        for way, sweep in moved.items():
            setting = {
                "alphas": list(alphas),
                "judge": f"probes of the codes of {len(few)} training images, on the encoded images",
            }
            scores |= _scores(f"{name} by {way}", name, sweep, subject.test.split, setting)
        plain = moved["mean difference"]
        stem = re.sub(r"[\W_]+", "-", name.lower())  # a file is called after it, whatever the data set calls it
        if pictures(subject):
            rows = {f"test image {i}": images for i, images in zip(without, plain.images[:SHOWN], strict=False)}
            told = [f"α = {alpha:g}".replace("-", "−") for alpha in alphas]
            panels[f"arithmetic-{stem}"] = partial(figures.strips, rows, told, title=f"{name}, by the mean difference")
        panels[f"response-{stem}"] = partial(
            figures.response,
            sorted(alphas),
            {way: _curve(sweep.response[name], alphas) for way, sweep in moved.items()},
            "α",
            f"probability of {name}",
            title=f"{name} along its direction",
        )
    return Section(scores, panels)


def _names(train: Images, edited: tuple[str, ...]) -> tuple[str, ...]:
    if train.attribute_names is None:
        raise NotApplicable("the images have no attributes")
    for name in edited:
        if name not in train.attribute_names:
            raise UnknownNameError("attribute", name, train.attribute_names, see="attribute_names of the images")
    found = _columns(train)
    names = edited or tuple(name for name in USUAL if name in found and 0 < found[name].mean() < 1)
    if not names:
        raise NotApplicable(f"none of {', '.join(USUAL)} is known of the images and varies: name attributes by edited")
    return names


def _columns(images: Images) -> dict[str, NDArray[np.bool_]]:
    assert images.attributes is not None
    assert images.attribute_names is not None
    return dict(zip(images.attribute_names, images.attributes.T, strict=True))


def _scores(label: str, name: str, sweep: Any, split: str, setting: dict[str, Any]) -> dict[str, Score]:
    start, last = sweep.alphas.index(0), int(np.argmax(sweep.alphas))
    gain = sweep.response[name][:, last] - sweep.response[name][:, start]
    drift = sweep.drift(name)
    found = {
        f"{label}: gain": Score.mean(
            gain, "probability", split, "Student's t, over images", better="higher", setting=setting
        )
    }
    if drift:
        found[f"{label}: drift of others"] = Score(
            float(np.mean(list(drift.values()))),
            "probability",
            len(gain),
            split,
            better="lower",
            setting=setting,
            detail=drift,
        )
    return found


def _curve(response: NDArray[np.float64], alphas: tuple[float, ...]) -> NDArray[np.float64]:
    """(K, 3): mean, low and high over images, by rising α."""
    order = np.argsort(alphas)
    rows = [(response[:, k].mean(), *mean_interval(response[:, k])) for k in order]
    return np.array(rows)
