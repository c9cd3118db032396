"""Scalings in plain PyTorch: fitted to the training images, and undone for what is looked at."""

import math
from dataclasses import dataclass

from diabolo import scaling as scalings
from diabolo.errors import DiaboloError
from diabolo.likelihoods import Likelihood
from diabolo.scaling import NORMAL
from diabolo.unfold.kinds import ByKind
from diabolo.unfold.layers import INDENT
from diabolo.unfold.numbers import number

FITTED = {
    "standard": ("mean and standard deviation", ["shift, scale = x.mean(1), x.std(1, correction=0)"]),
    "robust": (
        "median, and standard deviation by the quartiles",
        [
            "low, shift, high = np.quantile(x.numpy(), (0.25, 0.5, 0.75), axis=1)",
            "shift = torch.from_numpy(shift)",
            f"scale = torch.from_numpy(high - low) / {number(NORMAL)}",
            "scale = torch.where(scale > 0, scale, x.std(1, correction=0))",
        ],
    ),
    "unit": ("least and largest number", ["shift, scale = x.amin(1), x.amax(1) - x.amin(1)"]),
}


@dataclass
class Scaled:
    """A scaling as text.

    Attributes:
        classes: a class that it needs; "" for none.
        init: lines of the model's `__init__`.
        before: lines of the loss, which scale `x`.
        fit: lines of `main` that fit it to `images`.
        x: an expression for the scaled `x`.
        undo: an expression for scaled numbers `{}` in the units of the data.
        own: whether x keeps its own type until then.
        imports: lines.
    """

    classes: str = ""
    init: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    fit: tuple[str, ...] = ()
    x: str = "x"
    undo: str = "{}"
    own: bool = False
    imports: tuple[str, ...] = ()


scaled = ByKind[Scaled]("scaling")
"""`scaling` as text."""


@scaled.of(scalings.Unscaled)
def _unscaled(scaling: scalings.Unscaled) -> Scaled:
    return Scaled()


@scaled.of(scalings.Affine)
def _affine(scaling: scalings.Affine) -> Scaled:
    if scaling.features is not None:
        raise DiaboloError("unfold cannot write a scaling of some features in plain PyTorch; it can write one of all")
    if scaling.kind == "real":
        return Scaled(before=("x = x.float()",), x="x.float()", own=True)
    says, lines = FITTED[scaling.kind]
    if ends := _black_and_white(scaling):
        low, high = ends
        says, lines = "black and white", [
            f"shift = torch.full((len(x),), {number(low)})",
            f"scale = torch.full((len(x),), {number(high - low)})",
        ]  # fmt: skip
    each = "number" if len(scaling.input_shape) == 1 else "channel"
    shape = ", ".join(map(str, scaling.shift.shape))
    text = [
        "class Scaling(nn.Module):",
        f'{INDENT}"""(x - shift) / scale, by {says} of each {each}."""',
        "",
        f"{INDENT}def __init__(self):",
        f"{INDENT * 2}super().__init__()",
        f'{INDENT * 2}self.register_buffer("shift", torch.zeros({shape}).double())',
        f'{INDENT * 2}self.register_buffer("scale", torch.ones({shape}).double())',
        "",
        f"{INDENT}def fit(self, images):",
        f'{INDENT * 2}"""Choose both by the training images; what is constant has a scale of 1."""',
        f"{INDENT * 2}x = torch.stack([x for x, _ in images]).double()",
        f"{INDENT * 2}x = x.transpose(0, 1).flatten(1)  # a row for each {each}",
        *[INDENT * 2 + line for line in lines],
        f"{INDENT * 2}varies = scale > {8 * 2.0**-52:.4g} * shift.abs()",
        f"{INDENT * 2}scale = torch.where(varies, scale, 1.0)",
        f"{INDENT * 2}self.shift.copy_(shift.view_as(self.shift))",
        f"{INDENT * 2}self.scale.copy_(scale.view_as(self.scale))",
        "",
        f"{INDENT}def forward(self, x):",
        f"{INDENT * 2}return ((x - self.shift) / self.scale).float()",
        "",
        f"{INDENT}def undo(self, x):",
        f'{INDENT * 2}"""The numbers of which forward makes x."""',
        f"{INDENT * 2}return (x * self.scale + self.shift).float()",
    ]
    return Scaled(
        "\n".join(text),
        ("self.scaling = Scaling()",),
        ("x = model.scaling(x)",),
        ("model.scaling.fit(images)",),
        "model.scaling(x)",
        "model.scaling.undo({})",
        True,
        ("import numpy as np",) if scaling.kind == "robust" else (),
    )


def volume(likelihood: Likelihood, scaling: scalings.Scaling) -> list[str]:
    """Lines of the loss that count nats in the units of the data."""
    if not likelihood.density or not isinstance(scaling, scalings.Affine) or scaling.kind == "real":
        return []
    each = math.prod(scaling.input_shape[1:])
    times = f"{each} * " if each > 1 else ""
    return [
        "# a density of x in its own units",
        f"reconstruction = reconstruction + {times}model.scaling.scale.log().sum().float()",
    ]


def _black_and_white(scaling: scalings.Affine) -> tuple[float, float] | None:
    """The numbers that become 0 and 1 where the images say them; None where these are the range of the training images."""
    low, high = scaling.shown
    known = bool(scaling.fitted) and bool(((scaling.shift == low) & (scaling.scale == high - low)).all())
    return (low, high) if scaling.kind == "unit" and known else None
