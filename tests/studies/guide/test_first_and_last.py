"""The sentences of the rows 5.13 to 5.17 of the guide, and of the parts added to 5.1, 5.6, 5.8 and 5.12, in each outcome."""

import math

import numpy as np
import pytest
import torch

from diabolo import metrics
from diabolo.studies.engine.findings import Measured
from diabolo.studies.engine.row import Row
from diabolo.studies.guide import choice, divergence, halves, losses, modes, shared, sheet, watching


class Ones(dict[str, Measured]):
    """Every number is 1 ± 0.01, but those given."""

    def __missing__(self, name: str) -> Measured:
        return Measured(1.0, 0.01)


def of(given: dict[str, float]) -> dict[str, Measured]:
    return Ones({name: Measured(value, 0.01) for name, value in given.items()})


THREE = {
    "linear on the sheet": (sheet.unrolled, "MSE, linear AE", ("has not reached the plane", "test points", "both find")),
    "curved on the sheet": (sheet.unrolled, "MSE, AE", ("has not found the sheet", "100 % of the variance", "layers do not")),
    "two losses": (losses.compared, "MSE, trained by BCE", ("has the larger", "has the smaller", "by MSE do not differ")),
    "cross-entropy": (losses.compared, "BCE, trained by BCE", ("is larger,", "is smaller", "their cross-entropies do not")),
    "added bound": (shared.added, "−ELBO, added", ("raises −ELBO by 1", "lowers −ELBO by 1", "do not differ significantly")),
    "added read": (shared.added, "read, added", ("more are read", "fewer are read", "asked for do not differ")),
    "prior hole": (choice.why, "FID from N(0, I), AE", ("pulled the codes", "although its codes", "do not differ")),
}  # fmt: skip


@pytest.mark.parametrize("name", THREE)
def test_more_less_and_the_same(name):
    say, varied, expected = THREE[name]
    for value, text in zip((2.0, 0.0, 1.0), expected, strict=True):
        said = say(of({varied: value}))
        assert text in said
        assert not set("{}") & set(said)


# --- the sheet ------------------------------------------------------------------------------------------------------------


def test_codes_that_say_where_on_the_sheet_and_codes_that_do_not():
    random = np.random.default_rng(0)
    places = random.random((500, 2)).astype(np.float32)
    assert min(sheet.explained(places, places).values()) > 0.98
    along = sheet.explained(np.column_stack([places[:, 0], random.random(500)]), places)
    assert along["along"] > 0.9 > 0.2 > along["across"]


def test_a_roll_that_is_laid_flat_and_one_that_is_not():
    flat = {"place along, from codes of AE": 0.99, "place along, from codes of PCA": 0.3}
    assert "follow it round the roll" in sheet.flattened(of(flat))
    assert "do not overlap" in sheet.flattened(of(flat | {"place along, from codes of PCA": 0.95}))
    assert "without laying it flat" in sheet.flattened(of(flat | {"place along, from codes of AE": 0.5}))


# --- losses and layers ----------------------------------------------------------------------------------------------------


def test_cross_entropy_is_summed_over_pixels_and_smallest_at_the_images():
    x = torch.tensor([[[[0.5, 0.0]]], [[[1.0, 0.5]]]])
    assert losses.cross_entropy(x, x) == pytest.approx(math.log(2), rel=1e-5)
    assert losses.cross_entropy(torch.full_like(x, 0.5), x) == pytest.approx(2 * math.log(2))


def test_parameters_at_equal_error_are_read_off_straight_lines():
    """Errors 1/p and 10/p, from 1,000 to 10,000 parameters."""
    slow, fast = ([(p, k / p) for p in (1e3, 1e4)] for k in (10, 1))
    error, full, convolutions = losses.at_equal_error(slow, fast)
    assert error == pytest.approx(1e-3)
    assert (full, convolutions) == pytest.approx((1e4, 1e3))
    assert losses.at_equal_error([(1, 1.0), (2, 0.9)], [(1, 0.5), (2, 0.1)]) is None


def test_what_shared_kernels_save():
    found = {"error compared at": 0.01, "parameters at equal error, convolutions": 1234.0}
    saves = found | {"parameters at equal error, full layers": 12_345.0}
    assert "convolutions need about 1,200 parameters and full layers about 12,000, 10 times as many" in losses.fewer(
        of(saves)
    )
    costs = found | {"parameters at equal error, full layers": 617.0}
    assert "0.5 times as many: here sharing weights saves nothing" in losses.fewer(of(costs))
    assert "no error in common" in losses.fewer(of({}))
    assert shared.answer(of(saves))[2] == "full layers need 10 times as many parameters at an error of 0.01 per pixel"
    assert shared.answer(of(costs))[2].startswith("no help")
    assert shared.answer(of({}))[2].startswith("not comparable")


