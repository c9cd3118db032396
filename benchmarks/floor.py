"""The floor: the matrix products and convolutions of one training step of diabolo's model, and nothing else.

fc       17 matrix products: 6 forward, 6 for the gradients of the weights, 5 for those of the inputs (not of the images)
conv     the same of the convolutions, transposed convolutions and linear layers; so celeba64 and conv64

No activations, no normalisation, no loss, no biases, no optimizer, no data: what no training loop on torch's products can beat.
In bf16 and in float32; the convolutions as they are and channels last.
"""

import argparse
import json
import math
import os
import statistics
import time

import torch
from common import BATCH_SIZE, IMAGES, WORKS
from diabolo_run import build
from torch import nn

SHAPES = {"fc": (1, 28, 28), "conv": (1, 28, 28), "conv64": (3, 64, 64), "celeba64": (3, 64, 64)}
LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def layers_of(work):
    """Each layer of the model of that work, and the shapes of what one image is there before and after it, in their order."""
    model, found, hooks = build(work, SHAPES[work]), [], []
    for layer in model.modules():
        if isinstance(layer, LAYERS):
            hooks.append(
                layer.register_forward_hook(lambda layer, x, y: found.append((layer, x[0].shape[1:], y.shape[1:])))
            )
    with torch.no_grad():
        model.loss(torch.rand(2, *SHAPES[work]))
    for hook in hooks:
        hook.remove()
    return found


def products_of(layer, x, w, g, first):
    """The three products of a layer, as functions: forward, and of the gradients; of the `first` one two."""
    if isinstance(layer, nn.Linear):
        backward = (lambda: torch.mm(g.t(), x), *(() if first else (lambda: torch.mm(g, w),)))
        return (lambda: torch.mm(x, w.t()),), backward
    how = (layer.stride, layer.padding, layer.dilation, isinstance(layer, nn.ConvTranspose2d), layer.output_padding, 1)
    needed = [not first, True, False]
    backward = (lambda: torch.ops.aten.convolution_backward(g, x, w, None, *how, needed),)
    return (lambda: torch.convolution(x, w, None, *how),), backward


def make_step(work, batch_size, dtype, device, layout):
    """A function that runs the products of one training step; every layer has operands of its own, as in training."""
    generator, forward, backward = torch.Generator().manual_seed(0), [], []
    for number, (layer, inputs, outputs) in enumerate(layers_of(work)):

        def operand(shape):
            drawn = torch.randn(shape, generator=generator).to(device, dtype)
            return drawn.to(memory_format=layout) if drawn.ndim == 4 else drawn

        x, w, g = operand((batch_size, *inputs)), operand(layer.weight.shape), operand((batch_size, *outputs))
        there, back = products_of(layer, x, w, g, number == 0)
        forward += there
        backward = [*back, *backward]

    def step():
        for product in (*forward, *backward):
            product()

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
def seconds_per_epoch(step, steps, device, repeats):
    """Seconds of one epoch's steps, measured over whole epochs, `repeats` times."""
    if device == "cuda":
        step = captured(step)
    for _ in range(5):
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
    parser.add_argument("--work", choices=WORKS, default="fc")
    parser.add_argument("--batch-size", type=int, help="default: as in common.py")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--epochs", type=int, default=3, help="measured, of each")
    parser.add_argument("--seed", type=int, default=0, help="nothing here depends on it")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    args.batch_size = args.batch_size or BATCH_SIZE[args.device][args.work]
    torch.set_num_threads(args.threads)

    steps = math.ceil(IMAGES[args.work] / args.batch_size)
    layouts = {"": torch.contiguous_format}
    if args.work != "fc":
        layouts[", channels last"] = torch.channels_last
    times = {}
    for dtype in (torch.bfloat16, torch.float32):
        for name, layout in layouts.items():
            step = make_step(args.work, args.batch_size, dtype, args.device, layout)
            what = str(dtype).removeprefix("torch.") + name
            times[what] = seconds_per_epoch(step, steps, args.device, args.epochs)
    result = {
        "what": "floor",
        "work": args.work,
        "layers": len(layers_of(args.work)),
        "steps_per_epoch": steps,
        "seconds_per_epoch": {name: [round(t, 4) for t in ts] for name, ts in times.items()},
        "fastest": min(times, key=lambda name: statistics.median(times[name])),
        "batch_size": args.batch_size,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
