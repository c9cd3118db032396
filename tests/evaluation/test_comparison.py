"""`compare`: models with their spread over seeds."""

import json
import shutil
import statistics
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from diabolo.data import load
from diabolo.data.origin import Record
from diabolo.errors import DiaboloError
from diabolo.evaluation import Evaluation, Section, compare, evaluate
from diabolo.evaluation.comparison import (
    Comparison,
    Row,
    Spread,
    _check_tested,
    _flat,
    _kind,
    _labels,
    _rate_and_distortion,
    _start,
    _tested,
)
from diabolo.metrics.score import Score
from diabolo.runs import lock
from diabolo.runs.config import Config
from diabolo.training.fit import fit
from diabolo.zoo import undercomplete

pytestmark = pytest.mark.usefixtures("measures")


@pytest.fixture
def copies(seeds, tmp_path):
    """The runs, to be written into."""
    return {name: [shutil.copytree(path, tmp_path / path.name) for path in paths] for name, paths in seeds.items()}


def test_runs_that_differ_in_the_seed_alone_are_one_model(copies):
    every = [path for paths in copies.values() for path in paths]
    found = compare(every, ["error"])
    assert list(found.groups) == [f"undercomplete ({name})" for name in copies] or len(found.groups) == 2
    (row,) = found.rows()
    for paths, spread in zip(copies.values(), row.spreads.values(), strict=True):
        values = [evaluate(path, None, ["error"])["error"].scores["mean"].value for path in paths]
        assert spread.values == pytest.approx(tuple(values))
        assert spread.mean == pytest.approx(statistics.fmean(values))
        assert spread.deviation == pytest.approx(statistics.stdev(values))


def test_labels_say_what_differs(copies):
    found = compare([paths[0] for paths in copies.values()], ["error"])
    assert all("latent_dim" in label for label in found.groups)
    assert len(found.groups) == 2
    assert all(spread.deviation is None for row in found.rows() for spread in row.spreads.values())


def variants(folder, *several, **usual):
    """Runs of one small autoencoder on the same digits, each with other options."""
    train, test = load("digits", n_train=100, n_test=40)
    found = []
    for options in several:
        torch.manual_seed(0)
        model = undercomplete(train.shape, latent_dim=2, hidden=(8,))
        chosen = {"epochs": 1, "batch_size": 50, "out": folder, "quiet": True, **usual, **options}
        found.append(fit(model, train, test, **chosen).path)
    return found


def test_where_a_run_ran_and_what_it_logged_makes_no_other_model(tmp_path):
    elsewhere = [{}, {"device": "cpu"}, {"checkpoint_every": 3}, {"store": "host"}, {"graph": False}, {"threads": 1}]
    paths = variants(tmp_path, *elsewhere, {"name": "another", "seed": 1, "precision": "float32"}, precision="float32")
    assert list(compare(paths, ["error"]).groups) == ["undercomplete"]


def test_what_a_run_was_asked_to_learn_makes_another_model(tmp_path):
    (first,) = variants(tmp_path, {})
    others = [{"lr": 2e-3}, {"weight_decay": 1e-4}, {"epochs": 2}, {"keep": "best"}, {"init": str(first)}]
    found = compare([first, *variants(tmp_path, *others)], ["error"]).groups
    assert [len(runs) for runs in found.values()] == [1] * 6
    assert any("lr 0.002" in label for label in found)
    assert any(f"init {first}" in label for label in found)


def test_fine_tuned_from_several_seeds_is_one_model(tmp_path):
    starts = variants(tmp_path, {"seed": 0}, {"seed": 1})
    tuned = variants(tmp_path, *({"init": str(start), "seed": seed} for seed, start in enumerate(starts)))
    assert [len(runs) for runs in compare([*starts, *tuned], ["error"]).groups.values()] == [2, 2]


def test_an_option_that_an_older_run_does_not_name_has_its_default(tmp_path):
    both = variants(tmp_path, {}, {"seed": 1})
    config = json.loads((both[0] / "config.json").read_text())
    del config["options"]["min_delta"]
    (both[0] / "config.json").write_text(json.dumps(config))
    assert len(compare(both, ["error"]).groups) == 1


