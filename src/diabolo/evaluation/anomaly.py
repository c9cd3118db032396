"""How well images of a class that training held out are distinguished from those of the classes it saw."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.classes import class_number
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.evaluation.likelihood import densities
from diabolo.evaluation.measure import NotApplicable, Panel, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import refuse_discrete
from diabolo.latents.densities import fit_density
from diabolo.metrics.anomaly import separation
from diabolo.metrics.likelihood import negative_elbo
from diabolo.metrics.score import Score
from diabolo.ranges import Count

Scores = dict[str, tuple[NDArray[np.float64], dict[str, Any]]]


@measure(
    {"AUROC: reconstruction error": 25},
    anomalous="Class, by its name, whose test images are the anomalies: one that training held out (--without-class).",
    elbo_samples="Codes drawn for each test image to estimate its −ELBO.",
)
def anomaly(subject: Subject, *, anomalous: int | str | None = None, elbo_samples: Count = 10) -> Section:
    """Test images of a held-out class against those of the others, by three scores: the squared error of the reconstruction,
    −ELBO, and −log N(z; μ, Σ) of the code with mean and full covariance of the training codes. Areas under the ROC and the
    precision-recall curve; reconstruction error often fails where anomalies are simpler than what was trained on."""
    from diabolo import figures

    label = _held_out(subject) if anomalous is None else _number(subject, anomalous)
    called = _called(subject, label)
    _check(subject, label, called)
    labels = subject.test.labels
    assert labels is not None
    known = labels >= 0
    odd = labels[known] == label
    scores, skipped = dict[str, Score](), dict[str, str]()
    panels: dict[str, Panel] = {}
    areas, whiskers = {}, {}
    for name, (values, setting) in anomaly_scores(subject, elbo_samples).items():
        with standing_alone(name, skipped):
            values = values[known]
            found = separation(values, odd, seed=subject.seed)
            setting = setting | {"anomalous": called, "anomalous_images": int(odd.sum())}
            if subject.train.labels is None:
                setting["held_out"] = "on trust: the training images have no labels"
            n, split = len(values), subject.test.split
            area = "area under the curve"
            scores[f"AUROC: {name}"] = Score(
                found.auroc,
                area,
                n,
                split,
                *found.auroc_interval,
                "DeLong, Newcombe",
                "higher",
                setting | {"chance": 0.5},
            )
            scores[f"AUPRC: {name}"] = Score(
                found.auprc, area, n, split, *found.auprc_interval, "bootstrap over images", "higher",
                setting | {"chance": found.share},
            )  # fmt: skip
            areas[name], whiskers[name] = found.auroc, found.auroc_interval
            panels[f"anomaly-{name.replace(' ', '-')}"] = partial(
                figures.histogram, {"seen classes": values[~odd], called: values[odd]}, setting["unit"],
                title=f"Anomaly score: {name}",
            )  # fmt: skip
    title = f"Class {called}, unseen in training, against the others"
    bars: dict[str, Panel] = {"anomaly": partial(figures.bars, areas, "AUROC", whiskers, title=title)} if areas else {}
    return Section(scores, bars | panels, skipped)


def anomaly_scores(subject: Subject, elbo_samples: int) -> Scores:
    """The anomaly scores that this codec has of the test images, by name, (N,) each, the higher the more anomalous; and what
    decides them."""
    found: Scores = {"reconstruction error": (subject.errors, {"unit": "squared error per pixel"})}
    try:
        model = densities(subject)
    except NotApplicable:
        pass
    else:
        bound = negative_elbo(model, subject.test, elbo_samples, subject.seed)
        setting = {"unit": bound.unit, "draws": elbo_samples, "seed": subject.seed}
        found["negative ELBO"] = bound.per_image.numpy(), setting
    try:
        refuse_discrete(subject.codec, "a density")
        density = fit_density("gaussian", subject.codes("train"), subject.seed)
    except DiaboloError as error:  # discrete codes, none, or too few of them for a Gaussian
        found["reconstruction error"][1]["latent density left out"] = str(error)
        return found
    of = {
        "unit": "−log density of the code, nats",
        "fitted_to": f"{len(subject.train):,} codes of {subject.train.split}",
    }
    found["latent density"] = -density.log_prob(subject.codes("test")), of | dict(density.setting)
    return found


def _held_out(subject: Subject) -> int:
    """The one class of the test images that is not among the training images."""
    missing = sorted(_classes(subject.test) - _classes(subject.train)) if _classes(subject.train) else []
    if len(missing) != 1:
        raise NotApplicable(
            "no class was held out: train with --without-class NAME, or name one that the training images lack: anomalous=… "
            "(--anomalous)"
        )
    return missing[0]


def _number(subject: Subject, wanted: int | str) -> int:
    """The label of the class that is called so."""
    test = subject.test
    if test.labels is None:
        raise NotApplicable(f"the test images of {test.name} have no labels to say which are of class {wanted}")
    present = np.unique(test.labels[test.labels >= 0]).tolist()
    try:
        return class_number(wanted, test.label_names, present, f"the test images of {test.name}")
    except DiaboloError as error:
        raise NotApplicable(error) from error


def _called(subject: Subject, label: int) -> str:
    names = subject.test.label_names
    return str(names[label] if names else label)


def _check(subject: Subject, label: int, called: str) -> None:
    """Refuse a class that cannot be anomalous."""
    train, test = subject.train, subject.test
    assert test.labels is not None
    odd, others = int((test.labels == label).sum()), int(((test.labels != label) & (test.labels >= 0)).sum())
    if min(odd, others) < 2:
        raise NotApplicable(
            f"{odd} test images of {test.name} are known to be of class {called}, and {others} of others; "
            "two of each are needed"
        )
    how = f"train with --without-class {called}, or data.load(…, without_class={called!r}), so that it is new to the model"
    left_out = (train.origin or {}).get("load", {}).get("without_class")
    if label in _classes(train):
        raise NotApplicable(f"class {called} is among the training images and so no anomaly: {how}")
    if (
        train.labels is not None
        and (train.labels < 0).any()
        and (left_out is None or _number(subject, left_out) != label)
    ):
        raise NotApplicable(f"training images whose label is not known may be of class {called}: {how}")
    trained_on = None if subject.run is None else subject.run.config.train.fingerprint
    if trained_on not in (None, train.fingerprint):
        raise NotApplicable(
            f"the run was trained on other images than those given, which may have shown class {called}: {how}"
        )


def _classes(images: Images) -> set[int]:
    return set() if images.labels is None else set(np.unique(images.labels[images.labels >= 0]).tolist())
