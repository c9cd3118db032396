"""The sentences of the guide, each in every outcome. The numbers are made up, and fed to the sentences alone."""

import random
import re
from collections.abc import Callable

import pytest

from diabolo.studies.engine.findings import Measured
from diabolo.studies.guide import answers, words
from made_up import SURE, of

Numbers = dict[str, Measured]


class _Drawn(dict[str, Measured]):
    """Every number is drawn when it is asked for, and stays."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def __missing__(self, name: str) -> Measured:
        self[name] = Measured(self._draw.uniform(0.01, 2), SURE)
        return self[name]


LEVELS = ["gaussian 0.25", "gaussian 0.5"]
REGULARISED = ["neither", "L2 1e-5", "dropout 0.1"]
THREE: dict[str, tuple[Callable[[Numbers], str], str, tuple[str, str, str]]] = {
    "bent": (
        words.bent,
        "MSE, PCA",
        ("reconstructs better than PCA", "PCA reconstructs better", "not differ significantly"),
    ),
    "convolutional": (
        words.convolutional,
        "MSE, fully connected",
        (
            "The 4×4 convolutions reconstruct better than full layers (1 against 2, 1.000 ± 0.028 less): each weight is used "
            "at every place, so a stroke learned at one place is known everywhere. The network of 16, 32 and 64 channels has a "
            "lower error than full layers, too (1).",
            "The 4×4 convolutions reconstruct worse",
            "The errors of the 4×4 convolutions and of full layers do not differ significantly (1 and 1). The errors of the "
            "network of 16, 32 and 64 channels and of full layers do not differ",
        ),
    ),
    "greedy": (words.greedy, "MSE, layer by layer", ("a higher error", "a lower error", "not differ significantly")),
    "regularised": (
        lambda n: words.regularised(n, REGULARISED),
        "test MSE, neither",
        (
            "less than without",
            "raise the test error at every strength tried, by at least 1.000 ± 0.028 (L2 1e-5): they cost more in fit",
            "does not differ significantly from that without either (1). The training error goes to 1",
        ),
    ),
    "no identity": (
        words.no_identity,
        "none on gaussian 0.5",
        ("must learn", "is larger", "not differ significantly"),
    ),
    "level": (
        lambda n: words.level(n, LEVELS),
        "probe, none",
        (
            "Every level makes the features worse for a linear probe (200 % correct without noise): Gaussian 0.25 costs 100.0 "
            "± 2.8 and Gaussian 0.5 costs 100.0 ± 2.8 percentage points.",
            "improve over the plain autoencoder's: Gaussian 0.25 gains 100.0 ± 2.8 and Gaussian 0.5 gains",
            "No level improves the features significantly (the best, Gaussian 0.25: 100 % correct against 100 %).",
        ),
    ),
    "annealing": (
        lambda n: words.annealing(n, ["β 1", "linear annealing"]),
        "−ELBO, linear annealing",
        ("raises −ELBO by", "lowers −ELBO by", "with linear annealing −ELBO does not differ significantly (1 nats)"),
    ),
    "embedded": (words.embedded, "read, embedding", ("more often", "less often", "not differ significantly")),
    "ways": (
        words.ways,
        "least confidence, spherical",
        ("stays more confident", "is less confident", "does not differ significantly between the straight"),
    ),
    "hole": (words.hole, "FID, AE, normal", ("are farther", "are nearer", "not differ significantly")),
    "fitted": (
        words.fitted,
        "FID, AE, normal",
        ("the AE's FID falls from 2 to 1", "the AE's FID rises", "the AE's FIDs do not differ significantly"),
    ),
}


@pytest.mark.parametrize("name", THREE)
def test_more_less_and_the_same_are_told_apart(name: str) -> None:
    say, varied, expected = THREE[name]
    found = [say(of({varied: value})) for value in (2.0, 0.0, 1.0)]
    for sentence, text in zip(found, expected, strict=True):
        assert text in sentence, sentence
        assert "{" not in sentence
        assert "}" not in sentence


GAINS: dict[str, tuple[Callable[[Numbers], answers.Answer], str, tuple[str, str, str]]] = {
    "convolutions": (
        answers.convolutions,
        "MSE, fully connected",
        ("error from 2 to 1 per pixel", "no help: error from 0", "not significantly different"),
    ),
    "skips": (
        answers.skips,
        "MSE, skips cut",
        ("error from 2 to 1", "no help: error from 0 to 1", "not significantly different"),
    ),
    "layers": (
        answers.layers,
        "MSE, end to end",
        ("error from 2 to 1", "no help: error from 0 to 1", "not significantly different"),
    ),
    "noise": (
        answers.noise,
        "none on gaussian 0.5",
        (
            "error on noisy images from 2 to 1",
            "no help on noisy images: error from 0",
            "error on noisy images from 1 to 1, not significantly different",
        ),
    ),
    "annealing": (
        answers.kl_term,
        "−ELBO, linear annealing",
        (
            "no help: −ELBO from 1 to 2 nats with linear",
            "−ELBO from 1 to 0 nats with linear",
            "−ELBO from 1 to 1 nats with linear annealing, not significantly different",
        ),
    ),
    "free bits": (
        answers.kl_term,
        "−ELBO, free bits 0.5",
        (
            "no help: −ELBO from 1 to 2 nats with free",
            "−ELBO from 1 to 0 nats with free",
            "−ELBO from 1 to 1 nats with free bits 0.5, not significantly different",
        ),
    ),
    "densities": (
        answers.densities,
        "FID, AE, mixture",
        (
            "no help for the autoencoder: FID from 1 to 2",
            "FID of the autoencoder from 1 to 0",
            "FID of the autoencoder from 1 to 1, not significantly different",
        ),
    ),
}


@pytest.mark.parametrize("name", GAINS)
def test_the_gain_of_each_technique_in_each_outcome(name: str) -> None:
    answer, varied, expected = GAINS[name]
    for value, text in zip((2.0, 0.0, 1.0), expected, strict=True):
        assert text in answer(of({varied: value}))[2]


def test_gains_and_costs_that_depend_on_more() -> None:
    assert answered(answers.layers, 1, {"MSE, end to end": 2.0}).endswith("; here also with rectifiers")
    assert "rectifiers" not in answered(answers.layers, 1, {"MSE, end to end": 0.0})
    few = {"test MSE, dropout": 1.0}
    for value, text in (
        (2.0, "with the best, dropout, test error from 2 to 1"),
        (0.0, "no help: with the best, dropout, test error from 0 to 1"),
        (1.0, "test error from 1 to 1, not significantly different"),
    ):
        assert text in answered(answers.against_overfitting, 2, few | {"test MSE, neither": value})
    for value, text in (
        (2.0, "error on clean images from 1 to 2"),
        (0.0, "none on clean images (error"),
        (1.0, "error on clean images from 1 to 1, not significantly different"),
    ):
        assert text in answered(answers.noise, 3, {"gaussian 0.5 on none": value})
    for value, told in ((2.0, True), (0.0, False)):
        probes = {"probe, gaussian 1": value, "probe, none": 1.0}
        assert ("and for the features" in answered(answers.noise, 1, probes)) == told
    assert "improves by 5.000 ± 0.028 nats, of which the class accounts for 2.3 at most" in answered(
        answers.condition, 2, {"−ELBO, none": 6.0}
    )
    assert answered(answers.condition, 2, {"−ELBO, none": 2.0}).endswith("improves by 1.000 ± 0.028 nats")
    assert answered(answers.condition, 2, {"−ELBO, none": 0.0}).endswith("gets worse by 1.000 ± 0.028 nats")
    assert answered(answers.condition, 2, {}).endswith("−ELBO goes from 1 to 1 nats, not significantly different")
    assert answered(answers.codebook, 2, {"perplexity, all three": 2.0}).startswith(
        "perplexity of 256 codes from 1 to 2"
    )
    assert answered(answers.codebook, 2, {"perplexity, all three": 0.5}).startswith("no help: perplexity")


def answered(answer: Callable[[Numbers], answers.Answer], part: int, given: dict[str, float]) -> str:
    """Part 1 of an answer is when the technique helps, 2 by how much, 3 what it costs."""
    return answer(of(given))[part]


@pytest.mark.parametrize(
    ("say", "varied", "expected"),
    [
        (
            words.convolutional,
            "probe, convolutional",
            (
                "more often than from those of full layers, by",
                "less often than from those of full layers, by",
                "The accuracies of a linear probe on the codes of the 4×4 convolutions and of full layers do not differ "
                "significantly. Training",
            ),
        ),
        (
            words.skips,
            "MSE, skips cut",
            ("make the reconstruction better", "do not make the reconstruction better", "do not differ significantly"),
        ),
    ],
)
def test_other_comparisons_of_the_same_rows(
    say: Callable[[Numbers], str], varied: str, expected: tuple[str, str, str]
) -> None:
    for value, text in zip((2.0, 0.0, 1.0), expected, strict=True):
        assert text in say(of({varied: value}))


def test_explanations_stand_only_where_the_numbers_bear_them() -> None:
    mixture = "The mixture puts its mass where codes are"
    assert mixture in words.fitted(of({"FID, AE, normal": 2.0, "FID, VAE, normal": 2.0}))
    assert mixture not in words.fitted(of({"FID, AE, normal": 2.0}))
    assert mixture not in words.fitted(of({"FID, AE, normal": 0.5, "FID, VAE, normal": 0.5}))
    slow = "seconds of a step, computed again"
    assert "1.3 times as long, since activations" in words.checkpointing(of({slow: 1.3}))
    assert "2 times as long. Computing the activations twice accounts for" in words.checkpointing(of({slow: 2.0}))
    assert words.checkpointing(of({})).endswith("The losses are equal.")
    assert words.checkpointing(of({"loss, computed again": 1.1})).endswith("The losses differ by 10 %.")
    assert "although activations" in words.checkpointing(of({slow: 0.9}))
    assert "weights and sums are kept" in words.precision(of({}))
    assert "more than rounding explains" in words.precision(of({"loss, bf16": 2.0}))


@pytest.mark.parametrize(
    ("alone", "through", "text"),
    [
        (
            3.0,
            0.5,
            "still has a smaller error (0.5) than the network without skips has with its own (1). The skips alone",
        ),
        (3.0, 3.0, "uses the code as well"),
        (3.0, 1.0, "does not differ significantly from that of the network"),
        (1.0, 1.0, "hardly uses its code"),
    ],
)
def test_what_a_u_net_says_without_its_code(alone: float, through: float, text: str) -> None:
    given = {"MSE, skips cut, mean code": alone, "MSE, U-Net, mean code": through, "numbers, U-Net": 800.0}
    zeroed = {"MSE, U-Net, code zeroed": 3.0, "MSE, skips cut, code zeroed": 12.0}
    said = words.skips(of(given | zeroed))
    assert text in said
    assert "With the code set to zero, they change by +200 % and +1100 %" in said


def test_a_small_change_is_said_with_its_decimal() -> None:
    assert "the error of the U-Net changes by +0.2 % and" in words.skips(of({"MSE, U-Net, mean code": 1.002}))


def test_what_narrows_the_gap_and_what_does_not() -> None:
    fits = {"training MSE, neither": 0.2, "test MSE, dropout 0.1": 0.5, "training MSE, dropout 0.1": 0.4}
    said = words.regularised(of(fits), REGULARISED)
    assert "The training error goes from 0.2 to 0.4, so the gap narrows: from 0.8 to 0.1" in said
    assert "does not narrow" in words.regularised(of(fits | {"training MSE, dropout 0.1": -0.4}), REGULARISED)


def test_a_gap_that_narrows_by_a_worse_fit_alone() -> None:
    worse = {"training MSE, neither": 0.5, "training MSE, L2 1e-5": 0.7, "test MSE, dropout 0.1": 1.1}
    said = words.regularised(of(worse), REGULARISED)
    assert said.endswith("The gap narrows from 0.5 to 0.3, but only because the training error rises to 0.7.")


def test_the_level_to_train_at() -> None:
    own = {f"{name} on {name}": 0.5 for name in LEVELS}
    assert "So train at the level that is to be removed" in words.level(of(own), LEVELS)
    assert "choose the level on held-out images" in words.level(of({f"{LEVELS[0]} on {LEVELS[0]}": 0.5}), LEVELS)


def test_denoisers_that_are_best_at_their_own_noise_and_those_that_are_not() -> None:
    names = ["none", "a", "b"]
    both = of({"a on a": 0.1, "b on b": 0.1})
    assert "2 of 2" in words.matched(both, names)
    one = words.matched(of({"a on a": 0.1, "a on b": 0.1}), names)
    assert "1 of 2" in one
    assert one.endswith("The exceptions: b is removed better by the model trained on a.")
    assert "decides little here" in one
    assert "decides little here" not in words.matched(both, names)
    tie = words.matched(of({"a on a": 0.1}), names)
    assert "1 of 2" in tie
    assert tie.endswith("For b that model is not clearly better or worse than the best of the others.")
    loud = words.matched(of({"gaussian 1 on gaussian 1": 1.2}), ["none", "gaussian 1"])
    assert "Gaussian 1 is removed better by the plain autoencoder" in loud
    close = of({"a on a": 0.1, "none on b": 0.98})
    close["b on b less none on b"] = Measured(0.02, 0.001)
    assert "b is removed better by the plain autoencoder" in words.matched(close, names), (
        "images are compared one by one"
    )


def test_a_collapse_that_came_and_one_that_did_not() -> None:
    gone = {"active units, β 50": 0.0, "KL, β 50": 0.01}
    assert "becomes nearly the prior" in words.collapse(of(gone | {"collapse found, β 50": 1.0}))
    assert "does not detect it" in words.collapse(of(gone | {"collapse found, β 50": 0.0}))
    assert "the posterior has not collapsed" in words.collapse(of({"active units, β 50": 12.0}))


def test_why_annealing_did_or_did_not_help() -> None:
    names = ["β 1", "linear annealing"]
    assert "before that costs anything" in words.annealing(of({"−ELBO, linear annealing": 0.0}), names)
    assert "little to gain" in words.annealing(of({"active units, β 1": 15.0}), names)
    assert "does not change that" in words.annealing(of({"active units, β 1": 2.0}), names)
    rescued = words.annealing(of({f"−ELBO, {words.FREE}": 0.0, "active units, β 1": 15.0}), [*names, words.FREE])
    assert "no gain from annealing is shown here, but the units that free bits keep active are useful" in rescued
    assert f"{words.FREE} lowers −ELBO by" in rescued
    lost = words.annealing(of({f"−ELBO, {words.FREE}": 2.0, "active units, β 1": 15.0}), [*names, words.FREE])
    assert "are useful" not in lost


def test_a_heavier_weight() -> None:
    assert (
        "by −3 nats and the reconstruction term by +5. −ELBO, the bound at weight 1, gets worse by 2 nats"
        in words.heavier(
            of({"KL, β 4": 7.0, "KL, β 1": 10.0, "reconstruction, β 4": 55.0, "reconstruction, β 1": 50.0})
        )
    )
    assert "gets better by 2" in words.heavier(of({"KL, β 4": 7.0, "KL, β 1": 10.0, "reconstruction, β 4": 2.0}))


def test_cures_that_work_and_cures_that_do_not() -> None:
    works = words.cures(of({"active units, β 50, annealed": 10.0, "KL, β 50, free bits 0.5": 8.0}))
    assert "another solution" in works
    assert "cost nothing" in works
    fails = words.cures(of({"active units, β 50, annealed": 0.0, "KL, β 50, free bits 0.5": 1.0}))
    assert "no other code here has a lower one than a code without information" in fails
    better = {"active units, β 50, annealed": 0.0, "KL, β 4": 0.1}
    assert "does not find the code here that has a lower one" in words.cures(of(better))
    assert "do not restore the code" in fails


def test_what_a_condition_saves() -> None:
    much = words.told(of({"KL, none": 20.0, "KL, embedding": 15.0}))
    assert "5 nats less" in much
    assert "The class itself accounts for 2.3 (ln 10) of them at most" in much
    assert "need not encode the class" in words.told(of({"KL, none": 20.0, "KL, embedding": 18.0}))
    assert "carries no less" in words.told(of({"KL, none": 15.0, "KL, embedding": 20.0}))


def test_maps() -> None:
    assert "made to keep neighbours" in words.maps(of({"overlap, t-SNE": 2.0}), ["PCA", "t-SNE"])
    assert "as well as methods designed to" in words.maps(of({"overlap, PCA": 2.0}), ["PCA", "t-SNE"])
    both = words.maps(of({"overlap, t-SNE": 2.0, "overlap, UMAP": 2.001}), ["PCA", "t-SNE", "UMAP"])
    assert "t-SNE and UMAP keep most" in both


def test_speed_and_memory_both_ways() -> None:
    assert "times as long in float32" in words.precision(of({"seconds, float32": 2.0}))
    assert "bf16 is slower" in words.precision(of({"seconds, bf16": 2.0}))
    assert "needs 50 % of the memory. A step takes 1 times" in words.checkpointing(of({"MiB, computed again": 0.5}))
    assert "saves no memory on so small a network. A step takes" in words.checkpointing(
        of({"MiB, computed again": 1.5})
    )
    assert "needs 50 % of the memory in float32" in words.precision(of({"MiB, bf16": 0.5}))
    assert "saves no memory" in words.precision(of({"MiB, bf16": 1.5}))
    assert words.apart(of({"loss, a": 2.0, "loss, b": 1.0}), "a", "b") == pytest.approx(0.5)


def test_the_other_measures_of_generated_images() -> None:
    mixture = {"KID, AE, mixture": 0.5, "recall, AE, mixture": 2.0, "score, AE, mixture": 2.0}
    blind = words.other_measures(of(mixture))
    assert (
        "mixture: KID 1 and 0.5; recall 100 % and 200 %; score 1 and 2; precision 100 % and 100 %. KID, recall" in blind
    )
    assert "KID, recall and score prefer the mixture; precision does not." in blind
    assert "do not trust it alone" in blind
    assert "All of them prefer" in words.other_measures(of(mixture | {"precision, AE, mixture": 2.0}))
    assert "None of them prefers the mixture significantly" in words.other_measures(of({}))
    two = words.other_measures(of({"KID, AE, mixture": 0.5, "score, AE, mixture": 2.0}))
    assert "recall and precision do not." in two
    assert "trust" not in two


@pytest.mark.parametrize("index", answers.ANSWERS)
@pytest.mark.parametrize("seed", range(8))
def test_answers_are_whole_whatever_was_measured(index: str, seed: int) -> None:
    draw = random.Random(seed)
    n = _Drawn(draw)
    for name in ("neither", "L2 1e-5"):
        n[f"test MSE, {name}"] = Measured(draw.uniform(0.01, 2), SURE)
    n["overlap, PCA"] = Measured(draw.random(), SURE)
    for answer in answers.ANSWERS[index]:
        parts = answer(n)
        assert len(parts) == 4
        sentence = answers.sentence(*parts)
        assert not re.search(r"[{}]|nan|inf", sentence.replace("influence", ""))
        assert all(parts)
