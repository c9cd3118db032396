"""What callbacks cost: `python benchmarks/callbacks.py [images] [epochs] [pairs]`.

The fully connected VAE on random images of 28×28, with and without three callbacks, in turn. Printed: seconds of the processor
for an epoch of each, their ratio, and the time spent in the calls themselves.
"""

import statistics
import sys
import time

import numpy as np

import diabolo
from diabolo.training.callbacks import Callbacks


def main(images: int = 12_000, epochs: int = 2, pairs: int = 4) -> None:
    x = np.random.default_rng(0).integers(0, 255, (images, 1, 28, 28), dtype=np.uint8)
    inside: list[float] = []
    tell = Callbacks.epoch

    def timed(self, *about):
        before = time.perf_counter()
        tell(self, *about)
        inside.append(time.perf_counter() - before)

    Callbacks.epoch = timed

    def once(callbacks):
        before = time.process_time(), time.perf_counter()
        options = {"latent_dim": 16, "epochs": epochs, "seed": 0, "out": None, "quiet": True, "threads": 1}
        diabolo.fit("vae", x, callbacks=callbacks, compile=False, **options)
        return (time.process_time() - before[0]) / epochs, (time.perf_counter() - before[1]) / epochs

    ratios, plain, told, wall, told_for = [], [], [], [], []
    once([])
    for i in range(pairs):
        for with_them in (False, True) if i % 2 == 0 else (True, False):
            inside.clear()
            seconds, passed = once([diabolo.tracking.Callback() for _ in range(3)] if with_them else [])
            (told if with_them else plain).append(seconds)
            if with_them:
                wall.append(passed)
                told_for.append(sum(inside) / epochs)
        ratios.append(told[-1] / plain[-1])
    print(
        f"an epoch of {images:,} images: {statistics.median(plain):.3f} s of the processor without, with three callbacks"
    )
    print(
        f"{statistics.median(told):.3f} s; ratio {statistics.median(ratios):.4f} ({min(ratios):.4f} to {max(ratios):.4f})"
    )
    share = statistics.median(told_for) / statistics.median(wall)
    print(f"in the calls: {1000 * statistics.median(told_for):.2f} ms an epoch, {100 * share:.4f} % of it")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
