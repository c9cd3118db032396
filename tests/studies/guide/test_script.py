"""The whole guide on scikit-learn's digits, at the smallest sizes: every row, every number, and nothing trained twice."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

import small_runs
from diabolo.studies.engine import running, writing
from diabolo.studies.engine.plan import Plan
from diabolo.studies.engine.scripts import find
from diabolo.training import fit

ROWS = [f"5.{i}" for i in range(1, 18)] + ["answers"]
SMALL = {
    "data": "digits",
    "n_train": 400,
    "n_test": 200,
    "n_few": 260,
    "n_few_test": 200,
    "n_small": 60,
    "epochs": 2,
    "conv_epochs": 1,
    "few_epochs": 1,
    "small_epochs": 2,
    "batch_size": 100,
    "draws": 2,
    "repeats": 2,
    "joint_epochs": 1,
    "wide_epochs": 1,
    "spread_rounds": 2,
    "spread_epochs": 1,
    "m1_epochs": 1,
    "m2_epochs": 1,
    "prior_epochs": 1,
    "face_n_train": 60,
    "face_n_test": 20,
    "face_epochs": 1,
    "n_sheet": 200,
    "sheet_epochs": 2,
    "watched_epochs": 25,
    "half_epochs": 1,
    "map_points": 60,
    "maps": ("PCA", "t-SNE"),  # UMAP compiles for many seconds
}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    folder = tmp_path_factory.mktemp("guide")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))  # where the extractor of features is kept
        patch.setenv("OMP_NUM_THREADS", "1")
        small_runs.as_if_learned(patch)
        yield Plan(parameters=SMALL, quick=True, out=folder / "out", trained=folder / "trained")


@pytest.fixture(scope="module")
def results(plan: Plan) -> dict[str, Any]:
    running.run(find("guide"), plan)
    return json.loads((plan.folder("guide") / "results.json").read_text())


def test_every_row_is_there_and_has_a_lesson(results: dict[str, Any]) -> None:
    assert list(results["rows"]) == ROWS
    assert [index for index, row in results["rows"].items() if "not measured" in row] == []
    assert list(find("guide").rows) == ROWS
    assert all(find("guide").lessons[index] for index in ROWS)


def test_numbers_are_finite_and_in_range(results: dict[str, Any]) -> None:
    numbers = {(i, name): n for i, row in results["rows"].items() for name, n in row["numbers"].items()}
    assert len(numbers) > 150
    for (index, name), n in numbers.items():
        assert math.isfinite(n["value"]), (index, name)
        assert n["unit"]
        if "low" in n:
            assert n["low"] <= n["value"] <= n["high"], (index, name)
        if " less " in name:  # a difference
            continue
        if "share" in n["unit"]:
            assert 0 <= n["value"] <= 1, (index, name)
        if name.startswith(("MSE", "FID", "training MSE", "test MSE", "seconds", "KL,")):
            assert n["value"] >= 0, (index, name)


def test_figures_are_there_and_findings_are_said(plan: Plan, results: dict[str, Any]) -> None:
    for index, row in results["rows"].items():
        kinds = [block["block"] for block in row["blocks"]]
        assert "Paragraph" in kinds, index
        for block in row["blocks"]:
            if block["block"] == "Picture":
                assert (plan.folder("guide") / block["path"]).stat().st_size > 1000
            if block["block"] == "Paragraph":
                assert "{" not in block["text"]
    shown = [i for i, row in results["rows"].items() if any(b["block"] == "Picture" for b in row["blocks"])]
    assert set(ROWS) - set(shown) == {"5.12", "5.13", "answers"}


def test_bars_are_not_checked_on_other_data(results: dict[str, Any]) -> None:
    verdicts = writing.verdicts(results)
    assert len(verdicts) == 13  # four of them say how many images there were
    assert {v.state for v in verdicts} == {"not checked"}


def test_answers_name_every_technique_and_need_no_other_row(plan: Plan, results: dict[str, Any]) -> None:
    told = [b for b in results["rows"]["answers"]["blocks"] if b["block"] == "Paragraph"]
    assert [b["cites"] for b in told] == [
        [f"row-5-{n}"] for n in (1, 2, 3, 3, 5, 6, 7, 8, 9, 9, 10, 11, 12, 14, 14, 15, 15, 15, 16, 17)
    ]
    assert all(" When: " in b["text"] and " Cost: " in b["text"] for b in told)


@pytest.mark.usefixtures("results")
def test_a_second_run_trains_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(*_: Any) -> None:
        raise AssertionError("something was trained again")

    monkeypatch.setattr(fit, "_fit", trained)
    only = ("5.1", "5.3", "5.4", "5.9", "5.13", "answers")  # of each kind: greedy, remembered, with a prior
    again = running.run(find("guide"), Plan(plan.parameters, True, only, plan.out, plan.trained))
    assert list(again.rows) == list(only)


@pytest.mark.usefixtures("results")
def test_its_reports_open_and_hold_together(plan: Plan) -> None:
    small_runs.check_reports("guide", plan.folder("guide"))
