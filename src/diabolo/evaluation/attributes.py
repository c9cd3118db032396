"""All attributes of the images at once, read off the codes by one linear layer."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation.baselines import is_told
from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.probes import UNIT, described
from diabolo.evaluation.subject import Subject
from diabolo.metrics.probes import Agreement, agreement, attribute_probe, read_attributes
from diabolo.metrics.score import Score

MAJORITY = "majority"


@measure(
    {"mean balanced accuracy: codes": 31},
    shown_attributes="Attributes that get a row of their own in the table; all of them are in scores.json.",
)
def attributes(subject: Subject, *, shown_attributes: tuple[str, ...] = ()) -> Section:
    """How well attributes (forty on CelebA) are read off frozen codes by one linear layer with an output for each; and off
    pixels, off as many principal components, and by saying for each what most training images have. Accuracy, and balanced
    accuracy, for which rare attributes count as much; both at the threshold ½. Whether persons are in both parts is the data
    set's affair: CelebA's official parts and `split="persons"` keep them apart."""
    from diabolo import figures

    train, test, names = subject.train.attributes, subject.test.attributes, subject.test.attribute_names
    if train is None or test is None or names is None:
        raise NotApplicable("the images have no attributes")
    if is_told(subject.codec, "attributes"):
        raise NotApplicable("the encoder is given the attributes: its codes say nothing about reading them off")
    varies = _varies(train) & _varies(test)
    for name in shown_attributes:
        if name not in names:
            raise UnknownNameError("attribute", name, names, see="attribute_names of the images")
        if not varies[names.index(name)]:
            raise DiaboloError(
                f"the attribute {name} is the same for all training or all test images, so nothing can be read: "
                "name another"
            )
    if not varies.any():
        raise NotApplicable("every attribute is the same for all training or all test images")
    kept = [name for name, there in zip(names, varies, strict=True) if there]
    truth, common = test[:, varies], train[:, varies].mean(0)
    found, skipped = dict[str, Agreement](), dict[str, str]()
    for name, view in subject.views.items():
        with standing_alone(name, skipped):
            layer = attribute_probe(view.train, train[:, varies], scale=view.scale)
            found[name] = agreement(read_attributes(layer, view.test), truth)
    found[MAJORITY] = agreement(np.broadcast_to(common > 0.5, truth.shape), truth)
    left_out = [name for name, there in zip(names, varies, strict=True) if not there]
    n, split = len(test), subject.test.split
    scores = {}
    for name, one in found.items():
        how = {"attributes": len(kept), "trained_on": len(train), "constant_and_left_out": left_out}
        how |= described(subject.views[name], subject) if name in subject.views else {}
        columns = {"accuracy": one.accuracy, "low": one.low, "high": one.high, "balanced": one.balanced}
        detail = {a: {c: round(float(v[k]), 4) for c, v in columns.items()} for k, a in enumerate(kept)}
        scores[f"mean accuracy: {name}"] = Score(
            float(one.accuracy.mean()), UNIT, n, split, better="higher", setting=how, detail=detail
        )
        scores[f"mean balanced accuracy: {name}"] = Score(
            float(one.balanced.mean()),
            "share of images, yes and no weighing the same",
            n,
            split,
            better="higher",
            setting=how,
        )
    for attribute in shown_attributes:
        k = kept.index(attribute)
        for name, one in found.items():
            scores[f"{attribute}: {name}"] = Score(
                float(one.accuracy[k]), UNIT, n, split, float(one.low[k]), float(one.high[k]), "Wilson", "higher",
                {"trained_on": len(train), "share_that_has_it": float(truth[:, k].mean()), "balanced": float(one.balanced[k])},
            )  # fmt: skip
    table = {
        attribute: {
            name: (float(one.accuracy[k]), float(one.low[k]), float(one.high[k])) for name, one in found.items()
        }
        for k, attribute in enumerate(kept)
    }
    return Section(scores, {"attributes": partial(figures.attribute_table, table, list(found))}, skipped)


def _varies(columns: NDArray[np.bool_]) -> NDArray[np.bool_]:
    share = columns.mean(0)
    found: NDArray[np.bool_] = (share > 0) & (share < 1)
    return found
