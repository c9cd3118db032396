"""The whole step as one compiled function: forward, backward, (clip,) update, (moving average).

What the eager step does is traced once, over tensors without content, into a graph of torch's operations, and compiled by
torch's Inductor. At each step no Python runs between the operations, chains of small ones are one pass over memory, and the
optimizer reads the gradients as the products leave them. Random numbers are drawn before each step, in the order in which the
eager step draws them, so that both see the same noise.
"""

from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor, nn

from diabolo.autoencoder import Autoencoder, Loss, already_checked
from diabolo.errors import DiaboloError
from diabolo.randomness import Ask, Draws, Given, Rehearsal
from diabolo.training.step import Step, decay_at

BETAS, EPSILON = (0.9, 0.999), 1e-8


class CompiledStep(Step):
    """`Step`, compiled for full batches; the smaller batch at the end of an epoch takes the eager way."""

    _fast: "Callable[..., tuple[Tensor, ...]] | None" = None
    _taken = 0  # steps, this one included: known on the host, so that nothing waits for the device

    def __call__(self, x: Tensor, draws: Draws, progress: float | Tensor, y: Tensor | None = None) -> Loss:
        """As of `Step`."""
        self._taken += 1
        if len(x) != self.options.batch_size:
            return super().__call__(x, draws, progress, y)
        lr = self.schedule(progress)
        self._set_lr(lr)
        if self._fast is None:
            self._begin()
        given = [x, self._scalars(float(progress), float(lr)), *([] if y is None else [y])]
        if self._fast is None:
            self._compile(given, draws.window)
        assert self._fast is not None
        with torch.no_grad():
            found = self._fast(*self._held, *given, *(draws.numbers(*ask) for ask in self._asked))
        return self._as_loss(found)

    def _begin(self) -> None:
        """Lay out what the step reads and writes, the optimizer's averages at zero unless there are some."""
        flat = self.weights.flat.detach()
        slots = {"step": torch.zeros((), device=self.device), "exp_avg": torch.zeros_like(flat)}
        slots |= {"exp_avg_sq": torch.zeros_like(flat)} | self.optimizer.state[self.weights.flat]
        self.optimizer.state[self.weights.flat] = slots
        self._count, self._taken = slots["step"], int(slots["step"]) + 1
        averages = () if self.average is None else (self.average,)
        by_weight = [self.weights.views(t) for t in (flat, slots["exp_avg"], slots["exp_avg_sq"], *averages)]
        still = self._still()
        self._names, self._slots, self._places = list(still), len(by_weight), _places(self.model)
        self._held = [*self.weights.low, *chain.from_iterable(by_weight), *still.values()]

    def _scalars(self, progress: float, lr: float) -> Tensor:
        """Progress, what the moving average takes of the new weights, and lr, lr / (1 − β₁ᵗ) and (1 − β₂ᵗ)^½, at this step t:
        (5,)."""
        self._count.fill_(self._taken)
        unbiased = [1 - beta**self._taken for beta in BETAS]
        taken = 1 - decay_at(float(self._taken), float(self.options.ema or 0))
        scalars = torch.tensor([progress, taken, lr, lr / unbiased[0], unbiased[1] ** 0.5])
        return scalars.to(self.device, non_blocking=True)

    def _compile(self, given: list[Tensor], window: tuple[int, int] | None) -> None:
        """Make `_fast`, and the list of tensors that it reads and writes."""
        from torch._inductor import compile as compile_graph  # slow to import, and wanted here alone
        from torch._subclasses.fake_tensor import FakeTensorMode
        from torch.fx.experimental.proxy_tensor import make_fx

        try:
            with FakeTensorMode(allow_non_fake_inputs=True) as fake:
                rehearsal = Rehearsal(None, window)
                blank = [fake.from_tensor(tensor) for tensor in (*self._held, *given)]
                self._trace(blank, rehearsal)
            self._asked: list[Ask] = rehearsal.asked
            numbers = [torch.zeros(shape, device=device, dtype=dtype) for _, shape, device, dtype in self._asked]

            def whole(*tensors: Tensor) -> tuple[Tensor, ...]:
                end = len(tensors) - len(numbers)
                return self._trace(tensors[:end], Given(None, window, iter(tensors[end:])))

            inputs: list[Any] = [*self._held, *given, *numbers]
            graph = make_fx(whole, tracing_mode="fake", _allow_non_fake_inputs=True)(*inputs)
            self._fast = compile_graph(graph, inputs)
        except Exception as error:  # no C++ compiler, or a part that looks at its numbers on the host
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise DiaboloError(f"--compile does not work here: {reason}; train without it") from error

    def _still(self) -> dict[str, Tensor]:
        """What of the model no gradient moves: frozen weights, and buffers such as running means."""
        trained = set(self.weights.names)
        frozen = {name: p.detach() for name, p in self.model.named_parameters() if name not in trained}
        return frozen | dict(self.model.named_buffers())

    def _trace(self, tensors: Sequence[Tensor], draws: Draws) -> tuple[Tensor, ...]:
        """The step as a function of all it reads and writes: the state, x, progress and rates, (y)."""
        options, rest, n = self.options, iter(tensors), len(self.weights.names)
        low = list(islice(rest, len(self.weights.low)))
        by_slot = [list(islice(rest, n)) for _ in range(self._slots)]
        still = dict(zip(self._names, rest, strict=False))  # the names end first, and the rest goes on
        x, (progress, taken, *rates), *y = rest
        leaves = [view.detach().requires_grad_() for view in (*low, *by_slot[0][len(low) :])]
        named = {**dict(zip(self.weights.names, leaves, strict=True)), **still}
        swapped = {f"model.{place}": named[name] for place, name in self._places.items()}
        with (
            torch.enable_grad(),
            torch.autocast(self.device.type, self.precision.dtype, enabled=self.precision.autocast),
        ):
            told = (x, draws, progress, y[0] if y else None)
            loss: Loss = torch.func.functional_call(_Lossy(self.model), swapped, told, tie_weights=False)
        found = torch.autograd.grad(loss.total, leaves, allow_unused=True, materialize_grads=True)
        gradients = [gradient.float() for gradient in found]
        if options.clip_norm is not None:
            norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
            gradients = [gradient * (options.clip_norm / (norm + 1e-6)).clamp(max=1.0) for gradient in gradients]
        for gradient, w, mean, square, *average in zip(gradients, *by_slot, strict=True):
            w.copy_(_adam(w, gradient, mean, square, rates, options.weight_decay, options.optimizer == "adamw"))
            for tensor in average:
                tensor.lerp_(w, taken)
        for half, w in zip(low, by_slot[0], strict=False):  # those that have a half-precision copy come first
            half.copy_(w)
        self._terms, self._watched, self._weighted = list(loss.terms), list(loss.watch), list(loss.weights)
        weights = (torch.as_tensor(weight, dtype=torch.float32, device=self.device) for weight in loss.weights.values())
        values = (loss.total, *loss.terms.values(), *loss.watch.values(), *weights)
        return tuple(value.detach() for value in values)

    def _as_loss(self, found: tuple[Tensor, ...]) -> Loss:
        """What `_trace` gave, by name again."""
        total, values = found[0], iter(found[1:])
        terms = {name: next(values) for name in self._terms}
        watch = {name: next(values) for name in self._watched}
        weights: dict[str, float | Tensor] = {name: next(values) for name in self._weighted}
        return Loss(total, terms, weights, watch)


