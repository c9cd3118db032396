"""`diabolo export RUN`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App

from diabolo.cli.options import MovedOptions, where
from diabolo.cli.verbs import VERBS
from diabolo.ranges import At, Count, Natural, Positive, Seed, checked
from diabolo.terminal import say

app = App(name="export", help=VERBS["export"])


@app.default
@checked
def command(
    run: Path,
    /,
    *,
    to: Literal["onnx", "torch-export"] = "onnx",
    out: Path | None = None,
    n: Count = 64,
    tolerance: Positive = 1e-4,
    opset: Annotated[int, At(18, 23)] = 18,
    samples: Natural = 16,
    seed: Seed = 0,
    moved: MovedOptions = None,
) -> None:
    """Write a run as graphs that work without Diabolo: encoder, decoder, reconstruct, score and the prior, each checked against
    the model on test images.

    Args:
        run: the run folder.
        to: onnx, for onnxruntime in any language; or torch-export, for PyTorch without Diabolo.
        out: the folder they are written into, which is new or empty; `export` in the run folder when left out.
        n: how many test images they are checked on, in batches of 1, 2, 7 and 64.
        tolerance: how far a number may be from the model's: in [0, 1] for images, in standard deviations for codes.
        opset: of ONNX.
        samples: how many codes to write that `diabolo sample` decodes with the same seed.
        seed: of those.
    """
    from diabolo import exporting
    from diabolo.exporting.writing import FILE
    from diabolo.runs import files
    from diabolo.trust import trusted

    folder = exporting.export(
        run,
        out,
        to,
        n=n,
        tolerance=tolerance,
        opset=opset,
        samples=samples,
        seed=seed,
        moved=where(moved),
        trust=trusted(),
    )
    told = files.read_json(folder / FILE)
    for name, graph in told["graphs"].items():
        worst = max(
            (found for place, found in told["certificate"]["differences"].items() if place.split(".")[0] == name),
            key=lambda found: found["largest"] / found["tolerance"],
        )
        say(f"{folder / graph['file']}: differs by at most {worst['largest']:.1e} {worst['unit']}")
        indices = told["certificate"]["differences"].get(f"{name}.indices")
        if indices and (differing := max(indices["differing"].values())):
            say(f"{folder / graph['file']}: up to {differing:,} of {indices['n']:,} indices differ, at ties")
    if told["no_samples"]:
        say(f"diabolo: no samples: {told['no_samples']}", error=True)
