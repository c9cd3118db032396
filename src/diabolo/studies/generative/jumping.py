"""What the study `generative` says of training curves that jump: what rose and fell there, and in which order."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import find_peaks

from diabolo.metrics import jumps
from diabolo.plain import count, percent
from diabolo.runs.history import History
from diabolo.runs.loading import Run
from diabolo.studies.engine.findings import joined
from diabolo.studies.engine.row import Row
from diabolo.studies.generative.quantising import times
from diabolo.training.stepping import LR_SCHEDULES

TERMS = {
    "reconstruction": "the reconstruction error",
    "commitment": "the distance of the outputs from their codes",
    "perplexity": "the perplexity",
}
FALLS = "perplexity"  # the term that falls where it goes wrong; the others rise
AT_PEAK = 0.9  # share of the peak learning rate from which on a rise is said to begin near it


class Event(NamedTuple):
    """What one term does during a rise.

    Attributes:
        before, at: its value at the lowest point of the loss, and the furthest from that during the rise.
        onset, step: where it has first changed by as much as makes a jump, and where it is furthest.
    """

    before: float
    at: float
    onset: int
    step: int


class Rise(NamedTuple):
    """A jump of a training curve.

    Attributes:
        times: the loss at its peak over the lowest before.
        steps: of the lowest value before, of the first point that is too high, of the peak, and of the return; None where
            there is none.
        rate: the learning rate where the rise begins, as a share of its peak.
        peaks: steps of the separate peaks, between which the loss falls by as much as makes a jump.
        events: by term, those that change by as much as makes a jump.
    """

    times: float
    steps: tuple[int, int, int, int | None]
    rate: float
    peaks: tuple[int, ...]
    events: Mapping[str, Event]


def points(run: Run) -> History:
    """The training loss of `run` within epochs, or by epoch where it is shorter than that."""
    return run.folder.steps or run.history


def rises(run: Run, by: float) -> list[Rise]:
    """The jumps of the training loss of `run`, each with all that was logged from its lowest point to one point after its
    return."""
    lines = points(run)
    options, last = run.config.options, run.history[-1]["step"]
    rate = LR_SCHEDULES[options["schedule"]](options["lr"])
    steps, total = [line["step"] for line in lines], np.array([line["train"]["total"] for line in lines])
    found = []
    for jump in jumps(total, by):
        end = len(lines) if jump.back is None else jump.back + 1
        back = None if jump.back is None else steps[jump.back]
        share = rate(steps[jump.first] / last) / options["lr"]
        inside = np.log(total[jump.lowest : end])
        high, _ = find_peaks(inside, prominence=math.log(by))
        peaks = sorted({jump.peak, *(jump.lowest + high).tolist()})
        during = lines[jump.lowest : end + 1]
        events = {term: event(during, term, by) for term in TERMS}
        found.append(
            Rise(
                jump.times,
                (steps[jump.lowest], steps[jump.first], steps[jump.peak], back),
                share,
                tuple(steps[i] for i in peaks),
                {term: one for term, one in events.items() if one is not None},
            )
        )
    return found


def event(lines: History, term: str, by: float) -> Event | None:
    """What `term` does in `lines`, the first of which is the lowest point of the loss; None where it changes by less than a
    factor of `by`."""
    values = np.array([line["train"][term] for line in lines])
    change = values[0] / np.maximum(values, 1e-12) if term == FALLS else values / max(values[0], 1e-12)
    over = np.flatnonzero(change > by)
    if not len(over):
        return None
    most = int(change.argmax())
    return Event(float(values[0]), float(values[most]), lines[int(over[0])]["step"], lines[most]["step"])


def note(row: Row, name: str, found: Sequence[Rise], by: float) -> None:
    """Write down every number that `jumped` says."""
    row.number(f"jumps: {name}", len(found), f"rises to more than {by:g} times the lowest loss so far")
    for i, rise in enumerate(found):
        jump = f"jump {i + 1}: {name}"
        row.number(jump, rise.times, "times the lowest loss before")
        row.number(f"{jump}, learning rate", rise.rate, "share of the peak learning rate")
        for what, step in zip(("lowest", "first", "peak", "return"), rise.steps, strict=True):
            if step is not None:
                row.number(f"{jump}, {what}", step, "step")
        for n, step in enumerate(rise.peaks):
            row.number(f"{jump}, separate peak {n + 1}", step, "step")
        for term, one in rise.events.items():
            for what, value, unit in (
                ("before", one.before, "as in the loss"),
                ("furthest", one.at, "as in the loss"),
                ("begins to change", one.onset, "step"),
                ("is furthest", one.step, "step"),
            ):
                row.number(f"{jump}, {term}, {what}", value, unit)


def calm(names: Sequence[str], every: int, by: float) -> str:
    """The trainings whose loss never jumps."""
    return (
        f"No jump in {count(len(names), 'training')} ({joined(names)}): the training loss, averaged over "
        f"{count(every, 'step')} at a time, never rises to more than {by:g} times its lowest value so far."
    )


def jumped(name: str, rises: Sequence[Rise], by: float, variance: float) -> str:
    """The largest jump of a training curve: what happened, in which order, and what that order suggests. `variance` is the
    reconstruction error of a constant image."""
    rise = max(rises, key=lambda one: one.times)
    low, first, peak, back = rise.steps
    how_many = "rises once," if len(rises) == 1 else f"rises {len(rises)} times, most"
    until = f"until step {back:,}" if back is not None else "to the end"
    told = (
        f"{name[0].upper()}{name[1:]}: the training loss {how_many} from its minimum at step {low:,} to {times(rise.times)} "
        f"times that value at step {peak:,}. It remains above {by:g} times its minimum from step {first:,} {until}"
    )
    if len(rise.peaks) > 1:
        told += f", with separate peaks at steps {joined([f'{step:,}' for step in rise.peaks])}"
    told += f". The rise begins at {percent(rise.rate)} of the peak learning rate."
    if not rise.events:
        return f"{told} Neither the reconstruction error nor the distance nor the perplexity changes {by:g}-fold."
    ordered = sorted(rise.events.items(), key=lambda item: (item[1].onset, list(TERMS).index(item[0])))
    told += f" These change more than {by:g}-fold, in this order: {'; '.join(_told(*item) for item in ordered)}."
    error = rise.events.get("reconstruction")
    if error is None:
        told += " The reconstruction error does not rise with them."
    elif error.at > variance:
        told += (
            f" At its worst the reconstruction error is {times(error.at / variance)} times the variance of the images: a "
            "constant image would be better."
        )
    if "commitment" in rise.events and rise.events["commitment"].at > 1e3 * rise.events["commitment"].before:
        told += " The distance grows mainly because the outputs themselves grow."
    return f"{told} {_suggests(rise)} No experiment here tests that."


def _told(term: str, one: Event) -> str:
    if term == FALLS:
        return f"{TERMS[term]} falls from step {one.onset:,} on (from {one.before:.0f} to {one.at:.0f} at step {one.step:,})"
    many = times(one.at / max(one.before, 1e-12))
    return f"{TERMS[term]} rises from step {one.onset:,} on ({many} times its value before at step {one.step:,})"


def _suggests(rise: Rise) -> str:
    onsets = {term: one.onset for term, one in rise.events.items()}
    first = min(onsets.values())
    if onsets.get("reconstruction") == first:
        near = " near the peak of the learning rate" if rise.rate >= AT_PEAK else ""
        return (
            f"No other term changes before the reconstruction error, so a step of the optimiser that overshoots{near} is the "
            "likely cause."
        )
    if onsets.get("commitment") == first:
        return (
            "The outputs move away from their codes before the reconstruction fails, so an encoder that moves faster than the "
            "codebook follows is a likely cause."
        )
    return "Codes fall out of use first, so lost codes are a likely cause."
