"""The time of the matrix products alone: what is left of the FC VAE's training step when everything else is free.

Exactly the products of one step, called one after the other as torch's autograd calls them (`mm` with the transposes
as views, each result newly allocated): forward, weight gradients, input gradients. The first layer needs no input
gradient, and mu and logvar are one product 400 → 40, so there are 6 + 6 + 5 = 17. Biases, activations, loss, optimiser
and data are left out. Times the number of steps of an epoch (469 at batch 128).

On a GPU the step is replayed from a CUDA graph, so that the time is that of the products and not of launching them.
"""

import argparse
import json
import math
import os
import statistics
import time

import torch

LAYERS = ((784, 400), (400, 400), (400, 40), (20, 400), (400, 400), (400, 784))  # (inputs, outputs)
IMAGES = 60_000


def make_step(batch_size, dtype, device):
    """A function that runs the products of one training step; every layer has operands of its own, as in training."""
    generator = torch.Generator().manual_seed(0)

    def matrix(rows, columns):
        return torch.randn(rows, columns, generator=generator).to(device, dtype)

    x = [matrix(batch_size, inputs) for inputs, _ in LAYERS]
    w = [matrix(outputs, inputs) for inputs, outputs in LAYERS]
    g = [matrix(batch_size, outputs) for _, outputs in LAYERS]

    def step():
        for i in range(len(LAYERS)):
            torch.mm(x[i], w[i].t())
        for i in reversed(range(len(LAYERS))):
            torch.mm(g[i].t(), x[i])
            if i > 0:
                torch.mm(g[i], w[i])

    return step


def captured(step):
    """The step as a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


@torch.no_grad()
def seconds_per_epoch(batch_size, dtype, device, repeats):
    """Seconds of one epoch's steps, measured over whole epochs, `repeats` times."""
    steps = math.ceil(IMAGES / batch_size)
    step = make_step(batch_size, dtype, device)
    if device == "cuda":
        step = captured(step)
    for _ in range(20):
        step()
    times = []
    for _ in range(repeats):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, help="default: 128, on a GPU 512")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    args.batch_size = args.batch_size or (512 if args.device == "cuda" else 128)
    torch.set_num_threads(args.threads)

    times = {
        str(dtype).removeprefix("torch."): seconds_per_epoch(args.batch_size, dtype, args.device, args.repeats)
        for dtype in (torch.bfloat16, torch.float32)
    }
    flop = 2 * args.batch_size * sum(i * o * (3 if n else 2) for n, (i, o) in enumerate(LAYERS))
    steps = math.ceil(IMAGES / args.batch_size)
    result = {
        "what": "floor",
        "work": "fc",
        "products_per_step": 3 * len(LAYERS) - 1,
        "steps_per_epoch": steps,
        "seconds_per_epoch": {name: [round(t, 4) for t in ts] for name, ts in times.items()},
        "gflop_per_second": {n: round(flop * steps / statistics.median(ts) / 1e9, 1) for n, ts in times.items()},
        "batch_size": args.batch_size,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
