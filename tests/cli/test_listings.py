"""`diabolo models` and `diabolo data`."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diabolo import nets, zoo
from diabolo.cli.models import told
from diabolo.data import names
from diabolo.zoo.results import as_markdown, results


@pytest.mark.parametrize("width", ["80", "200"])
def test_every_model_and_net_is_listed_with_its_options(width, diabolo, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    answer = diabolo("models")
    assert (answer.code, answer.err) == (0, "")
    for name in [*zoo.RECIPES, *nets.NETS]:
        assert f"│ {name} " in answer.out
    assert "2006" in answer.out
    assert max(map(len, answer.out.splitlines())) <= int(width)


@pytest.mark.parametrize("name", zoo.RECIPES)
def test_every_recipe_says_in_a_line_what_it_is_its_paper_and_what_it_is_for(name):
    what, *more = told(name)
    assert re.match(r"\S.*?[:.] ", what)
    assert re.search(r"\b(19|20)\d\d\b", what) or name == "classifier", "no paper"
    assert [line for line in more if line.startswith("For ")], "not said what for"


@pytest.mark.parametrize("name", zoo.RECIPES)
def test_a_model_is_shown_with_its_parts_options_and_an_example_that_works(name, diabolo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    answer = diabolo("models", name)
    assert (answer.code, answer.err) == (0, "")
    options = zoo.options_of(name)
    for option, (_, default) in options.items():
        (line,) = [line for line in answer.out.splitlines() if f"│ --{option.replace('_', '-')} " in line]
        assert default is None or str(default).strip("()").split(",")[0] in line
    model = zoo.build(name, (1, 28, 28))
    if name != "pca":
        for part in (model.encoder, model.bottleneck, model.decoder, model.likelihood, model.objective):
            assert f" {type(part).__name__} " in answer.out
        assert " in ".join(next(iter(model.units.items()))) in re.sub(r"\s+", " ", answer.out)
    assert any(line.startswith(f"diabolo train {name} ") for line in answer.out.splitlines())


@pytest.mark.parametrize("name", zoo.RECIPES)
def test_every_example_and_every_command_of_a_result_can_be_run(name, diabolo):
    """The options must be right; the data need not be there, only their shape."""
    shapes = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32)}
    for data, shape in shapes.items():
        np.savez(f"{data}.npz", images=np.zeros((300, *shape), np.uint8), labels=np.arange(300) % 10)
    lines = [line for result in results().get(name, ()) for line in result.command.splitlines()]
    commands = [line for line in lines if line.startswith("diabolo train ") and "--init" not in line]
    for command in commands or [f"diabolo train {name}"]:
        words = shlex.split(command)[1:]
        if (at := words.index("--data") + 1 if "--data" in words else 0) and words[at] in shapes:
            words[at] += ".npz"
        if "--n-train" in words:  # more than there are here
            del words[words.index("--n-train") : words.index("--n-train") + 2]
        answer = diabolo(*words, "--dry-run")
        assert answer.code == 0, answer.err


def test_an_unknown_model_names_the_nearest(refused):
    assert "did you mean 'vae'" in refused(2, "models", "vea")


def test_results_are_those_of_recipes_and_shown_where_they_belong(diabolo, monkeypatch, tmp_path):
    assert set(results()) <= set(zoo.RECIPES)
    held = {"vae": [{"data": "mnist", "setting": "a setting", "measure": "nats | image", "value": "97.5 ± 0.1",
                     "command": "diabolo train vae --lr 3e-3", "bar": "≤ 98"}]}  # fmt: skip
    monkeypatch.setattr("diabolo.zoo.results.FILE", tmp_path / "results.json")
    (tmp_path / "results.json").write_text(json.dumps(held))
    results.cache_clear()
    try:
        out = diabolo("models", "vae").out
        assert all(word in out for word in held["vae"][0].values())
        assert out.splitlines()[-1] == "diabolo train vae --lr 3e-3"
        page = as_markdown()
        assert "| mnist | a setting | nats \\| image | 97.5 ± 0.1 | ≤ 98 |" in page
        assert "```\ndiabolo train vae --lr 3e-3\n```" in page
        assert "97.5" not in diabolo("models", "iwae").out
    finally:
        monkeypatch.undo()
        results.cache_clear()


def test_the_page_of_results_is_that_of_the_file():
    page = Path(__file__).parents[2] / "docs" / "results.md"
    assert page.read_text(encoding="utf-8") == as_markdown(), "run: python -m diabolo.zoo.results > docs/results.md"


@pytest.mark.parametrize("width", ["80", "200"])
def test_every_data_set_is_listed(width, diabolo, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    answer = diabolo("data")
    assert (answer.code, answer.err) == (0, "")
    for name, info in names().items():
        line = next(line for line in answer.out.splitlines() if line.startswith(f"│ {name} "))
        assert f" {info.shape} " in line
        assert f"{info.train:,}" in line


def test_a_data_set_is_prepared(diabolo):
    answer = diabolo("data", "prepare", "digits", "--n-train", "100")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert [line.split(", fingerprint")[0] for line in lines] == [
        "digits (train): 100 of 1×8×8",
        "digits (test): 360 of 1×8×8",
    ]


def test_a_folder_is_decoded_once(diabolo, pictures):
    (pictures / "c.bmp").unlink()
    words = ["data", "prepare", pictures, "--size", "8", "--image-channels", "3"]
    first, second = diabolo(*words), diabolo(*words)
    assert first.code == second.code == 0
    assert first.out == second.out
    assert "decoding 3 images once" in first.err
    assert "decoding" not in second.err
    assert list(Path(".diabolo").glob("*.npy"))


def test_images_of_unequal_size_say_which(diabolo, pictures):
    (pictures / "c.bmp").rename(pictures / "a" / "c.bmp")
    answer = diabolo("data", "prepare", pictures)
    message = answer.err.splitlines()[-1]
    assert answer.code == 2
    assert "--size" in message
    assert "1.png" in message


def test_what_a_folder_holds_is_told_in_a_table(diabolo, pictures):
    (pictures / "c.bmp").rename(pictures / "a" / "c.bmp")
    (pictures / "\x1b[31mnotes.txt").write_text("x")
    answer = diabolo("data", "inspect", pictures)
    assert answer.code == 0
    for text in ("files seen", "class 0: a", "size: 8×8", "mode: RGB", "values used", "duplicates", "sizes differ"):
        assert text in answer.out
    assert "\x1b[31m" not in answer.out
    assert "range is auto" in diabolo("data", "inspect", pictures, "--range", "wide").err


def test_the_account_is_one_line_and_only_where_nothing_is_refused(diabolo, tmp_path):
    for part, n in (("train", 40), ("test", 6)):
        for kind in ("ant", "bee"):
            (tmp_path / "set" / part / kind).mkdir(parents=True)
            for i in range(n):
                pixels = np.random.default_rng(i).integers(0, 256, (8, 8), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "set" / part / kind / f"{i}.png")
    answer = diabolo("data", "prepare", tmp_path / "set")
    assert answer.err.count("classes ant 46, bee 46; train 80, test 12 (as laid out)") == 1
    refused = diabolo("data", "prepare", tmp_path / "set", "--n-train", "81")
    assert refused.code == 2
    assert refused.err.count("classes ant") == 0
    refused = diabolo("data", "prepare", tmp_path / "set", "--without-class", "wasp")
    assert "there is no class wasp in set (train); the classes are ant, bee" in refused.err
    assert "classes ant 46" not in refused.err
