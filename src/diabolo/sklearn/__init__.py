"""Autoencoders as scikit-learn estimators, for pipelines, grid searches and whatever else takes those.

    from diabolo.sklearn import VAE

    make_pipeline(StandardScaler(), VAE(n_components=4), LogisticRegression()).fit(X, y)

`AE`, `VAE`, `SparseAE`, `DenoisingAE`, `VQVAE` and `Codec`, which takes any recipe by name, are transformers;
`AutoencoderOutlier` finds outliers. Nothing is written to disk unless `out` names a folder of runs.
"""

from diabolo.sklearn.ae import AE
from diabolo.sklearn.codec import Codec
from diabolo.sklearn.outliers import AutoencoderOutlier
from diabolo.sklearn.variants import VAE, DenoisingAE, SparseAE
from diabolo.sklearn.vqvae import VQVAE

__all__ = ["AE", "VAE", "VQVAE", "AutoencoderOutlier", "Codec", "DenoisingAE", "SparseAE"]
