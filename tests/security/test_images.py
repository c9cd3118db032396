"""A run's config.json may name any folder of this machine: pictures that the run was not trained on get into nothing that is
written, unless the user names them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diabolo import doctor, evaluation
from diabolo.data import load
from diabolo.data.origin import of_run
from diabolo.errors import DiaboloError
from diabolo.pictures import run_figures
from diabolo.runs.loading import load_run
from diabolo.training.fit import resume

REFUSED = "are not those that"


@pytest.fixture
def private(tmp_path):
    """A folder of pictures of the user's own, as large as those of the run."""
    folder = tmp_path / "private"
    for part, n in (("train", 12), ("test", 6)):
        (folder / part).mkdir(parents=True)
        for i in range(n):
            pixels = np.random.default_rng([n, i]).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / part / f"{i}.png")
    return folder


@pytest.fixture
def prying(stranger, private):
    """A run that says that its images lie in that folder."""

    def edit(config):
        config["data"]["train"]["origin"] = {"load": {"name": str(private), "root": None}, "part": "train"}

    run = stranger(edit)
    shutil.rmtree(run / "figures", ignore_errors=True)
    return run


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "RUN"], ["explore", "nearest", "RUN"], ["sample", "RUN", "--density", "gaussian"],
        ["spread-labels", "RUN", "--out", "new.npz"], ["resume", "RUN", "--epochs", "3"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_no_verb_takes_other_pictures_than_the_runs(words, prying, diabolo):
    before = sorted(prying.rglob("*"))
    code, _, err = diabolo(*(prying if word == "RUN" else word for word in words))
    assert (code, err.count("\n")) == (2, 1), err
    assert REFUSED in err
    assert "--data" in err
    assert sorted(prying.rglob("*")) == before


def test_a_report_of_such_a_run_has_none_of_them(prying, diabolo):
    code, _, err = diabolo("report", prying, "--no-notebook")
    assert code == 0, err
    written = (prying / "report.md").read_text()
    assert "They could not be drawn" in written
    assert REFUSED in written
    assert not list(prying.rglob("reconstructions*"))
    assert "Has it learned?" not in written


def test_nor_has_what_python_makes_of_it(prying):
    run = load_run(prying)
    for verb in (run_figures.draw, evaluation.evaluate, resume):
        with pytest.raises(DiaboloError, match=REFUSED):
            verb(run.path if verb is resume else run)
    with pytest.raises(DiaboloError, match=REFUSED):
        evaluation.compare([prying, shutil.copytree(prying, prying.with_name("another"))])
    assert any(REFUSED in why for why in doctor.diagnose(run).unseen.values())


def test_pictures_that_the_user_names_are_taken(prying, private, diabolo):
    code, _, err = diabolo("evaluate", prying, "--data", private, "--measures", "reconstruction")
    assert code == 0, err
    assert json.loads((prying / "evaluation" / "scores.json").read_text())["about"]["test"]["name"] == "private"


@pytest.mark.parametrize(
    "change",
    [
        {"n_train": 119}, {"seed": 7}, {"name": "patches", "size": 8, "n_train": 120},
    ],
    ids=str,
)  # fmt: skip
def test_the_same_set_loaded_otherwise_is_other_images(change, stranger):
    run = stranger(lambda config: config["data"]["train"]["origin"]["load"].update(change))
    with pytest.raises(DiaboloError, match=re.escape(str(run))):
        evaluation.evaluate(run, measures=["reconstruction"])


def test_those_of_the_run_are_found(stranger):
    run = load_run(stranger())
    train, test = of_run(run.path, run.config.train)
    for found, first in zip((train, test), load("digits", n_train=120, n_test=40), strict=True):
        assert (found.fingerprint, found.split) == (first.fingerprint, first.split)


def test_a_run_that_was_trained_on_a_share_finds_the_share_and_the_test_images(tmp_path):
    from diabolo import zoo
    from diabolo.data.origin import hold_out
    from diabolo.training.fit import fit

    every, test = load("digits", n_train=100, n_test=30)
    train, held = hold_out(every, 0.2)
    run = fit(
        zoo.undercomplete(train.shape, 2, hidden=(4,)), train, held, epochs=1, batch_size=40, out=tmp_path, quiet=True
    )
    found = of_run(run.path, run.config.train)
    assert [images.fingerprint for images in found] == [train.fingerprint, test.fingerprint]


@pytest.mark.parametrize(
    "words",
    [["report", "--no-notebook"], ["sample", "--density", "gaussian"], ["spread-labels", "--out", "new.npz"]],
    ids=lambda words: words[0],
)
def test_the_remedy_that_is_told_works(words, stranger, private, diabolo):
    """The images that the user says are the run's are taken when they are, and not otherwise."""
    prying = stranger(lambda config: config["data"]["train"]["origin"]["load"].update(name=str(private)))
    code, _, err = diabolo(words[0], prying, *words[1:], "--data", "digits")
    assert code == 0, err
    if "--out" in words:
        words = [*words[:-1], "another.npz"]
    for other in (str(private), "patches"):
        code, _, err = diabolo(words[0], prying, *words[1:], "--data", other)
        assert code == 2
        assert err.count("\n") == 1


def test_so_does_that_of_a_comparison(stranger, private, diabolo):
    prying = stranger(lambda config: config["data"]["train"]["origin"]["load"].update(name=str(private)))
    same = shutil.copytree(prying, prying.with_name("another"))
    code, out, err = diabolo("compare", prying, same, "--measures", "usage", "--data", "digits")
    assert code == 0, err
    assert "active units: of " in out


def test_a_data_set_by_name_is_not_looked_for_where_the_run_says(stranger, private, diabolo, tmp_path, monkeypatch):
    """The run names a folder of this machine in which a data set of the user's lies."""
    elsewhere = tmp_path / "elsewhere" / "mnist"
    elsewhere.mkdir(parents=True)
    for part in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        (elsewhere / f"{part}-idx{3 if 'images' in part else 1}-ubyte").write_bytes(b"private")
    run = stranger(lambda config: config["data"]["train"]["origin"]["load"].update(root=str(elsewhere.parent)))
    looked = []
    monkeypatch.setattr("diabolo.cli.images.load_parts", lambda name, root, **_: looked.append((name, root)) or 1 / 0)
    for verb in ("encode", "reconstruct"):
        for given, root in (([], None), (["--root", "mine"], "mine")):
            with pytest.raises(ZeroDivisionError):
                diabolo(verb, run, "mnist", *given)
            assert looked.pop() == ("mnist", None if root is None else Path(root))
    code, _, err = diabolo("encode", run, private, "--root", "mine")
    assert code == 2
    assert "root (--root) is where mnist, " in err
