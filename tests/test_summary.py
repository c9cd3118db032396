import pytest
import torch
from torch import nn

from diabolo import likelihoods, zoo
from diabolo.summary import summarise


def count(model):
    return sum(p.numel() for p in model.parameters())


def test_the_rows_are_the_layers_as_they_run():
    rows = zoo.vae((1, 4, 4), 2, hidden=(5, 3)).summary().rows
    assert [(r.kind, r.output, r.parameters) for r in rows] == [
        ("Linear", (5,), 16 * 5 + 5),
        ("SiLU", (5,), 0),
        ("Linear", (3,), 5 * 3 + 3),
        ("SiLU", (3,), 0),
        ("Linear", (4,), 3 * 4 + 4),  # μ and log σ²
        ("Linear", (3,), 2 * 3 + 3),
        ("SiLU", (3,), 0),
        ("Linear", (5,), 3 * 5 + 5),
        ("SiLU", (5,), 0),
        ("Linear", (16,), 5 * 16 + 16),
    ]
    assert rows[0].name == "encoder.layers.0"


def test_shapes_of_feature_maps():
    rows = zoo.undercomplete((3, 17, 30), 5, net="conv", channels=(4, 6)).summary().rows
    maps = [r.output for r in rows if r.kind.startswith("Conv")]
    assert maps == [(4, 8, 15), (6, 4, 7), (4, 8, 15), (3, 17, 30)]


@pytest.mark.parametrize("likelihood", ["squared-error", "bernoulli", "gaussian", likelihoods.Gaussian("learned")])
@pytest.mark.parametrize(("net", "shape"), [("mlp", (12,)), ("conv", (1, 16, 16)), ("conv-to-point", (3, 28, 28))])
def test_the_counts_add_up(net, shape, likelihood):
    model = zoo.vae(shape, 4, net=net, likelihood=likelihood)
    summary = model.summary()
    assert summary.parameters == summary.trainable == count(model)
    assert sum(r.parameters for r in summary.rows) == summary.parameters


def test_frozen_weights_are_not_trainable():
    model = zoo.undercomplete((1, 8, 8), 4)
    model.encoder.requires_grad_(False)
    summary = model.summary()
    assert summary.parameters == count(model)
    assert summary.trainable == count(model) - count(model.encoder)


def test_weights_used_twice_count_once():
    model = zoo.undercomplete((6,), 5, hidden=(6, 6))
    model.encoder.layers[2].weight = model.encoder.layers[0].weight
    assert model.summary().parameters == count(model)


def test_looking_changes_nothing():
    model = zoo.vae((1, 16, 16), 4, net="conv").train()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    model.summary()
    assert all(m.training for m in model.modules())
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())


def test_hooks_are_gone_even_after_a_failure():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    with pytest.raises(RuntimeError):
        summarise(model, lambda: model(torch.zeros(1, 4)))
    assert not any(m._forward_hooks for m in model.modules())


def test_the_table_is_aligned_and_says_the_totals():
    model = zoo.undercomplete((1, 28, 28), 32)
    lines = str(model.summary()).splitlines()
    assert len({len(line) for line in lines[:-1]}) == 1
    assert "401,920" in lines[2]  # 784 · 512 + 512
    assert lines[2].split()[:2] == ["encoder.layers.0", "Linear"]
    assert "(N, 512)" in lines[2]
    assert lines[-1].startswith(f"parameters: {count(model):,} (trainable {count(model):,}; ")
    assert f"{4 * count(model) / 2**20:.2f} MiB" in lines[-1]


def test_the_table_of_a_report_ends_in_the_whole_model():
    model = zoo.undercomplete((1, 4, 4), 2, hidden=(5,))
    columns, rows = model.summary().table
    assert columns == ("layer", "type", "output shape", "parameters")
    assert rows[0] == ("encoder.layers.0", "Linear", "5", 16 * 5 + 5)
    assert rows[-1][-1] == sum(row[-1] for row in rows[:-1]) == count(model)
