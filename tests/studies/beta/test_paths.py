"""Each sentence on paths and probes in each of its outcomes, and how long their answer can be."""

from itertools import product

import pytest

from diabolo.studies import Measured
from diabolo.studies.beta import paths, words

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
    for said, found in zip(("more evenly", "along the path does not differ", "less evenly"), steps, strict=True):
        assert said in found
    sure = [paths.between(along(sure=one)) for one in ALL]
    for said, found in zip(("is lower", "along it does not differ significantly", "is higher"), sure, strict=True):
        assert said in found


def between_medoids(vae=30.0, ae=27.0):
    numbers = {"pairs of classes": 45.0, "pairs with the smaller longest step, VAE": 40.0}
    numbers |= {
        "mid-points read as one of the two digits, VAE": vae,
        "mid-points read as one of the two digits, AE": ae,
    }
    numbers |= {f"longest step between typical images, {name}": 1.5 for name in ("VAE", "AE")}
    numbers |= {f"lowest confidence between typical images, {name}": 0.7123 for name in ("VAE", "AE")}
    return {name: Measured(value) for name, value in numbers.items()}


def test_typical():
    found = paths.typical(between_medoids())
    assert "all 45 pairs of classes, the VAE has the smaller longest step for 40 (on average 1.50 against 1.50" in found
    assert "30 of its mid-points as one of the two digits, more than the autoencoder's 27" in found
    assert "fewer than the autoencoder's 27" in paths.typical(between_medoids(vae=20.0))
    assert "as many as the autoencoder's 27" in paths.typical(between_medoids(vae=27.0))


def probes(linear, near, components=SAME, active=12.0):
    return {
        "linear probe: codes, AE": SAME,
        "linear probe: codes, VAE": linear,
        "linear probe: pixels": SAME,
        "5 nearest neighbours: codes, AE": SAME,
        "5 nearest neighbours: codes, VAE": near,
        "5 nearest neighbours: PCA": components,
        "active units, VAE": Measured(active),
    }


@pytest.mark.parametrize(("linear", "near"), list(product(ALL, ALL)))
def test_downstream_is_said_and_short(linear, near):
    found = paths.downstream(probes(linear, near), 64)
    assert ("off the VAE's codes" in found) == (linear is MORE)
    assert ("off the autoencoder's codes" in found) == (linear is LESS)
    assert ("right less often among the VAE" in found) == (near is LESS)
    assert "uses 12 of 64 units: the others carry nothing" in found
    assert "none is idle" in paths.downstream(probes(linear, near, active=64.0), 64)
    assert ("right less often (50 %) than" in found) == (near is MORE)
    assert ("does not differ significantly from that among" in found) == (near is not MORE)
    above = paths.downstream(probes(linear, near, Measured(0.95, 0.005)), 64)
    assert "right more often (95 %) than among the better codes" in above
    samples = {"FID, autoencoder": SAME, "FID, β tuned": LESS}
    longest = (
        paths.between(along(LESS, MORE)),
        paths.typical(between_medoids()),
        found,
        paths.use(samples, along(LESS)),
    )
    assert sum(map(words.count, longest)) <= 300


def use(fid, step):
    return paths.use({"FID, autoencoder": SAME, "FID, β tuned": fid}, along(step))


def test_use():
    assert "To draw new images take the VAE" in use(LESS, LESS)
    assert "take it too" in use(LESS, LESS)
    assert "To move between images take the VAE" in use(SAME, LESS)
    assert "gained nothing" in use(MORE, LESS)
    assert "take the autoencoder" in use(LESS, MORE)
    assert "To move between images the two do not differ significantly in their longest step" in use(SAME, SAME)
