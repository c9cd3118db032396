"""What the study `generative` says of Deliverable 6: a VQ-VAE with and without commitment, and its parts."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from diabolo.display import words as written
from diabolo.plain import percent
from diabolo.studies.engine.findings import Difference, Measured, between, family, joined, signed

Found = Mapping[str, Measured]
ALIKE = (
    0.05  # relative difference of two trainings below which nothing is made of it where there is one training of each
)
GROWN = 1.5  # factor from which on the range of the encoder's outputs, or of the codebook, is said to have changed
WITHOUT = ", no commitment"


def commitment(book: str, rms: tuple[float, float], error: tuple[float, float]) -> str:
    """With and without the commitment term: the root mean square of the encoder's outputs, and the test error."""
    (held, free), (with_it, without) = rms, error
    ratio, worse = free / held, without / with_it - 1
    rms_of = f"root mean square {written(free)} against {written(held)}"
    if ratio > GROWN:
        told = (
            f"Without the commitment term the encoder's outputs are {times(ratio)} times as large ({rms_of}). The "
            "reconstruction reaches the encoder only through the copied gradient, which does not depend on how far an output "
            "lies from its code. Nothing holds the outputs back, and the codes follow them."
        )
    elif ratio < 1 / GROWN:
        told = (
            f"Without the commitment term the encoder's outputs are {times(1 / ratio)} times smaller ({rms_of}). The term does "
            "not keep them small; it draws them to their codes, wherever those lie."
        )
    else:
        told = (
            f"Without the commitment term the encoder's outputs keep their range ({rms_of}). In this many steps they do not "
            "run away from the codes, although nothing in the loss holds them."
        )
    loss = (
        f"The test error is {times(without / with_it)} times as large without it"
        if worse > 1
        else f"The test error is {percent(abs(worse))} {'higher' if worse > 0 else 'lower'} without it"
        if abs(worse) > ALIKE
        else f"The test error is much the same ({signed(worse, 1)} without it)"
    )
    return f"{book[0].upper()}{book[1:]}: {told[0].lower()}{told[1:]} {loss} (one training each)."


def times(ratio: float) -> str:
    """5.1, 77,000, or 3.8 · 10⁷."""
    if ratio < 1e6:
        return f"{ratio:.1f}" if ratio < 100 else f"{float(f'{ratio:.2g}'):,.0f}"
    digits, _, power = f"{ratio:.1e}".partition("e+")
    return f"{digits} · 10{str(int(power)).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def codebooks(f: Found, book: str) -> str:
    """The codebook map with commitment beside that without it."""
    held, free = (f[f"codebook, root mean square: {book}{end}"].value for end in ("", WITHOUT))
    used, left = (f[f"used codes: {book}{end}"].value for end in ("", WITHOUT))
    flat, flatter = (f[f"codebook, variance in two directions: {book}{end}"].value for end in ("", WITHOUT))
    size = (
        f"Without commitment the codebook spreads {times(free / held)} times as far"
        if free > GROWN * held
        else f"Without commitment the codebook shrinks to {percent(free / held)} of its size"
        if free < held / GROWN
        else "Without commitment the codebook keeps its size"
    )
    return (
        f"{size} (root mean square {written(free)} against {written(held)}), {left:.0f} codes are in use instead of "
        f"{used:.0f}, and two directions hold {percent(flatter)} of its variance instead of {percent(flat)}. "
        + (
            "Codes that spread along fewer directions differ in size more than in kind, so the decoder can tell fewer of them "
            "apart."
            if flatter > flat + ALIKE
            else "Both codebooks spread over about as many directions."
        )
    )


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


def halved(f: Found, halves: Mapping[str, Half], whole: Half) -> str:
    """What halving each part does to the test error, after the same steps and over the same seeds."""
    changes = against_whole(f, halves)
    listed = [f"{part} {signed(changes[part].value / f['error: whole'].value, 1)}" for part in halves]
    told = f"Change of the test error when one part is halved: {', '.join(listed)}."
    worse = [part for part in halves if changes[part].sure and changes[part].value > 0]
    better = [part for part in halves if changes[part].sure and changes[part].value < 0]
    if better:
        told += f" With half the {joined(better)} the error is lower: after so few steps the larger network is not yet ahead."
    if not worse:
        return f"{told} No halving raises the error significantly, so these steps do not show what the parts are for."
    return " ".join([told, *(role(part, halves[part], whole) for part in worse)])


def role(part: str, half: Half, whole: Half) -> str:
    """Why halving that part costs what it costs, from what else it changes."""
    gone = percent(1 - half.parameters)
    sees = f"one code sees {half.sees} pixels across instead of {whole.sees}"
    if part == "hidden width":
        return (
            f"The hidden width is the number of channels of every map: halving it takes {gone} of the parameters, and every "
            "layer carries half as many features, those of the downsampling among them."
        )
    if part == "residual width":
        return (
            f"The residual width is the bottleneck inside each residual block: halving it takes {gone} of the parameters and "
            f"leaves what one code sees at {half.sees} pixels, so each block has fewer features by which to adjust a place to "
            "its surroundings."
        )
    if half.sees < whole.sees:
        return (
            f"The residual layers are depth: with half of them, {sees}, and {gone} of the parameters are gone. Each block lets "
            "a place take more of its surroundings into account, and bends the features once more."
        )
    return f"The residual layers are depth: halving them takes {gone} of the parameters and one non-linear correction."
