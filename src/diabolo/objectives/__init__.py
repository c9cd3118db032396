"""What is minimised. An objective takes a model and a batch and gives a `Loss`."""

from diabolo.objectives.elbo import ELBO
from diabolo.objectives.factor import FactorVAE
from diabolo.objectives.iwae import IWAE
from diabolo.objectives.layerwise import Layerwise
from diabolo.objectives.m2 import M2
from diabolo.objectives.objective import Model, Objective, weighted
from diabolo.objectives.supervised import Supervised
from diabolo.updates.loss import Loss

__all__ = ["ELBO", "IWAE", "M2", "FactorVAE", "Layerwise", "Loss", "Model", "Objective", "Supervised", "weighted"]
