"""`evaluate`: which images, which measures, which options, and what is written."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import diabolo
from diabolo.data import load
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation import Evaluation, NotApplicable, Section, Subject, evaluate
from diabolo.evaluation.measuring import _finite
from diabolo.metrics.score import Score
from diabolo.runs.folder import RunFolder

pytestmark = pytest.mark.usefixtures("measures")


@pytest.fixture
def digits():
    return load("digits", n_train=100, n_test=40)


def test_every_measure_that_applies_is_made_on_the_images_of_the_run(seeds):
    run = seeds["latent_dim 4"][0]
    found = evaluate(run)
    model, (_, test) = diabolo.load(run), load("digits", n_train=100, n_test=40)
    x = torch.from_numpy(test.images) / 255
    assert found["error"].scores["mean"].value == pytest.approx(
        float((model.reconstruct(x) - x).square().mean()), rel=1e-5
    )
    assert found["labelled"].scores["classes"].value == len(set(test.labels))
    assert found.skipped == {}
    assert found.about["test"]["fingerprint"] == test.fingerprint
    assert set(found.seconds) == {"error", "labelled"}


def test_each_measure_is_named_when_it_begins(seeds):
    said = []
    found = evaluate(seeds["latent_dim 2"][0], None, ["labelled", "error"], say=said.append)
    assert said == list(found.seconds) == ["labelled", "error"]
    assert all(0 <= took == round(took, 2) < 600 for took in found.seconds.values())


def test_what_does_not_apply_is_skipped_with_its_reason_unless_it_was_asked_for(digits, tiny_model):
    pair = tuple(replace(images, labels=None, label_names=None) for images in digits)
    assert evaluate(tiny_model(), pair).skipped == {"labelled": "the images have no labels"}
    with pytest.raises(NotApplicable, match="no labels"):
        evaluate(tiny_model(), pair, ["labelled"])


def test_an_option_reaches_its_measure(digits, tiny_model):
    squared, absolute = (evaluate(tiny_model(), digits, ["error"], power=p)["error"].scores["mean"] for p in (2.0, 1.0))
    assert squared.value < absolute.value
    assert absolute.setting == {"power": 1.0}


def test_unknown_names_are_refused_with_the_nearest(digits, tiny_model):
    with pytest.raises(UnknownNameError, match="error"):
        evaluate(tiny_model(), digits, ["eror"])
    with pytest.raises(UnknownNameError, match="power"):
        evaluate(tiny_model(), digits, powr=2)


def test_images_that_do_not_fit_or_are_not_known_are_refused(digits, tiny_model):
    with pytest.raises(DiaboloError, match="give"):
        evaluate(tiny_model())
    with pytest.raises(DiaboloError, match="pair"):
        evaluate(tiny_model(), digits[0])
    with pytest.raises(DiaboloError, match=r"\(1, 4, 4\)"):
        evaluate(tiny_model(), (np.zeros((5, 1, 4, 4), np.uint8), np.zeros((5, 1, 4, 4), np.uint8)))


def test_plain_arrays_do(digits, tiny_model):
    train, test = digits
    found = evaluate(tiny_model(), (train.images, test.images), ["error"])
    assert found["error"].scores["mean"].n == 40


def test_what_is_written_is_read_again(seeds, tmp_path):
    found = evaluate(seeds["latent_dim 2"][0])
    written = found.write(tmp_path / "new" / "out")
    assert {path.name for path in written} == {"scores.json", "error-bars.png", "evaluation.png"}
    assert (tmp_path / "new" / "out" / "evaluation.pdf").read_bytes().startswith(b"%PDF")
    assert all(path.exists() for path in written)
    again = Evaluation.read(tmp_path / "new" / "out")
    assert again.record() == json.loads(json.dumps(found.record()))
    (tmp_path / "new" / "out" / "scores.json").write_text('{"scores": 3}')
    with pytest.raises(DiaboloError, match=r"scores\.json"):
        Evaluation.read(tmp_path / "new" / "out")


def test_codes_are_computed_once_and_in_pieces(digits, tiny_model, monkeypatch):
    train, test = digits
    model = tiny_model()
    subject = Subject(model, train, test)
    assert np.array_equal(subject.codes("train"), model.encode(torch.from_numpy(train.images)).numpy())
    monkeypatch.setattr(model, "encode", None)  # a second time it would fail
    assert subject.codes("train").shape == (100, 4)


def test_a_conditional_model_is_told_its_labels(digits):
    train, test = digits
    torch.manual_seed(0)
    model = diabolo.zoo.cvae(train.shape, latent_dim=3, hidden=(16,))
    subject = Subject(model, train, test)
    told = model.reconstruct(torch.from_numpy(test.images), torch.from_numpy(test.labels))
    assert np.allclose(subject.reconstructions, told.numpy(), atol=1e-6)
    expected = np.square(told.numpy() - test.images / 255).mean((1, 2, 3))
    assert np.allclose(subject.errors, expected, atol=1e-6)


def test_an_evaluation_takes_the_place_of_the_one_before_with_its_figures(seeds, tmp_path):
    run = seeds["latent_dim 2"][0]
    evaluate(run).write(tmp_path)
    (tmp_path / "mine.png").write_bytes(b"mine")
    names = {"scores.json", "mine.png", *(f"{n}{s}" for n in ("error-bars", "evaluation") for s in (".png", ".pdf"))}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert Evaluation.read(tmp_path).drawn == ["error-bars"]
    evaluate(run, None, ["labelled"]).write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"scores.json", "mine.png"}


def test_scores_are_written_after_their_figures(seeds, tmp_path):
    run = seeds["latent_dim 2"][0]
    evaluate(run, None, ["labelled"]).write(tmp_path)
    before = (tmp_path / "scores.json").read_bytes()
    (tmp_path / "error-bars.png").mkdir()
    with pytest.raises(DiaboloError, match="could not be written"):
        evaluate(run).write(tmp_path)
    assert (tmp_path / "scores.json").read_bytes() == before


def test_numbers_that_are_none_are_left_out_with_their_reason():
    def score(value, low=None, high=None):
        there = low is not None
        return Score(value, "u", 3, low=low, high=high, interval="t" if there else None, df=2 if there else None)

    found = _finite(
        Section(
            {
                "good": score(1.0, 0.5, 2.0),
                "nan": score(float("nan")),
                "inf": score(float("inf"), 0.0, 1.0),
                "open": score(1.0, 0.5, float("inf")),
                "half": score(1.0, float("nan"), 2.0),
                "bare": score(1.0),
            },
            {},
            {"other": "why"},
        )
    )
    assert found.skipped == {"other": "why", "nan": "it came out as nan", "inf": "it came out as inf"}
    assert {name: score.df for name, score in found.scores.items()} == {
        "good": 2,
        "open": None,
        "half": None,
        "bare": None,
    }
    assert list(found.scores) == ["good", "open", "half", "bare"]
    assert (found.scores["good"].low, found.scores["good"].interval) == (0.5, "t")
    for name in ("open", "half", "bare"):
        one = found.scores[name]
        assert (one.low, one.high, one.interval) == (None, None, None)


def test_a_seed_that_is_none_is_refused(digits, tiny_model):
    with pytest.raises(DiaboloError, match="seed must be"):
        evaluate(tiny_model(), digits, ["error"], seed=-1)


def test_what_an_evaluation_says_of_itself(digits, tiny_model, seeds):
    found = evaluate(tiny_model(), digits, ["error"], seed=3, power=1.0)
    assert (found.about["run"], found.about["weights"], found.about["seed"]) == (None, None, 3)
    assert (found.about["asked"], found.about["options"]) == (["error"], {"power": 1.0})
    assert found.about["test"] == {
        "name": "digits", "split": "test", "images": 40, "shape": [1, 8, 8], "fingerprint": digits[1].fingerprint,
    }  # fmt: skip
    run = seeds["latent_dim 4"][0]
    about = evaluate(run).about
    assert (about["run"], about["asked"]) == (str(run), [])
    assert about["weights"] == RunFolder(run).fingerprint()


def edited(record, *places, to):
    for place in places[:-1]:
        record = record[place]
    record[places[-1]] = to


@pytest.mark.parametrize(
    ("places", "to", "said"),
    [
        (("about", "model"), 3, "what was measured on what"),
        (("about", "test", "fingerprint"), None, "what was measured on what"),
        (("about", "test", "images"), "9", "what was measured on what"),
        (("about", "test"), [], "what was measured on what"),
        (("skipped",), ["x"], "'skipped' has no reasons"),
        (("skipped",), {"x": 3}, "'skipped' has no reasons"),
        (("figures",), ["../x"], "'../x' is no name of a figure"),
        (("figures",), [3], "3 is no name of a figure"),
        (("figures",), "x", "None is no name of a figure"),
        (("scores", "error", "mean", "value"), "1", "the score 'mean' is no number"),
        (("scores", "error", "mean", "low"), "1", "the score 'mean' is no number"),
        (("scores", "error", "mean", "n"), 4.0, "the score 'mean' is no number"),
        (("scores", "error", "mean", "unit"), 3, "the score 'mean' does not say what it is of"),
        (("scores", "error", "mean", "split"), 3, "the score 'mean' does not say what it is of"),
        (("scores", "error", "mean", "setting"), [], "the score 'mean' does not say what it is of"),
    ],
)
def test_a_record_of_another_shape_is_refused(places, to, said, digits, tiny_model, tmp_path):
    record = json.loads(json.dumps(evaluate(tiny_model(), digits, ["error"]).record()))
    (tmp_path / "scores.json").write_text(json.dumps(record))
    assert Evaluation.read(tmp_path)["error"].scores["mean"].n == 40
    edited(record, *places, to=to)
    (tmp_path / "scores.json").write_text(json.dumps(record))
    with pytest.raises(DiaboloError, match=f"was edited or damaged: .*{said}.*; evaluate the run again"):
        Evaluation.read(tmp_path)


@pytest.mark.parametrize("content", ["{}", '{"scores": ', None])
def test_damaged_scores_of_a_run_name_the_command_that_writes_them_anew(content, train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels(16), epochs=1)
    file = run.path / "evaluation" / "scores.json"
    file.parent.mkdir()
    if content is not None:
        file.write_text(content)
    with pytest.raises(DiaboloError, match=f"; diabolo evaluate {run.path} writes it anew$"):
        Evaluation.read(file.parent)
