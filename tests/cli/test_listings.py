"""`diabolo models` and `diabolo data`."""

from pathlib import Path

import pytest

from diabolo import nets, zoo
from diabolo.data import names


@pytest.mark.parametrize("width", ["80", "200"])
def test_every_model_and_net_is_listed_with_its_options(width, diabolo, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    answer = diabolo("models")
    assert (answer.code, answer.err) == (0, "")
    for name in [*zoo.RECIPES, *nets.NETS]:
        assert f"│ {name} " in answer.out
    for option in zoo.HELP:
        assert f"--{option.replace('_', '-')}" in answer.out
    assert "2006" in answer.out
    assert max(map(len, answer.out.splitlines())) <= int(width)


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
    answer = diabolo("data", "prepare", pictures)
    message = answer.err.splitlines()[-1]
    assert answer.code == 1
    assert "--size" in message
    assert "1.png" in message
