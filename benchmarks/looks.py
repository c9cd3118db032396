"""From which numbers on do faces look half-formed, alike, or patterned? For the thresholds of `diabolo.studies.celeba`.

    python benchmarks/looks.py --data faces
    python benchmarks/looks.py --data celeba

No trained decoder and no test image has a part in it: all is made from images held out of the training images.
"Reconstructions" are these images, blurred. "New faces" are others of them, blurred alike, with a known fault: averages of two
faces are half-formed, faces of few groups of similar ones are less varied, and some are under noise or a checkerboard. The
extractor is the small classifier, trained on the rest of the training images.

The FID of half-formed faces over that of reconstructions depends on how blurred both are (2.9 times at a cut-off of 8
cycles, 36 times at 24), so it is no measure of form. Where the FID lies between that of reconstructions, 0, and that of
averages of two of them, 1, does not depend on it.
"""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor
from torch.nn.functional import avg_pool2d

from diabolo import data, metrics
from diabolo.metrics import generation

CUTOFFS = (8, 16)  # cycles per image at which half of the power is left
SHARES = (0.25, 0.5, 1.0)  # of averages
GROUPS, KEPT = 20, (10, 5)  # of similar faces
FEW = 10  # faces, each drawn again and again
LEVELS = (1.0, 2.0, 4.0)  # of 255
Rows, Values = NDArray[np.int64], NDArray[np.float64]


def blurred(x: Tensor, cutoff: float) -> Tensor:
    """Images (n, C, S, S) without detail: a Gaussian low-pass that leaves half of the power at `cutoff` cycles per image."""
    cycles = torch.fft.fftfreq(x.shape[-1], 1 / x.shape[-1])
    kept = torch.exp2(-0.5 * (cycles[:, None].square() + cycles.square()) / cutoff**2)
    return torch.fft.ifft2(torch.fft.fft2(x) * kept).real.clamp(0, 1).float()


def checkered(x: Tensor, levels: float, period: int) -> Tensor:
    """The same images under a checkerboard of that period, with that root mean square in levels of 255."""
    half = torch.ones(period // 2)
    wave = torch.cat([half, -half]).repeat(x.shape[-1] // period)
    return x + levels / 255 * wave * wave[:, None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="faces")
    parser.add_argument("--n-train", type=int, default=6_000, help="training images in all")
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 1_000], help="images on either side")
    parser.add_argument("--draws", type=int, default=3)
    args = parser.parse_args()

    options: dict[str, Any] = {"split": "persons", "size": 64} if args.data == "celeba" else {}
    train, _ = data.load(args.data, n_train=args.n_train, n_test=10, **options)
    order = np.random.default_rng(0).permutation(len(train))
    x = torch.from_numpy(train.take(np.sort(order[: len(train) // 2])).pixels)
    taker = generation.extractor("classifier", train.take(np.sort(order[len(train) // 2 :])))
    small = avg_pool2d(x, 4).flatten(1).numpy()
    group = KMeans(GROUPS, n_init=1, random_state=0).fit_predict(small)
    largest = np.argsort(-np.bincount(group, minlength=GROUPS))

    def features(images: Tensor) -> Values:
        return np.concatenate([generation.extract(taker, few.numpy()).values for few in images.split(500)])

    def kinds(soft: Tensor, at: Values, pool: Rows, n: int, random: Any) -> Iterator[tuple[str, Values]]:
        """Features of n new faces of the pool: name → (n, F)."""
        new = pool[:n]
        yield "others", at[new]
        both = features((soft[new] + soft[pool[n // 2 : n // 2 + n]]) / 2)
        for share in SHARES:
            made = at[new].copy()
            made[: round(share * n)] = both[: round(share * n)]
            yield f"{share:.0%} averages of two", made
        for kept in KEPT:
            yield f"{kept} of {GROUPS} groups", at[random.choice(pool[np.isin(group[pool], largest[:kept])], n)]
        yield f"{FEW} faces", at[random.choice(pool[:FEW], n)]
        noise = 0.05 * torch.from_numpy(random.normal(size=soft[new].shape)).float()
        yield "noise of 0.05", features((soft[new] + noise).clamp(0, 1))

    sharp = features(x)
    print("new faces | blurred at | images | form | coverage over that of reconstructions")
    for cutoff in CUTOFFS:
        soft = blurred(x, cutoff)
        at = features(soft)
        for n in args.sizes:
            found: dict[str, list[tuple[float, float]]] = {}
            for draw in range(args.draws):
                random = np.random.default_rng(draw)
                mixed = random.permutation(len(x))
                real, pool = mixed[:n], mixed[n:]
                there, reach = generation.Moments.of(sharp[real]), generation.radii(sharp[real])

                def distance(made: Values, there: generation.Moments = there) -> float:
                    return generation.frechet_distance(generation.Moments.of(made), there)

                def covered(made: Values, real: Rows = real, reach: Values = reach) -> float:
                    return generation.manifold(made, sharp[real], real_radii=reach).coverage

                own, averaged = (
                    distance(at[real]),
                    distance(features((soft[real] + soft[random.permutation(real)]) / 2)),
                )
                usual = covered(at[real])
                for name, made in kinds(soft, at, pool, n, random):
                    form = (distance(made) - own) / (averaged - own)
                    found.setdefault(name, []).append((form, covered(made) / usual))
            for name, several in found.items():
                low, middle, high = np.quantile(several, (0, 0.5, 1), axis=0)
                cells = [f"{b:.2f} ({a:.2f} … {c:.2f})" for a, b, c in zip(low, middle, high, strict=True)]
                print(f"{name} | {cutoff} | {n} | {' | '.join(cells)}", flush=True)
    print("images | blurred at | grid pattern, levels of 255")
    real, other = x[: len(x) // 2], x[len(x) // 2 :]
    for cutoff in CUTOFFS:
        soft = blurred(other, cutoff)
        noisy = soft + 0.05 * torch.randn(soft.shape, generator=torch.Generator().manual_seed(0))
        shown = {"none": soft, "none, noise of 0.05": noisy, "none, averages of two": (soft + soft.flip(0)) / 2}
        shown |= {f"period {p}, {level:g}": checkered(soft, level, p) for p in (2, 4) for level in LEVELS}
        for name, images in shown.items():
            print(f"{name} | {cutoff} | {255 * metrics.grid_pattern(images, real):.2f}", flush=True)


if __name__ == "__main__":
    main()
