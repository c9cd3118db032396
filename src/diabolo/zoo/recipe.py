"""What all recipes share: the options that any of them takes, and how parts become a model."""

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ParamSpec, TypeVar, get_type_hints

import torch
from torch import nn

from diabolo import nets, ranges, trust
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Bottleneck, around
from diabolo.conditions import COLUMNS, CONDITIONS, Condition, as_condition
from diabolo.corruptions import CORRUPTIONS, Corruption, as_corruption
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.heads import Head
from diabolo.likelihoods import LIKELIHOODS, Known, Likelihood, as_likelihood
from diabolo.likelihoods import OF as LIKELIHOOD_OPTIONS
from diabolo.likelihoods.counts import MOST_THETA
from diabolo.memory import bounded
from diabolo.nets import NetOptions
from diabolo.objectives import Objective
from diabolo.observations import Observation, as_observation
from diabolo.pca import PCA
from diabolo.randomness import derive
from diabolo.ranges import Above, Count, ItsOwn, Plural, Weight
from diabolo.scaling import SCALINGS, UNIT, Scaling, as_scaling
from diabolo.scaling import usual as usual_scaling
from diabolo.surroundings import undisturbed


class PartOptions(NetOptions, total=False):
    """The parts that any recipe can change. None, or left out, is the recipe's own choice. `HELP` says what each means.

    Example:
        >>> options = diabolo.zoo.PartOptions(net="conv", corruption="masking", level=0.25)
        >>> type(diabolo.zoo.vae(train.shape, 4, **options).corruption).__name__
        'Masking'
    """

    net: Annotated[str | Sequence[nn.Module] | None, ItsOwn()]
    likelihood: str | Likelihood | None
    features: str | nn.Module | None
    pixel_weight: Weight | None
    sigma: Annotated[float | str | None, Above(0)]
    scale: Annotated[float | str | None, Above(0)]
    df: Annotated[float | str | None, Above(0)]
    theta: Annotated[float | str | None, Above(0, MOST_THETA)]
    types: tuple[str, ...] | None
    corruption: str | Corruption | None
    level: Annotated[float | str | None, ItsOwn()]
    observation: str | Observation | None
    condition: str | Condition | None
    scaling: Annotated[str | Scaling | None, ItsOwn()]
    masked: bool | None
    classes: Plural | None
    columns: Count | None


HELP = {
    "latent_dim": "Length of the code.",
    "net": f"Encoder and decoder: {', '.join(nets.NETS)}; from Python also two modules (encoder, decoder). When left out, "
    "conv for images in colour of 16 pixels a side or more, conv1d for signals of 16 samples or more, conv3d for volumes of 8 "
    "voxels a side or more, else mlp (and where hidden is given).",
    "likelihood": f"How a reconstruction is scored: {', '.join(LIKELIHOODS)}.",
    "features": "Network whose features the likelihood perceptual compares: a run folder, or vgg16.",
    "pixel_weight": "Weight of the squared error per pixel beside the features of the likelihood perceptual; 1 when left out.",
    "sigma": "Standard deviation of the likelihoods gaussian and mixed: a number, learned, per-feature (learned for each "
    "number of a vector, each channel of an image; default of mixed), or optimal (in closed form, default of gaussian).",
    "scale": "Scale of the likelihoods laplace and student-t: a number, learned (default of laplace), or per-feature (default "
    "of student-t).",
    "df": "Degrees of freedom of the likelihood student-t: a number, learned (its default), or per-feature.",
    "theta": "Inverse dispersion of the likelihood negative-binomial, whose variance is m + m² / theta for a mean of m: a "
    "number, learned, or per-feature (its default).",
    "types": "What each column of a table is, for the likelihood mixed: number, binary, count, or category:N of N one-hot "
    "features. As the data say when left out.",
    "corruption": f"What the encoder sees instead of the image: {', '.join(CORRUPTIONS)}.",
    "level": "Strength of the corruption, its sigma, share or size: a number, or a range to draw from per image: 0.1..0.6.",
    "observation": "What is taken to be the image, input and target alike: as-is, or binarised (0/1, drawn anew each time).",
    "scaling": f"How numbers that are no pictures are scaled: {', '.join(SCALINGS)}; chosen by the data when left out, see "
    "diabolo.scaling.",
    "masked": "Whether NaN is a number that is not known: the encoder is told which are known, and the loss counts those "
    "alone. As the data say when left out.",
    "condition": f"What the model is given besides the image: {', '.join(CONDITIONS)}.",
    "classes": "Number of classes of the labels, for a condition or head; 10 when left out.",
    "columns": "Number of attributes or factors that a condition reads; taken from the data by the command line.",
    **nets.HELP,
}  # every recipe's own options are added by `recipe`

