"""`train`, `resume` and `quickstart` say how good what they trained is."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from diabolo import fit, zoo
from diabolo.cli import train as verb
from diabolo.data import load
from diabolo.evaluation.closing import judge, last_loss, told, warnings
from diabolo.evaluation.learned import Learned
from diabolo.metrics.score import Score
from diabolo.reports import markdown
from diabolo.reports.run_report import document_of

ERROR = re.compile(
    r"squared error per pixel on (\d+) (\w+) images: ([\d.]+), (\d+) % of that of the mean training image"
)


def test_a_model_worse_than_the_mean_image_says_so_and_what_to_do(diabolo):
    said = diabolo("train", "vae", "--epochs", "2", "--lr", "1e-5", "--no-figures").out
    error = ERROR.search(said)
    assert error is not None
    assert int(error[4]) > 100
    assert "this model has not learned: its squared error on held-out images is" in said
    assert re.search(r"try more (steps|epochs).*\nnext: diabolo (resume|train) .*$", said.rstrip())
    assert re.search(r"after epoch 2, validation images: loss [\d.]+ nats per image", said)


def test_a_model_that_has_learned_says_how_good_it_is_and_no_more(diabolo):
    said = diabolo("train", "pca", "--latent-dim", "8", "--no-figures").out.splitlines()
    train, test = load("digits")
    mean = ((test.images / 255 - train.images.mean(0) / 255) ** 2).mean()
    error = ERROR.match(said[-3])
    assert error is not None
    assert float(error[3]) / mean == pytest.approx(int(error[4]) / 100, abs=0.01)
    assert said[-2:] == ["health: no warning", "next: diabolo evaluate runs/0001-pca-digits"]
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
    run = replace(run, config=run.config.but(train=replace(run.config.train, origin=None)))
    assert any(line.startswith("not measured against the mean image: ") for line in verb.closing_lines(run))


class Written:
    def __init__(self, history, units):
        self.history, self.config = history, SimpleNamespace(units=units)


@pytest.mark.parametrize(
    ("last", "units", "said"),
    [
        ({"train": {"total": 3.0}, "validation": None}, {"total": "squared error per pixel"}, None),
        ({"train": {"kl": 3.0}, "validation": {}}, {"total": "nats per image"}, None),
        (
            {"train": {"total": 3.0, "kl": 1.0}, "validation": {"total": 2.5, "kl": 0.5}},
            {"total": "nats per image"},
            "after epoch 7, validation images: loss 2.5 nats per image",
        ),
        (
            {"train": {"total": 3.0, "kl": 1.0, "x": 2.0}},
            {"total": "nats × weight", "kl": "nats"},
            "after epoch 7, train images: kl 1 nats, x 2",
        ),
    ],
)
def test_the_last_loss_by_hand(last, units, said):
    run = Written([{"epoch": 6, "train": {"total": 9.0}}, {"epoch": 7, **last}], units)
    assert last_loss(run) == said
    assert last_loss(Written([], units)) is None
    assert warnings(run) == warnings(Written([], units)) == []
    run.history[-1]["warnings"] = {"a": "first", "b": "second"}
    assert warnings(run) == ["first", "second"]


def test_a_vae_whose_samples_are_all_the_same_has_not_learned_however_well_it_reconstructs(tmp_path, monkeypatch):
    train, test = load("digits", n_train=300, n_test=100)
    torch.manual_seed(0)
    model = zoo.vae(train.shape, latent_dim=4, hidden=(32,))
    run = fit(model, train, test, epochs=30, lr=5e-3, batch_size=25, out=tmp_path, quiet=True)
    assert judge(run.model, train, test)[1]
    monkeypatch.setattr("diabolo.evaluation.learned._samples", lambda *_: np.full((200, *train.shape), 0.5))
    (line,), learned = judge(run.model, train, test)
    assert line.startswith("squared error per pixel on 100 test images: ")
    assert not learned
    assert any("has not learned: its samples have 0 %" in line for line in verb.closing_lines(run, (train, test)))
    assert "This model has not learned: its samples have 0 %" in markdown.render(document_of(run.path), run.path)


def test_what_is_judged_needs_ten_images_that_vary(tmp_path):
    train, test = load("digits", n_train=100, n_test=30)
    model = zoo.pca(train.shape, latent_dim=4)
    model.solve(train.images)
    assert judge(model, train, test.take(range(9))) == ([], Learned(()))
    (line,), _ = judge(model, train, test.take(range(10)))
    assert line.startswith("squared error per pixel on 10 test images: ")
    flat = train.take([0] * 11)
    assert judge(model, flat, flat) == ([], Learned(()))
    run = fit(model, train, test.take(range(9)), out=tmp_path, quiet=True)
    assert verb.closing_lines(run, (train, test.take(range(9)))) == [
        "not measured against the mean image: that takes 10 held-out images that vary"
    ]
    error = Score(0.256, "u", 1200, "validation", detail={"error": 0.0123456, "of the mean image": 0.05})
    assert told("error", error) == (
        "squared error per pixel on 1,200 validation images: 0.01235, 26 % of that of the mean training image (0.05)"
    )
    volts = Score(1.27, "u", 15, "test", detail={"error": 287_500.4, "of the mean image": 9967.2})
    assert told("error", volts) == (
        "squared error per pixel on 15 test images: 287,500, 127 % of that of the mean training image (9,967)"
    )
    read = Score(0.5, "u", 9, detail={"accuracy": 0.9876, "majority class": 0.1})
    assert told("read above the majority", read) == (
        "accuracy on 9 test images: 98.8 %; always the most frequent class: 10.0 %"
    )
