"""`diabolo sweep`, `diabolo compare SWEEP` and `diabolo report SWEEP`."""

import csv
import re
import shlex
from pathlib import Path

import pytest

from diabolo import zoo
from diabolo.cli import sweep as verb
from diabolo.runs.config import Config
from diabolo.sweeping import Sweep

FEW = [
    "--n-train", "150", "--n-test", "40", "--hidden", "8", "--epochs", "1", "--batch-size", "64", "--threads", "1",
    "--no-compile",
]  # fmt: skip
ONE = ["--search", "lr=log:1e-4..1e-2", "latent-dim=2,4", "--minimise", "validation/total"]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of two aims and two seeds, and one of a single aim."""
    import diabolo
    from diabolo.data.origin import hold_out

    place = tmp_path_factory.mktemp("swept")
    images = hold_out(diabolo.data.load("digits", n_train=150)[0], 0.2)
    small = {"hidden": (8,), "epochs": 1, "threads": 1, "compile": False, "quiet": True}
    two = {"search": ["beta=log:1e-3..10", "net=mlp,conv"], "minimise": ("rate", "distortion"), "seeds": 2, "trials": 3}
    diabolo.sweep("vae", *images, **two, out=place / "two", **small | {"hidden": None})
    diabolo.sweep("undercomplete", *images, search=["lr=log:1e-4..1e-2", "latent_dim=2,4,8"], minimise="validation/total",
                  trials=10, prune="none", sampler="random", out=place / "one", **small)  # fmt: skip
    return place


def test_a_sweep_says_its_best_and_the_line_that_trains_it(diabolo, left):
    answer = diabolo("sweep", "undercomplete", *FEW, *ONE, "--trials", "3", "--out", "tried")
    assert answer.code == 0, answer
    found = Sweep.read(Path("tried"))
    assert found.counted in answer.out
    assert f"best: trial {found.best.number}, " in answer.out
    line = next(line for line in answer.out.splitlines() if line.startswith("diabolo train"))
    assert answer.out.splitlines()[-1] == "next: diabolo compare tried"
    config = Config.read(found.runs(found.best)[0])
    assert config.validation.split == "validation"  # a tenth of the training images, and no test image
    assert (config.train.images, config.validation.images) == (135, 15)
    assert diabolo(*shlex.split(line)[1:], "--no-figures", "--quiet").code == 0
    (again,) = Path("runs").iterdir()
    assert left(again) == left(found.runs(found.best)[0])


def test_test_images_as_the_aim_are_warned_of_and_named_in_the_line(diabolo):
    answer = diabolo("sweep", "undercomplete", *FEW, *ONE, "--trials", "1", "--validation", "test")
    assert "warning: the aim is measured on the test images" in answer.out
    assert " --validation test " in answer.out
    assert Path("sweep/sweep.json").exists()


def test_a_config_file_does_too(diabolo):
    Path("options.yaml").write_text("search: ['lr=1e-4,1e-3']\nminimise: validation/total\ntrials: 1\nquiet: true\n")
    answer = diabolo("sweep", "undercomplete", *FEW, "--config", "options.yaml")
    assert answer.code == 0, answer
    assert answer.out.splitlines()[0] == "1 trial: 1 complete"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--search", "lr=log:0..1", "--minimise", "validation/total"], "no logarithm of 0"),
        (["--search", "lr=1..0.1", "--minimise", "validation/total"], "is empty"),
        (["--search", "codes=8,16", "--minimise", "validation/total"], "unknown option 'codes' of the model 'undercomplete'"),
        (["--search", "lr=0.1,0.2"], "a sweep needs an aim"),
        (["--minimise", "validation/total"], "a sweep needs an option to search"),
        (["--search", "lr=0.1,0.2", "--lr", "0.1", "--minimise", "validation/total"], "lr is both given and searched"),
        ([*ONE, "--validation", "none"], "there are none: take --validation 0.1"),
        ([*ONE, "--storage", "nosuch://here"], "the storage"),
        ([*ONE, "--trials", "2.5"], "--trials"),
        ([*ONE, "--name", "mine"], "name is not an option of the trials"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(words, told, refused):
    assert told in refused(2, "sweep", "undercomplete", *FEW, *words)


def test_an_unknown_model_is_refused(refused):
    assert "'undercomplete'" in refused(2, "sweep", "undercomplet", *ONE)


def test_a_recipe_of_ones_own_is_searched(diabolo, monkeypatch, tmp_path):
    answer = diabolo("sweep", "diabolo.zoo.classical:undercomplete", *FEW, *ONE, "--trials", "1")
    assert answer.code == 0, answer


def test_every_recipe_can_be_searched_and_no_option_has_two_meanings():
    assert set(zoo.RECIPES) <= set(verb.app)
    assert not verb.OWN.keys() & {option for name in zoo.RECIPES for option in zoo.options_of(name)}


def test_help_shows_the_sweep_first(diabolo):
    shown = diabolo("sweep", "vae", "--help").out
    assert re.findall(r"^│ \*?\s*(--[\w-]+)", shown, re.M)[:4] == ["--search", "--minimise", "--maximise", "--trials"]
    assert "the folder of the sweep" in " ".join(shown.replace("│", " ").split())


def test_compare_shows_the_trials_of_a_sweep_and_writes_a_page(swept, diabolo):
    answer = diabolo("compare", swept / "one")
    assert answer.code == 0, answer
    found = Sweep.read(swept / "one")
    assert re.search(r"^trial\s+lr\s+latent_dim\s+validation/total$", answer.out, re.M)
    assert answer.out.splitlines()[1].split()[0] == str(found.best.number)
    page = Path("comparison/comparison.html").read_text()
    names = {path.stem for path in Path("comparison").glob("*.png")}
    assert names == {"options-validation-total", "importance-validation-total"}
    assert page.count("<figure") == 2
    assert "PED-ANOVA" in page
    assert "The best of many trials looks better than it is" in page
    assert f"Trial {found.best.number} (" in page


def test_of_several_aims_it_shows_the_front(swept, diabolo):
    answer = diabolo("compare", swept / "two", "--out", "page")
    assert answer.code == 0, answer
    found = Sweep.read(swept / "two")
    assert answer.out.count("front: trial") == len(found.front)
    assert answer.out.count("diabolo train vae") == len(found.front)
    assert (Path("page") / "front-rate-distortion.png").exists()
    page = Path("page/comparison.html").read_text()
    assert "intervals of the mean over seeds" in page
    assert "Not estimated: the importance of options is estimated from 10 trials" in page


def test_tables_of_a_sweep(swept, diabolo):
    for name in ("t.csv", "t.md", "t.tex"):
        assert diabolo("compare", swept / "two", "--out", name).code == 0
    found = Sweep.read(swept / "two")
    rows = list(csv.DictReader(Path("t.csv").read_text().splitlines()))
    assert len(rows) == 6  # three trials of two seeds
    for row in rows:
        trial = found.trials[int(row["trial"])]
        assert float(row["rate"]) == trial.values["rate"][int(row["seed"])]
        assert float(row["beta"]) == trial.options["beta"]
        assert row["net"] == trial.options["net"]
    assert Path("t.md").read_text().count("\n") == 2 + 3
    assert "\\toprule" in Path("t.tex").read_text()


def test_a_sweep_is_compared_by_itself(swept, refused):
    assert "compared by itself" in refused(2, "compare", swept / "one", swept / "two")


def test_a_report_of_a_sweep(swept, diabolo, refused):
    pytest.importorskip("typst")
    answer = diabolo("report", swept / "two")
    assert answer.code == 0, answer
    assert {path.suffix for path in (swept / "two").glob("report.*")} == {".md", ".html", ".pdf"}
    told = (swept / "two" / "report.md").read_text()
    assert "Pareto front" in told
    assert "diabolo train vae" in told
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", told):
        assert (swept / "two" / picture).exists()
    assert "the report of a sweep needs none" in refused(2, "report", swept / "two", "--data", "digits")
