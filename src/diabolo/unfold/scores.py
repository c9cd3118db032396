"""Likelihoods, corruptions, observations and conditions in plain PyTorch."""

import math
from dataclasses import dataclass, field

from torch import nn

from diabolo import conditions, corruptions, likelihoods, observations
from diabolo.errors import DiaboloError
from diabolo.likelihoods.densities import LOG_SIGMA_FLOOR
from diabolo.unfold.kinds import ByKind
from diabolo.unfold.layers import flat, sequential
from diabolo.unfold.networks import assigned
from diabolo.unfold.numbers import number

HALF_LOG_TAU = f"{0.5 * math.log(2 * math.pi):.8f}"


SCALE = '''class Scale(nn.Module):
    """One scale for all pixels, learned: its logarithm."""

    def __init__(self):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(()))'''


@dataclass
class Score:
    """A likelihood as text.

    Attributes:
        x_hat: the reconstruction that the decoder's `raw` stands for.
        loss: lines that make `reconstruction` of `raw` and `x`.
        init: lines of the model's `__init__`.
    """

    x_hat: str
    loss: list[str]
    init: list[str] = field(default_factory=list)


score = ByKind[Score]("likelihood")
"""`likelihood` as text."""


def _mean(likelihood: likelihoods.SquaredError | likelihoods.Gaussian | likelihoods.Laplace) -> str:
    return "torch.sigmoid(raw)" if likelihood.output == "sigmoid" else "raw"


@score.of(likelihoods.Bernoulli)
def _bernoulli(likelihood: likelihoods.Bernoulli) -> Score:
    return Score(
        "torch.sigmoid(raw)",
        [
            "# binary cross entropy, summed over pixels, a mean over images",
            'reconstruction = F.binary_cross_entropy_with_logits(raw, x, reduction="sum")',
            "reconstruction = reconstruction / len(x)",
        ],
    )


@score.of(likelihoods.SquaredError)
def _squared(likelihood: likelihoods.SquaredError) -> Score:
    x_hat = _mean(likelihood)
    if likelihood.per == "pixel":
        return Score(x_hat, [f"reconstruction = F.mse_loss({x_hat}, x)  # a mean over pixels"])
    return Score(
        x_hat,
        [
            "# squared error, summed over pixels, a mean over images",
            f'reconstruction = F.mse_loss({x_hat}, x, reduction="sum") / len(x)',
        ],
    )


def _check_one_scale(likelihood: likelihoods.Likelihood) -> None:
    if likelihood.per_feature:
        raise DiaboloError(
            "unfold cannot write a scale per feature in plain PyTorch; it can write one for all: 'learned', or a number"
        )


@score.of(likelihoods.Gaussian)
def _gaussian(likelihood: likelihoods.Gaussian) -> Score:
    _check_one_scale(likelihood)
    x_hat, floor, init = _mean(likelihood), f"{LOG_SIGMA_FLOOR:.6g}", list[str]()
    if likelihood.optimal:
        sigma = [
            "# the best sigma in closed form: sigma^2 is the mean squared error (Rybkin 2021)",
            f"log_sigma = 0.5 * squared.mean().clamp(min={math.exp(2 * LOG_SIGMA_FLOOR):.8g}).log()",
        ]
    elif isinstance(likelihood.log_sigma, nn.Parameter):
        init = ["self.scale = Scale()"]
        sigma = [f"log_sigma = held(model.scale.log_scale, {floor})"]
    else:
        sigma = [f"log_sigma = {float(likelihood.log_sigma):.8g}  # sigma {math.exp(float(likelihood.log_sigma)):.6g}"]
    exp = "math.exp(-2 * log_sigma)" if not (likelihood.optimal or init) else "torch.exp(-2 * log_sigma)"
    return Score(
        x_hat,
        [
            f"squared = ({x_hat} - x).square()",
            *sigma,
            "# -log N(x; x_hat, sigma^2), a mean over images",
            f"reconstruction = 0.5 * squared.sum() / len(x) * {exp}",
            "pixels = x[0].numel()",
            f"reconstruction = reconstruction + pixels * (log_sigma + {HALF_LOG_TAU})",
        ],
        init,
    )


