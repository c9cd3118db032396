"""What compiling a step costs and saves: where the constants of `diabolo/training/compiling.py` come from.

For each model: seconds that compiling takes, with nothing compiled before and with what that left on disk; milliseconds a step,
eager and compiled, in turns, with one thread; and beside them what is counted. All in seconds of the CPU, so that other work on
the machine disturbs little; then the constants by least squares.

    python benchmarks/compiling.py
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODELS = {  # name: (recipe, shape, its options, batch size)
    "vae, 784-400-400-20": ("vae", (1, 28, 28), {"latent_dim": 20, "hidden": (400, 400)}, 128),
    "vae, 64-64-4": ("vae", (1, 8, 8), {"latent_dim": 4, "hidden": (64,)}, 64),
    "denoising, 784-1000-1000-64": ("denoising", (1, 28, 28), {"latent_dim": 64, "hidden": (1000, 1000)}, 128),
    "conv-to-point": ("undercomplete", (1, 28, 28), {"latent_dim": 64, "net": "conv-to-point"}, 64),
    "vae, conv, 32x32": ("vae", (3, 32, 32), {"latent_dim": 32, "net": "conv"}, 64),
    "vae, conv, 64x64": ("vae", (3, 64, 64), {"latent_dim": 128, "net": "conv"}, 32),
    "vqvae, 28x28": ("vqvae", (1, 28, 28), {"codes": 64, "width": 32, "residual_width": 16}, 64),
    "factorvae": ("factorvae", (1, 28, 28), {"latent_dim": 10, "hidden": (400,), "critic_width": 256, "critic_layers": 3}, 64),
}  # fmt: skip


def one(name: str, threads: int, precision: str, rounds: int) -> dict:
    """Measure one model in this process."""
    import numpy as np
    import torch

    from diabolo import zoo
    from diabolo.data.arrays import as_images
    from diabolo.hardware import choose_precision, use_threads
    from diabolo.randomness import Draws, generator
    from diabolo.training import compiling
    from diabolo.training.options import TrainOptions
    from diabolo.training.stepping import step_of

    recipe, shape, options, batch = MODELS[name]
    use_threads(threads)
    torch.manual_seed(0)
    pixels = np.random.default_rng(0).integers(0, 256, (batch, *shape), dtype=np.uint8)
    x = torch.from_numpy(pixels).float() / 255
    chosen = choose_precision(precision, torch.device("cpu"))
    training = TrainOptions(batch_size=batch, precision=precision)
    steps = {}
    for way in ("eager", "compiled"):
        model = zoo.build(recipe, shape, **options)
        if any(isinstance(module, torch.nn.Conv2d) for module in model.modules()):
            model.to(memory_format=torch.channels_last)
        if way == "eager":
            found = compiling.counted(model, as_images(pixels))
            weights = sum(p.numel() for p in model.parameters())
        steps[way] = step_of(model, training, chosen, way == "compiled")
        steps[way].frozen.train()
    start = cpu_seconds()
    steps["compiled"].compile(x)
    seconds = cpu_seconds() - start
    times: dict[str, list[float]] = {"eager": [], "compiled": []}
    if rounds:
        for turn in range(rounds + 1):
            for way, step in steps.items():
                start, done = time.process_time(), 0
                while time.process_time() - start < 1.0:
                    step(x, Draws(generator(0, "noise", done)), 0.5)
                    done += 1
                if turn:  # the first warms up
                    times[way].append((time.process_time() - start) / done * 1e3)
    scaled = found.moved * batch / (2 if chosen.autocast else 1)
    counted = {"operations": found.operations, "megabytes": round(scaled / 1e6, 2), "weights": weights}
    medians = {way: round(statistics.median(ms), 3) for way, ms in times.items() if ms}
    return {"compiling": round(seconds, 1), **medians, **counted}


def cpu_seconds() -> float:
    """Of this process and of those it started and waited for, compilers among them."""
    return sum(os.times()[:4])


def fit(rows: list[dict]) -> None:
    """Print the constants that make the smallest squares of relative errors."""
    import numpy as np

    saved = np.array([row["eager"] - row["compiled"] for row in rows]) * 1e-3
    eager = np.array([row["eager"] for row in rows]) * 1e-3
    counted = np.array([[row["operations"], row["weights"], -1e6 * row["megabytes"]] for row in rows], dtype=float)
    each = np.linalg.lstsq(counted / eager[:, None], saved / eager, rcond=None)[0]
    print("CALL, UPDATE, PASS =", ", ".join(f"{value:.2g}" for value in each))
    print(
        "saved, and predicted, of an eager step:",
        (saved / eager).round(2).tolist(),
        (counted @ each / eager).round(2).tolist(),
    )
    print("SPENT: seconds of the CPU", [row["compiling"] for row in rows])


def in_process(name: str, arguments: argparse.Namespace, cache: str, rounds: int) -> dict:
    """The same in a process of its own, that finds `cache` compiled."""
    environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": cache, "OMP_NUM_THREADS": str(arguments.threads)}
    words = ["--one", name, "--threads", arguments.threads, "--precision", arguments.precision, "--rounds", rounds]
    command = [sys.executable, str(Path(__file__).resolve()), *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=tuple(MODELS), default=list(MODELS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one, arguments.threads, arguments.precision, arguments.rounds)))
        return 0
    rows = []
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as cache:
            cold = in_process(name, arguments, cache, arguments.rounds)
            warm = in_process(name, arguments, cache, 0)
        print(f"{name:30} warm {warm.get('compiling')} s  {cold}", flush=True)
        rows.append(cold)
    if len(rows) > 3:
        fit(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
