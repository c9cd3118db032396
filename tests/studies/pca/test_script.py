"""The study of autoencoders against principal components, whole, on scikit-learn's digits."""

import pytest

import small_runs

SMALL = {
    "data": "digits",
    "n_train": 300,
    "n_test": 120,
    "hidden": 16,
    "sizes": (2, 4, 6),
    "seeds": 2,
    "epochs": 2,
    "linear_dim": 2,
    "linear_epochs": 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pca")


@pytest.fixture(scope="module")
def runs(folder):
    yield from small_runs.run("pca", SMALL, folder)


def test_every_row_is_there(runs, folder):
    results, _ = runs
    small_runs.check_rows(results, ["3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "answers"])
    small_runs.check_blocks(results, folder)


def test_numbers_are_finite_and_in_range(runs):
    results, _ = runs
    small_runs.check_numbers(results, least=18, signed=(" less ", "explained"))
    small_runs.check_said(results)
    numbers = results["rows"]["3.3"]["numbers"]
    pca = [numbers[f"PCA's error with {d} numbers"]["value"] for d in SMALL["sizes"]]
    assert pca == sorted(pca, reverse=True)
    assert results["rows"]["3.2"]["numbers"]["test error of two components"]["value"] == pytest.approx(pca[0], rel=1e-4)
    assert 0 <= results["rows"]["3.5"]["numbers"]["largest principal angle"]["value"] <= 90
    assert results["rows"]["3.5"]["numbers"]["error over PCA's"]["value"] >= 0.99


def test_all_questions_are_answered(runs):
    results, _ = runs
    texts = [b["text"] for b in results["rows"]["answers"]["blocks"] if "text" in b]
    assert [n for n, text in enumerate(texts) if text.endswith("?")] == [
        0,
        3,
        6,
        10,
        14,
    ]  # each with 2, 2, 3, 3, 3 findings
    assert len(texts) == 18


def test_a_second_run_trains_and_measures_nothing(runs):
    _, said = runs
    assert "3.1" in said
    assert "[pca] training" not in said
    assert "[pca] measuring" not in said


@pytest.mark.usefixtures("runs")
def test_its_reports_open_and_hold_together(folder):
    small_runs.check_reports("pca", folder / "out")
