"""torch's data sets and loaders, read once into one array."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.pixels import as_array
from diabolo.errors import DiaboloError

LABEL_KEYS = ("label", "labels", "target", "y")
IMAGE_KEYS = ("image", "img", "images", "pixel_values", "x")
INSTEAD = "collect the images into one array (N, C, H, W) and give that"


def is_dataset(x: Any) -> bool:
    """Whether `x` is a torch Dataset or DataLoader, a Subset of one among them."""
    torch = sys.modules.get("torch")  # whoever holds one has imported torch already
    return torch is not None and isinstance(x, torch.utils.data.Dataset | torch.utils.data.DataLoader)


def read_dataset(x: Any) -> tuple[NDArray[Any], NDArray[Any] | None, tuple[str, ...] | None, list[str]]:
    """The images (N, …) of a Dataset with a length, or of a DataLoader, in the order they come; their labels (N,), numbers or
    words, and the names of the classes, each None where there is none; and what should be said of them. Transforms are
    applied once: random ones give one draw of each image.

    Raises:
        DiaboloError: when it has no length, an image cannot be read, or its images are of different sizes.
    """
    from torch.utils.data import DataLoader, IterableDataset

    dataset = x.dataset if isinstance(x, DataLoader) else x
    if isinstance(dataset, IterableDataset):
        raise DiaboloError(f"{type(dataset).__name__} has no length and may never end; {INSTEAD}")
    images, labels = list[NDArray[Any]](), list[Any]()
    try:
        for image, label in _batches(x) if isinstance(x, DataLoader) else _items(x):
            images.append(image)
            labels += label
    except DiaboloError:
        raise
    except Exception as error:  # a file that is gone, a transform that does not fit: anything
        kind = "batch" if isinstance(x, DataLoader) else "image"
        raise DiaboloError(
            f"{type(dataset).__name__} gives no {kind} {len(images)}: {type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    if not images:
        raise DiaboloError(f"{type(dataset).__name__} is empty: there are no images in it")
    if len({image.shape for image in images}) > 1 and not isinstance(x, DataLoader):
        shapes = sorted({image.shape for image in images})
        raise DiaboloError(
            f"the images of {type(dataset).__name__} differ in shape: {shapes[0]} and {shapes[1]}; resize them"
        )
    try:
        pixels = np.concatenate(images) if isinstance(x, DataLoader) else np.stack(images)
    except ValueError as error:
        raise DiaboloError(
            f"the images of {type(dataset).__name__} cannot become one array: {error}; {INSTEAD}"
        ) from error
    known = [label for label in labels if label is not None]
    if not known:
        return pixels, None, None, []
    if all(isinstance(label, str) for label in labels):
        return pixels, np.asarray(labels), None, []
    if len(labels) != len(pixels) or not all(isinstance(label, int) for label in known):
        # boxes, attributes, fractions: nothing that is one class of an image
        return pixels, None, None, ["what it gives beside the images is no class of each, and is left out"]
    numbers = np.array([-1 if label is None else label for label in labels])
    names = _class_names(dataset)
    return pixels, numbers, names if names is not None and numbers.max() < len(names) else None, []


def _items(dataset: Any) -> Iterator[tuple[NDArray[Any], list[Any]]]:
    """One image and its label, or None, at a time."""
    try:
        n = len(dataset)
    except TypeError as error:
        raise DiaboloError(f"{type(dataset).__name__} has no length; {INSTEAD}") from error
    for index in range(n):
        image, label = _parted(dataset[index], dataset)
        single = hasattr(label, "item") and np.asarray(label).size == 1
        yield _array(image), [label.item() if single else label]


def _batches(loader: Any) -> Iterator[tuple[NDArray[Any], list[Any]]]:
    """The images of one batch and their labels at a time."""
    for batch in loader:
        image, label = _parted(batch, loader)
        array = _array(image)
        several = label.tolist() if hasattr(label, "tolist") else label
        yield (
            array,
            list(several) if isinstance(several, list | tuple) else [several] * (len(array) if several is None else 1),
        )


def _parted(item: Any, of: Any) -> tuple[Any, Any]:
    """The image and the label in what a data set gives."""
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
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu()
        image = image.float() if image.dtype == torch.bfloat16 else image
        copied: NDArray[Any] = image.numpy().copy()  # a loader's workers may use the memory again
        return copied
    array = as_array(image) if hasattr(image, "getextrema") else np.asarray(image)
    if array.dtype == object:
        raise DiaboloError(
            f"images of a data set are tensors, arrays or pictures of Pillow, got {type(image).__name__}"
        )
    return array


def _class_names(dataset: Any) -> tuple[str, ...] | None:
    """`classes` of the data set, or of the one that it is a Subset of."""
    while not hasattr(dataset, "classes") and hasattr(dataset, "dataset"):
        dataset = dataset.dataset
    classes = getattr(dataset, "classes", None)
    return tuple(map(str, classes)) if isinstance(classes, list | tuple) and classes else None
