"""The line that trains a run of a sweep again, to the bit on the same device."""

from typing import Any

from diabolo import zoo
from diabolo.doctor.prescription import flags, line_of
from diabolo.runs.config import Config


def train_line(config: Config) -> str:
    """`diabolo train …` that trains the run of that config again; "" where it was given arrays or objects, which no line holds.

    The number of threads, and whether the step is compiled, are said too: both change the last bits of a weight.
    """
    options = line_of(config)
    if options is None:
        return ""
    options |= _watched(config) | {"seed": config.options.get("seed", 0)} | _where(config)
    processes = config.resolved.get("processes", 1)
    verb = "diabolo train" if processes == 1 else f"torchrun --nproc-per-node {processes} -m diabolo train"
    return " ".join([verb, zoo.path_of(config.name), *flags(options)])


def _watched(config: Config) -> dict[str, Any]:
    """What the training validates with, where it is the test images: `line_of` says a share that was held out."""
    watched = config.validation
    return {"validation": "test"} if watched is not None and watched.split == "test" else {}


def _where(config: Config) -> dict[str, Any]:
    """Device, threads and compiling as they were resolved; nothing of a model that is solved at once."""
    resolved = config.resolved
    told = {"device": resolved.get("device"), "threads": resolved.get("threads"), "compile": resolved.get("compile")}
    return {name: value for name, value in told.items() if value is not None}
