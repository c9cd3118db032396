"""A run folder may say that its images come from a function outside Diabolo: it is imported for whoever trusts its package, or
has named it, and for nobody else."""

import shutil
import sys

import pytest

import diabolo as library
from diabolo.data import load
from diabolo.doctor import diagnose
from diabolo.doctor.prescription import line_of
from diabolo.errors import DiaboloError, NotTrustedError
from diabolo.pictures import run_figures
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import load_run

VERBS = {
    "evaluate": ["evaluate", "RUN", "--measures", "usage"],
    "explore": ["explore", "nearest", "RUN"],
    "sample": ["sample", "RUN", "--density", "gaussian"],
    "spread-labels": ["spread-labels", "RUN", "--out", "new.npz"],
    "resume": ["resume", "RUN", "--epochs", "3"],
}
SOURCE = "import diabolo\n\ndef load(root, draw):\n    return diabolo.data.load('digits', n_train=120, n_test=40)\n"


def from_own(name):
    """An edit of a config.json: all its images come from the data set of that name."""

    def edit(config):
        for part in ("train", "validation"):
            config["data"][part]["origin"]["load"] = {"name": name, "data_seed": 42}

    return edit


@pytest.fixture(params=["lurking:load", "lurks"])
def named(request, tmp_path, monkeypatch):
    """How a folder may name it: by its path, or by the entry point of an installed package. It is forgotten afterwards."""
    place = tmp_path / "installed"
    info = place / "lurks-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lurks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[diabolo.data]\nlurks = lurking:load\n")
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setattr("diabolo.data.loading._named", set())
    yield request.param
    sys.modules.pop("lurking", None)


@pytest.mark.parametrize("words", VERBS.values(), ids=list(VERBS))
def test_no_verb_imports_it(words, named, stranger, canary, diabolo, tmp_path):
    run = stranger(from_own(named))
    mark = canary(tmp_path / "installed", "lurking")
    exit_code, out, err = diabolo(*[run if word == "RUN" else word for word in words])
    assert (exit_code, err.count("\n")) == (1, 1), (out, err)
    assert "'lurking'" in err
    assert "--trust lurking" in err
    assert not mark.exists()


def test_verbs_that_can_do_without_its_images_do(named, stranger, canary, diabolo, tmp_path):
    run = stranger(from_own(named))
    mark = canary(tmp_path / "installed", "lurking")
    for words in (["info", run], ["sample", run], ["report", run, "--no-notebook"], ["doctor", run]):
        exit_code, out, err = diabolo(*words)
        assert exit_code == 0, (words, out, err)
    assert "--trust lurking" in (run / "report.md").read_text()
    assert "lurking" in " ".join(diagnose(run).unseen.values())
    assert line_of(RunFolder(run).config) is None  # whoever typed the line would run what only the folder speaks of
    assert not mark.exists()


def test_nor_does_python(named, stranger, canary, tmp_path):
    run = stranger(from_own(named))
    mark = canary(tmp_path / "installed", "lurking")
    for trust in ((), "lurk", "lurks", ["lurking.not"]):
        for opened in (
            lambda trust: library.evaluate(run, trust=trust),
            lambda trust: library.resume(run, epochs=3, trust=trust),
            lambda trust: RunFolder(run).pair(trust=trust),
            lambda trust: RunFolder(run).images("validation", trust=trust),
        ):
            with pytest.raises(NotTrustedError, match=r"'lurking'.*trust='lurking'"):
                opened(trust)
    with pytest.raises(NotTrustedError):
        run_figures.draw(load_run(run))
    with pytest.raises(DiaboloError, match=r"fewer than two runs can be compared: .*'lurking'"):
        library.compare([run, shutil.copytree(run, tmp_path / "other")], ["usage"])
    assert not mark.exists()


def test_nor_does_a_prior_that_is_fitted(named, stranger, canary, tmp_path):
    run = stranger(from_own(named), "vqvae")
    mark = canary(tmp_path / "installed", "lurking")
    with pytest.raises(NotTrustedError, match="'lurking'"):
        library.fit_prior(run)
    assert not mark.exists()
    (tmp_path / "installed" / "lurking.py").write_text(SOURCE)
    assert library.fit_prior(run, trust="lurking", epochs=1, width=8, layers=1, heads=1, quiet=True)


@pytest.mark.parametrize("named", ["lurks"], indirect=True)
def test_who_trusts_its_package_has_the_images(named, stranger, diabolo, tmp_path):
    run = stranger(from_own(named))
    (tmp_path / "installed" / "lurking.py").write_text(SOURCE)
    exit_code, out, err = diabolo("spread-labels", run, "--out", "new.npz", "--trust", "lurking")
    assert exit_code == 0, (out, err)
    assert library.evaluate(run, measures=["usage"], trust="lurking")
    assert RunFolder(run).images("test", trust="lurking").fingerprint == load("digits", n_test=40)[1].fingerprint
    assert diagnose(run, trust="lurking").unseen == {}
    assert len(library.resume(run, epochs=3, trust="lurking").history) == 3
    with pytest.raises(NotTrustedError):  # each time anew
        RunFolder(run).pair()


def test_who_has_named_it_has_the_images(named, stranger, diabolo, tmp_path):
    run = stranger(from_own(named))
    (tmp_path / "installed" / "lurking.py").write_text(SOURCE)
    exit_code, out, err = diabolo(
        "spread-labels", run, "--data", named, "--out", "new.npz"
    )  # moved there, says the user
    assert exit_code == 0, (out, err)
    train, test = load(named)
    assert [images.fingerprint for images in RunFolder(run).pair()] == [train.fingerprint, test.fingerprint]


def test_it_is_never_taken_from_the_folder_itself(stranger, canary, monkeypatch):
    run = stranger(from_own("hidden:load"))
    mark = canary(run, "hidden")
    monkeypatch.syspath_prepend(str(run))  # the worst place to stand
    with pytest.raises(DiaboloError, match="the module 'hidden' of the data set 'hidden:load' cannot be imported"):
        RunFolder(run).pair(trust="hidden")
    assert not mark.exists()


def test_what_it_imports_later_is_found_where_it_was_found(stranger, tmp_path, monkeypatch):
    run = stranger(from_own("lying:load"))
    place = tmp_path / "started"
    place.mkdir()
    (place / "lying.py").write_text(
        "def load(root, draw):\n    from lying_too import load\n\n    return load(root, draw)\n"
    )
    (place / "lying_too.py").write_text(SOURCE)
    monkeypatch.setattr(sys, "path", [str(run), *sys.path])
    monkeypatch.setattr("diabolo.trust.STARTED_IN", [str(place)])  # as by python -m diabolo
    assert len(RunFolder(run).pair(trust="lying")[0]) == 120
    assert (sys.path[0], sys.path[-1]) == (str(run), str(place))
    for name in ("lying", "lying_too"):
        sys.modules.pop(name)


@pytest.mark.parametrize(
    "name", ["os:system", "diabolo.cli:main", "diabolo.disk:write", "subprocess:run", "builtins:exec"]
)
def test_no_other_function_is_called(name, stranger):
    run = stranger(from_own(name))
    with pytest.raises(DiaboloError):
        RunFolder(run).pair()
