"""The code maps that a prior is fitted to: RUN/prior/codes.npz, beside the priors of the run."""

import io
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo import data, regular
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.priors.code_prior import CodePrior
from diabolo.runs import files
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.lines import shell_line

FOLDER, FILE = "prior", "codes.npz"


def write_codes(run: Path, maps: dict[str, NDArray[np.uint8]]) -> tuple[Images, Images]:
    """Leave the code maps of the `train` (and `validation`) images in the folder `run`.

    Returns:
        What a prior is to be fitted to, and held out: a tenth where there are no validation images.
    """
    files.make_folder(run / FOLDER)
    names = ("x_train", "x_test") if len(maps) == 2 else ("x",)
    arrays: dict[str, Any] = dict(zip(names, maps.values(), strict=True))
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    files.write(run / FOLDER / FILE, content.getvalue())
    return _load(run / FOLDER / FILE)


def codes_of(path: Path, prior: CodePrior, config: Config) -> tuple[Images, Images | None]:
    """The code maps that the unfinished `prior` in the folder `path`, with that `config`, is fitted to, and those held out.

    Raises:
        DiaboloError: when the prior was moved out of its run, the run's weights are others by now, or its codes are gone.
    """
    run = run_of(path, config)
    regular.check_folder(run)
    again = f"fit a new one with: {shell_line('fit-prior', run)}"
    if RunFolder(run).fingerprint() != prior.fitted_to:
        raise DiaboloError(
            f"{path} is a prior over the codes of other weights than {run} now holds, whose model was trained on or replaced "
            f"since: {again}"
        )
    file = run / FOLDER / FILE
    if not file.is_file():
        raise DiaboloError(
            f"the codes that {path} is fitted to are gone, {file}: the same {shell_line('fit-prior', run)} as before makes "
            "them again and goes on"
        )
    found = _load(file)
    for part, maps in zip(("train", "validation"), found, strict=True):
        about = config.images(part)
        if about is not None and maps.fingerprint != about.fingerprint:
            raise DiaboloError(f"the codes in {file} are not those that {path} is fitted to: {again}")
    return found[0], found[1] if config.validation is not None else None


def _load(file: Path) -> tuple[Images, Images]:
    """Codes are numbers, not grey levels: a codebook of two vectors gives no black-and-white images, a map three codes wide is
    no picture in colour, and there is no account to give of black and white."""
    log = logging.getLogger("diabolo.data")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        return data.load(str(file), range="dtype", image_channels=1)
    finally:
        log.setLevel(level)


def run_of(path: Path, config: Config) -> Path:
    """The run that the prior in the folder `path` belongs to.

    Raises:
        DiaboloError: when it was moved away from it.
    """
    recorded = Path(str(config.train.load.get("name", path)))
    for folder in (Path(os.path.abspath(path)).parent, recorded.parent):
        if folder.name == FOLDER and (folder.parent / "config.json").is_file():
            return Path(os.path.relpath(folder.parent)) if not path.is_absolute() else folder.parent
    raise DiaboloError(
        f"{path} is a prior over the codes of a run and no longer lies in the folder {FOLDER} of one: put it back there, or "
        "fit a new one with: diabolo fit-prior RUN"
    )
