"""What is minimised. An objective takes a model and a batch and gives a `Loss`."""

from diabolo.objectives.elbo import ELBO
from diabolo.objectives.iwae import IWAE
from diabolo.objectives.objective import Loss, Objective, weighted

__all__ = ["ELBO", "IWAE", "Loss", "Objective", "weighted"]
