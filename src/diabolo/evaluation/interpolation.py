"""How smoothly images change on the way from one code to another."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.errors import DiaboloError
from diabolo.evaluation.applicability import pictures, require_continuous
from diabolo.evaluation.measure import NotApplicable, Panel, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score
from diabolo.ranges import At, Count, Folder, Plural

GRAPH = 10_000  # training codes in the graph
SHOWN = 2  # pairs
LIKELIEST = "probability of the likeliest class"


@measure(
    pairs="Random pairs of test images, of different classes where classes are known, between which codes are interpolated.",
    steps="Codes on each way, both ends among them.",
    path_neighbours="Neighbours of each code in the graph that the way along the data goes by.",
    path_classifier="Run folder of a classifier, whose confidence along the ways is measured too.",
)
def interpolation(
    subject: Subject,
    *,
    pairs: Plural = 100,
    steps: Annotated[int, At(3)] = 9,
    path_neighbours: Count = 10,
    path_classifier: Folder | None = None,
) -> Section:
    """Three ways between codes (posterior means): linear, spherical (White 2016, arXiv 1609.04468), and along the data, by the
    shortest path in a graph of neighbouring training codes (Tenenbaum et al. 2000). Of each, in pixel space: the longest step
    over the mean step, and the length over the distance of the ends."""
    from diabolo import figures, latents
    from diabolo.latents.codes import decode

    subject = subject.pictured
    require_continuous(subject, "interpolation")
    if len(subject.test) < 2:
        raise NotApplicable("it takes two images")
    if len(subject.train) <= path_neighbours:
        raise NotApplicable(f"{len(subject.train)} training codes have no {path_neighbours} neighbours each")
    judge = None if path_classifier is None else _classifier(path_classifier, subject)
    a, b = draw_pairs(subject, pairs)
    codes, train = subject.codes("test"), subject.codes("train")
    kept = np.sort(np.random.default_rng(subject.seed).permutation(len(train))[:GRAPH])
    ways: dict[str, Callable[[], NDArray[Any]]] = {
        "linear": lambda: latents.linear(codes[a], codes[b], steps),
        "spherical": lambda: latents.spherical(codes[a], codes[b], steps),
        "along data": lambda: latents.along_data(
            codes[a], codes[b], steps, latents.CodeGraph(train[kept], path_neighbours)
        ),
    }
    scores, skipped = dict[str, Score](), dict[str, str]()
    score = partial(Score.mean, split=subject.test.split, interval="Student's t, over pairs")
    frames, surest = {}, {}
    for way, path in ways.items():
        with standing_alone(way, skipped):
            frames[way] = decode(subject.codec, path())
            found = latents.smoothness(frames[way])
            setting: dict[str, Any] = {
                "counted": f"pairs of {subject.test.split} images",
                "steps": steps,
                "pairs": "of different classes" if _classes(subject) else "any",
            }
            if way == "along data":
                setting |= {"neighbours": path_neighbours, "training codes": len(kept)}
            scores[f"{way}: longest step"] = score(found.longest_step, "mean steps", better="lower", setting=setting)
            scores[f"{way}: length"] = score(found.detour, "distances of the ends", setting=setting)
            if judge is not None:
                surest[way] = latents.confidence(judge(frames[way]))
                told = setting | {"classifier": path_classifier}
                scores[f"{way}: least confidence"] = score(surest[way], LIKELIEST, better="higher", setting=told)
    if {"linear", "spherical"} <= surest.keys():
        more, told = surest["spherical"] - surest["linear"], {"steps": steps, "classifier": path_classifier}
        scores["spherical less linear: least confidence"] = score(more, LIKELIEST, setting=told)
    panels: dict[str, Panel] = {}
    if frames and pictures(subject):
        rows = {f"pair {i + 1}, {way}": frames[way][i] for i in range(min(SHOWN, len(a))) for way in frames}
        panels["interpolation"] = partial(figures.strips, rows, title="Between two test images, by three ways")
    return Section(scores, panels, skipped)


def draw_pairs(subject: Subject, pairs: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of `pairs` pairs of test images, of different classes where there are classes."""
    random = np.random.default_rng([subject.seed, pairs])
    labels = subject.test.labels if _classes(subject) else None
    some = np.arange(len(subject.test)) if labels is None else np.flatnonzero(labels >= 0)
    a = random.choice(some, pairs)
    if labels is None:
        b = some[(a + random.integers(1, len(some), pairs)) % len(some)]
        return a, b
    b = np.array([random.choice(some[labels[some] != label]) for label in labels[a]])
    return a, b


def _classes(subject: Subject) -> bool:
    labels = subject.test.labels
    return labels is not None and len(np.unique(labels[labels >= 0])) > 1


def _classifier(path: str, subject: Subject) -> Any:
    """The probabilities (P, steps, K) that the classifier in the run folder `path` gives to frames (P, steps, C, H, W)."""
    from diabolo.runs.loading import load

    model = load(path)
    if not hasattr(model, "predict") or getattr(model.head, "needs_column", None) != "labels":
        raise DiaboloError(f"{path} holds no classifier; train one with: diabolo train classifier")
    if tuple(model.input_shape) != tuple(subject.codec.input_shape):
        raise DiaboloError(
            f"the classifier in {path} is for images {model.input_shape}, not {subject.codec.input_shape}: name one "
            "that was trained on images of that shape"
        )

    def judge(frames: NDArray[np.float32]) -> NDArray[np.float64]:
        logits = model.predict(torch.from_numpy(frames.reshape(-1, *frames.shape[2:])))
        found: NDArray[np.float64] = logits.double().softmax(1).cpu().numpy().reshape(*frames.shape[:2], -1)
        return found

    return judge
