"""What a finished study is written up as."""

import ast
import os
import shutil
import threading
import time

import nbformat
import numpy as np
import pypdf
import pytest

from diabolo import zoo
from diabolo.cli.study import run
from diabolo.data import load
from diabolo.display import escape
from diabolo.errors import InUseError
from diabolo.reports import notebook
from diabolo.runs import lock
from diabolo.studies import Study
from diabolo.studies.engine import running
from diabolo.studies.engine.plan import Plan
from diabolo.studies.engine.scripts import find
from diabolo.studies.engine.trained import Trained, key_of
from diabolo.training.fit import fit

TO_TRY = ["**Try it.** set `epochs` to 20: does the error halve?"]
FILES = {"report.md", "report.html", "report.pdf", "notebook.ipynb"}


def text_of(notebook):
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs), outputs


def test_the_report_and_the_notebook_say_what_was_run_and_leave_the_results_alone(script, trained, tmp_path):
    plan = Plan({"data": "digits"}, True, out=tmp_path / "small", trained=trained)
    study = running.run(script, plan)
    before = (study.folder / "results.json").read_bytes()
    written = running.report(script, plan, study)
    assert {path.name for path in written} == FILES
    assert all(path.parent == study.folder and path.exists() for path in written)
    assert (study.folder / "results.json").read_bytes() == before  # checked for mnist, so not checked for digits

    notebook = nbformat.read(study.folder / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    said, outputs = text_of(notebook)
    assert "[small] 1.1 The error" in said
    assert "[small] training" not in said  # they were found again
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 1
    (code,) = [
        data["text/plain"]
        for output in outputs
        if "class Encoder" in (data := output.get("data", {})).get("text/plain", "")
    ]
    assert "nn.Linear(64, 8)" in code  # its own network, in plain PyTorch, with the loss and the loop
    assert "reconstruction = F.mse_loss(torch.sigmoid(raw), x)" in code
    assert "loss.backward()" in code
    assert "diabolo" not in code
    shown = [output["data"] for output in outputs if "data" in output]
    (finding,) = [
        data for data in shown if data.get("text/html", "").startswith("<p>")
    ]  # wrapped as text is, not as output
    assert finding["text/html"] == f"<p>{escape(finding['text/plain'])}</p>"
    assert finding["text/plain"].startswith("No finding is drawn here")  # after one epoch
    tables = [data["text/html"] for data in shown if "<table" in data.get("text/html", "")]
    assert "By seed" in tables[0]
    assert "The numbers of row 1.1" in tables[1]
    assert "squared error per pixel" in tables[1]
    assert [d["text/markdown"] for d in shown if "text/markdown" in d] == TO_TRY
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert "data='digits'" in parameters.source
    assert "epochs=1" in parameters.source
    assert "unchecked='the bars are for mnist, not for digits'" in parameters.source
    assert "By seed" in "".join(page.extract_text() for page in pypdf.PdfReader(study.folder / "report.pdf").pages)


def test_a_missed_bar_makes_exit_code_1_and_a_report_all_the_same(script, trained, tmp_path, capsys):
    script.path.write_text(script.source.replace('data="mnist"', 'data="digits"').replace("bar=0.5", "bar=1e-9"))
    with pytest.raises(SystemExit) as stop:
        run(type(script)(script.path), {"out": tmp_path / "small", "trained": trained})
    assert stop.value.code == 1
    assert "missed: error ≤ 1e-09 per pixel, measured 0." in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "small").iterdir()} == {*FILES, "figures", "results.json"}


def test_the_notebook_runs_no_row_that_the_study_did_not(script, trained, tmp_path):
    script.path.write_text(script.source.replace('study.found("1.1")["error"].value', "0.5"))
    plan = Plan({"data": "digits"}, True, ("1.2",), tmp_path / "small", trained)
    alone = type(script)(script.path)
    study = running.run(alone, plan)
    running.report(alone, plan, study)
    said, _ = text_of(nbformat.read(study.folder / "notebook.ipynb", as_version=4))
    assert "[small] 1.2 The map" in said
    assert "1.1 The error" not in said


def test_a_notebook_on_other_data_asks_for_them_as_the_study_did(tmp_path, monkeypatch):
    """It holds the parameters that were run as defaults, and yet the options of CelebA are not those of the drawn faces."""
    monkeypatch.chdir(tmp_path)
    script = find("celeba")
    ran = {**script.parameters, "data": "faces", "n_train": 20, "n_test": 10}
    (call,) = [line for line in script.with_parameters(ran).splitlines() if line.startswith("study = Study(")]
    namespace = {"Study": Study}
    exec(call, namespace)
    train, test = namespace["study"].data(split="official", size=64)
    assert (train.name, len(train), len(test)) == ("faces", 20, 10)


