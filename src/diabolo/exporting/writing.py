"""A run as a folder that works without Diabolo: the graphs, what they are in export.json, and codes that samples are decoded
from. It comes into being whole, and only with its certificate.
"""

import copy
import io
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch

from diabolo import disk
from diabolo.data.arrays import as_images
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.exporting import onnx_files, torch_files
from diabolo.exporting.certificate import BATCHES, TOLERANCE, certify
from diabolo.exporting.graphs import COLUMNS, Graph, graphs
from diabolo.paths import as_path
from diabolo.randomness import Draws, generator
from diabolo.ranges import At, Count, Natural, Positive, Seed, checked
from diabolo.runs import files
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import Run, load
from diabolo.runs.lock import writing
from diabolo.surroundings import undisturbed
from diabolo.trust import Trust, trusting
from diabolo.version import __version__

FORMAT = 1  # of export.json
FILE, SAMPLES = "export.json", "samples.npz"
TARGETS: dict[str, Any] = {"onnx": onnx_files, "torch-export": torch_files}
NEEDS = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "torch-export": ()}
Opset = Annotated[int, At(18, 23)]


@dataclass(frozen=True)
class Asked:
    """How to export: as the arguments of `export`."""

    to: str
    opset: int
    tolerance: float
    samples: int
    seed: int


@checked
@undisturbed()
def export(
    run: Any,
    out: Path | None = None,
    to: str = "onnx",
    *,
    images: Any = None,
    n: Count = 64,
    tolerance: Positive = TOLERANCE,
    opset: Opset = onnx_files.OPSET,
    samples: Natural = 16,
    seed: Seed = 0,
    moved: Mapping[str, str] | None = None,
    trust: Trust = (),
) -> Path:
    """Write a run as graphs that work without Diabolo, each checked against the model on test images.

    Args:
        run: a `Run` or its folder.
        out: the folder they are written into, which is new or empty; `export` in the run folder when left out.
        to: "onnx", for onnxruntime in any language; or "torch-export", for PyTorch without Diabolo.
        images: what they are checked on, `Images` or an array, where it is not to be the test images of the run.
        n: how many of them.
        tolerance: how far a number may be from the model's: in [0, 1] for images, in standard deviations for codes.
        opset: of ONNX.
        samples: how many codes to write that `diabolo sample` decodes with the same seed.
        seed: of those.
        moved: where the images of the run lie now, as {"name": …} or {"root": …}.
        trust: packages of your own whose code the run may name.

    Returns:
        The folder: a file for each graph, export.json, and samples.npz where the model can be sampled from.

    Raises:
        DiaboloError: for a folder that is not empty, a model that cannot be exported, a certificate that is missed, and where
            the extra `export` is not installed. Nothing is left behind then.

    Example:
        >>> folder = diabolo.export(run, "vae-for-torch", "torch-export", images=test)
        >>> decoder = torch.export.load(folder / "decoder.pt2").module()
        >>> z = model.encode(test.images[:3])
        >>> (decoder({"code": z})["x_hat"] - model.decode(z)).abs().max() < 1e-6
        tensor(True)
    """
    if to not in TARGETS:
        raise UnknownNameError("target", to, TARGETS)
    for module in NEEDS[to]:
        if find_spec(module) is None:
            raise DiaboloError(
                f"an export to {to} needs {module}, which is not installed: pip install 'diabolo[export]'"
            )
    path = None if isinstance(run, Run) and run.path is None else as_path(run)
    if out is None and path is None:
        raise DiaboloError("this run left no folder to export into: name one, out='exported'")
    target = path / "export" if out is None and path is not None else as_path(out or "")
    _check_free(target)
    with trusting(trust):
        codec = copy.deepcopy(run.model).cpu().eval() if path is None else load(path)
        given = _known(codec, _test_images(path, images, moved)).spread(n)
        parts = graphs(codec, given)
        with writing(target, "export"):
            _whole(
                target, lambda half: _fill(half, codec, parts, given, Asked(to, opset, tolerance, samples, seed), path)
            )
    return target


def _check_free(target: Path) -> None:
    """Refuse a folder that holds something, and what is none."""
    if target.is_dir() and not any(target.iterdir()):
        return
    if os.path.lexists(target):  # a link to nothing too
        raise DiaboloError(f"{target} is {'not empty' if target.is_dir() else 'a file'}: export into a new folder")


