"""Extractors by name, by import path, or any callable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from diabolo import trust
from diabolo.codec import evaluating
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.metrics.generation.features import Extractor
from diabolo.metrics.generation.inception_v3 import inception
from diabolo.metrics.generation.small_classifier import classifier

EXTRACTORS: dict[str, Callable[[Images, int], Extractor]] = {
    "classifier": classifier,
    "inception": lambda train, seed: inception(),
}


@dataclass
class Own:
    """A network of one's own: images (n, C, H, W) in [0, 1] → features (n, …).

    Attributes:
        function: a module, or any callable.
        name, setting, piece: see `Extractor`.
    """

    function: Callable[[Tensor], Tensor]
    name: str
    setting: Mapping[str, Any] = field(default_factory=dict)
    piece: int = 500

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Images → features, and no logits."""
        if not isinstance(self.function, nn.Module):
            return self.function(x), None
        device = next((p.device for p in self.function.parameters()), torch.device("cpu"))
        with evaluating(self.function):
            return self.function(x.to(device)), None


def extractor(what: str | Callable[[Tensor], Tensor], train: Images, seed: int = 0) -> Extractor:
    """What takes features of images.

    Args:
        what: "classifier" (trained on `train` once), "inception", `package.module:name` of a callable or of a class of modules
            that needs no arguments, or a callable: images (n, C, H, W) in [0, 1] → features (n, …).
        train: the training images.
        seed: of what is trained.

    Raises:
        UnknownNameError: for another name.
        DiaboloError: when it cannot be had.
    """
    if not isinstance(what, str):
        if not callable(what):
            raise DiaboloError(f"an extractor is a name, or something that can be called with images, not {what!r}")
        return Own(what, getattr(what, "__name__", type(what).__name__))
    if what in EXTRACTORS:
        return EXTRACTORS[what](train, seed)
    if ":" not in what:
        raise UnknownNameError("extractor (one of your own is named as package.module:name)", what, EXTRACTORS)
    return Own(_imported(what), what)


def _imported(path: str) -> Callable[[Tensor], Tensor]:
    """What is called `package.module:name`; an instance of it where that is a class."""
    module_name, _, name = path.partition(":")
    try:
        found = getattr(trust.import_named(module_name), name)
        made = found() if isinstance(found, type) else found
    except Exception as error:  # whatever goes wrong in a module of someone else
        raise DiaboloError(f"the extractor {path!r} cannot be had ({type(error).__name__}: {error})") from error
    if not callable(made):
        raise DiaboloError(f"the extractor {path!r} cannot be called with images")
    function: Callable[[Tensor], Tensor] = made
    return function
