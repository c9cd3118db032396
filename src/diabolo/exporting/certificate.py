"""The parity certificate: how far what was exported is from the model, on test images, in batches of several sizes.

    x_hat, pixels   in [0, 1]: black is 0 and white 1; of numbers that are no pictures as a share of each feature's range
    code            in standard deviations of the codes
    indices         where one differs, how far the encoder's vector lies from a tie, at which the model's code and the other are
                    equally near and the last digit of a float decides; in standard deviations of the codes
    score           as images, squared

Where an index differs, so must the code and the reconstruction: these are compared on the images that keep all their indices.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.exporting.graphs import COLUMNS, GIVEN, Graph, Handed
from diabolo.scaling import UNIT

Array = NDArray[Any]
Arrays = dict[str, Array]
Runs = Callable[[str, Arrays], Arrays]  # a graph by its name, and its named inputs → its named outputs

BATCHES = (1, 2, 7, 64)
TOLERANCE = 1e-4
TIES = 1e-3  # the share of indices that may differ, of fewer than 1,000 one
DIGITS = 4 * float(np.finfo(np.float32).eps)  # of squares of this size float32 does not know the rest


@dataclass
class Difference:
    """How far one output is from the model's.

    Attributes:
        unit: what it is measured in.
        tolerance: what it may be.
        by_batch: the largest and the mean difference, by the size of the batches.
        differing: of indices, how many differ, by the size of the batches.
        n: of indices, how many there are.
    """

    unit: str
    tolerance: float
    by_batch: dict[int, tuple[float, float]] = field(default_factory=dict)
    differing: dict[int, int] = field(default_factory=dict)
    n: int | None = None

    @property
    def largest(self) -> float:
        """Of all batches."""
        return max(largest for largest, _ in self.by_batch.values())

    def record(self) -> dict[str, Any]:
        """JSON-able."""
        mean = sum(mean for _, mean in self.by_batch.values()) / len(self.by_batch)
        each = {str(n): {"largest": largest, "mean": mean} for n, (largest, mean) in self.by_batch.items()}
        counted = {"differing": {str(n): count for n, count in self.differing.items()}, "n": self.n}
        return {
            "unit": self.unit,
            "tolerance": self.tolerance,
            "largest": self.largest,
            "mean": mean,
            "by_batch": each,
        } | (counted if self.differing else {})


def certify(
    codec: Any, graphs: list[Graph], images: Images, run: Runs, tolerance: float = TOLERANCE
) -> dict[str, Difference]:
    """graph.output → how far what `run` gives is from what `codec` does, on `images`, which are repeated where they are fewer
    than the largest batch.

    Raises:
        DiaboloError: when one differs by more than `tolerance`, or is NaN; and when more than 1 in 1,000 indices differ.
    """
    model = _Model(codec, graphs, images.take(np.arange(max(len(images), *BATCHES)) % len(images)))
    found: dict[str, Difference] = {}
    for size in BATCHES:
        same = np.ones(len(model.inputs["images"]), np.bool_)  # the images whose indices are those of the model
        for graph in graphs:
            given = _in_batches(run, graph, model.inputs, size)
            if "indices" in given:
                agree = given["indices"] == model.wanted[graph.name, "indices"]
                same = agree.reshape(len(agree), -1).all(1)
                same = same if same.any() else ~same
            for output in graph.outputs:
                unit, each = model.difference(graph.name, output, given[output], same)
                told = found.setdefault(f"{graph.name}.{output}", Difference(unit, tolerance))
                largest, mean = float(each.max()), float(each.mean())
                told.by_batch[size] = largest, mean
                if (
                    np.isnan(largest)
                    and np.isnan(model.wanted[graph.name, "x_hat" if output == "pixels" else output]).any()
                ):
                    raise DiaboloError(
                        f"nothing is exported: the model is broken, {output!r} of its {graph.name} holds NaN"
                    )
                if not largest <= tolerance:  # NaN is not
                    raise DiaboloError(
                        f"nothing is exported: {output!r} of the {graph.name} differs from the model's by {largest:.2g} {unit} "
                        f"in batches of {size}, and the tolerance is {tolerance:g}"
                    )
                if output == "indices":
                    told.n, told.differing[size] = agree.size, int((~agree).sum())
                    if told.differing[size] > max(1, TIES * told.n):
                        raise DiaboloError(
                            f"nothing is exported: {told.differing[size]:,} of {told.n:,} indices of the {graph.name} differ "
                            f"from the model's in batches of {size}, and 1 in 1,000 may: too many vectors of these images lie "
                            "at a tie"
                        )
    return found


def _in_batches(run: Runs, graph: Graph, inputs: Arrays, size: int) -> Arrays:
    """What `graph` gives of its own of `inputs`, `size` rows at a time."""
    own = {name: inputs[name] for name in graph.examples}
    n = len(next(iter(own.values())))
    parts = [run(graph.name, {name: x[i : i + size] for name, x in own.items()}) for i in range(0, n, size)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class _Model:
    """What the model itself gives of some images.

    Attributes:
        inputs: of the graphs, by their names.
        wanted: what each graph is to give, by graph and output.
    """

    def __init__(self, codec: Any, graphs: list[Graph], images: Images) -> None:
        examples = {name: example for graph in graphs for name, example in graph.examples.items()}
        x, y = images.tensor, column(images, codec.condition.needs_column)
        code, given = codec.encode(x, y), codec.condition.pick(x, y)
        x_hat = codec.decode(code, given).numpy()
        tensors = {"images": x, GIVEN: x, "code": code, COLUMNS.get(codec.condition.needs_column or ""): y}
        self.wanted: dict[tuple[str, str], Array] = {
            ("encoder", "code"): code.numpy(),
            ("decoder", "x_hat"): x_hat,
            ("decode_indices", "x_hat"): x_hat,
            ("reconstruct", "x_hat"): codec.reconstruct(x, y).numpy(),
        }
        if codec.bottleneck.discrete:
            self.core, features = codec.bottleneck.core, codec.features(x, y)
            with torch.no_grad():
                self.vectors, tensors["indices"] = self.core.placed(features), self.core.indices(features)
            self.wanted["encoder", "indices"] = tensors["indices"].numpy()
        plain = to_float(images.images, np.float64)
        squares = np.square(self.wanted["reconstruct", "x_hat"] - plain).reshape(len(plain), -1)
        known = np.maximum((~np.isnan(squares)).sum(1), 1)  # of an image of which nothing is known the score is 0
        self.wanted["score", "score"] = np.nansum(squares, 1) / known
        random = np.random.default_rng(0)
        draws: dict[str, Callable[..., Array]] = {"normal": random.standard_normal, "uniform": random.random}
        for name, draw in draws.items():
            if name in examples:
                noise = torch.from_numpy(draw((len(x), *examples[name].shape[1:]), dtype=np.float32))
                tensors[name] = noise
                with torch.no_grad():
                    self.wanted["prior", "code"] = codec.bottleneck.prior(len(x), Handed(noise), noise.device).numpy()
        self.inputs: Arrays = {
            name: tensors[name].to(example.dtype).numpy() for name, example in {**examples, "images": x}.items()
        }
        self.range, self.unit = _range(codec, images, plain)

    def difference(self, graph: str, output: str, given: Array, same: NDArray[np.bool_]) -> tuple[str, Array]:
        """In which unit, and by how much, each number of what was `given` differs from what was wanted; of codes and of what is
        made of them within the graph for the images that have the `same` indices alone."""
        wanted = self.wanted[graph, "x_hat" if output == "pixels" else output]
        if graph in ("encoder", "reconstruct", "score") and output != "indices":
            given, wanted = given[same], wanted[same]
        if output == "indices":
            return "standard deviations of the codes from a tie", self._from_tie(given, wanted)
        if output == "code":
            return "standard deviations of the codes", _apart(given, wanted) / (float(wanted.std()) or 1.0)
        if output == "score":
            return f"{self.unit}, squared", _apart(given, wanted) / float(np.square(self.range).mean())
        if given.dtype == np.uint8:  # is it the rounding of a number that is near the model's?
            return self.unit, np.maximum(_apart(given, 255 * wanted.clip(0, 1)) - 0.5, 0) / 255
        return self.unit, _apart(given, wanted) / self.range

    def _from_tie(self, given: Array, wanted: Array) -> Array:
        """For each place whose index is `given` and not as `wanted`, how far its vector lies from where both codes are equally
        near; 0 where float32 cannot say which is nearer, and [0] without any such place."""
        where = given != wanted
        if not where.any():
            return np.zeros(1)

        def rows(vectors: Any) -> Array:
            found: Array = vectors.detach().movedim(1, -1).numpy().astype(np.float64)[where]
            return found

        v, ours, other = rows(self.vectors), *(rows(self.core.codes_of(torch.from_numpy(i))) for i in (wanted, given))
        near, far = np.square(v - ours).sum(1), np.square(v - other).sum(1)
        lost = DIGITS * np.maximum.reduce([np.square(x).sum(1) for x in (v, ours, other)])
        between = 2 * np.sqrt(np.square(ours - other).sum(1))
        beyond = np.maximum(np.abs(far - near) - lost, 0)
        spread = float(self.wanted["encoder", "code"].std()) or 1.0
        found: Array = np.divide(beyond, between, out=np.zeros_like(beyond), where=between > 0) / spread
        return found


def _apart(given: Array, wanted: Array) -> NDArray[np.float64]:
    """|given − wanted| in float64."""
    return np.abs(given.astype(np.float64) - wanted)


def _range(codec: Any, images: Images, plain: NDArray[np.float64]) -> tuple[Array, str]:
    """By what differences of images are divided, which broadcasts over them, and what they are measured in then."""
    if codec.scaling.reach == UNIT or images.black_and_white is not None:
        black, white = images.black_and_white or UNIT
        return np.array([white - black]), "of the range from black to white"
    axes = (0, *range(2, plain.ndim))
    range_ = np.nanmax(plain, axes, keepdims=True) - np.nanmin(plain, axes, keepdims=True)
    return np.where(range_ > 0, range_, range_.max() or 1.0), "of the range of the feature"
