"""The line that trains a run of a sweep again, to the bit on the same device."""

from typing import Any

from diabolo.doctor.prescription import same_line_of, train
from diabolo.runs.config import Config


def train_line(config: Config) -> str:
    """`diabolo train …` that trains the run of that config again; "" where it was given arrays or objects, which no line holds.

    The number of threads, and whether the step is compiled, are said too: both change the last bits of a weight.
    """
    options = same_line_of(config)
    if options is None:
        return ""
    return train(config, options | {"seed": config.options.get("seed", 0)} | _where(config))


def _where(config: Config) -> dict[str, Any]:
    """Device, threads and compiling as they were resolved; nothing of a model that is solved at once."""
    resolved = config.resolved
    told = {"device": resolved.get("device"), "threads": resolved.get("threads"), "compile": resolved.get("compile")}
    return {name: value for name, value in told.items() if value is not None}
