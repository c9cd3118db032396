"""What the study `generative` says of curves that jump, in each order of events; and how it reads them off a run."""

from types import SimpleNamespace

import pytest

from diabolo.studies.engine.row import Row
from diabolo.studies.generative import jumping
from diabolo.studies.generative.jumping import Event, Rise

ERROR, FAR, FEW = Event(0.004, 0.17, 600, 600), Event(0.1, 0.27, 600, 650), Event(344.0, 95.0, 650, 650)


def rise(times=4.0, back=900, rate=0.97, peaks=(600,), **events):
    return Rise(times, (400, 600, 600, back), rate, peaks, events)


@pytest.mark.parametrize(
    ("events", "says"),
    [
        (
            {"perplexity": FEW, "reconstruction": ERROR, "commitment": FAR},
            "in this order: the reconstruction error rises from step 600 on (42.5 times its value before at step 600); the "
            "distance of the outputs from their codes rises from step 600 on (2.7 times its value before at step 650); the "
            "perplexity falls from step 650 on (from 344 to 95 at step 650).",
        ),
        ({"reconstruction": ERROR}, "2.8 times the variance of the images: a constant image would be better."),
        ({"reconstruction": ERROR}, "overshoots near the peak of the learning rate is the likely cause."),
        ({"commitment": FAR, "perplexity": FEW}, "The reconstruction error does not rise with them."),
        (
            {"commitment": Event(0.1, 0.5, 450, 600), "reconstruction": ERROR},
            "moves faster than the codebook follows is a",
        ),
        ({"commitment": Event(0.1, 1e6, 450, 600)}, "grows mainly because the outputs themselves grow"),
        ({"perplexity": FEW}, "Codes fall out of use first"),
        ({}, "nor the perplexity changes 1.5-fold."),
    ],
)
def test_a_jump_is_told_in_the_order_of_what_was_logged(events, says):
    sentence = jumping.jumped("usual training", [rise(2.0), rise(**events)], 1.5, 0.061)
    assert says in sentence
    assert ("No experiment here tests that" in sentence) == bool(events)
    assert sentence.startswith(
        "Usual training: the training loss rises 2 times, most from its minimum at step 400 to 4.0 times that value at step "
        "600. It remains above 1.5 times its minimum from step 600 until step 900. The rise begins at 97 % of the peak"
    )


def test_a_curve_that_stays_high_one_of_several_peaks_and_calm_ones():
    once = jumping.jumped("usual training", [rise(back=None, rate=0.3, reconstruction=ERROR)], 1.5, 0.2)
    assert "rises once, from its minimum" in once
    assert "from step 600 to the end. The" in once
    assert "constant image" not in once
    assert "overshoots is the likely cause" in once
    assert "with separate peaks at steps 600 and 950." in jumping.jumped("usual", [rise(peaks=(600, 950))], 1.5, 1)
    assert jumping.calm(["a", "b"], 50, 1.5).startswith(
        "No jump in 2 trainings (a and b): the training loss, averaged over 50"
    )


def run_of(total, **terms):
    curves = {"total": total, **{term: terms.get(term, [1.0] * len(total)) for term in jumping.TERMS}}
    lines = [
        {"step": 50 * (i + 1), "train": {k: v[i] for k, v in curves.items()}, "epoch": 1} for i in range(len(total))
    ]
    options = {"schedule": "one-cycle", "lr": 1e-3}
    return SimpleNamespace(folder=SimpleNamespace(steps=lines), history=lines, config=SimpleNamespace(options=options))


def test_jumps_are_read_off_all_that_was_logged_between_lowest_and_return(tmp_path):
    run = run_of(
        [2.0, 1.0, 4.0, 1.6, 5.0, 1.2, 1.0, 1.0],
        reconstruction=[1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0],
        perplexity=[300.0, 300.0, 290.0, 290.0, 290.0, 290.0, 60.0, 300.0],
    )
    (found,) = jumping.rises(run, 1.5)
    assert found.steps == (100, 150, 250, 300)
    assert found.peaks == (150, 250), "two peaks with a valley between them"
    assert found.events == {
        "reconstruction": Event(1.0, 9.0, 200, 200),
        "perplexity": Event(300.0, 60.0, 350, 350),
    }, "neither the peak of the loss nor its return is where they are furthest"
    assert 0 < found.rate <= 1
    row = Row("2.6", "", tmp_path, None)
    jumping.note(row, "usual", [found], 1.5)
    assert row.numbers["jump 1: usual, perplexity, furthest"]["value"] == 60
    assert row.numbers["jump 1: usual, separate peak 2"]["value"] == 250


def test_a_curve_that_only_falls_has_no_jump():
    assert jumping.rises(run_of([3.0, 2.0, 1.0]), 1.5) == []
