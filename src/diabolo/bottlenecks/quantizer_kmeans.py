"""A codebook to begin with: the centres of the encoder's first vectors."""

import torch
from torch import Tensor

from diabolo.errors import DiaboloError

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
        for part in vectors.split(CHUNK):
            members = one_hot(nearest(part, centres), k)
            sums += members.T @ part
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
