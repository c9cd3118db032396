"""The whole step as one compiled function: forward, backward, (clip,) update, (constraints,) (moving average).

What the eager step does is traced once, over tensors without content, into a graph of torch's operations, and compiled by
torch's Inductor. At each step no Python runs between the operations, chains of small ones are one pass over memory, and the
optimizer reads the gradients as the products leave them. Random numbers are drawn before each step, in the order in which the
eager step draws them, so that both see the same noise.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.hardware import Precision
from diabolo.randomness import Ask, Draws, Given, Rehearsal
from diabolo.surroundings import ready_inductor
from diabolo.updates.learner import Learner, clip_factor, decay_at, only_if
from diabolo.updates.loss import Loss, already_checked
from diabolo.updates.player import Rule
from diabolo.updates.step import Step, advance


@dataclass
class _Numbers:
    """What changes from step to step for one player, each a tensor of one number."""

    moves: Tensor
    share: Tensor
    rates: list[Tensor]


@dataclass
class _Traced:
    """What a step reads and writes of one player, weight by weight; a `Side` of the update."""

    learner: Learner
    low: list[Tensor]
    w: list[Tensor]
    slots: list[list[Tensor]]
    average: list[Tensor]

    @classmethod
    def of(cls, learner: Learner) -> "_Traced":
        """The tensors themselves."""
        weights = learner.weights
        average = [] if learner.average is None else weights.views(learner.average)
        slots = [weights.views(slot) for slot in learner.slots.values()]
        return cls(learner, list(weights.low), list(weights.masters), slots, average)

    def flat(self) -> list[Tensor]:
        """All of them, one after the other."""
        return [*self.low, *self.w, *(piece for slot in self.slots for piece in slot), *self.average]

    def like(self, tensors: Iterator[Tensor]) -> "_Traced":
        """The same from the next of `tensors`, which `flat` gave."""
        low, w = list(islice(tensors, len(self.low))), list(islice(tensors, len(self.w)))
        slots = [list(islice(tensors, len(slot))) for slot in self.slots]
        return _Traced(self.learner, low, w, slots, list(islice(tensors, len(self.average))))

    def begin(self, numbers: _Numbers) -> None:
        """Take the numbers of a step; from now on gradients are recorded."""
        self.numbers = numbers
        self.leaves = [view.detach().requires_grad_() for view in (*self.low, *self.w[len(self.low) :])]

    def scaled(self, minimised: Tensor) -> Tensor:
        """As it is: float16 is not compiled."""
        return minimised

    def move(self, gradients: Sequence[Tensor | None]) -> None:
        """Clip and update, weight by weight."""
        gs = [torch.zeros_like(w) if g is None else g.float() for g, w in zip(gradients, self.w, strict=True)]
        if self.learner.clip_norm is not None:
            factor = clip_factor(gs, self.learner.clip_norm)
            gs = [g * factor for g in gs]

        def update() -> None:
            for w, g, *slots in zip(self.w, gs, *self.slots, strict=True):
                w.copy_(self.learner.optimizer.update(w, g, slots, self.numbers.rates))

        moved = [*self.w, *(piece for slot in self.slots for piece in slot)]
        only_if(self.numbers.moves > 0 if self.learner.every > 1 else None, moved, update)

    def follow(self) -> None:
        """The average and the half-precision copies, of the first weights."""
        for tensor, w in zip(self.average, self.w, strict=False):
            tensor.lerp_(w, self.numbers.share)
        for half, w in zip(self.low, self.w, strict=False):
            half.copy_(w)


def compiler_found() -> bool:
    """Whether there is a C++ compiler that torch's Inductor would call."""
    ready_inductor()
    from torch._inductor.cpp_builder import get_cpp_compiler  # slow to import
    from torch._inductor.exc import CppCompileError, InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except (InvalidCxxCompiler, CppCompileError, RuntimeError):
        return False
    return True


