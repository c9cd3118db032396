"""Bottlenecks in plain PyTorch: how features become a code, and what that adds to the loss."""

from dataclasses import dataclass, field

from torch import nn

from diabolo import bottlenecks
from diabolo.bottlenecks.contractive import SQUASHES
from diabolo.bottlenecks.gaussian import LOGVAR_RANGE
from diabolo.bottlenecks.quantizer_vq import straight_through
from diabolo.conditions.prior import FAR
from diabolo.errors import DiaboloError
from diabolo.unfold.kinds import ByKind
from diabolo.unfold.layers import INDENT, source
from diabolo.unfold.numbers import number, schedule

SQUASHED = {"sigmoid": "torch.sigmoid(h)", "tanh": "torch.tanh(h)", "relu": "torch.relu(h)", "linear": "h"}
SLOPES = {"sigmoid": "z * (1 - z)", "tanh": "1 - z.square()", "relu": "(z > 0).float()", "linear": "torch.ones_like(z)"}


@dataclass
class Code:
    """A bottleneck as text.

    Attributes:
        init: lines of the encoder's `__init__`, after its layers.
        encode: lines of the encoder's `forward`, after its features.
        returns: what the encoder returns: one or two names; "" where there is no encoder.
        kept: what the model returns beside the decoder's output.
        draw: lines of the model's `forward`, which make the code `z` of that.
        terms: lines of the loss, a name and its lines each; each name is a mean over the batch.
        seen: lines of the loss before the model is called, on `seen`.
        sample: an expression for `n` codes to decode; "" for none.
        classes: lines of a class that it needs.
        module: the line of the model's `__init__` that makes one; "" for none.
        methods: lines of more methods of the model.
        is_map: whether the features stay a map.
        begins: whether the module looks at images before training.
    """

    init: list[str] = field(default_factory=list)
    encode: list[str] = field(default_factory=list)
    returns: str = "z"
    kept: str = "z"
    draw: list[str] = field(default_factory=list)
    terms: dict[str, list[str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    sample: str = ""
    classes: str = ""
    module: str = ""
    methods: list[str] = field(default_factory=list)
    is_map: bool = False
    begins: bool = False


code = ByKind[Code]("bottleneck")
"""`bottleneck` as text."""


def _linear(layer: nn.Module, name: str = "to_code") -> list[str]:
    return [f"self.{name} = {source(layer)}"]


def _normal(bottleneck: bottlenecks.Bottleneck) -> str:
    return f"torch.randn(n, {', '.join(map(str, bottleneck.latent_shape))})"


@code.of(bottlenecks.Identity)
def _identity(bottleneck: bottlenecks.Identity) -> Code:
    return Code(_linear(bottleneck.to_code), ["z = self.to_code(features)"], sample=_normal(bottleneck))


@code.of(bottlenecks.FeatureMap)
def _feature_map(bottleneck: bottlenecks.FeatureMap) -> Code:
    return Code(encode=["z = features"], sample=_normal(bottleneck), is_map=True)


@code.of(bottlenecks.Sparse)
def _sparse(bottleneck: bottlenecks.Sparse) -> Code:
    found = Code(_linear(bottleneck.to_code), ["z = self.to_code(features)"], sample=_normal(bottleneck))
    found.terms["l1"] = ["l1 = z.abs().sum(1).mean()  # sum of |z| per image"]
    return found


@code.of(bottlenecks.TopK)
def _top_k(bottleneck: bottlenecks.TopK) -> Code:
    encode = [
        "z = self.to_code(features)",
        f"largest, where = z.topk({bottleneck.k}, dim=1)",
        "# the others are 0",
        "z = torch.zeros_like(z).scatter(1, where, largest)",
    ]
    return Code(_linear(bottleneck.to_code), encode)


@code.of(bottlenecks.KLSparse)
def _kl_sparse(bottleneck: bottlenecks.KLSparse) -> Code:
    rho = number(bottleneck.rho)
    found = Code(_linear(bottleneck.to_code), ["z = torch.sigmoid(self.to_code(features))"])
    found.terms["kl_rate"] = [
        "# how active units are to be, and are",
        f"rho, rate = {rho}, z.mean(0).clamp(1e-30, 1 - 1e-7)",
        "on, off = torch.log(rho / rate), torch.log((1 - rho) / (1 - rate))",
        "kl_rate = (rho * on + (1 - rho) * off).sum()  # KL(rho || rate), over units",
    ]
    return found


def _squashed(bottleneck: bottlenecks.Contractive | bottlenecks.ContractiveLayer) -> tuple[Code, str]:
    name = next(name for name, (function, _) in SQUASHES.items() if function is bottleneck.squash)
    return Code(_linear(bottleneck.to_code), ["h = self.to_code(features)", f"z = {SQUASHED[name]}"]), name


@code.of(bottlenecks.Contractive)
def _contractive(bottleneck: bottlenecks.Contractive) -> Code:
    found, _ = _squashed(bottleneck)
    found.seen = ["seen = seen.detach().requires_grad_()  # derivatives by it are wanted"]
    found.terms["contraction"] = [
        "# |dz/dx|^2 by random signs v: E |v' J|^2 (Hutchinson 1990)",
        "contraction = 0.0",
        f"for _ in range({bottleneck.probes}):",
        f"{INDENT}v = 1.0 - 2.0 * (torch.rand_like(z) < 0.5).float()",
        f"{INDENT}(product,) = torch.autograd.grad(z, seen, v, create_graph=True)",
        f"{INDENT}contraction = contraction + product.flatten(1).square().sum(1).mean()",
        *([f"contraction = contraction / {bottleneck.probes}"] if bottleneck.probes > 1 else []),
    ]
    return found


@code.of(bottlenecks.ContractiveLayer)
def _contractive_layer(bottleneck: bottlenecks.ContractiveLayer) -> Code:
    found, name = _squashed(bottleneck)
    found.terms["contraction"] = [
        "rows = model.encoder.to_code.weight.square().sum(1)",
        f"slope = {SLOPES[name]}",
        "contraction = (slope.square() * rows).sum(1).mean()  # |dz/dx|^2, exactly",
    ]
    return found


@code.of(bottlenecks.Nothing)
def _nothing(bottleneck: bottlenecks.Nothing) -> Code:
    return Code(returns="", kept="")


@code.of(bottlenecks.Gaussian)
def _gaussian(bottleneck: bottlenecks.Gaussian) -> Code:
    low, high = (f"{end:g}" for end in LOGVAR_RANGE)
    found = Code(
        _linear(bottleneck.to_posterior, "to_posterior"),
        ["mu, logvar = self.to_posterior(features).chunk(2, dim=1)", f"logvar = held(logvar, {low}, {high})"],
        "mu, logvar",
        "mu, logvar",
        ["# the reparameterisation", "z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)"],
        sample=_normal(bottleneck),
    )
    found.terms["kl"] = [
        "# KL(N(mu, sigma^2) || N(0, 1)) of each unit; summed over units, a mean over images",
        "kl_of_units = 0.5 * (mu.square() + logvar.exp() - 1 - logvar)",
        "kl = kl_of_units.sum(1).mean()",
    ]
    if bottleneck.free_bits:
        found.terms["free_bits"] = [f"free_bits = kl_of_units.mean(0).clamp(min={number(bottleneck.free_bits)}).sum()"]
    if bottleneck.capacity is not None:
        found.terms["capacity"] = [f"capacity = (kl - {_bracketed(schedule(bottleneck.capacity))}).abs()"]
    return found


@code.of(bottlenecks.RelativeGaussian)
def _given_a_prior(bottleneck: bottlenecks.RelativeGaussian) -> Code:
    """The same in the units of z, where a reader expects it: there p(z|c) is a normal distribution of its own."""
    found = _gaussian(bottleneck)
    found.kept += ", prior_mu, prior_logvar"
    found.draw = ["prior_mu, prior_logvar = self.prior_of(c)", *found.draw]
    found.sample = "model.draw(c)"
    found.terms["kl"] = [
        "# KL(N(mu, sigma^2) || p(z | c)) of each unit; summed over units, a mean over images",
        "ratio = logvar - prior_logvar",
        "apart = (mu - prior_mu).square() * torch.exp(-prior_logvar)",
        "kl_of_units = 0.5 * (apart + ratio.exp() - 1 - ratio)",
        "kl = kl_of_units.sum(1).mean()",
    ]
    found.methods = [
        "def prior_of(self, c):",
        f'{INDENT}"""The mean and the log variance of p(z | c)."""',
        f"{INDENT}mu, logvar = self.prior(c).chunk(2, dim=1)",
        f"{INDENT}return mu, {FAR:g} * torch.tanh(logvar / {FAR:g})  # sigma stays within reason",
        "",
        "def draw(self, c):",
        f'{INDENT}"""A code of p(z | c) for each c."""',
        f"{INDENT}mu, logvar = self.prior_of(c)",
        f"{INDENT}return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)",
    ]
    return found


def _bracketed(expression: str) -> str:
    return f"({expression})" if " " in expression else expression


@code.of(bottlenecks.VectorQuantizer)
def _vector_quantizer(bottleneck: bottlenecks.VectorQuantizer) -> Code:
    if len(bottleneck.map_shape) != 3:
        raise DiaboloError(
            "unfold cannot write the quantiser of signals or volumes in plain PyTorch; it can write that of images"
        )
    k, d, channels = bottleneck.codes, bottleneck.latent_shape[0], bottleneck.map_shape[0]
    found = Code(
        returns="features",
        kept="z_e, q",
        draw=["z, z_e, q = self.quantizer(features)"],
        classes=_quantizer(bottleneck),
        module=f"self.quantizer = VectorQuantizer({channels}, width={d}, codes={k})",
        is_map=True,
        begins=bottleneck.kmeans,
    )
    if not bottleneck.ema:
        found.terms["codebook"] = ["codebook = F.mse_loss(q, z_e.detach())  # moves the codes"]
    found.terms["commitment"] = ["commitment = F.mse_loss(z_e, q.detach())  # moves the encoder"]
    return found


def _quantizer(bottleneck: bottlenecks.VectorQuantizer) -> str:
    """The class of the quantiser."""
    if bottleneck.estimate is not straight_through:
        raise DiaboloError(
            "unfold cannot write the estimator 'rotation' in plain PyTorch; it can write 'straight-through'"
        )
    share, decay = number(bottleneck.restart or 1), number(bottleneck.decay)
    keep = f"1 - {decay}"
    init = [
        "vectors = torch.empty(codes, width).uniform_(-1 / codes, 1 / codes)",
        f"self.least = {share} / codes  # the share of the uses that a new code begins with",
        'self.register_buffer("share", torch.full((codes,), self.least))',
    ]
    restart = [
        "if self.training:",
        f"{INDENT}self.restart(rows.detach())",
    ] if bottleneck.restart else []  # fmt: skip
    learn = [f"self.share.lerp_(used.sum(0) / len(rows), {keep})"]
    if bottleneck.ema:
        init += ['self.register_buffer("vectors", vectors)', 'self.register_buffer("moment", self.least * vectors)']
        learn += [
            f"self.moment.lerp_(used.T @ rows.detach() / len(rows), {keep})",
            "whole, k = self.share.sum(), len(self.share)",
            "# a little for each code, so that nothing is divided by 0",
            "smooth = (self.share + 1e-8) / (whole + k * 1e-8) * whole",
            "self.vectors.copy_(self.moment / smooth[:, None])",
        ]
    else:
        init += ["self.vectors = nn.Parameter(vectors)"]
    how = "moving averages" if bottleneck.ema else "a term of the loss"
    moment = [
        "self.moment.copy_(torch.where(where[:, None], self.least * new, self.moment))"
    ] if bottleneck.ema else []  # fmt: skip
    put = [
        "self.vectors.data.copy_(torch.where(where[:, None], new, self.vectors))",
        "self.share.copy_(torch.where(where, self.least, self.share))",
        *moment,
    ]
    begin = [
        "",
        "@torch.no_grad()",
        "def replace(self, where, new):",
        f'{INDENT}"""Let the codes where `where` (K,) holds begin anew as `new` (K, D)."""',
        *[INDENT + line for line in put],
    ] if bottleneck.restart or bottleneck.kmeans else []  # fmt: skip
    restarts = [
        "",
        "def restart(self, rows):",
        f'{INDENT}"""Codes that are hardly used begin anew as vectors of the batch."""',
        f"{INDENT}k, n = len(self.share), len(rows)",
        f"{INDENT}chosen = torch.rand(-(-k // n), n, device=rows.device).argsort(1)",
        f"{INDENT}self.replace(self.share < self.least, rows[chosen.flatten()[:k]])",
    ] if bottleneck.restart else []  # fmt: skip
    centres = [
        "",
        "@torch.no_grad()",
        "def begin(self, features, rounds=10):",
        f'{INDENT}"""Before training: the codes are centres of what is to be coded (k-means)."""',
        f"{INDENT}rows = self.to_code(features).permute(0, 2, 3, 1).flatten(0, 2)",
        f"{INDENT}k = len(self.share)",
        f"{INDENT}rows = rows[torch.randperm(len(rows))[: 64 * k]]",
        f"{INDENT}centres = rows[:k].clone()",
        f"{INDENT}for _ in range(rounds):",
        f"{INDENT * 2}used = F.one_hot(nearest(rows, centres), k).float()",
        f"{INDENT * 2}counts = used.sum(0)[:, None]",
        f"{INDENT * 2}means = used.T @ rows / counts.clamp(min=1)",
        f"{INDENT * 2}centres = torch.where(counts > 0, means, centres)",
        f"{INDENT}self.replace(torch.ones(k, dtype=torch.bool, device=rows.device), centres)",
    ] if bottleneck.kmeans else []  # fmt: skip
    forward = [
        "z_e = self.to_code(features)",
        "rows = z_e.permute(0, 2, 3, 1).flatten(0, 2)  # a vector for each place",
        *restart,
        "indices = nearest(rows.detach(), self.vectors.detach())",
        "q = F.embedding(indices, self.vectors)",
        "if self.training:",
        f"{INDENT}with torch.no_grad():",
        f"{INDENT * 2}used = F.one_hot(indices, len(self.share)).float()",
        *[INDENT * 2 + line for line in learn],
        "n, d, h, w = z_e.shape",
        "q = q.view(n, h, w, d).permute(0, 3, 1, 2)",
        "z = q.detach() + (z_e - z_e.detach())  # q, with the gradient of z_e",
        "return z, z_e, q",
    ]
    lines = [
        "def nearest(rows, vectors):",
        f'{INDENT}"""The index of the vector (K, D) nearest to each of the rows (M, D)."""',
        f"{INDENT}distance = 0.5 * vectors.square().sum(1) - rows @ vectors.T",
        f"{INDENT}return distance.argmin(1)",
        "",
        "",
        "class VectorQuantizer(nn.Module):",
        f'{INDENT}"""Each vector of the map becomes the nearest code; these learn by {how}."""',
        "",
        f"{INDENT}def __init__(self, channels, width, codes):",
        f"{INDENT * 2}super().__init__()",
        f"{INDENT * 2}self.to_code = nn.Conv2d(channels, width, kernel_size=1)",
        *[INDENT * 2 + line for line in init],
        "",
        f"{INDENT}def forward(self, features):",
        *[INDENT * 2 + line for line in forward],
        *[INDENT + line if line else line for line in (*begin, *restarts, *centres)],
    ]
    return "\n".join(lines)
