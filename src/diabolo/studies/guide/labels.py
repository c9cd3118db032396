"""How the study `guide` compares ways to learn from a few labels, in its rows 5.4 and 5.14, and what it says of them."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from diabolo import figures
from diabolo.data import Images
from diabolo.studies.engine.findings import between, difference, family, joined, less
from diabolo.studies.engine.row import Row
from diabolo.studies.guide.plain import Numbers, against, points

SCRATCH = "from scratch"
NARROW = {  # 5.4, each way and how it learns
    SCRATCH: "a classifier on the labelled images alone",
    "frozen features": "a linear classifier on the pre-trained code",
    "fine-tuned": "the pre-trained encoder, trained further on the labelled images",
    "joint": "reconstruction + 0.2 · cross entropy, from the pre-trained weights",
}
PRETRAINED = {  # 5.14
    SCRATCH: "a classifier on the labelled images alone",
    "fine-tuned": "the pre-trained encoder, trained further on the labelled images",
    "frozen + SVM": "a support vector machine on the pre-trained codes at unit length",
}
SEMI = {  # 5.14, ways that use the unlabelled images a second time
    "M1+M2": "a variational autoencoder with the class as a latent, on the codes of another",
    "spread": "labels spread along neighbours of the codes of 5.4, then a classifier on all images, in rounds",
}
WIDE = PRETRAINED | SEMI
CALLED = {"spread": "label spreading"}  # a way, where it is not written as its numbers are called
SPREAD = "labels spread along neighbours"

Classes = dict[str, NDArray[np.int64]]  # set of images → the class of each
Way = Callable[[Images, int], Classes]
Accuracies = dict[str, dict[str, list[float]]]


def accuracies(ways: Mapping[str, Way], images: Images, judged: Mapping[str, Images], n: int, draws: int) -> Accuracies:
    """The accuracy of each way, way → set → one number for each draw of the labels.

    Args:
        ways: each is called with the images, of which `n` keep their label and the others have -1, and with the number of the
            draw; it returns the classes that it gives the images of some of the sets `judged`.
        images: all of which have a label.
        judged: sets of images, by name.
        n: how many images keep their label.
        draws: how often they are drawn.
    """
    found: Accuracies = {name: {} for name in ways}
    for draw in range(draws):
        few = images.keep_labels(n, draw)
        for name, way in ways.items():
            for part, classes in way(few, draw).items():
                found[name].setdefault(part, []).append(float((classes == judged[part].labels).mean()))
    return found


def tell(row: Row, found: Accuracies, hows: Mapping[str, str], n: int) -> str:
    """Write down and show the accuracies of the ways, by `hows` in words; returns the way that is best on validation images."""
    scratch, draws = found[SCRATCH]["test"], len(found[SCRATCH]["test"])
    for name, of in found.items():
        row.over(f"accuracy, {name}", of["test"], "share of test images", "draws of labels")
        row.over(f"validation accuracy, {name}", of["validation"], "share of validation images", "draws of labels")
        if name != SCRATCH:
            pair = f"accuracy, {less(name, SCRATCH)}"
            row.pair(pair, of["test"], scratch, "share of images", "draws of labels")
    best = best_way(row.found, hows)
    table = [
        (
            called(name),
            hows[name],
            100 * float(np.mean(of["validation"])),
            100 * float(np.mean(s := of["test"])),
            100 * float(np.std(s, ddof=1)),
            100 * min(s),
        )
        for name, of in found.items()
    ]
    row.table(
        f"Accuracy over {draws} draws of {n} labels: means, their standard deviation in percentage points, and the lowest. "
        f"On validation images {called(best)} is best.",
        ("way", "how", "validation, %", "test, %", "deviation", "lowest, %"),
        table,
    )
    lines = {name: row.numbers[f"accuracy, {name}"] for name in found}
    row.figure(
        "accuracy",
        figures.bars(
            {called(name): 100 * line["value"] for name, line in lines.items()},
            "test accuracy, %",
            {called(name): (100 * line["low"], 100 * line["high"]) for name, line in lines.items()},
        ),
        f"Test accuracy from {n} labels: means, with 95 % intervals over the draws of labels.",
    )
    return best


def called(name: str) -> str:
    """The name of a way as it is written."""
    return CALLED.get(name, name)


def best_way(n: Numbers, ways: Mapping[str, str]) -> str:
    """Of the ways to use labels, the one that is best on validation images."""
    return max(ways, key=lambda name: n[f"validation accuracy, {name}"].value)


def gains(n: Numbers, names: list[str]) -> dict[str, str]:
    """What each way reaches, and how much more than training from scratch, in words."""
    several = family({name: points(against(n, "accuracy", name, SCRATCH)) for name in names})
    return {
        name: d.say(
            more=f"{called(name)} {{a}} %, {{difference}} percentage points more",
            less=f"{called(name)} {{a}} %, {{difference}} percentage points less",
            neither=f"{called(name)} {{a}} %, {{different}}",
        )
        for name, d in several.items()
    }


def better(n: Numbers, names: list[str]) -> list[str]:
    """The ways that are surely better than training from scratch."""
    several = family({name: points(against(n, "accuracy", name, SCRATCH)) for name in names})
    return [name for name, d in several.items() if d.sure and d.value > 0]


def few_labels(n: Numbers) -> str:
    """5.4: what the usual ways gain over training from scratch, with a narrow code."""
    names = [name for name in NARROW if name != SCRATCH]
    helped = better(n, names)
    why = (
        f"Here the unlabelled images help: {joined(helped)}."
        if helped
        else "A narrow code is made to reconstruct images, not to distinguish digits. Pre-training it brings no significant "
        "gain here."
    )
    told = f"{_scratch(n)} With the unlabelled images: {_list(gains(n, names))}."
    return f"{told} {why} Row 5.14 uses a wide code and masks more."


def pretraining(n: Numbers) -> str:
    """5.14: what pre-training a wide masking autoencoder gains."""
    names = [name for name in PRETRAINED if name != SCRATCH]
    why = (
        "To fill in half of a digit, the encoder must learn which strokes belong together. The wide code can keep such "
        "features, and a hundred labels go further with them than with pixels."
        if len(better(n, names)) == len(names)
        else "At least one of these is no significant gain over training from scratch."
    )
    return f"{_scratch(n)} With the pre-trained encoder: {_list(gains(n, names))}. {why}"


def baselines(n: Numbers, narrow: Numbers) -> str:
    """5.14: all its ways against the classifier from scratch of 5.4, which is another network."""
    other = narrow[f"accuracy, {SCRATCH}"]
    several = family({name: points(difference(n[f"accuracy, {name}"], other)) for name in WIDE})
    said = [
        several[name].say(
            more=f"{called(name)} gains {{difference}} percentage points",
            less=f"{called(name)} loses {{difference}} percentage points",
            neither=f"{called(name)} {{differs}}",
        )
        for name in WIDE
        if name != SCRATCH
    ]
    lead = "The gain depends on the baseline: the" if several[SCRATCH].decision == "less" else "The"
    return (
        f"{lead} convolutional classifier of row 5.4 gets {100 * other.value:.1f} % right from scratch. Against that, "
        f"{'; '.join(said)}."
    )


def semi_supervised(n: Numbers) -> str:
    """5.14: what using the unlabelled images a second time gains."""
    names = list(SEMI)
    ahead = {name: points(between(n, f"accuracy, {name}", "accuracy, fine-tuned")) for name in names}
    why = (
        "Both place the boundaries between classes where few images lie. Features alone leave that to the hundred labels."
        if all(d.sure and d.value > 0 for d in family(ahead).values())
        else "At least one of the two is no significant gain over fine-tuning."
    )
    return (
        f"With the unlabelled images used a second time, against training from scratch: {_list(gains(n, names))}. The labels "
        f"spread along neighbours are correct for {100 * n[SPREAD].value:.1f} % of the training images. {why}"
    )


def _scratch(n: Numbers) -> str:
    return f"The classifier from scratch gets {100 * n[f'accuracy, {SCRATCH}'].value:.1f} % of the test images right."


def _list(said: Mapping[str, str]) -> str:
    return "; ".join(said.values())
