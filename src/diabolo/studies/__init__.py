"""Literate experiments that use only the public API. Each is one percent-format script here; `diabolo study` lists them.

study = Study("pca", data="mnist", epochs=15)

@study.row("3.2", "PCA with two components")
def components(row):
    row.figure("scatter", figures.latent_scatter(…), "The codes of …")
"""

from diabolo.studies.findings import Difference, Measured, difference, joined
from diabolo.studies.row import Row
from diabolo.studies.study import Study
from diabolo.studies.trained import Trained

__all__ = ["Difference", "Measured", "Row", "Study", "Trained", "difference", "joined"]
