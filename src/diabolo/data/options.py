"""How images are loaded, said once: the arguments of `load`, the flags of the command line, the keys of a YAML file and what a
run folder records are the fields of one dataclass."""

import re
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from diabolo.data import scale
from diabolo.data.axes import check_axes
from diabolo.data.column_types import Types, check_types
from diabolo.ranges import AnyPath, AnySeed, Count, ItsOwn, PartOf, Seed, Side, check_fields

# What run folders and programs of earlier versions call them
FORMERLY = {"channels": "image_channels", "seed": "data_seed", "value_range": "range"}


@dataclass(frozen=True)
class Draw:
    """How many images of each part are wanted, None meaning all there are, and the seed they are drawn by; or the `whole`,
    undivided and in its order."""

    n_train: Count | None = None
    n_test: Count | None = None
    seed: AnySeed = 42
    whole: bool = False

    def __post_init__(self) -> None:
        check_fields(self)


Cache = Literal["auto", "decoded", "encoded"]


# All flags of `diabolo train` are one flat list, in which `seed` is that of weights, order and noise, and `channels` are those
# of a convolutional net: what is said of images has names of its own, and the same everywhere.
@dataclass(frozen=True)
class DataOptions:
    """Which images of a data set, and how they are read. A source takes those that it can do something with.

    Args:
        root: the folder that holds the data sets; else DIABOLO_DATA, else ~/.cache/diabolo.
        n_train: exactly so many training images, drawn by the data seed; all when left out.
        n_test: exactly so many test images.
        data_seed: of subsets and splits.
        n_labels: of exactly so many training images the label is known, drawn evenly over the classes; of all when left out.
        label_seed: of that draw.
        drop_leaks: leave out training images that are test images too, or nearly.
        without_class: leave that class, by its name, out of the training images: its test images are anomalies then.
        size: side of the images in pixels, where the source can resize; 64 for celeba, 32 for patches, else as they are.
        crop: side of the centre crop taken before the resize, where the source can crop.
        image_channels: 1 (grey) or 3 (colour): what a folder is converted to, 1 when left out if all images are grey; of an
            array, which axis they are on, where its shape alone does not say so.
        split: for celeba: official (where its table is there), random, or persons (as random, but no person is in both parts).
        identity: for celeba: labels are the numbers of the persons.
        test_fraction: share of the images to test with, where the source has no test part of its own.
        skip_bad: leave out files that cannot be listed, opened or decoded, instead of stopping at the first.
        cache: how images of files are kept on disk: decoded (fast), encoded (small: the bytes of their files, decoded as they
            are needed, to the same bits), or auto: decoded where that fits into free memory and on the disk.
        range: what is black and white in files and arrays: auto (what they say and use), dtype, or two numbers; own where
            none are, in their own units.
        missing: what NaN in an array is: refuse (an error), or mask (a number that is not known).
        labels: of a folder or an archive of images, a table (.csv, .tsv) with a row for each file: its path or name, and its
            label; of an array, a label for each example.
        label_column: of a table, the column of the labels; when left out one called label, target, class or y, where it holds
            classes.
        without_column: of a table, columns that are left out, by name.
        columns_types: of a table, numbers (other columns are refused), or auto: columns of texts, of truth values and of few
            different whole numbers become one-hot columns, one for each value. After it NAME=KIND says what a column is:
            number, binary (0 or 1), count, or category.
        header: of a table as text, whether its first line holds the names of the columns: auto, yes or no.
        key: of a .npz or .h5 file, which of its arrays holds the images, where their names do not say so.
        axes: of an array, a letter for each axis: N examples, C channels, and L, H W or D H W, such as NCL for signals; auto
            for images and vectors.

    Example:
        >>> diabolo.data.DataOptions(n_train=500, range=(0, 4095)).asked()
        {'n_train': 500, 'range': (0.0, 4095.0)}
    """

    root: AnyPath | None = None
    n_train: Count | None = None
    n_test: Count | None = None
    data_seed: Seed = 42
    n_labels: Count | None = None
    label_seed: Seed = 0
    drop_leaks: bool = False
    without_class: int | str | None = None
    size: Side | None = None
    crop: Side | None = None
    image_channels: Literal[1, 3] | None = None
    split: str | None = None
    identity: bool = False
    test_fraction: PartOf = 0.1
    skip_bad: bool = False
    cache: Cache = "auto"
    range: Annotated[Any, ItsOwn()] = scale.AUTO
    missing: Literal["refuse", "mask"] = "refuse"
    labels: Annotated[Any, ItsOwn()] = None
    label_column: str | None = None
    without_column: tuple[str, ...] = ()
    columns_types: Types = "numbers"
    header: Literal["auto", "yes", "no"] = "auto"
    key: str | None = None
    axes: str = "auto"

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "range", scale.check_range(self.range))
        object.__setattr__(self, "axes", check_axes(self.axes))
        object.__setattr__(self, "columns_types", check_types(self.columns_types))

    def asked(self) -> dict[str, Any]:
        """Those that are not as they are when left out."""
        told = {field.name: (getattr(self, field.name), field.default) for field in fields(DataOptions)}
        return {name: value for name, (value, usual) in told.items() if value != usual}

    @property
    def draw(self) -> Draw:
        """How many images of each part, and by which seed."""
        return Draw(self.n_train, self.n_test, self.data_seed)


NAMES = tuple(field.name for field in fields(DataOptions))
OF_ALL = NAMES[: NAMES.index("size")]  # heeded by `load` itself, whatever the source
HELP = {
    name: " ".join(text.split()).removesuffix(".")
    for name, text in re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", DataOptions.__doc__ or "", re.MULTILINE)
}
