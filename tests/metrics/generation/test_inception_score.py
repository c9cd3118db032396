"""The inception-style score: against torch-fidelity, and its two ends."""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_isc import isc_features_to_metric

from diabolo.metrics.generation import inception_score


def test_it_is_torch_fidelitys():
    logits = 3 * np.random.default_rng(0).standard_normal((500, 10))
    expected = isc_features_to_metric(torch.from_numpy(logits), splits=1, shuffle=False)["inception_score_mean"]
    found = inception_score(logits)
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.low < found.value < found.high
    assert found == inception_score(logits)


def test_its_ends():
    sure = 1000.0 * np.eye(10)[np.arange(200) % 10]  # so sure that p is exactly 0 elsewhere
    assert inception_score(sure).value == pytest.approx(10)
    assert inception_score(sure[::10]).value == pytest.approx(1)  # always the same
    assert inception_score(np.zeros((200, 10))).value == pytest.approx(1)  # never sure
