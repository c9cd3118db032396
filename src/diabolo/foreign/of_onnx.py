"""Encoder and decoder as ONNX files, run by onnxruntime: those that `diabolo export` wrote, and those of others.

    onnx:FOLDER      encoder.onnx and decoder.onnx; prior.onnx too, where there is one

Names, types and sizes of inputs and outputs are read from the files. An input of bytes is given bytes; of floats pictures in
[0, 1], and all else in the units of the data. Codes beside which an encoder gives `indices` are discrete.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.data.images import Images
from diabolo.errors import DiaboloError, listed
from diabolo.foreign.functions import Foreign, Prior
from diabolo.foreign.named import adapter, title
from diabolo.paths import as_path
from diabolo.randomness import Draws

TYPES = {
    "tensor(uint8)": np.uint8,
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
}
CODES, PICTURES = ("code", "z", "latent", "latents", "mu", "mean"), ("x_hat", "images", "reconstruction")  # outputs
NOISE: dict[str, Callable[[Draws, Tensor], Tensor]] = {
    "normal": lambda draws, like: draws.normal(like),
    "uniform": lambda draws, like: draws.uniform(like),
}


@adapter("onnx")
def of_onnx(where: str, images: Images, width: int | None) -> Foreign:
    """The pair of files in the folder `where`.

    Raises:
        DiaboloError: when onnxruntime is not installed, a file is missing or damaged, or takes more than images.
    """
    folder = as_path(where) if where else Path("?")
    if not folder.is_dir():
        raise DiaboloError(f"there is no folder {where!r}: give onnx:FOLDER, which holds encoder.onnx and decoder.onnx")
    encoder, decoder = (
        File(folder / f"{name}.onnx", wanted) for name, wanted in (("encoder", CODES), ("decoder", PICTURES))
    )
    if (sides := encoder.shape[1:]) and not _fits(sides, images.shape):
        raise DiaboloError(
            f"{encoder.path} takes images ({', '.join(map(str, sides))}), and {images.name} has {images.shape}: load images of "
            "that size"
        )
    about = {"from": f"onnx:{folder}", "input": f"{encoder.input} ({np.dtype(encoder.dtype).name})"}
    beyond: Any = (
        "keep" if (folder / "export.json").is_file() else "refuse"
    )  # a linear decoder of Diabolo leaves the range
    return Foreign(
        encoder,
        decoder,
        images,
        beyond=beyond,
        name=f"onnx:{title(folder)}",
        prior=_prior(folder / "prior.onnx"),
        discrete="indices" in encoder.outputs,
        about=about,
    )


class File:
    """One ONNX file as a function of a tensor (n, …).

    Attributes:
        path: where it lies.
        input, dtype, shape: of its one input; a side that may vary is None.
        output, outputs: the one that is wanted, and all.
    """

    def __init__(self, path: Path, wanted: tuple[str, ...]) -> None:
        self.path = path
        self.session = _session(path)
        inputs, self.outputs = self.session.get_inputs(), [one.name for one in self.session.get_outputs()]
        if len(inputs) != 1:
            raise DiaboloError(
                f"{path} takes {listed([one.name for one in inputs])}: a model that is given more than one thing cannot be "
                "measured from its files; evaluate the run itself, or give encode= and decode= from Python"
            )
        if inputs[0].type not in TYPES:
            raise DiaboloError(f"{path} takes {inputs[0].type}, and images and codes are {listed(TYPES)}")
        named = [name for name in wanted if name in self.outputs] or self.outputs
        if len(named) > 1 and named == self.outputs:
            raise DiaboloError(
                f"{path} gives {listed(self.outputs)}, and it is not known which of them is wanted: call that one {wanted[0]!r}"
            )
        self.input, self.dtype, self.output = inputs[0].name, TYPES[inputs[0].type], named[0]
        self.shape = tuple(side if isinstance(side, int) else None for side in inputs[0].shape)
        self.__name__ = path.name

    def __call__(self, x: Tensor) -> NDArray[Any]:
        """The output (n, …) for `x` (n, …); a file made for a number of rows is given so many at a time."""
        given = x.cpu().numpy()
        if self.dtype == np.uint8:
            given = np.rint(given * 255)
        given = np.ascontiguousarray(given.astype(self.dtype))
        rows = self.shape[0] if self.shape else None
        if rows is None:
            return self._run(given)
        whole = np.concatenate([given, np.repeat(given[-1:], -len(given) % rows, 0)])
        return np.concatenate([self._run(whole[i : i + rows]) for i in range(0, len(whole), rows)])[: len(given)]

    def _run(self, x: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self.session.run([self.output], {self.input: x})[0])


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise DiaboloError("ONNX files need onnxruntime: pip install 'diabolo[onnx]'") from error
    if not path.is_file():
        raise DiaboloError(f"there is no file {path}: onnx:FOLDER holds encoder.onnx and decoder.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each way in which a file is damaged
        said = " ".join(str(error).split()).rstrip(".")[:300]
        raise DiaboloError(f"onnxruntime cannot open {path} ({said})") from error


def _fits(sides: tuple[int | None, ...], shape: tuple[int, ...]) -> bool:
    return len(sides) == len(shape) and all(side in (None, own) for side, own in zip(sides, shape, strict=True))


def _prior(path: Path) -> Prior | None:
    """Codes of noise, where a file makes them as `diabolo export` does."""
    if not path.is_file():
        return None
    file = File(path, CODES)
    sides = [side for side in file.shape[1:] if side is not None]
    if file.input not in NOISE or len(sides) != len(file.shape) - 1:
        return None

    def draw(n: int, draws: Draws) -> Tensor:
        return torch.from_numpy(file(NOISE[file.input](draws, torch.empty(n, *sides))))

    return draw
