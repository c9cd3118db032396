"""What the measures of a study need of its images, said before anything is trained: whether it is there, and why not."""

import math
from collections.abc import Iterable

import numpy as np

from diabolo.data.images import Images
from diabolo.latents.densities import make_density
from diabolo.metrics.generation.groups import FEWEST, GROUPS
from diabolo.metrics.generation.small_classifier import features_of

Need = tuple[bool, str]  # whether it holds, and what is shown where it does not, after "because"


def distance(test: Images, extractor: str = "classifier") -> Need:
    """A Fréchet distance to the `test` images needs more of them than there are features; of features of one's own nothing is
    known beforehand."""
    features = {"classifier": features_of(test.shape), "inception": 2048}.get(extractor, 0)
    because = (
        f"a Fréchet distance with {features:,} features needs {features + 1:,} test images, and there are {len(test):,}"
    )
    return len(test) > features, because


def kinds(*several: Images) -> Need:
    """Counting kinds of images needs so many images of each part."""
    least, there = FEWEST * GROUPS, min(map(len, several))
    return there >= least, f"{GROUPS} groups of images need {least:,} images of each part, and one has {there:,}"


def density(name: str, train: Images, width: int) -> Need:
    """A density over codes of `width` numbers is fitted to so many training images at least."""
    least, what = make_density(name).least(width), "a Gaussian" if name == "gaussian" else f"a {name}"
    because = f"{what} over codes of {width:,} numbers needs {least:,} training images, and there are {len(train):,}"
    return len(train) >= least, because


def classes(images: Images, wanted: Iterable[int]) -> Need:
    """Images of each of the classes `wanted`."""
    there = set() if images.labels is None else set(np.unique(np.asarray(images.labels)).tolist())
    missing = [str(label) for label in wanted if label not in there]
    return not missing, f"no {images.split} image is of class {', '.join(missing)}"


def both(images: Images, attribute: str, most: int | None = None) -> Need:
    """Images with the attribute and images without it, among the first `most`."""
    assert images.attributes is not None
    assert images.attribute_names is not None
    column = images.attributes[:most, list(images.attribute_names).index(attribute)]
    share = float(column.mean()) if len(column) else math.nan
    lacking = "have" if share == 1 else "lack"
    return 0 < share < 1, f"all {len(column):,} {images.split} images {lacking} {attribute}"
