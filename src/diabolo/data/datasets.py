"""torch's data sets and loaders, read once into arrays."""

import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.data.pixels import as_array
from diabolo.data.room import host_memory
from diabolo.data.table import Rows
from diabolo.errors import DiaboloError, UnknownNameError, listed
from diabolo.plain import count

LABEL_KEYS = ("label", "labels", "target", "y")
IMAGE_KEYS = ("image", "img", "images", "pixel_values", "x")
PICTURES = ("Image", "Array2D", "Array3D", "Array4D")  # features of Hugging Face that are arrays of one shape
INSTEAD = "collect the images into one array (N, C, H, W) and give that"
READ_AGAIN = 8  # images that are read twice, to see whether transforms are random


@dataclass(frozen=True)
class Found:
    """What a data set holds, of N images.

    pixels      `(N, …)`, their numbers as they are
    labels      `(N,)`, numbers or words; None where there are none
    names       of the classes; None where they have none
    attributes  bool `(N, A)`, columns named by `attribute_names`; None where there are none
    said        what its owner should be told
    rows        of a table, its columns and what they became; None for anything else
    """

    pixels: NDArray[Any]
    labels: Any = None
    names: tuple[str, ...] | None = None
    attributes: NDArray[np.bool_] | None = None
    attribute_names: tuple[str, ...] | None = None
    said: tuple[str, ...] = ()
    rows: Rows | None = None


@dataclass(frozen=True)
class Reading:
    """Which items of which data set are read, and how they become images: by the `collate` of a loader of the user's own."""

    dataset: Any
    indices: Sequence[int]
    loader: Any = None
    collate: Any = None
    said: tuple[str, ...] = ()


def is_dataset(x: Any) -> bool:
    """Whether `x` is a torch Dataset or DataLoader, a Subset of one among them."""
    torch = sys.modules.get("torch")  # whoever holds one has imported torch already
    return torch is not None and isinstance(x, torch.utils.data.Dataset | torch.utils.data.DataLoader)


@dataclass(frozen=True)
class HuggingFace:
    """A data set of Hugging Face as torch has them: item i is (its picture, its label)."""

    rows: Any
    image: str
    label: str | None
    classes: tuple[str, ...] | None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        row = self.rows[int(index)]
        return row[self.image], None if self.label is None else row[self.label]


def pictures_of(x: Any, label_column: str | None = None) -> HuggingFace | None:
    """The pictures in a data set of Hugging Face, with their labels; None where it is a table of numbers.

    Raises:
        DiaboloError: for several parts, a data set without a length, and columns that are not there.
    """
    if isinstance(x, dict):
        raise DiaboloError(
            f"this data set has the parts {listed(map(str, x))}: give one of them, such as x[{next(iter(x))!r}]"
        )
    if not hasattr(x, "__len__"):
        raise DiaboloError(f"{type(x).__name__} has no length and may never end; {INSTEAD}")
    kinds = {name: getattr(feature, "_type", type(feature).__name__) for name, feature in x.features.items()}
    images = [name for name, kind in kinds.items() if kind in PICTURES]
    if not images:
        return None
    image = next((name for name in IMAGE_KEYS if name in images), images[0])
    if label_column is not None and label_column not in kinds:
        raise UnknownNameError("column", label_column, kinds, " of this data set")
    label = label_column or next((name for name in (*LABEL_KEYS, *kinds) if kinds.get(name) == "ClassLabel"), None)
    label = label or next((name for name in LABEL_KEYS if name in kinds), None)
    names = None if label is None else getattr(x.features[label], "names", None)
    plain = x.with_format(None if kinds[image] == "Image" else "numpy")
    return HuggingFace(plain, image, label, None if names is None else tuple(map(str, names)))


