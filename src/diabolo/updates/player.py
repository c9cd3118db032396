"""Who moves which weights, and how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from torch import nn

from diabolo.errors import DiaboloError
from diabolo.ranges import Above, Count, Positive, check_fields
from diabolo.schedules import Constant, Schedule
from diabolo.updates.optimizer import Optimizer, as_optimizer


@dataclass(frozen=True)
class Rule:
    """How weights are moved.

    Attributes:
        optimizer: by which formula; also by its name, as in `as_optimizer`.
        lr: the learning rate over training; a number stays the same throughout.
        clip_norm: largest norm of the gradient, of all the weights that move by this rule together; None for none.
    """

    optimizer: Optimizer
    lr: Annotated[float, Above(0, 1000)] | Schedule
    clip_norm: Positive | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "optimizer", as_optimizer(self.optimizer))
        check_fields(self)

    def rate(self) -> Schedule:
        """The learning rate as a schedule."""
        return self.lr if callable(self.lr) else Constant(self.lr)


@dataclass(frozen=True)
class Player:
    """One who minimises something of its own.

    Attributes:
        weights: what it moves; of these, what needs no gradient (`requires_grad`) stays.
        rule: how; None: as the options of the training say.
        every: it moves at each `every`-th step, the first among them.
    """

    weights: Iterable[nn.Parameter]
    rule: Rule | None = None
    every: Count = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.weights))  # that may be asked for once alone
        check_fields(self)


def check(model: nn.Module, players: Mapping[str, Player], usual: Rule, still: Iterable[str] = ()) -> None:
    """Refuse players that share a weight, leave one to nobody, or have an optimizer that cannot move theirs.

    Args:
        model: whose weights they move.
        players: by name.
        usual: the rule of those without one.
        still: the names of weights that are frozen: nobody needs to move them.
    """
    if not (isinstance(players, Mapping) and all(isinstance(one, Player) for one in players.values())):
        raise DiaboloError(f"players must be a dict of Player by name, not {type(players).__name__}")
    every = {id(p): name for name, p in model.named_parameters()}
    names = {id(p): name for name, p in model.named_parameters() if p.requires_grad}
    frozen, taken = set(still), dict[int, str]()
    for player, what in players.items():
        weights = list(what.weights)
        if not weights or any(id(p) not in every for p in weights):
            lacks = "moves weights that are not the model's" if weights else "has no weights"
            raise DiaboloError(f"the player {player!r} {lacks}: keep its network in the objective, as an attribute")
        moved = [p for p in weights if id(p) in names and names[id(p)] not in frozen]
        for p in moved:
            if (other := taken.setdefault(id(p), player)) != player:
                raise DiaboloError(
                    f"the players {other!r} and {player!r} both move {names[id(p)]!r}: a weight belongs to one of them"
                )
        if moved:
            try:
                (what.rule or usual).optimizer.check(moved)
            except DiaboloError as error:
                raise DiaboloError(f"{error} (the player {player!r})" if len(players) > 1 else str(error)) from error
    left = [name for number, name in names.items() if number not in taken and name not in frozen]
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        raise DiaboloError(
            f"no player moves {left[0]!r}{more}: give it to one, or say that it stays with requires_grad_(False)"
        )
