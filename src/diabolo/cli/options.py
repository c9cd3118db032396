"""Options that several verbs share."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

from cyclopts import Parameter

from diabolo.data.options import HELP, DataOptions
from diabolo.ranges import Count, ItsOwn
from diabolo.training.options import Course, Epochs, Rate, TrainOptions

if TYPE_CHECKING:
    from diabolo.data import Images
    from diabolo.data.splits import Parts

T = TypeVar("T")
SkipBad = Annotated[bool, Parameter(negative=(), help=f"{HELP['skip_bad']}.")]
Root = Annotated[Path | None, Parameter(help=f"{HELP['root']}.")]
Labels = Annotated[
    Path | None,
    Parameter(help="a table (.csv, .tsv) with a row for each image file: its path or name, and its label."),
]
LabelColumn = Annotated[
    str | None,
    Parameter(
        help="the column of the labels in that table, where it has several and none is called label, target, class or y."
    ),
]
Several = Annotated[tuple[T, ...], Parameter(consume_multiple=True, negative=())]


@Parameter(name="*")
@dataclass(frozen=True)
class Moved:
    """Where the images of a run lie now.

    Args:
        data: the folder or file of the images of the run, where it was moved; they must be the same.
        root: the folder that holds the data sets, where it was moved.
        labels: the table of the labels of image files, where it was moved.
    """

    data: str | None = None
    root: Path | None = None
    labels: Path | None = None


MovedOptions = Annotated[Moved | None, Parameter(name="*")]


def where(moved: Moved | None) -> dict[str, str]:
    """What `diabolo.data.origin.of_run` wants to know of images that were moved."""
    from diabolo.paths import as_path

    told = {} if moved is None else {"name": moved.data, "root": moved.root, "labels": moved.labels}
    return {name: str(as_path(place)) for name, place in told.items() if place is not None}


@Parameter(name="*")
@dataclass(frozen=True)
class DataFlags(DataOptions):
    """The `DataOptions` as flags."""

    root: Path | None = None
    without_class: str | None = None  # a name that looks like a number is a name
    labels: Path | None = None
    without_column: Several[str] = ()
    columns_types: Annotated[
        tuple[str, ...], ItsOwn(), Parameter(consume_multiple=True, negative=(), show_default=False)
    ] = ("numbers",)
    range: Annotated[tuple[str, ...], ItsOwn(), Parameter(consume_multiple=True, negative=(), show_default=False)] = (
        "auto",
    )

    def load(self, name: str) -> "tuple[Images, Images]":
        """Train and test images of the data set of that name, or of a folder or file."""
        parts = self.parts(name)
        return parts.train, parts.test

    def parts(self, name: str, typed: bool = False) -> "Parts":
        """The same, and the validation images of a set that has such a part. Where the types of columns are needed, `typed`, a
        table says them where the flags do not."""
        from diabolo.data.finding import find
        from diabolo.data.loading import load_parts

        asked = self.asked()
        if typed and "columns_types" in find(name).takes:
            asked = {"columns_types": "auto", **asked}
        return load_parts(name, **asked)


@dataclass(frozen=True)
class TrainFlags(TrainOptions):
    """The `TrainOptions` as flags. Those that suit the images when they are left out are None then."""

    epochs: Epochs | None = None  # type: ignore[assignment]  # it may be left out, which the options may not
    batch_size: Count | None = None  # type: ignore[assignment]  # may be left out
    lr: Rate | None = None  # type: ignore[assignment]  # may be left out
    schedule: Course | None = None  # type: ignore[assignment]  # may be left out

    def __post_init__(self) -> None:
        TrainOptions.of(**self.asked())  # which refuses what is wrong

    def asked(self) -> dict[str, Any]:
        """What was given, by name."""
        given = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, default) in given.items() if value != default}


DataFlags.__doc__ = DataOptions.__doc__  # the help of each flag
TrainFlags.__doc__ = TrainOptions.__doc__


def flag(name: str) -> tuple[Any, Any]:
    """The flag of one of the `DataOptions`, for a verb that takes few of them: its type with its help, and its default."""
    field = next(field for field in fields(DataFlags) if field.name == name)
    kind = get_type_hints(DataFlags, include_extras=True)[name]
    return Annotated[kind, Parameter(help=f"{HELP[name]}.")], field.default
