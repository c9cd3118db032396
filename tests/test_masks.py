"""Labels become masks at one door, whatever numbers they come as; and every measure that takes labels goes through it."""

import numpy as np
import pytest
import torch

from diabolo import figures
from diabolo.errors import DiaboloError
from diabolo.latents.arithmetic import Probe, mean_difference, probe_normal
from diabolo.masks import as_mask
from diabolo.metrics import attribute_probe, separation
from diabolo.metrics.anomaly import delong
from diabolo.metrics.probes import agreement

WANTED = np.array([True, False, False, True, False, True])
FORMS = [
    np.uint8, np.int8, np.int64, np.float16, np.float32, np.float64,
    list, torch.tensor, lambda x: torch.tensor(x).long(), lambda x: x.astype(int).tolist(),
]  # fmt: skip


def formed(form, mask):
    return mask.astype(form) if isinstance(form, type) and issubclass(form, np.generic) else form(mask)


@pytest.mark.parametrize("form", FORMS)
def test_zeros_and_ones_of_any_type_are_masks(form):
    found = as_mask(formed(form, WANTED), "labels", (6,))
    assert found.dtype == np.bool_
    assert found.tolist() == WANTED.tolist()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([0, 1, 2], "or 0 and 1, not 2"),
        ([0, 1, -1], "not -1"),
        ([0.0, 0.5, 1.0], "not 0.5"),
        ([0.0, np.nan, 1.0], "not nan"),
        (["no", "yes"], "not values of the type <U3"),
        (np.array([True, None], object), "type object"),
        ([0j, 1j], "type complex128"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(given, said):
    with pytest.raises(DiaboloError, match=f"the labels must be True and False, .*{said}"):
        as_mask(given, "the labels")


def test_the_shape_is_asked_for():
    with pytest.raises(DiaboloError, match=r"of the shape \(3,\), not \(2,\)"):
        as_mask([0, 1], "the labels", (3,))


RANDOM = np.random.default_rng(0)
YES = RANDOM.random(120) < 0.4
CODES = RANDOM.normal(size=(120, 3)) + YES[:, None]
COLUMNS = np.stack([YES, RANDOM.random(120) < 0.5], 1)
X = CODES.astype(np.float32)
MEASURES = {
    "separation": lambda form: separation(CODES[:, 0], formed(form, YES), seed=1),
    "delong": lambda form: delong(CODES[:, 0], formed(form, YES)),
    "attribute probe": lambda form: attribute_probe(X, formed(form, COLUMNS)).weight.tolist(),
    "agreement": lambda form: [
        v.tolist() for v in vars(agreement(formed(form, COLUMNS), formed(form, ~COLUMNS))).values()
    ],
    "mean difference": lambda form: mean_difference(CODES, formed(form, YES)).tolist(),
    "normal": lambda form: probe_normal(CODES, formed(form, YES)).tolist(),
    "probe": lambda form: Probe.fit(CODES, formed(form, YES)).weight.tolist(),
    "bars of KL": lambda form: [
        bar.get_facecolor() for bar in figures.kl_bars(np.arange(120.0), formed(form, YES)).axes[0].patches
    ],
}


@pytest.mark.parametrize("form", [np.uint8, np.int64, np.float32, torch.tensor])
@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_takes_labels_through_it(name, form):
    assert MEASURES[name](form) == MEASURES[name](np.bool_)


@pytest.mark.parametrize("name", MEASURES)
def test_and_refuses_what_it_refuses(name):
    with pytest.raises(DiaboloError, match="True and False, or 0 and 1, not 3"):
        MEASURES[name](lambda mask: 3 * mask.astype(np.int64))