USUAL: PartOptions = {"likelihood": "squared-error"}

BOUNDED = ("bernoulli", "continuous-bernoulli", "ms-ssim", "perceptual")  # likelihoods of numbers in [0, 1]

RECIPES: dict[str, Callable[..., Any]] = {}
CHOICES: dict[str, PartOptions] = {}

P = ParamSpec("P")
M = TypeVar("M", Autoencoder, PCA)


def recipe(usual: PartOptions | None = None, /, **helps: str) -> Callable[[Callable[P, M]], Callable[P, M]]:
    """Make a recipe known by its function's name, and give its models that name.

    Args:
        usual: its choice of parts where it is not that of all (`USUAL`): {"likelihood": "bernoulli"}, say.
        **helps: what its own options mean.
    """

    def register(function: Callable[P, M]) -> Callable[P, M]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def named(*args: P.args, **kwargs: P.kwargs) -> M:
            said = signature.bind(*args, **{name: value for name, value in kwargs.items() if value is not None})
            said.arguments.update(ranges.arguments(function, said.arguments))
            suited = for_numbers(usual or {}, said.kwargs.get("scaling"))
            with undisturbed(), bounded(said.arguments):
                model = function(*said.args, **{**suited, **said.kwargs})
            model.name = function.__name__
            model.recipe = _plain(said.arguments)
            return model

        there = RECIPES.get(function.__name__)
        if there is not None and there.__module__ != function.__module__:
            raise DiaboloError(
                f"there is a recipe {function.__name__!r} already, in {there.__module__}: call yours otherwise"
            )
        for option, text in helps.items():
            if HELP.get(option, text) != text:
                raise DiaboloError(
                    f"the option {option!r} of the recipe {function.__name__!r} has a meaning already ({HELP[option]}): give "
                    f"it another name"
                )
        HELP.update(helps)
        RECIPES[function.__name__] = named
        CHOICES[function.__name__] = usual or {}
        return named

    return register


def for_numbers(usual: PartOptions, scaling: Any) -> PartOptions:
    """A recipe's choice of parts for numbers of that `scaling`: a likelihood of real numbers where they may be any."""
    bounded_numbers = scaling is None or scaling in ("none", "unit") or getattr(scaling, "support", None) == UNIT
    if bounded_numbers or usual.get("likelihood") not in BOUNDED:
        return usual
    return {**usual, "likelihood": "gaussian"}


def _plain(arguments: dict[str, Any]) -> dict[str, Any] | None:
    """The options that a recipe was called with, as a command line takes them; None where some are objects."""
    options = {**arguments, **arguments.get("options", {})}
    options = {name: value for name, value in options.items() if name not in ("input_shape", "options")}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    words = [w for value in plain.values() for w in (value if isinstance(value, list) else (value,))]
    return plain if all(isinstance(w, bool | int | float | str) for w in words) else None


