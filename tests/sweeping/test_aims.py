"""What a sweep is for: terms of the loss, scores of `evaluate`, and of which epoch."""

import math

import pytest

import diabolo
from diabolo.data.origin import hold_out
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.runs.config import Config
from diabolo.sweeping.aims import Aim, aims_of, kept_line, measured

TERMS = ("total", "reconstruction", "kl")


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    train, held = hold_out(digits[0].take(range(300)), 0.2)
    out = tmp_path_factory.mktemp("aims")
    run = diabolo.fit(
        "vae", train, held, latent_dim=4, hidden=(16,), epochs=3, keep="best", lr=0.02, out=out, quiet=True
    )
    return run, train, held


def test_aims_are_named_in_their_order_each_with_its_way():
    found = aims_of(("rate", "distortion"), ("probe",))
    assert [(aim.name, aim.part, aim.term, aim.lower) for aim in found] == [
        ("rate", "validation", "kl", True),
        ("distortion", "validation", "reconstruction", True),
        ("probe", "probes", "linear probe: codes", False),
    ]


@pytest.mark.parametrize(
    ("minimise", "maximise", "words"),
    [
        ((), (), "needs an aim"),
        (("rate",), ("validation/kl",), "named twice"),
        (("validation/total", "validation/total"), (), "named twice"),
    ],
)
def test_no_aim_and_twice_the_same_are_refused(minimise, maximise, words):
    with pytest.raises(DiaboloError, match=words):
        aims_of(minimise, maximise)


def test_an_aim_that_cannot_be_is_refused(digits):
    with pytest.raises(UnknownNameError, match="unknown aim 'loss'"):
        Aim("loss").check(TERMS, digits[1])
    with pytest.raises(DiaboloError, match="it has validation/total, validation/reconstruction, validation/kl"):
        Aim("validation/commitment").check(TERMS, digits[1])
    with pytest.raises(DiaboloError, match=r"there are none: take --validation 0\.1"):
        Aim("validation/total").check(TERMS, None)
    with pytest.raises(DiaboloError, match="there are none"):
        Aim("probe").check(TERMS, None)
    Aim("train/kl").check(TERMS, None)


def test_a_term_is_that_of_the_epoch_whose_weights_are_kept(trained, monkeypatch):
    run, train, held = trained
    values = measured([Aim("validation/total"), Aim("train/kl")], run.folder, train, held)
    best = min(run.history, key=lambda line: line["validation"]["total"])
    assert values == [best["validation"]["total"], best["train"]["kl"]]
    shown = diabolo.evaluate(run, (train, held), measures=["likelihood"])[
        "likelihood"
    ]  # the kept weights, measured anew
    assert shown.scores["KL term"].value == pytest.approx(best["validation"]["kl"], rel=1e-4)


def test_of_the_last_epoch_where_the_last_weights_are_kept(trained):
    config = trained[0].config
    last = Config(**{**vars(config), "options": {**config.options, "keep": "last"}})
    assert kept_line(last, trained[0].history) is trained[0].history[-1]


def test_a_score_is_measured_on_the_validation_images(trained):
    run, train, held = trained
    (value,) = measured([Aim("reconstruction/MSE")], run.folder, train, held)
    x = held.images / 255
    assert value == pytest.approx(float(((run.model.reconstruct(held.images).numpy() - x) ** 2).mean()), rel=1e-4)


def test_a_score_that_is_not_there_says_which_are(trained):
    run, train, held = trained
    with pytest.raises(DiaboloError, match="no score reconstruction/FID: reconstruction measures"):
        measured([Aim("reconstruction/FID")], run.folder, train, held)


def test_a_line_without_the_term_has_no_number():
    assert math.isnan(Aim("validation/total").of_line({"train": {"total": 1.0}, "validation": None}))
