"""Each sentence in each of its outcomes."""

from itertools import product

import pytest

from diabolo.studies import Measured
from diabolo.studies.beta import words

LESS, SAME, MORE = Measured(10.0, 0.5), Measured(50.0, 0.5), Measured(90.0, 0.5)
ALL = (LESS, SAME, MORE)


@pytest.mark.parametrize(
    ("noise", "said"),
    [(MORE, "nearer to real ones, at 50"), (LESS, "an accident"), (SAME, "not significantly different")],
)
def test_from_noise(noise, said):
    found = words.from_noise({"N(0, I)": noise, "fitted Gaussian": SAME}, 3.0, 1.5, 12.0, 2.0)
    assert said in found
    assert "6 times as far" in found
    assert words.words_of(found) <= 150


@pytest.mark.parametrize(
    ("fid", "said"),
    [(MORE, "have an FID of 90, against 50"), (LESS, "yet samples"), (SAME, "do not differ significantly")],
)
def test_free(fid, said):
    found = words.free(200.0, {"0": 0.001, "tuned": 0.3}, {"0": 300.0, "tuned": 5.0}, {"0": fid, "tuned": SAME}, 1e-3)
    assert said in found
    assert "codes lie farther from" in found
    assert "in all but name" in found
    other = words.free(200.0, {"0": 0.4, "tuned": 0.3}, {"0": 3.0, "tuned": 5.0}, {"0": fid, "tuned": SAME}, 1e-3)
    assert "no farther from" in other
    assert "not yet made small" in other


def test_heavy():
    assert "has collapsed" in words.heavy(10.0, 0.001, 0, 64, 1.001, 0.001)
    assert "about the mean image" in words.heavy(10.0, 0.001, 0, 64, 1.001, 0.001)
    assert "not even the mean yet" in words.heavy(10.0, 0.001, 0, 64, 1.5, 0.001)
    alive = words.heavy(10.0, 3.0, 4, 64, 0.6, 0.5)
    assert "collapsed" not in alive
    assert "4 of 64 active units" in alive


def test_what_happens_at_both_ends_fits_into_150_words():
    free = [
        words.free(234.5, {"0": a, "tuned": 0.3}, {"0": d, "tuned": 12.3}, {"0": fid, "tuned": SAME}, 1e-5)
        for a, d, fid in product((0.001, 0.5), (345.6, 1.23), ALL)
    ]
    heavy = [words.heavy(10.0, kl, a, 64, u, 0.123) for kl, a, u in ((0.01, 0, 1.0), (0.01, 0, 1.5), (3.0, 4, 0.6))]
    assert max(map(words.words_of, free)) + max(map(words.words_of, heavy)) <= 150


def test_tuned():
    def of(**errors):
        return {float(beta): Measured(error, 1e-4) for beta, error in errors.items()}

    inside = words.tuned({1.0: MORE, 0.1: LESS, 0.01: SAME}, of(**{"1": 0.06, "0.1": 0.03, "0.01": 0.01}))
    end = words.tuned({1.0: MORE, 0.1: SAME, 0.01: LESS}, of(**{"1": 0.06, "0.1": 0.01, "0.01": 0.03}))
    near = Measured(49.9, 0.5)
    close = words.tuned({1.0: MORE, 0.1: SAME, 0.01: near}, of(**{"1": 0.06, "0.1": 0.0101, "0.01": 0.01}))
    assert "would choose β = 0.01 (β = 0.1 is not shown to be worse)" in close
    assert "do not differ" not in inside
    assert "β = 0.1 gives" in inside
    assert "all others are significantly worse" in inside
    assert "falls all the way" in inside
    assert "are best in between" in inside
    assert "end of the search" in end
    assert "falls all the way" not in end
    assert "would choose β = 0.1" in end
    assert "validation images of 49.9; β = 0.1 is not shown to be worse. " in close


@pytest.mark.parametrize(
    ("vae", "said"),
    [(LESS, "nearer to real images, at"), (MORE, "farther from real images"), (SAME, "does not differ significantly")],
)
def test_good(vae, said):
    found = words.good({"AE": 0.004, "VAE": 0.008}, {"AE": SAME, "VAE": vae}, {"AE": 10, "VAE": 20}, 1e-4)
    assert said in found
    assert "2.00 times" in found


def test_between():
    jumps = [words.between({"AE": SAME, "VAE": vae}, {"AE": SAME, "VAE": SAME}) for vae in ALL]
    assert [
        said in found
        for said, found in zip(
            ("more evenly", "on the way does not differ significantly", "less evenly"), jumps, strict=True
        )
    ] == [True] * 3
    sure = [words.between({"AE": SAME, "VAE": SAME}, {"AE": SAME, "VAE": vae}) for vae in ALL]
    for said, found in zip(("less sure", "along the way does not differ significantly", "is surer"), sure, strict=True):
        assert said in found


@pytest.mark.parametrize(("linear", "near"), list(product(ALL, ALL)))
def test_downstream_is_said_and_short(linear, near):
    epochs = {"AE": 10, "VAE": 20}
    flat = {"AE": SAME, "VAE": near, "principal components": SAME}
    found = words.downstream({"AE": SAME, "VAE": linear, "pixels": SAME}, flat, 12, 64, epochs)
    assert found.startswith("Trained for 20 epochs (VAE) and 10 (autoencoder): ")
    assert ("off the VAE's codes" in found) == (linear is MORE)
    assert ("off the autoencoder's codes" in found) == (linear is LESS)
    assert ("right less often among the VAE" in found) == (near is LESS)
    assert "uses 12 of 64 units: the others carry nothing" in found
    assert "none is idle" in words.downstream({"AE": SAME, "VAE": linear, "pixels": MORE}, flat, 64, 64, epochs)
    assert ("right less often (50) than" in found) == (near is MORE)
    assert ("does not differ significantly from that among" in found) == (near is not MORE)
    above = words.downstream({"AE": SAME, "VAE": linear, "pixels": SAME}, flat | {"principal components": Measured(95, 0.5)},
                             12, 64, epochs)  # fmt: skip
    assert "right more often (95) than among the better of the codes" in above
    longest = " ".join((words.between({"AE": SAME, "VAE": LESS}, {"AE": SAME, "VAE": MORE}), found))
    assert words.words_of(longest + words.use({"AE": SAME, "VAE": LESS}, {"AE": SAME, "VAE": LESS})) <= 300


def test_use():
    assert "take the VAE" in words.use({"AE": SAME, "VAE": LESS}, {"AE": SAME, "VAE": LESS})
    assert "take it too" in words.use({"AE": SAME, "VAE": LESS}, {"AE": SAME, "VAE": LESS})
    assert "for moving between images take the VAE" in words.use({"AE": SAME, "VAE": LESS}, {"AE": SAME, "VAE": SAME})
    assert "gained nothing" in words.use({"AE": SAME, "VAE": MORE}, {"AE": SAME, "VAE": MORE})
    assert "take the autoencoder" in words.use({"AE": SAME, "VAE": MORE}, {"AE": SAME, "VAE": MORE})
    assert "for moving between images the two do not differ significantly in their longest step" in words.use(
        {"AE": SAME, "VAE": SAME}, {"AE": SAME, "VAE": SAME}
    )
