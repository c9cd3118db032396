"""The bottleneck of the vector-quantised autoencoder: every position of the code map becomes the nearest of K vectors,
which may begin as the centres of the encoder's first ones.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diabolo import distributed
from diabolo.bottlenecks.latent import Latent
from diabolo.bottlenecks.quantizer import Codes, Discrete, rows_of
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import BelowOne, Count, PartOf
from diabolo.schedules import Schedule, as_weight

ROUNDS = 10
EACH = 64  # vectors per centre that are looked at
CHUNK = 8192  # vectors whose distances are held at once


def nearest(vectors: Tensor, centres: Tensor) -> Tensor:
    """The number of the centre (K, D) nearest to each of the `vectors` (M, D): (M,) int64.

    argminₖ ‖v − cₖ‖² = argminₖ ½‖cₖ‖² − v·cₖ, in float32 whatever autocast says.
    """
    with torch.autocast(vectors.device.type, enabled=False), torch.no_grad():
        vectors, centres = vectors.float(), centres.float()
        return torch.addmm(0.5 * centres.square().sum(1), vectors, centres.T, alpha=-1).argmin(1)


def kmeans(vectors: Tensor, k: int, generator: torch.Generator | None, rounds: int = ROUNDS) -> Tensor:
    """`k` centres (k, D) of the `vectors` (M, D): Lloyd's iteration from `k` different ones of them, drawn at random.

    At most 64 · k vectors, drawn at random, are looked at. A centre to which none is nearest stays where it was.

    Raises:
        DiaboloError: when there are fewer vectors than centres.
    """
    check_enough(len(vectors), k)
    order = torch.randperm(len(vectors), generator=generator, device=vectors.device)
    vectors = vectors[order[: EACH * k]]
    centres = vectors[:k].clone()
    for _ in range(rounds):
        sums, counts = torch.zeros_like(centres), centres.new_zeros(k, 1)
        for few in vectors.split(CHUNK):
            members = one_hot(nearest(few, centres), k)
            sums += members.T @ few
            counts += members.sum(0)[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    return centres


def check_enough(vectors: int, k: int) -> None:
    """Refuse fewer `vectors` than centres."""
    if k > vectors:
        raise DiaboloError(
            f"a codebook of {k:,} codes is larger than the {vectors:,} vectors that k-means may start from; use fewer "
            f"--codes, more images, or no k-means start (--no-kmeans)"
        )


def one_hot(indices: Tensor, k: int) -> Tensor:
    """(M,) → (M, k) float32. Products with it are sums in a fixed order, also on a GPU."""
    return (indices[:, None] == torch.arange(k, device=indices.device)).float()


TINY = 1e-8  # what every code's share is raised by, so that one that is never used divides by no zero
RESTART = 0.1  # of the average use: the usual threshold, and what is proposed against dead codes
REMEDIES = {"restart": f"--restart {RESTART:g}", "kmeans": "--kmeans", "codes": "fewer --codes"}
LENGTH = 1e-6  # vectors shorter than this have no direction to be rotated from or to


def straight_through(z: Tensor, q: Tensor) -> Tensor:
    """q in value; its gradient goes to z as it is (Bengio et al. 2013, arXiv 1308.3432)."""
    return q.detach() + (z - z.detach())


def rotation(z: Tensor, q: Tensor) -> Tensor:
    """q = λ R z in value, (M, D), with R the rotation in the plane of z and q that takes the one's direction to the other's,
    and λ = ‖q‖ / ‖z‖; neither has a gradient, so that of q goes to z rotated back (Fifty et al. 2024, arXiv 2410.06424). Where
    one of them is 0 there is no such rotation, and the gradient goes straight through."""
    a, b = z.detach(), q.detach()
    lengths = [v.norm(dim=1, keepdim=True) for v in (a, b)]
    length_a, length_b = (length.clamp(min=LENGTH) for length in lengths)
    a, b = a / length_a, b / length_b
    r = F.normalize(a + b, dim=1, eps=LENGTH)
    along_r, along_a = (z * r).sum(1, keepdim=True), (z * a).sum(1, keepdim=True)
    rotated = (length_b / length_a) * (z - 2 * along_r * r + 2 * along_a * b)
    return torch.where(torch.minimum(*lengths) < LENGTH, straight_through(z, q), rotated)


ESTIMATORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"straight-through": straight_through, "rotation": rotation}


@part
class VectorQuantizer(Discrete):
    """z = e_k with k = argminₖ ‖z_e − e_k‖² at each position of the map z_e = W h (van den Oord et al. 2017, arXiv 1711.00937).

    Penalties: commitment = ‖z_e − sg[e_k]‖², which moves the encoder, and codebook = ‖sg[z_e] − e_k‖², which moves the codes;
    both are means over positions and channels. An EMA codebook has no codebook term: each code is the mean of the vectors that
    it stood for lately, N_k ← γ N_k + (1 − γ) n_k, m_k ← γ m_k + (1 − γ) Σ z_e, e_k = m_k / N_k (appendix A.1), with N and m
    as shares of the batch.

    A code whose share N_k fell below `restart` / K begins anew, before the batch is quantised, as one of the batch's own
    vectors, with a share of just that and no memory of what it was: not used again, it goes again. So do all at the start.

    Args:
        map_shape: (C, h, w) of the map that the encoder gives, flat.
        latent_dim: D, numbers per code.
        codes: K.
        codebook: "ema", or "loss" for one trained by the codebook term.
        commitment: weight of the commitment term, a number or a schedule.
        codebook_weight: weight of the codebook term, a number or a schedule; for a loss-trained codebook.
        decay: γ of the moving averages.
        kmeans: whether the codebook begins as centres of the encoder's first vectors; else uniform in ±1 / K.
        restart: the part of the average use below which a code begins anew; 0 for never.
        estimator: how gradients pass: "straight-through", or "rotation".

    Example:
        >>> from diabolo.randomness import Draws
        >>> code = diabolo.bottlenecks.VectorQuantizer((16, 2, 2), latent_dim=8, codes=32)
        >>> latent = code(torch.randn(5, 64), Draws())
        >>> tuple(latent.z.shape), list(latent.logged)
        ((5, 8, 2, 2), ['perplexity', 'used_codes'])
    """

    share: Tensor
    moment: Tensor
    vectors: Tensor

    def __init__(
        self,
        map_shape: tuple[int, ...],
        latent_dim: Count,
        codes: Codes = 512,
        codebook: str = "ema",
        commitment: float | str | Schedule = 0.25,
        codebook_weight: float | str | Schedule = 1.0,
        decay: PartOf = 0.99,
        kmeans: bool = True,
        restart: BelowOne = RESTART,
        estimator: str = "straight-through",
    ) -> None:
        super().__init__(map_shape, latent_dim, codes)
        if codebook not in ("ema", "loss"):
            raise UnknownNameError("codebook", codebook, ("ema", "loss"))
        if estimator not in ESTIMATORS:
            raise UnknownNameError("estimator", estimator, ESTIMATORS)
        self.ema, self.decay, self.kmeans, self.restart = codebook == "ema", decay, kmeans, restart
        self.estimate = ESTIMATORS[estimator]
        done = {"restart": restart >= RESTART, "kmeans": kmeans, "codes": False}
        self.remedies = {name: how for name, how in REMEDIES.items() if not done[name]}
        self.least = (restart or 1) / codes  # the share that a new code begins with
        vectors = torch.empty(codes, latent_dim).uniform_(-1 / codes, 1 / codes)
        self.register_buffer("share", torch.full((codes,), self.least))
        if self.ema:
            self.register_buffer("vectors", vectors)
            self.register_buffer("moment", self.least * vectors)
        else:
            self.vectors = nn.Parameter(vectors)
            self.weights = {"codebook": as_weight(codebook_weight, "the weight of the codebook term")}
        self.weights |= {"commitment": as_weight(commitment, "the weight of the commitment term")}
        self.units = dict.fromkeys(self.weights, "squared error per number of the code")

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The codes (N, D, h, w) nearest to what `features` (N, in_features) hold; in training the codebook learns, too."""
        z = self.unquantised(features)
        rows = rows_of(z)
        if self.training and self.restart:
            self._restart(rows, draws)
        indices = nearest(rows, self.vectors)
        q = F.embedding(indices, self.vectors)
        counts = self.count(indices)
        if self.training:
            self._learn(rows, indices, counts)
        n, d, *sides = z.shape
        through, code = (v.view(n, *sides, d).movedim(-1, 1) for v in (self.estimate(rows, q), q.detach()))
        penalties = {"codebook": _distance(rows.detach(), q, n)} if not self.ema else {}
        penalties["commitment"] = _distance(rows, q.detach(), n)
        return Latent(z=through, code=code, penalties=penalties, logged=self.logged_counts(counts))

    def check(self, images: int) -> None:
        """Refuse a k-means start from fewer vectors than codes."""
        if self.kmeans:
            check_enough(images * math.prod(self.latent_shape[1:]), self.codes)

    def initialise(self, features: Callable[[], Tensor], draws: Draws) -> None:
        """The k-means start.

        Raises:
            DiaboloError: for more codes than vectors.
        """
        if self.kmeans:
            with torch.no_grad():
                centres = kmeans(rows_of(self.unquantised(features())), self.codes, draws.generator)
                self._set(centres, torch.ones_like(self.share))

    def indices_of(self, vectors: Tensor) -> Tensor:
        """The index of the code nearest to each of `vectors` (N, D, h, w): (N, h, w), int64."""
        n, _, *sides = vectors.shape
        return nearest(rows_of(vectors.to(self.vectors.device)), self.vectors).view(n, *sides)

    def codes_of(self, indices: Tensor) -> Tensor:
        """The codes (N, D, h, w) that the `indices` (N, h, w) stand for, as `Autoencoder.decode` takes them."""
        return F.embedding(indices.to(self.vectors.device), self.vectors.detach()).movedim(-1, 1)

    # --- the codebook, in place and without a word to the host, so that a CUDA graph can hold it -----------------------------

    @torch.no_grad()
    def _set(self, vectors: Tensor, where: Tensor) -> None:
        """Let the codes where `where` (K,) is true be new ones, `vectors` (K, D)."""
        where = where.bool()
        self.vectors.data.copy_(torch.where(where[:, None], vectors, self.vectors))
        self.share.copy_(torch.where(where, self.least, self.share))
        if self.ema:
            self.moment.copy_(torch.where(where[:, None], self.least * vectors, self.moment))

    @torch.no_grad()
    def _learn(self, rows: Tensor, indices: Tensor, counts: Tensor) -> None:
        """One update of the moving averages by the vectors `rows` (M, D) of all processes; `counts` are over all already."""
        total = counts.sum()
        self.share.lerp_(counts / total, 1 - self.decay)
        if self.ema:
            with torch.autocast(rows.device.type, enabled=False):
                sums = distributed.total(one_hot(indices, self.codes).T @ rows)
            self.moment.lerp_(sums / total, 1 - self.decay)
            whole = self.share.sum()
            smooth = (self.share + TINY) / (whole + self.codes * TINY) * whole
            self.vectors.copy_(self.moment / smooth[:, None])

    @torch.no_grad()
    def _restart(self, rows: Tensor, draws: Draws) -> None:
        """Codes fallen out of use begin anew as vectors of the joint batch, `rows` (M, D) of which are this process's: as many
        different ones as there are, the same in all processes."""
        positions = math.prod(self.latent_shape[1:])
        start, total = draws.window or (0, len(rows) // positions)
        each = total * positions
        times = -(-self.codes // each)
        numbers = draws.numbers(torch.rand, (times, each), rows.device, torch.float32)
        chosen = numbers.argsort(1).flatten()[: self.codes] - start * positions
        here = (chosen >= 0) & (chosen < len(rows))
        vectors = torch.where(here[:, None], rows[chosen.clamp(0, len(rows) - 1)], 0.0)
        self._set(distributed.total(vectors), self.share < self.least)


def _distance(one: Tensor, other: Tensor, n: int) -> Tensor:
    """‖one − other‖² of vectors (n·h·w, D), as a mean over the numbers of each image: (n,)."""
    return (one - other).square().reshape(n, -1).mean(1)
