"""`compare`: models with their spread over seeds."""

import json
import shutil
import statistics

import pytest

from diabolo.data import load
from diabolo.errors import DiaboloError
from diabolo.evaluation import compare, evaluate
from diabolo.evaluation.comparison import Row, Spread, _rate_and_distortion
from diabolo.metrics.score import Score
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
    record = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert {score["name"] for score in record["scores"]} == {"mean", "classes"}
    assert (tmp_path / "out" / "comparison.pdf").read_bytes().startswith(b"%PDF")


def test_the_seeds_of_one_model_have_a_page_of_their_own(copies):
    (panel,) = compare(copies["latent_dim 2"], ["error"]).panels()
    assert panel.args[0] == {
        path.name: evaluate(path, None, ["error"])["error"].scores["mean"].value for path in copies["latent_dim 2"]
    }
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