@score.of(likelihoods.Laplace)
def _laplace(likelihood: likelihoods.Laplace) -> Score:
    _check_one_scale(likelihood)
    x_hat, learned = _mean(likelihood), isinstance(likelihood.log_scale, nn.Parameter)
    value = (
        f"held(model.scale.log_scale, {LOG_SIGMA_FLOOR:.6g})"
        if learned
        else f"torch.tensor({float(likelihood.log_scale):.8g})"
    )
    return Score(
        x_hat,
        [
            f"log_scale = {value}",
            "# -log Laplace(x; x_hat, b), a mean over images",
            f'reconstruction = F.l1_loss({x_hat}, x, reduction="sum") / len(x)',
            "reconstruction = reconstruction * torch.exp(-log_scale)",
            f"reconstruction = reconstruction + x[0].numel() * (log_scale + {math.log(2):.8f})",
        ],
        ["self.scale = Scale()"] if learned else [],
    )


corrupted = ByKind[list[str]]("corruption")
"""Lines that make `seen`, what the encoder sees, of the images `x`."""


@corrupted.of(corruptions.Clean)
def _clean(corruption: corruptions.Clean) -> list[str]:
    return []


def _level(
    corruption: corruptions.GaussianNoise | corruptions.Masking | corruptions.SaltAndPepper,
) -> tuple[list[str], str]:
    """Lines before, and the level: a number, or one for each image."""
    low, high = corruption.level.low, corruption.level.high
    if low == high:
        return [], number(low)
    each = "torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device)"
    return [f"level = {number(low)} + {number(high - low)} * {each}"], "level"


@corrupted.of(corruptions.GaussianNoise)
def _noise(corruption: corruptions.GaussianNoise) -> list[str]:
    before, level = _level(corruption)
    clip = ["seen = seen.clamp(0, 1)"] if corruption.clip else []
    return [*before, f"seen = x + {level} * torch.randn_like(x)", *clip]


_ONE_EACH = "torch.rand_like(x[:, :1] if x.ndim > 2 else x)"  # a number for each pixel, whatever its channels


@corrupted.of(corruptions.Masking)
def _masking(corruption: corruptions.Masking) -> list[str]:
    before, level = _level(corruption)
    drawn = ["# one draw for each pixel, whatever its channels", f"u = {_ONE_EACH}"]
    return [*drawn, *before, f"seen = x * (u >= {level})"]


@corrupted.of(corruptions.SaltAndPepper)
def _speckles(corruption: corruptions.SaltAndPepper) -> list[str]:
    before, level = _level(corruption)
    drawn = ["# one draw for each pixel, whatever its channels", f"u = {_ONE_EACH}"]
    return [*drawn, *before, f"seen = torch.where(u < {level}, (u < {level} / 2).float(), x)"]


observed = ByKind[list[str]]("observation")
"""Lines that draw what is taken to be the images, `x`."""


@observed.of(observations.AsIs)
def _as_is(observation: observations.AsIs) -> list[str]:
    return []


@observed.of(observations.Binarised)
def _binarised(observation: observations.Binarised) -> list[str]:
    return ["x = (torch.rand_like(x) < x).float()  # 0/1 images, drawn anew each time"]


@observed.of(observations.Dequantised)
def _dequantised(observation: observations.Dequantised) -> list[str]:
    return ["x = ((255 * x).round() + torch.rand_like(x)) / 256  # no longer on 256 levels"]


@dataclass
class Given:
    """A condition as text: lines of the model's `__init__`, and an expression for `c`, of the images `x` and the column `y`."""

    c: str = ""
    init: list[str] = field(default_factory=list)


given = ByKind[Given]("condition")
"""`condition` as text."""


@given.of(conditions.Unconditional)
def _nothing(condition: conditions.Unconditional) -> Given:
    return Given()


@given.of(conditions.Label)
def _label(condition: conditions.Label) -> Given:
    return Given(f"F.one_hot(y, num_classes={condition.classes}).float()")


@given.of(conditions.Embedding)
def _embedding(condition: conditions.Embedding) -> Given:
    made = f"self.embedding = nn.Embedding({condition.classes}, {condition.vectors.embedding_dim})"
    return Given("model.embedding(y)", [made])


@given.of(conditions.Vector)
def _vector(condition: conditions.Vector) -> Given:
    return Given("y.float()")


@given.of(conditions.Quarter)
def _quarter(condition: conditions.Quarter) -> Given:
    rows, columns = (f"{part.start or ''}:{part.stop}" for part in (condition.rows, condition.columns))
    return Given(f"x[:, :, {rows}, {columns}].flatten(1)")


@given.of(conditions.WithPrior)
def _with_prior(condition: conditions.WithPrior) -> Given:
    inner = given(condition.inner)
    layers = sequential(flat([condition.layers]))
    begins = [
        "nn.init.zeros_(self.prior[-1].weight)  # p(z | c) begins as N(0, I)",
        "nn.init.zeros_(self.prior[-1].bias)",
    ]
    return Given(inner.c, [*inner.init, *assigned("prior", layers), *begins])
