"""What of a run is shared, what its card says, and that it is true."""

import json
import re
import shlex
import shutil

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import diabolo
from diabolo.data.catalogue import names
from diabolo.data.origin import hold_out
from diabolo.errors import DiaboloError
from diabolo.evaluation.measuring import Evaluation
from diabolo.hub.card import LICENCES
from diabolo.runs.config import Config


@pytest.fixture
def on_digits(digits, tmp_path):
    """A few digits, learned by name, in a folder of runs that has a name of its own."""
    train, held = hold_out(diabolo.data.load("digits", n_train=200, n_test=60)[0], 0.2)
    how = {"latent_dim": 2, "hidden": (16,), "epochs": 2, "lr": 2e-3, "seed": 3, "quiet": True}
    return diabolo.fit("vae", train, held, out=tmp_path / "secret-place", **how)


def parts(folder):
    """The head of the card as data, and its text."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def evaluated(run):
    test = diabolo.data.load("digits", n_train=200, n_test=60)[1]
    found = diabolo.evaluate(run, (run.folder.images("train"), test), measures=["reconstruction", "learned"])
    found.write(run.path / "evaluation")
    return found


def test_a_folder_gives_the_same_bits_and_nothing_of_this_machine(on_digits, tmp_path):
    folder = on_digits.save_pretrained(tmp_path / "shared", licence="mit")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    same = diabolo.from_pretrained(folder)
    x = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(same.encode(x), on_digits.model.encode(x))
    assert torch.equal(same.sample(4, seed=2), on_digits.model.sample(4, seed=2))
    assert not same.training
    for file in folder.iterdir():
        assert b"secret-place" not in file.read_bytes()
        assert str(tmp_path).encode() not in file.read_bytes()
    assert "out" not in Config.read(folder).options


def test_of_images_in_a_folder_no_path_is_told(tmp_path, monkeypatch):
    place = tmp_path / "private" / "patients"
    place.mkdir(parents=True)
    for i in range(30):
        Image.fromarray(np.full((8, 8), 8 * i, np.uint8)).save(place / f"{i}.png")
    train, _ = diabolo.data.load(str(place))
    run = diabolo.fit("pca", train, latent_dim=2, out=tmp_path / "runs", quiet=True)
    folder = run.save_pretrained(tmp_path / "shared")
    for file in folder.iterdir():
        assert b"private" not in file.read_bytes(), file
    assert Config.read(folder).train.name == "patients"
    _, body = parts(folder)
    assert "The terms of these images are not known to Diabolo" in body
    assert "given from Python, so that no single line makes it again" in body
    assert "No licence is stated." in body


def test_the_numbers_of_the_card_are_those_of_the_evaluation(on_digits, tmp_path):
    found = evaluated(on_digits)
    head, body = parts(on_digits.save_pretrained(tmp_path / "shared", licence="cc-by-4.0"))
    assert (head["license"], head["library_name"]) == ("cc-by-4.0", "diabolo")
    (entry,) = head["model-index"]
    (result,) = entry["results"]
    assert result["dataset"] == {"type": "digits", "name": "digits", "split": "test"}
    score = found["reconstruction"].scores["MSE"]
    (metric,) = [metric for metric in result["metrics"] if metric["type"] == "mse"]
    assert metric["value"] == score.value
    assert (metric["args"]["low"], metric["args"]["high"], metric["args"]["n"]) == (score.low, score.high, 60)
    assert score.low < score.value < score.high
    assert "95 % interval" in metric["name"]
    assert score.unit in metric["name"]
    row = next(line for line in body.splitlines() if line.startswith("| MSE "))
    told = [float(text) for text in re.findall(r"\d+\.\d+", row)[:3]]
    assert told == pytest.approx([score.value, score.low, score.high], rel=1e-3)


def test_hugging_face_reads_the_scores(on_digits, tmp_path):
    hub = pytest.importorskip("huggingface_hub", reason="the extra 'hub' is not installed")
    found = evaluated(on_digits)
    folder = on_digits.save_pretrained(tmp_path / "shared", licence="mit")
    card = hub.ModelCard.load(folder / "README.md")
    results = {result.metric_type: result for result in card.data.eval_results}
    assert card.data.model_name == "vae on digits"
    assert results["mse"].metric_value == found["reconstruction"].scores["MSE"].value
    assert (results["mse"].dataset_name, results["mse"].dataset_split) == ("digits", "test")
    assert results["mse"].metric_args["unit"] == "squared error per pixel"
    assert all(isinstance(result, hub.EvalResult) for result in card.data.eval_results)


def test_scores_of_other_weights_are_left_out(on_digits, tmp_path):
    evaluated(on_digits)
    again = diabolo.resume(on_digits.path, epochs=3)
    head, body = parts(again.save_pretrained(tmp_path / "shared"))
    assert "model-index" not in head
    assert "its scores are of other weights and are left out" in body


def test_without_an_evaluation_the_card_says_so(on_digits, tmp_path):
    head, body = parts(on_digits.save_pretrained(tmp_path / "shared"))
    assert "model-index" not in head
    assert "license" not in head
    assert "This model has not been evaluated" in body


@pytest.mark.parametrize(
    ("watched", "keep"), [("held out", "last"), ("test", "last"), ("test", "best"), ("none", "last")]
)
def test_the_lines_of_the_card_make_the_same_weights(watched, keep, tmp_path, monkeypatch, diabolo_cli):
    train, test = diabolo.data.load("digits", n_train=200, n_test=60)
    held = {"held out": hold_out(train, 0.2), "test": (train, test), "none": (train, None)}[watched]
    how = {"latent_dim": 2, "hidden": (16, 8), "epochs": 2, "beta": "linear(0, 1, 0.5)", "seed": 3, "quiet": True}
    run = diabolo.fit("vae", *held, out=tmp_path / "first", keep=keep, **how)
    same_by_the_lines(run, tmp_path, monkeypatch, diabolo_cli)


def test_the_lines_of_a_pca_of_some_of_the_images(tmp_path, monkeypatch, diabolo_cli):
    train, held = hold_out(diabolo.data.load("digits", n_train=200)[0], 0.2)
    run = diabolo.fit("pca", train, held, latent_dim=2, out=tmp_path / "first", quiet=True)
    same_by_the_lines(run, tmp_path, monkeypatch, diabolo_cli)


def same_by_the_lines(run, tmp_path, monkeypatch, diabolo_cli):
    """Train it by both lines of its card."""
    _, body = parts(run.save_pretrained(tmp_path / "shared"))
    line = re.search(r"```bash\n(diabolo train .+)\n```", body)[1]
    python = re.search(r"```python\n(import diabolo\n\ntrain.+?)\n```", body, re.S)[1]
    monkeypatch.chdir(tmp_path)
    space: dict = {}
    exec(python, space)
    told = diabolo_cli(*shlex.split(line)[1:], "--out", "typed", "--no-figures")
    assert told.wait() == 0, told.errors
    for other in (space["run"].model, diabolo.load(next((tmp_path / "typed").iterdir()))):
        for name, tensor in run.model.state_dict().items():
            assert torch.equal(other.state_dict()[name], tensor), (line, name)


def test_where_no_line_makes_it_again_the_card_says_why(tmp_path):
    train, test = diabolo.data.load("digits", n_train=200, n_test=60)
    small, how = {"latent_dim": 2, "hidden": (16,)}, {"epochs": 1, "out": tmp_path / "runs", "quiet": True}
    first = diabolo.fit("vae", train, test, **small, **how)
    python, weights = "The model or its images were given from Python", "weights that were not drawn from its seed"
    stages = diabolo.greedy("vae", train, test, 1, latent_dim=2, hidden=(16, 8), **how)
    for why, run in [
        ("It began with weights of another run", diabolo.fit("vae", train, test, init=first.path, **small, **how)),
        (weights, diabolo.fit(diabolo.zoo.vae((1, 8, 8), **small), train, test, **how)),
        (weights, diabolo.fit(first.model, train, test, **how)),
        (weights, stages[-1]),
        (python, diabolo.fit("vae", test, train, **small, **how)),  # no line trains on test images
        (python, diabolo.fit("vae", train, test.take(range(9)), **small, **how)),
        (python, diabolo.fit("vae", *hold_out(train, 0.1, seed=7), **small, **how)),
        ("It was given further epochs", diabolo.resume(first.path, epochs=2)),
    ]:
        assert run.status == "finished"
        _, body = parts(run.save_pretrained(tmp_path / "shared"))
        assert re.search(rf"^.*{why}.*, so that no single line makes it again\.", body, re.M), (why, body)
        assert "diabolo train" not in body


def drawn(run, *figures):
    (run.path / "figures").mkdir(exist_ok=True)
    for name in figures:
        Image.new("RGB", (4, 4)).save(run.path / "figures" / f"{name}.png")


def called(run, name, folder):
    """The same run as if its images were those of another data set."""
    path = folder / name
    shutil.copytree(run.path, path)
    told = json.loads((path / "config.json").read_text())
    for about in told["data"].values():
        about["name"] = about["origin"]["load"]["name"] = name
    (path / "config.json").write_text(json.dumps(told))
    return diabolo.runs.loading.load_run(path)


def test_pictures_go_with_it_where_they_may_be_shown(on_digits, tmp_path):
    drawn(on_digits, "curves", "samples", "reconstructions")
    for pictures, wanted in ((None, 3), (True, 3), (False, 1)):
        folder = on_digits.save_pretrained(tmp_path / "shared", pictures=pictures)
        assert len(list((folder / "figures").iterdir())) == wanted
        _, body = parts(folder)
        assert body.count("](figures/") == wanted
        assert "](figures/curves.png)" in body


def test_no_picture_of_celeba_ever_does(on_digits, tmp_path):
    drawn(on_digits, "curves", "samples", "reconstructions", "latent", "decoded-grid", "progress-samples")
    faces = called(on_digits, "celeba", tmp_path)
    folder = faces.save_pretrained(tmp_path / "shared")
    assert [path.name for path in (folder / "figures").iterdir()] == ["curves.png"]
    _, body = parts(folder)
    assert "non-commercial research, no redistribution. No picture of them, or made from them, is shown here." in body
    with pytest.raises(DiaboloError, match=r"^pictures of celeba may not be shown to others \(non-commercial research"):
        faces.save_pretrained(tmp_path / "other", pictures=True)
    assert not (tmp_path / "other").exists()
    assert [name for name, info in names().items() if not info.shown] == ["celeba"]


def test_pictures_of_your_own_images_only_when_asked_for(train, tiny_model, tiny_pixels, tmp_path):
    run = train(tiny_model(), tiny_pixels())
    drawn(run, "curves", "samples")
    assert [p.name for p in (run.save_pretrained(tmp_path / "a") / "figures").iterdir()] == ["curves.png"]
    assert len(list((run.save_pretrained(tmp_path / "b", pictures=True) / "figures").iterdir())) == 2


def test_what_cannot_be_shared_is_said(train, tiny_model, tiny_pixels, tmp_path):
    run = train(tiny_model(), tiny_pixels())
    with pytest.raises(DiaboloError, match="is a run folder: what is shared is written into another"):
        run.save_pretrained(run.path)
    with pytest.raises(DiaboloError, match=r"^unknown licence 'free'; "):
        run.save_pretrained(tmp_path / "shared", licence="free")
    with pytest.raises(DiaboloError, match=r"^this run left no folder, as out=None asked"):
        train(tiny_model(), tiny_pixels(), out=None).save_pretrained(tmp_path / "shared")
    (run.path / "model.safetensors").unlink()
    with pytest.raises(DiaboloError, match=r"holds no model.safetensors: its training has not finished"):
        run.save_pretrained(tmp_path / "shared")
    assert not (tmp_path / "shared").exists()
    assert len(set(LICENCES)) == len(LICENCES)


def test_words_of_a_stranger_are_escaped_in_the_card(on_digits, tmp_path):
    """A data set with HTML and YAML in its name."""
    odd = "x: [<b>|y`\n---\n# big"  # one line of it ends the head of a card
    told = json.loads((on_digits.path / "config.json").read_text())
    told["data"]["train"] |= {"name": odd, "origin": None}
    (on_digits.path / "config.json").write_text(json.dumps(told))
    evaluated_run = diabolo.runs.loading.load_run(on_digits.path)
    found = diabolo.evaluate(
        evaluated_run, diabolo.data.load("digits", n_train=200, n_test=60), measures=["reconstruction"]
    )
    found = Evaluation(found.about | {"test": found.about["test"] | {"name": odd}}, found.sections)
    found.write(on_digits.path / "evaluation")
    head, body = parts(evaluated_run.save_pretrained(tmp_path / "shared"))
    assert head["model-index"][0]["results"][0]["dataset"]["name"] == "x: [<b>|y` --- # big"
    assert "<b>" not in body
    assert "\n# big" not in body
