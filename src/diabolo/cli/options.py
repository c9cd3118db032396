"""Options that several verbs share."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from cyclopts import Parameter

from diabolo.ranges import Count, PartOf, Seed, Side, check_fields

if TYPE_CHECKING:
    from diabolo.data import Images
    from diabolo.data.splits import Parts

T = TypeVar("T")
SkipBad = Annotated[bool, Parameter(negative=())]
Several = Annotated[tuple[T, ...], Parameter(consume_multiple=True, negative=())]


@Parameter(name="*")
@dataclass(frozen=True)
class Moved:
    """Where the images of a run lie now.

    Args:
        data: the folder or file of the images of the run, where it was moved; they must be the same.
        root: the folder that holds the data sets, where it was moved.
    """

    data: str | None = None
    root: Path | None = None


MovedOptions = Annotated[Moved | None, Parameter(name="*")]


def where(moved: Moved | None) -> dict[str, str]:
    """What `diabolo.data.origin.of_run` wants to know of images that were moved."""
    from diabolo.paths import as_path

    told = {} if moved is None else {"name": moved.data, "root": moved.root}
    return {name: str(as_path(place)) for name, place in told.items() if place is not None}


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """Which images of a data set.

    Args:
        root: the folder that holds the data sets; else DIABOLO_DATA, else ~/.cache/diabolo.
        size: side of the images in pixels, where the source can resize.
        crop: side of the centre crop taken before the resize, where the source can crop.
        image_channels: 1 (grey) or 3 (colour), where the source can convert.
        split: for celeba: official or random.
        test_fraction: share of the images to test with, where the source has no test part of its own; 0.1 when left out.
        n_train: exactly so many training images, drawn by the data seed.
        n_test: exactly so many test images.
        data_seed: of subsets and splits.
        n_labels: of exactly so many training images the label is known, drawn evenly over the classes; of all when left out.
        label_seed: of that draw.
        drop_leaks: leave out training images that are test images too, or nearly.
        without_class: leave that class, by its name, out of the training images: its test images are anomalies then.
        skip_bad: leave out files that cannot be listed, opened or decoded, instead of stopping at the first.
        range: what is black and white in files and arrays: auto (what they say and use), dtype, or two numbers.
    """

    root: Path | None = None
    size: Side | None = None
    crop: Side | None = None
    image_channels: Literal[1, 3] | None = None
    split: str | None = None
    test_fraction: PartOf | None = None
    n_train: Count | None = None
    n_test: Count | None = None
    data_seed: Seed = 42
    n_labels: Count | None = None
    label_seed: Seed = 0
    drop_leaks: SkipBad = False
    without_class: str | None = None
    skip_bad: SkipBad = False
    range: Annotated[tuple[str, ...] | None, Parameter(consume_multiple=True, negative=())] = None

    def __post_init__(self) -> None:
        check_fields(self)

    def load(self, name: str) -> "tuple[Images, Images]":
        """Train and test images of the data set of that name, or of a folder or file."""
        parts = self.parts(name)
        return parts.train, parts.test

    def parts(self, name: str) -> "Parts":
        """The same, and the validation images of a set that has such a part."""
        from diabolo.data.loading import load_parts

        chosen = {
            "size": self.size,
            "crop": self.crop,
            "channels": self.image_channels,
            "split": self.split,
            "test_fraction": self.test_fraction,
            "skip_bad": self.skip_bad or None,
            "value_range": self.range,
        }
        return load_parts(
            name,
            self.root,
            n_train=self.n_train,
            n_test=self.n_test,
            seed=self.data_seed,
            n_labels=self.n_labels,
            label_seed=self.label_seed,
            drop_leaks=self.drop_leaks,
            without_class=self.without_class,
            **{option: value for option, value in chosen.items() if value is not None},
        )
