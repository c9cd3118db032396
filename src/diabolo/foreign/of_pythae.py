"""Models of Pythae with its usual networks: one hidden layer either way. Neither the library nor a pickle is needed.

    pythae:FOLDER      model_config.json and model.safetensors

Pythae's own model.pt is a pickle, which is never opened; a message says how to convert it. Nor are encoder.pkl and decoder.pkl,
networks of one's own that were pickled as code.
"""

import math
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn

from diabolo.data.images import Images
from diabolo.errors import DiaboloError, listed
from diabolo.foreign.functions import Foreign, normal
from diabolo.foreign.named import adapter, title
from diabolo.paths import as_path
from diabolo.runs import files

PLAIN = ("AE", "RAE_L2", "RAE_GP", "VAMP")  # without a prior that is known beforehand
NORMAL = (
    "VAE", "BetaVAE", "BetaTCVAE", "DisentangledBetaVAE", "FactorVAE", "INFOVAE_MMD", "IWAE", "MSSSIM_VAE", "WAE_MMD",
    "Adversarial_AE", "VAEGAN",
)  # fmt: skip
CONVERSION = (
    'python -c "from torch import load; import safetensors.torch as s; '
    "s.save_file(load('{pickled}', weights_only=True)['model_state_dict'], '{safe}')\""
)
OWN = "is a pickle that runs code when it is opened, which is never done: give encode= and decode= from Python instead"


@adapter("pythae")
def of_pythae(where: str, images: Images, width: int | None) -> Foreign:
    """The model in the folder `where`.

    Raises:
        DiaboloError: when the folder holds none, its networks are pickled, or images do not fit.
    """
    folder = as_path(where) if where else Path("?")
    if not (folder / "model_config.json").is_file():
        raise DiaboloError(f"there is no model_config.json in {where!r}: give pythae:FOLDER, where a model was saved")
    config = files.read_json(folder / "model_config.json", "save the model again with model.save")
    if not isinstance(config, dict):
        raise DiaboloError(f"{folder / 'model_config.json'} does not describe a model")
    kind = str(config.get("name", "")).removesuffix("Config").rstrip("_")
    for half in ("encoder", "decoder"):
        if config.get(f"uses_default_{half}") is False or (folder / f"{half}.pkl").exists():
            raise DiaboloError(f"the {half} of {folder} is not Pythae's usual one, and its file {half}.pkl {OWN}")
    if kind not in (*PLAIN, *NORMAL):
        raise DiaboloError(
            f"{folder} holds a {kind or 'model without a name'}, which is more than an encoder and a decoder: of Pythae "
            f"{', '.join((*PLAIN, *NORMAL))} can be opened here"
        )
    told = config.get("input_dim")
    shape = tuple(told) if isinstance(told, list) else ()
    if shape != images.shape:
        raise DiaboloError(f"the model in {folder} is for images {shape}, and {images.name} has {images.shape}")
    tensors = _tensors(folder)
    encoder, decoder = _networks(tensors, shape, folder)
    latent = (len(tensors["encoder.embedding.weight"]),)
    about = {"from": f"pythae:{folder}", "class": kind, "code": "posterior mean" if kind in NORMAL else "code"}
    prior = normal(latent) if kind in NORMAL else None
    return Foreign(encoder, decoder, images, name=f"{kind} {title(folder)}", prior=prior, about=about)


def _tensors(folder: Path) -> Mapping[str, Tensor]:
    """The weights, by Pythae's names."""
    safe, pickled = folder / "model.safetensors", folder / "model.pt"
    if not safe.is_file():
        if not pickled.is_file():
            raise DiaboloError(f"{folder} holds neither model.safetensors nor model.pt")
        raise DiaboloError(
            f"{pickled} is a pickle, which is never opened: where you trust it, save its weights by "
            f"{CONVERSION.format(pickled=pickled, safe=safe)}"
        )
    try:
        return load_file(safe)
    except Exception as error:  # whatever a damaged file makes safetensors raise
        raise DiaboloError(f"the weights in {folder} are damaged ({type(error).__name__})") from error


def _networks(
    tensors: Mapping[str, Tensor], shape: tuple[int, ...], folder: Path
) -> tuple[nn.Sequential, nn.Sequential]:
    """x → ReLU → code, and code → ReLU → sigmoid → x_hat, with their weights."""
    names = ("encoder.layers.0.0", "encoder.embedding", "decoder.layers.0.0", "decoder.layers.1.0")
    weights = {name: (tensors.get(f"{name}.weight"), tensors.get(f"{name}.bias")) for name in names}
    missing = [
        name for name, (w, b) in weights.items() if w is None or b is None or w.ndim != 2 or b.shape != w.shape[:1]
    ]
    known = {f"{name}.{one}" for name in (*names, "encoder.log_var") for one in ("weight", "bias")}
    others = [name for name in tensors if name.startswith(("encoder.", "decoder.")) and name not in known]
    if missing or others:
        raise DiaboloError(
            f"the weights in {folder} are not those of Pythae's usual networks ({listed(missing or others)}): give encode= and "
            "decode= from Python instead"
        )
    layers = {}
    for name, (weight, bias) in weights.items():
        assert weight is not None
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": bias})
        layers[name] = layer
    one, code, two, out = layers.values()
    pixels = math.prod(shape)
    chain = [one.in_features == pixels, code.in_features == one.out_features, two.in_features == code.out_features]
    if not all((*chain, out.in_features == two.out_features, out.out_features == pixels)):
        raise DiaboloError(f"the weights in {folder} do not fit each other, or images {shape}: save the model again")
    encoder = nn.Sequential(nn.Flatten(), one, nn.ReLU(), code)
    decoder = nn.Sequential(two, nn.ReLU(), out, nn.Sigmoid(), nn.Unflatten(1, shape))
    return encoder.requires_grad_(False), decoder.requires_grad_(False)
