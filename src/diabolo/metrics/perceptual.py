"""LPIPS: how far two images are apart for a network that was trained to name what is in them.

Zhang, Isola, Efros, Shechtman & Wang 2018, arXiv 1801.03924. Network and linear layers are torchmetrics' (version 0.1 of the
weights); those of the backbone are torchvision's, and must lie as safetensors where torchvision keeps its own: nothing is
downloaded, and no pickle is opened.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from diabolo.codec import piece
from diabolo.errors import DiaboloError

Net = Literal["alex", "vgg", "squeeze"]
BACKBONES: dict[str, str] = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}  # torchvision's names
CONVERSION = (  # torchvision's own file is a pickle
    'python -c "import torchvision, safetensors.torch as s; '
    "s.save_file(torchvision.models.{name}(weights='IMAGENET1K_V1').state_dict(), '{path}')\""
)
LEAST = 32  # pixels a side: of less the deepest layers of these networks see nothing
PIECE = 32


@dataclass
class LPIPS:
    """The distance of pairs of images, by one of three backbones.

    Attributes:
        network: torchmetrics'.
        setting: which backbone, and the SHA-256 of its weights.
    """

    network: Any
    setting: Mapping[str, Any] = field(default_factory=dict)

    @torch.no_grad()
    def __call__(self, x: Tensor, x_hat: Tensor) -> NDArray[np.float64]:
        """The distance of each pair (N,) of images (N, 1 or 3, H, W) in [0, 1]; grey is three equal channels."""
        _check(x)
        n, found = min(PIECE, piece(PIECE)), []
        for one, other in zip(x.split(n), x_hat.split(n), strict=True):
            two = [part.float().clamp(0, 1).expand(-1, 3, -1, -1) for part in (one, other)]
            found.append(self.network(*two, normalize=True).reshape(-1).double())
        return torch.cat(found).cpu().numpy()


def lpips(net: Net = "alex") -> LPIPS:
    """LPIPS by the backbone `net`.

    Raises:
        DiaboloError: when torchmetrics is not installed, or the weights are not on disk, or not those of the backbone.

    Example:
        >>> try:
        ...     from diabolo.metrics.perceptual import lpips
        ...     distance = lpips("squeeze")
        ... except diabolo.DiaboloError as error:
        ...     assert "squeezenet1_1.safetensors" in str(error) or "torchmetrics" in str(error)
    """
    tensors, sha = _weights(net)
    try:
        from torchmetrics.functional.image.lpips import _LPIPS
    except ImportError as error:
        raise DiaboloError("LPIPS needs torchmetrics: pip install 'diabolo[lpips]'") from error
    network = _LPIPS(pretrained=True, net=net, pnet_rand=True)
    own = network.net.state_dict()
    # torchmetrics cuts the layers into slices, and keeps their numbers: slice2.3.weight and slices.1.3.weight are layer 3's
    where = {name: "features." + name.split(".", 2 if name.startswith("slices.") else 1)[-1] for name in own}
    if lacking := sorted({theirs for theirs in where.values() if theirs not in tensors}):
        raise DiaboloError(f"{path_of(net)} does not hold the weights of the backbone {net!r}: it lacks {lacking[0]!r}")
    network.net.load_state_dict({name: tensors[theirs] for name, theirs in where.items()})
    return LPIPS(
        network.eval(), {"backbone": net, "weights": f"{BACKBONES[net]} of torchvision", "weights_sha256": sha}
    )


def path_of(net: Net) -> Path:
    """Where the weights of the backbone `net` must lie."""
    return Path(torch.hub.get_dir()) / "checkpoints" / f"{BACKBONES[net]}.safetensors"


def _weights(net: Net) -> tuple[Mapping[str, Tensor], str]:
    """The weights of the backbone, and the SHA-256 of their file."""
    path = path_of(net)
    if not path.is_file():
        raise DiaboloError(
            f"the weights of its backbone are not in {path}, and nothing is downloaded: put them there by "
            f"{CONVERSION.format(name=BACKBONES[net], path=path)}"
        )
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        return load_file(path), sha
    except Exception as error:  # whatever a damaged file makes safetensors raise
        raise DiaboloError(
            f"{path} does not hold the weights of {BACKBONES[net]}: {str(error).splitlines()[0]}"
        ) from error


def _check(x: Tensor) -> None:
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise DiaboloError(f"LPIPS compares grey or colour pictures, not arrays {tuple(x.shape[1:])}")
    if min(x.shape[2:]) < LEAST:
        raise DiaboloError(f"LPIPS compares pictures of {LEAST} pixels a side or more, not {tuple(x.shape[1:])}")