def assemble(
    input_shape: tuple[int, ...],
    code: int | nets.Maps,
    bottleneck: Callable[[Any], Bottleneck],
    options: PartOptions,
    *,
    head: Callable[[Bottleneck], Head] | None = None,
    objective: Objective | None = None,
) -> Autoencoder:
    """A model from its parts.

    Args:
        input_shape: (C, H, W), (D,), (C, L) or (C, D, H, W).
        code: the length of the code, or `nets.Maps(D)`: a code map of D channels, as large as the encoder's last map.
        bottleneck: encoder → bottleneck.
        options: what the user said of the parts.
        head: bottleneck → head.
        objective: what is minimised; the ELBO when left out.
    """
    chosen: dict[str, Any] = {**USUAL, **{name: value for name, value in options.items() if value is not None}}
    corruption, level = chosen.pop("corruption", None), chosen.pop("level", None)
    observation = as_observation(chosen.pop("observation", None) or "as-is")
    classes, columns = chosen.pop("classes", None), chosen.pop("columns", None)
    condition = as_condition(chosen.pop("condition", None), tuple(input_shape), classes, columns)
    asked = chosen.pop("scaling", "none")
    unit_range = as_scaling(asked, tuple(input_shape)).support == UNIT
    scored = {name: chosen.pop(name, None) for name in LIKELIHOOD_OPTIONS}
    likelihood = as_likelihood(chosen.pop("likelihood"), unit_range, **scored)
    likelihood.check(tuple(input_shape))
    scaling = as_scaling(asked, tuple(input_shape), likelihood.scaled)
    net = chosen.pop("net", nets.usual(input_shape, chosen))
    masked = bool(chosen.pop("masked", False))
    widths = (condition.to_encoder + masked * math.prod(input_shape), condition.to_decoder)
    likelihood = Known(likelihood) if masked else likelihood
    encoder, decoder = nets.build(net, tuple(input_shape), code, widths, **chosen)
    encoder = nets.SeesKnown(encoder) if masked else encoder
    if likelihood.counts or likelihood.logged:
        encoder = nets.SeesCounts(encoder, likelihood.logged or None)
    bottleneck = around(encoder, bottleneck(encoder))
    return Autoencoder(
        encoder,
        bottleneck,
        decoder,
        likelihood,
        as_corruption(corruption or "none", level, scaling.support == UNIT),
        condition,
        None if head is None else head(bottleneck),
        objective,
        observation,
        scaling,
    )


def build(name: str, input_shape: tuple[int, ...], **options: Any) -> Any:
    """The model of that name for images of `input_shape`.

    Raises:
        UnknownNameError: for a model that does not exist, or an option that it does not have.

    Example:
        >>> diabolo.zoo.build("vae", train.shape, latent_dim=4).name
        'vae'
        >>> diabolo.zoo.build("vae", train.shape, lateral_dim=4)
        Traceback (most recent call last):
            ...
        diabolo.errors.UnknownNameError: unknown option 'lateral_dim' of the model 'vae'; did you mean ...
    """
    name = called(name)
    known = options_of(name)
    for option in options:
        if option not in known:
            raise UnknownNameError(
                "option", option, known, f" of the model {name!r}", f"diabolo train {path_of(name)} --help-all"
            )
    return RECIPES[name](input_shape, **options)


def called(name: str) -> str:
    """The name of the recipe that is called so: by its name, or package.module:recipe for one of one's own.

    Raises:
        UnknownNameError: when there is none.

    Example:
        >>> diabolo.zoo.recipe.called("diabolo.zoo.variational:vae")
        'vae'
    """
    name = recipe_at(name) if ":" in name else name
    if name not in RECIPES:
        raise UnknownNameError("model", name, RECIPES, see="diabolo models")
    return name