def read_dataset(x: Any) -> Found | Images:
    """What is in a Dataset with a length, in its order. Of a DataLoader its data set is read, in that one's order and every
    image that its sampler may choose once; a `collate_fn` of the user's own is applied. `Images` within come as they are.

    Transforms are applied once, so that random ones give one draw of each image, which is said.

    Raises:
        DiaboloError: when it has no length, an image cannot be read, or its images are of different sizes.
    """
    reading = _reading(x)
    dataset, kind = reading.dataset, type(reading.dataset).__name__
    if isinstance(dataset, Images) and reading.collate is None:
        return dataset.take(np.asarray(reading.indices))
    if not len(reading.indices):
        raise DiaboloError(f"{kind} is empty: there are no images in it")
    images, targets = list[NDArray[Any]](), list[Any]()
    try:
        for image, target in _read(reading, reading.loader.num_workers if reading.loader else 0):
            if not images:
                _check_room(kind, len(reading.indices), image.nbytes)
            images.append(image)
            targets.append(target)
        drawn = [image for image, _ in itertools.islice(_read(_first_of(reading), workers=0), READ_AGAIN)]
    except DiaboloError:
        raise
    except Exception as error:  # a file that is gone, a transform that does not fit: anything
        raise DiaboloError(
            f"{kind} gives no image {len(images)}: {type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    said = [*reading.said]
    if any(not np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(images, drawn, strict=False)):
        said.append("its transforms are random and were drawn once for each image, so every epoch sees the same draw")
    return _found(_stacked(images, kind), targets, dataset, said)


def _first_of(reading: Reading) -> Reading:
    """The first images again, in whole batches: a `collate_fn` of the user's own may need what else is in one."""
    batch = 1 if reading.loader is None else reading.loader.batch_size or 64
    return replace(reading, indices=reading.indices[: -(-READ_AGAIN // batch) * batch])


def _reading(x: Any) -> Reading:
    """What is to be read of a Dataset or DataLoader."""
    from torch.utils.data import DataLoader, IterableDataset, Subset, default_collate, default_convert

    loader = x if isinstance(x, DataLoader) else None
    dataset = x if loader is None else loader.dataset
    kind = type(dataset).__name__
    if isinstance(dataset, IterableDataset):
        raise DiaboloError(f"{kind} has no length and may never end; {INSTEAD}")
    try:
        indices: Sequence[int] = range(len(dataset))  # type: ignore[arg-type]  # which is found out here
    except (TypeError, NotImplementedError, ValueError, OverflowError) as error:
        raise DiaboloError(f"{kind} has no length; {INSTEAD}") from error
    said: tuple[str, ...] = ()
    collate = None
    if loader is not None:
        indices, said = _sampled(loader, indices)
        own = getattr(loader.collate_fn, "__func__", loader.collate_fn)
        collate = None if own in (default_collate, default_convert) else loader.collate_fn
    while type(dataset) is Subset:  # one that is derived from it may change what it gives
        indices, dataset = [int(dataset.indices[i]) for i in indices], dataset.dataset
    return Reading(dataset, indices, loader, collate, said)


def _sampled(loader: Any, every: Sequence[int]) -> tuple[Sequence[int], tuple[str, ...]]:
    """The items that the sampler of a loader may choose, each once and in the data set's order; and what should be said."""
    from torch.utils.data import (
        BatchSampler,
        DistributedSampler,
        RandomSampler,
        SequentialSampler,
        SubsetRandomSampler,
        WeightedRandomSampler,
    )

    batches = loader.batch_sampler
    sampler: Any = batches.sampler if type(batches) is BatchSampler else loader.sampler if batches is None else batches
    match sampler:
        case SequentialSampler() | RandomSampler() | DistributedSampler():
            return every, ()
        case WeightedRandomSampler():
            return every, ("the weights of its sampler are not used: training takes each image once an epoch",)
        case SubsetRandomSampler():
            chosen: Iterable[Any] = sampler.indices
        case _:
            try:
                chosen = list(itertools.islice(sampler, len(sampler)))
            except TypeError as error:
                raise DiaboloError(f"{type(sampler).__name__} has no length and may never end; {INSTEAD}") from error
            if batches is sampler:
                chosen = itertools.chain.from_iterable(chosen)
    return sorted({int(i) for i in chosen}), ()


def _read(reading: Reading, workers: int) -> Iterator[tuple[NDArray[Any], Any]]:
    """Each image and what is known of it, None for nothing."""
    import torch
    from torch.utils.data import DataLoader, Subset

    dataset, loader, collate = reading.dataset, reading.loader, reading.collate
    if loader is None:
        for index in reading.indices:
            image, target = _parted(dataset[index], dataset)
            yield _array(image), target
        return
    alone = loader.batch_sampler is None  # an item may be a batch
    batches = DataLoader(
        Subset(dataset, reading.indices),
        batch_size=1 if alone else loader.batch_size or 64,
        collate_fn=_only if alone else collate or list,
        num_workers=workers,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context if workers else None,
        generator=torch.Generator(),
    )
    for batch in batches:
        if alone:
            image, target = _parted(batch if collate is None else collate(batch), dataset)
            array = _array(image)
            yield from zip(array, _each(target, len(array)), strict=True) if array.ndim == 4 else [(array, target)]
        elif collate is None:
            for item in batch:
                image, target = _parted(item, dataset)
                yield _array(image), target
        else:
            images, targets = _parted(batch, dataset)
            array = _array(images)
            yield from zip(array, _each(targets, len(array)), strict=True)


def _only(items: list[Any]) -> Any:
    """The item that a batch of one holds."""
    return items[0]


def _each(targets: Any, n: int) -> list[Any]:
    """What is known of each of the `n` images of a batch, of what is known of all of it."""
    if isinstance(targets, tuple):
        return list(zip(*(_each(one, n) for one in targets), strict=True)) if targets else [None] * n
    if (
        targets is not None
        and hasattr(targets, "__len__")
        and not isinstance(targets, str | dict)
        and len(targets) == n
    ):
        return list(targets)
    return [None if targets is None else {}] * n  # something, which is no class of each


def _parted(item: Any, of: Any) -> tuple[Any, Any]:
    """The image, and what is known of it, in what a data set gives."""
    if isinstance(item, dict):
        image = next((item[key] for key in IMAGE_KEYS if key in item), None)
        if image is None:
            raise DiaboloError(
                f"{type(of).__name__} gives {', '.join(map(str, item))}, and none of these is called {IMAGE_KEYS[0]}; {INSTEAD}"
            )
        return image, next((item[key] for key in LABEL_KEYS if key in item), None)
    if isinstance(item, tuple | list):
        return item[0], None if len(item) == 1 else item[1] if len(item) == 2 else tuple(item[1:])
    return item, None


def _array(image: Any) -> NDArray[Any]:
    torch = sys.modules["torch"]
    if isinstance(image, list | tuple) and image and all(hasattr(one, "getextrema") for one in image):
        return np.stack([as_array(one) for one in image])
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu()
        image = image.float() if image.dtype == torch.bfloat16 else image
        copied: NDArray[Any] = image.numpy().copy()  # a loader's workers may use the memory again
        return copied
    if hasattr(image, "getextrema"):
        return as_array(image)
    plain = hasattr(image, "__array__") or isinstance(image, list | tuple | str | float | int)
    array = np.asarray(image) if plain else np.empty(0, object)  # numpy reads whatever else has items, without end
    if array.dtype == object:
        raise DiaboloError(
            f"images of a data set are tensors, arrays or pictures of Pillow, got {type(image).__name__}"
        )
    return array


def _check_room(kind: str, n: int, each: int) -> None:
    """Refuse what does not fit into memory before all of it is read."""
    if n * each > host_memory():
        raise DiaboloError(
            f"{kind} says that it holds {count(n, 'image')} of {each:,} bytes each, which do not fit into memory; give a Subset"
        )


def _stacked(images: list[NDArray[Any]], kind: str) -> NDArray[Any]:
    """One array `(N, …)` of all images."""
    shapes = sorted({image.shape for image in images})
    if len(shapes) > 1:
        colours = {len(shape) == 3 and (shape[0] == 3 or shape[-1] == 3) for shape in shapes}
        remedy = "make all of them grey, or all of them RGB" if len(colours) > 1 else "resize them"
        raise DiaboloError(f"the images of {kind} differ in shape: {shapes[0]} and {shapes[1]}; {remedy}")
    return np.stack(images)


def _found(pixels: NDArray[Any], targets: list[Any], dataset: Any, said: list[str]) -> Found:
    """The first of the targets that are one class of each image become labels, the first that are yes or no attributes."""
    several = [target if isinstance(target, tuple) else (target,) for target in targets]
    columns = list(zip(*several, strict=True)) if len({*map(len, several)}) == 1 else [tuple(several)]
    labels: NDArray[Any] | None = None
    attributes: NDArray[np.bool_] | None = None
    called = _of_innermost(dataset, "attr_names") or ()
    left = 0
    for column in columns:
        values = [_plain(value) for value in column]
        flags = _flags(values)
        one_hot = flags is not None and bool((flags.sum(1) == 1).all())
        if flags is not None and one_hot and not (called and flags.shape[1] in (len(called), len(called) - 1)):
            values, flags = flags.argmax(1).tolist(), None
        known = [value for value in values if value is not None]
        if not known:
            continue
        if labels is None and flags is None and (classes := _classes(values)) is not None:
            labels = classes
        elif attributes is None and flags is not None:
            attributes = flags
        else:
            left += 1
    if left:
        beside = [what for what, kept in (("labels", labels), ("attributes", attributes)) if kept is not None]
        of = f" but {' and '.join(beside)}" if beside else ""
        said.append(f"what it gives beside the images{of} is no class of each, and is left out")
    names = _of_innermost(dataset, "classes")
    if labels is None or labels.dtype.kind == "U" or (names is not None and labels.max() >= len(names)):
        names = None
    if attributes is not None:
        n = attributes.shape[1]
        called = tuple(name for name in called if name) if called else ()
        called = called if len(called) == n else tuple(f"attribute {i}" for i in range(n))
    return Found(pixels, labels, names, attributes, called if attributes is not None else None, tuple(said))


def _plain(value: Any) -> Any:
    """A tensor or array as what it holds: one number, or a list."""
    if hasattr(value, "tolist"):
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        return array.item() if array.size == 1 else array.tolist()
    return value


def _flags(values: list[Any]) -> NDArray[np.bool_] | None:
    """Yes or no of several things for each image, `(N, A)`, where that is what they are."""
    if not all(isinstance(value, list) and len(value) > 1 for value in values):
        return None
    if len({*map(len, values)}) > 1 or not all(one in (0, 1) for value in values for one in value):
        return None
    return np.array(values, np.bool_)


def _classes(values: list[Any]) -> NDArray[Any] | None:
    """Words, or whole numbers with -1 for None, where they are one class of each image."""
    if all(isinstance(value, str) for value in values):
        return np.asarray(values)
    numbers = [-1 if value is None else value for value in values]
    if all(isinstance(value, int) or (isinstance(value, float) and value.is_integer()) for value in numbers):
        try:
            return np.array([int(value) for value in numbers], np.int64)
        except OverflowError:
            raise DiaboloError("labels hold numbers of more than 64 bits; number the classes from 0") from None
    return None


def _of_innermost(dataset: Any, name: str) -> tuple[str, ...] | None:
    """The names called `name` of the data set, of the one that it is a Subset of, or of all that it is a chain of."""
    while not hasattr(dataset, name) and hasattr(dataset, "dataset"):
        dataset = dataset.dataset
    if isinstance(dataset, Images):
        return dataset.label_names if name == "classes" else dataset.attribute_names
    if not hasattr(dataset, name) and isinstance(several := getattr(dataset, "datasets", None), list | tuple):
        found = {_of_innermost(one, name) for one in several}
        return found.pop() if len(found) == 1 else None
    names = getattr(dataset, name, None)
    return tuple(map(str, names)) if isinstance(names, list | tuple) and names else None
