"""The named recipes: which parts make which model. Every one takes the shape of an image and gives a model ready to train."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, Unpack

from diabolo import bottlenecks, nets
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Bottleneck
from diabolo.corruptions import Corruption, as_corruption
from diabolo.errors import UnknownNameError
from diabolo.likelihoods import Likelihood, as_likelihood
from diabolo.nets import NetOptions
from diabolo.pca import PCA
from diabolo.schedules import Schedule

RECIPES: dict[str, Callable[..., Any]] = {}

HELP = {
    "latent_dim": "Length of the code.",
    "net": "The two cones: mlp, conv or conv-to-point.",
    "likelihood": "How a reconstruction is scored: squared-error, bernoulli, gaussian or laplace.",
    "sparsity": "Weight of Σ|z|: a number, or a schedule such as 'linear(0, 1e-4, 0.3)'.",
    "corruption": "What the encoder sees instead of the image: gaussian, masking, salt-and-pepper or dropout.",
    "level": "Strength of the corruption: its sigma or share.",
    "beta": "Weight of the KL term: a number, or a schedule such as 'linear(0, 1, 0.3)' or 'cyclical(0, 1, 4)'.",
    **nets.HELP,
}

P = ParamSpec("P")
M = TypeVar("M", Autoencoder, PCA)


def recipe(function: Callable[P, M]) -> Callable[P, M]:
    """Make a recipe known by its function's name, and give its models that name."""

    @functools.wraps(function)
    def named(*args: P.args, **kwargs: P.kwargs) -> M:
        model = function(*args, **kwargs)
        model.name = function.__name__
        return model

    RECIPES[function.__name__] = named
    return named


def _assemble(
    waist: Callable[[int], Bottleneck],
    input_shape: tuple[int, ...],
    latent_dim: int,
    net: str,
    options: NetOptions,
    likelihood: str | Likelihood,
    corruption: Corruption | None = None,
) -> Autoencoder:
    """The cones of `net`, joined by `waist(features)`."""
    encoder, decoder = nets.build(net, tuple(input_shape), latent_dim, **options)
    return Autoencoder(encoder, waist(encoder.features), decoder, as_likelihood(likelihood), corruption)


@recipe
def undercomplete(
    input_shape: tuple[int, ...],
    latent_dim: int = 32,
    net: str = "mlp",
    likelihood: str | Likelihood = "squared-error",
    **options: Unpack[NetOptions],
) -> Autoencoder:
    """Plain autoencoder: the narrow code alone keeps it from copying. Hinton & Salakhutdinov 2006, Science 313:504."""
    return _assemble(
        lambda features: bottlenecks.Identity(features, latent_dim), input_shape, latent_dim, net, options, likelihood
    )


@recipe
def sparse(
    input_shape: tuple[int, ...],
    latent_dim: int = 128,
    sparsity: float | str | Schedule = 1e-4,
    net: str = "mlp",
    likelihood: str | Likelihood = "squared-error",
    **options: Unpack[NetOptions],
) -> Autoencoder:
    """Sparse autoencoder: reconstruction + sparsity · Σ|z|. Ng 2011, CS294A notes; Olshausen & Field 1996, Nature 381:607."""
    return _assemble(
        lambda features: bottlenecks.Sparse(features, latent_dim, sparsity),
        input_shape,
        latent_dim,
        net,
        options,
        likelihood,
    )


@recipe
def denoising(
    input_shape: tuple[int, ...],
    latent_dim: int = 128,
    corruption: str | Corruption = "gaussian",
    level: float | None = None,
    net: str = "mlp",
    likelihood: str | Likelihood = "squared-error",
    **options: Unpack[NetOptions],
) -> Autoencoder:
    """Denoising autoencoder: sees a corrupted image, must give the clean one. Vincent et al. 2010, JMLR 11:3371."""
    return _assemble(
        lambda features: bottlenecks.Identity(features, latent_dim),
        input_shape,
        latent_dim,
        net,
        options,
        likelihood,
        as_corruption(corruption, level),
    )


@recipe
def vae(
    input_shape: tuple[int, ...],
    latent_dim: int = 16,
    beta: float | str | Schedule = 1.0,
    net: str = "mlp",
    likelihood: str | Likelihood = "bernoulli",
    **options: Unpack[NetOptions],
) -> Autoencoder:
    """Variational autoencoder: reconstruction + beta · KL(q(z|x) ‖ N(0, I)). Kingma & Welling 2014, arXiv 1312.6114."""
    return _assemble(
        lambda features: bottlenecks.Gaussian(features, latent_dim, beta),
        input_shape,
        latent_dim,
        net,
        options,
        likelihood,
    )


@recipe
def pca(input_shape: tuple[int, ...], latent_dim: int = 32) -> PCA:
    """Principal components, in closed form: the linear codec to compare with. Pearson 1901; Hotelling 1933."""
    return PCA(tuple(input_shape), latent_dim)


def build(name: str, input_shape: tuple[int, ...], **options: Any) -> Any:
    """The model of that name for images of `input_shape`.

    Raises:
        UnknownNameError: for a model that does not exist, or an option that it does not have.
    """
    if name not in RECIPES:
        raise UnknownNameError("model", name, RECIPES)
    known = options_of(name)
    for option in options:
        if option not in known:
            raise UnknownNameError(f"option of the model {name!r}", option, known)
    return RECIPES[name](input_shape, **options)


def options_of(name: str) -> dict[str, tuple[Any, Any]]:
    """The options of a recipe: name → (type, default); the net's own are None by default."""
    parameters = inspect.signature(RECIPES[name]).parameters
    options = {
        n: (p.annotation, p.default) for n, p in parameters.items() if n != "input_shape" and p.kind != p.VAR_KEYWORD
    }
    if any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
        options |= {n: (hint, None) for n, hint in NetOptions.__annotations__.items()}
    return options
