"""What the study `generative` says of Deliverable 6: a VQ-VAE with and without commitment, and its parts."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from diabolo.plain import percent
from diabolo.statistics import Estimate
from diabolo.studies.engine.findings import Difference, Measured, between, family, joined

Found = Mapping[str, Measured]
ALIKE = (
    0.05  # relative difference of two trainings below which nothing is made of it where there is one training of each
)
GROWN = 1.5  # factor from which on the range of the encoder's outputs, or of the codebook, is said to have changed
WITHOUT = ", no commitment"


def commitment(f: Found, books: Iterable[str]) -> str:
    """With and without the commitment term: the size of the encoder's outputs, their distance from the codes, the error."""
    listed, ratios, worse = [], [], []
    for book in books:
        (held, free), (near, nearer), (error, lost) = (
            [f[f"{what}: {book}{end}"].value for end in ("", WITHOUT)]
            for what in (
                "encoder outputs, root mean square",
                "distance from the codes",
                "test error over variance",
            )
        )
        ratios.append(free / held)
        worse.append(lost / error)
        listed.append(
            f"with {book} their root mean square is {times(free)} against {times(held)}, their squared distance from the codes "
            f"is {percent(nearer, 1)} of their mean square against {percent(near, 1)}, and the test error is "
            f"{times(lost / error)} times that with it"
        )
    told = (
        f"Without the commitment term the encoder's outputs change as follows (one training each): {'; '.join(listed)}."
    )
    if max(ratios) > GROWN:
        told += (
            " The reconstruction reaches the encoder only through the copied gradient, that at the code, whatever the distance "
            "of the output. While the two disagree it can push an output the same way at step after step. The steps "
            "accumulate, nothing pulls the output back, and the codes follow it. That is the likely cause of the growth; no "
            "experiment here isolates it."
        )
        if max(worse) > 1 + ALIKE:
            told += (
                " The larger error has a rival cause: the learning rate was chosen with commitment, and inputs of this size "
                "reach the decoder. Reconstructions without the term look grey and blocky where their error is several times "
                "as large."
            )
    elif min(ratios) < 1 / GROWN:
        told += " The term does not keep outputs small; it draws them to their codes, wherever those lie."
    else:
        told += " In this many steps they keep their range, although nothing in the loss holds them."
    return told


def times(ratio: float) -> str:
    """5.1, 77,000, or 3.8 · 10⁷."""
    if ratio < 1e6:
        return f"{ratio:.1f}" if ratio < 100 else f"{float(f'{ratio:.2g}'):,.0f}"
    digits, _, power = f"{ratio:.1e}".partition("e+")
    return f"{digits} · 10{str(int(power)).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def codebooks(f: Found, book: str) -> str:
    """The codebook map with commitment beside that without it."""
    (held, free), (used, left), (flat, flatter), (even, evener) = (
        [f[f"{what}: {book}{end}"].value for end in ("", WITHOUT)]
        for what in (
            "codebook, root mean square",
            "perplexity",
            "codebook, variance in two directions",
            "codebook, variance in two directions at unit length",
        )
    )
    size = (
        f"Without commitment the codebook spreads {times(free / held)} times as far"
        if free > GROWN * held
        else f"Without commitment the codebook shrinks to {percent(free / held)} of its size"
        if free < held / GROWN
        else "Without commitment the codebook keeps its size"
    )
    told = (
        f"{size}, and the perplexity is {left:.0f} instead of {used:.0f}. Two directions hold {percent(flatter)} of the "
        f"variance of its vectors instead of {percent(flat)}; of vectors scaled to unit length, {percent(evener)} instead of "
        f"{percent(even)}. "
    )
    if flatter <= flat + ALIKE:
        return f"{told}Both codebooks spread over about as many directions."
    if evener > even + ALIKE:
        return f"{told}So the codes point in fewer directions, whatever their length."
    return f"{told}So a few long vectors dominate the variance; the directions of the codes are no fewer."


