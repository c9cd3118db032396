"""Literate experiments that use only the public API. Each is one percent-format script here; `diabolo study` lists them.

study = Study("pca", data="mnist", epochs=15)

@study.row("3.2", "PCA with two components")
def components(row):
    row.figure("scatter", figures.latent_scatter(…), "The codes of …")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diabolo.studies.findings import Difference, Measured, difference, joined, less
    from diabolo.studies.row import NotMeasured, Row
    from diabolo.studies.study import Study
    from diabolo.studies.trained import Trained

__all__ = ["Difference", "Measured", "NotMeasured", "Row", "Study", "Trained", "difference", "joined", "less"]

_HOME = {
    "Difference": "findings",
    "Measured": "findings",
    "NotMeasured": "row",
    "Row": "row",
    "Study": "study",
    "Trained": "trained",
    "difference": "findings",
    "joined": "findings",
    "less": "findings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
