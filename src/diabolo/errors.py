"""What goes wrong by the user's hand, said in one sentence: what happened, where, and the remedy."""

import difflib
from collections.abc import Iterable, Sequence

from diabolo.plain import visible

LISTED, CUT = 10, 3  # names that a message lists; of more the nearest


class DiaboloError(ValueError):
    """A mistake that the user can mend; its message is the whole story. The CLI prints it without a traceback, and ends with
    `exit_code`.

    Example:
        >>> try:
        ...     diabolo.zoo.vae(train.shape, latent_dim=0)
        ... except diabolo.DiaboloError as error:
        ...     print(error)
        latent_dim must be a whole number of at least 1, not 0
    """

    exit_code = 2

    def __init__(self, message: object = "") -> None:
        super().__init__(visible(str(message), lines=True))


class UnknownNameError(DiaboloError):
    """A name (data set, model, net, option …) that does not exist; the message suggests the nearest that does.
    `of` follows the name: " of the net 'conv'"; `see` is where all are listed, as for `listed`."""

    def __init__(self, what: str, name: object, valid: Iterable[str], of: str = "", see: str = "") -> None:
        valid = sorted(valid)
        near = _nearest(str(name), valid, 1, 0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        known = f"valid: {listed(valid, see, str(name))}" if valid else "there is none"
        super().__init__(f"unknown {what} {name!r}{of}; {hint}{known}")


def listed(names: Iterable[str], see: str = "", near: str = "") -> str:
    """The names in a message: all of them where they are few, else the nearest to `near` and how many there are; `see` is the
    command that lists all, or whatever does.

    Example:
        >>> diabolo.errors.listed(map(str, range(40)), "diabolo models", near="17")
        '17, 7, 1, … of 40; see diabolo models'
    """
    every = list(names)
    if len(every) <= LISTED:
        return ", ".join(every)
    shown = _nearest(near, every, CUT, 0) if near else every[:CUT]
    return f"{', '.join(shown)}, … of {len(every)}{f'; see {see}' if see else ''}"


def _nearest(name: str, valid: Sequence[str], n: int, cutoff: float) -> list[str]:
    plain = {one.lower(): one for one in reversed(valid)}
    return [plain[found] for found in difflib.get_close_matches(name.lower(), plain, n, cutoff)]


class NoPriorError(DiaboloError):
    """Nothing can be sampled from a model, since the prior over its codes is still to be fitted."""


class NotWrittenError(DiaboloError):
    """Something could not be written, since the disk is full, over its quota, read-only, or fails."""

    exit_code = 1  # nothing was asked for that cannot be


class NotTrustedError(DiaboloError):
    """A run folder names code outside diabolo, of a package that the caller has not said to trust."""

    exit_code = 1  # the folder asks for it, not the user


class InUseError(DiaboloError):
    """A folder that another process is writing into; it can be written into when that has ended."""

    exit_code = 1


class Stopped(KeyboardInterrupt):  # it is no error
    """Ctrl-C, where something is there to go on with; the message says how."""