def relative_distance(outputs: NDArray[np.float32], vectors: NDArray[np.float32]) -> float:
    """The mean squared distance of the outputs (N, D) from the nearest of the vectors (K, D), over their mean square."""
    x, y = outputs.astype(np.float64), vectors.astype(np.float64)
    squared = [cdist(few, y, "sqeuclidean").min(1).sum() for few in np.array_split(x, len(x) // 10_000 + 1)]
    return float(sum(squared) / np.square(x).sum())


def in_two_directions(vectors: NDArray[np.float32]) -> float:
    """The share of the variance of the vectors (K, D) in their first two principal components."""
    variance = np.linalg.eigvalsh(np.cov(vectors, rowvar=False))
    return float(variance[-2:].sum() / variance.sum())


class Half(NamedTuple):
    """A network of which one part is halved.

    Attributes:
        parameters: its share of the whole network's.
        sees: pixels across that one code depends on.
    """

    parameters: float
    sees: int


def against_whole(f: Found, parts: Iterable[str]) -> dict[str, Difference]:
    """The test errors with half of each part against that of the whole network, as one family of comparisons."""
    return family({part: between(f, f"error: half the {part}", "error: whole") for part in parts})


def change(f: Found, part: str) -> Estimate | None:
    """The relative change of the test error with half of that part, with its error; None where that is not known."""
    whole, found = f["error: whole"].value, between(f, f"error: half the {part}", "error: whole").estimate
    return None if found is None else Estimate(found.value / whole, found.error / whole, found.df)


def changed(f: Found, part: str) -> str:
    """It in words: "+7.3 ± 1.5 %"."""
    found = change(f, part)
    assert found is not None, "of several seeds"
    half = found.interval()[1] - found.value
    return f"{100 * found.value:+.1f} ± {100 * half:.1f} %".replace("-", "−")


def halved(f: Found, halves: Mapping[str, Half], whole: Half) -> str:
    """What halving each part does to the test error, after the same steps and over the same seeds; and what each part is."""
    changes = against_whole(f, halves)
    listed = [f"{part} {changed(f, part)}" for part in halves]
    told = f"Change of the test error when one part is halved, in encoder and decoder together: {', '.join(listed)}."
    worse = [part for part in halves if changes[part].sure and changes[part].value > 0]
    better = [part for part in halves if changes[part].sure and changes[part].value < 0]
    if better:
        told += f" With half the {joined(better)} the error is lower: after so few steps the larger network is not yet ahead."
    told += (
        f" Significant: half the {joined(worse)}."
        if worse
        else " No halving raises the error significantly, so these steps do not show what the parts are for."
    )
    roles = " ".join(role(part, halves[part], whole) for part in halves)
    width, layers = (f"error: half the residual {what}" for what in ("width", "layers"))
    fair = between(f, layers, width).say(
        more="Half the residual layers cost more than half the residual width ({a} against {b}).",
        less="Half the residual layers cost less than half the residual width ({a} against {b}).",
        neither="The errors with half the residual layers ({a}) and half the residual width ({b}) {differ}.",
    )
    return f"{told} {roles} {fair}"


def role(part: str, half: Half, whole: Half) -> str:
    """What that part is, and what halving it removes."""
    gone = percent(1 - half.parameters)
    if part == "hidden width":
        return (
            f"The hidden width is the number of channels of every map: halving it removes {gone} of the parameters, and every "
            "layer carries half as many features."
        )
    if part == "residual width":
        return (
            f"The residual width is the number of channels inside each residual block: halving it removes {gone} of the "
            f"parameters, and one code still depends on {half.sees} pixels across."
            if half.sees == whole.sees
            else f"The residual width is the number of channels inside each residual block: halving it removes {gone} of the "
            f"parameters, and one code depends on {half.sees} pixels across instead of {whole.sees}."
        )
    depth = f"The residual layers are depth: halving them removes {gone} of the parameters and one nonlinear step"
    if half.sees < whole.sees:
        return f"{depth}, and one code depends on {half.sees} pixels across instead of {whole.sees}."
    return f"{depth}."
