"""Images, where they come from, and how they are read.

    from diabolo import data
    train, test = data.load("mnist")        # a name, a folder, a .npy / .npz / .zip file, an array, a tensor, a Dataset

What is listed in `__all__` is imported when first used, so `import diabolo.data` costs no torch, torchvision,
scikit-learn or Pillow.
"""

from typing import TYPE_CHECKING

from diabolo.lazy import lazy

if TYPE_CHECKING:
    from diabolo.data.account import Account
    from diabolo.data.arrays import as_images
    from diabolo.data.catalogue import SourceInfo, names
    from diabolo.data.decode import read_images
    from diabolo.data.faces import draw_faces, face_factors
    from diabolo.data.images import Images
    from diabolo.data.inspection import inspect
    from diabolo.data.loading import load
    from diabolo.data.options import DataOptions

__all__ = [
    "Account",
    "DataOptions",
    "Images",
    "SourceInfo",
    "as_images",
    "draw_faces",
    "face_factors",
    "inspect",
    "load",
    "names",
    "read_images",
]

_HOME = {
    "Account": "account",
    "DataOptions": "options",
    "Images": "images",
    "SourceInfo": "catalogue",
    "as_images": "arrays",
    "draw_faces": "faces",
    "face_factors": "faces",
    "inspect": "inspection",
    "load": "loading",
    "names": "catalogue",
    "read_images": "decode",
}

__getattr__, __dir__ = lazy(__name__, _HOME)
