"""How ways to learn from few labels are compared, and what is said of them."""

import math
from pathlib import Path

import numpy as np
import pytest

from diabolo.data import Images
from diabolo.reports.document import Table
from diabolo.studies.engine.row import Row
from diabolo.studies.guide import answers, labels, words
from made_up import of


def test_accuracies_are_by_way_by_set_and_by_draw() -> None:
    y = np.arange(40) % 4
    images = Images(np.zeros((40, 1, 2, 2), np.uint8), labels=y)
    judged = {"validation": images.take(np.arange(8)), "test": images.take(np.arange(20))}
    seen = []

    def way(few: Images, draw: int) -> labels.Classes:
        assert few.labels is not None
        seen.append((draw, int((few.labels >= 0).sum()), tuple(np.flatnonzero(few.labels >= 0))))
        return {"validation": np.zeros(8, np.int64), "test": y[:20]}

    found = labels.accuracies({"one": way}, images, judged, 12, 2)
    assert found == {"one": {"validation": [0.25, 0.25], "test": [1.0, 1.0]}}
    assert [entry[:2] for entry in seen] == [(0, 12), (1, 12)]
    assert seen[0][2] != seen[1][2]


def test_the_best_way_is_best_on_validation_images() -> None:
    chosen = of({"validation accuracy, joint": 2.0, "accuracy, fine-tuned": 2.0})
    assert labels.best_way(chosen, labels.NARROW) == "joint"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "fine-tuned 200 %, 100.0 ± 2.8 percentage points more"),
        (0.0, "fine-tuned 0 %, 100.0 ± 2.8 percentage points less"),
        (1.0, "fine-tuned 100 %, not significantly different"),
    ],
)
def test_a_way_against_training_from_scratch(value: float, text: str) -> None:
    for say in (words.few_labels, words.pretraining):
        assert text in say(of({"accuracy, fine-tuned": value}))


def test_what_helped_and_what_did_not() -> None:
    assert "brings no significant gain here" in words.few_labels(of({}))
    one = words.few_labels(of({"accuracy, joint": 2.0}))
    assert "no significant gain" not in one
    assert "unlabelled images help: joint." in one
    two = {"accuracy, fine-tuned": 2.0, "accuracy, frozen + SVM": 2.0}
    assert "which strokes belong together" in words.pretraining(of(two))
    assert "no significant gain over training from scratch" in words.pretraining(
        of(two | {"accuracy, fine-tuned": 1.0})
    )


def test_using_the_unlabelled_images_twice() -> None:
    both = {"accuracy, M1+M2": 2.0, "accuracy, spread": 2.0, labels.SPREAD: 0.97}
    said = words.semi_supervised(of(both))
    assert "scratch: M1+M2 200 %, 100.0 ± 2.8 percentage points more; label spreading 200 %" in said
    assert "correct for 97.0 % of the training images" in said
    assert "where few images lie" in said
    assert "no significant gain over fine-tuning" in words.semi_supervised(of(both | {"accuracy, fine-tuned": 2.0}))


def test_answers() -> None:
    better = {"validation accuracy, spread": 2.0, "accuracy, spread": 2.0}
    best = "with label spreading, the better of the two on validation images"
    assert answers.semi_supervised(of(better))[2] == f"from 100 % (fine-tuned) to 200 % {best}"
    assert (
        answers.semi_supervised(of(better | {"accuracy, spread": 0.5}))[2]
        == f"no help: from 100 % (fine-tuned) to 50 % {best}"
    )
    assert (
        answers.semi_supervised(of(better | {"accuracy, spread": 1.0}))[2]
        == f"from 100 % (fine-tuned) to 100 % {best}, not significantly different"
    )
    told = answers.pretraining(of({"accuracy, fine-tuned": 2.0, "accuracy, from scratch": 0.5}))[2]
    assert told.startswith(
        "from scratch with the same network 50.0 %; fine-tuned 200 %, 150.0 ± 2.8 percentage points more; frozen + "
        "SVM 100 %, 50.0"
    )


def test_another_baseline() -> None:
    wide = {
        "accuracy, from scratch": 0.5,
        "accuracy, fine-tuned": 1.0,
        "accuracy, frozen + SVM": 2.0,
        "accuracy, spread": 0.7,
    }
    said = words.baselines(of(wide), of({"accuracy, from scratch": 1.0}))
    assert said.startswith(
        "The gain depends on the baseline: the convolutional classifier of row 5.4 gets 100.0 % right"
    )
    assert (
        "Against that, fine-tuned does not differ significantly; frozen + SVM gains 100.0 ± 2.8 percentage points"
        in said
    )
    assert said.endswith("label spreading loses 30.0 ± 2.8 percentage points.")
    assert words.baselines(of({}), of({})).startswith("The convolutional classifier")


def test_a_table_of_percentages(tmp_path: Path) -> None:
    found: labels.Accuracies = {
        "from scratch": {"validation": [0.7, 0.8], "test": [0.75, 0.85]},
        "spread": {"validation": [0.95, 0.97], "test": [0.96, 0.97]},
    }
    row = Row("5.14", "", tmp_path, None)
    assert labels.tell(row, found, {name: labels.WIDE[name] for name in found}, 100) == "spread"
    table, _ = row.blocks
    assert isinstance(table, Table)
    assert table.caption.endswith("On validation images label spreading is best.")
    assert [row[0] for row in table.rows] == ["from scratch", "label spreading"]
    assert table.rows[0][2:] == pytest.approx((75.0, 80.0, math.sqrt(50), 75.0))
