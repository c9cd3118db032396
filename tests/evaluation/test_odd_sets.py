"""Odd images: each measure, score and figure stands or falls by itself, with its reason; what is left is written together."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from diabolo import disk, figures, zoo
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, NotWrittenError
from diabolo.evaluation import Evaluation, NotApplicable, Section, evaluate
from diabolo.evaluation.measure import MEASURES, reason
from diabolo.metrics.score import Score
from diabolo.training.fit import fit

RNG = np.random.default_rng(0)
Y = np.arange(40) % 2


def pictures(n=40, shape=(1, 8, 8), labels=Y, images=None, seed=0):
    """Two classes that anyone can tell: a bright upper or a bright lower half."""
    if images is None:
        images = np.random.default_rng(seed).integers(0, 60, (n, *shape), dtype=np.uint8)
        if len(shape) == 3:
            for i in range(n):
                images[i, :, slice(0, shape[1] // 2) if i % 2 else slice(shape[1] // 2, None)] += 180
    return Images(images, labels=None if labels is None else labels[:n].astype(np.int64), name="odd")


def vectors(n=40, width=12, seed=0):
    return Images(np.random.default_rng(seed).random((n, width), np.float32), labels=Y[:n].astype(np.int64), name="odd")


SETS = {
    "easy": lambda: (pictures(), pictures(seed=1)),
    "no label known": lambda: (pictures(labels=Y * 0 - 1), pictures(labels=Y * 0 - 1, seed=1)),
    "no labels": lambda: (pictures(labels=None), pictures(labels=None, seed=1)),
    "one class": lambda: (pictures(labels=Y * 0), pictures(labels=Y * 0, seed=1)),
    "labels lack in test": lambda: (pictures(), pictures(labels=None, seed=1)),
    "a class only in test": lambda: (pictures(), pictures(labels=Y + 1, seed=1)),
    "classes apart": lambda: (pictures(), pictures(labels=Y + 5, seed=1)),
    "constant": lambda: (pictures(images=np.full((40, 1, 8, 8), 7, np.uint8)),) * 2,
    "all black": lambda: (pictures(images=np.zeros((40, 1, 8, 8), np.uint8)),) * 2,
    "two pixels": lambda: (pictures(shape=(1, 1, 2)), pictures(shape=(1, 1, 2), seed=1)),
    "one test image": lambda: (pictures(), pictures(1, seed=1)),
    "two test images": lambda: (pictures(), pictures(2, seed=1)),
    "repeated": lambda: (pictures(images=np.repeat(pictures(4).images, 10, 0)),) * 2,
    "vectors": lambda: (vectors(), vectors(seed=1)),
    "two channels": lambda: (pictures(shape=(2, 8, 8)), pictures(shape=(2, 8, 8), seed=1)),
    "four training images": lambda: (pictures(4), pictures(seed=1)),
}
RECIPES = {
    "undercomplete": {"latent_dim": 1, "hidden": (8,)},
    "vae": {"latent_dim": 1, "hidden": (8,)},
    "pca": {"latent_dim": 1},
}
CASES = [(which, "vae") for which in SETS]
CASES += [
    (which, recipe)
    for which in ("easy", "constant", "one test image", "vectors")
    for recipe in ("undercomplete", "pca")
]
DRAWN = [("one test image", "vae")]
EVERY = dict(MEASURES)
QUICK = {"label_draws": 2, "few_labels": (4, 10), "posterior_draws": 20}


def made(recipe, shape):
    torch.manual_seed(0)
    options = RECIPES[recipe] | ({} if recipe == "pca" else {"net": "mlp"})
    return zoo.build(recipe, shape, **options)


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Without what trains models of its own."""
    for name in COSTLY:
        monkeypatch.delitem(MEASURES, name)