def test_added_vectors_that_leave_the_digit_in_the_code():
    assert "carries 18.3 nats, against 18.1 without a condition, so it still encodes the digit." in shared.added(
        of({"KL, added": 18.3, "KL, none": 18.1})
    )
    assert "still encodes" not in shared.added(of({"KL, added": 16.0, "KL, none": 18.1}))


def test_parameters_of_whole_networks():
    small = {"parameters, fully connected": 500.0, "weights, first convolution": 544.0}
    assert (
        "Whole networks have 500 (fully connected), 1 (convolutional) and 1 (16-32-64 to a point) parameters. Both"
        in (shared.why(of(small)))
    )
    assert "need not be smaller" in shared.why(of(small | {"parameters, convolutional": 900.0}))


# --- the divergence -------------------------------------------------------------------------------------------------------


def test_the_divergence_is_measured_and_its_properties_hold(tmp_path):
    row = Row("5.6", "", tmp_path, None)
    codes = np.random.default_rng(0).normal(size=(2000, 2)) @ np.array([[1, 0.8], [0, 0.6]])
    divergence.measure(row, codes.astype(np.float32))
    assert row.numbers["KL(N(0, 1) ‖ N(1, 4))"]["value"] == pytest.approx(math.log(2) + 2 / 8 - 0.5)
    assert row.numbers["KL of the codes, full covariance"]["value"] == pytest.approx(-math.log(0.6), abs=0.05)
    said = divergence.properties(row.found)
    assert "agrees" in said
    assert "It is never negative among 10,000 random pairs" in said
    assert "Most of the divergence is correlation" in divergence.of_codes(row.found)
    for alone, text in (
        (1.5, "Most of the divergence is in means and variances"),
        (1.0, "account for about half of it"),
    ):
        codes_of = {"KL of the codes, full covariance": 2.0, "KL of the codes, variances": alone}
        assert text in divergence.of_codes(of(codes_of))
    wrong = {"least KL of random pairs": -0.1, "KL(N(0, 1) ‖ N(1, 4))": 1.03}
    assert "does not agree" in divergence.properties(of(wrong))
    assert "which is an error" in divergence.properties(of(wrong))


def test_the_picture_of_both_directions():
    (axes,) = divergence.picture().axes
    there, back = (line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 61)
    assert min(there) == pytest.approx(0, abs=1e-3)
    assert there[-1] > back[-1]
    assert there[0] < back[0]
    assert there[0] == pytest.approx(metrics.gaussian_kl(0, 0.09, 0, 1))


# --- float16 --------------------------------------------------------------------------------------------------------------


def test_float16_where_it_agrees_and_where_it_was_not_run():
    cpu = halves.scaled(of({"on a GPU": 0.0, "loss scale, float16": 65536.0}))
    assert "within 0 %" in cpu
    assert "2^16" in cpu
    assert "No GPU was at hand" in cpu
    gpu = halves.scaled(of({"loss, float16": 2.0, "seconds of a step, float16": 0.5}))
    assert "100 % from its float32 loss, more" in gpu
    assert "On this GPU a step takes 0.5 times" in gpu


# --- three models side by side --------------------------------------------------------------------------------------------


def test_the_latent_spaces_are_described():
    found = {"units, AE": 16.0, "nats from N(0, I), AE": 64.0, "least deviation, AE": 2.0, "largest deviation, AE": 5.0}
    assert choice.space(of(found), "AE") == ("16 numbers anywhere (deviations of 2 to 5), 4 nats per unit from N(0, I)")
    assert choice.space(of(found | {"nats from N(0, I), AE": 6.0}), "AE").startswith("16 numbers near N(0, I)")
    assert "unordered" in choice.space(of({}), "VQ-VAE")


def test_who_is_best_at_what():
    said = choice.side_by_side(
        of({"MSE, VQ-VAE": 0.1, "probe, AE": 2.0, "seconds, AE": 0.5, "numbers, VQ-VAE": 256, "units, AE": 16})
    )
    assert "The reconstruction error is lowest for VQ-VAE." in said
    assert "linear classifier on the codes is highest for AE." in said
    assert "reads 256 numbers of its codes instead of 16." in said
    assert "(not significantly different)" in said  # the FID
    assert "The AE trains fastest" in said


def test_why_a_fitted_density_helps_and_the_order_turns():
    turned = {
        "FID from N(0, I), AE": 4.0,
        "FID from N(0, I), VAE": 2.0,
        "FID, AE": 0.5,
        "FID from N(0, I), VQ-VAE": 9.0,
    }
    said = choice.why(of(turned))
    assert "falls for AE, VAE and VQ-VAE" in said
    assert "reverses" in said
    assert "reverses" not in choice.why(of(turned | {"FID, AE": 1.5}))
    assert "lowers the FID of none" in choice.why(of({}))


