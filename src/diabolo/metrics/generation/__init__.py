"""How well a model generates: sets of generated and of real images, compared by their features.

extractor = generation.extractor("classifier", train)
real, made = (generation.extract(extractor, images) for images in (test.images, samples))
generation.fid(made.values, real.values)
"""

from diabolo.metrics.generation.classifier import AttributeClassifier, Classifier, classifier
from diabolo.metrics.generation.extractors import EXTRACTORS, extractor
from diabolo.metrics.generation.features import Extractor, Features, extract
from diabolo.metrics.generation.frechet import Frechet, Moments, fid, frechet_distance
from diabolo.metrics.generation.inception import Inception, inception
from diabolo.metrics.generation.inception_score import InceptionScore, inception_score
from diabolo.metrics.generation.kernel import Kernel, kid, polynomial_mmd
from diabolo.metrics.generation.manifold import Manifold, manifold, radii

__all__ = [
    "EXTRACTORS",
    "AttributeClassifier",
    "Classifier",
    "Extractor",
    "Features",
    "Frechet",
    "Inception",
    "InceptionScore",
    "Kernel",
    "Manifold",
    "Moments",
    "classifier",
    "extract",
    "extractor",
    "fid",
    "frechet_distance",
    "inception",
    "inception_score",
    "kid",
    "manifold",
    "polynomial_mmd",
    "radii",
]
