"""A run as one HTML file: the page, what it shows, and its decoder, or what that gave beforehand."""

import base64
import gzip
import hashlib
import json
import warnings
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.explorer.explored import Explored
from diabolo.explorer.opening import open_run
from diabolo.explorer.pixels import is_picture
from diabolo.explorer.shared.contents import GIVEN, Contents, contents, few
from diabolo.explorer.shared.runtime import Runtime, runtime
from diabolo.exporting.writing import FILE, export
from diabolo.paths import as_path
from diabolo.ranges import Seed, checked
from diabolo.runs import files as run_files
from diabolo.surroundings import undisturbed
from diabolo.trust import Trust, trusting

LARGEST = 15_000_000  # bytes of a page
CODES = ("code", "indices")  # what a decoder is given; besides it a label at most
# Nothing is fetched, sent or run but what is written in the page. The module of onnxruntime-web is run from a blob of its own.
POLICY = (
    "default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}' blob: 'wasm-unsafe-eval'; "
    "base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Decoder:
    """An exported decoder, and what runs it in a page.

    Attributes:
        file: ONNX.
        told: how it is called, JSON-able.
        runtime: which runs it.
    """

    file: bytes
    told: dict[str, Any]
    runtime: Runtime


@checked
@undisturbed()
def save_page(
    run: Any, out: Path = Path("page.html"), *, images: Any = None, seed: Seed = 0, trust: Trust = ()
) -> Path:
    """Write a run as one HTML file that needs no server and no network: the map of test codes, a slider for each unit, and the
    image of whatever place is under the mouse.

    The page computes the images itself, by onnxruntime-web from the exported decoder (extra `export`). Where that cannot be, or
    the page would be larger than 15 MB, it shows images of a grid of places that were decoded beforehand; a warning says why.
    Up to 2,000 test images go into the page as thumbnails: share it with those who may see them.

    Args:
        run: a `Run` or its folder.
        out: the file; one that is there is replaced.
        images: (train, test) to show instead of those the run was trained on.
        seed: of the choice among the test images.
        trust: packages of your own whose code the run may name.

    Returns:
        The path of the file.

    Raises:
        DiaboloError: for a run without a decoder, code or images, whose examples are no pictures, or that is given more than a
            class.

    Example:
        >>> page = diabolo.explorer.save_page(run, "page.html", images=(train, test))
        >>> page.stat().st_size < 15_000_000
        True
    """
    target = as_path(out)
    if target.is_dir():
        raise DiaboloError(f"{target} is a folder: name a file, such as {target / 'page.html'}")
    if target.suffix.lower() not in (".html", ".htm"):  # it may be someone's table that would be replaced
        raise DiaboloError(f"a page is written as .html, not {target.suffix or target}")
    with trusting(trust):
        explored = open_run(as_path(run), images, seed)
        _check(explored)
        text, why = _page(explored, None if images is None else images[1])
    if why:
        warnings.warn(f"the images of the page were decoded beforehand: {why}", stacklevel=2)
    disk.make_folder(target.parent)
    with disk.refusing(f"{target} could not be written"):
        disk.write(target, text.encode())
    return target


def _check(run: Explored) -> None:
    """Refuse what there is no page of."""
    codec, shape = run.codec, tuple(run.codec.input_shape)
    if not codec.decodes:
        raise DiaboloError(
            f"{run.name} learned from labels alone and its decoder nothing: there is nothing to decode in a page"
        )
    if not run.width:
        raise DiaboloError(f"{run.name} has no code, so there is no map of codes to share")
    if not is_picture(shape):
        raise DiaboloError(f"a page shows pictures (1 or 3, H, W), and {run.name} is for examples {shape}")
    if run.test is None:
        raise DiaboloError(run.lacks)
    if codec.condition.to_decoder and not run.classes:
        raise DiaboloError(
            f"a page offers classes to choose from, and {run.name} is given more than a class: look at it with a server, "
            f"diabolo look {run.path or 'RUN'}"
        )


def _page(run: Explored, images: Any) -> tuple[str, str]:
    """The page, and why its images were decoded beforehand; "" where it decodes them itself."""
    decoder, why, short = None, "", ""
    try:
        decoder = _decoder(run, images)
    except DiaboloError as error:
        if disk.has_failed(error):
            raise
        why, short = str(error), "the decoder could not be put into it"  # the error may name folders of this machine
    if decoder is not None:
        size = len(decoder.file)  # weights hardly shrink
        if size <= LARGEST:
            small = few(run, codes=True)
            text = _filled(small, contents(small, decoder.told), decoder, "")
            if (size := len(text.encode())) <= LARGEST:
                return text, ""
        why = short = f"with its decoder the page would take {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}"
    small = few(run, codes=False)
    return _filled(small, contents(small, None), None, short), why


def _decoder(run: Explored, images: Any) -> Decoder:
    """The decoder of the run as an ONNX file that was checked against the model, and what runs it.

    Raises:
        DiaboloError: where it cannot be exported, or onnxruntime-web is not to be had.
    """
    found = runtime()
    with disk.desk() as desk:
        folder = export(run.path, desk / "exported", images=images, samples=0)
        told = run_files.read_json(folder / FILE)
        graph = told["graphs"]["decode_indices" if run.discrete else "decoder"]
        file = (folder / graph["file"]).read_bytes()
    code, *label = sorted(graph["inputs"], key=lambda name: name not in CODES)
    black, white = _scaling(run).shown
    return Decoder(
        file,
        {
            "input": code,
            "shape": graph["inputs"][code]["shape"][1:],
            "label": label[0] if label else None,
            "output": "pixels" if "pixels" in graph["outputs"] else "x_hat",
            "black": black,
            "white": white,
        },
        found,
    )


def _scaling(run: Explored) -> Any:
    """The units of what the decoder gives."""
    return getattr(run.codec, "codec", run.codec).scaling


def _filled(run: Explored, shown: Contents, decoder: Decoder | None, why: str) -> str:
    """The text of the page."""
    here = files("diabolo.explorer.shared")
    html, style, script = ((here / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    told = shown.told | {"how": _how(run, decoder, why)}
    # within a script nothing but "<" could end it
    data = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    sheets = "\n".join(f'<img id="{name}" alt="" hidden src="{one.address}">' for name, one in shown.sheets.items())
    inside = (
        {"module": decoder.runtime.module, "wasm": decoder.runtime.wasm, "decoder": decoder.file} if decoder else {}
    )
    parts = "\n".join(
        f'<script type="text/plain" id="{name}">{_squeezed(one)}</script>' for name, one in inside.items()
    )
    return html.format(
        policy=POLICY.format(style=_digest(style), script=_digest(script)),
        title=escape(run.name),
        about=escape(run.about),
        style=style,
        script=script,
        data=data,
        sheets=sheets,
        parts=parts,
    )


def _how(run: Explored, decoder: Decoder | None, why: str) -> str:
    """Where the images come from, for whoever reads the page."""
    if decoder is not None:
        return (
            "The images are computed in this page, from the exported decoder of the model, by ONNX Runtime Web "
            f"{decoder.runtime.version} (© Microsoft Corporation, MIT licence)."
        )
    classes = (
        f" They are there for the first {GIVEN} of {len(run.classes)} classes." if len(run.classes) > GIVEN else ""
    )
    return (
        f"The images were decoded beforehand, at places all over the map, since {why}: what is shown is the image of the "
        f"nearest of these places, and there are no sliders.{classes}"
    )


def _squeezed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _digest(text: str) -> str:
    """How a policy names a style or script that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
