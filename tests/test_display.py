"""What a notebook shows: figures, tables of runs and scores, a bar while training runs; every word escaped."""

import re
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import torch

import diabolo
from diabolo import display
from diabolo.data import Images
from diabolo.evaluation import Comparison
from diabolo.training import progress

EVIL = "<script>alert('x')</script> \x1b[31m & N(0, I)"


def test_every_word_of_a_table_is_escaped_and_numbers_stand_right():
    html = display.table(EVIL, EVIL, (EVIL, "n"), [(EVIL, 1234), (EVIL,), ("x", None)], EVIL)
    assert "<script" not in html
    assert "\x1b" not in html
    assert html.count("&lt;script&gt;") == 6
    assert re.search(r"text-align:right[^>]*>1,234<", html)
    assert f"N(0,{display.FIRM}I)" in html
    assert 'colspan="2"' in html
    assert not re.search(r"(?<!-)color:|background", html)  # those of the notebook are kept, light or dark


def test_a_figure_is_shown_without_pyplot(digits):
    formatters = pytest.importorskip("IPython.core.formatters")
    figure = diabolo.figures.sample_grid(digits[1].images[:4])
    before = len(matplotlib._pylab_helpers.Gcf.figs)
    data, about = formatters.DisplayFormatter().format(figure)
    assert data["image/png"].startswith(b"\x89PNG")
    width, height = (int.from_bytes(data["image/png"][i : i + 4], "big") for i in (16, 20))
    assert about["image/png"] == {"width": round(width * 96 / 150), "height": round(height * 96 / 150)}
    assert len(matplotlib._pylab_helpers.Gcf.figs) == before


def test_runs_scores_comparisons_models_and_accounts_are_tables(tmp_path, tiny_model):
    x = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), np.uint8)
    train, test = diabolo.data.load(
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.arange(40) % 2), n_test=10
    )
    train, test = (Images(part.images, part.labels, name=EVIL[:28]) for part in (train, test))
    options = {"epochs": 2, "hidden": (4,), "latent_dim": 2, "out": tmp_path, "quiet": True}
    runs = [diabolo.fit("vae", train, test, seed=seed, **options) for seed in (0, 1)]
    found = [diabolo.evaluate(run, (train, test), ["reconstruction", "usage"]) for run in runs]
    shown = {
        "run": (runs[0], ["loss of epoch 2", "validation", "nats per image", "finished", runs[0].path.name]),
        "evaluation": (
            found[0],
            ["<b>vae</b>", "MSE", "squared error per pixel", f"95{display.FIRM}% interval", "10 images"],
        ),
        "comparison": (Comparison({"a": found, EVIL: found[:1]}), ["a, 2 seeds", "1 seed", f"{display.FIRM}±"]),
        "summary": (runs[0].model.summary(), ["encoder.layers.0", "output shape", "Linear"]),
        "pca": (diabolo.fit("pca", train, latent_dim=2, out=tmp_path, quiet=True), ["squared error per pixel"]),
    }
    for name, (thing, wanted) in shown.items():
        html = thing._repr_html_()
        assert "<script" not in html, name
        assert all(word in html for word in wanted), name
        assert len(repr(thing)) < 1000, name
    account = diabolo.data.load(Images(x[:, 0:1]).images)[0].account
    assert "<td" in account._repr_html_()
    assert "40 images" in account._repr_html_()


class Handle:
    """What IPython gives for something shown: here all that was seen."""

    def __init__(self):
        self.seen = []

    def update(self, thing):
        self.seen.append(thing._repr_html_())


@pytest.fixture
def cell(monkeypatch):
    handle = Handle()
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "_show", lambda thing: handle.update(thing) or handle)
    return handle


def test_in_a_notebook_one_line_is_changed_and_the_last_epochs_stay(
    cell, train, tiny_model, tiny_pixels, monkeypatch, capsys
):
    clock = iter(np.arange(0, 1e6, 0.1))
    monkeypatch.setattr("diabolo.training.progress.time.perf_counter", lambda: next(clock))
    run = train(tiny_model("vae"), tiny_pixels(), epochs=6, quiet=False, log_every=2, batch_size=4)
    assert 'value="0" max="108"' in cell.seen[0]
    assert any(" step 10" in html for html in cell.seen)
    assert any(re.search(r"\d+ of 108 steps, about \d+ s left", html) for html in cell.seen)
    assert re.findall(r"epoch   (\d)", cell.seen[-1]) == ["4", "5", "6"]
    assert "<progress" not in cell.seen[-1]
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"finished: {run.path}"
    assert not any(line.startswith("epoch") for line in said)
    diabolo.resume(run.path, tiny_pixels(), epochs=8)
    assert re.findall(r"epoch   (\d)", cell.seen[-1]) == ["7", "8"]


def test_a_bar_is_taken_away_when_training_breaks_off(cell, train, tiny_model, tiny_pixels):
    with pytest.raises(diabolo.DiaboloError, match="became"):
        train(tiny_model(hidden=(64,) * 6), tiny_pixels(), lr=1000, epochs=5, quiet=False)
    assert "<progress" not in cell.seen[-1]


@pytest.mark.parametrize(
    ("shell", "is_one"),
    [(SimpleNamespace(kernel=object()), True), (SimpleNamespace(), False), (None, False)],
    ids=["kernel", "terminal", "no shell"],
)
def test_a_notebook_is_known_by_its_kernel(shell, is_one, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert display.in_notebook() == is_one
    monkeypatch.delitem(sys.modules, "IPython")
    assert not display.in_notebook()


@pytest.mark.slow
def test_an_executed_notebook_is_small_and_shows_all(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    sources = (
        "import diabolo\ntrain, test = diabolo.data.load('digits')\n"
        "run = diabolo.fit('vae', train, validation=test, latent_dim=2, hidden=(8,), epochs=30)\nrun",
        "diabolo.figures.loss_curves(run.history)",
    )
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbclient.NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [list(output.get("data", {})) for cell in made.cells for output in cell.outputs if "data" in output]
    assert shown == [["text/plain", "text/html"], ["text/plain", "text/html"], ["text/plain", "image/png"]]
    assert len(str(made.cells[0].outputs)) < 6000
