"""Parts remember how they were made, so that a run folder can hold a model as plain JSON and build it again.

    @part
    class Gaussian(nn.Module):
        def __init__(self, in_features, latent_dim, beta=1.0): ...

    describe(Gaussian(512, 16))   # {"part": "bottlenecks.Gaussian", "in_features": 512, "latent_dim": 16, "beta": 1.0}
    build({"part": "bottlenecks.Gaussian", …})

Arguments may be numbers, strings, None, lists, tuples and other parts. Nothing is ever pickled, and no code outside diabolo is
imported unless its package is trusted (see `diabolo.trust`).
"""

import functools
import importlib.util
import inspect
import math
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from diabolo import ranges, trust
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.surroundings import undisturbed

PARTS: dict[str, Any] = {}
DEEPEST = 50  # parts and lists within each other

_on_trust: set[str] = set()  # parts that became known since a run folder named them: they need to be trusted every time
_given: set[str] = set()  # package.module:Class of one's own that this program has named
_building: ContextVar[bool] = ContextVar("building", default=False)

T = TypeVar("T", bound=type)


def part(cls: T) -> T:
    """Class decorator: record the arguments of `__init__` in `self.arguments`, and make the class known by its name.

    Once your program has imported it, run folders may name it, with arguments of theirs: it must not run or open what its
    arguments name. An argument that names code, as package.module:Class, is to be listed in the attribute `names_code`.

    Example:
        >>> @diabolo.parts.part
        ... class Doubled(torch.nn.Module):
        ...     def __init__(self, width: int, times: float = 2.0) -> None:
        ...         super().__init__()
        >>> Doubled(3).arguments
        {'width': 3, 'times': 2.0}
    """
    made: Any = cls
    init = made.__init__
    signature = inspect.signature(init)
    first = next(iter(signature.parameters))
    named = [p.name for p in list(signature.parameters.values())[1:] if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]

    @functools.wraps(init)
    def recording_init(self: Any, *args: Any, **kwargs: Any) -> None:
        from diabolo.memory import bounded  # torch, which names of parts do not need

        bound = signature.bind(self, *args, **kwargs)
        bound.arguments.update(ranges.arguments(init, bound.arguments))
        with undisturbed(), bounded(bound.arguments):
            init(*bound.args, **bound.kwargs)
        bound.apply_defaults()
        if type(self) is made:
            self.arguments = {name: value for name, value in bound.arguments.items() if name in named}
            self.made_with = {name: getattr(self, name, None) for name in self.arguments}
            self.unkept = any(value for name, value in bound.arguments.items() if name not in named and name != first)

    made.__init__ = recording_init
    PARTS[name_of(cls)] = cls
    _on_trust.discard(name_of(cls))
    return cls


def name_of(cls: type) -> str:
    """What a part is called in a run folder: its room and class (`nets.MLPEncoder`), or its full path outside diabolo.

    Example:
        >>> diabolo.parts.name_of(diabolo.bottlenecks.Gaussian)
        'bottlenecks.Gaussian'
    """
    room = cls.__module__.split(".")
    return ".".join([room[1] if room[0] == "diabolo" else cls.__module__, cls.__name__])


def describe(value: Any) -> Any:
    """The JSON form of a part, or of an argument of one. A part that is given to several others is described where it comes
    first; after that it is {"same_as": "encoder"}, by the arguments that lead to it.

    Raises:
        DiaboloError: for an object that is neither plain data nor a part.

    Example:
        >>> diabolo.parts.describe(diabolo.bottlenecks.TopK(32, 8, k=3))
        {'part': 'bottlenecks.TopK', 'in_features': 32, 'latent_dim': 8, 'k': 3}
    """
    return _describe(value, "", {})


def _is_part(value: Any) -> bool:
    return PARTS.get(name_of(type(value))) is type(value)


def _describe(value: Any, place: str, seen: dict[int, str]) -> Any:
    if _is_part(value):
        if id(value) in seen:
            return {"same_as": seen[id(value)]}
        seen[id(value)] = place
        if value.unkept:
            raise DiaboloError(
                f"a {type(value).__name__} was made with *args or **kwargs; a run folder cannot keep those"
            )
        for name, first in value.made_with.items():
            now = getattr(value, name, None)
            if now is not first and (_is_part(first) or _is_part(now)):
                raise DiaboloError(
                    f"{name} was replaced after the {type(value).__name__} was made, and a run folder would keep the first: "
                    f"give it where that is made, as {name}=…"
                )
        own = {name: _describe(v, _within(place, name), seen) for name, v in value.arguments.items()}
        return {"part": name_of(type(value)), **own}
    if isinstance(value, tuple | list):
        return [_describe(v, _within(place, i), seen) for i, v in enumerate(value)]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise DiaboloError(
        f"a {type(value).__name__} cannot be kept in a run folder; make its class a part: decorate it with @diabolo.parts.part"
    )


def build(description: Any, folder: Path | None = None) -> Any:
    """The part that `describe` described; lists come back as tuples.

    Args:
        description: JSON.
        folder: the run folder that it comes from, for messages.

    Raises:
        NotTrustedError: before anything is made, when it names code outside diabolo that is not trusted.
        UnknownNameError: for a part that does not exist here.
        DiaboloError: for arguments that the part refuses.

    Example:
        >>> diabolo.parts.build({"part": "bottlenecks.TopK", "in_features": 32, "latent_dim": 8, "k": 3}).k
        3
    """
    nodes = list(_nodes(description))
    for _ in range(2):  # a part that was brought in may itself take the name of code
        foreign = dict(found for node in nodes for found in _foreign(node))
        trust.check((module for module in foreign.values() if module != "__main__"), folder)  # that runs already
        for name, module in foreign.items():
            _bring_in(name, module, folder)
    from diabolo.memory import bounded  # torch, as above

    before = _building.set(True)
    try:
        with bounded():
            return _build(description, "", {})
    finally:
        _building.reset(before)


