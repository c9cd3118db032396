"""What the study `generative` says of Deliverable 6: a VQ-VAE with and without commitment, its parts, and its curves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from diabolo.display import words as written
from diabolo.metrics import Jump, jumps
from diabolo.plain import count, percent
from diabolo.runs.history import History
from diabolo.runs.loading import Run
from diabolo.studies.engine.findings import Difference, Measured, between, family, joined, signed
from diabolo.training.stepping import LR_SCHEDULES

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
    """5.1, or 243,000."""
    return f"{ratio:.1f}" if ratio < 100 else f"{float(f'{ratio:.3g}'):,.0f}"


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


class Rise(NamedTuple):
    """A jump of a training curve, with what was logged beside it.

    Attributes:
        jump: of the loss.
        steps: of the lowest value before, of the peak, and of the return; None where there is none.
        rate: the learning rate at the first point of the rise, as a share of its peak.
        before, at: terms of the loss and what was watched beside it, at the lowest point and at the peak.
    """

    jump: Jump
    steps: tuple[int, int, int | None]
    rate: float
    before: Mapping[str, float]
    at: Mapping[str, float]


def points(run: Run) -> History:
    """The training loss of `run` within epochs, or by epoch where it is shorter than that."""
    return run.folder.steps or run.history


def rises(run: Run, by: float) -> list[Rise]:
    """The jumps of the training loss of `run`."""
    lines = points(run)
    options, last = run.config.options, run.history[-1]["step"]
    rate = LR_SCHEDULES[options["schedule"]](options["lr"])
    found = []
    for jump in jumps([line["train"]["total"] for line in lines], by):
        low, peak = lines[jump.lowest], lines[jump.peak]
        steps = low["step"], peak["step"], None if jump.back is None else lines[jump.back]["step"]
        share = rate(lines[jump.first]["step"] / last) / options["lr"]
        found.append(Rise(jump, steps, share, low["train"], peak["train"]))
    return found


def jumped(name: str, rises: Sequence[Rise], every: int, by: float) -> str:
    """The largest jump of a training curve, explained by what was logged where it jumps."""
    title = f"{name[0].upper()}{name[1:]}"
    if not rises:
        return (
            f"{title}: the training loss, averaged over {count(every, 'step')} at a time, never rises to more than {by:g} "
            "times its lowest value so far."
        )
    rise = max(rises, key=lambda one: one.jump.times)
    low, peak, back = rise.steps
    how_many = "jumps once" if len(rises) == 1 else f"jumps {len(rises)} times"
    largest = "" if len(rises) == 1 else ", in the largest jump"
    after = f"is back below {by:g} times that value at step {back:,}" if back is not None else "stays up to the end"
    told = (
        f"{title}: the training loss {how_many}{largest} from its lowest value at step {low:,} to {times(rise.jump.times)} "
        f"times as much at step {peak:,}, and {after}. The rise begins at {percent(rise.rate)} of the peak learning rate."
    )
    worse = rise.at["reconstruction"] / rise.before["reconstruction"]
    told += (
        f" The reconstruction error grows {times(worse)}-fold with it."
        if worse > GROWN
        else " The reconstruction error does not rise with it, only the distance of outputs and codes."
    )
    grown = rise.at["commitment"] / max(rise.before["commitment"], 1e-12)
    lost = rise.at["perplexity"] / rise.before["perplexity"]
    if grown > GROWN and lost < 1 / GROWN:
        why = (
            f"The distance of the outputs from their codes grows {times(grown)}-fold and the perplexity falls from "
            f"{rise.before['perplexity']:.0f} to {rise.at['perplexity']:.0f}: the encoder moves faster than the codebook "
            "follows, so many outputs share few codes, until restarted codes cover the new outputs."
        )
    elif grown > GROWN:
        why = (
            f"The distance of the outputs from their codes grows {times(grown)}-fold, while the perplexity hardly changes: the "
            "encoder moves faster than the codebook follows."
        )
    elif lost < 1 / GROWN:
        why = (
            f"The perplexity falls from {rise.before['perplexity']:.0f} to {rise.at['perplexity']:.0f}, while the outputs stay "
            "near their codes: codes fall out of use, and images lose what these stood for."
        )
    else:
        why = (
            "Neither the distance of the outputs from their codes nor the perplexity changes much, so the jump comes from the "
            "decoder: steps of this size overshoot."
        )
    return f"{told} {why}"
