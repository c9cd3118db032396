import pytest
import torch

from diabolo.bottlenecks import Sparse
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws
from diabolo.schedules import Cosine


def transparent(width):
    waist = Sparse(width, width)
    with torch.no_grad():
        waist.to_code.weight.copy_(torch.eye(width))
        waist.to_code.bias.zero_()
    return waist


def test_the_penalty_is_the_sum_of_absolute_values_per_image():
    features = torch.tensor([[1.0, -2.0, 0.0], [0.5, 0.25, -0.25]])
    latent = transparent(3)(features, Draws())
    assert torch.equal(latent.z, features)
    assert torch.equal(latent.code, features)
    assert latent.penalties["l1"].tolist() == [3.0, 1.0]


def test_the_penalty_draws_every_unit_towards_zero():
    features = torch.tensor([[1.0, -2.0, 0.0]], requires_grad=True)
    transparent(3)(features, Draws()).penalties["l1"].sum().backward()
    assert features.grad.tolist() == [[1.0, -1.0, 0.0]]


def test_the_weight_is_a_number_or_a_schedule():
    assert Sparse(4, 2).weights["l1"](0.5) == 1e-4
    assert Sparse(4, 2, 0.1).weights["l1"](0.0) == 0.1
    assert Sparse(4, 2, Cosine(2.0)).weights["l1"](1.0) == 0.0
    assert Sparse(4, 2).units.keys() == Sparse(4, 2).weights.keys()


def test_no_code_is_refused():
    with pytest.raises(DiaboloError, match="latent_dim must be at least 1, not -2"):
        Sparse(10, -2)
