"""What the columns of a table are, and how that is said on the command line."""

from typing import Annotated, Any, Literal, NamedTuple

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.ranges import ItsOwn

KINDS = ("number", "binary", "count", "category")  # of columns
Types = Annotated[str | tuple[str, ...], ItsOwn()]  # "numbers", "auto", or words such as "auto", "visits=count"


class ColumnType(NamedTuple):
    """What a column of a table became: `size` numbers one after the other, one number, or one for each value of a category.

    Example:
        >>> diabolo.data.column_types.ColumnType("city", "category", 3).word
        'category:3'
    """

    name: str
    kind: Literal["number", "binary", "count", "category"]
    size: int

    @property
    def word(self) -> str:
        """What it is, for the likelihood mixed."""
        return f"{self.kind}:{self.size}" if self.kind == "category" else self.kind


def check_types(asked: Any) -> str | tuple[str, ...]:
    """`asked` as "numbers", "auto", or several words: one of these at most, and NAME=KIND of columns.

    Raises:
        UnknownNameError: for another kind of column.
        DiaboloError: for another word.

    Example:
        >>> diabolo.data.column_types.check_types(["auto", "visits=count"])
        ('auto', 'visits=count')
    """
    words = tuple(asked) if isinstance(asked, list | tuple) else (asked,)
    plain = [word for word in words if word in ("numbers", "auto")]
    for word in words:
        name, equals, kind = word.rpartition("=") if isinstance(word, str) else ("", "", "")
        if word not in plain and not (equals and name):
            raise DiaboloError(
                f"the types of columns are numbers, auto, or NAME=KIND of a column, such as visits=count, not {word!r}"
            )
        if word not in plain and kind not in KINDS:
            raise UnknownNameError("type of a column", kind, KINDS)
    if not words or len(plain) > 1:
        raise DiaboloError("the types of columns are numbers or auto, once, and NAME=KIND of columns after it")
    return words[0] if len(words) == 1 and plain else words
