"""`diabolo spread-labels RUN`: every training image labelled, in a file that can be trained on."""

import numpy as np

from diabolo.data import load
from diabolo.runs.config import Config


def test_from_few_labels_to_a_classifier(runs, diabolo):
    answer = diabolo(
        "spread-labels", runs["undercomplete"], "--n-labels", "20", "--label-seed", "1", "--neighbours", "5"
    )
    assert answer.code == 0, answer
    train, test = load("labelled.npz")
    origin = Config.read(runs["undercomplete"]).as_dict()["data"]["train"]["origin"]
    every, held = load(**origin["load"])
    few = every.keep_labels(20, 1)
    assert f"from 20 labels to {(train.labels >= 0).sum()} of {len(train)} images, in labelled.npz" in answer.out
    assert np.array_equal(train.images, every.images)
    assert np.array_equal(test.labels, held.labels)
    assert np.array_equal(train.labels[few.labels >= 0], few.labels[few.labels >= 0])
    assert (
        train.labels == every.labels
    ).mean() > 0.2  # by the three numbers of a model of two epochs; a tenth is chance
    words = ["--data", "labelled.npz", "--init", runs["undercomplete"], "--latent-dim", "3", "--epochs", "1"]
    answer = diabolo("train", "classifier", *words, "--batch-size", "32", "--no-figures")
    assert answer.code == 0, answer


def test_refused(runs, refused):
    assert "as .npz, not .csv" in refused(2, "spread-labels", runs["vae"], "--out", "labels.csv")
    assert "2 labels cannot show all 10 classes" in refused(2, "spread-labels", runs["vae"], "--n-labels", "2")
    assert "neighbours must be a whole number of at least 1" in refused(
        2, "spread-labels", runs["vae"], "--neighbours", "0"
    )


def test_labels_that_lie_there_are_not_written_over(runs, refused, tmp_path):
    mine = tmp_path / "mine.npz"
    mine.write_bytes(b"given by hand")
    assert "is there already" in refused(2, "spread-labels", runs["undercomplete"], "--out", mine)
    assert mine.read_bytes() == b"given by hand"
