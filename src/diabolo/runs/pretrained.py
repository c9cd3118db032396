"""A model from elsewhere: a folder that `save_pretrained` wrote, here or on the Hugging Face Hub. It runs no code: it is opened
through the same door as a run folder, which builds parts of Diabolo alone unless a package is trusted by name."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.runs import config
from diabolo.runs.loading import load
from diabolo.trust import Trust

NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
FILES = ("config.json", "model.safetensors")
WANTED = [*FILES, *(f"prior/*/{name}" for name in FILES)]
TAKEN = re.compile(r"(prior/\d{4,}-[\w.-]+/)?(config\.json|model\.safetensors)")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".npy", ".npz", ".h5", ".keras", ".joblib")


def from_pretrained(
    where: str | os.PathLike[str],
    revision: str | None = None,
    token: str | None = None,
    device: str | torch.device = "cpu",
    trust: Trust = (),
) -> Any:
    """The model in a folder that `run.save_pretrained` wrote, or of that name on the Hugging Face Hub, in evaluation mode.

    Args:
        where: the folder, or "user/name" on the Hub (extra `hub`); a folder of that name here comes first.
        revision: of the Hub's: a branch, a tag or a commit; the newest when left out.
        token: for a private one; when left out that of `hf auth login`, or of HF_TOKEN.
        device: where to put it.
        trust: packages whose code the folder may name, such as "my_pkg", for a model with parts of one's own: importing them
            runs that code. Without it nothing of the folder is run.

    Raises:
        NotTrustedError: when it names code outside diabolo that is not trusted.
        DiaboloError: when there is no such folder or name, the Hub cannot be reached, or what lies there is damaged.

    Example:
        >>> folder = run.save_pretrained("shared")
        >>> same = diabolo.from_pretrained("shared")
        >>> torch.equal(same.encode(test.images), model.encode(test.images))
        True
    """
    path = as_path(where)
    if path.is_dir():
        if revision is not None:
            raise DiaboloError(f"{path} is a folder, which has no revisions: leave revision out")
        return _opened(path, str(path), device, trust)
    name = str(where)
    if not NAME.fullmatch(name):
        raise DiaboloError(f"there is no folder {path}, and {name!r} is no name on the Hub, such as user/name")
    with disk.desk() as desk:
        return _opened(_fetched(name, revision, token, desk), name, device, trust)


def _opened(path: Path, name: str, device: str | torch.device, trust: Trust) -> Any:
    missing = [file for file in FILES if not (path / file).is_file()]
    if missing:
        others = sorted(file.name for file in path.iterdir() if file.suffix.lower() in PICKLES)
        never = f"; {others[0]} is not opened, since such a file may run code" if others else ""
        raise DiaboloError(f"{name} holds no model of Diabolo: {missing[0]} is missing{never}")
    model = load(path, device=device, trust=trust)
    if model.bottleneck.discrete and not (path / "prior").is_dir():
        model.bottleneck.attach(None, f"{name} was shared without a prior over its codes")
    return model


def _fetched(name: str, revision: str | None, token: str | None, desk: Path) -> Path:
    """What a model needs of the repository of that name, as regular files in a folder of `desk`. The Hub's own cache keeps it
    for the next time, also without a network."""
    hub = library()
    with asking(f"{name} could not be fetched"):
        cached = Path(hub.snapshot_download(name, revision=revision, token=token, allow_patterns=WANTED))
    folder = desk / name
    folder.mkdir(parents=True)
    for file in sorted(cached.rglob("*")):
        inside = file.relative_to(cached).as_posix()
        if TAKEN.fullmatch(inside) and file.is_file():
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / inside)  # in the cache it is a link
    if not (folder / config.FILE).is_file():
        raise DiaboloError(f"{name} on the Hub holds no model of Diabolo: {config.FILE} is missing")
    return folder


def library() -> Any:
    """huggingface_hub.

    Raises:
        DiaboloError: when the extra is not installed.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise DiaboloError("the Hub needs the extra: pip install 'diabolo[hub]'") from error
    return huggingface_hub


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Whatever the Hub answers inside the block, or that it does not, is told in one sentence that begins with `what`."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except DiaboloError:
        raise
    except HFValidationError as error:
        raise DiaboloError(f"{what}: that is no name on the Hub ({_first(error).rstrip('.')})") from error
    except RevisionNotFoundError as error:
        raise DiaboloError(f"{what}: it has no such revision") from error
    except RepositoryNotFoundError as error:
        raise DiaboloError(
            f"{what}: {constants.ENDPOINT} has none of that name, or the token (HF_TOKEN, hf auth login) does not see it"
        ) from error
    except HfHubHTTPError as error:
        code = error.response.status_code
        if code in (401, 403):
            raise DiaboloError(
                f"{what}: {constants.ENDPOINT} refused the token ({code}); one with the right to write comes from "
                f"{constants.ENDPOINT}/settings/tokens, and is given by hf auth login or HF_TOKEN"
            ) from error
        raise DiaboloError(f"{what}: {constants.ENDPOINT} answered {code}, {_first(error)}") from error
    except Exception as error:  # no network, in the words of whichever library carries it
        if isinstance(error, OSError) and error.filename and error.strerror:
            raise DiaboloError(f"{what}: {error.filename} could not be written or read: {error.strerror}") from error
        raise DiaboloError(f"{what}: {constants.ENDPOINT} cannot be reached ({_first(error)})") from error


def _first(error: Exception) -> str:
    """The first line of what it says."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
