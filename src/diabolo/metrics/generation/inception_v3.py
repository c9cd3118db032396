"""The extractor `inception`: the Inception v3 of 2015 that FID is defined with, as torch-fidelity keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.hardware import choose_device

FILE = "weights-inception-2015-12-05-6726825d.pth"


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
