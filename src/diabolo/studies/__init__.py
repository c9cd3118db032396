"""Literate experiments that use only the public API. Each has a folder: a percent-format script, and the sentences of its
report; `diabolo study` lists them.

study = Study("pca", data="mnist", epochs=15)

@study.row("3.2", "PCA with two components")
def components(row):
    row.figure("scatter", figures.latent_scatter(…), "The codes of …")
"""

from typing import TYPE_CHECKING

from diabolo.lazy import lazy

if TYPE_CHECKING:
    from diabolo.studies.engine.findings import Difference, Measured, difference, joined, less
    from diabolo.studies.engine.row import NotMeasured, Row
    from diabolo.studies.engine.study import Study
    from diabolo.studies.engine.trained import Trained

__all__ = ["Difference", "Measured", "NotMeasured", "Row", "Study", "Trained", "difference", "joined", "less"]

_HOME = {
    "Difference": "engine.findings",
    "Measured": "engine.findings",
    "NotMeasured": "engine.row",
    "Row": "engine.row",
    "Study": "engine.study",
    "Trained": "engine.trained",
    "difference": "engine.findings",
    "joined": "engine.findings",
    "less": "engine.findings",
}

__getattr__, __dir__ = lazy(__name__, _HOME)
