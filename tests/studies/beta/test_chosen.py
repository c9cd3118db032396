"""Each sentence on the weight that is chosen in each of its outcomes, and how long their answer can be."""

import pytest

from diabolo.display import words as written
from diabolo.studies import Measured
from diabolo.studies.beta import chosen
from small_runs import words_in

LESS, SAME, MORE = Measured(10.0, 0.5), Measured(50.0, 0.5), Measured(90.0, 0.5)
ALL = (LESS, SAME, MORE)
UNITS = {"active units, β tuned in the search": Measured(59.0), "active units, β tuned": Measured(12.0)}


def searched(fid, errors, epochs=(2, 20)):
    f = {f"validation FID, β = {written(beta)}": one for beta, one in fid.items()} | UNITS
    errors = {f"validation error, β = {written(b)}": Measured(e, 1e-4) for b, e in errors.items()}
    return chosen.tuned(f | errors, list(fid), epochs)


def test_tuned():
    fid, errors = {1.0: MORE, 0.1: LESS, 0.01: SAME}, {1.0: 0.06, 0.1: 0.03, 0.01: 0.01}
    inside = searched(fid, errors)
    end = searched({1.0: MORE, 0.1: SAME, 0.01: LESS}, {1.0: 0.06, 0.1: 0.01, 0.01: 0.03})
    near = Measured(49.9, 0.5)
    close = searched({1.0: MORE, 0.1: SAME, 0.01: near}, {1.0: 0.06, 0.1: 0.0101, 0.01: 0.01})
    assert (
        "Of 3 weights from 1 to 0.01, β = 0.1 meets it, with an FID of 10; all others are significantly worse" in inside
    )
    assert "which falls as β decreases" in inside
    assert "are best in between" in inside
    assert "after 2 epochs, with 59 units active (12 after 20): a longer search could choose another." in inside
    assert "longer search" not in searched(fid, errors, epochs=(20, 20))
    assert "end of the search" in end
    assert "falls as" not in end
    assert "would choose β = 0.1" in end
    assert "β = 0.1 is not shown to be worse. " in close
    assert "would choose β = 0.01 (β = 0.1 is not shown to be worse)" in close


def on_test(vae):
    return {
        "β tuned": Measured(1e-4),
        "ratio of test errors": Measured(2.0),
        "ratio of test errors, sampled codes": Measured(3.04),
        "test error, autoencoder": Measured(0.004),
        "test error, β tuned": Measured(0.008),
        "test error, β tuned, sampled codes": Measured(0.01216),
        "FID, autoencoder": SAME,
        "FID, β tuned": vae,
    }


@pytest.mark.parametrize(
    ("vae", "said"),
    [(LESS, "closer to real images (FID"), (MORE, "farther from real images"), (SAME, "does not differ significantly")],
)
def test_good(vae, said):
    found = chosen.good(on_test(vae), 20)
    assert said in found
    assert found.startswith("After 20 epochs each, the VAE at β = 0.0001 has 2.0 times")
    assert "from posterior means, and 3.0 times (0.0122) from sampled codes" in found


def test_what_a_good_result_is_fits_into_200_words():
    near = Measured(10.01, 0.5)
    fid, errors = {10.0**-i: near if i else SAME for i in range(7)}, {10.0**-i: 0.01 + 1e-7 * i for i in range(7)}
    assert words_in(searched(fid, errors)) + max(words_in(chosen.good(on_test(one), 20)) for one in ALL) <= 200
