"""torch.compile, for those who ask for it: the loss alone, or the whole step as one function.

On a CPU most of a small step goes into handing work from one operation to the next. Compiled as a whole (loss, gradients and
update in one graph), what lies between the matrix products becomes a few fused loops.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from diabolo import processes
from diabolo.errors import DiaboloError
from diabolo.objectives import Loss
from diabolo.randomness import Draws

if TYPE_CHECKING:
    from diabolo.training.step import Step

BETAS, EPS = (0.9, 0.999), 1e-8  # Adam's usual ones, as in torch.optim


def compiled(function: Callable[..., Loss], **how: Any) -> Callable[..., Loss]:
    """`function` under torch.compile; when nothing can be compiled here (no C++ compiler, say) the error is one sentence."""
    from torch._dynamo.exc import TorchDynamoException  # slow to import, and wanted here alone

    fast = torch.compile(function, dynamic=False, **how)

    def call(*arguments: Any) -> Loss:
        try:
            return fast(*arguments)
        except (TorchDynamoException, RuntimeError) as error:
            if isinstance(error, TorchDynamoException) or "ompiler" in str(error):
                reason = str(error).splitlines()[0]
                raise DiaboloError(f"--compile does not work here: {reason}; train without it") from error
            raise

    return call


def can_be_whole(step: "Step") -> bool:
    """Whether the whole step can be one compiled function: on a CPU, in one process, without a loss scale or clipping, with a
    torch that can trace gradients (2.11 cannot)."""
    import torch._dynamo.config as config

    alone = processes.world() == 1 and step.options.clip_norm is None and not step.scaler.is_enabled()
    return alone and step.device.type == "cpu" and hasattr(config, "trace_autograd_ops")


class WholeStep:
    """One compiled function for full batches: loss, gradients, Adam, and the half-precision copies.

    It moves the same tensors as the eager step (weights and optimizer state of `step`), so that the two can take turns.
    """

    def __init__(self, step: "Step") -> None:
        import torch._dynamo.config as config

        self.step = step
        config.trace_autograd_ops = True
        unguarded = torch.compiler.skip_guard_on_all_nn_modules_unsafe  # a model's modules do not change in training
        self.fast = compiled(self._whole, fullgraph=True, options={"guard_filter_fn": unguarded})
        flat = step.weights.flat
        self.state = step.optimizer.state[flat]
        if not self.state:
            self.state |= {
                "step": torch.zeros(()),
                "exp_avg": torch.zeros_like(flat),
                "exp_avg_sq": torch.zeros_like(flat),
            }
        views = [step.weights.views(self.state[slot]) for slot in ("exp_avg", "exp_avg_sq")]
        pairs = zip(step.weights.parameters, step.weights.masters, *views, strict=True)
        # (what the model reads, its float32 original, m, v); where the model reads float32 the first two are one
        self.slots = [
            (p, p if p.dtype == master.dtype else _alone(master), _alone(m), _alone(v)) for p, master, m, v in pairs
        ]

    def __call__(self, x: Tensor, window: tuple[int, int] | None, progress: Tensor, y: Tensor | None) -> Loss:
        """One step on the batch `x`; the loss before the update."""
        self.state["step"].add_(1)
        lr = torch.tensor(self.step.optimizer.param_groups[0]["lr"], dtype=torch.float32)
        return self.fast(x, window, progress, y, lr, self.state["step"])

    def _whole(
        self, x: Tensor, window: tuple[int, int] | None, progress: Tensor, y: Tensor | None, lr: Tensor, t: Tensor
    ) -> Loss:
        step, options = self.step, self.step.options
        with torch.autocast("cpu", step.precision.dtype, enabled=step.precision.autocast):
            loss = step.model.loss(x, Draws(None, window), progress, y)
        read = [slot[0] for slot in self.slots]
        gradients = torch.autograd.grad(loss.total, read, allow_unused=True)
        with torch.no_grad():
            (beta1, beta2), decay = BETAS, options.weight_decay
            size, correction = lr / (1 - beta1**t), (1 - beta2**t).sqrt()
            for (p, w, m, v), g in zip(self.slots, gradients, strict=True):
                g = torch.zeros_like(w) if g is None else g.float()
                if decay and options.optimizer == "adam":
                    g = g + decay * w
                if decay and options.optimizer == "adamw":
                    w.mul_(1 - lr * decay)
                m.lerp_(g, 1 - beta1)
                v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
                w.sub_(size * m / (v.sqrt() / correction + EPS))
                if p is not w:
                    p.copy_(w)
        terms, watch = ({name: v.detach() for name, v in part.items()} for part in (loss.terms, loss.watch))
        return Loss(loss.total.detach(), terms, loss.weights, watch)


def _alone(view: Tensor) -> Tensor:
    """The same memory as a tensor that is nobody's view: the compiler would have to treat views of one tensor as one."""
    return torch.empty(0, dtype=view.dtype).set_(
        view.untyped_storage(), view.storage_offset(), view.shape, view.stride()
    )
