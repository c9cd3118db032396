"""Models that others trained, as codecs: two functions of anybody's, networks in a folder or a file, fitted estimators.

    codec = foreign.Foreign(encode, decode, train, range=(-1, 1))
    codec = foreign.opened("onnx:exported", train)         # so are diffusers:FOLDER, pythae:FOLDER, pca:16
    codec = foreign.estimator(fitted, train)               # of scikit-learn: transform and inverse_transform

Nothing of what is opened becomes code: weights are read from safetensors or ONNX files, or as tensors alone.
"""

from diabolo.foreign.functions import Foreign
from diabolo.foreign.named import ADAPTERS, Adapter, adapter, is_named, opened
from diabolo.foreign.of_estimators import estimator

# Each makes itself known, in the order in which they are listed.
from diabolo.foreign import of_diffusers, of_onnx, of_pythae  # noqa: F401  # isort: skip

__all__ = ["ADAPTERS", "Adapter", "Foreign", "adapter", "estimator", "is_named", "opened"]
