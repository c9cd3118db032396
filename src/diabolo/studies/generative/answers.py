"""The questions of the study `generative`, and their answers from the numbers of its rows."""

from collections.abc import Callable
from typing import NamedTuple

from diabolo.display import words as written
from diabolo.plain import percent
from diabolo.studies.engine.findings import from_nothing, signed
from diabolo.studies.generative.words import ALIKE, GROWN, Found, times


class Question(NamedTuple):
    """A question, the row that it is answered from, and the answer from what that row measured."""

    text: str
    row: str
    answer: Callable[[Found], str]


def size(f: Found) -> str:
    """2.1."""
    share, sides = (
        f["tiles that hold a training code"].value,
        (f["width of the map"].value, f["height of the map"].value),
    )
    much = (
        "so that part of the grid is decoded from where no image is"
        if share < 0.9
        else "so that nearly all of it is in use"
    )
    return (
        f"Only over what part of the plane to decode. The map of the first seed is {sides[0]:.1f} by {sides[1]:.1f} units "
        f"large, and {percent(share)} of the tiles over it hold a training image, {much}. The unit itself has no "
        "meaning: nothing "
        f"in the loss fixes it."
    )


def smallest(f: Found) -> str:
    """2.2."""
    n, pixels = f["smallest bottleneck that is enough"].value, f["pixels"].value
    return (
        f"{n:.0f} numbers for {pixels:.0f} pixels, by the rule of row 2.2. The decoder sees nothing of the image but "
        f"these."
    )


def varies(f: Found) -> str:
    """2.3."""
    once, far = (f[f"spread between draws, variance × {s}"].value for s in (1, 20))
    right = [f[f"draws read as the right class, variance × {s}"].value for s in (1, 20)]
    edges, pixels = (f[f"{what} at the edges of strokes"].value for what in ("variance", "pixels"))
    what = "Mainly the outlines of strokes" if edges > 1.5 * pixels else "The whole image, not the outlines alone"
    return (
        f"{what}: {percent(edges)} of the variance lies on the {percent(pixels)} of the pixels at edges of strokes. "
        "Draws from the "
        f"posterior of an image differ by {once:.3f} per pixel (root mean square), and by {far:.3f} at twenty times the "
        f"variance; {percent(right[0])} and {percent(right[1])} of them are read as its class."
    )


def decides(f: Found) -> str:
    """2.4."""
    asked, kept = f["read as the new label"].value, f["read as the old label"].value
    say = "Yes" if asked > 0.5 else "No" if kept > 0.5 else "Not alone"
    return (
        f"{say}: of images that were encoded under their own label and decoded under another, {percent(asked)} are read as the "
        f"new label and {percent(kept)} as the old one; of new samples {percent(f['read as asked'].value, 1)} are "
        "read as the digit "
        f"asked for."
    )


def gives(f: Found) -> str:
    """2.5."""
    spread, gain = f["variance between completions"], f["nats gained by the code"]
    truth = from_nothing(gain).say(
        more=f"the truth costs the VAE {gain.value:.2g} nats per image less than it costs the plain network",
        less=f"the truth costs the VAE {-gain.value:.2g} nats per image more than it costs the plain network",
        neither="the cost of the truth in nats per image {differs} between the two",
    )
    best, plain = f["error of the best"].value, f["error of the plain network"].value
    but = "and the best of its answers" if best < plain else "but even the best of its answers"
    return (
        f"More than one answer. Its completions of one quarter differ (variance {spread.value:.4f} per pixel that was not "
        f"given), where the plain network has a single answer, the mean; {truth}; "
        f"{but}, chosen knowing the truth, has an error of {best:.4f}, against {plain:.4f} for the plain network."
    )


def discrete(f: Found) -> str:
    """2.6."""
    ranges = "; ".join(_ranges(f, book) for book in ("moving averages", "codebook loss"))
    halves = {
        name: f[f"change of the error: {name}"].value for name in ("hidden width", "residual width", "residual layers")
    }
    told = ", ".join(f"the {name} {signed(change)}" for name, change in halves.items())
    real = (
        ""
        if max(halves.values()) > ALIKE
        else ", so that after so few steps the smaller networks are no worse"
        if min(halves.values()) < -ALIKE
        else ", which single trainings cannot distinguish from no change"
    )
    return (
        f"Each output of the encoder is replaced by the nearest of the codebook's vectors, so that an image is a map of "
        f"their numbers; {f['used codes'].value:.0f} are in use. Halving changes the test error: {told}{real}. Without the "
        f"commitment term only the copied gradient moves the encoder's outputs: {ranges}."
    )


def _ranges(f: Found, book: str) -> str:
    """What the outputs of the encoder do without the commitment term, for one way to learn the codebook."""
    held, free = (f[f"encoder outputs, root mean square: {book}{end}"].value for end in ("", ", no commitment"))
    spans = [
        " to ".join(written(f[f"encoder outputs, {q}: {book}{end}"].value) for q in ("1 %", "99 %"))
        for end in ("", ", no commitment")
    ]
    ratio = free / held
    grown = (
        f"grow to {times(ratio)} times the size"
        if ratio > GROWN
        else f"shrink to {ratio:.2f} of the size"
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
        "without the commitment term?",
        "2.6",
        discrete,
    ),
)
