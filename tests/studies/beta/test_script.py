"""The study of the weight of the KL term, whole, on scikit-learn's digits."""

import pytest

import small_runs

SMALL = {
    "data": "digits",
    "n_train": 300,
    "n_test": 120,
    "latent_dim": 4,
    "epochs": 1,
    "log_every": 2,
    "tuned_epochs": 2,
    "search": (1e-2, 1e-4),
    "search_epochs": 1,
    "pairs": ("1-7", "3-5"),
    "steps": 5,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("beta")


@pytest.fixture(scope="module")
def runs(folder):
    yield from small_runs.run("beta", SMALL, folder)


def test_every_row_is_there(runs, folder):
    results, _ = runs
    small_runs.check_rows(results, ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "answers"])
    small_runs.check_blocks(results, folder)


def test_numbers_are_finite_and_in_range(runs):
    results, _ = runs
    small_runs.check_numbers(results, least=20, signed=("explained", " less ", "change of"))
    small_runs.check_said(results)
    assert results["rows"]["4.3"]["numbers"]["β tuned"]["value"] in SMALL["search"]


def test_answers_are_as_short_as_they_must_be(runs):
    results, _ = runs
    lengths = []
    for block in results["rows"]["answers"]["blocks"]:
        if block["block"] == "Heading":
            lengths.append(0)
        else:
            lengths[-1] += small_runs.words_in(block["text"])
    assert [0 < n <= most for n, most in zip(lengths, (150, 150, 200, 300), strict=True)] == [True] * 4
    (bar,) = [b for b in results["rows"]["4.1"]["blocks"] if b["block"] == "Verdict"]
    assert (bar["state"], "0.005" in bar["claim"]) == ("not checked", True)
    (closed,) = [b for b in results["rows"]["4.7"]["blocks"] if b["block"] == "Verdict"]
    assert (closed["state"], "quadrature" in closed["claim"]) == ("met", True)


def test_a_second_run_trains_and_measures_nothing(runs):
    _, said = runs
    assert "4.1" in said
    assert "[beta] training" not in said
    assert "[beta] measuring" not in said


@pytest.mark.usefixtures("runs")
def test_its_reports_open_and_hold_together(folder):
    small_runs.check_reports("beta", folder / "out")