def build_for(name: str, images: Images, seed: int = 0, **options: Any) -> Any:
    """The model of that name for `images`: of their shape, with as many classes, attributes or factors as they have, and scaled
    as suits their numbers, where the options do not say. Its weights are drawn from `seed`, as `diabolo train --seed` draws
    them; torch's own generator stays as
    it was.

    Args:
        name: a recipe, or package.module:recipe of one's own.
        images: what it will be trained on.
        seed: of the weights.
        **options: of the recipe.

    Raises:
        UnknownNameError: for a model that does not exist, or an option that it does not have.

    Example:
        >>> model = diabolo.zoo.build_for("cvae", train, latent_dim=4, hidden=(16,))
        >>> model.input_shape, model.condition.classes
        ((1, 8, 8), 10)
    """
    name = called(name)
    takes, known = options_of(name), dict[str, Any]()
    if images.labels is not None and "classes" in takes and images.labels.max() >= 0:
        known["classes"] = max(int(images.labels.max()) + 1, len(images.label_names or ()))
    condition = options.get("condition", takes.get("condition", (None, None))[1])
    if condition in COLUMNS and (columns := column(images, condition)) is not None:
        known["columns"] = columns.shape[1]
    scored = LIKELIHOODS.get(str(options.get("likelihood")), Likelihood)
    suits = getattr(scored, "suited", None) or usual_scaling(images)
    if images.column_types is not None and options.get("likelihood") in LIKELIHOOD_OPTIONS["types"]:
        known["types"] = tuple(column.word for column in images.column_types)
    if "masked" in takes and images.missing:
        known["masked"] = True
    if "scaling" in takes and suits != "none":
        known["scaling"] = suits
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "weights"))
        model = build(name, images.shape, **(known | options))
    model.weights_of_seed = seed
    return model


def recipe_at(path: str) -> str:
    """The name of the recipe of one's own at `package.module:recipe`, whose module is imported for it.

    Raises:
        DiaboloError: for another path, a module that cannot be imported, or an option that it does not explain.
        UnknownNameError: for a recipe that is not there.

    Example:
        >>> diabolo.zoo.recipe_at("diabolo.zoo.variational:vae")
        'vae'
    """
    module, name = trust.import_home(path, "recipe", "recipe")
    found = [known for known, recipe in RECIPES.items() if vars(module).get(known) is recipe]
    if name not in found:
        raise UnknownNameError(f"recipe in {module.__name__!r}", name, found, see=module.__name__)
    known = HELP.keys() & get_type_hints(RECIPES[name]).keys() | {"input_shape", "options"}
    if unsaid := [option for option in inspect.signature(RECIPES[name]).parameters if option not in known]:
        raise DiaboloError(
            f"the recipe {path} does not say what its option {unsaid[0]!r} is: annotate its type, and write "
            f'@recipe({unsaid[0]}="…") above it'
        )
    return name


def path_of(name: str) -> str:
    """What the command line calls a recipe: by its name, and package.module:recipe where it is not one of Diabolo's own.

    Example:
        >>> diabolo.zoo.path_of("vae")
        'vae'
    """
    home: str = RECIPES[name].__module__
    return name if home.startswith("diabolo.") else f"{home}:{name}"


def own_options_of(name: str) -> dict[str, tuple[Any, Any]]:
    """The options that a recipe itself has: name → (type, default).

    Example:
        >>> list(diabolo.zoo.own_options_of("vae"))
        ['latent_dim', 'beta', 'free_bits', 'capacity']
    """
    parameters, hints = inspect.signature(RECIPES[name]).parameters.items(), _hints(RECIPES[name])
    return {n: (hints[n], p.default) for n, p in parameters if n != "input_shape" and p.kind != p.VAR_KEYWORD}


@functools.cache
def _hints(what: Any) -> dict[str, Any]:
    """The types of what a recipe takes; not to be changed."""
    return get_type_hints(what)


def options_of(name: str) -> dict[str, tuple[Any, Any]]:
    """All options of a recipe: name → (type, default); None where a part has its own default.

    Example:
        >>> kind, default = diabolo.zoo.options_of("vae")["likelihood"]
        >>> default
        'bernoulli'
    """
    own = own_options_of(name)
    if not any(p.kind == p.VAR_KEYWORD for p in inspect.signature(RECIPES[name]).parameters.values()):
        return own
    usual: dict[str, Any] = {**USUAL, **CHOICES[name]}
    return own | {n: (hint, usual.get(n)) for n, hint in _hints(PartOptions).items() if n not in own}
