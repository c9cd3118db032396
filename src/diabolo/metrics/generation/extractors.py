"""Extractors by name, by import path, or any callable; and `inception`, the Inception v3 of 2015 that FID is defined with, as
torch-fidelity keeps it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from diabolo import trust
from diabolo.codec import evaluating
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.hardware import choose_device
from diabolo.metrics.generation.features import Extractor, digest
from diabolo.metrics.generation.small_classifier import classifier

FILE = "weights-inception-2015-12-05-6726825d.pth"


def _digest(path: Path) -> str:
    """The SHA-256 (hex) of a file; "" where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Inception:
    """2048 features and 1008 logits of images of any size, grey ones as three equal channels.

    Attributes:
        model: torch-fidelity's.
        name, setting, piece: see `Extractor`.
    """

    model: Any
    name: str = "inception"
    setting: Mapping[str, Any] = field(
        default_factory=lambda: {
            "weights": f"torch-fidelity's {FILE}",
            "weights_sha256": _digest(Path(torch.hub.get_dir()) / "checkpoints" / FILE),
            "resized_to": "299×299, bilinear as TensorFlow 1 does",
        }
    )
    piece: int = 50

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Images → features (n, 2048), logits without bias (n, 1008)."""
        if x.ndim != 4 or x.shape[1] not in (1, 3):
            raise DiaboloError(
                f"the extractor 'inception' takes grey or colour images, not arrays {tuple(x.shape[1:])}"
            )
        pixels = (255 * x).round().byte().expand(-1, 3, -1, -1)
        features, logits = self.model(pixels.to(next(self.model.parameters()).device))
        return features, logits


def inception() -> Inception:
    """The extractor, its weights from torch's cache or the network.

    Raises:
        DiaboloError: when the library or the weights cannot be had.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise DiaboloError("the extractor 'inception' needs torch-fidelity: pip install 'diabolo[fid]'") from error
    try:
        model = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"])
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise DiaboloError(
            f"the weights of the extractor 'inception' cannot be had ({reason}): put {FILE} of torch-fidelity's releases into "
            f"~/.cache/torch/hub/checkpoints, or use the extractor 'classifier'"
        ) from error
    return Inception(model.to(choose_device("auto")))


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
        return _own(what, getattr(what, "__name__", type(what).__name__))
    if what in EXTRACTORS:
        return EXTRACTORS[what](train, seed)
    if ":" not in what:
        raise UnknownNameError("extractor (one of your own is named as package.module:name)", what, EXTRACTORS)
    return _own(_imported(what), what)


def _own(function: Callable[[Tensor], Tensor], name: str) -> Own:
    return Own(function, name, {"weights_sha256": digest(function)} if isinstance(function, nn.Module) else {})


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
