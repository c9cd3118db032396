"""What reports need beyond diabolo itself."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from diabolo.errors import DiaboloError

NOTEBOOK = ("jupytext", "nbformat", "nbclient", "ipykernel")
EXTRA = ("typst", *NOTEBOOK)  # of `pip install 'diabolo[report]'`


def needed(module: str) -> Any:
    """The module of that name.

    Raises:
        DiaboloError: when it is not installed, with the line that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise missing(module) from error


def check(*unless: str) -> None:
    """Refuse now what would fail after an hour of training; modules that need not be there are named.

    Raises:
        DiaboloError: when something that reports need is not installed.
    """
    for module in EXTRA:
        if module not in unless and find_spec(module) is None:
            raise missing(module)


def missing(module: str) -> DiaboloError:
    """The one sentence that is said then."""
    return DiaboloError(f"reports need {module}, which is not part of diabolo itself: pip install 'diabolo[report]'")
