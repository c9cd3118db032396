"""What is minimised. An objective takes a model and a batch and gives a `Loss`."""

from diabolo.objectives.factor import FactorVAE
from diabolo.objectives.hybrid import Hybrid
from diabolo.objectives.iwae import IWAE
from diabolo.objectives.layerwise import Layerwise
from diabolo.objectives.objective import ELBO, Model, Objective, weighted
from diabolo.objectives.supervised import M2, Supervised
from diabolo.updates.loss import Loss

__all__ = [
    "ELBO",
    "IWAE",
    "M2",
    "FactorVAE",
    "Hybrid",
    "Layerwise",
    "Loss",
    "Model",
    "Objective",
    "Supervised",
    "weighted",
]
