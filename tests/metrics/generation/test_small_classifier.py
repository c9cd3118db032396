"""The classifier of attributes: what its penalties are, by hand."""

import pytest
import torch

from diabolo.bottlenecks.latent import Latent
from diabolo.metrics.generation.small_classifier import AttributeClassifier


def test_the_share_of_attributes_read_wrong_is_only_written_down():
    head = AttributeClassifier((2,), 2)
    with torch.no_grad():
        head.to_logits.weight.copy_(torch.eye(2))
        head.to_logits.bias.zero_()
    z = torch.tensor([[3.0, -3.0], [3.0, 3.0], [-3.0, 3.0]])
    found = head.penalties(torch.zeros(3, 1), Latent(z=z, code=z), torch.tensor([[1.0, 0.0]] * 3))
    assert found["misclassified"].tolist() == [0, 0.5, 1]
    right, wrong = (torch.tensor(value).exp().log1p().item() for value in (-3.0, 3.0))
    assert found["classification"].tolist() == pytest.approx([right, (right + wrong) / 2, wrong])
    assert {name: weight(0.5) for name, weight in head.weights.items()} == {"classification": 1.0, "misclassified": 0.0}
