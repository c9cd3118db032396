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
        (
            0.08,
            0.06,
            ("larger error (0.08", "Of that difference 67 % is spread", "The other 33 % is model misfit: even"),
        ),
        (0.08, 0.04, ("larger error (0.08", "Of that difference 100 % is spread", "an even smaller error (0.04)")),
        (0.09, 0.05, ("100 % is spread", "an error of 0.05, not significantly different")),
        (0.04, 0.03, ("smaller error (0.04", "so the plain network is not fully trained")),
        (0.05, 0.05, ("of a single completion (0.05", "does not differ significantly from that of the plain")),
    ],
)
def test_a_single_completion(one, mean, says):
    sentence = completing.single(found(error_of_one=one, error_of_the_mean_of_all=mean), CONDITIONAL)
    assert all(part in sentence for part in says)
    assert ("infinitely many" in sentence) == (one > 0.05), "the mean explains a loss only where there is one"


@pytest.mark.parametrize(
    ("best", "says"),
    [
        (
            0.048,
            "onditional prior: 0.048, lower by 0.00200 ± 0.00020 (−4 %), and lower for 60 % of the images; codes drawn",
        ),
        (0.06, "onditional prior: 0.06, higher by 0.01000 ± 0.00020 (+20 %), and lower for 60 % of the images"),
        (
            0.05,
            "onditional prior: 0.05, which does not differ significantly from it, and is lower for 60 % of the images",
        ),
    ],
)
def test_the_best_completion(best, says):
    f = {}
    for prior in (CONDITIONAL, STANDARD):
        f |= found(prior, error_of_the_best=best)
        f[f"best of 10, {prior}, less the plain network"] = Measured(best - 0.05, 0.0001 if best != 0.05 else 0.002)
        f[f"images whose best of 10 has a smaller error than the plain network: {prior}"] = Measured(0.6)
    sentence = completing.best(f, (CONDITIONAL, STANDARD), 10)
    assert says in sentence
    assert "codes drawn from N(0, I): 0.0" in sentence
    assert sentence.startswith(
        "The plain network has an error of 0.05. The best of 10 completions, selected by comparison"
    )


@pytest.mark.parametrize(
    ("fitted", "usual", "plain", "says"),
    [
        (0.95, 0.8, 0.95, "The conditional prior draws fewer"),
        (0.8, 0.95, 0.8, "does not make the completions more legible"),
        (0.9, 0.9, 0.9, "The two priors do not differ significantly here"),
        (
            0.9,
            0.8,
            0.97,
            "The plain network's answers are read with confidence more often than the conditional prior's, by 7",
        ),
        (0.9, 0.8, 0.8, "a blur of several digits is hard to read"),
        (0.9, 0.8, 0.9, "The conditional prior and the plain network do not differ significantly here"),
    ],
)
def test_completions_that_are_read_with_confidence(fitted, usual, plain, says):
    shares = {"real images": 0.987, STANDARD: usual, CONDITIONAL: fitted, PLAIN: plain}
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
    assert f"{100 * plain:.1f} % of the plain network's answers, and 98.7 % of the real images" in sentence


@pytest.mark.parametrize(
    ("gain", "says"),
    [
        (9.0, "9.0000 ± 0.0020 nats per image less"),
        (-2.0, "more than the plain"),
        (0.0, "differ by less than 0.5 nats, too little to matter"),
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
    usual["error of the mean of all: " + HYBRID] = Measured(0.05, 0.0005)
    sentence = completing.hybrid(
        usual | found(HYBRID, error_of_one=one, error_of_the_best=best, variance_between_completions=variance)
    )
    assert all(part in sentence for part in says)
    assert ("move towards their mean" in sentence) == (variance < 0.02)
    assert "collapsed" not in sentence


@pytest.mark.parametrize(
    ("mean", "says"),
    [
        (0.05, "(0.05) does not differ significantly from that of the plain network (0.05), so they are near-copies"),
        (0.06, "is larger than that of the plain network"),
        (0.04, "is smaller than that of the plain network"),
    ],
)
def test_a_distribution_of_answers_that_has_collapsed(mean, says):
    usual = found(error_of_one=0.06, error_of_the_best=0.035, variance_between_completions=0.02)
    lost = {"variance_between_completions": 0.0008, "error_of_the_mean_of_all": mean}
    sentence = completing.hybrid(usual | found(HYBRID, error_of_one=0.05, error_of_the_best=0.03, **lost))
    assert "nearly collapsed: the completions look alike." in sentence
    assert says in sentence
