"""Every sentence of the study `generative`, in each outcome of what it compares."""

from dataclasses import replace

import pytest

from diabolo.studies.engine.findings import Measured
from diabolo.studies.generative import words
from diabolo.studies.generative.answers import QUESTIONS


def found(**numbers):
    return {name.replace("_", " "): Measured(value, 0.001) for name, value in numbers.items()}


@pytest.mark.parametrize(
    ("areas", "errors", "says"),
    [
        ([50.0, 100.0], [0.034, 0.0343], "varies by 100 %, and the test error by 0.9 %. The size alone says nothing"),
        ([50.0, 51.0], [0.034, 0.035], "varies by 2 %, no more than the test error can (2.9 %)"),
    ],
)
def test_the_size_of_the_map(areas, errors, says):
    assert says in words.size_of_map(areas, errors)
    assert words.size_of_map(areas[:1], errors[:1]).startswith("The size of the map alone says nothing")


@pytest.mark.parametrize(
    ("full", "empty", "says"),
    [
        (0.9, 0.6, "is surer"),
        (0.6, 0.9, "is less sure"),
        (0.6, 0.6005, "differs by less than 0.006, too little to matter,"),
        (0.9, 0.0, "no empty tile"),
    ],
)
def test_what_is_decoded_where_no_image_lies(full, empty, says):
    f = found(tiles_that_hold_a_training_code=0.8, confidence_in_filled_tiles=full, confidence_in_empty_tiles=empty)
    sentence = words.filled(f)
    assert sentence.startswith("80 % of the tiles")
    assert says in sentence


@pytest.mark.parametrize(("after", "says"), [(0.0125, "8.0 times less"), (0.2, "no less: it was trained too little")])
def test_what_the_denoiser_takes_away(after, says):
    assert says in words.denoised(found(error_of_the_noisy_images=0.1, test_error=after))


@pytest.mark.parametrize(
    ("errors", "enough", "says"),
    [
        ({9: 0.05, 18: 0.03, 36: 0.024, 72: 0.02}, 36, "has 36 numbers; with 9 the error is 2.5 times the best"),
        ({9: 0.05, 72: 0.02}, 72, "which is the largest that was tried"),
        ({1: 0.021, 72: 0.02}, 1, "has 1 number, which is the smallest that was tried"),
    ],
)
def test_the_smallest_bottleneck(errors, enough, says):
    n, sentence = words.bottleneck(errors, 0.25)
    assert n == enough
    assert says in sentence


@pytest.mark.parametrize(
    ("once", "far", "edges", "says"),
    [
        (0.97, 0.6, 0.6, "it is outlines that vary. The class stays with the variance of the posterior"),
        (0.9, 0.9, 0.6, "That the class is lost more often with a larger variance is not shown"),
        (0.8, 0.9, 0.6, "lost no more often"),
        (
            0.3,
            0.2,
            0.2,
            "rather than gathered at the edges. Even with the variance of the posterior the class is often lost",
        ),
        (0.2, 0.3, 0.2, "Of the class the draws say little"),
        (0.2, 0.2, 0.2, "Of the class the draws say little, whatever the variance"),
    ],
)
def test_draws_from_one_posterior(once, far, edges, says):
    f = found(variance_at_the_edges_of_strokes=edges, pixels_at_the_edges_of_strokes=0.2)
    f |= {f"draws read as the right class, variance × {s}": Measured(v, 0.001) for s, v in ((1, once), (20, far))}
    sentence = words.encoded_again(f)
    assert says in sentence
    assert f"{100 * once:.0f} % of the draws" in sentence


@pytest.mark.parametrize(
    ("asked", "kept", "says"),
    [
        (0.95, 0.01, "the condition, not the code, decides the class"),
        (0.4, 0.1, "the condition says more of the class than the code does. The KL term favours that"),
        (0.1, 0.8, "the code says more of the class than the condition"),
        (0.4, 0.4, "neither the code nor the condition is shown to decide alone"),
    ],
)
def test_decoded_under_another_label(asked, kept, says):
    assert says in words.relabelled(found(read_as_the_new_label=asked, read_as_the_old_label=kept))