def test_a_run_is_not_evaluated_twice_unless_asked_otherwise_or_trained_on(copies):
    every = [path for paths in copies.values() for path in paths]
    said = []
    compare(every, say=said.append)
    assert sum("evaluating" in line for line in said) == 4
    said.clear()
    compare(every, ["error"], say=said.append)
    assert said == []
    whole = [path.read_bytes() for path in (run / "evaluation" / "scores.json" for run in every)]
    compare(every, ["error"], say=said.append, power=1.0)
    assert sum("evaluating" in line for line in said) == 4
    assert whole == [path.read_bytes() for path in (run / "evaluation" / "scores.json" for run in every)]
    said.clear()
    weights = every[0] / "model.safetensors"
    shutil.copy(every[1] / "model.safetensors", weights)
    compare(every, ["error"], say=said.append)
    assert sum("evaluating" in line for line in said) == 1
    said.clear()
    compare(every, ["error"], say=said.append)
    assert said == []


def test_what_is_written(copies, tmp_path):
    found = compare([paths[0] for paths in copies.values()])
    found.write(tmp_path / "out")
    found.write(tmp_path / "out")  # in place of what lay there
    record = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert {score["name"] for score in record["scores"]} == {"mean", "classes"}
    (mean,) = (score for score in record["scores"] if score["name"] == "mean")
    if mean["best"] is not None:
        assert set(mean["behind the best"]) == set(found.groups) - {mean["best"]}
    assert (tmp_path / "out" / "error.pdf").read_bytes().startswith(b"%PDF")


def test_the_seeds_of_one_model_have_a_page_of_their_own(copies):
    ((panel,),) = compare(copies["latent_dim 2"], ["error"]).panels().values()
    assert panel.args[0] == {
        path.name: evaluate(path, None, ["error"])["error"].scores["mean"].value for path in copies["latent_dim 2"]
    }
    panel()


def evaluated(run, low, high, interval="Student's t over draws of labels, within 0 … 1", deviates=0.0):
    score = Score(0.5 + deviates, "share of test images", 40, "test", low, high, interval, "higher")
    about = {"run": run, "model": "vae", "test": {"images": 40, "name": "digits"}}
    return Evaluation(about, {"few_labels": Section({"10 labels: codes": score})})


@pytest.mark.parametrize(
    ("groups", "whiskers", "said"),
    [
        (
            {"a": [evaluated("1", 0.4, 0.6)], "b": [evaluated("2", 0.3, 0.7)]},
            {"a": (0.4, 0.6), "b": (0.3, 0.7)},
            "whiskers: 95 % interval over draws of labels of a single seed",
        ),
        (
            {
                "a": [evaluated("1", 0.4, 0.6)],
                "b": [evaluated("2", 0.3, 0.7, "Wilson"), evaluated("3", 0.3, 0.7, "Wilson", 0.2)],
            },
            {"a": (0.4, 0.6), "b": pytest.approx((0.6 - 0.1 * 2**0.5, 0.6 + 0.1 * 2**0.5))},
            "whiskers: standard deviation over seeds or 95 % interval over draws of labels of a single seed",
        ),
        (
            {"a": [evaluated("1", 0.4, 0.6, "Wilson"), evaluated("2", 0.3, 0.7, "Wilson")]},
            {"1": (0.4, 0.6), "2": (0.3, 0.7)},
            "whiskers: 95 % interval over images of a single seed",
        ),
        (
            {"a": [evaluated("1", None, None, None)], "b": [evaluated("2", None, None, None)]},
            None,
            "of single seeds, without an interval",
        ),
    ],
)
def test_whiskers_are_over_seeds_or_of_a_single_one_and_the_axis_says_which(groups, whiskers, said):
    ((panel,),) = Comparison(groups).panels().values()
    assert panel.args[1:] == (f"share of test images ({said})", whiskers)
    panel()


