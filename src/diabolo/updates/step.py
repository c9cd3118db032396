"""One step of training, for any model, any players and any of their optimizers; run eagerly, or captured in a CUDA graph."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.hardware import Precision
from diabolo.randomness import Draws
from diabolo.updates.freezing import Frozen
from diabolo.updates.learner import Learner, decay_at
from diabolo.updates.loss import Loss, already_checked
from diabolo.updates.player import Player, Rule


class Side(Protocol):
    """What an update needs of one player: a `Learner`, which is eager, or its tensors while they are traced."""

    @property
    def leaves(self) -> Sequence[Tensor]:
        """What the loss is differentiated by."""

    def scaled(self, minimised: Tensor) -> Tensor:
        """What is differentiated instead of what the player minimises."""

    def move(self, gradients: Sequence[Tensor | None]) -> None:
        """Update the weights by the gradients of the leaves; None is zero."""

    def follow(self) -> None:
        """Let what hangs on the weights follow them: half-precision copies, and the moving average."""


def advance(loss: Loss, sides: Mapping[str, Side], players: Collection[str], constrain: Callable[[], None]) -> None:
    """One update of all players that have something to move, in place: each by its own gradient, then the constraints, then
    what follows the weights.

    Raises:
        DiaboloError: when the loss has nothing for one of them, or has something for a name that none of the `players` has.
    """
    minimised = {name: side.scaled(_of(loss, name)) for name, side in sides.items()}
    check_minimised(loss, players)
    found = gradients(minimised, {name: side.leaves for name, side in sides.items()})
    with torch.no_grad():
        for name, side in sides.items():
            side.move(found[name])
        constrain()
        for side in sides.values():
            side.follow()


def gradients(
    minimised: Mapping[str, Tensor], weights: Mapping[str, Sequence[Tensor]]
) -> dict[str, tuple[Tensor | None, ...]]:
    """∂ minimised[player] / ∂ weights[player], for each player: its own, and nothing of what the others minimise. None for a
    weight that the scalar does not depend on."""
    found: dict[str, tuple[Tensor | None, ...]] = {}
    names = list(weights)
    for name in names:
        more = name != names[-1]  # of the same graph
        found[name] = torch.autograd.grad(minimised[name], weights[name], retain_graph=more, allow_unused=True)
    return found


def check_minimised(loss: Loss, players: Collection[str]) -> None:
    """Refuse a loss with something to minimise for a name that none of the `players` has.

    Raises:
        DiaboloError: when there is one.
    """
    for name in loss.minimised:
        if name not in players:
            raise DiaboloError(
                f"the loss has a scalar for {name!r}, which is no player (there is {_listed(players)}): return a player "
                "of that name from `players` of the objective, or leave it out of `Loss.minimised`"
            )


def _of(loss: Loss, player: str) -> Tensor:
    """What `player` minimises of `loss`.

    Raises:
        DiaboloError: when the loss has nothing for it, or what has no gradient.
    """
    if player not in loss.minimised:
        raise DiaboloError(
            f"the loss says nothing of the player {player!r}: give `Loss.minimised` a scalar for each player"
        )
    minimised = loss.minimised[player]
    if not isinstance(minimised, Tensor) or minimised.ndim or not minimised.requires_grad or minimised.is_complex():
        raise DiaboloError(f"what the player {player!r} minimises is no scalar with a gradient")
    return minimised


class Step:
    """Loss, gradients, (clip,) update, (constraints,) (moving average) for one batch.

    While it is in use the model's weights belong to it; `release` gives them back.

    Args:
        model: a `Trainable`.
        usual: how players without a rule of their own move their weights.
        precision: of products.
        ema: decay of the moving average of the weights; None for none.
        freeze: names of weights that stay as they are, or patterns.

    Attributes:
        frozen: what of the model stays.
        players: the names of all players.
        learners: the players that have something to move, by name.
        spent: seconds that were spent on it before the first step, and not yet counted.
    """

    spent = 0.0

    def __init__(
        self,
        model: Any,
        usual: Rule,
        precision: Precision,
        ema: float | None = None,
        freeze: tuple[str, ...] | None = None,
    ) -> None:
        self.model: Any = model
        self.frozen = Frozen(model, freeze)
        self.precision, self.device = precision, model.device
        players: Mapping[str, Player] = model.players
        self.players = tuple(players)
        self.learners = {
            name: Learner(model, player, usual, precision, ema)
            for name, player in players.items()
            if any(p.requires_grad for p in player.weights)
        }

    def __call__(self, x: Tensor, draws: Draws, progress: float | Tensor, y: Tensor | None = None) -> Loss:
        """Train on the images `x` (B, …), float in [0, 1], and what is known of them, `y`; the loss before the update."""
        for learner in self.learners.values():
            learner.aim(progress)
        with torch.autocast(self.device.type, self.precision.dtype, enabled=self.precision.autocast), already_checked():
            loss: Loss = self.model.loss(x, draws, progress, y)
        advance(loss, self.learners, self.players, self._constrain)
        return loss

    def _constrain(self) -> None:
        """What the model asks of its weights after an update: of the float32 ones."""
        if self.model.after_update is None:
            return
        with self.shown({name: learner.weights.flat for name, learner in self.learners.items()}):
            self.model.after_update()

    @contextmanager
    def shown(self, flats: Mapping[str, Tensor] | None = None) -> Iterator[None]:
        """Inside the block the model has the float32 weights `flats`, by player; when left out, those worth keeping."""
        with ExitStack() as stack:
            for name, learner in self.learners.items():
                stack.enter_context(learner.weights.shown(learner.kept if flats is None else flats[name]))
            yield

    @property
    def lr(self) -> float:
        """The learning rate of the first player at the last step. (Waits for the device.)"""
        return float(self._first.lr)

    @property
    def decay(self) -> float | None:
        """The decay of the moving average at the last step; None without one. (Waits for the device.)"""
        return None if self._first.average is None else decay_at(float(self._first.taken), float(self._first.ema or 0))

    @property
    def _first(self) -> Learner:
        return next(iter(self.learners.values()))

    def broken(self) -> str | None:
        """The first player whose weights, or their average, hold NaN or infinity; None when all are well. (Waits.)"""
        for name, learner in self.learners.items():
            if not bool(learner.weights.flat.isfinite().all() & learner.kept.isfinite().all()):
                return str(name)
        return None

    def kept_state(self) -> dict[str, Tensor]:
        """The model's state with the weights worth keeping."""
        state: dict[str, Tensor] = self.model.state_dict()
        for learner in self.learners.values():
            state |= learner.weights.named(learner.kept)
        return state

    def refresh(self) -> None:
        """Let the half-precision copies follow weights that were changed from outside."""
        for learner in self.learners.values():
            learner.weights.refresh()

    def release(self) -> None:
        """Give the model its own float32 weights back, and let the frozen ones move again."""
        for learner in self.learners.values():
            learner.weights.release()
        self.frozen.release()

    # --- everything needed to go on bit-exactly -----------------------------------------------------------------------

    def state(self) -> dict[str, Tensor]:
        """Weights, buffers, and what belongs to each player: tensors by name, the live ones."""
        tensors = {f"model/{name}": t for name, t in self.model.state_dict().items()}
        for player, learner in self.learners.items():
            tensors |= {f"model/{name}": t for name, t in learner.weights.named(learner.weights.flat).items()}
            for name, tensor in learner.state().items():
                kind, _, slot = name.partition("/")
                tensors[f"{kind}/{player}/{slot}"] = tensor
            if learner.average is not None:
                tensors |= {f"average/{name}": t for name, t in learner.weights.named(learner.average).items()}
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `state` gave.

        Raises:
            KeyError, RuntimeError: when it was the state of another model, or of other players.
        """
        own = self.state()
        given = _as_written_now(tensors, own)
        _check_players(given, own)
        if extra := sorted(set(given) ^ set(own)):
            raise KeyError(f"the tensors differ, first in {extra[0]!r}")
        for name, tensor in own.items():
            if given[name].shape != tensor.shape:
                raise KeyError(f"{name!r} has shape {tuple(given[name].shape)}, not {tuple(tensor.shape)}")
        for name, tensor in own.items():
            tensor.copy_(given[name])
        self.refresh()


def _as_written_now(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state `tensors` as it is written today. Diabolo 0.1 knew one player, without a name, and before its first step
    nothing of its optimizer."""
    found = {}
    for name, tensor in tensors.items():
        kind, *rest = name.split("/", 2)
        unnamed = kind in ("optimizer", "scaler") and len(rest) == 1
        found[f"{kind}/model/{rest[0].removeprefix('_')}" if unnamed else name] = tensor
    if not any(name.startswith("optimizer/") for name in found):
        found |= {name: tensor.new_zeros(tensor.shape) for name, tensor in own.items() if name.startswith("optimizer/")}
    return found


def _check_players(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Refuse the state of other players."""
    theirs, ours = ({name.split("/")[1] for name in names if name.startswith("optimizer/")} for names in (given, own))
    if theirs != ours:
        raise KeyError(f"it is of the players {_listed(theirs)}, and this model has {_listed(ours)}")


def _listed(names: Collection[str]) -> str:
    return " and ".join(sorted(names)) or "none"
