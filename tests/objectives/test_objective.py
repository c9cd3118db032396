"""What all objectives share: the weighted sum; and the usual one, and the one of labels alone, written out."""

import pytest
import torch

from diabolo import zoo
from diabolo.errors import DiaboloError
from diabolo.objectives import ELBO, Supervised, weighted
from diabolo.randomness import Draws, generator
from diabolo.schedules import Constant, Linear

SHAPE = (1, 4, 4)


def images(n=6):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))


def test_a_total_is_the_weighted_sum_of_the_means():
    per_image = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([3.0, 5.0]), "c": torch.tensor([8.0, 8.0])}
    loss = weighted(per_image, {"b": Linear(0, 1, 1.0), "c": 0.5}, 0.25)
    assert {name: term.item() for name, term in loss.terms.items()} == {"a": 1.5, "b": 4.0, "c": 8.0}
    assert loss.weights == {"a": 1.0, "b": 0.25, "c": 0.5}
    assert loss.total.item() == 1.5 + 1.0 + 4.0
    assert loss.logged == {}
    assert weighted(per_image, {"a": Constant(0.0)}, 0.0, {"w": loss.total}).logged == {"w": loss.total}


@pytest.mark.parametrize(("weight", "judges"), [(0.0, False), (0.5, True), (1, True)])
def test_a_reconstruction_is_judged_where_it_is_asked_for(weight, judges):
    objective = ELBO(weight)
    assert objective.judges_reconstructions is judges
    m = zoo.vae(SHAPE, 2, hidden=(7,))
    loss = objective(m, images(), None, Draws(generator(0)), 0.0)
    torch.testing.assert_close(loss.total, weight * loss.terms["reconstruction"] + loss.terms["kl"])


def test_labels_alone():
    torch.manual_seed(0)
    m, y = zoo.classifier(SHAPE, 2, classes=3, hidden=(7,)), torch.tensor([0, 2, 1, -1, 1, 0])
    assert isinstance(m.objective, Supervised)
    loss = m.loss(images(), Draws(generator(0)), y=y)
    logits = m.head(images(), m(images(), Draws(generator(0)))[0])
    known = y >= 0
    torch.testing.assert_close(loss.total, torch.nn.functional.cross_entropy(logits[known], y[known]))
    assert list(loss.terms) == list(m.units) == ["classification", "misclassified"]
    assert m.objective.schedules(m) == dict(m.head.weights)
    with pytest.raises(DiaboloError, match="labels alone needs a model with a head, such as Classifier"):
        Supervised().check(zoo.vae(SHAPE, 2, hidden=(7,)))
