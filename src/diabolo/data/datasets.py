"""torch's data sets and loaders, read once into one array."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError

LABEL_KEYS = ("label", "labels", "target", "y")
IMAGE_KEYS = ("image", "img", "images", "pixel_values", "x")
INSTEAD = "collect the images into one array (N, C, H, W) and give that"


def is_dataset(x: Any) -> bool:
    """Whether `x` is a torch Dataset or DataLoader, a Subset of one among them."""
    torch = sys.modules.get("torch")  # whoever holds one has imported torch already
    return torch is not None and isinstance(x, torch.utils.data.Dataset | torch.utils.data.DataLoader)


def read_dataset(x: Any) -> tuple[NDArray[Any], NDArray[Any] | None, tuple[str, ...] | None]:
    """The images (N, …) of a Dataset with a length, or of a DataLoader, in the order they come; their labels (N,), and the
    names of the classes, each None where there is none. Transforms are applied once: random ones give one draw of each image.

    Raises:
        DiaboloError: when it has no length, or its images are of different sizes.
    """
    from torch.utils.data import DataLoader, IterableDataset

    dataset = x.dataset if isinstance(x, DataLoader) else x
    if isinstance(dataset, IterableDataset):
        raise DiaboloError(f"{type(dataset).__name__} has no length and may never end; {INSTEAD}")
    images, labels = list[NDArray[Any]](), list[Any]()
    for image, label in _batches(x) if isinstance(x, DataLoader) else _items(x):
        images.append(image)
        labels.append(label)
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
    if any(label is None for label in labels):
        return pixels, None, None
    try:
        known = np.concatenate(labels) if isinstance(x, DataLoader) else np.asarray(labels)
    except ValueError:
        return pixels, None, None
    if known.shape != pixels.shape[:1] or known.dtype.kind not in "iub":
        return pixels, None, None  # boxes, attributes, texts: nothing that is one class of an image
    return pixels, known, _class_names(dataset)


def _items(dataset: Any) -> Iterator[tuple[NDArray[Any], Any]]:
    """One image and its label, or None, at a time."""
    try:
        n = len(dataset)
    except TypeError as error:
        raise DiaboloError(f"{type(dataset).__name__} has no length; {INSTEAD}") from error
    for index in range(n):
        image, label = _parted(dataset[index], dataset)
        label = np.asarray(label) if label is not None else None
        yield _array(image), label.item() if label is not None and label.size == 1 else label


def _batches(loader: Any) -> Iterator[tuple[NDArray[Any], Any]]:
    for batch in loader:
        image, label = _parted(batch, loader)
        yield _array(image), None if label is None else np.atleast_1d(np.asarray(label))


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
        return item[0], item[1] if len(item) == 2 else None
    return item, None


def _array(image: Any) -> NDArray[Any]:
    torch = sys.modules["torch"]
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu()
        image = image.float() if image.dtype == torch.bfloat16 else image
        copied: NDArray[Any] = image.numpy().copy()  # a loader's workers may use the memory again
        return copied
    if hasattr(image, "convert") and getattr(image, "mode", "L") in ("P", "RGBA", "CMYK", "YCbCr", "LA"):
        image = image.convert("RGB")
    array = np.asarray(image)
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
