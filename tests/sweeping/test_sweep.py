"""A sweep by one worker: what is chosen, trained, pruned and written down; what is refused before anything is trained."""

import json
import math
import shlex
import shutil
from statistics import fmean, median

import numpy as np
import optuna
import pytest
from scipy import stats

import diabolo
from diabolo.cli.sweep import closing_lines
from diabolo.data.origin import hold_out
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.reports import sweep_report
from diabolo.reports.sweep_report import difference
from diabolo.runs import checkpoint
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.sweeping import Sweep, worker
from diabolo.sweeping.importance import importances
from diabolo.sweeping.lines import train_line
from diabolo.sweeping.record import TRIAL, Definition, Trial, folder_of

SPACE = {"latent_dim": (2, 4), "lr": "log:1e-4..1e-2"}
SMALL = {"hidden": (8,), "epochs": 2, "batch_size": 64, "threads": 1, "compile": False, "health": False, "quiet": True}


@pytest.fixture(scope="module")
def images():
    return hold_out(diabolo.data.load("digits", n_train=150)[0], 0.2)


@pytest.fixture
def swept(images, tmp_path):
    """swept(**changes): a small sweep in the test's folder."""

    def run(recipe="undercomplete", images=images, **changes):
        given = {"search": SPACE, "minimise": "validation/total", "trials": 3, "out": tmp_path / "sweep"} | SMALL
        return diabolo.sweep(recipe, *images, **(given | changes))

    return run


def test_a_sweep_leaves_trials_with_their_runs_and_their_values(swept):
    found = swept()
    assert [trial.number for trial in found.trials] == [0, 1, 2]
    for trial in found.trials:
        (run,) = found.runs(trial)
        assert run == found.path / "trials" / f"{trial.number:04d}" / "0001-seed0"
        assert checkpoint.has_ended(run)
        config = Config.read(run)
        assert {**config.recipe, **config.options}["latent_dim"] == trial.options["latent_dim"]
        assert config.options["lr"] == trial.options["lr"]
        assert trial.values == {"validation/total": (RunFolder(run).history[-1]["validation"]["total"],)}
    assert found.best == min(found.trials, key=lambda trial: trial.values["validation/total"])
    assert Sweep.read(found.path) == Sweep.read(str(found.path)) == found
    assert repr(found).endswith("undercomplete, 3 trials: 3 complete)")
    assert "latent_dim" in found._repr_html_()


def test_the_same_sweep_chooses_the_same(swept, tmp_path):
    first, again = swept(trials=4), swept(trials=4, out=tmp_path / "again")
    assert [t.options for t in first.trials] == [t.options for t in again.trials]
    assert [t.values for t in first.trials] == [t.values for t in again.trials]
    other = swept(trials=2, out=tmp_path / "other", seed=5)
    assert [t.options for t in other.trials] != [t.options for t in first.trials][:2]


def test_more_trials_go_on_where_it_stopped(swept, tmp_path):
    first = swept(trials=2)
    before = [(folder_of(first.path, t.number) / TRIAL).stat().st_mtime_ns for t in first.trials]
    found = swept(trials=4)
    assert [t.number for t in found.trials] == [0, 1, 2, 3]
    assert found.trials[:2] == first.trials
    assert [(folder_of(found.path, n) / TRIAL).stat().st_mtime_ns for n in (0, 1)] == before  # nothing is trained twice
    whole = swept(trials=4, out=tmp_path / "whole")
    assert [t.options for t in whole.trials] == [t.options for t in found.trials]


def test_a_trial_of_several_seeds_has_their_mean_and_its_interval(swept):
    found = swept(seeds=3, trials=2, seed=7)
    for trial in found.trials:
        runs = found.runs(trial)
        assert [run.name for run in runs] == ["0001-seed7", "0002-seed8", "0003-seed9"]
        values = [RunFolder(run).history[-1]["validation"]["total"] for run in runs]
        assert trial.values["validation/total"] == tuple(values)
        assert len(set(values)) == 3
        assert trial.mean("validation/total") == pytest.approx(fmean(values))
        wide = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
        assert trial.interval("validation/total") == pytest.approx(wide)
    columns, rows = found.table()
    assert columns == ["trial", "latent_dim", "lr", "validation/total", "± (95 %)"]
    assert rows[0][3] <= rows[1][3]


