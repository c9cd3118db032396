import json
import shutil

import nbformat
import pypdf
import pytest

from diabolo.reports import extra

FILES = ["report.md", "report.html", "report.pdf"]


@pytest.fixture(scope="module")
def reported(runs, tmp_path_factory):
    """A copy of a run that may be written into."""
    return shutil.copytree(runs["vae"], tmp_path_factory.mktemp("reported") / "0001-vae-digits")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """What a study leaves that was stopped after one of its rows."""
    folder = tmp_path_factory.mktemp("study")
    number = {"value": 0.5, "unit": "share", "low": 0.4, "high": 0.6, "interval": "Wilson"}
    blocks = [
        {"block": "Table", "columns": ["a", "b"], "rows": [["x", 0.25]], "caption": "What was found.", "anchor": None},
        {"block": "Paragraph", "text": "PCA is enough.", "cites": ["row-3-2", "row-3-1"]},
    ]
    row = {"title": "t", "seconds": 1.0, "numbers": {"share kept": number}, "blocks": blocks}
    images = {
        "name": "digits",
        "parts": {"training": [300, 1500, "a"], "test": [40, 300, "b"]},
        "unchecked": "a quick run",
    }
    head = {"study": "pca", "parameters": {"data": "digits"}, "quick": True, "versions": {"diabolo": "0.1.0"},
            "images": {"data": images}}  # fmt: skip
    results = head | {"at": "2026-01-01T00:00:00+00:00", "rows": {"3.2": row}}
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def test_a_run_is_written_up_with_a_notebook(diabolo, reported):
    answer = diabolo("report", reported)
    assert answer.code == 0, answer
    assert answer.out.split() == [str(reported / name) for name in [*FILES, "notebook.ipynb"]]
    notebook = nbformat.read(reported / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert str(reported) not in (reported / "notebook.ipynb").read_text(), "it runs wherever the folder is moved"
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 5
    text = (reported / "report.md").read_text()
    for words in (
        "0001-vae-digits",
        "200 images of 1×8×8",
        "nats per image",
        "## What the doctor found",
        "| epochs | 2 |",
    ):
        assert words in text
    assert "This run has not been evaluated" in text
    assert "This model has not learned: " in text  # it was trained for two epochs on 200 images
    assert text.index("## Has it learned?") < text.index("## Training")
    assert "Nothing wrong was found" not in text
    assert f"diabolo evaluate {reported}" in text
    assert text.count("![") == 5  # curves, health, samples, reconstructions, codes


def test_scores_stand_in_the_report_and_those_of_other_weights_are_named_as_such(diabolo, reported):
    assert diabolo("evaluate", reported, "--measures", "reconstruction").code == 0
    assert diabolo("report", reported, "--no-notebook").out.split() == [str(reported / name) for name in FILES]
    text = (reported / "report.md").read_text()
    assert "Scores on 50 images of digits" in text
    assert "| reconstruction |" in text
    assert "not been evaluated" not in text
    path = reported / "evaluation" / "scores.json"
    scores = json.loads(path.read_text())
    assert all(f"| {name} |" in text for name in scores["scores"]["reconstruction"])
    pages = pypdf.PdfReader(reported / "report.pdf").pages
    assert "Scores on 50 images" in " ".join("".join(page.extract_text() for page in pages).split())

    scores["about"]["weights"] = "others"
    path.write_text(json.dumps(scores))
    assert diabolo("report", reported, "--no-notebook").code == 0
    assert "The scores are of other weights" in (reported / "report.md").read_text()


@pytest.mark.parametrize("name", ["undercomplete", "pca"])
def test_models_without_a_prior_or_a_training_are_written_up_too(diabolo, runs, tmp_path, name):
    folder = shutil.copytree(runs[name], tmp_path / name)
    assert diabolo("report", folder, "--no-notebook").code == 0
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def test_a_run_whose_images_are_not_known_says_so(diabolo, vectors, tmp_path):
    folder = shutil.copytree(vectors, tmp_path / "vectors")
    assert diabolo("report", folder, "--no-notebook").code == 0
    page = (folder / "report.md").read_text()
    assert (
        page.index("## What the doctor found") < page.index("## Training") < page.index("## What the doctor could not")
    )


def test_a_study_that_is_not_finished_is_written_up_and_the_rest_named(diabolo, study):
    answer = diabolo("report", study)
    assert answer.code == 0, answer
    assert answer.out.splitlines()[:3] == [str(study / name) for name in FILES]
    assert "not run, so not in the report: 3.1, 3.3" in answer.out
    assert f"diabolo study pca --quick --data digits --only 3.1 3.3 3.4 3.5 3.6 answers --out {study}" in answer.out
    text = (study / "report.md").read_text()
    assert "Rows that were not run" in text
    assert "PCA is enough. ([3.2](#row-3-2), row-3-1)" in text
    assert "| [share kept](#row-3-2) | 0.5 | 0.4 … 0.6 (Wilson) | share |" in text


def test_a_folder_that_is_neither_is_refused(refused, tmp_path):
    assert "is not a run folder" in refused(2, "report", tmp_path)
    assert "there is no folder" in refused(2, "report", tmp_path / "gone")


def test_results_of_something_else_are_refused(refused, tmp_path):
    (tmp_path / "results.json").write_text("{}")
    assert "not that of a study" in refused(2, "report", tmp_path)
    empty = {"study": "pca", "parameters": {}, "images": {}, "at": "", "rows": {"3.2": {}}}
    (tmp_path / "results.json").write_text(json.dumps(empty))
    assert "not that of a study" in refused(2, "report", tmp_path)
    (tmp_path / "results.json").write_text("{")
    assert "not valid JSON" in refused(2, "report", tmp_path)


def test_a_missing_extra_is_one_sentence(refused, runs, monkeypatch):
    monkeypatch.setattr(extra, "find_spec", lambda module: None)
    assert "pip install 'diabolo[report]'" in refused(2, "report", runs["vae"])


def test_without_a_notebook_what_notebooks_need_may_be_missing(diabolo, runs, tmp_path, monkeypatch):
    folder = shutil.copytree(runs["vae"], tmp_path / "run")
    monkeypatch.setattr(extra, "find_spec", lambda module: None if module == "nbclient" else "there")
    assert diabolo("report", folder, "--no-notebook").code == 0
    assert diabolo("report", folder).code == 2
