"""Illnesses of a model that does not do the same twice."""

import math

from torch import Tensor

from diabolo.doctor.patient import Patient
from diabolo.doctor.symptom import Illness, Remedy, symptom
from diabolo.hardware import wide

SAME = 1e-3  # mean difference over spread; rounding makes 1e-6, and one in a thousand discrete codes may lie on an edge
PROBED = 64  # images


@symptom
def training_mode(patient: Patient) -> Illness | None:
    """Codes or reconstructions that change from call to call, or with the other images of a batch: a layer is still in training
    mode, as `F.dropout` without `training=self.training` is, or a batch norm that takes the statistics of what it sees."""
    x, y = patient.x("test")[:PROBED], patient.known("test")
    y = None if y is None else y[:PROBED]
    half = len(x) // 2
    if half < 1:
        return None
    model = patient.model
    calls = {
        "codes": model.encode if math.prod(model.latent_shape) > 0 else None,
        "reconstructions": model.reconstruct if patient.decodes else None,
    }
    for what, call in calls.items():
        if call is None:
            continue
        first, again = call(x, y), call(x, y)
        apart = call(x[:half], None if y is None else y[:half])
        twice, alone = _change(first, again), _change(first[:half], apart)
        if not max(twice, alone) < SAME:
            told = "when they go through the model again" if twice >= SAME else "when other images are beside them"
            return Illness(
                "evaluation in training mode",
                f"the same images get other {what} {told}, by {max(twice, alone):.2g} of their spread in the mean: a layer "
                f"still behaves as in training",
                Remedy(
                    "to let every layer heed its mode: F.dropout(x, p, training=self.training), or nn.Dropout and "
                    "nn.BatchNorm as they are"
                ),
                explains=("blurry reconstructions", "code ignored", "overfitting", "too high a learning rate"),
            )
    return None


def _change(a: Tensor, b: Tensor) -> float:
    """The mean difference over the spread."""
    spread = float(wide(a).std(correction=0))
    return float(wide(a - b).abs().mean()) / (spread if spread > 0 else 1.0)
