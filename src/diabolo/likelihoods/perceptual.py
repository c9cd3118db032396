"""Images compared by what a trained network sees in them."""

import copy
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.likelihoods.likelihood import WithOutput
from diabolo.nets.layers import ACTIVATIONS
from diabolo.parts import part
from diabolo.ranges import Weight

MEAN, SPREAD = (
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)  # of ImageNet's channels, as torchvision's networks want them
VGG16_FILE = "vgg16.safetensors"
CONVERSION = (  # torchvision's own file is a pickle, which diabolo never reads
    'python -c "import torchvision, safetensors.torch as s; '
    "s.save_file(torchvision.models.vgg16(weights='IMAGENET1K_V1').state_dict(), '{path}')\""
)


@part
class VGG16(nn.Module):
    """The first seven convolutions of VGG-16, up to relu3_3 (Simonyan & Zisserman 2015, arXiv 1409.1556): x (N, 1 or 3, H, W)
    in [0, 1] → (N, 256, H / 4, W / 4).

    Example:
        >>> network = diabolo.likelihoods.VGG16()  # random weights; features_of("vgg16") has those of ImageNet
        >>> tuple(network(torch.zeros(1, 3, 32, 32)).shape)
        (1, 256, 8, 8)
    """

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models.vgg import cfgs, make_layers  # slow to import, and wanted here alone

        self.features = make_layers(cfgs["D"])[:16]
        for layer in self.features:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # the convolution's own output may be asked for
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD).view(3, 1, 1), persistent=False)

    @staticmethod
    def _file() -> Path:
        return Path(torch.hub.get_dir()) / "checkpoints" / VGG16_FILE

    @classmethod
    def at_hand(cls) -> bool:
        """Whether the weights that `trained` wants are there."""
        return cls._file().is_file()

    @classmethod
    def trained(cls) -> Self:
        """With torchvision's weights, if they lie, as safetensors, where torchvision keeps its own; nothing is downloaded.

        Raises:
            DiaboloError: when they are not there; it says what to put where.
        """
        path = cls._file()
        if not cls.at_hand():
            raise DiaboloError(
                f"the weights of VGG-16 are not in {path}: put them there by {CONVERSION.format(path=path)}, or take the "
                f"features of a run: --features RUN"
            )
        network = cls()
        try:
            tensors = load_file(path)
            network.load_state_dict({name: tensors[name] for name in network.state_dict()})
        except Exception as error:  # whatever a damaged file makes safetensors raise
            raise DiaboloError(f"{path} does not hold the weights of VGG-16: {str(error).splitlines()[0]}") from error
        return network

    def forward(self, x: Tensor) -> Tensor:
        """relu3_3 of `x`; grey images are seen as colour images without colour."""
        seen: Tensor = self.features((x.expand(-1, 3, -1, -1) - self.mean) / self.spread)
        return seen


def _note(module: nn.Module, inputs: object, output: Tensor) -> None:
    """What `module` gives is kept in it until it is read: a hook that can be copied with it, and compiled."""
    module.seen = output


@part
class Perceptual(WithOutput):
    """Σ over layers, mean over the layer's units (φ(x) − φ(x_hat))², + pixel · mean over pixels (x − x_hat)² (Johnson et al.
    2016, arXiv 1603.08155; for autoencoders Hou et al. 2017, arXiv 1610.00291).

    The feature network φ is a copy, frozen and always in evaluation mode. A run folder keeps its description and its weights
    with the model's, so that it needs neither the run nor the file that the features came from.

    Args:
        network: a part that maps images to features: an encoder trained by diabolo (`features_of(RUN)`), `VGG16.trained()`.
        layers: the names of its modules (`named_modules`) whose outputs are compared; all its activations when left out, and
            its output where it has none.
        pixel: the weight of the squared error per pixel; features alone leave colours and noise undecided.
        output: "sigmoid" or "linear".

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
        >>> likelihood = diabolo.likelihoods.Perceptual(network, layers=("1",))
        >>> x = torch.rand(2, 1, 8, 8).clamp(0.01, 0.99)
        >>> likelihood.loss(torch.logit(x), x).abs().max() < 1e-6  # equal images
        tensor(True)
    """

    separable = False

    def __init__(
        self, network: nn.Module, layers: tuple[str, ...] = (), pixel: Weight = 1.0, output: str = "sigmoid"
    ) -> None:
        super().__init__(output)
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        known = {name: module for name, module in self.network.named_modules() if name}
        for name in layers:
            if name not in known:
                raise UnknownNameError(
                    "layer of the feature network", name, known, see="named_modules() of the network"
                )
        activations = [name for name, module in known.items() if isinstance(module, tuple(ACTIVATIONS.values()))]
        self.layers = tuple(layers) or tuple(activations) or ("",)
        for name in self.layers:
            self.network.get_submodule(name).register_forward_hook(_note)
        self.pixel = float(pixel)
        self.unit = f"squared feature distance + {self.pixel:g} × squared error per pixel"

    def train(self, mode: bool = True) -> Self:
        """As for any module; the feature network stays in evaluation mode."""
        super().train(mode)
        self.network.eval()
        return self

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse images that the feature network does not take."""
        p = next(self.network.parameters(), torch.empty(0))
        try:
            with torch.no_grad():
                self._features(torch.zeros(1, *shape, device=p.device))
        except (RuntimeError, TypeError, ValueError) as error:
            takes = getattr(self.network, "input_shape", None)
            reason = f"it was made for {takes}" if takes is not None else str(error).splitlines()[0]
            raise DiaboloError(f"the feature network does not take images of shape {shape}: {reason}") from error

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """The distance of each image (N,), in float32."""
        with torch.autocast(raw.device.type, enabled=False):  # differences of nearly equal numbers
            x_hat, x = self.mean(raw), x.float()
            with torch.no_grad():
                wanted = self._features(x)
            distance = self.pixel * (x_hat - x).square().flatten(1).mean(1)
            for feature, target in zip(self._features(x_hat), wanted, strict=True):
                distance = distance + (feature - target).square().flatten(1).mean(1)
        return distance

    def _features(self, x: Tensor) -> list[Tensor]:
        """What the chosen layers give (N, …) for `x` (N, …)."""
        self.network(x)
        layers = [self.network.get_submodule(name) for name in self.layers]
        seen: list[Any] = [layer.seen for layer in layers]
        for layer in layers:
            del layer.seen
        return seen


def features_of(source: str | Path) -> nn.Module:
    """A feature network: the encoder of the run folder `source`, or "vgg16".

    Raises:
        DiaboloError: when it is neither, or the weights are not there.

    Example:
        >>> network = diabolo.likelihoods.features_of(run.path)
        >>> tuple(network(torch.from_numpy(test.images) / 255).shape)
        (100, 32)
    """
    if str(source) == "vgg16":
        return VGG16.trained()
    from diabolo.runs.loading import load  # which knows every part, this one included

    encoder = getattr(load(source), "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise DiaboloError(f"{source} holds a model without an encoder network; take the features of another run")
    return encoder
