"""Models that are given something: a class, a part of the image, attributes."""

from typing import Unpack

from diabolo import bottlenecks, nets, objectives
from diabolo.autoencoder import Autoencoder
from diabolo.conditions import Unconditional, WithPrior, as_condition
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.nets.layers import Blind
from diabolo.ranges import Count, Weight
from diabolo.schedules import Schedule
from diabolo.zoo.recipe import PartOptions, assemble, recipe

PRIORS = ("standard", "conditional")
JOINED = ("concatenated", "added")


@recipe(
    {"likelihood": "bernoulli", "condition": "label"},
    joined="How the condition joins image and code: concatenated, or added, as a learned vector, to the features and the code.",
)
def cvae(
    input_shape: tuple[int, ...],
    latent_dim: Count = 16,
    beta: float | str | Schedule = 1.0,
    joined: str = "concatenated",
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Conditional VAE: encoder and decoder are given the class, so images of a class can be asked for; with --condition
    embedding as a learned vector. Without condition it is the VAE. Sohn, Lee & Yan 2015, NeurIPS.

    For images of a class that is asked for, and codes that hold what the class does not say: the style.

    Example:
        >>> model = diabolo.zoo.cvae(train.shape, latent_dim=8)
        >>> tuple(model.sample(3, y=torch.tensor([0, 1, 2]), seed=0).shape)
        (3, 1, 8, 8)
    """
    if joined not in JOINED:
        raise UnknownNameError("way to join a condition", joined, JOINED)

    def assembled(options: PartOptions) -> Autoencoder:
        return assemble(
            input_shape, latent_dim, lambda enc: bottlenecks.Gaussian(enc.features, latent_dim, beta), options
        )

    condition = as_condition(
        options.get("condition"), tuple(input_shape), options.get("classes"), options.get("columns")
    )
    if joined == "concatenated" or not condition.to_decoder:
        return assembled(options)
    inner = assembled({**options, "condition": None})
    encoder = nets.AddingEncoder(inner.encoder, condition.to_encoder) if condition.to_encoder else inner.encoder
    return Autoencoder(
        encoder,
        inner.bottleneck,
        nets.AddingDecoder(inner.decoder, latent_dim, condition.to_decoder),
        inner.likelihood,
        inner.corruption,
        condition,
        observation=inner.observation,
    )


@recipe(
    {"likelihood": "bernoulli", "condition": "quarter"},
    prior="Over codes: standard, N(0, I) for all, or conditional, a normal that a small network reads off the condition.",
    from_prior="Weight of the reconstruction from codes drawn from the prior (the hybrid objective); 0 for none.",
)
def completion(
    input_shape: tuple[int, ...],
    latent_dim: Count = 16,
    beta: float | str | Schedule = 1.0,
    prior: str = "standard",
    from_prior: Weight = 0.0,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Completes images: a conditional VAE whose decoder is given a quarter of the image, the lower left one, and draws many
    answers for the rest. Sohn, Lee & Yan 2015, NeurIPS (structured output).

    With the conditional prior, codes are drawn that fit the quarter; the hybrid objective trains what is drawn, too.

    For many plausible completions of one image, where one answer would be a blur of them all.

    Example:
        >>> model = diabolo.zoo.completion(train.shape, latent_dim=8)
        >>> type(model.condition).__name__
        'Quarter'
    """
    if prior not in PRIORS:
        raise UnknownNameError("prior", prior, PRIORS)
    objective = objectives.Hybrid(from_prior) if from_prior else objectives.ELBO()
    model = assemble(
        input_shape,
        latent_dim,
        lambda enc: bottlenecks.Gaussian(enc.features, latent_dim, beta),
        options,
        objective=objective,
    )
    if prior == "standard":
        return model
    encoder = nets.PriorEncoder(model.encoder, latent_dim)
    return Autoencoder(
        encoder,
        bottlenecks.RelativeGaussian(encoder.features, latent_dim, beta),
        nets.PriorDecoder(model.decoder, latent_dim),
        model.likelihood,
        model.corruption,
        WithPrior(model.condition, latent_dim),
        objective=objective,
        observation=model.observation,
    )


@recipe({"likelihood": "bernoulli", "condition": "quarter"})
def completion_plain(input_shape: tuple[int, ...], **options: Unpack[PartOptions]) -> Autoencoder:
    """Completes images with one deterministic network: completion's decoder without a code, to compare with. The baseline of
    Sohn, Lee & Yan 2015, NeurIPS.

    For a measure of what the codes of completion are worth.

    Example:
        >>> model = diabolo.zoo.completion_plain(train.shape)
        >>> tuple(model.encode(test.images[:3]).shape)
        (3, 0)
    """
    if options.get("corruption") not in (None, "none"):
        raise DiaboloError("completion_plain has no encoder that could see a corrupted image; leave the corruption out")
    if options.get("condition") == "none" or isinstance(options.get("condition"), Unconditional):
        raise DiaboloError("completion_plain goes by its condition alone: it needs one, such as quarter")
    model = assemble(input_shape, 0, lambda enc: bottlenecks.Nothing(), options)
    if model.latent_shape != (0,):
        raise DiaboloError("completion_plain has no encoder whose maps could be led around the code; use --no-skips")
    return Autoencoder(
        Blind(input_shape),
        model.bottleneck,
        model.decoder,
        model.likelihood,
        condition=model.condition,
        observation=model.observation,
    )