def test_the_best_is_trained_again_to_the_bit_by_its_line(swept, tmp_path, left, monkeypatch):
    found = swept(
        "vae", search={"beta": "log:1e-3..1", "latent_dim": (2, 4)}, minimise="distortion", keep="best", seed=3
    )
    (run,) = found.runs(found.best)
    line = train_line(Config.read(run))
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)
    assert words[:3] == ["diabolo", "train", "vae"]
    from diabolo.cli.main import main

    main([*words[1:], "--no-figures", "--no-health", "--quiet", "--out", "again"])
    (again,) = (tmp_path / "again").iterdir()
    plain = [{k: v for k, v in line.items() if k not in ("health", "warnings")} for line in left(again)[1]]
    assert left(again)[0] == left(run)[0]
    assert plain == [{k: v for k, v in line.items() if k not in ("health", "warnings")} for line in left(run)[1]]


def test_arrays_have_no_line(swept, images):
    found = swept(images=(images[0].images, images[1].images), trials=1)
    assert train_line(Config.read(found.runs(found.best)[0])) == ""


def test_what_is_pruned_is_worse_than_the_median_and_ends_early(swept):
    found = swept(trials=12, sampler="random", epochs=5, search={"lr": "log:1e-5..2e-2"})
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    courses = {
        t.number: [line["validation"]["total"] for line in RunFolder(found.runs(t)[0]).history] for t in found.trials
    }
    for trial in found.trials:
        before = [t.number for t in found.complete if t.number < trial.number]
        course = courses[trial.number]
        worse = (
            [min(course[: e + 1]) > median([courses[n][e] for n in before]) for e in range(4)]
            if len(before) >= 5
            else []
        )
        if trial.state == "pruned":
            assert worse[: len(course)].index(True) == len(course) - 1, trial  # at once, and not before
            assert RunFolder(found.runs(trial)[0]).status.startswith("stopped early: pruned after validation/total")
            assert trial.values == {}
            assert "by the rule median" in trial.reason
        else:
            assert not any(worse[: len(course)]), trial


def test_nothing_is_pruned_where_that_is_asked(swept):
    found = swept(trials=8, sampler="random", prune="none", search={"lr": "log:1e-5..2e-2"})
    assert {trial.state for trial in found.trials} == {"complete"}


def test_hyperband_prunes(swept):
    found = swept(trials=12, sampler="random", epochs=9, prune="hyperband", search={"lr": "log:1e-5..2e-2"})
    assert {trial.state for trial in found.trials} == {"complete", "pruned"}
    assert all("by the rule hyperband" in trial.reason for trial in found.trials if trial.state == "pruned")


def test_several_aims_have_a_front(swept):
    found = swept(
        "vae",
        search={"beta": "log:1e-3..10"},
        minimise=["rate", "distortion"],
        maximise=["probes/linear probe: codes"],
        trials=5,
    )
    names = ["rate", "distortion", "probes/linear probe: codes"]
    points = {t.number: np.array([t.mean(n) for n in names]) * (1, 1, -1) for t in found.complete}
    best = {n for n, p in points.items() if not any((q <= p).all() and (q < p).any() for q in points.values())}
    assert {trial.number for trial in found.front} == best
    run = RunFolder(found.runs(found.trials[0])[0])
    assert found.trials[0].values["rate"] == (run.history[-1]["validation"]["kl"],)
    assert found.definition.prune == "none"
    assert found.table()[0][-1] == "front"


BREAKS = {"recipe": "vae", "optimizer": "sgd", "search": {"lr": (1e-3, 900.0)}, "sampler": "random", "prune": "none"}


def test_a_setting_that_breaks_off_has_failed_and_the_others_go_on(swept, monkeypatch):
    found = swept(**BREAKS, trials=4)
    states = {trial.options["lr"]: trial.state for trial in found.trials}
    assert states == {1e-3: "complete", 900.0: "failed"}
    failed = next(trial for trial in found.trials if trial.state == "failed")
    assert "became nan" in failed.reason
    assert found.best.options == {"lr": 1e-3}


