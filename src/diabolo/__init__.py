"""Diabolo: train any autoencoder, measure it truthfully, look inside, write it up.

    import diabolo
    train, test = diabolo.data.load("digits")
    model = diabolo.zoo.vae(input_shape=train.shape, latent_dim=8)
    run = diabolo.fit(model, train, validation=test, epochs=10)

Everything is imported when first used: `import diabolo` costs nothing, `diabolo.fit` costs torch.
"""

import os
from typing import TYPE_CHECKING

from diabolo.lazy import lazy
from diabolo.surroundings import quiet_joblib
from diabolo.version import __version__

if TYPE_CHECKING:
    from diabolo import (
        bottlenecks,
        corruptions,
        data,
        doctor,
        evaluation,
        explorer,
        exporting,
        figures,
        foreign,
        latents,
        likelihoods,
        metrics,
        nets,
        objectives,
        observations,
        parts,
        priors,
        scaling,
        schedules,
        sizes,
        sklearn,
        statistics,
        tracking,
        training,
        zoo,
    )
    from diabolo.autoencoder import Autoencoder
    from diabolo.codec import Codec
    from diabolo.errors import DiaboloError
    from diabolo.evaluation import compare, evaluate
    from diabolo.explorer import look
    from diabolo.exporting import export
    from diabolo.pca import PCA
    from diabolo.runs.loading import Run, load
    from diabolo.runs.pretrained import from_pretrained
    from diabolo.sweeping import sweep
    from diabolo.training.code_priors import fit_prior
    from diabolo.training.fit import fit, resume
    from diabolo.training.greedy import greedy

# OpenMP threads that spin on while they wait slow a machine that is shared with other work down tenfold; 10,000 turns are
# enough for the gap between two operations. Read when torch is loaded: too late if that was imported first.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
# torch loads Triton with its first optimiser, and Triton then asks every installed package for back ends of other chips than
# these here, one damaged package among which would end every training. Its own are all that CPUs and CUDA need.
os.environ.setdefault("TRITON_BACKENDS_IN_TREE", "1")

quiet_joblib()

__all__ = [
    "PCA",
    "Autoencoder",
    "Codec",
    "DiaboloError",
    "Run",
    "__version__",
    "bottlenecks",
    "compare",
    "corruptions",
    "data",
    "doctor",
    "evaluate",
    "evaluation",
    "explorer",
    "export",
    "exporting",
    "figures",
    "fit",
    "fit_prior",
    "foreign",
    "from_pretrained",
    "greedy",
    "latents",
    "likelihoods",
    "load",
    "load_run",
    "look",
    "metrics",
    "nets",
    "objectives",
    "observations",
    "parts",
    "priors",
    "resume",
    "scaling",
    "schedules",
    "sizes",
    "sklearn",
    "statistics",
    "sweep",
    "tracking",
    "training",
    "zoo",
]

_HOME = {
    "PCA": "pca",
    "Autoencoder": "autoencoder",
    "Codec": "codec",
    "DiaboloError": "errors",
    "Run": "runs.loading",
    "compare": "evaluation",
    "evaluate": "evaluation",
    "export": "exporting",
    "fit": "training.fit",
    "fit_prior": "training.code_priors",
    "from_pretrained": "runs.pretrained",
    "greedy": "training.greedy",
    "load": "runs.loading",
    "load_run": "runs.loading",
    "look": "explorer",
    "resume": "training.fit",
    "sweep": "sweeping",
}

__getattr__, __dir__ = lazy(__name__, _HOME, [name for name in __all__ if name not in _HOME and name != "__version__"])
