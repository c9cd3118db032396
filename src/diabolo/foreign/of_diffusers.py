"""Autoencoders of diffusers: AutoencoderKL and VQModel, from a folder with config.json and weights as safetensors.

    diffusers:FOLDER      the folder of the autoencoder, or of a pipeline that has it in vae/, vqvae/ or movq/

A code is what a diffusion model is given: (posterior mean − shift) × factor; of a VQModel the codebook vectors × factor. Images
are in [−1, 1] there, and what is decoded beyond is clipped, as diffusers does when it saves an image.
"""

import math
from pathlib import Path
from typing import Any

from torch import Tensor

from diabolo.data.images import Images
from diabolo.errors import DiaboloError, listed
from diabolo.foreign.functions import Foreign
from diabolo.foreign.named import adapter, title
from diabolo.paths import as_path
from diabolo.runs import files

CLASSES = ("AutoencoderKL", "VQModel")
WITHIN = ("vae", "vqvae", "movq")  # of a pipeline
WEIGHTS = "diffusion_pytorch_model*.safetensors"
AGAIN = "save the model again with save_pretrained"
PIECES = 8  # images of 256 pixels a side and more, through many channels


@adapter("diffusers")
def of_diffusers(where: str, images: Images, width: int | None) -> Foreign:
    """The autoencoder in the folder `where`.

    Raises:
        DiaboloError: when diffusers is not installed, the folder holds none, or images do not fit.
    """
    folder, config = _found(where)
    kind = config.get("_class_name")
    if kind not in CLASSES:
        raise DiaboloError(f"{folder} holds a {kind}: of diffusers {listed(CLASSES)} can be opened here")
    if not any(folder.glob(WEIGHTS)):
        raise DiaboloError(
            f"{folder} holds no weights as safetensors ({WEIGHTS}), and nothing else is read: save the model with "
            "save_pretrained(FOLDER, safe_serialization=True)"
        )
    _check(images, config, folder)
    factor, shift = _number(config, "scaling_factor", 1.0, folder), _number(config, "shift_factor", 0.0, folder)
    model = _model(kind, folder)
    discrete = kind == "VQModel"
    what = f"{'codebook vector' if discrete else 'posterior mean'}{f' − {shift:g}' if shift else ''}"

    def encode(x: Tensor) -> Tensor:
        given = x.to(model.device, model.dtype)
        if discrete:
            quantised: Tensor = model.quantize(model.encode(given).latents)[0]
            return quantised * factor
        mean: Tensor = model.encode(given).latent_dist.mean
        return (mean - shift) * factor

    def decode(z: Tensor) -> Tensor:
        z = z.to(model.device, model.dtype) / factor + shift
        made: Tensor = (model.decode(z, force_not_quantize=True) if discrete else model.decode(z)).sample
        return made

    about = {
        "from": f"diffusers:{folder}",
        "class": kind,
        "code": f"({what}) × {factor:g}" if shift else f"{what} × {factor:g}",
        "scaling factor": factor,
    }
    name = f"{kind} {title(as_path(where))}"
    codec = Foreign(
        encode,
        decode,
        images,
        range=(-1, 1),
        beyond="clip",
        name=name,
        discrete=discrete,
        pieces=PIECES,
        about=about,
    )
    codec.network = model  # so that its weights are counted
    return codec


def _found(where: str) -> tuple[Path, dict[str, Any]]:
    """The folder of the autoencoder, and its configuration."""
    top = as_path(where) if where else None
    if top is None or not top.is_dir():
        raise DiaboloError(f"there is no folder {where!r}: give diffusers:FOLDER, where an autoencoder was saved")
    places = [top, *(top / name for name in WITHIN)]
    for folder in places:
        if (folder / "config.json").is_file():
            told = files.read_json(folder / "config.json", AGAIN)
            if isinstance(told, dict):
                return folder, told
    raise DiaboloError(f"{top} holds no config.json of an autoencoder, nor does its {listed(WITHIN)}")


def _number(config: dict[str, Any], name: str, usual: float, folder: Path) -> float:
    """What the configuration says of `name`, finite; `usual` where that is nothing, or 0."""
    value = config.get(name) or usual
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise DiaboloError(f"{folder / 'config.json'} has the {name} {value!r}, which is no number: {AGAIN}")
    return float(value)


def _check(images: Images, config: dict[str, Any], folder: Path) -> None:
    """Refuse images that the networks do not take."""
    channels, blocks = config.get("in_channels", 3), config.get("block_out_channels") or [0]
    if not isinstance(channels, int) or not isinstance(blocks, list):
        raise DiaboloError(f"{folder / 'config.json'} does not say how many channels its networks have: {AGAIN}")
    if len(images.shape) != 3 or images.shape[0] != channels:
        raise DiaboloError(
            f"the autoencoder in {folder} takes pictures of {channels} channels, and {images.name} has {images.shape}: load "
            f"them with --image-channels {channels}"
        )
    step = 2 ** (len(blocks) - 1)
    if any(side % step for side in images.shape[1:]):
        raise DiaboloError(
            f"the autoencoder in {folder} takes pictures whose sides are multiples of {step}, not {images.shape}: load them "
            f"with --size {max(step, images.shape[1] // step * step)}"
        )


def _model(kind: str, folder: Path) -> Any:
    """The module, in evaluation mode on the CPU; no code but that of diffusers runs, and nothing is fetched."""
    try:
        import diffusers
    except ImportError as error:
        raise DiaboloError("an autoencoder of diffusers needs its library: pip install 'diabolo[diffusers]'") from error
    try:
        model = getattr(diffusers, kind).from_pretrained(
            str(folder), use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False
        )
    except Exception as error:  # of many kinds, whatever the folder holds
        said = " ".join(str(error).split()).rstrip(".")[:300]
        raise DiaboloError(f"diffusers cannot open {folder} ({type(error).__name__}: {said})") from error
    return model.float().eval().requires_grad_(False)
