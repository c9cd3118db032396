"""Models from elsewhere by name, wherever a run is named: diffusers:FOLDER, onnx:FOLDER, pythae:FOLDER, pca:16."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.foreign.functions import Foreign, Function
from diabolo.paths import as_path
from diabolo.pca import PCA
from diabolo.scaling import usual

# where: what stands after the colon, "" for nothing; images: training images; width: numbers in the codes of what it is
# compared with, None where that is nothing
Adapter = Callable[[str, Images, int | None], Codec]
ADAPTERS: dict[str, Adapter] = {}


def adapter(name: str) -> Callable[[Adapter], Adapter]:
    """Make the function known that opens `name:WHERE`.

    Example:
        >>> from diabolo.foreign import ADAPTERS, Foreign, adapter, opened
        >>> @adapter("copy")
        ... def copy(where, images, width):
        ...     return Foreign(lambda x: x, lambda z: z, images, name="copy")
        >>> opened("copy:", train).latent_shape
        (1, 8, 8)
        >>> del ADAPTERS["copy"]
    """

    def register(function: Adapter) -> Adapter:
        ADAPTERS[name] = function
        return function

    return register


def title(folder: Path) -> str:
    """What the model in `folder` is called: the last two parts of its path, since the last is often vae or final_model.

    Example:
        >>> from pathlib import Path
        >>> diabolo.foreign.named.title(Path("/models/faces/vae"))
        'faces/vae'
    """
    return "/".join(part for part in folder.resolve().parts[-2:] if part != folder.resolve().anchor)


def is_named(text: Any) -> bool:
    """Whether `text` names a model from elsewhere, and not a folder that is there.

    Raises:
        UnknownNameError: for NAME:WHERE with a name that does not exist.

    Example:
        >>> diabolo.foreign.is_named("pca:16"), diabolo.foreign.is_named("runs/0001-vae-digits")
        (True, False)
    """
    text = str(text)
    name, colon, _ = text.partition(":")
    if as_path(text).exists():
        return False
    if name in ADAPTERS:
        return True
    if colon and len(name) > 1 and name.isidentifier():  # one letter is a drive
        raise UnknownNameError("kind of model from elsewhere", name, ADAPTERS)
    return False


def opened(name: str, images: Images, width: int | None = None) -> Codec:
    """The model from elsewhere that is called `name`.

    Args:
        name: NAME:WHERE, NAME being one of `ADAPTERS`.
        images: training images: they say shape and units, and a PCA is fitted to them.
        width: numbers in the codes of what it is compared with: a PCA without a number of its own has as many components.

    Raises:
        DiaboloError: when it cannot be opened, or not for such images.

    Example:
        >>> diabolo.foreign.opened("pca:8", train).latent_shape
        (8,)
    """
    kind, _, where = name.partition(":")
    if kind not in ADAPTERS:
        raise UnknownNameError("kind of model from elsewhere", kind, ADAPTERS)
    return ADAPTERS[kind](where, images, width)


def as_codec(
    model: Any, encode: Function | None, decode: Function | None, range: tuple[float, float] | None, images: Images
) -> Codec:
    """What is to be measured: `model`, which is a codec or the name of one, or the functions `encode` and `decode`.

    Raises:
        DiaboloError: for none of the two, or both.
    """
    functions = encode is not None or decode is not None
    if functions == (model is not None):
        raise DiaboloError("evaluate takes a model, or two functions, encode= and decode=: give one of the two")
    if range is not None and not functions:
        raise DiaboloError("the range is that of encode= and decode=, and a model has its own: leave it out")
    if encode is not None and decode is not None:
        return Foreign(encode, decode, images, range=range)
    if functions:
        missing = "decode" if decode is None else "encode"
        raise DiaboloError(f"encode= and decode= go together: give {missing}= too")
    codec: Codec = opened(str(model), images) if isinstance(model, str | Path) else model
    return codec


@adapter("pca")
def pca(where: str, images: Images, width: int | None) -> Codec:
    """Principal components of the training images: as many as `where` says, else as the codes it is compared with."""
    most = min(math.prod(images.shape), len(images))
    if where and not (where.isdecimal() and len(where) < 10 and int(where)):
        raise DiaboloError(f"pca:K has a number of components K, such as pca:16, not {where!r}")
    if not where and width is None:
        raise DiaboloError("it is not known how many components the PCA is to have: say pca:16, for instance")
    components = int(where) if where else min(width or 1, most)
    model = PCA(images.shape, components, usual(images))
    model.name = f"pca:{components}"  # a run may be called pca
    model.solve(images)
    return model
