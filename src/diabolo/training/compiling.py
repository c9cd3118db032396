"""Whether the step of a training is compiled: where that can be, and where the training is long enough to earn that back.

That is predicted from what can be counted, and nothing is timed, so that the same options give the same choice, and the same
bits, every time. Compiled, a step saves the way through Python and torch from one operation to the next, and passes over
gradients and weights around the optimizer. Over large maps the compiled passes are slower than torch's own, by a little.

    steps · (operations · CALL + weights · UPDATE − bytes · PASS)  >  SPENT
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from diabolo import distributed
from diabolo.codec import evaluating
from diabolo.data.columns import column, rows
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.hardware import choose_device, choose_precision, use_threads
from diabolo.randomness import Draws, generator
from diabolo.training.closed_form import solved_at_once
from diabolo.training.options import TrainOptions
from diabolo.updates.compiled import compiler_found
from diabolo.updates.loss import Loss, already_checked
from diabolo.updates.step import gradients

FEWEST = 500  # steps; of fewer nothing is counted
# Seconds saved for each operation and each weight, and lost for each byte that operations read and write; and the seconds that
# compiling takes where the machine has compiled before. Measured by benchmarks/compiling.py, with one thread on two cores of an
# AMD EPYC (Zen 4) that other work shared: 27 µs an operation in the smallest model (fully connected, 9,160 weights), of which
# an idle machine takes about half; 1.5 to 1.9 ns a weight in those of a million weights and more; nothing saved by a
# convolutional VAE of 64×64 pixels, which moves 360 MB a step; 12 to 24 s of the CPU for compiling.
CALL, UPDATE, PASS = 1.5e-5, 1.5e-9, 1.5e-11
SPENT = 10.0
PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "convolution", "convolution_backward"}
FEW = (2, 4)  # images on which is counted


@dataclass(frozen=True)
class Counted:
    """What a step does beside its products.

    Attributes:
        operations: how many torch is called for, forward and backward.
        moved: bytes an image that they read and write, in float32.
    """

    operations: int
    moved: float


def compiled(model: Any, train: Images, options: TrainOptions) -> bool:
    """Whether the step of this training is to be compiled."""
    if isinstance(options.compile, bool):
        return options.compile
    if choose_device(options.device).type != "cpu" or solved_at_once(model) or unfit(model, options):
        return False
    return pays(model, train, options) and compiler_found()


def unfit(model: nn.Module, options: TrainOptions) -> str | None:
    """Why this training cannot be compiled, in a sentence; None where nothing speaks against it."""
    if any(getattr(m, "checkpointing", False) for m in model.modules()):
        return "--compile decides itself what is kept for the backward pass; leave out --checkpointing"
    if options.precision == "float16":
        return "--compile cannot adapt the loss scale of float16; use --precision bf16 or float32"
    if choose_device(options.device).type == "mps":
        return "--compile is for CPUs and CUDA devices; leave it out with --device mps"
    if distributed.world() > 1:
        return "--compile is for one process: a compiled step does not sum gradients over several"
    return None


def pays(model: Any, train: Images, options: TrainOptions) -> bool:
    """Whether the training is predicted to be long enough."""
    steps = options.epochs * (len(train) // (options.batch_size - (options.labelled_per_batch or 0)))
    if steps < FEWEST:
        return False
    cost = counted(model, train)
    precision = choose_precision(options.precision, choose_device(options.device))
    moved = options.batch_size * cost.moved / (2 if precision.autocast else 1)
    weights: int = sum(p.numel() for p in model.parameters() if p.requires_grad)
    saved = cost.operations * CALL + weights * UPDATE - moved * PASS
    return steps * saved > SPENT


def counted(model: Any, train: Images) -> Counted:
    """What a step does, counted on a few images in evaluation mode, so that nothing of the model changes."""
    found = []
    for n in FEW:
        with _Tally() as tally:
            loss = loss_of_first(model, train, n)
            gradients(loss.minimised, {name: _moved(player.weights) for name, player in model.players.items()})
        found.append(tally)
    one, two = found
    return Counted(two.operations, (two.moved - one.moved) / (FEW[1] - FEW[0]))


def resolved(model: Any, train: Images, options: TrainOptions) -> dict[str, Any]:
    """What "auto" comes to for this training on this machine, as config.json keeps it."""
    device = choose_device(options.device)
    return {
        "device": str(device),
        "threads": use_threads(options.threads),
        "precision": choose_precision(options.precision, device).name,
        "processes": distributed.world(),
        "compile": compiled(model, train, options),
    }


def loss_of_first(model: Any, train: Images, n: int) -> Loss:
    """The loss of the first `n` images in evaluation mode and float32."""
    x = to_float(torch.from_numpy(np.array(train.images[:n]))).to(model.device)
    y = rows(column(train, model.needs_column, model.device), torch.arange(n))
    with evaluating(model), already_checked(), torch.random.fork_rng(devices=[]):
        loss: Loss = model.loss(x, Draws(generator(0, "batch", device=model.device)), 0.0, y)
        return loss


def _moved(weights: Any) -> list[Tensor]:
    return [weight for weight in weights if weight.requires_grad]


class _Tally(TorchDispatchMode):
    """Counts inside its block the operations that are neither products nor views, and the bytes that they read and write."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations, self.moved = 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if not func.is_view and name not in PRODUCTS:
            self.operations += 1
            self.moved += sum(t.nbytes for t in torch.utils._pytree.tree_leaves((args, found)) if isinstance(t, Tensor))
        return found
