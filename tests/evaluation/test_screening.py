"""Which images are unlike the training images: scores as the measures have them, thresholds from held-out images."""

import numpy as np
import pytest

from diabolo import evaluation
from diabolo.data import as_images
from diabolo.errors import DiaboloError
from diabolo.evaluation import Subject, screen
from diabolo.evaluation.anomaly import anomaly_scores


@pytest.fixture
def three(digits):
    train, test = digits
    return train.take(range(150)), train.take(range(150, 200)), test.take(range(20))


def test_scores_are_those_of_the_measures(three, tiny_model):
    train, held, further = three
    model = tiny_model("vae")
    found = screen(model, further, (train, held), false_alarms=0.1, elbo_samples=2)
    assert list(found) == ["reconstruction error", "negative ELBO", "latent density"]
    for name, (scores, _) in anomaly_scores(Subject(model, train, further), 2).items():
        np.testing.assert_array_equal(found[name].scores, scores)
    normal = np.sort(Subject(model, train, held).errors)
    error = found["reconstruction error"]
    assert error.threshold.value == normal[45]  # the 46th of 50: ⌈51 · 0.9⌉
    assert error.flagged.tolist() == (error.scores > normal[45]).tolist()
    assert error.p == pytest.approx([(1 + (normal >= score).sum()) / 51 for score in error.scores])


def test_several_sets_are_judged_one_after_the_other(three, tiny_model):
    train, held, further = three
    model = tiny_model()
    whole = screen(model, further, (train, held))
    parts = screen(model, [further.take(range(5)), further.take(range(5, 20))], (train, held))
    for name, one in whole.items():
        np.testing.assert_allclose(parts[name].scores, one.scores, rtol=1e-5)


def test_noise_is_flagged_and_held_out_images_are_not(three, train, tiny_model):
    images, held, _ = three
    run = train(tiny_model("pca"), images)
    noise = as_images(np.random.default_rng(0).integers(0, 256, (30, 1, 8, 8), dtype=np.uint8))
    found = screen(run.model, noise, (images, held))["reconstruction error"]
    assert found.flagged.all()
    assert found.p == pytest.approx(np.full(30, 1 / 51))
    again = screen(run.model, held, (images, held))["reconstruction error"]
    assert again.flagged.sum() == 50 - 49  # beyond the 49th of 50: ⌈51 · 0.95⌉


def test_refused(three, tiny_model):
    train, held, further = three
    with pytest.raises(DiaboloError, match="takes 999 held-out images or more, and there are 50"):
        screen(tiny_model(), further, (train, held), false_alarms=0.001)
    with pytest.raises(DiaboloError, match="is for images"):
        screen(tiny_model(), as_images(np.zeros((3, 1, 9, 9), np.uint8)), (train, held))
    with pytest.raises(DiaboloError, match="reconstructs nothing"):
        screen(tiny_model("classifier", latent_dim=4), further, (train, held))
    with pytest.raises(DiaboloError, match="not known what images"):
        screen(tiny_model(), further)
    assert evaluation.screen is screen
