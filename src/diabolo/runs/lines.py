"""Lines to be typed that go on with a run."""

import shlex
from pathlib import Path

from diabolo import parts, trust
from diabolo.data.finding import home_of
from diabolo.errors import DiaboloError
from diabolo.runs.config import Config


def shell_line(verb: str, run: Path, *words: object) -> str:
    """The line `diabolo VERB RUN WORDS` as a shell takes it, "explore map" being a verb too: a path with spaces, or with what a
    shell acts on, is quoted. Code outside diabolo that the folder `run` names is trusted by name in it, without which the verb
    would be refused."""
    trusted = [word for package in packages_of(run) for word in ("--trust", package)]
    return shlex.join(["diabolo", *verb.split(), *map(str, (run, *words, *trusted))])


def resume_line(run: Path, world: int) -> str:
    """The line that goes on with the training in the folder `run` by `world` processes."""
    return ("" if world == 1 else f"torchrun --nproc-per-node {world} -m ") + shell_line("resume", run)


def packages_of(run: Path) -> list[str]:
    """What must be trusted for the run folder to be opened; nothing of one that cannot be read, which says so when it is."""
    try:
        config = Config.read(run)
        home = home_of(config.train.load.get("name"))  # of its images
        images = [] if home is None else trust.packages([home.partition(":")[0]])
        return list(dict.fromkeys([*parts.packages([config.model, config.options]), *images]))
    except (DiaboloError, OSError):
        return []
