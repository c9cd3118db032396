"""Whether each unit of a code stands for one factor that the images were made from, and each factor for one unit."""

from diabolo.metrics.disentanglement.scores import (
    DCI,
    binned,
    dci,
    entropies,
    factor_vae_score,
    from_importance,
    gaps,
    majority_vote,
    mig,
    modularity,
    mutual_information_matrix,
    sap,
    separability,
)

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