@pytest.fixture
def costly(cheap, monkeypatch):
    """`evaluate` with these again."""
    for name in COSTLY:
        monkeypatch.setitem(MEASURES, name, EVERY[name])
    return evaluate


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("which", "recipe"), CASES)
def test_what_can_be_measured_is_measured_and_the_rest_has_its_reason(which, recipe, tmp_path):
    train, test = SETS[which]()
    model = made(recipe, train.shape)
    if recipe == "pca":
        if which in ("constant", "all black"):
            model.components[0, 0] = 1.0  # solved: images without variance have no component
        else:
            model.solve(train.images)
    found = evaluate(model, (train, test), **QUICK)
    assert "reconstruction" in found.sections
    assert set(found.sections) | {name.partition(":")[0] for name in found.skipped} >= set(MEASURES)
    unforeseen = {name: why for name, why in found.skipped.items() if why.startswith("unexpected")}
    assert not unforeseen
    if (which, recipe) not in DRAWN:
        return
    found.write(tmp_path)
    text = (tmp_path / "scores.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    again = Evaluation.read(tmp_path)
    assert not [why for name, why in again.skipped.items() if name.startswith("figure") and "unexpected" in why]
    assert {path.stem for path in tmp_path.glob("*.png")} == {*again.drawn, *(["evaluation"] if again.drawn else [])}
    assert not list(tmp_path.glob(".*"))


def test_few_labels_of_easy_classes_keep_within_their_range(tmp_path):
    train, test = SETS["easy"]()
    found = evaluate(
        made("undercomplete", train.shape), (train, test), ["few_labels"], few_labels=(2, 4), label_draws=3
    )
    assert all(0 <= score.low <= score.high <= 1 for score in found["few_labels"].scores.values())
    found.write(tmp_path)
    assert Evaluation.read(tmp_path).drawn == ["few-labels"]


@pytest.fixture
def broken(monkeypatch):
    """Measures: one fails as nobody foresaw, one has a row that fails and a number that is none, and one draws badly."""
    for name in list(MEASURES):
        monkeypatch.delitem(MEASURES, name)

    def fails(subject):
        raise ZeroDivisionError("by nothing")

    def rows(subject):
        good = {"good": Score(1.0, "units", 3), "endless": Score(float("inf"), "units", 3)}
        return Section(good, skipped={"third": "there is none"})

    def draws(subject):
        def bad(*, on=None):
            raise RuntimeError("no ink")

        def good(*, on=None):
            return figures.bars({"a": 1.0}, "units", on=on)

        return Section({"drawn": Score(2.0, "units", 3)}, {"bad-one": bad, "good-one": good})

    for name, function in (("fails", fails), ("rows", rows), ("draws", draws)):
        monkeypatch.setitem(MEASURES, name, function)
    return evaluate


def test_what_nobody_foresaw_costs_nothing_but_itself(broken, tmp_path):
    images = pictures(), pictures(seed=1)
    found = broken(made("undercomplete", (1, 8, 8)), images)
    assert list(found.sections) == ["rows", "draws"]
    assert found.skipped == {
        "fails": "unexpected ZeroDivisionError: by nothing",
        "rows: third": "there is none",
        "rows: endless": "it came out as inf",
    }
    found.write(tmp_path)
    again = Evaluation.read(tmp_path)
    assert again.skipped["figure: bad-one"] == "unexpected RuntimeError: no ink"
    assert again.drawn == ["good-one"]
    with pytest.raises(NotApplicable, match="nothing could be measured: fails, unexpected ZeroDivisionError") as error:
        broken(made("undercomplete", (1, 8, 8)), images, ["fails"])
    assert error.value.exit_code == 1
    assert reason(DiaboloError("a sentence.")) == "a sentence"


def test_a_disk_that_is_full_leaves_the_earlier_evaluation_whole(broken, tmp_path, monkeypatch):
    found = broken(made("undercomplete", (1, 8, 8)), (pictures(), pictures(seed=1)))
    found.write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(figure, path, **how):
        if path.stem == "evaluation":
            raise NotWrittenError("the disk is full")
        return save(figure, path, **how)

    save = figures.save
    monkeypatch.setattr(figures, "save", full)
    with pytest.raises(NotWrittenError):
        replace(found, seconds={"rows": 99.0}).write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("after", [0, 1, 2])  # files: within a figure, within another, within the scores
def test_of_a_disk_that_fails_the_user_is_told_in_one_way(after, number, broken, tmp_path, monkeypatch):
    found = broken(made("undercomplete", (1, 8, 8)), (pictures(), pictures(seed=1)))
    put, passed = disk._put, []

    def full(handle, content):
        passed.append(handle)
        if len(passed) > after:
            raise OSError(number, os.strerror(number))
        put(handle, content)

    monkeypatch.setattr(disk, "_put", full)
    with pytest.raises(NotWrittenError) as told:
        found.write(tmp_path / "out")
    assert str(told.value) == f"the evaluation could not be written into {tmp_path / 'out'}: {os.strerror(number)}"
    assert told.value.exit_code == 1
    assert not list((tmp_path / "out").iterdir())


def test_a_disk_without_room_for_a_folder_is_told_of(broken, tmp_path, monkeypatch):
    def full(self, *given, **how):
        if self.name.endswith(".tmp"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        make(self, *given, **how)

    make = Path.mkdir
    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(NotWrittenError, match=os.strerror(errno.ENOSPC)):
        broken(made("undercomplete", (1, 8, 8)), (pictures(), pictures(seed=1))).write(tmp_path / "out")


def test_between_figures_and_scores_there_is_no_moment_of_both(broken, tmp_path, monkeypatch):
    """Killed at any rename: either all is old, or there are no scores, or all is new."""
    found = broken(made("undercomplete", (1, 8, 8)), (pictures(), pictures(seed=1)))
    found.write(tmp_path)
    seen, real = [], os.replace

    def watching(source, target):
        real(source, target)
        if str(target).startswith(str(tmp_path / "good")) or str(target) == str(tmp_path / "scores.json"):
            seen.append((tmp_path / "scores.json").exists())

    monkeypatch.setattr(os, "replace", watching)
    replace(found, seconds={"rows": 99.0}).write(tmp_path)
    assert seen == [False, False, True]
    assert json.loads((tmp_path / "scores.json").read_text())["seconds"] == {"rows": 99.0}


def test_a_model_whose_weights_are_nan_is_measured_as_far_as_that_goes():
    model = made("undercomplete", (1, 8, 8))
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    for name in ("probes", "few_labels", "clustering"):
        with pytest.raises(NotApplicable, match="NaN"):
            evaluate(model, (pictures(), pictures(seed=1)), [name])


# --- what trains or loads models of its own -----------------------------------------------------------------------------

COSTLY = ("generation", "cost", "stability")
SEVERAL = ("easy", "no labels", "one class", "constant", "two pixels", "one test image", "vectors", "repeated")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("which", SEVERAL)
def test_what_trains_models_of_its_own_stands_or_falls_by_itself(which, costly, tmp_path):
    train, test = SETS[which]()
    path = fit(made("vae", train.shape), train, test, epochs=1, batch_size=8, out=tmp_path, quiet=True).path
    other = fit(made("vae", train.shape), train, test, epochs=1, batch_size=8, out=tmp_path, quiet=True, seed=1).path
    found = costly(path, (train, test), ["learned", *COSTLY], cost_images=8, cost_repeats=1, other_runs=(str(other),))
    assert set(found.sections) | {name.partition(":")[0] for name in found.skipped} >= set(COSTLY)
    assert not {name: why for name, why in found.skipped.items() if why.startswith("unexpected")}
    assert "cost" in found.sections


def test_one_score_that_fails_costs_no_other_of_its_measure(monkeypatch):
    from diabolo.evaluation import probes

    def fails_on_pixels(train, *rest):
        if train.shape[1] == 64:
            raise ZeroDivisionError("by nothing")
        return neighbours(train, *rest)

    neighbours = probes.nearest_neighbours
    monkeypatch.setattr(probes, "nearest_neighbours", fails_on_pixels)
    found = evaluate(made("undercomplete", (1, 8, 8)), (pictures(), pictures(seed=1)), ["probes"], probe_neighbours=3)
    failed = [name for name in found.skipped if "nearest neighbours" in name]
    assert failed
    assert all(found.skipped[name] == "unexpected ZeroDivisionError: by nothing" for name in failed)
    assert "3 nearest neighbours: codes" in found["probes"].scores
    assert "linear probe: codes" in found["probes"].scores