@pytest.mark.parametrize(
    ("one", "mean", "best", "says"),
    [
        (
            0.08,
            0.06,
            0.04,
            (
                "is larger (0.08",
                "Part of that is",
                "an error of 0.06 (the plain",
                "model misfit",
                "smaller error (0.04)",
            ),
        ),
        (
            0.08,
            0.04,
            0.04,
            ("is larger (0.08", "an error of 0.04 (the plain", "the excess of a single draw is the price"),
        ),
        (0.04, 0.03, 0.03, ("is smaller (0.04", "not fully trained yet", "has a smaller error")),
        (
            0.05,
            0.05,
            0.05,
            (
                "of a single completion (0.05",
                "does not differ significantly from that of the plain",
                "does not differ significantly (0.05)",
            ),
        ),
        (
            0.09,
            0.05,
            0.08,
            (
                "an error of 0.05, not significantly different",
                "Even the best of 10 completions, chosen knowing the truth,",
            ),
        ),
    ],
)
def test_completions(one, mean, best, says):
    f = found(
        error_of_the_plain_network=0.05, error_of_one_completion=one, error_of_the_mean_of_all=mean,
        error_of_the_best=best,
    )  # fmt: skip
    sentence = words.completions(f, 10)
    assert all(part in sentence for part in says)
    assert ("infinitely many" in sentence) == (one > 0.05), "the mean explains a loss only where there is one"


@pytest.mark.parametrize(
    ("best", "says"),
    [(0.04, "has a smaller error (0.04) than the plain network (0.05)"), (0.06, "has a larger error (0.06) than the")],
)
def test_completions_by_codes_that_fit_the_quarter(best, says):
    one, plain = "error of the best, conditional prior", "error of the plain network"
    f = {one: Measured(best, 0.0001), plain: Measured(0.05, 0.0001)}
    f[f"{one} less {plain}"] = Measured(best - 0.05, 0.0001)
    assert says in words.conditional_prior(f, 10)


def test_completions_are_compared_image_by_image():
    """Images differ far more among each other than the answers to one image."""
    f = {name: Measured(value, 0.01) for name, value in (("error of the plain network", 0.05),
         ("error of one completion", 0.055), ("error of the mean of all", 0.05), ("error of the best", 0.05))}  # fmt: skip
    assert "does not differ significantly from that of the plain" in words.completions(f, 10)
    f["error of one completion less error of the plain network"] = Measured(0.005, 0.0001)
    assert "error of a single completion is larger" in words.completions(f, 10)


@pytest.mark.parametrize(
    ("gain", "says"),
    [
        (9.0, "9.0000 ± 0.0020 nats per image less"),
        (-2.0, "more than the plain"),
        (0.0, "differ by less than 0.5, too little to matter"),
    ],
)
def test_nats_gained_by_the_code(gain, says):
    assert says in words.conditional_nll({"nats gained by the code": Measured(gain, 0.001, unit="nats per image")})


@pytest.mark.parametrize(
    ("rms", "error", "says"),
    [
        ((1.0, 30.0), (0.055, 0.2), ("30.0 times as large (root", "the test error is 3.6 times as large without it")),
        ((1.0, 242936.4), (0.055, 0.1), ("243,000 times as large (root", "82 % higher without it")),
        ((1.0, 0.2), (0.055, 0.045), ("5.0 times smaller (root", "18 % lower without it")),
        ((1.0, 1.1), (0.055, 0.056), ("keep their range", "much the same (+1.8 % without it)")),
    ],
)
def test_without_commitment(rms, error, says):
    sentence = words.commitment("moving averages", rms, error)
    assert sentence.startswith("Moving averages: without the commitment term ")
    assert all(part in sentence for part in says)


@pytest.mark.parametrize("worst", list(words.WHY))
def test_halves(worst):
    errors = {"whole": 0.06} | {name: 0.09 if name == worst else 0.061 for name in words.WHY}
    sentence = words.halved(errors, "whole")
    assert f"{worst} +50.0 %" in sentence
    assert f"{worst[0].upper()}{worst[1:]} costs most" in sentence
    assert "None of it is more than" in words.halved(dict.fromkeys(errors, 0.06), "whole")


