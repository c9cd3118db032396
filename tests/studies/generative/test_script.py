"""The whole study on stand-in images, at the smallest sizes: every row, every number, and nothing trained twice."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

import small_runs
from diabolo import figures
from diabolo.studies.engine import running, writing
from diabolo.studies.engine.plan import Plan
from diabolo.studies.engine.scripts import find
from diabolo.studies.generative.answers import QUESTIONS
from diabolo.studies.generative.completing import CONDITIONAL, HYBRID, STANDARD

ROWS = [*(f"2.{i}" for i in range(1, 7)), "answers"]
SMALL = {
    "data": "digits",
    "colour_data": "patches",
    "n_train": 150,
    "n_test": 60,
    "colour_n_train": 32,
    "colour_n_test": 16,
    "seeds": 2,
    "map_epochs": 1,
    "latent_dims": (2, 3),
    "denoising_epochs": 1,
    "bottleneck_epochs": 1,
    "vae_epochs": 1,
    "conditional_epochs": 1,
    "completion_epochs": 1,
    "vq_epochs": 1,
    "commitment_epochs": 1,
    "halving_epochs": 1,
    "bottlenecks": (1, 2),
    "per_class": 8,
    "looked_at": 20,
    "completions": 3,
    "importance_samples": 3,
}
SHARES = (
    "share of tiles",
    "share of draws",
    "share of the variance",
    "share of pixels",
    "share of samples",
    "share of images",
    "share of completions",
    "share of codes",
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    folder = tmp_path_factory.mktemp("generative")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))  # where the classifier that reads samples is kept
        save = figures.save
        patch.setattr(figures, "save", lambda figure, path, **_: save(figure, path))  # no PDFs: half the time
        patch.setenv("OMP_NUM_THREADS", "1")
        small_runs.as_if_learned(patch)
        yield Plan(parameters=SMALL, quick=True, out=folder / "out", trained=folder / "trained")


@pytest.fixture(scope="module")
def results(plan: Plan) -> dict[str, Any]:
    running.run(find("generative"), plan)
    return json.loads((plan.folder("generative") / "results.json").read_text())


def test_every_row_is_there_and_has_a_lesson(results: dict[str, Any]) -> None:
    assert list(results["rows"]) == list(find("generative").rows) == ROWS
    assert [index for index, row in results["rows"].items() if "not measured" in row] == []
    assert all(find("generative").lessons[index] for index in ROWS)


def test_numbers_are_finite_and_in_range(results: dict[str, Any]) -> None:
    numbers = {(i, name): n for i, row in results["rows"].items() for name, n in row["numbers"].items()}
    assert len(numbers) >= 60
    for (index, name), n in numbers.items():
        assert math.isfinite(n["value"]), (index, name)
        if n["unit"] in SHARES:
            assert 0 <= n["value"] <= 1, (index, name)
        elif not name.startswith(("nats gained", "change of", "encoder outputs")) and " less the " not in name:
            assert n["value"] >= 0, (index, name)
        if "low" in n:
            assert n["low"] <= n["value"] <= n["high"], (index, name)
    five = {name: n["value"] for (index, name), n in numbers.items() if index == "2.5"}
    for prior in (STANDARD, CONDITIONAL, HYBRID):
        parts = five[f"error of their mean: {prior}"] + five[f"variance between completions: {prior}"]
        assert five[f"error of one: {prior}"] == pytest.approx(parts, rel=1e-6)
        assert five[f"error of the best: {prior}"] < five[f"error of one: {prior}"]


def test_each_row_shows_what_it_must(results: dict[str, Any], plan: Plan) -> None:
    shown = {i: [b for b in row["blocks"] if b["block"] == "Picture"] for i, row in results["rows"].items()}
    names = {i: {b["anchor"].rpartition("-")[2] for b in blocks} for i, blocks in shown.items()}
    assert {"loss", "units", "map", "grid", "lengths"} <= names["2.1"]
    assert {"loss", "denoised", "bottleneck"} <= names["2.2"]
    assert {"loss", "draws"} <= names["2.3"]
    assert {"loss", "samples"} <= names["2.4"]
    assert {"completions", "hybrid", "standard", "errors"} <= names["2.5"]
    assert {"ranges", "codebook", "images", "halves", "commitment", "averages", "loss", "training"} <= names["2.6"]
    for block in (b for blocks in shown.values() for b in blocks):
        assert (plan.folder("generative") / block["path"]).stat().st_size > 1000
    for index in ("2.1", "2.2", "2.3", "2.6"):  # the summary of the layers
        table = next(b for b in results["rows"][index]["blocks"] if b["block"] == "Table")
        assert table["columns"][-1] == "parameters"


def test_bars_that_hold_for_any_images_are_checked_and_the_others_are_not(results: dict[str, Any]) -> None:
    checked = [(v.claim, v.state) for v in writing.verdicts(results)]
    assert len(checked) == 20  # four of them say how many images there were
    assert {state for _, state in checked} == {"met", "not checked"}
    met = [claim for claim, state in checked if state == "met"]
    assert sum(claim.startswith("parameters of the") and claim.endswith(",000") for claim in met) == 3
    assert sum(claim.startswith("without a condition") for claim in met) == 2
    assert len(met) == 5


def test_every_row_is_called_by_its_deliverable() -> None:
    titles, lessons = find("generative").rows, find("generative").source
    for i in range(1, 7):
        assert titles[f"2.{i}"].startswith(f"Deliverable {i}: ")
        assert f"# ## 2.{i} Deliverable {i}: " in lessons


def test_every_question_is_answered(results: dict[str, Any]) -> None:
    told = [b["text"] for b in results["rows"]["answers"]["blocks"]]
    assert told[::2] == [question.text for question in QUESTIONS]
    assert all(told[1::2])
    assert len(told) == 2 * 6


def test_a_second_run_trains_nothing(results: dict[str, Any], plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diabolo.studies.engine.trained.fit", lambda *_, **__: pytest.fail("a training was repeated"))
    again = Plan(SMALL, quick=True, only=("2.4",), out=plan.out, trained=plan.trained)
    study = running.run(find("generative"), again)
    assert study.rows["2.4"]["numbers"] == results["rows"]["2.4"]["numbers"]


@pytest.mark.usefixtures("results")
def test_its_reports_open_and_hold_together(plan: Plan) -> None:
    small_runs.check_reports("generative", plan.folder("generative"))
