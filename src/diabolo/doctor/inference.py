"""Illnesses of a model that does not do the same twice."""

import torch

from diabolo.doctor.patient import Patient
from diabolo.doctor.symptom import Illness, Remedy, symptom

SAME = 1e-3  # of the spread of the codes: what rounding may do


@symptom
def training_mode(patient: Patient) -> Illness | None:
    """Codes that change from call to call, or with the other images of a batch: something is still in training mode, such as
    `F.dropout` without `training=self.training`, or a batch norm that takes the statistics of what it sees."""
    if not len(getattr(patient.model, "latent_shape", ())):
        return None
    x = patient.x("test")[:64]
    known = None if patient.model.reads is None else getattr(patient.few.test, patient.model.reads)[:64]
    y = None if known is None else torch.from_numpy(known)
    codes, again = (patient.model.encode(x, y).flatten(1).double() for _ in range(2))
    half = patient.model.encode(x[: len(x) // 2], None if y is None else y[: len(x) // 2]).flatten(1).double()
    spread = float(codes.std()) or 1.0
    twice = float((codes - again).abs().max()) / spread
    alone = float((codes[: len(half)] - half).abs().max()) / spread
    if max(twice, alone) < SAME:
        return None
    told = "the same images" if twice >= SAME else "the same images beside others"
    return Illness(
        "evaluation in training mode",
        f"{told} get other codes when they are encoded again, by up to {max(twice, alone):.2g} of their spread: a layer of the "
        f"encoder still behaves as in training",
        Remedy(
            "let every layer heed its mode: F.dropout(x, p, training=self.training), nn.Dropout and nn.BatchNorm as they are"
        ),
        explains=("learning rate",),
    )
