"""The table of layers, output shapes and parameter counts that people know from torchsummary."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from diabolo import display


@dataclass(frozen=True)
class Row:
    """One layer: its path in the model, its class, the shape it gives for one image, and its own parameters."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Summary:
    """The layers in the order they ran, and the parameter counts of the whole model. `print` it; a notebook shows it as a
    table."""

    rows: tuple[Row, ...]
    parameters: int
    trainable: int

    @property
    def table(self) -> tuple[tuple[str, ...], list[tuple[str | int, ...]]]:
        """Column names, and a row for each layer, for a report; the last row is the whole model."""
        rows: list[tuple[str | int, ...]] = [
            (r.name, r.kind, " × ".join(map(str, r.output)), r.parameters) for r in self.rows
        ]
        return ("layer", "type", "output shape", "parameters"), [*rows, ("all", "", "", self.parameters)]

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The table in a notebook."""
        columns, rows = self.table
        megabytes = f"trainable {self.trainable:,}; {self.parameters * 4 / 2**20:.2f} MiB in float32"
        return display.table(f"{self.parameters:,} parameters", f"({megabytes})", columns, rows)

    def __str__(self) -> str:
        cells = [("layer", "type", "output shape", "parameters")]
        cells += [(r.name, r.kind, f"(N, {', '.join(map(str, r.output))})", f"{r.parameters:,}") for r in self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(4)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}" for a, b, c, d in cells]
        rule = "─" * len(lines[0])
        totals = (
            f"parameters: {self.parameters:,} (trainable {self.trainable:,}; {self.parameters * 4 / 2**20:.2f} MiB)"
        )
        return "\n".join([lines[0], rule, *lines[1:], rule, totals])


def summarise(model: nn.Module, run: Callable[[], object]) -> Summary:
    """What `run()`, a call that sends one image through `model`, passes on its way."""
    rows: list[Row] = []

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                count = sum(p.numel() for p in module.parameters())
                rows.append(Row(name, type(module).__name__, tuple(output.shape[1:]), count))

        return hook

    leaves = [(name, module) for name, module in model.named_modules() if not list(module.children())]
    hooks = [module.register_forward_hook(note(name)) for name, module in leaves]
    try:
        run()
    finally:
        for handle in hooks:
            handle.remove()
    counted = {id(p) for name, m in leaves if any(r.name == name for r in rows) for p in m.parameters()}
    rows += [
        Row(name, "parameter", tuple(p.shape), p.numel())
        for name, p in model.named_parameters()
        if id(p) not in counted
    ]
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return Summary(tuple(rows), sum(n for n, _ in sizes), sum(n for n, trains in sizes if trains))