def test_rate_stands_against_distortion():
    def spreads(**values):
        return {label: Spread((value,)) for label, value in values.items()}

    score = Score(1.0, "nats per image", 10)
    rows = [
        Row("likelihood", "KL term", score, spreads(a=20.0, b=5.0, c=1.0)),
        Row("likelihood", "reconstruction term", score, spreads(a=60.0, b=90.0)),
    ]
    (panel,) = _rate_and_distortion(rows)
    assert panel.args[0] == {"b": (5.0, 90.0), "a": (20.0, 60.0)}
    panel()
    assert list(_rate_and_distortion(rows[:1])) == []
    alone = Row("likelihood", "reconstruction term", score, spreads(a=60.0))
    assert list(_rate_and_distortion([rows[0], alone])) == []  # one point is no trade-off


def test_what_cannot_be_compared_is_refused(copies, tmp_path):
    one = copies["latent_dim 2"][0]
    with pytest.raises(DiaboloError, match="two runs"):
        compare([one, one])
    train, _ = load("patches", n_train=50, n_test=20)
    other = fit(
        undercomplete(train.shape, latent_dim=2, hidden=(8,)),
        train,
        epochs=1,
        batch_size=25,
        out=tmp_path / "o",
        quiet=True,
    )
    with pytest.raises(DiaboloError, match="data sets"):
        compare([one, other.path])


def test_other_test_images_are_noticed_before_anything_is_evaluated(seeds, tmp_path, monkeypatch):
    """Two runs on one data set, of which one is tested on fewer of its images."""
    from diabolo.evaluation import comparison
    from diabolo.runs import files

    one, other = (shutil.copytree(seeds["latent_dim 2"][i], tmp_path / f"000{i}-run") for i in (0, 1))
    config = json.loads((other / "config.json").read_text())
    config["data"]["train"]["origin"]["load"]["n_test"] = 20
    files.write_json(other / "config.json", config)
    for run in (one, other):
        shutil.rmtree(run / "evaluation", ignore_errors=True)
    monkeypatch.setattr(comparison, "evaluate", lambda *_, **__: pytest.fail("it has begun to evaluate"))
    with pytest.raises(DiaboloError, match="different test images"):
        compare([one, other])


# --- a run that cannot be compared costs no other -----------------------------------------------------------------------


def damage_scores(path):
    (path / "evaluation").mkdir(exist_ok=True)
    (path / "evaluation" / "scores.json").write_text('{"about": {}, "scores": [')


def damage_config(path):
    (path / "config.json").write_text('{"name": 3}')


def damage_options(path):
    config = json.loads((path / "config.json").read_text())
    del config["options"]["seed"]
    config["options"]["init"] = {"a": 1}
    (path / "config.json").write_text(json.dumps(config))


def damage_weights(path):
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-9] + b"damaged!!")


@pytest.mark.parametrize("damage", [damage_scores, damage_config, damage_options, damage_weights])
def test_a_damaged_run_is_left_out_and_the_others_are_compared(damage, copies, tmp_path):
    first, second, *_ = every = [path for paths in copies.values() for path in paths]
    damage(second)
    found = compare(every, ["error"])
    assert set(found.left_out) == {str(second)}
    assert "damaged" in found.left_out[str(second)]
    assert sum(map(len, found.groups.values())) == len(every) - 1
    found.write(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "comparison.json").read_text())["left out"] == dict(found.left_out)
    with pytest.raises(DiaboloError, match="fewer than two runs can be compared: .*" + second.name) as refused:
        compare([first, second], ["error"])
    assert refused.value.exit_code == 2  # as of any verb that is given this run alone


def test_a_folder_that_is_no_run_is_refused_before_anything_is_measured(copies, tmp_path):
    first, second, *_ = [path for paths in copies.values() for path in paths]
    with pytest.raises(DiaboloError, match="there is no folder"):
        compare([first, second, tmp_path / "mistyped"], ["error"])  # which is not left out as one that is damaged
    assert not (first / "evaluation").exists()


def test_a_run_that_another_writes_into_is_left_out(copies):
    first, second, third, *_ = [path for paths in copies.values() for path in paths]
    go, stop = threading.Event(), threading.Event()

    def hold():
        with lock.held(second, "train"):
            go.set()
            stop.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    go.wait(60)
    try:
        found = compare([first, second, third], ["error"])
        with pytest.raises(DiaboloError, match=r"fewer than two runs can be compared: .* is being written") as refused:
            compare([first, second], ["error"])
        assert refused.value.exit_code == 1
    finally:
        stop.set()
        holder.join()
    assert "is being written by another thread of this process (train" in found.left_out[str(second)]
    assert not (second / "evaluation").exists()
    assert not list(first.rglob(".*"))