def test_halves_that_do_better_are_not_called_noise():
    """After few steps a smaller network may be the better one."""
    errors = {"whole": 3.0} | dict.fromkeys(words.WHY, 1.5)
    sentence = words.halved(errors, "whole")
    assert "−50.0 %" in sentence
    assert "None of it does harm" in sentence
    assert "another training might give" not in sentence


def test_draws_that_no_one_can_read_are_not_described():
    many = Measured(0.9, 0.0)
    edges = {"variance at the edges of strokes": many, "pixels at the edges of strokes": Measured(0.3, 0.0)}
    for share, told in ((0.1, False), (0.95, True)):
        draws = {f"draws read as the right class, variance × {s}": Measured(share, 0.01) for s in (1, 20)}
        assert ("the class is lost more often" in words.encoded_again(edges | draws)) == told


NUMBERS = {
    "2.1": {"tiles that hold a training code": 0.7, "width of the map": 12.0, "height of the map": 9.0},
    "2.2": {"smallest bottleneck that is enough": 36.0, "pixels": 784.0},
    "2.3": {
        f"{what}, variance × {s}": v
        for what in ("spread between draws", "draws read as the right class")
        for s, v in ((1, 0.1), (20, 0.3))
    }
    | {"variance at the edges of strokes": 0.9, "pixels at the edges of strokes": 0.3},
    "2.4": {"read as the new label": 0.9, "read as the old label": 0.05, "read as asked": 0.957},
    "2.5": {"variance between completions": 0.02, "nats gained by the code": 8.0, "error of the best": 0.04,
        "error of the plain network": 0.05},
    "2.6": {
        f"encoder outputs, {what}: {book}{end}": value
        for what, value in (("root mean square", 1.0), ("1 %", -2.0), ("99 %", 2.5))
        for book in ("moving averages", "codebook loss")
        for end in ("", ", no commitment")
    }
    | {f"change of the error: {name}": 0.1 for name in ("hidden width", "residual width", "residual layers")}
    | {"used codes": 500.0},
}  # fmt: skip
OTHERWISE = {
    "2.1": ({"tiles that hold a training code": 0.95}, "decoded from where no image is", "nearly all of it is in use"),
    "2.3": ({"variance at the edges of strokes": 0.3}, "Mainly the outlines", "The whole image, not the outlines"),
    "2.4": ({"read as the new label": 0.1, "read as the old label": 0.8}, "Yes: of images", "No: of images"),
    "2.5": (
        {"nats gained by the code": -1.0},
        "8 nats per image less than it costs",
        "1 nats per image more than it costs",
    ),
    "2.6": (
        {"encoder outputs, root mean square: moving averages, no commitment": 5.0},
        "with moving averages they keep about their size in so many steps (98 % of them from −2 to 2.5",
        "with moving averages they grow to 5.0 times",
    ),
}


def test_the_best_completion_in_the_answer():
    (gives,) = [question.answer for question in QUESTIONS if question.row == "2.5"]
    numbers = {name: Measured(value, unit="nats per image") for name, value in NUMBERS["2.5"].items()}
    assert "and the best of its answers" in gives(numbers)
    assert "but even the best of its answers" in gives(numbers | {"error of the best": Measured(0.06)})


def test_nats_within_their_interval_are_no_gain():
    (gives,) = [question.answer for question in QUESTIONS if question.row == "2.5"]
    numbers = {name: Measured(value, 0.001) for name, value in NUMBERS["2.5"].items()}
    answer = gives(numbers | {"nats gained by the code": Measured(0.006, 0.4, unit="nats per image")})
    assert "in nats per image does not differ significantly" in answer
    assert "costs the VAE" not in answer


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.row)
def test_answers(question):
    numbers = {name: Measured(value, 0.001, unit="nats per image") for name, value in NUMBERS[question.row].items()}
    answer = question.answer(numbers)
    assert answer[0].isupper() or answer[0].isdigit()
    assert answer.endswith(".")
    if question.row in OTHERWISE:
        changes, one, other = OTHERWISE[question.row]
        assert one in answer
        assert other in question.answer(
            numbers | {name: replace(numbers[name], value=value) for name, value in changes.items()}
        )
