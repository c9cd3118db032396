"""Each sentence on paths, mid-points and probes in each of its outcomes, and how long their answer can be."""

from itertools import product

import numpy as np
import pytest

from diabolo.studies import Measured
from diabolo.studies.beta import midpoints, paths, probes
from small_runs import words_in

LESS, SAME, MORE = Measured(0.1, 0.005), Measured(0.5, 0.005), Measured(0.9, 0.005)
ALL = (LESS, SAME, MORE)


def along(step=SAME, sure=SAME):
    return {
        "longest step, AE": SAME,
        "longest step, VAE": step,
        "lowest confidence, AE": SAME,
        "lowest confidence, VAE": sure,
    }


def test_between():
    steps = [paths.between(along(step=one)) for one in ALL]
    for said, found in zip(("more evenly", "along a path does not differ", "less evenly"), steps, strict=True):
        assert said in found
    assert "the longest step is 0.1 times the mean step, against 0.5 for the autoencoder" in steps[0]
    sure = [paths.between(along(sure=one)) for one in ALL]
    for said, found in zip(("is lower", "along it does not differ significantly", "is higher"), sure, strict=True):
        assert said in found


def halfway(own=(30.0, 36.0), p=0.11, unclear=(10.0, 23.0), mixed=(0.17, 0.09), third=8.0, confidence=0.8):
    numbers = {"pairs of classes": 45.0, "pairs with the smaller longest step, VAE": 30.0, "p, longest step": 0.0357}
    for i, name in enumerate(("VAE", "AE")):
        numbers |= {f"{midpoints.OWN}, {name}": own[i], f"{midpoints.UNCLEAR}, {name}": unclear[i]}
        numbers |= {f"longest step between typical images, {name}": 1.5}
    numbers |= {f"{midpoints.THIRD}, VAE": third, f"{midpoints.THIRD}, AE": 0.0, midpoints.SIGN: p}
    numbers |= {"third digit most often, VAE": 9.0} if third else {}
    found = {name: Measured(value) for name, value in numbers.items()}
    names = {midpoints.MIXED: mixed, "lowest confidence between typical images": (confidence, 0.8)}
    for what, (vae, ae) in names.items():
        found |= {f"{what}, VAE": Measured(vae), f"{what}, AE": Measured(ae)}
        found[f"{what}, VAE less {what}, AE"] = Measured(vae - ae, 0.005)
    return found


def test_typical():
    found = paths.typical(halfway())
    assert "all 45 pairs of classes, the longest step averages 1.50 times the mean step for the VAE and 1.50" in found
    assert "smaller for the VAE in 30 pairs (sign test: p = 0.036)" in found
    assert "mean lowest confidence does not differ" in found or "mean lowest confidence differs by less" in found
    assert "higher for the VAE (0.9 against 0.8)" in paths.typical(halfway(confidence=0.9))
    assert "lower for the VAE (0.7 against 0.8)" in paths.typical(halfway(confidence=0.7))


def test_what_is_seen_half_way():
    found = midpoints.look(halfway())
    assert "in 30 of the VAE's images and 36 of the autoencoder's: not significantly different" in found
    assert "No digit reaches a probability of 0.9 in 10 and 23 of them" in found
    assert "a third digit does in 8 (most often a 9) and 0." in found
    assert "superposed, with broken strokes" in found
    assert "most often" not in midpoints.look(halfway(third=0.0))
    assert "significantly fewer" in midpoints.look(halfway(p=0.01))
    assert "significantly more" in midpoints.look(halfway(own=(40.0, 30.0), p=0.01))
    assert "are read as clearly" in midpoints.look(halfway(unclear=(23.0, 10.0)))
    assert "The VAE's are closer" in midpoints.look(halfway(mixed=(0.09, 0.17)))
    assert "Neither model's" in midpoints.look(halfway(mixed=(0.1, 0.1)))


def test_a_reading_counts_what_is_clear():
    pairs = [(0, 1), (0, 2), (1, 2), (3, 4)]
    found = midpoints.Reading.of(pairs, np.array([1, 9, 9, 7]), np.array([0.95, 0.99, 0.92, 0.5]))
    assert found.own.tolist() == [True, False, False, False]
    assert found.sure.tolist() == [True, True, True, False]
    assert found.thirds == [(9, 2)]


def test_a_mixture_is_near_the_mean_of_both_ends():
    a, b = np.zeros((1, 1, 2, 2)), np.ones((1, 1, 2, 2))
    middles = ((a + b) / 2, b, a + 0.25)
    found = [float(midpoints.mixture(np.stack([a, middle, b], 1))[0]) for middle in middles]
    assert found == pytest.approx([0, 0.25, 0.0625])


