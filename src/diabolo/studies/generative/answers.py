"""The questions of the study `generative`, and their answers from the numbers of its rows."""

from collections.abc import Callable
from typing import NamedTuple

from diabolo.display import words as written
from diabolo.plain import count, percent
from diabolo.studies.engine.findings import from_nothing, joined
from diabolo.studies.generative import words
from diabolo.studies.generative.completing import CONDITIONAL, PLAIN
from diabolo.studies.generative.quantising import GROWN, WITHOUT, against_whole, changed, times
from diabolo.studies.generative.words import ROOM, Found


class Question(NamedTuple):
    """A question, the row that it is answered from, and the answer from what that row measured."""

    text: str
    row: str
    answer: Callable[[Found], str]


def size(f: Found) -> str:
    """2.1."""
    sides = f["width of the map"].value, f["height of the map"].value
    by_steps, by_quantiles = (f[f"classes that {grid} shows"].value for grid in ("a grid of equal steps", "the grid"))
    return (
        f"It tells over which part of the plane to decode, and no more. The middle 98 % of the codes of the first seed span "
        f"{sides[0]:.1f} by {sides[1]:.1f} units, but nothing in the loss fixes the unit. What matters is where the codes are "
        f"dense: a grid of equal steps over the map shows {by_steps:.0f} classes, one by quantiles of the codes "
        f"{by_quantiles:.0f}, and {f['tiles that hold 95 % of the codes'].value:.0f} of its tiles hold 95 % of them."
    )


def smallest(f: Found) -> str:
    """2.2."""
    n, pixels = int(f["smallest bottleneck that is enough"].value), f["pixels"].value
    errors = {int(name.split()[2]): one.value for name, one in f.items() if name.startswith("test error, ")}
    narrower = [size for size in errors if size < n]
    before = f"; {max(narrower)} numbers: {written(errors[max(narrower)])}" if narrower else ""
    return (
        f"{count(n, 'number')} for {pixels:.0f} pixels, by this rule: the smallest of the sizes tried whose error is within "
        f"{percent(ROOM)} of the best. The error is {written(errors[n])} (best: {written(min(errors.values()))}{before}; one "
        "short training each). The decoder sees nothing of the image but these."
    )


def varies(f: Found) -> str:
    """2.3."""
    once, far = (f[f"spread between draws, variance × {s}"].value for s in (1, 20))
    right = [f[f"draws read as the right class, variance × {s}"].value for s in (1, 20)]
    return (
        f"{words.where_draws_vary(f)} The standard deviation between draws is {once:.3f} per pixel, and {far:.3f} at twenty "
        f"times the variance of the posterior. The classifier reads {percent(right[0])} and {percent(right[1])} of the draws "
        "as the class of the image."
    )


def decides(f: Found) -> str:
    """2.4."""
    new, old = (f[f"read as the {which} label: one-hot"].value for which in ("new", "old"))
    say = "Yes" if new > 0.5 else "No" if old > 0.5 else "Not alone"
    return (
        f"{say}. Of images encoded under their own label and decoded under another, {percent(new, 1)} are read as the new "
        f"label and {percent(old, 1)} as the old one. Of new samples, {percent(f['read as asked: one-hot'].value, 1)} are read "
        f"as the digit asked for with one-hot labels and {percent(f['read as asked: embedded'].value, 1)} with embedded ones."
    )


def gives(f: Found) -> str:
    """2.5."""
    spread = f[f"variance between completions: {CONDITIONAL}"].value
    truth = from_nothing(f["nats gained by the code"]).say(
        more="It assigns the original a negative log-likelihood (a cross entropy) that is lower by {difference} nats per "
        "image.",
        less="It assigns the original a negative log-likelihood (a cross entropy) that is higher by {difference} nats per "
        "image.",
        neither="The cross entropies of the original in nats per image {differ}.",
    )
    best, plain = f[f"error of the best: {CONDITIONAL}"].value, f[f"error of one: {PLAIN}"].value
    but = "The best of its answers" if best < plain else "Even the best of its answers"
    return (
        f"More than one answer. Its completions of one quarter differ (variance {spread:.4f} per pixel that was not given), "
        f"whereas the plain network has a single answer, the mean. {truth} {but}, selected by comparison with the original, "
        f"has an error of {best:.4f}, against {plain:.4f} for the plain network."
    )


def discrete(f: Found) -> str:
    """2.6."""
    ranges = "; ".join(_ranges(f, book) for book in ("moving averages", "codebook loss"))
    halves = ("hidden width", "residual width", "residual layers")
    told = ", ".join(f"the {part} {changed(f, part)}" for part in halves)
    changes = against_whole(f, halves)
    sure = [part for part in halves if changes[part].sure and changes[part].value > 0]
    rest = [part for part in halves if part not in sure]
    real = (
        f"The rises for the {joined(sure)} are significant"
        + (f"; for the {joined(rest)} no significant rise is shown." if rest else ".")
        if sure
        else "None of these rises is significant."
    )
    return (
        f"Each output of the encoder is replaced by the nearest vector of the codebook, so an image becomes a map of indices. "
        f"The perplexity of {f['used codes'].value:.0f} codes in use is {f['perplexity'].value:.0f}. The hidden width is the "
        f"number of features everywhere, the residual width the number inside a residual block, and the residual layers are "
        f"depth. Halving each changes the test error: {told}. {real} Without the commitment term only the copied gradient "
        f"moves the encoder's outputs: {ranges}. That gradient ignores the distance to the code, so its steps can accumulate: "
        "the likely reason where outputs grow."
    )


def _ranges(f: Found, book: str) -> str:
    """What the outputs of the encoder do without the commitment term, for one way to learn the codebook."""
    held, free = (f[f"encoder outputs, root mean square: {book}{end}"].value for end in ("", WITHOUT))
    spans = [
        " to ".join(written(float(f"{f[f'encoder outputs, {q}: {book}{end}'].value:.2g}")) for q in ("1 %", "99 %"))
        for end in ("", WITHOUT)
    ]
    ratio = free / held
    grown = (
        f"grow to {times(ratio)} times the size"
        if ratio > GROWN
        else f"shrink to {percent(ratio)} of the size"
        if ratio < 1 / GROWN
        else "keep about their size in so many steps"
    )
    return f"with {book} they {grown} (98 % of them from {spans[1]}, against {spans[0]} with it)"


QUESTIONS = (
    Question("What does the size of the 2-D map tell about the decoded grid?", "2.1", size),
    Question("How small may the denoiser's bottleneck be?", "2.2", smallest),
    Question("What varies when one image is encoded repeatedly, and at twenty times the variance?", "2.3", varies),
    Question("Does the condition, not the code, decide the digit?", "2.4", decides),
    Question("What can the conditional VAE give that one deterministic network cannot?", "2.5", gives),
    Question(
        "How does the quantiser make a discrete code, what do hidden width, residual width and depth do, and what happens "
        "without the commitment term, and why?",
        "2.6",
        discrete,
    ),
)
