"""The classifier: cross entropy of the labelled images of the batch, and of them alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import diabolo
from diabolo import heads, zoo
from diabolo.bottlenecks import Latent
from diabolo.errors import DiaboloError
from diabolo.objectives import Supervised


def latent(n=6, dim=3, seed=0):
    code = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))
    return Latent(z=torch.full_like(code, torch.nan), code=code)  # the code is read, not the sample


@settings(deadline=None)  # the first call is slow
@given(st.lists(st.integers(-1, 3), min_size=1, max_size=8), st.sampled_from([(), (5,), (4, 6)]))
def test_the_mean_over_the_batch_is_that_over_the_labelled(labels, widths):
    torch.manual_seed(0)
    head, y = heads.Classifier((3,), 4, widths=widths), torch.tensor(labels)
    there = latent(len(y))
    logits, known = head(torch.empty(len(y), 1), there), y >= 0
    terms = {name: values.mean() for name, values in head.penalties(torch.empty(len(y), 1), there, y).items()}
    if not known.any():
        assert terms == {"classification": 0.0, "misclassified": 0.0}
        return
    torch.testing.assert_close(terms["classification"], F.cross_entropy(logits[known], y[known]))
    wrong = (logits[known].argmax(1) != y[known]).float().mean()
    torch.testing.assert_close(terms["misclassified"], wrong)
    wanted = torch.autograd.grad(F.cross_entropy(logits[known], y[known]), head.layers[0].weight, retain_graph=True)
    got = torch.autograd.grad(terms["classification"], head.layers[0].weight)
    torch.testing.assert_close(got, wanted)


def test_reconstruction_and_alpha_times_cross_entropy():
    torch.manual_seed(0)
    model = zoo.joint((1, 8, 8), 5, alpha="linear(0, 2)", classes=4)
    x, y = torch.rand(6, 1, 8, 8), torch.tensor([0, -1, 3, -1, -1, 1])
    loss = model.loss(x, y=y, progress=0.25)
    known = y >= 0
    cross_entropy = F.cross_entropy(model.predict(x)[known], y[known])
    torch.testing.assert_close(loss.total, (model.reconstruct(x) - x).square().mean() + 0.5 * cross_entropy)
    assert list(model.units) == ["reconstruction", "classification", "misclassified"]
    assert model.needs_column == "labels"


def test_the_plain_classifier_is_its_cross_entropy_and_leaves_the_decoder_alone():
    torch.manual_seed(0)
    model = zoo.classifier((1, 8, 8), 5, classes=4)
    x, y = torch.rand(6, 1, 8, 8), torch.tensor([0, 2, 3, 1, 1, -1])
    loss = model.loss(x, y=y)
    torch.testing.assert_close(loss.total, F.cross_entropy(model.predict(x)[:5], y[:5]))
    loss.total.backward()
    assert all(p.grad is None for p in model.decoder.parameters())
    assert all(p.grad.any() for p in model.encoder.parameters())
    assert set(model.units) == {"classification", "misclassified"}
    for draw in (lambda: model.reconstruct(x), lambda: model.sample(2)):
        with pytest.raises(DiaboloError, match="from labels alone"):
            draw()


@pytest.mark.parametrize("name", ["joint", "classifier", "m2"])
@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (None, "needs labels, and .* has none"),
        ([-1] * 20, "no label is known"),
        ([0, 4] * 10, "the label 4 is none of the 4 classes"),
        ([0, -2] * 10, "the label -2 is none of the 4 classes"),
    ],
)
def test_labels_that_teach_nothing_are_refused_before_training(name, labels, says, tiny_model, tiny_pixels, tmp_path):
    images = diabolo.data.Images(tiny_pixels(20), labels=None if labels is None else np.array(labels))
    with pytest.raises(DiaboloError, match=says):
        diabolo.fit(tiny_model(name, classes=4), images, batch_size=8, out=tmp_path / "runs", quiet=True)
    assert not (tmp_path / "runs").exists()


def test_what_makes_no_classifier_is_refused():
    with pytest.raises(DiaboloError, match="alpha must be 0 or more"):
        zoo.joint((1, 8, 8), 4, alpha=-1.0)
    with pytest.raises(DiaboloError, match="classes must be a whole number of at least 2"):
        zoo.joint((1, 8, 8), 4, classes=1)
    with pytest.raises(DiaboloError, match="widths must be a whole number of at least 1"):
        heads.Classifier((3,), 4, widths=(0,))
    undercomplete = zoo.undercomplete((1, 8, 8), 4)
    parts = (undercomplete.encoder, undercomplete.bottleneck, undercomplete.decoder, undercomplete.likelihood)
    with pytest.raises(DiaboloError, match="labels alone needs a model with a head"):
        diabolo.Autoencoder(*parts, objective=Supervised())
    with pytest.raises(DiaboloError, match="needs labels: give them as `y`"):
        zoo.joint((1, 8, 8), 4).loss(torch.rand(2, 1, 8, 8))