def packages(description: Any) -> list[str]:
    """The packages outside diabolo whose code a description names: those that another program must trust to build it.

    Example:
        >>> diabolo.parts.packages({"part": "my_pkg.nets.Encoder", "width": 3})
        ['my_pkg']
    """
    modules = [module for node in _nodes(description) for _, module in _code(node)]
    return trust.packages(modules)


def given(path: str) -> None:
    """Note code of one's own, package.module:Class, that this program has named: run folders may name it too.

    Example:
        >>> diabolo.parts.given("my_pkg.nets:Encoder")  # a run folder may now name it
    """
    if not _building.get():
        _given.add(path)


def _within(place: str, name: str | int) -> str:
    return f"{place}.{name}" if place else str(name)


def _build(description: Any, place: str, made: dict[str, Any]) -> Any:
    """The part at `place`; `made` holds those that are there already, by theirs."""
    if isinstance(description, list):
        return tuple(_build(v, _within(place, i), made) for i, v in enumerate(description))
    if not isinstance(description, dict):
        return description
    if set(description) == {"same_as"}:
        if not isinstance(description["same_as"], str) or description["same_as"] not in made:
            raise DiaboloError(f"there is no part {description['same_as']!r} before {place!r}, which is to be the same")
        return made[description["same_as"]]
    arguments = dict(description)
    name = arguments.pop("part", None)
    if not isinstance(name, str) or not _known(name):
        raise UnknownNameError("part", name, PARTS, see="diabolo.parts.PARTS")
    try:
        made[place] = PARTS[name](**{key: _build(v, _within(place, key), made) for key, v in arguments.items()})
        return made[place]
    except DiaboloError:
        raise
    except (TypeError, ValueError, AttributeError, RuntimeError, LookupError, ArithmeticError, MemoryError) as error:
        raise DiaboloError(f"the part {name} cannot be built from {sorted(arguments)}: {error}") from error


def _nodes(description: Any) -> Iterator[dict[str, Any]]:
    """Every object in a description, itself and those within.

    Raises:
        DiaboloError: when it is deeper than any model, or holds a number that is none.
    """
    stack = [(description, 0)]
    while stack:
        value, depth = stack.pop()
        if depth > DEEPEST:
            raise DiaboloError(f"parts lie within each other more than {DEEPEST} deep")
        if isinstance(value, float) and not math.isfinite(value):
            raise DiaboloError(f"{value} is no argument of a part")
        if isinstance(value, dict):
            yield value
        within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        stack.extend((item, depth + 1) for item in within)


def _foreign(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Of the code outside diabolo that one object names, that which this program has not brought in itself."""
    for name, module in _code(node):
        if name not in _given and (name in _on_trust or not _known(name)):
            yield name, module


def _code(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(part or package.module:Class, module) of the code outside diabolo that one object names."""
    name = node.get("part")
    if not isinstance(name, str):
        return
    _known(name)  # with what its arguments name
    if home := _home(name):
        yield name, home
    for argument in getattr(PARTS.get(name), "names_code", ()):
        path = node.get(argument)
        if isinstance(path, str) and (module := path.partition(":")[0]):
            yield path, module


def _known(name: str) -> bool:
    """Whether there is a part of that name: one of diabolo's own is imported from its room."""
    room = name.partition(".")[0]
    if name not in PARTS and room.isidentifier() and not room.startswith("_") and _is_own(room):
        importlib.import_module(f"diabolo.{room}")
    return name in PARTS


def _is_own(room: str) -> bool:
    return importlib.util.find_spec(f"diabolo.{room}") is not None


def _home(name: str) -> str:
    """The module outside diabolo that the part of that name is made in; "" for a name of diabolo's own, or none at all."""
    home = name.rpartition(".")[0]
    if not trust.is_module_name(home):
        return ""
    room = home.partition(".")[0]
    own = room == "diabolo" or (room != "__main__" and _is_own(room))
    return "" if own else home


def _bring_in(name: str, module: str, folder: Path | None) -> None:
    """Import the module of a part of one's own, so that it makes itself known, or of a package.module:Class.

    Raises:
        DiaboloError: when that cannot be done, or the part is not there.
    """
    before, (_, _, cls) = set(PARTS), name.rpartition(".")
    try:
        found = trust.import_trusted(module, folder)
    except Exception as error:  # whatever goes wrong in a module of someone else
        raise DiaboloError(
            f"the module {module!r} of the part {name!r} cannot be imported ({type(error).__name__}: {error}); install it, "
            f"or put its folder on PYTHONPATH"
        ) from error
    finally:
        _on_trust.update(set(PARTS) - before)
    if name in PARTS or ":" in name:
        return
    if hasattr(found, cls):
        raise DiaboloError(f"{name} is not a part: decorate its class with @diabolo.parts.part")
    hint = "; a class made in a script must move into a module to be found again" if module == "__main__" else ""
    raise DiaboloError(f"the module {module!r} has no {cls} (any more){hint}")