class NotCompiledError(DiaboloError):
    """A step cannot be compiled here, for a `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"--compile does not work here: {reason}; train without it")
        self.reason = reason


class CompiledStep(Step):
    """`Step`, eager until `compile` is called; the smaller batch at the end of an epoch takes the eager way even then."""

    _fast: "Callable[..., tuple[Tensor, ...]] | None" = None
    _offered: "dict[str, int] | None" = None  # steps so far, by player: known on the host, so that nothing waits

    def __init__(
        self,
        model: Any,
        usual: Rule,
        precision: Precision,
        ema: float | None = None,
        freeze: tuple[str, ...] | None = None,
        *,
        batch_size: int,
    ) -> None:
        super().__init__(model, usual, precision, ema, freeze)
        self.batch_size = batch_size

    def __call__(self, x: Tensor, draws: Draws, progress: float | Tensor, y: Tensor | None = None) -> Loss:
        """As of `Step`."""
        before = self._offered or {name: learner.steps for name, learner in self.learners.items()}
        self._offered = {name: steps + 1 for name, steps in before.items()}
        if self._fast is None or len(x) != self.batch_size:
            return super().__call__(x, draws, progress, y)
        given = [x, self._scalars(float(progress), before), *([] if y is None else [y])]
        with torch.no_grad():
            found = self._fast(*self._tensors, *given, *(draws.numbers(*ask) for ask in self._asked))
        return self._as_loss(found)

    def _scalars(self, progress: float, before: Mapping[str, int]) -> Tensor:
        """Progress, and the `_Numbers` of each player, which had `before` so many steps, and note the steps."""
        scalars = [progress]
        for name, learner in self.learners.items():
            learner.aim(progress)
            taken = learner.count(before[name] + 1)
            scalars += [float(before[name] % learner.every == 0), 1 - decay_at(float(taken), float(learner.ema or 0))]
            scalars += [float(rate) for rate in learner.optimizer.rates(float(learner.schedule(progress)), taken)]
        return torch.tensor(scalars).to(self.device, non_blocking=True)

    def _numbers(self, scalars: Iterator[Tensor]) -> dict[str, _Numbers]:
        """What `_scalars` gave of each player."""
        sizes = {name: len(learner.optimizer.rates(1.0, 1)) for name, learner in self.learners.items()}
        return {name: _Numbers(next(scalars), next(scalars), list(islice(scalars, n))) for name, n in sizes.items()}

    def compile(self, x: Tensor, y: Tensor | None = None, window: tuple[int, int] | None = None) -> None:
        """Trace and compile the step for batches like `x` and `y`, of which only shape and type matter. Nothing is trained.

        Raises:
            NotCompiledError: where that cannot be; the step stays eager then.
        """
        started = time.perf_counter()
        self.frozen.train()  # what is traced is what happens in training mode
        still = self._still()
        self._held = {name: _Traced.of(learner) for name, learner in self.learners.items()}
        self._names, self._places = list(still), _places(self.model)
        self._tensors = [t for held in self._held.values() for t in held.flat()] + list(still.values())
        counts = sum(2 + len(learner.optimizer.rates(1.0, 1)) for learner in self.learners.values())
        given = [x, torch.zeros(1 + counts, device=self.device), *([] if y is None else [y])]
        self._fast = self._compiled(given, window)
        self.spent = time.perf_counter() - started

    def _compiled(self, given: list[Tensor], window: tuple[int, int] | None) -> "Callable[..., tuple[Tensor, ...]]":
        """The whole step as a function; notes which random numbers it is given."""
        ready_inductor()
        from torch._inductor import compile as compile_graph  # slow to import, and wanted here alone
        from torch._subclasses.fake_tensor import FakeTensorMode
        from torch.fx.experimental.proxy_tensor import make_fx

        try:
            with FakeTensorMode(allow_non_fake_inputs=True) as fake:
                rehearsal = Rehearsal(None, window)
                blank = [fake.from_tensor(tensor) for tensor in (*self._tensors, *given)]
                self._trace(blank, rehearsal)
            self._asked: list[Ask] = rehearsal.asked
            numbers = [torch.zeros(shape, device=device, dtype=dtype) for _, shape, device, dtype in self._asked]

            def whole(*tensors: Tensor) -> tuple[Tensor, ...]:
                end = len(tensors) - len(numbers)
                return self._trace(tensors[:end], Given(None, window, iter(tensors[end:])))

            inputs: list[Any] = [*self._tensors, *given, *numbers]
            graph = make_fx(whole, tracing_mode="fake", _allow_non_fake_inputs=True)(*inputs)
            found: Callable[..., tuple[Tensor, ...]] = compile_graph(graph, inputs)
        except DiaboloError:  # what the eager step would refuse too
            raise
        except Exception as error:  # no C++ compiler, or a part that looks at its numbers on the host
            raise NotCompiledError((str(error) or type(error).__name__).splitlines()[0]) from error
        return found

    def _still(self) -> dict[str, Tensor]:
        """What of the model no gradient moves: frozen weights, and buffers such as running means."""
        trained = {name for learner in self.learners.values() for name in learner.weights.names}
        frozen = {name: p.detach() for name, p in self.model.named_parameters() if name not in trained}
        return frozen | dict(self.model.named_buffers())

    def _trace(self, tensors: Sequence[Tensor], draws: Draws) -> tuple[Tensor, ...]:
        """The step as a function of all it reads and writes: the state, x, progress and rates, (y)."""
        rest = iter(tensors)
        sides = {name: blank.like(rest) for name, blank in self._held.items()}
        still = dict(zip(self._names, rest, strict=False))  # the names end first, and the rest goes on
        x, (progress, *scalars), *y = rest
        numbers = self._numbers(iter(scalars))
        for name, side in sides.items():
            side.begin(numbers[name])
        leaves = {name: side.leaves for name, side in sides.items()}
        with (
            torch.enable_grad(),
            torch.autocast(self.device.type, self.precision.dtype, enabled=self.precision.autocast),
        ):
            loss: Loss = self._with(leaves, still, "loss", x, draws, progress, y[0] if y else None)

        def constrain() -> None:
            if self.model.after_update is not None:
                self._with({name: side.w for name, side in sides.items()}, still, "after_update")

        advance(loss, sides, self.players, constrain)
        self._terms, self._logged, self._weighted = list(loss.terms), list(loss.logged), list(loss.weights)
        self._players = list(loss.minimised)
        weights = (torch.as_tensor(weight, dtype=torch.float32, device=self.device) for weight in loss.weights.values())
        values = (loss.total, *loss.terms.values(), *loss.logged.values(), *weights, *loss.minimised.values())
        return tuple(value.detach() for value in values)

    def _with(self, weights: Mapping[str, Sequence[Tensor]], still: Mapping[str, Tensor], door: str, *told: Any) -> Any:
        """What the method `door` of the model gives under these `weights` of the players, and all that is `still`."""
        named = dict(still)
        for name, own in weights.items():
            named |= dict(zip(self.learners[name].weights.names, own, strict=True))
        swapped = {f"model.{place}": named[name] for place, name in self._places.items()}
        return torch.func.functional_call(_Door(self.model, door), swapped, told, tie_weights=False)

    def _as_loss(self, found: tuple[Tensor, ...]) -> Loss:
        """What `_trace` gave, by name again."""
        total, values = found[0], iter(found[1:])
        terms = {name: next(values) for name in self._terms}
        logged = {name: next(values) for name in self._logged}
        weights: dict[str, float | Tensor] = {name: next(values) for name in self._weighted}
        return Loss(total, terms, weights, logged, {name: next(values) for name in self._players})


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


class _Door(nn.Module):
    """A model whose forward pass is one of its methods, as `functional_call` wants it."""

    def __init__(self, model: nn.Module, method: str) -> None:
        super().__init__()
        self.model, self.method = model, method

    def forward(self, *told: Any) -> Any:
        with already_checked():
            return getattr(self.model, self.method)(*told)
