"""What goes wrong by the user's hand, said in one sentence: what happened, where, and the remedy."""

import difflib
from collections.abc import Iterable

from diabolo.plain import visible


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
    `of` follows the name: " of the net 'conv'"."""

    def __init__(self, what: str, name: object, valid: Iterable[str], of: str = "") -> None:
        valid = sorted(valid)
        plain = {name.lower(): name for name in reversed(valid)}
        near = [plain[found] for found in difflib.get_close_matches(str(name).lower(), plain, n=1, cutoff=0.5)]
        hint = f"did you mean {near[0]!r}? " if near else ""
        known = f"valid: {', '.join(valid)}" if valid else "there is none"
        super().__init__(f"unknown {what} {name!r}{of}; {hint}{known}")


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
