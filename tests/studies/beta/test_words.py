"""Each sentence on samples and on both ends of β in each of its outcomes, and how long the answers can be."""

from itertools import product

import pytest

from diabolo.studies import Measured
from diabolo.studies.beta import words
from small_runs import words_in

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
    assert found.startswith("After 10 epochs, images that the autoencoder decodes from N(0, I) have an FID of ")
    assert "6.0 times as far" in found
    assert "strokes that form no digit" in found
    assert "look like digits" in words.from_noise(noise(fid, clear=0.95))
    assert words_in(found) <= 150


def weights(fid=SAME, share=0.001, hole=300.0, kl=0.001, active=0.0, unexplained=1.001):
    return {
        "β tuned": Measured(1e-3),
        "KL, β = 0": Measured(234.5),
        "Fréchet distance to N(0, I), β = 0": Measured(hole),
        "Fréchet distance to N(0, I), β tuned": Measured(5.0),
        "Fréchet distance to N(0, I), draws of N(0, I)": Measured(0.109),
        "noise in an active unit, β = 0": Measured(share),
        "noise in an active unit, β tuned": Measured(0.3),
        "FID, β = 0": fid,
        "FID, β tuned": SAME,
        "KL, β = 10": Measured(kl),
        "active units, β = 10": Measured(active),
        "variance of test images left unexplained, β = 10": Measured(unexplained),
        "variance among samples, β = 10": Measured(1e-6),
        "error of the mean image": Measured(0.0674),
    }


@pytest.mark.parametrize(
    ("fid", "said"),
    [(MORE, "have an FID of 90, against 50"), (LESS, "Yet samples"), (SAME, "do not differ significantly")],
)
def test_free(fid, said):
    found = words.free(weights(fid))
    assert said in found
    assert "codes are farther from" in found
    assert "(5; by chance 0.109)" in found
    assert "in all but name" in found
    other = words.free(weights(fid, share=0.4, hole=3.0))
    assert "no farther from" in other
    assert "not yet removed it" in other


def test_heavy():
    dead = words.heavy(weights(), 64)
    assert "has collapsed" in dead
    assert "One nat costs 10, far more than the entire error of the mean image (0.0674), so" in dead
    assert "less than 0.001 % of the variance of test images" in dead
    assert "about the mean image" in dead
    assert "not yet even the mean" in words.heavy(weights(unexplained=1.5), 64)
    alive = words.heavy(weights(kl=3.0, active=4.0, unexplained=0.6), 64)
    assert "collapsed" not in alive
    assert "4 of 64 active units, although one nat costs 10" in alive


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0.000 %"), (1e-8, "less than 0.001 %"), (1e-4, "0.010 %"), (0.111, "11.1 %")],
)
def test_a_share_next_to_nothing_is_not_nothing(share, said):
    assert words.small(share) == said


def test_three_digits():
    assert [words.three(x) for x in (0.20821, 14.0526, 1372.0, 8.19e-5)] == ["0.208", "14.1", "1,372", "8.19e−5"]


def test_what_happens_at_both_ends_fits_into_150_words():
    free = [words.free(weights(*one)) for one in product(ALL, (0.001, 0.5), (345.6, 1.23))]
    heavy = [words.heavy(weights(kl=kl, unexplained=u), 64) for kl, u in ((0.01, 1.0), (0.01, 1.5), (3.0, 0.6))]
    assert max(map(words_in, free)) + max(map(words_in, heavy)) <= 150


def trained_on(late, near=300.0, far=900.0):
    return {
        "epochs of the earlier autoencoder": Measured(10),
        "epochs of the later autoencoder": Measured(20),
        "Fréchet distance to N(0, I), earlier autoencoder": Measured(near),
        "Fréchet distance to N(0, I), autoencoder": Measured(far),
        "FID, earlier autoencoder": SAME,
        "FID, autoencoder": late,
    }


def test_longer():
    worse = words.longer(trained_on(MORE))
    assert "become worse as it trains: their FID is 50 after 10 epochs and 90 after 20" in worse
    assert "is 300 and 900: the codes move away" in worse
    assert "the codes move away" not in words.longer(trained_on(MORE, near=900.0, far=300.0))
    assert "This is an accident" in words.longer(trained_on(LESS))
    assert "do not differ significantly" in words.longer(trained_on(SAME))


def test_scale():
    f = {"pixels": 784, "β tuned": 0.001, "β tuned, squared error summed over pixels": 0.784}
    f |= {"β = 10, squared error summed over pixels": 7840}
    said = words.scale({name: Measured(value) for name, value in f.items()})
    assert "has 784 pixels" in said
    assert "β = 0.784 (here 0.001) and β = 7,840 (here 10)" in said
