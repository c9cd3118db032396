"""Numbers of several trainings: how they are read, and what holds in every pair of them."""

from diabolo.studies import Measured
from diabolo.studies.pca import trainings


def of(*values, error=1.0):
    return [Measured(value, error) for value in values]


def test_numbers_of_every_training_are_found_by_name():
    f = {"FID: VAE, seed 0": Measured(1.0), "FID: VAE, seed 1": Measured(2.0), "FID: PCA": Measured(3.0)}
    assert [one.value for one in trainings.each(f, "FID: VAE")] == [1.0, 2.0]
    assert [one.value for one in trainings.each(f, "FID: PCA")] == [3.0]


def test_a_span_is_read_to_three_digits():
    assert trainings.span(of(0.0455)) == "0.0455"
    assert trainings.span(of(124.2, 96.99)) == "97.0 to 124"
    assert trainings.span(of(0.482, 0.551), 100, 0) == "48 to 55"
    assert trainings.span(of(1234.0, 1.5e-5)) == "1.5e−5 to 1,230"


def test_what_holds_in_every_pair_of_trainings():
    def said(a, b, same=False):
        return trainings.compared(
            of(*a), of(*b), more="more {a}", less="less {a} than {b}", neither="{a} and {b}, {how}", same=same
        )

    assert said((10, 12), (100, 200)) == "less 10.0 to 12.0 than 100 to 200"
    assert said((100, 200), (10,)) == "more 100 to 200"
    assert said((10, 200), (100,)) == "10.0 to 200 and 100, and which is larger depends on the training"
    assert said((10, 100), (100.5,)).endswith(
        "but the difference is significant and large enough to matter in only 1 of 2 pairs of trainings"
    )
    assert said((100, 100), (100.5,)).endswith("without a significant difference in any of 2 pairs of trainings")
    assert said((100,), (100.5,)).endswith(", without a significant difference")
    close = trainings.compared(of(100, error=0.1), of(100.5, error=0.1), more="", less="", neither="{how}")
    assert close == "a difference too small to matter"
    assert said((10, 110), (50, 150), same=True).startswith("less"), "each training with itself"
    assert "depends on the training" in said((10, 110), (50, 150))