def _places(model: nn.Module) -> dict[str, str]:
    """Each place in `model` that holds a weight or a buffer, once, and the first name of what it holds. Two places may hold one
    tensor, and a module that two others share has two names and is one place: torch would put it back wrongly."""
    first = {id(tensor): name for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    return {
        f"{prefix}.{name}" if prefix else name: first[id(tensor)]
        for prefix, module in model.named_modules()
        for held in (module._parameters, module._buffers)
        for name, tensor in held.items()
        if tensor is not None
    }


def _adam(
    w: Tensor, g: Tensor, mean: Tensor, square: Tensor, rates: Sequence[Tensor], decay: float, decoupled: bool
) -> Tensor:
    """The weights after a step of Adam (Kingma & Ba 2015, arXiv 1412.6980), or of AdamW when `decoupled` (Loshchilov & Hutter
    2019, arXiv 1711.05101), as torch's optimizers take it with their own β and ε; mean and square are updated in place."""
    if decay and decoupled:
        w = w * (1 - rates[0] * decay)
    elif decay:
        g = g + decay * w
    mean.lerp_(g, 1 - BETAS[0])
    square.mul_(BETAS[1]).addcmul_(g, g, value=1 - BETAS[1])
    return w - rates[1] * mean / (square.sqrt() / rates[2] + EPSILON)


class _Lossy(nn.Module):
    """A model whose forward pass is its loss, as `functional_call` wants it."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, *told: Any) -> Loss:
        with already_checked():
            return self.model.loss(*told)
