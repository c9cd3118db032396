"""What the study `generative` says of Deliverables 2 to 4, in each outcome of what it compares."""

import pytest

from diabolo.studies.engine.findings import Measured
from diabolo.studies.generative import words


def found(**numbers):
    return {name.replace("_", " "): Measured(value, 0.001) for name, value in numbers.items()}


@pytest.mark.parametrize(
    ("number", "share", "says"),
    [
        ({"value": 0.97912, "low": 0.975, "high": 0.983}, True, "97.9 % (97.5 … 98.3)"),
        ({"value": 0.97912}, True, "97.9 %"),
        ({"value": 0.0353, "low": 0.035, "high": 0.0356}, False, "0.0353 (0.035 … 0.0356)"),
        ({"value": 95.0321}, False, "95.03"),
    ],
)
def test_a_number_and_its_interval(number, share, says):
    assert words.spanned(number, share) == says


@pytest.mark.parametrize(
    ("after", "says"), [(0.0125, "the error falls by a factor of 8.0."), (0.2, "no less: the network was trained too")]
)
def test_what_the_denoiser_takes_away(after, says):
    assert says in words.denoised(found(error_of_the_noisy_images=0.1, test_error=after))


@pytest.mark.parametrize(
    ("errors", "enough", "says"),
    [
        (
            {9: 0.05, 18: 0.03, 36: 0.024, 72: 0.02},
            36,
            "has 36 numbers. With 9 the error is 2.5 times the best; going from 36 to 72 gains another 17 %",
        ),
        ({9: 0.05, 72: 0.02}, 72, "the largest that was tried"),
        ({1: 0.021, 72: 0.02}, 1, "has 1 number, the smallest that was tried"),
    ],
)
def test_the_smallest_bottleneck(errors, enough, says):
    n, sentence = words.bottleneck(errors, 0.25)
    assert n == enough
    assert says in sentence


def varying(near=0.96, rim=0.3, inside=0.1, thin=False):
    shares = {"on and beside": (near, 0.2), "at the rim of": (rim, 0.1), "inside": (inside, 0.0 if thin else 0.1)}
    f = {
        f"{what} {where} strokes": Measured(v)
        for where, pair in shares.items()
        for what, v in zip(("variance", "pixels"), pair, strict=True)
    }
    f |= {f"spread between draws, variance × {s}": Measured(v) for s, v in ((1, 0.04), (20, 0.14))}
    return f | {"reconstructions from the mean read as the right class": Measured(0.98, 0.001)}


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        (
            {},
            "96 % of the variance between draws lies on strokes and one pixel beside them (20 % of the pixels). Within the ink",
        ),
        ({}, "at the rim varies 3.0 times as much as one inside: outlines vary most."),
        ({"inside": 0.3}, "at the rim varies 1.0 times as much as one inside: strokes vary as a whole."),
        ({"near": 0.25}, "so the whole image varies."),
        ({"thin": True}, "too thin to compare"),
    ],
)
def test_where_draws_vary(shares, says):
    assert says in words.where_draws_vary(varying(**shares))


@pytest.mark.parametrize(
    ("once", "far", "says"),
    [
        (0.97, 0.6, "The class usually stays at the variance of the posterior"),
        (0.9, 0.9, "A larger variance is not shown to lose the class more often"),
        (0.8, 0.9, "lost no more often"),
        (0.3, 0.2, "Even at the variance of the posterior the class is often lost"),
        (0.2, 0.3, "The draws rarely keep the class: 20 %"),
        (0.2, 0.2, "The draws rarely keep the class, whatever the variance"),
    ],
)
def test_draws_from_one_posterior(once, far, says):
    f = varying() | {
        f"draws read as the right class, variance × {s}": Measured(v, 0.001) for s, v in ((1, once), (20, far))
    }
    sentence = words.encoded_again(f)
    assert says in sentence
    assert f"{100 * once:.0f} % of the draws" in sentence
    assert "(reconstructions from μ: 98 %)" in sentence
    assert "is 3.5 times as large (in a linear decoder" in sentence


@pytest.mark.parametrize(
    ("loss", "tells"),
    [
        (96.2, "is higher with one-hot labels (96.2) than"),
        (92.2, "is lower with one-hot labels (92.2) than"),
        (94.2, "The test losses (94.2 and 94.2 nats per image) differ by less than"),
    ],
)
@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (0.98, 0.97, "One-hot labels are better by 1.00 ± 0.28 percentage points"),
        (0.97, 0.98, "Embedded labels are better by"),
        (
            0.98,
            0.98,
            "The two differ by less than 0.5 percentage points, too little to matter. An embedding is meant for",
        ),
    ],
)
def test_one_hot_labels_against_embedded_ones(one, other, says, loss, tells):
    f = {f"read as asked: {name}": Measured(v, 0.001) for name, v in (("one-hot", one), ("embedded", other))}
    losses = {"one-hot": loss, "embedded": 94.2}
    f |= {f"test loss: {name}": Measured(v, 0.1, unit="nats per image") for name, v in losses.items()}
    sentence = words.asked(f | {"real test images read right": Measured(0.9905)})
    assert tells in sentence
    assert says in sentence
    assert f"reads {100 * one:.1f} % and {100 * other:.1f} % of the samples" in sentence
    assert "99.0 % of the real test images" in sentence or "99.1 % of the real test images" in sentence


@pytest.mark.parametrize(
    ("new", "old", "says"),
    [
        (0.95, 0.01, "the condition, not the code, decides the class"),
        (0.4, 0.1, "the condition says more about the class than the code does. The KL term favours that"),
        (0.1, 0.8, "the code says more about the class than the condition"),
        (0.4, 0.4, "neither condition nor code is shown to decide alone"),
    ],
)
def test_decoded_under_another_label(new, old, says):
    f = {f"read as the {which} label: one-hot": Measured(v, 0.001) for which, v in (("new", new), ("old", old))}
    assert says in words.relabelled(f)


def test_draws_that_no_one_can_read_are_not_described():
    for share, told in ((0.1, False), (0.95, True)):
        draws = {f"draws read as the right class, variance × {s}": Measured(share, 0.01) for s in (1, 20)}
        assert ("lose the class more often" in words.encoded_again(varying() | draws)) == told
