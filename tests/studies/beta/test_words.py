"""Each sentence on samples and on β in each of its outcomes, and how long the answers can be."""

from itertools import product

import pytest

from diabolo.display import words as written
from diabolo.studies import Measured
from diabolo.studies.beta import words

LESS, SAME, MORE = Measured(10.0, 0.5), Measured(50.0, 0.5), Measured(90.0, 0.5)
ALL = (LESS, SAME, MORE)


def noise(fid, clear=0.3):
    return {
        "FID, N(0, I)": fid,
        "epochs": Measured(10),
        "FID, fitted Gaussian": SAME,
        "clear digits, N(0, I)": Measured(clear),
        "clear digits, test images": Measured(0.97),
        "mean of a unit": Measured(3.0),
        "standard deviation of a unit": Measured(1.5),
        "distance of a draw of N(0, I)": Measured(6.0),
    }


@pytest.mark.parametrize(
    ("fid", "said"),
    [(MORE, "closer to real ones (50)"), (LESS, "an accident"), (SAME, "not significantly different")],
)
def test_from_noise(fid, said):
    found = words.from_noise(noise(fid))
    assert said in found
    assert found.startswith("After 10 epochs, the autoencoder decodes images with an FID of ")
    assert "6 times as far" in found
    assert "strokes that form no digit" in found
    assert "look like digits" in words.from_noise(noise(fid, clear=0.95))
    assert words.count(found) <= 150


def weights(fid=SAME, share=0.001, hole=300.0, kl=0.001, active=0.0, unexplained=1.001):
    return {
        "β tuned": Measured(1e-3),
        "KL, β = 0": Measured(234.5),
        "Fréchet distance to N(0, I), β = 0": Measured(hole),
        "Fréchet distance to N(0, I), β tuned": Measured(5.0),
        "noise in an active unit, β = 0": Measured(share),
        "noise in an active unit, β tuned": Measured(0.3),
        "FID, β = 0": fid,
        "FID, β tuned": SAME,
        "KL, β = 10": Measured(kl),
        "active units, β = 10": Measured(active),
        "variance of test images left unexplained, β = 10": Measured(unexplained),
        "variance among samples, β = 10": Measured(0.001),
    }


@pytest.mark.parametrize(
    ("fid", "said"),
    [(MORE, "have an FID of 90, against 50"), (LESS, "Yet samples"), (SAME, "do not differ significantly")],
)
def test_free(fid, said):
    found = words.free(weights(fid))
    assert said in found
    assert "codes are farther from" in found
    assert "in all but name" in found
    other = words.free(weights(fid, share=0.4, hole=3.0))
    assert "no farther from" in other
    assert "not yet removed it" in other


def test_heavy():
    dead = words.heavy(weights(), 64)
    assert "has collapsed" in dead
    assert "about the mean image" in dead
    assert "not yet even the mean" in words.heavy(weights(unexplained=1.5), 64)
    alive = words.heavy(weights(kl=3.0, active=4.0, unexplained=0.6), 64)
    assert "collapsed" not in alive
    assert "4 of 64 active units" in alive


def test_what_happens_at_both_ends_fits_into_150_words():
    free = [words.free(weights(*one)) for one in product(ALL, (0.001, 0.5), (345.6, 1.23))]
    heavy = [words.heavy(weights(kl=kl, unexplained=u), 64) for kl, u in ((0.01, 1.0), (0.01, 1.5), (3.0, 0.6))]
    assert max(map(words.count, free)) + max(map(words.count, heavy)) <= 150


def searched(fid, errors):
    f = {f"validation FID, β = {written(beta)}": one for beta, one in fid.items()}
    return words.tuned(
        f | {f"validation error, β = {written(b)}": Measured(e, 1e-4) for b, e in errors.items()}, list(fid)
    )


def test_tuned():
    inside = searched({1.0: MORE, 0.1: LESS, 0.01: SAME}, {1.0: 0.06, 0.1: 0.03, 0.01: 0.01})
    end = searched({1.0: MORE, 0.1: SAME, 0.01: LESS}, {1.0: 0.06, 0.1: 0.01, 0.01: 0.03})
    near = Measured(49.9, 0.5)
    close = searched({1.0: MORE, 0.1: SAME, 0.01: near}, {1.0: 0.06, 0.1: 0.0101, 0.01: 0.01})
    assert (
        "Of 3 weights from 1 to 0.01, β = 0.1 meets it, with an FID of 10; all others are significantly worse" in inside
    )
    assert "keeps falling with β" in inside
    assert "are best in between" in inside
    assert "end of the search" in end
    assert "keeps falling" not in end
    assert "would choose β = 0.1" in end
    assert "β = 0.1 is not shown to be worse. " in close
    assert "would choose β = 0.01 (β = 0.1 is not shown to be worse)" in close


def on_test(vae):
    return {
        "β tuned": Measured(1e-4),
        "ratio of test errors": Measured(2.0),
        "test error, autoencoder": Measured(0.004),
        "test error, β tuned": Measured(0.008),
        "FID, autoencoder": SAME,
        "FID, β tuned": vae,
    }


@pytest.mark.parametrize(
    ("vae", "said"),
    [(LESS, "closer to real images (FID"), (MORE, "farther from real images"), (SAME, "does not differ significantly")],
)
def test_good(vae, said):
    found = words.good(on_test(vae), 20)
    assert said in found
    assert found.startswith("After 20 epochs each, the VAE at β = 0.0001 has 2.00 times")


def test_what_a_good_result_is_fits_into_200_words():
    near = Measured(10.01, 0.5)
    fid, errors = {10.0**-i: near if i else SAME for i in range(7)}, {10.0**-i: 0.01 + 1e-7 * i for i in range(7)}
    assert words.count(searched(fid, errors)) + max(words.count(words.good(on_test(one), 20)) for one in ALL) <= 200