def test_what_a_discrete_code_gains_and_costs():
    better = choice.weighed(of({"MSE, VQ-VAE": 0.5, "FID, VQ-VAE": 0.5}), of({"used codes, by gradient": 3.0}))
    for_it, against_it = better.split(" Against it: ")
    assert "error is lower" in for_it
    assert "lower FID" in for_it
    assert "uses 3 of 256 codes" in against_it
    worse = choice.weighed(of({"MSE, VQ-VAE": 2.0, "FID, VQ-VAE": 2.0}), of({}))
    assert "error is higher" in worse.split(" Against it: ")[1]
    assert "higher FID" in worse.split(" Against it: ")[1]


def test_when_to_use_each_follows_the_table():
    said = choice.when(of({"MSE, AE": 0.5, "probe, VAE": 2.0, "FID, VQ-VAE": 0.2, "seconds, AE": 0.1}))
    assert "for each purpose: for the smallest reconstruction error, AE;" in said
    assert "linear classifier, VAE;" in said
    assert "learned afterwards, VQ-VAE;" in said
    assert "shortest training, AE." in said


# --- modes ----------------------------------------------------------------------------------------------------------------


def test_kinds_that_are_lost_named_and_won_back():
    lost = {
        f"kinds shown, {modes.LOST}": 4.0,
        f"images of lost kinds, {modes.LOST}": 0.7,
        "images of lost kinds, β 1": 0.0,
    }
    cured = lost | {"kinds shown, β 1": 20.0, "named, β 1": 0.0}
    said = modes.provoked(of(cured))
    assert "4 of 20 groups" in said
    assert "the others hold 70 %" in said
    assert "The doctor detects this." in said
    assert "finds no mode collapse there" in said
    assert "does not detect" in modes.provoked(of(cured | {f"named, {modes.LOST}": 0.0}))
    assert "not complete" in modes.provoked(of(cured | {"named, β 1": 1.0}))
    assert "no kind of image is lost" in modes.provoked(of({}))
    assert modes.answer(of(cured))[2] == "groups of images among the samples from 4 to 20 of 20"
    assert modes.answer(of({}))[2].startswith("no help")


def test_why_kinds_are_lost():
    few = {f"active units, {modes.LOST}": 2.0, "active units, β 1": 12.0}
    assert "it is the first: 2 units are active instead of 12" in modes.why(of(few))
    assert "1 unit is active" in modes.why(of(few | {f"active units, {modes.LOST}": 1.0}))
    assert "do not explain it" in modes.why(of({f"active units, {modes.LOST}": 10.0, "active units, β 1": 12.0}))


# --- a training that is watched -------------------------------------------------------------------------------------------


def test_samples_that_settle_and_samples_that_do_not():
    pictures = {e: {"samples": np.full((2, 1, 2, 2), v, np.uint8)} for e, v in ((10, 153), (5, 102), (15, 153))}
    assert watching.changes(pictures) == pytest.approx({10: 0.04, 15: 0.0})
    settles = {"change of the samples by epoch 10": 0.04, "change of the samples by epoch 15": 0.01}
    assert "The changes shrink" in watching.strip(of(settles), [10, 15])
    assert "have not settled" in watching.strip(of(settles), [15, 10])
    assert "One change" in watching.strip(of(settles), [10])


def test_the_loss_within_epochs():
    lines = [
        {"epoch": e, "step": s, "train": {"total": t}} for e, s, t in ((1, 100, 9.0), (1, 200, 5.0), (2, 300, 4.0))
    ]
    history = [{"epoch": 1, "train": {"total": 7.0}}, {"epoch": 2, "train": {"total": 4.0}}]
    assert watching.by_step(lines, history) == {"every 100 batches": [9.0, 5.0, 4.0], "every epoch": [7.0, 7.0, 4.0]}
    found = {"loss, first 100 batches": 9.0, "loss, end of the first epoch": 5.0, "loss, last 100 batches": 4.0}
    assert "80 % of its whole fall" in watching.early(of(found))
    assert "before a log by epoch has its first line" in watching.early(of(found))
    assert "spread over the epochs" in watching.early(of(found | {"loss, end of the first epoch": 8.0}))
    assert watching.answer(of(found))[2].startswith("80 % of the fall")
    short = found | {"loss, end of the first epoch": 9.0}
    assert "fewer than two hundred batches" in watching.early(of(short))
    assert watching.answer(of(short))[2].startswith("nothing here")
