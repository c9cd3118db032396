"""A function for each kind of part. A subclass is another kind: what it changes would be lost without a word."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from diabolo.errors import DiaboloError

T = TypeVar("T")


class ByKind(Generic[T]):
    """What is written of a part, by its exact class.

    Args:
        what: a word for the kind of part, for the message.

    Example:
        >>> from diabolo.unfold.kinds import ByKind
        >>> article = ByKind[str]("fruit")
        >>> @article.of(int)
        ... def _number(value):
        ...     return f"the number {value}"
        >>> article(3)
        'the number 3'
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.known: dict[type, Callable[..., T]] = {}

    def of(self, *kinds: type) -> Callable[[Callable[..., T]], Callable[..., T]]:
        """Decorator: this function writes parts of these kinds."""

        def put(function: Callable[..., T]) -> Callable[..., T]:
            self.known.update(dict.fromkeys(kinds, function))
            return function

        return put

    def __call__(self, part: Any, *more: Any) -> T:
        """What is written of `part`.

        Raises:
            DiaboloError: for a part of another kind.
        """
        write = self.known.get(type(part))
        if write is None:
            raise DiaboloError(f"unfold cannot write the {self.what} {type(part).__name__} in plain PyTorch")
        return write(part, *more)
