"""What a shared page is made of, as JSON-able data and sheets of pictures: points, codes, units, and what was decoded
beforehand."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.explorer.explored import Explored
from diabolo.explorer.pixels import RAMP
from diabolo.explorer.planes import Flat, Plane
from diabolo.explorer.shared.sheets import Sheet, sheet
from diabolo.figures.colours import PALETTE
from diabolo.training.code_priors import indices_of

POINTS = 2_000  # on the map
CODES = 4_000_000  # bytes of their codes
SMALL = 48  # pixels of the side of a thumbnail
UNITS = 12  # sliders
SIDES = (32, 24, 16, 12, 8)  # of a grid that is decoded beforehand
LINE = 512  # places of a line that is
GIVEN = 12  # classes that it is decoded for
LARGE = 128  # pixels of the side of a picture that was decoded beforehand
SHEETS = 6_000_000  # bytes of all of those
ROOM = 0.04  # of the width of the map that is left free at each side
DIGITS = 6


@dataclass(frozen=True)
class Contents:
    """What the page says, and shows.

    Attributes:
        told: JSON-able.
        sheets: "thumbnails", and "beforehand-0", … where images were decoded beforehand.
    """

    told: dict[str, Any]
    sheets: dict[str, Sheet]


def packed(array: NDArray[Any]) -> dict[str, str]:
    """Numbers of 4 bytes as the page unpacks them, float32 or int32."""
    kind = "float32" if array.dtype.kind == "f" else "int32"
    return {"type": kind, "data": base64.b64encode(np.ascontiguousarray(array, f"<{kind[0]}4").tobytes()).decode()}


def few(run: Explored, codes: bool) -> Explored:
    """`run` with as many of its test images as a page shows; whose codes it holds too, with `codes`."""
    assert run.test is not None
    most = POINTS
    if codes:
        numbers = run.width if run.quantizer is None else int(np.prod(run.codec.latent_shape[1:]))
        most = max(4, min(POINTS, CODES // (4 * max(1, numbers))))
    test = run.test.at_most(most, run.seed)
    return Explored(run.name, run.codec, run.train, test, run.path, run.seed, own=False)


def contents(run: Explored, decoder: dict[str, Any] | None) -> Contents:
    """What a page shows of `run`, such as `few` gives.

    Args:
        run: of pictures.
        decoder: how it is called in the page; None where images are decoded beforehand.
    """
    assert run.test is not None
    plane = run.plane("pca")
    chosen = plane.chosen
    sheets = {"thumbnails": sheet(run.test.images[chosen], SMALL, exact=False)}
    told: dict[str, Any] = {
        "shape": list(run.codec.input_shape),
        "plane": _plane(plane),
        "discrete": run.discrete,
        "colours": [_colour(run, name, chosen) for name in run.colours],
        "thumbnails": sheets["thumbnails"].described(),
        "classes": list(run.classes),
        "labels": None,
        "decoder": decoder,
        "units": [],
        "beforehand": None,
    }
    if run.classes and run.test.labels is not None:
        told["labels"] = packed(run.test.labels[chosen])
    if decoder is None:
        told["beforehand"], decoded = _beforehand(run, plane)
        sheets |= {f"beforehand-{i}": one for i, one in enumerate(decoded)}
    else:
        told["codes"] = packed(_indices(run)[chosen] if run.discrete else run.codes[chosen])
        told["middle"] = packed(run.middle)
        told["units"] = [] if run.discrete else _units(run)
    return Contents(told, sheets)


def _plane(plane: Plane) -> dict[str, Any]:
    """Points, and the way from a place to its code; without one the nearest point stands for it."""
    found = {
        "points": packed(plane.points),
        "axes": list(plane.axis_names),
        "told": "; ".join(filter(None, (plane.told, plane.back))),
    }
    if isinstance(plane, Flat):
        found |= {"origin": packed(plane.origin), "basis": packed(plane.basis)}
    return found


def _colour(run: Explored, name: str, chosen: NDArray[np.int64]) -> dict[str, Any]:
    """By what the points are coloured: classes by their number, or numbers."""
    values, names = run.values(name)
    if names:
        shades = [PALETTE[i % len(PALETTE)] for i in range(len(names))]
        return {"name": name, "names": list(names), "shades": shades, "values": packed(values[chosen])}
    known = values[chosen][np.isfinite(values[chosen])]
    ends = [float(f"{end:.3g}") for end in (np.quantile(known, (0.02, 0.98)) if len(known) else (0, 1))]
    return {"name": name, "names": None, "shades": list(RAMP), "ends": ends, "values": packed(values[chosen])}


def _units(run: Explored) -> list[dict[str, Any]]:
    """A slider for each number of the code, those that tell most first."""
    units, (low, high) = run.units, run.reach
    return [
        {
            "index": int(j),
            "told": f"{units.told[rank]:.3g} {units.unit}",
            "low": round(float(low[j]), DIGITS),
            "high": round(float(high[j]), DIGITS),
        }
        for rank, j in enumerate(units.order[:UNITS])
    ]


def _indices(run: Explored) -> NDArray[np.int64]:
    """The map of codes of each test image, (N, numbers)."""
    assert run.test is not None
    found = indices_of(run.codec, run.test)
    return found.reshape(len(found), -1)


# --- decoded beforehand ----------------------------------------------------------------------------------------------------


def _beforehand(run: Explored, plane: Plane) -> tuple[dict[str, Any], list[Sheet]]:
    """The images of some places of the map, a sheet for each class that the model can be given."""
    classes = range(len(run.classes[:GIVEN])) if run.classes else range(1)
    places = _places(plane, SIDES[0])
    found = _decoded(run, plane, places, 0)
    side = SIDES[0]
    if isinstance(plane, Flat) and plane.axis_names[1]:  # a coarser grid where the images are too large for this one
        total = len(found.file) * len(classes)
        side = next((one for one in SIDES if total * (one / SIDES[0]) ** 2 <= SHEETS), SIDES[-1])
        places = _places(plane, side)
    again = (
        [_decoded(run, plane, places, label) for label in classes] if len(classes) > 1 or side != SIDES[0] else [found]
    )
    told = {"places": packed(places), "classes": len(classes), **again[0].described()}
    return told, again


def _places(plane: Plane, side: int) -> NDArray[np.float64]:
    """Where images are decoded beforehand: on a grid, on a line, or at the points alone."""
    if not isinstance(plane, Flat):
        return plane.points
    low, high = plane.points.min(0), plane.points.max(0)
    if not plane.axis_names[1]:
        return np.stack([np.linspace(low[0], high[0], LINE), np.full(LINE, (low[1] + high[1]) / 2)], 1)
    x, y = np.meshgrid(*(np.linspace(low[i], high[i], side) for i in (0, 1)))
    return np.stack([x.ravel(), y.ravel()], 1)


def _decoded(run: Explored, plane: Plane, places: NDArray[np.float64], label: int) -> Sheet:
    """Of those places, given the class `label`."""
    codes = np.stack([plane.code_at(place) for place in places.tolist()])
    return sheet(run.decoded(codes, label if run.classes else -1, 0), LARGE)