IDLE = {
    "idle units, VAE": Measured(52.0),
    "units in use, VAE": Measured(12.0),
    "linear probe: idle units, VAE": MORE,
    "linear probe: active units, VAE": MORE,
    "standard deviation of means of an idle unit, VAE": Measured(0.0301),
    "standard deviation of noise of an idle unit, VAE": Measured(0.999),
    "variance in idle units, VAE": Measured(0.0048),
    "change of the test error without idle units, VAE": Measured(0.0009),
}


def read(linear=SAME, near=SAME, components=SAME, **changed):
    return {
        "linear probe: codes, AE": SAME,
        "linear probe: codes, VAE": linear,
        "linear probe: sampled codes, VAE": LESS,
        "linear probe: pixels": SAME,
        "5 nearest neighbours: codes, AE": SAME,
        "5 nearest neighbours: codes, VAE": near,
        "5 nearest neighbours: sampled codes, VAE": LESS,
        "5 nearest neighbours: PCA": components,
        "majority class": LESS,
    } | (IDLE | changed if "all_active" not in changed else {})


def test_a_linear_probe():
    found = probes.linear(read(MORE))
    assert "on posterior means reaches 90.0 %, more than on the autoencoder's codes (50.0 %)" in found
    assert "sampled from the posterior it reaches 10.0 %, below the autoencoder's." in found
    assert "The means of the 52 idle units alone give 90.0 %, those of the 12 active ones 90.0 %" in found
    assert "standard deviation of 0.03 where the posterior noise has 1." in found
    assert "the decoder makes no use of it (its test error without them changes by 0.1 %)" in found
    used = probes.linear(read() | {"change of the test error without idle units, VAE": Measured(0.05)})
    assert "the decoder uses it too" in used
    assert "survives" not in probes.linear(read() | {"linear probe: idle units, VAE": LESS})
    assert "idle" not in probes.linear(read(all_active=True))


def test_nearest_neighbours():
    found = probes.near(read(near=Measured(0.501, 0.001)))
    assert "5-NN on posterior means reaches 50.1 %, the same as on the autoencoder's codes (50.0 %)" in found or (
        "not significantly different" in found
    )
    assert "0.5 % of the variance of the means, which hardly changes a distance" in found
    assert "hardly" not in probes.near(read(near=MORE))
    assert "hardly" not in probes.near(read(all_active=True))


def test_floors():
    found = probes.floors(read(MORE, MORE), 64)
    assert "raw pixels reaches 50.0 %, less than on the better codes (90.0 %)" in found
    assert "64 principal components reaches 50.0 %, less than" in found
    assert "reaches 95.0 %, more than on the better codes" in probes.floors(read(components=Measured(0.95, 0.005)), 64)
    small = probes.floors(read(near=Measured(0.5, 0.0005), components=Measured(0.5036, 0.0005)), 64)
    assert (
        "points above the better codes: significant, but too small to matter" not in small
    )  # the AE's error is larger
    sharp = read(near=Measured(0.51, 0.0005), components=Measured(0.5136, 0.001))
    assert "0.36 ± 0.22 points above the better codes: significant, but too small to matter" in probes.floors(sharp, 64)


def use(fid, step, **mid):
    return paths.use({"FID, autoencoder": SAME, "FID, β tuned": fid}, along(step) | halfway(**mid))


def test_use():
    assert "To draw new images take the VAE" in use(LESS, LESS)
    assert "take the VAE where only even change counts" in use(SAME, LESS)
    assert "gained nothing" in use(MORE, LESS)
    assert "take the autoencoder where only even change counts" in use(LESS, MORE)
    assert "To move between images the two do not differ significantly in their longest step" in use(SAME, SAME)
    assert "neither is shown to be better" in use(LESS, LESS)
    assert "the autoencoder is better." in use(LESS, LESS, p=0.01)
    assert "the VAE is better." in use(LESS, LESS, p=0.01, own=(40.0, 30.0))


@pytest.mark.parametrize(("linear", "nearest"), list(product(ALL, ALL)))
def test_the_answer_fits_into_300_words(linear, nearest):
    f = read(linear, nearest)
    longest = (
        paths.between(along(LESS, MORE)),
        midpoints.look(halfway()),
        probes.linear(f),
        probes.near(f),
        use(SAME, SAME),
    )
    assert sum(map(words_in, longest)) <= 300
