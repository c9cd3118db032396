"""`train`, `resume` and `quickstart` say how good what they trained is."""

import re

import pytest
import torch

from diabolo import fit, zoo
from diabolo.cli import train as verb
from diabolo.data import load
from diabolo.evaluation.closing import judge, last_loss

ERROR = re.compile(
    r"squared error per pixel on (\d+) (\w+) images: ([\d.]+), (\d+) % of that of the mean training image"
)


def test_a_model_worse_than_the_mean_image_says_so_and_what_to_do(diabolo):
    said = diabolo("train", "vae", "--epochs", "2", "--no-figures").out
    error = ERROR.search(said)
    assert error is not None
    assert int(error[4]) > 100
    assert "this model has not learned: its squared error on held-out images is" in said
    assert re.search(r"try more (steps|epochs).*diabolo (resume|train)", said)
    assert re.search(r"after epoch 2, validation images: loss [\d.]+ nats per image", said)


def test_a_model_that_has_learned_says_how_good_it_is_and_no_more(diabolo):
    said = diabolo("train", "pca", "--latent-dim", "8", "--no-figures").out.splitlines()
    train, test = load("digits")
    mean = ((test.images / 255 - train.images.mean(0) / 255) ** 2).mean()
    error = ERROR.match(said[-1])
    assert error is not None
    assert float(error[3]) / mean == pytest.approx(int(error[4]) / 100, abs=0.01)
    assert not any("has not learned" in line for line in said)


def test_a_resumed_run_says_it_too_and_a_quiet_one_does_not(diabolo, tmp_path):
    diabolo("train", "undercomplete", "--epochs", "1", "--no-figures", "--quiet", "--out", str(tmp_path / "r"))
    (run,) = (tmp_path / "r").iterdir()
    assert diabolo("resume", str(run), "--epochs", "2", "--no-figures").out == ""  # it was asked to be quiet
    loud = diabolo("train", "undercomplete", "--epochs", "1", "--no-figures", "--out", str(tmp_path / "loud"))
    assert ERROR.search(loud.out)
    (run,) = (tmp_path / "loud").iterdir()
    assert ERROR.search(diabolo("resume", str(run), "--epochs", "2", "--no-figures").out)


def test_held_out_images_are_those_that_are_judged(diabolo):
    said = diabolo("train", "undercomplete", "--epochs", "1", "--validation", "0.1", "--no-figures").out
    error = ERROR.search(said)
    assert error is not None
    assert error[1] == "144"


def test_a_classifier_says_what_it_gets_right(tmp_path):
    train, test = load("digits")
    torch.manual_seed(0)
    model = zoo.classifier(train.shape, latent_dim=16, classes=10)
    run = fit(model, train, test, epochs=6, lr=5e-3, out=tmp_path, quiet=True)
    (line,), learned = judge(run.model, train, test)
    right = (run.model.predict(torch.from_numpy(test.images)).argmax(1).numpy() == test.labels).mean()
    assert line.startswith(f"accuracy on 360 test images: {100 * right:.1f} %; always the most frequent class: ")
    assert learned
    assert "misclassified" in last_loss(run)


def test_the_warning_of_the_health_watch_is_said_again_at_the_end(tmp_path):
    train, test = load("digits", n_train=200, n_test=60)
    torch.manual_seed(0)
    model = zoo.vae(train.shape, latent_dim=4, hidden=(16,), beta=50.0)
    run = fit(model, train, test, epochs=60, lr=5e-3, batch_size=50, out=tmp_path, quiet=True)
    assert run.history[-1]["warnings"]
    lines = verb.closing_lines(run, (train, test))
    assert all(f"warning: {text}" in lines for text in run.history[-1]["warnings"].values())
    moved = run.config["data"]["train"] | {"origin": None}
    run.config["data"]["train"] = moved
    assert any(line.startswith("not measured against the mean image: ") for line in verb.closing_lines(run))
