"""A player at work: its weights, what its optimizer keeps of them, their average, and the scale that keeps float16 gradients
from vanishing.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from diabolo.hardware import Precision
from diabolo.schedules import Number
from diabolo.updates.player import Player, Rule
from diabolo.updates.weights import Weights


class LossScale:
    """What the loss is multiplied by, and its gradient divided by: doubled after 2,000 good steps, halved when a gradient
    overflows (Micikevicius et al. 2018, arXiv 1710.03740).

    Attributes:
        scale: a power of two, so that dividing by it is exact.
        growth_tracker: good steps since the scale was changed.
    """

    START, GROWTH, BACKOFF, EVERY = 65536.0, 2.0, 0.5, 2000  # those of torch's GradScaler

    def __init__(self, device: torch.device) -> None:
        self.scale = torch.full((), self.START, device=device)
        self.growth_tracker = torch.zeros((), dtype=torch.int32, device=device)

    def divide(self, gradient: Tensor) -> Tensor:
        """Divide `gradient` by the scale, in place, and adapt the scale; whether all of it is finite, a truth value (1,)."""
        overflow = torch.zeros(1, device=gradient.device)
        torch._amp_foreach_non_finite_check_and_unscale_([gradient], overflow, self.scale.double().reciprocal().float())
        torch._amp_update_scale_(self.scale, self.growth_tracker, overflow, self.GROWTH, self.BACKOFF, self.EVERY)
        return overflow == 0

    def state(self) -> dict[str, Tensor]:
        """Both, by name, the live ones."""
        return {"scale": self.scale, "growth_tracker": self.growth_tracker}


Count = TypeVar("Count", float, Tensor)


def decay_at(taken: Count, ema: float) -> Count:
    """The decay of the moving average at step `taken`, counted from 1: min(`ema`, (1 + taken) / (10 + taken)).

    It grows to `ema`, so that the average forgets the random weights that it begins with, however short the training."""
    grown = (1 + taken) / (10 + taken)
    return grown.clamp(max=ema) if isinstance(grown, Tensor) else min(grown, ema)


def clip_factor(gradients: Sequence[Tensor], largest: float) -> Tensor:
    """min(1, c / ‖g‖), where ‖g‖ is the norm of all `gradients` together, and c the `largest`."""
    norm: Tensor = torch.stack([gradient.norm() for gradient in gradients]).norm()
    return (largest / (norm + 1e-6)).clamp(max=1.0)


def only_if(well: Tensor | None, tensors: Sequence[Tensor], action: Callable[[], None]) -> None:
    """Do `action`, which changes the `tensors` in place, if `well`, a truth value on their device; None: in any case."""
    if well is None:
        action()
        return
    before = [tensor.clone() for tensor in tensors]
    action()
    for tensor, old in zip(tensors, before, strict=True):
        tensor.copy_(torch.where(well.reshape(()), tensor, old))


class Learner:
    """A player while its weights are trained. They belong to it until `weights.release`.

    Attributes:
        weights: those that it moves, as one flat tensor.
        optimizer, clip_norm: how.
        schedule: the learning rate over training.
        lr: what that is now; on a GPU a tensor there, so that a graph can change it.
        taken: steps that it has taken, a tensor.
        slots: what the optimizer keeps, each like the weights.
        average: the exponential moving average of the weights (see `decay_at`); None without `ema`.
        scale: of the loss, where gradients would vanish; else None.
        offered: steps that it could have taken, where it takes every k-th; else None.
    """

    def __init__(self, model: nn.Module, player: Player, usual: Rule, precision: Precision, ema: float | None) -> None:
        rule = player.rule or usual
        self.weights = Weights(model, player.weights, precision)
        self.optimizer, self.clip_norm, self.schedule = rule.optimizer, rule.clip_norm, rule.rate()
        self.every, self.ema = player.every, ema
        flat = self.weights.flat
        self.lr: Number = torch.zeros((), device=flat.device) if flat.is_cuda else 0.0
        self.taken = torch.zeros((), device=flat.device)
        self.slots = {name: torch.zeros_like(flat) for name in self.optimizer.slots}
        self.average = flat.clone() if ema else None
        self.scale = LossScale(flat.device) if precision.scaled else None
        self.offered = torch.zeros((), device=flat.device) if self.every > 1 else None

    def aim(self, progress: float | Tensor) -> None:
        """Set the learning rate for the next step."""
        value = self.schedule(progress)
        if isinstance(self.lr, Tensor):
            self.lr.copy_(value) if isinstance(value, Tensor) else self.lr.fill_(value)
        else:
            self.lr = float(value)

    @property
    def steps(self) -> int:
        """Steps so far, whether it moved in them or not. (Waits for the device.)"""
        return int(self.taken if self.offered is None else self.offered)

    def count(self, steps: int) -> int:
        """Note that there were so many `steps`; in how many of them it moved."""
        taken = -(-steps // self.every)
        self.taken.fill_(taken)
        if self.offered is not None:
            self.offered.fill_(steps)
        return taken

    @property
    def leaves(self) -> Sequence[Tensor]:
        """The model's own parameters."""
        return self.weights.parameters

    def scaled(self, minimised: Tensor) -> Tensor:
        """What it minimises, times the scale, where there is one."""
        return minimised if self.scale is None else minimised * self.scale.scale

    def move(self, gradients: Sequence[Tensor | None]) -> None:
        """Clip and update, by the `gradients` of its weights (of the scaled loss, where there is a scale)."""
        self.weights.gather(gradients)
        well = None if self.scale is None else self.scale.divide(self.weights.gradient)
        if self.offered is not None:
            turn = self.offered % self.every == 0
            self.offered.add_(1)
            well = turn if well is None else well & turn
        if self.clip_norm is not None:
            self.weights.gradient.mul_(clip_factor([self.weights.gradient], self.clip_norm))
        ws, gs, slots = self._pieces()
        only_if(
            well,
            [self.weights.flat, self.taken, *self.slots.values()],
            lambda: self.optimizer.apply(ws, gs, slots, self.lr, self.taken),
        )

    def follow(self) -> None:
        """Let the half-precision copies and the average follow the weights."""
        self.weights.refresh()
        if self.average is not None:
            self.average.lerp_(self.weights.flat, 1 - decay_at(self.taken, float(self.ema or 0)))

    def _pieces(self) -> tuple[list[Tensor], list[Tensor], list[list[Tensor]]]:
        """Weights, gradients and slots as the optimizer wants them: one flat tensor of each, or one for each weight."""
        weights = self.weights
        if self.optimizer.by_weight:
            return weights.masters, weights.gradients, [weights.views(slot) for slot in self.slots.values()]
        return [weights.flat], [weights.gradient], [[slot] for slot in self.slots.values()]

    @property
    def kept(self) -> Tensor:
        """The weights worth keeping, flat: the moving average where there is one, else the weights as they are."""
        return self.weights.flat if self.average is None else self.average

    def state(self) -> dict[str, Tensor]:
        """What its optimizer and its scale need to go on, by name, the live tensors."""
        found = {"optimizer/step": self.taken} | {f"optimizer/{name}": slot for name, slot in self.slots.items()}
        if self.offered is not None:
            found["optimizer/offered"] = self.offered
        if self.scale is not None:
            found |= {f"scaler/{name}": tensor for name, tensor in self.scale.state().items()}
        return found