def test_a_model_that_has_not_learned_is_better_and_worse_than_none():
    def evaluated(learned, error):
        scores = {"error": Score(learned, "share", 100, low=learned - 0.01, high=learned + 0.01)}
        measured = {"mean": Score(error, "per pixel", 100, low=error - 1e-4, high=error + 1e-4, better="lower")}
        return SimpleNamespace(
            sections={"learned": Section(scores), "error": Section(measured)}, about={"run": f"runs/{learned}"}
        )

    found = Comparison({"good": [evaluated(0.2, 0.02)], "grey": [evaluated(1.0, 0.01)], "fair": [evaluated(0.5, 0.03)]})
    assert list(found.unlearned) == ["grey"]
    assert "of that of the mean training image" in found.unlearned["grey"]
    row = next(row for row in found.rows() if row.measure == "error")
    assert set(row.spreads) == {"good", "grey", "fair"}
    assert row.best[0] == "good"  # and not the one with the smallest number
    assert list(row.best[1]) == ["fair"]
    assert row.leading == {"good"}
    assert found.record()["not learned"] == dict(found.unlearned)
    assert not Comparison({"a": [SimpleNamespace(sections={}, about={})]}).unlearned  # nothing is known of it


# --- by hand --------------------------------------------------------------------------------------------------------------


def row(better, **values):
    scores = {label: [Score(v, "nats", 9, better=better) for v in some] for label, some in values.items()}
    spreads = {label: Spread(tuple(s.value for s in some)) for label, some in scores.items()}
    return Row("m", "n", next(iter(scores.values()))[0], spreads, scores)


def test_who_leads():
    assert row("lower", a=[1.0, 1.1], b=[1.05, 1.0], c=[9.0, 9.1]).leading == {"a", "b"}  # which are the same
    assert row("lower", a=[1.0, 5.0], b=[3.0, 2.0], c=[90.0, 91.0]).leading == set()  # a or b is not decided
    assert row("higher", a=[1.0, 1.1], b=[1.05, 1.0], c=[9.0, 9.1]).leading == {"c"}
    assert row("lower", a=[1.0], b=[2.0]).leading == set()  # nothing is known of their noise
    assert row("lower", a=[1.0, 1.1], b=[1.05, 1.0]).leading == set()  # no difference is shown
    assert row(None, a=[1.0, 1.1], b=[9.0, 9.1]).leading == set()
    assert row("lower", a=[1.0, 1.1]).best == (None, {})


def test_nested_options_by_their_dotted_names():
    tree = {"a": 1, "b": {"c": [1, 2], "d": [{"e": 3}, [4]], "f": {}}}
    assert _flat(tree) == {"a": 1, "b.c": [1, 2], "b.d.0.e": 3, "b.d.1": [4]}


def test_arrays_must_have_been_measured_before_they_are_compared(tmp_path):
    config = SimpleNamespace(train=Record("digits", "train", 3, (1, 8, 8), "x"))
    with pytest.raises(DiaboloError, match="were given as arrays"):
        _tested(tmp_path, config, None, {}, {})
    known = json.dumps([{"load": 1}, "x"], sort_keys=True)
    config.train = replace(config.train, origin={"load": 1})
    assert _tested(tmp_path, config, None, {known: "found"}, {}) == "found"
    with pytest.raises(DiaboloError, match="different test images"):
        _check_tested(["a", "b"])
    _check_tested(["a", "a"])


def test_a_start_that_is_gone_is_its_path_and_one_that_is_there_its_kind(seeds):
    first, second = seeds["latent_dim 4"]
    assert _start(None) is None
    assert _start("/nowhere/at/all") == "/nowhere/at/all"
    assert _start(str(first)) == _start(str(second))
    assert _start(str(first)) != _start(str(seeds["latent_dim 2"][0]))
    config = Config.read(first)
    started = config.but(options=config.options | {"init": str(second)})
    assert _kind(started)["options"]["init"] == _start(str(second))
    assert _kind(started, start=False)["options"]["init"] is True
    assert _kind(config, start=False)["options"]["init"] is False


