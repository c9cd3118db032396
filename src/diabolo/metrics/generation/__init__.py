"""How well a model generates: sets of generated and of real images, compared by their features.

extractor = generation.extractor("classifier", train)
real, made = (generation.extract(extractor, images) for images in (test.images, samples))
generation.fid(made.values, real.values)
"""

from diabolo.metrics.generation.certainty import InceptionScore, asked_for, clearly_read, inception_score, read
from diabolo.metrics.generation.extractors import EXTRACTORS, Inception, extractor, inception
from diabolo.metrics.generation.features import Extractor, Features, extract
from diabolo.metrics.generation.frechet import Frechet, Moments, fid, frechet_distance
from diabolo.metrics.generation.groups import GROUPS, Kinds, kinds
from diabolo.metrics.generation.kernel import Kernel, kid, polynomial_mmd
from diabolo.metrics.generation.prdc import SUBSETS, Manifold, manifold, radii, spread
from diabolo.metrics.generation.small_classifier import Classifier, classifier

__all__ = [
    "EXTRACTORS",
    "GROUPS",
    "SUBSETS",
    "Classifier",
    "Extractor",
    "Features",
    "Frechet",
    "Inception",
    "InceptionScore",
    "Kernel",
    "Kinds",
    "Manifold",
    "Moments",
    "asked_for",
    "classifier",
    "clearly_read",
    "extract",
    "extractor",
    "fid",
    "frechet_distance",
    "inception",
    "inception_score",
    "kid",
    "kinds",
    "manifold",
    "polynomial_mmd",
    "radii",
    "read",
    "spread",
]
