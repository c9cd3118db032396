"""What the recipes have reached, as measured: one JSON file, shown by `diabolo models NAME` and rendered as docs/results.md.

    {"vae": [{"data": "mnist", "setting": "784-512-512-16, 10 epochs", "measure": "−ELBO of the test images, nats",
              "value": "97.3 ± 0.1 (3 seeds)", "bar": "≤ 98", "command": "diabolo train vae --data mnist …"}]}

To add a result, add an entry and run `python -m diabolo.zoo.results > docs/results.md`.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Result:
    """One measured figure.

    Attributes:
        data: the data set.
        setting: what is not said by the recipe's name: net, latent size, epochs, hardware where it matters.
        measure: what was measured, on which images, in which unit.
        value: the figure, with its spread where there are several seeds.
        command: the command line that gives it.
        bar: what was to be reached; empty for none.
    """

    data: str
    setting: str
    measure: str
    value: str
    command: str
    bar: str = ""


@functools.cache
def results() -> dict[str, tuple[Result, ...]]:
    """The results of each recipe that has any."""
    held = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: tuple(Result(**entry) for entry in entries) for name, entries in held.items()}


def as_markdown() -> str:
    """docs/results.md."""
    lines = [
        "# Results",
        "",
        "What the recipes reach here, each figure with the command that gives it. Written by "
        "`python -m diabolo.zoo.results` from `src/diabolo/zoo/results.json`.",
        "",
        "A training repeats itself bit for bit on the same device with the same number of threads. With another number, sums "
        "are taken in another order, and the weights of convolutional recipes drift apart (by up to 5e-3 after two epochs). "
        "Where a command names no `--threads`, the number was not kept: expect the figure within its spread, not to the last "
        "digit.",
    ]
    for name, entries in results().items():
        lines += ["", f"## {name}", "", "| data | setting | measure | value | bar |", "| --- | --- | --- | --- | --- |"]
        for r in entries:
            cells = (cell.replace("|", "\\|") for cell in (r.data, r.setting, r.measure, r.value, r.bar))
            lines.append(f"| {' | '.join(cells)} |")
        lines += ["", "```", *dict.fromkeys(r.command for r in entries), "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(as_markdown(), end="")