def test_a_trial_that_broke_off_is_not_trained_again_by_the_next_worker(swept, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Trial, "write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            swept(**{**BREAKS, "search": {"lr": (800.0, 900.0)}}, trials=1)
    found = swept(**{**BREAKS, "search": {"lr": (800.0, 900.0)}}, trials=1)
    assert [trial.state for trial in found.trials] == ["failed"]
    assert "broken off: the loss term 'reconstruction' became nan" in found.trials[0].reason
    assert len(found.runs(found.trials[0])) == 1
    with pytest.raises(DiaboloError, match=r"no trial of .* has ended with a value: .*became nan"):
        found.best  # noqa: B018  # it is looked for


def test_ctrl_c_leaves_a_trial_to_go_on_with(swept, monkeypatch, left, tmp_path):
    asked = []

    def stopped(self, line):
        asked.append(line["epoch"])
        if len(asked) == 4:  # in the second trial
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(worker.Watch, "epoch", stopped)
        with pytest.raises(KeyboardInterrupt):
            swept(epochs=3)
    assert [trial.number for trial in Sweep.read(tmp_path / "sweep").trials] == [0]
    found = swept(epochs=3)
    whole = swept(epochs=3, out=tmp_path / "whole")
    assert [t.values for t in found.trials] == [t.values for t in whole.trials]
    for trial in found.trials:
        assert left(found.runs(trial)[0])[0] == left(whole.runs(trial)[0])[0]


@pytest.mark.parametrize("moment", ["before the first value", "trained", "written down"])
def test_whenever_a_worker_ends_its_trial_is_neither_lost_nor_there_twice(moment, swept, monkeypatch, tmp_path):
    class Ended(BaseException):
        pass

    def end(*_):
        raise Ended

    place = {
        "before the first value": (worker, "going_on"),
        "trained": (Trial, "write"),
        "written down": (optuna.Study, "tell"),
    }[moment]
    with monkeypatch.context() as patch:
        patch.setattr(*place, end)
        with pytest.raises(Ended):
            swept()
    found, whole = swept(), swept(out=tmp_path / "whole")
    assert [t.number for t in found.trials] == [0, 1, 2]
    assert [(t.options, t.values) for t in found.trials] == [(t.options, t.values) for t in whole.trials]
    assert [len(found.runs(trial)) for trial in found.trials] == [1, 1, 1]


def test_a_closed_form_is_searched_too(images, tmp_path):
    space = {"latent_dim": (2, 8)}
    found = diabolo.sweep(
        "pca", *images, search=space, minimise="validation/total", trials=3, out=tmp_path / "sweep", quiet=True
    )
    assert found.best.options == {"latent_dim": 8}


def test_another_sweep_in_the_folder_is_refused(swept, images, tmp_path):
    swept(trials=1)
    for changes, words in (
        (
            {"search": {**SPACE, "lr": "log:1e-4..1e-1"}},
            "its search has lr log:0.0001..0.01, and this one log:0.0001..0.1",
        ),
        ({"minimise": "train/total"}, "its aims"),
        ({"epochs": 3}, "its options has epochs 2, and this one 3"),
        ({"seeds": 2}, "its seeds is 1, and this one's 2"),
        ({"images": (images[1], images[0])}, "its images has train"),
        ({"recipe": "vae"}, "its recipe is undercomplete, and this one's vae"),
    ):
        with pytest.raises(DiaboloError, match="holds another sweep") as refused:
            swept(**changes)
        assert words in str(refused.value)
    with pytest.raises(DiaboloError, match=r"is kept in journal\.log, not in sqlite"):
        swept(storage=f"sqlite:///{tmp_path}/s.db")
    swept(trials=1, threads=2, device="cpu")  # where it runs is not what it is


def test_a_journal_of_another_sweep_and_a_lost_one_are_refused(swept, tmp_path):
    journal = tmp_path / "j.log"
    swept(trials=1, storage=str(journal))
    with pytest.raises(DiaboloError, match="is there already, and is not of this sweep"):
        swept(trials=1, storage=str(journal), out=tmp_path / "second")
    journal.unlink()
    with pytest.raises(DiaboloError, match="is empty, not the one whose trials lie in the folder"):
        swept(trials=1, storage=str(journal))


def test_a_sweep_whose_storage_could_not_be_used_has_not_begun(swept, tmp_path):
    for address in ("nope://x", f"sqlite:///{tmp_path}/no/s.db", str(tmp_path), "/dev/null"):
        with pytest.raises(DiaboloError, match=r"cannot be used|is no file: a journal"):
            swept(trials=1, storage=address)
    assert len(swept(trials=1).trials) == 1  # the right address, in the same folder


def test_a_run_folder_is_no_place_for_a_sweep(swept, images, tmp_path):
    run = diabolo.fit("undercomplete", *images, out=tmp_path, **SMALL)
    with pytest.raises(DiaboloError, match="is a run folder"):
        swept(out=run.path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"search": {"latent_dim": (0, 2)}}, "latent_dim=0,2 cannot be searched|latent_dim must be a whole number"),
        ({"search": {"latent_dim": (2, 0)}}, "latent_dim=2,0 cannot be searched: latent_dim must be a whole number"),
        ({"search": {"lr": "1..2000"}}, "lr=1.0..2000.0 cannot be searched: lr must be a number"),
        ({"search": {"net": ("mlp", "cnv")}}, "net=mlp,cnv cannot be searched: .*did you mean 'conv'"),
        ({"minimise": ()}, "needs an aim"),
        ({"minimise": "validation/kl"}, "a term of the loss that this model does not have"),
        ({"minimise": "vlidation/total"}, "unknown aim"),
        ({"minimise": ["train/total", "validation/total"], "prune": "median"}, "pruned by median, since there are several"),
        ({"minimise": "reconstruction/MSE", "prune": "median"}, "is measured when a training has ended"),
        ({"sampler": "grid"}, "unknown sampler 'grid'"),
        ({"prune": "middle"}, "unknown prune 'middle'"),
        ({"trials": 0}, "trials must be a whole number of at least 1"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1"),
        ({"name": "mine"}, "name is not an option of the trials"),
        ({"hiden": (3,)}, "unknown option 'hiden'"),
        ({"latent_dim": 3}, "latent_dim is both given and searched"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_before_anything_is_trained(changes, words, swept, tmp_path):
    with pytest.raises(DiaboloError, match=words) as refused:
        swept(**changes)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "sweep").exists()


def test_a_recipe_that_does_not_exist_is_an_unknown_name(swept):
    with pytest.raises(UnknownNameError, match="unknown model 'vea'"):
        swept("vea")


def test_without_optuna_it_says_how_to_have_it(swept, monkeypatch):
    import sys

    for name in [
        name
        for name in sys.modules
        if name.startswith("diabolo.sweeping.") and name.rpartition(".")[2] in ("joining", "storage", "worker")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(DiaboloError, match=r"pip install 'diabolo\[sweep\]'"):
        swept()


def test_a_weight_that_is_searched_for_the_total_is_warned_of(swept, capsys, tmp_path):
    swept("vae", search={"beta": (0.5, 1.0)}, trials=1, quiet=False)
    assert "warning: beta weighs a term of the loss" in capsys.readouterr().out
    other = tmp_path / "elsewhere"
    swept("vae", search={"beta": (0.5, 1.0)}, minimise="distortion", trials=1, quiet=False, out=other)
    assert "warning" not in capsys.readouterr().out


def made(tmp_path, options, values, search, lower=True):
    """A sweep as it would lie there."""
    definition = Definition("vae", search, [["a", "minimise" if lower else "maximise"]], {}, 0, 1, "tpe", "none", {})
    trials = [Trial(i, "complete", o, {"a": (v,)}) for i, (o, v) in enumerate(zip(options, values, strict=True))]
    return Sweep(tmp_path, definition, trials)


def over_seeds(tmp_path, values, seeds=4):
    definition = Definition("vae", {}, [["a", "minimise"]], {}, 0, seeds, "tpe", "none", {})
    return Sweep(tmp_path, definition, [Trial(i, "complete", {}, {"a": tuple(v)}) for i, v in enumerate(values)])


def test_which_trials_are_not_shown_to_be_worse_than_the_best(tmp_path):
    found = over_seeds(
        tmp_path, [[1.0, 1.1, 0.9, 1.0], [5.0, 5.1, 4.9, 5.0], [1.1, 1.0, 1.2, 0.9], [3.0, 3.1, 2.9, 3.2]]
    )
    assert found.best.number == 0
    assert [trial.number for trial in found.rivals] == [2]
    assert "Of the 3 other trials 1 is not significantly worse" in difference(found)
    alone = over_seeds(tmp_path, [[1.0, 1.1, 0.9, 1.0], [5.0, 5.1, 4.9, 5.0]])
    assert alone.rivals == []
    assert difference(alone).startswith("All other trials are significantly worse")
    assert over_seeds(tmp_path, [[1.0], [2.0]], 1).rivals is None
    assert difference(over_seeds(tmp_path, [[1.0], [2.0]], 1)).startswith("Each trial has one seed")
    assert difference(over_seeds(tmp_path, [[1.0, 1.1]], 2)) == ""


def test_of_equal_trials_the_best_is_seldom_called_better(tmp_path):
    """The best of several is chosen by the numbers it is compared by: all pairs count as one family."""
    random, wrong = np.random.default_rng(0), 0
    for _ in range(300):
        found = over_seeds(tmp_path, random.normal(size=(8, 4)).tolist())
        wrong += len(found.rivals) < 7
    assert wrong / 300 <= 0.08


@pytest.mark.parametrize("lower", [True, False])
def test_the_option_that_matters_has_the_share(tmp_path, lower):
    random = np.random.default_rng(0)
    options = [
        {"lr": float(10 ** random.uniform(-4, -2)), "net": str(random.choice(["mlp", "conv"]))} for _ in range(100)
    ]
    values = [(1 if lower else -1) * (math.log10(o["lr"]) + 3) ** 2 for o in options]
    search = {"lr": {"low": 1e-4, "high": 1e-2, "log": True, "whole": False}, "net": {"values": ["mlp", "conv"]}}
    sweep = made(tmp_path, options, values, search, lower)
    shares = importances(sweep, sweep.aims[0])
    assert list(shares) == ["lr", "net"]
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["lr"] > 0.9
    assert sweep.best.options["lr"] == pytest.approx(1e-3, rel=0.2)
    with pytest.raises(DiaboloError, match="from 10 trials with a value or more, and there are 9"):
        importances(made(tmp_path, options[:9], values[:9], search), sweep.aims[0])


def test_what_was_damaged_is_said(swept):
    found = swept(trials=1)
    trial = folder_of(found.path, 0) / TRIAL
    told = json.loads(trial.read_text())
    for broken in (
        {**told, "state": "good"},
        {k: v for k, v in told.items() if k != "values"},
        {**told, "values": {"a": ["x"]}},
        {**told, "values": {}},
        {**told, "values": {name: [] for name in told["values"]}},
        {**told, "values": {name: [math.nan] for name in told["values"]}},
        {**told, "options": {}},
        {**told, "number": 7},
    ):
        trial.write_text(json.dumps(broken))
        with pytest.raises(DiaboloError, match="was edited or damaged"):
            Sweep.read(found.path)
    trial.write_text(json.dumps(told))
    about = json.loads((found.path / "sweep.json").read_text())
    parts = [
        ("aims", 5),
        ("aims", []),
        ("aims", [[1]]),
        ("aims", [["a", 1]]),
        ("options", 5),
        ("seeds", "x"),
        ("images", []),
    ]
    edited = [{**about, "definition": {**about["definition"], name: value}} for name, value in parts]
    for broken in ({**about, "format": 99}, {**about, "definition": {}}, {"format": 1}, *edited):
        (found.path / "sweep.json").write_text(json.dumps(broken))
        with pytest.raises(DiaboloError):
            Sweep.read(found.path)
    with pytest.raises(DiaboloError, match="holds no sweep"):
        Sweep.read(found.path / "trials")


def test_a_sweep_whose_run_folders_are_gone_is_still_compared(swept, tmp_path):
    found = swept(trials=1)
    shutil.rmtree(found.runs(found.best)[0])
    assert "its run folders are not there any more" in closing_lines(found)
    written = sweep_report.write(found, tmp_path / "compared")
    assert "Its run folders are not there any more, so no line" in written[-1].read_text()


def test_reading_a_sweep_from_elsewhere_imports_nothing(swept):
    found = swept(trials=1)
    about = json.loads((found.path / "sweep.json").read_text())
    about["definition"]["recipe"] = "antigravity:fly"
    (found.path / "sweep.json").write_text(json.dumps(about))
    import sys

    assert Sweep.read(found.path).table()[1]
    assert "antigravity" not in sys.modules
