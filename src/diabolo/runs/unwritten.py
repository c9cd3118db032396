"""A run without a folder: `fit(…, out=None)`. It has the face of a `RunFolder` towards a training, and writes nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from diabolo.errors import DiaboloError


@dataclass
class Unwritten:
    """What a training would write is let go of; the weights of its lowest validation loss are kept in memory.

    Example:
        >>> folder = diabolo.runs.unwritten.Unwritten()
        >>> folder.write(lambda path: path.mkdir())  # is not done
        >>> folder.path is None, folder.best() is None
        (True, True)
    """

    path: None = None
    _best: dict[str, Tensor] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return "in memory"

    @property
    def way_on(self) -> str:
        """How to go on with the training, in words."""
        return "it cannot go on, since out=None leaves no checkpoint"

    def write(self, action: Callable[[Path], object]) -> None:
        """Nothing."""

    @contextmanager
    def held(self, verb: str) -> Iterator[None]:
        """There is nothing that others could write into."""
        yield

    def note_best(self, weights: Callable[[], Mapping[str, Tensor]], epoch: int) -> None:
        """Keep a copy of the best weights so far."""
        self._best = {name: tensor.detach().clone() for name, tensor in weights().items()}

    def best(self) -> dict[str, Tensor] | None:
        """The tensors of the lowest validation loss; None where none were noted."""
        return self._best or None

    def break_off(self, what: str) -> str:
        """Nothing is left of a training that broke off."""
        return ""

    def lay_aside(self, file: str, tensors: Mapping[str, Tensor]) -> str:
        """Nothing."""
        return ""


def needs_folder(what: str) -> DiaboloError:
    """What to raise where `what` writes into a run folder and there is none.

    Example:
        >>> print(diabolo.runs.unwritten.needs_folder("log_every"))
        log_every needs a run folder, and out=None asks for none: leave it out, or give the folder of runs, such as out='runs'
    """
    return DiaboloError(
        f"{what} needs a run folder, and out=None asks for none: leave it out, or give the folder of runs, such as out='runs'"
    )