def hold(folder, verb, alone=running.alone_in):
    """Another thread that writes into `folder`; call what is returned to end it."""
    taken, end = threading.Event(), threading.Event()

    def work():
        with alone(folder, verb):
            taken.set()
            end.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    taken.wait(60)
    return lambda: (end.set(), thread.join())


def test_two_studies_never_write_one_folder(script, trained, tmp_path):
    plan = Plan({"data": "digits"}, True, ("1.2",), tmp_path / "small", trained)
    end = hold(tmp_path / "small", "study small")
    try:
        with pytest.raises(InUseError, match=r"small is being written by another thread of this process \(study small"):
            running.run(script, plan)
        assert not list((tmp_path / "small").glob("[!.]*"))
    finally:
        end()
    assert not (tmp_path / "small").exists()  # nothing was written into it
    study = running.run(script, plan)
    end = hold(study.folder, "report")
    try:
        with pytest.raises(InUseError, match="report"):
            running.report(script, plan, study)
    finally:
        end()
    assert not list(tmp_path.rglob(".*"))


def test_of_two_studies_with_one_shelf_one_trains_and_the_other_waits(tmp_path):
    train, test = load("digits", n_train=60, n_test=30)

    def made():
        options = {"epochs": 1, "batch_size": 20, "hidden": (4,), "latent_dim": 2}
        return Trained(zoo.undercomplete, train, test, tmp_path, said.append, **options)

    said: list[str] = []
    model = zoo.undercomplete(train.shape, hidden=(4,), latent_dim=2)
    folder = tmp_path / key_of(model, train, test, {"epochs": 1, "batch_size": 20})
    folder.mkdir()
    end = hold(folder, "study", lock.held)
    other = threading.Thread(target=lambda: made().run)
    other.start()
    while not said:
        time.sleep(0.01)
    assert said[0].startswith("waiting for undercomplete, which is trained by another thread of this process (study,")
    first = fit(model, train, test, epochs=1, batch_size=20, out=tmp_path / "aside", quiet=True)
    shutil.copytree(first.path, folder / first.path.name)
    end()
    other.join()
    assert len(said) == 1  # it was found, not trained again
    assert not (folder / ".lock").exists()


HOSTILE = "it's \"\"\"\n# %%\n%run evil.py\n!touch marked\nget_ipython().system('touch marked') # <script>x {7*7} \\x?"
SHADOWS = ("torch", "numpy", "diabolo", "sitecustomize", "usercustomize", "IPython", "ipykernel_launcher", "evil",
           "ipython_config", "ipython_kernel_config", "typing")  # fmt: skip


def test_names_and_folders_of_others_are_no_code_in_the_notebook_of_a_study(script, tmp_path, monkeypatch):
    """The data set is called like code, and modules of every name lie where the study is run and written."""
    out, mark = tmp_path / "out", tmp_path / "marked"
    out.mkdir()
    for folder in (tmp_path, out):
        for name in SHADOWS:
            (folder / f"{name}.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    train, test = load("digits", n_train=60, n_test=30)
    file = f"{HOSTILE}.npz"
    np.savez(tmp_path / file, x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(
        "PYTHONPATH", f"{os.environ.get('PYTHONPATH', '')}{os.pathsep}"
    )  # the empty place is where one is
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "home"))
    plan = Plan({"data": file, "n_train": 60, "n_test": 30}, True, ("1.2",), out, tmp_path / "trained")
    study = running.run(script, plan)
    written = running.report(script, plan, study)
    assert not mark.exists()
    made = nbformat.read(study.folder / "notebook.ipynb", as_version=4)
    assert len(made.cells) == len(notebook.make(script.source).cells)
    (call,) = [cell.source for cell in made.cells if "parameters" in cell.metadata.get("tags", [])]
    tree = ast.parse(call).body[0].value
    assert {k.arg: ast.literal_eval(k.value) for k in tree.keywords}["data"] == file
    outputs = [output for cell in made.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = [(kind, text) for output in outputs for kind, text in output.get("data", {}).items()]
    assert {kind for kind, _ in shown} <= {
        "image/png",
        "text/plain",
        "text/html",
        "text/markdown",
    }  # a table is HTML there
    assert all(text in TO_TRY for kind, text in shown if kind == "text/markdown")  # the script's own words alone
    assert not any("<script" in text for kind, text in shown if kind == "text/html")
    for path in written:
        if path.suffix == ".html":
            assert "<script>x" not in path.read_text()
