"""Whether each unit of a code stands for one factor that the images were made from, and each factor for one unit."""

from diabolo.metrics.disentanglement.dci import DCI, dci, from_importance
from diabolo.metrics.disentanglement.factor_vae import factor_vae_score, majority_vote
from diabolo.metrics.disentanglement.information import (
    binned,
    entropies,
    gaps,
    mig,
    modularity,
    mutual_information_matrix,
)
from diabolo.metrics.disentanglement.sap import sap, separability

__all__ = [
    "DCI",
    "binned",
    "dci",
    "entropies",
    "factor_vae_score",
    "from_importance",
    "gaps",
    "majority_vote",
    "mig",
    "modularity",
    "mutual_information_matrix",
    "sap",
    "separability",
]
