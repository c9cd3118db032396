"""What the study `generative` says of Deliverable 5, in each outcome of what it compares."""

import pytest

from diabolo.studies.engine.findings import Measured
from diabolo.studies.generative import completing
from diabolo.studies.generative.completing import CONDITIONAL, HYBRID, PLAIN, STANDARD


def found(prior=CONDITIONAL, plain=0.05, **numbers):
    f = {f"{name.replace('_', ' ')}: {prior}": Measured(value, 0.0005) for name, value in numbers.items()}
    return f | {f"error of one: {PLAIN}": Measured(plain, 0.0005)}


@pytest.mark.parametrize(
    ("one", "mean", "says"),
    [
        (0.08, 0.06, ("larger error (0.08", "Part of that is", "an error of 0.06 (the plain", "model misfit")),
        (0.08, 0.04, ("larger error (0.08", "an error of 0.04 (the plain", "the excess of a single one is the price")),
        (0.09, 0.05, ("an error of 0.05, not significantly different", "so the excess of a single one is the price")),
        (0.04, 0.03, ("smaller error (0.04", "so the plain network is not fully trained")),
        (0.05, 0.05, ("of a single completion (0.05", "does not differ significantly from that of the plain")),
    ],
)
def test_a_single_completion(one, mean, says):
    sentence = completing.single(found(error_of_one=one, error_of_the_mean_of_all=mean), CONDITIONAL)
    assert all(part in sentence for part in says)
    assert ("infinitely many" in sentence) == (one > 0.05), "the mean explains a loss only where there is one"


@pytest.mark.parametrize("prior", [STANDARD, CONDITIONAL, HYBRID])
@pytest.mark.parametrize(
    ("best", "says"),
    [
        (
            0.04,
            "the best of 10 completions, chosen knowing the truth, has a smaller error (0.04) than the plain network (0.05)",
        ),
        (0.06, "even the best of 10 completions, chosen knowing the truth, has a larger error (0.06) than the plain"),
        (
            0.05,
            "of 10 completions, chosen knowing the truth (0.05), does not differ significantly from that of the plain",
        ),
    ],
)
def test_the_best_completion(prior, best, says):
    sentence = completing.best(found(prior, error_of_the_best=best), prior, 10)
    named = {STANDARD: "codes drawn from N(0, I)", CONDITIONAL: "the conditional prior", HYBRID: "the hybrid objective"}
    assert named[prior] in sentence
    assert says in sentence


@pytest.mark.parametrize(
    ("fitted", "usual", "says"),
    [
        (0.95, 0.8, "the conditional prior draws fewer"),
        (0.8, 0.95, "does not make the completions more legible"),
        (0.9, 0.9, "The two priors do not differ significantly here"),
    ],
)
def test_completions_that_are_read_with_confidence(fitted, usual, says):
    shares = {"real images": 0.987, STANDARD: usual, CONDITIONAL: fitted}
    f = {
        f"read with confidence: {name}": Measured(value, 0.01, unit="share of images") for name, value in shares.items()
    }
    f |= {
        f"read at all: {name}": Measured(share)
        for name, share in ((CONDITIONAL, 0.985), (STANDARD, 0.95), (PLAIN, 0.99))
    }
    sentence = completing.legible(f)
    assert "In 1.5 %, 5.0 % and, for the plain network, 1.0 % it reads no digit at all" in sentence
    assert says in sentence
    assert f"reads {100 * fitted:.1f} % of the completions by the conditional prior" in sentence
    assert "98.7 % of the real images" in sentence


@pytest.mark.parametrize(
    ("gain", "says"),
    [
        (9.0, "9.0000 ± 0.0020 nats per image less"),
        (-2.0, "more than the plain"),
        (0.0, "differ by less than 0.5, too little to matter"),
    ],
)
def test_nats_gained_by_the_code(gain, says):
    assert says in completing.nats({"nats gained by the code": Measured(gain, 0.001, unit="nats per image")})


@pytest.mark.parametrize(
    ("one", "best", "variance", "says"),
    [
        (
            0.05,
            0.03,
            0.005,
            (
                "lowers the error of a single completion from 0.06 to 0.05. The error of the best falls from 0.035 to",
                "25 %",
            ),
        ),
        (
            0.07,
            0.04,
            0.03,
            ("raises the error of a single completion from 0.06 to 0.07. The error of the best rises from",),
        ),
        (
            0.06,
            0.035,
            0.03,
            ("(0.06) does not differ significantly from that without it (0.06)", "of the best (0.035) does not differ"),
        ),
    ],
)
def test_the_hybrid_objective(one, best, variance, says):
    usual = found(error_of_one=0.06, error_of_the_best=0.035, variance_between_completions=0.02)
    sentence = completing.hybrid(
        usual | found(HYBRID, error_of_one=one, error_of_the_best=best, variance_between_completions=variance)
    )
    assert all(part in sentence for part in says)
    assert ("move towards their mean" in sentence) == (variance < 0.02)
