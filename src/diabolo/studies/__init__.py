"""Literate experiments that use only the public API. Each is one percent-format script here; `diabolo study` lists them.

study = Study("pca", data="mnist", epochs=15)

@study.row("3.2", "PCA with two components")
def components(row):
    row.figure("scatter", figures.latent_scatter(…), "The codes of …")
"""

from typing import TYPE_CHECKING

from diabolo.lazy import lazy

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

__getattr__, __dir__ = lazy(__name__, _HOME)