@pytest.mark.parametrize(
    ("early_stopping", "keep", "decides"),
    [(None, "last", False), (3, "last", True), (None, "best", True), (3, "best", True)],
)
def test_the_images_that_were_watched_tell_models_apart_where_they_decided(seeds, early_stopping, keep, decides):
    config = Config.read(seeds["latent_dim 4"][0])
    config = config.but(options=config.options | {"early_stopping": early_stopping, "keep": keep})
    assert _kind(config)["watched"] == (config.validation.fingerprint if decides else None)
    assert _kind(config)["images"] == config.train.fingerprint
    assert _kind(config.but(validation=None))["watched"] is None


def test_scores_of_one_measure_stand_together_whichever_model_has_them():
    def found(**measures):
        score = Score(1.0, "u", 10)
        sections = {name: Section(dict.fromkeys(scores, score)) for name, scores in measures.items()}
        return SimpleNamespace(sections=sections)

    groups = {"a": [found(usage=["active"], cost=["time"])], "b": [found(usage=["live"], rate=["bits"])]}
    rows = [(row.measure, row.name) for row in Comparison(groups).rows()]
    assert rows == [("usage", "active"), ("usage", "live"), ("cost", "time"), ("rate", "bits")]


def test_the_record_of_a_row_by_hand():
    def evaluated(value, run):
        score = Score(value, "per pixel", 100, low=value - 0.1, high=value + 0.1, better="lower")
        return SimpleNamespace(sections={"error": Section({"mean": score})}, about={"run": run})

    found = Comparison(
        {"a": [evaluated(1.0, "r1"), evaluated(1.2, "r2")], "b": [evaluated(9.0, "r3"), evaluated(9.5, "r4")]}
    )
    record = found.record()
    assert record["models"] == {"a": ["r1", "r2"], "b": ["r3", "r4"]}
    (row,) = record["scores"]
    assert (row["measure"], row["name"], row["best"]) == ("error", "mean", "a")
    assert row["values"]["b"] == {
        "mean": 9.25, "deviation_over_seeds": pytest.approx(statistics.stdev([9.0, 9.5])), "values": (9.0, 9.5),
    }  # fmt: skip
    behind = row["behind the best"]["b"]
    assert behind["worse"] is True
    assert behind["difference"] == pytest.approx(8.15)
    assert behind["low"] < 8.15 < behind["high"]


def test_a_score_is_drawn_that_two_of_three_models_have():
    def evaluated(run, **scores):
        sections = {"m": Section({name: Score(value, "nats", 9, better="lower") for name, value in scores.items()})}
        return SimpleNamespace(sections=sections, about={"run": run})

    groups = {"a": [evaluated("r1", x=1.0, y=1.0)], "b": [evaluated("r2", x=2.0)], "c": [evaluated("r3", z=3.0)]}
    assert [panel.args for panel in Comparison(groups).panels()["m"]] == [
        ({"a": 1.0, "b": 2.0}, "nats (of single seeds, without an interval)", None)
    ]
    seeds = groups | {"a": [*groups["a"], evaluated("r4", x=3.0)]}
    ((panel,),) = Comparison(seeds).panels().values()
    assert panel.args == (
        {"a": 2.0, "b": 2.0},
        "nats (whiskers: standard deviation over seeds)",
        {"a": pytest.approx((2 - 2**0.5, 2 + 2**0.5))},
    )


def test_a_label_says_in_what_a_model_differs_from_those_of_its_name_alone():
    def subject(kind, name, **told):
        return SimpleNamespace(kind=kind, name=name, told=told)

    alike = [subject("1", "vae", made=2, lr=1), subject("2", "vae", made=4, lr=1), subject("3", "pca", made=9, lr=7)]
    assert _labels(alike) == {"1": "vae (made 2)", "2": "vae (made 4)", "3": "pca"}
    with pytest.raises(DiaboloError, match="give their runs other names"):
        _labels([subject("1", "vae", lr=1), subject("2", "vae", lr=1)])
