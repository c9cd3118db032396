"""Classifiers: a class read off the code or the image, learnt from few labels and many images, or from labels alone."""

from typing import Any, Unpack

from diabolo import bottlenecks, heads, nets, objectives
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Bottleneck
from diabolo.ranges import Count
from diabolo.schedules import Schedule
from diabolo.zoo.recipe import PartOptions, assemble, recipe

ALPHA = "Weight of the cross entropy, over the images whose label is known: a number or a schedule."
CLASSES = 10


@recipe(alpha=ALPHA)
def joint(
    input_shape: tuple[int, ...],
    latent_dim: Count = 64,
    alpha: float | str | Schedule = 0.1,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Semi-supervised autoencoder: reconstruction + alpha · cross entropy of a classifier on the code; images without a label
    (-1) count for the reconstruction alone. Ranzato & Szummer 2008, ICML.

    For classification with few labels and many images.

    Example:
        >>> model = diabolo.zoo.joint(train.shape, latent_dim=8)
        >>> list(model.units)
        ['reconstruction', 'classification', 'misclassified']
    """

    def head(bottleneck: Bottleneck) -> heads.Head:
        return heads.Classifier(bottleneck.latent_shape, options.get("classes") or CLASSES, alpha)

    return assemble(
        input_shape, latent_dim, lambda enc: bottlenecks.Identity(enc.features, latent_dim), options, head=head
    )


@recipe()
def classifier(input_shape: tuple[int, ...], latent_dim: Count = 64, **options: Unpack[PartOptions]) -> Autoencoder:
    """Plain classifier: encoder and bottleneck of an autoencoder, cross entropy and no reconstruction (the decoder learns
    nothing). What semi-supervised models are compared with; or, with --init, the second half of pre-train and fine-tune.

    For knowing what few labels give alone, or after pre-training.

    Example:
        >>> model = diabolo.zoo.classifier(train.shape, latent_dim=8)
        >>> list(model.units)
        ['classification', 'misclassified']
    """

    def head(bottleneck: Bottleneck) -> heads.Head:
        return heads.Classifier(bottleneck.latent_shape, options.get("classes") or CLASSES)

    return assemble(
        input_shape,
        latent_dim,
        lambda enc: bottlenecks.Identity(enc.features, latent_dim),
        options,
        head=head,
        objective=objectives.Supervised(),
    )


@recipe({"likelihood": "bernoulli", "condition": "label"}, alpha=ALPHA)
def m2(
    input_shape: tuple[int, ...],
    latent_dim: Count = 50,
    alpha: float | str | Schedule = 1.0,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """M2: a variational autoencoder with the class as a second latent, summed over where the label is not known (-1), at the
    cost of one pass for each class. Kingma, Rezende, Mohamed & Welling 2014, arXiv 1406.5298.

    For classification with few labels by a generative model, which also draws images of a class. M1+M2 is this on the codes of
    another model: `latents.codes_as_images`.

    Example:
        >>> model = diabolo.zoo.m2(train.shape, latent_dim=8)
        >>> list(model.units)
        ['reconstruction', 'kl', 'label', 'classification', 'misclassified']
    """

    def head(bottleneck: Bottleneck) -> heads.Head:
        net: dict[str, Any] = {n: value for n, value in options.items() if n in nets.HELP and value is not None}
        own, _ = nets.build(options.get("net") or nets.usual(input_shape, net), input_shape, latent_dim, **net)
        return heads.ImageClassifier(own, options.get("classes") or CLASSES, alpha)

    return assemble(
        input_shape,
        latent_dim,
        lambda enc: bottlenecks.Gaussian(enc.features, latent_dim),
        options,
        head=head,
        objective=objectives.M2(),
    )
