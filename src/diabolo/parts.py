"""Parts remember how they were made, so that a run folder can hold a model as plain JSON and build it again.

    @part
    class Gaussian(nn.Module):
        def __init__(self, in_features, latent_dim, beta=1.0): ...

    describe(Gaussian(512, 16))   # {"part": "bottlenecks.Gaussian", "in_features": 512, "latent_dim": 16, "beta": 1.0}
    build({"part": "bottlenecks.Gaussian", …})

Arguments may be numbers, strings, None, lists, tuples and other parts. Nothing is ever pickled.
"""

import functools
import importlib.util
import inspect
from typing import Any, TypeVar

import numpy as np

from diabolo.errors import DiaboloError, UnknownNameError

PARTS: dict[str, Any] = {}

T = TypeVar("T", bound=type)


def part(cls: T) -> T:
    """Class decorator: record the arguments of `__init__` in `self.arguments`, and make the class known by its name."""
    made: Any = cls
    init = made.__init__
    signature = inspect.signature(init)
    first = next(iter(signature.parameters))
    named = [p.name for p in list(signature.parameters.values())[1:] if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]

    @functools.wraps(init)
    def recording_init(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        init(self, *args, **kwargs)
        if type(self) is made:
            self.arguments = {name: value for name, value in bound.arguments.items() if name in named}
            self.unkept = any(value for name, value in bound.arguments.items() if name not in named and name != first)

    made.__init__ = recording_init
    PARTS[name_of(cls)] = cls
    return cls


def name_of(cls: type) -> str:
    """What a part is called in a run folder: its room and class (`nets.MLPEncoder`), or its full path outside diabolo."""
    room = cls.__module__.split(".")
    return ".".join([room[1] if room[0] == "diabolo" else cls.__module__, cls.__name__])


def describe(value: Any) -> Any:
    """The JSON form of a part, or of an argument of one.

    Raises:
        DiaboloError: for an object that is neither plain data nor a part.
    """
    if PARTS.get(name_of(type(value))) is type(value):
        if value.unkept:
            raise DiaboloError(
                f"a {type(value).__name__} was made with *args or **kwargs; a run folder cannot keep those"
            )
        return {"part": name_of(type(value)), **{name: describe(v) for name, v in value.arguments.items()}}
    if isinstance(value, tuple | list):
        return [describe(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise DiaboloError(
        f"a {type(value).__name__} cannot be kept in a run folder; make its class a part: decorate it with @diabolo.parts.part"
    )


def build(description: Any) -> Any:
    """The part that `describe` described; lists come back as tuples.

    Raises:
        UnknownNameError: for a part that does not exist here.
        DiaboloError: for arguments that the part refuses.
    """
    if isinstance(description, list):
        return tuple(build(v) for v in description)
    if not isinstance(description, dict):
        return description
    arguments = dict(description)
    name = arguments.pop("part", None)
    if isinstance(name, str) and name not in PARTS:
        _import_home(name)
    if not isinstance(name, str) or name not in PARTS:
        raise UnknownNameError("part", name, PARTS)
    try:
        return PARTS[name](**{key: build(v) for key, v in arguments.items()})
    except DiaboloError:
        raise
    except (TypeError, ValueError, AttributeError, RuntimeError, LookupError, ArithmeticError) as error:
        raise DiaboloError(f"the part {name} cannot be built from {sorted(arguments)}: {error}") from error


def _import_home(name: str) -> None:
    """Import the module of a part of one's own, so that it makes itself known.

    Raises:
        DiaboloError: when that cannot be done, or the part is not there.
    """
    home, _, cls = name.rpartition(".")
    room = home.partition(".")[0]
    if not home or (room != "__main__" and importlib.util.find_spec(f"diabolo.{room}")):
        return  # diabolo's own are all known
    try:
        module = importlib.import_module(home)
    except Exception as error:  # whatever goes wrong in a module of someone else
        raise DiaboloError(
            f"the module {home!r} of the part {name!r} cannot be imported ({type(error).__name__}: {error}); install it, "
            f"or put its folder on PYTHONPATH"
        ) from error
    if not hasattr(module, cls):
        hint = "; a class made in a script must move into a module to be found again" if home == "__main__" else ""
        raise DiaboloError(f"the module {home!r} has no {cls} (any more){hint}")
