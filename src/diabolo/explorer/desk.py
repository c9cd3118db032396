"""What one page has chosen, and what follows from it: the codes and images that are shown. It knows no browser."""

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError
from diabolo.explorer.explored import Explored, Floats, Pixels
from diabolo.explorer.lanes import Lane
from diabolo.explorer.pixels import difference
from diabolo.explorer.state import Place, State

log = logging.getLogger("diabolo.explorer")
FINE = 65  # codes on a way, of which one is shown


class Follower(Protocol):
    """A part of the page."""

    def follow(self, old: State | None, new: State) -> None:
        """Show what has changed; all of it where `old` is None."""
        ...


@runtime_checkable
class Glancer(Protocol):
    """A part of the page that follows the hand while it moves."""

    def glance(self, code: Floats) -> None:
        """Show the code (D,)."""
        ...


@dataclass(frozen=True)
class Shown:
    """What is decoded.

    Attributes:
        original: the test image, or the picture that was brought along, where the code is that of one.
        codes: of each run, (D,).
        images: of each run, (*shape).
        differences: of each further run from the first.
    """

    original: NDArray[Any] | None
    codes: tuple[Floats, ...]
    images: tuple[Pixels, ...]
    differences: tuple[NDArray[np.float32], ...]


class Desk:
    """One page.

    Args:
        runs: what is explored, the first the one whose map is shown.
        state: what is chosen to begin with.
        quick, slow: where pictures are worked out: those that follow the hand, and those that may take a while.
        post: lets a function be called when the page can be changed.
        key: by which the browser asks for pictures and figures of this page.

    Example:
        >>> lane = diabolo.explorer.lanes.Lane()
        >>> run = diabolo.explorer.explored.Explored("mine", model, train, test)
        >>> desk = diabolo.explorer.desk.Desk([run], diabolo.explorer.state.State(), lane, lane, lambda call: call())
        >>> desk.change(shown=diabolo.explorer.state.Place(image=3))
        >>> desk.shown().images[0].shape
        (1, 8, 8)
    """

    def __init__(
        self,
        runs: Sequence[Explored],
        state: State,
        quick: Lane,
        slow: Lane,
        post: Callable[[Callable[[], None]], object],
        key: str = "",
    ) -> None:
        self.runs, self.state, self.quick, self.slow, self.post = list(runs), state, quick, slow, post
        self.key = key
        self.brought: dict[str, NDArray[Any]] = {}  # pin → a picture that is no test image
        self._followers: list[Follower] = []
        self._closed = False
        self._asked, self._latest = 0, dict[tuple[Hashable, bool], int]()  # jobs so far, the last of each key and lane

    @property
    def first(self) -> Explored:
        """The run whose map is shown."""
        return self.runs[0]

    def join(self, follower: Follower) -> None:
        """Let a part of the page follow what is chosen."""
        self._followers.append(follower)

    def glance(self, code: Floats) -> None:
        """Let the decoder show `code` (D,) of the first run, and what is added to it, while nothing else changes: the hand
        is still moving."""
        for follower in self._followers:
            if isinstance(follower, Glancer):
                follower.glance(code)

    def begin(self) -> None:
        """Show all of it."""
        for follower in self._followers:
            follower.follow(None, self.state)

    def change(self, **chosen: Any) -> None:
        """Choose something else. What no model can show is said where it would be seen."""
        old, new = self.state, replace(self.state, **chosen)
        if new == old:
            return
        self.state = new
        for follower in self._followers:
            follower.follow(old, new)

    def later(self, key: Hashable, job: Callable[[], Any], show: Callable[[Any], None], slow: bool = False) -> None:
        """Work something out beside the page, and show it: `show` gets what `job` gave, or a sentence where it could not be
        done. Of the jobs of one key only the latest is done, and a slow one is not shown after a quick one that was asked for
        later, nor the other way round."""
        self._asked += 1
        number = self._latest[key, slow] = self._asked

        def guarded() -> Any:
            try:
                return job()
            except DiaboloError as error:
                return str(error)
            except Exception as error:
                log.exception("a picture of the page could not be made")
                return f"this cannot be shown ({type(error).__name__}); the terminal says more"

        def deliver(found: Any) -> None:
            if not self._closed and self._latest.get((key, not slow), 0) < number:
                show(found)

        def done(found: Any) -> None:
            if not self._closed:
                self.post(partial(deliver, found))

        lane = self.slow if slow else self.quick
        lane.submit((id(self), key), guarded, done)

    def close(self) -> None:
        """The page is closed: nothing more is worked out for it, and what still is comes to nobody."""
        self._closed = True
        self._followers.clear()
        for lane in (self.quick, self.slow):
            lane.drop(id(self))

    @property
    def asked(self) -> int | None:
        """The test image whose class, or whatever else the model is given, is meant where nobody names one; None for none."""
        place = self.state.a if self.on_way else self.state.shown
        return None if place is None else place.image

    @property
    def on_way(self) -> bool:
        """Whether a code between both pins is shown, which there is of numbers alone and not of indices."""
        pinned = self.state.a is not None and self.state.b is not None
        return self.state.t >= 0 and pinned and not self.first.discrete

    @property
    def at_pins(self) -> bool:
        """Whether both pins are there, and nothing is shown that is neither on the way nor one of them."""
        state = self.state
        if None in (state.a, state.b) or (state.attribute and state.strength):
            return False
        return self.on_way or state.shown in (None, state.a, state.b)

    # --- what is shown ----------------------------------------------------------------------------------------------------

    def pin(self, which: str, run: Explored) -> Floats | None:
        """The code of the pin "a" or "b" for that run; None where there is none."""
        place: Place | None = getattr(self.state, which)
        if place is None:
            return None
        if which in self.brought:
            given = (self.state.label,) if run is self.first else run.supposed(self.state.label)
            return run.code_of_picture(self.brought[which], *given)
        return self._code(place, run)

    def pinned(self, which: str) -> NDArray[Any] | None:
        """The picture of a pin: the test image, the one that was brought along, or what its code is decoded to."""
        place: Place | None = getattr(self.state, which)
        if place is None:
            return None
        if which in self.brought:
            return self.brought[which]
        if place.image is not None:
            return self.first.picture(place.image)
        decoded: NDArray[Any] = self.first.decoded(self.first.code_of(place)[None], self.state.label)[0]
        return decoded

    def bring(self, which: str, picture: NDArray[Any]) -> None:
        """Pin a picture (C, H, W) that is no test image."""
        code = self.first.code_of_picture(picture, self.state.label)
        self.brought[which] = picture
        self.change(**{which: Place(code=tuple(code.tolist()))})

    def put(self, which: str, place: Place) -> None:
        """Pin a test image, or a code."""
        self.brought.pop(which, None)
        self.change(**{which: place})

    def code(self, run: Explored) -> Floats:
        """The code (D,) that is shown for that run, with what is added to it."""
        state = self.state
        z: Floats
        if self.on_way and (ends := self.ends(run)) is not None:
            z = run.way(state.way, *ends, FINE)[round(state.t * (FINE - 1))]
        else:
            z = self._code(state.shown, run)
            if state.swaps and run.quantizer is not None:
                z = run.of_indices(self.swapped(run))
        return z + self.added(run)

    def added(self, run: Explored) -> Floats:
        """What is added to a code of that run: the direction of the attribute, `strength` times."""
        state = self.state
        if not (state.attribute and state.strength):
            return np.zeros(run.width)
        return state.strength * run.direction(state.attribute, state.apart)

    def swapped(self, run: Explored) -> NDArray[np.int64]:
        """The map of codes of what is shown, with those that were put in place of others."""
        shown = self.state.shown
        assert run.quantizer is not None
        image = 0 if shown is None else shown.image  # the mean of indices is the first image
        indices = run.indices_of(self._code(shown, run)) if image is None else run.indices(image)
        for place, code in self.state.swaps:
            if place >= indices.size or code >= run.quantizer.codes:
                raise DiaboloError(f"there is no place {place} or code {code} in this map of codes")
            indices.flat[place] = code
        return indices

    def ends(self, run: Explored) -> tuple[Floats, Floats] | None:
        """The codes of both pins; None while one is missing."""
        a, b = self.pin("a", run), self.pin("b", run)
        return None if a is None or b is None else (a, b)

    def strip(self, steps: int) -> Pixels | None:
        """The images (steps, *shape) of the way from A to B; None while a pin is missing.

        Raises:
            DiaboloError: for indices.
        """
        run, state = self.first, self.state
        if (ends := self.ends(run)) is None:
            return None
        if run.discrete:
            raise DiaboloError("the codes of this model are indices: nothing lies between two of them")
        image = state.a.image if state.a is not None else None  # whose class is meant, where nobody names one
        return run.decoded(run.way(state.way, *ends, steps), state.label, image)

    def shown(self, glance: Floats | None = None) -> Shown:
        """What is decoded now, or of the code `glance` of the first run. A further run shows its own code of the same test
        image or pins; where there is none, what it makes of the image that the first one shows."""
        state, image = self.state, self.state.shown.image if self.state.shown is not None else None
        free = glance is not None or (not self.on_way and image is None and state.shown is not None)
        code = self.code(self.first) if glance is None else glance + self.added(self.first)
        kept = None if free or self.on_way else image
        told = None if glance is not None else self.asked
        codes, images = [code], [self.first.decoded(code[None], state.label, told)[0]]
        for run in self.runs[1:]:
            if free or not self._has_own(run):
                own = run.code_of_picture(
                    images[0], *(run.supposed(state.label) if told is None else (state.label, told))
                )
            else:
                own = self.code(run)
            codes.append(own)
            images.append(run.decoded(own[None], state.label, told)[0])
        differences = tuple(difference(images[0], other) for other in images[1:])
        original = None if kept is None else self.first.picture(kept)
        return Shown(original, tuple(codes), tuple(images), differences)

    def _has_own(self, run: Explored) -> bool:
        """Whether a further run can change its own code as that of the first is changed: indices cannot be gone between, nor a
        direction be added that its images do not have, and swaps are of the codebook of the first."""
        state = self.state
        added = bool(state.attribute and state.strength)
        moved = self.on_way or added
        return (
            not state.swaps and not (moved and run.discrete) and not (added and state.attribute not in run.attributes)
        )

    def _code(self, place: Place | None, run: Explored) -> Floats:
        if run is not self.first and place is not None and place.image is None:
            picture = self.first.decoded(self.first.code_of(place)[None], self.state.label)[0]
            return run.code_of_picture(picture, *run.supposed(self.state.label))
        return run.code_of(place)
