"""What is said of codebooks and of images drawn by a prior over codes, in every outcome."""

import pytest

from diabolo.studies.guide import answers, words
from diabolo.studies.guide.quantised import ALL, ALONE, COARSE, FINE
from made_up import of


def test_codebooks_that_collapse_and_cures() -> None:
    collapsed = {"used codes, by gradient": 3.0, "perplexity, by gradient": 2.0, "perplexity, all three": 100.0}
    assert "never chosen" in words.codebooks(of(collapsed))
    assert "1 with moving averages, 1 with a k-means start as well and 100 with all three" in words.codebooks(
        of(collapsed)
    )
    assert "The largest step is that of the restarts," in words.codebooks(of(collapsed))
    early = words.codebooks(of(collapsed | {"perplexity, moving averages": 90.0, "perplexity, + k-means start": 95.0}))
    assert "The largest step is that of moving averages," in early
    even = {"used codes, by gradient": 250.0, "perplexity, by gradient": 40.0, "perplexity, all three": 100.0}
    assert "unevenly" in words.codebooks(of(even))
    assert "None of the cures doubles that" in words.codebooks(of({"perplexity, by gradient": 100.0}))


def test_a_prior_that_learnt_and_one_that_did_not() -> None:
    counted, learnt = "bits per code, counted", f"bits per code, {FINE}"
    assert "which code follows which." in words.code_prior(of({counted: 7.0, learnt: 5.0}))
    assert "has not learned" in words.code_prior(of({counted: 5.0, learnt: 7.0}))


@pytest.mark.parametrize(("value", "text"), [(2.0, "closer"), (0.0, "farther"), (1.0, "not differ significantly")])
def test_codes_that_fit_together(value: float, text: str) -> None:
    assert text in words.code_prior(of({f"FID, {ALONE}": value}))


def test_what_it_took_to_draw_digits() -> None:
    low = {f"read, {FINE}": 0.4, f"read, {COARSE}": 0.7, f"read, {ALL}": 0.9, "read, test images": 0.98}
    said = words.legible(of(low | {f"indices, {FINE}": 49.0, f"indices, {COARSE}": 16.0, f"MSE, {COARSE}": 2.0}))
    assert "reads 98.0 % of the test images with confidence (a probability of at least 0.9), and 40.0 %" in said
    assert "the fine map of 49 codes: most are not digits." in said
    assert "A coarse map of 16 codes, with a prior of the same size, raises that to 70 %" in said
    assert "trained on all images, raises it to 90 %. How much of that is due to the prior" in said
    assert "The price of the coarse map is reconstruction: 2 squared error per pixel against 1." in said
    same = words.legible(of({f"read, {FINE}": 0.6, f"read, {COARSE}": 0.6, f"read, {ALL}": 0.6}))
    assert "many are half-formed" in same
    assert (
        "With a coarse map of 1 codes and a prior of the same size the shares do not differ significantly (60 % and 60 %)"
        in same
    )
    assert "With a larger prior and both models trained on all images, the shares do not differ significantly" in same
    assert "is not measured" not in same
    assert "The reconstruction errors of both maps do not differ significantly" in same
    worse = words.legible(of({f"read, {COARSE}": 0.5, f"read, {ALL}": 0.3, f"MSE, {COARSE}": 0.5}))
    assert "most look like digits" in worse
    assert "lowers that to 50 %" in worse
    assert "lowers it to 30 %" in worse
    assert "even reconstructs better: 0.5" in worse


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "no help: FID from 1 to 2"),
        (0.0, "FID from 1 to 0"),
        (1.0, "FID from 1 to 1, not significantly different"),
    ],
)
def test_the_answer_on_priors(value: float, text: str) -> None:
    told = answers.code_prior(
        of({f"FID, {FINE}": value, f"read, {ALONE}": 0.2, f"read, {FINE}": 0.4, f"read, {ALL}": 0.9})
    )[2]
    assert told.startswith(text)
    assert told.endswith(
        "images read with confidence from 20.0 % to 40.0 %, and to 90.0 % with a coarser map, more images and a larger prior"
    )