def _test_images(path: Path | None, images: Any, moved: Mapping[str, str] | None) -> Images:
    """What is checked on: `images`, or the test images of the run."""
    if images is not None:
        return images if isinstance(images, Images) else as_images(images)
    if path is None or RunFolder(path).config.train.origin is None:
        raise DiaboloError(
            f"the images of {path or 'this run'} were given as arrays, and an export is checked on images: give some from "
            "Python, diabolo.export(run, images=test)"
        )
    return RunFolder(path).images("test", moved)


def _known(codec: Any, images: Images) -> Images:
    """Those of `images` of which is known what the model is given.

    Raises:
        DiaboloError: for images of another shape, and where none is known.
    """
    if images.shape != codec.input_shape:
        raise DiaboloError(f"the model takes images of shape {codec.input_shape}, not {images.shape} as those given")
    if codec.condition.needs_column != "labels" or images.labels is None:
        return images
    return images.take(images.labels >= 0)


def _whole(target: Path, fill: Callable[[Path], None]) -> None:
    """Make the folder `target` of what `fill` writes: it is not seen before it is whole, and not at all where that fails."""
    disk.make_folder(target.parent)
    half = disk.temporary(target)
    with disk.refusing(f"nothing could be exported into {target}"):
        try:
            half.mkdir()
            fill(half)
            if target.is_dir():  # empty, as was looked at
                target.rmdir()
            disk.move(half, target)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
    disk.settle(target.parent)


def _fill(folder: Path, codec: Any, parts: list[Graph], images: Images, asked: Asked, path: Path | None) -> None:
    """Write the graphs of `codec`, and with their certificate on `images` what they are."""
    target = TARGETS[asked.to]
    written = target.write(parts, folder, asked.opset)
    runner = target.Runner(folder, written)
    differences = certify(codec, parts, images, runner, asked.tolerance)
    drawn, why = _samples(codec, asked)
    if drawn:
        content = io.BytesIO()
        np.savez(content, **drawn)
        disk.write(folder / SAMPLES, content.getvalue())
    config = None if path is None else RunFolder(path).config
    told = {
        "format": FORMAT,
        "name": codec.name,
        "to": asked.to,
        "opset": asked.opset if asked.to == "onnx" else None,
        "input_shape": list(codec.input_shape),
        "latent_shape": list(codec.latent_shape),
        "black_and_white": None if images.black_and_white is None else [*images.black_and_white],
        "codes": codec.bottleneck.core.codes if codec.bottleneck.discrete else None,
        "classes": getattr(codec.condition.core, "classes", None),
        "label_names": None if images.label_names is None else list(images.label_names),
        "drawn_from": codec.drawn_from,
        "graphs": {graph.name: {"file": written[graph.name]} | _ports(graph, runner) for graph in parts},
        "samples": {"file": SAMPLES, "n": asked.samples, "seed": asked.seed} if drawn else None,
        "no_samples": why,
        "certificate": {
            "checked_by": runner.what,
            "images": {
                "name": images.name,
                "split": images.split,
                "n": len(images),
                "fingerprint": images.fingerprint,
            },
            "batches": list(BATCHES),
            "differences": {name: found.record() for name, found in differences.items()},
        },
        "model": None if path is None else RunFolder(path).fingerprint(),
        "versions": {"diabolo": __version__, "torch": torch.__version__} | _versions(asked.to),
        "trained_with": None if config is None else config.versions,
    }
    files.write_json(folder / FILE, told)


def _ports(graph: Graph, runner: Any) -> dict[str, Any]:
    """Types and shapes of its inputs and outputs, as JSON-able data."""
    found = runner(graph.name, {name: x.numpy() for name, x in graph.examples.items()})
    inputs = {name: x.numpy() for name, x in graph.examples.items()}

    def told(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {name: {"dtype": str(x.dtype), "shape": ["batch", *x.shape[1:]]} for name, x in arrays.items()}

    return {"inputs": told(inputs), "outputs": told(found)}


def _samples(codec: Any, asked: Asked) -> tuple[dict[str, Any], str | None]:
    """What `diabolo sample` decodes with that seed, as the decoder takes it; or nothing, and why."""
    if not asked.samples:
        return {}, "none were asked for"
    try:
        y = codec.condition.default(asked.samples, codec.device)
        draws = Draws(generator(asked.seed, "sample", device=codec.device))
        code = codec.bottleneck.prior(asked.samples, draws, codec.device)
    except DiaboloError as error:  # no prior was fitted, or nobody says what samples are conditioned on
        return {}, str(error)
    besides = {} if y is None else {COLUMNS[codec.condition.needs_column]: y.numpy()}
    return {"code": code.numpy()} | besides, None


def _versions(to: str) -> dict[str, str]:
    """Of the packages that the target needs."""
    return {package: version(package) for package in NEEDS[to]}
