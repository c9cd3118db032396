"""How weights move: one step, written once, for any model, any players and any optimizer.

    players = model.players                         who moves which weights; usually one, "model", all of them
    loss = model.loss(x, draws, progress, y)        total: how good it is; minimised: {player: scalar}
    g = ∂ minimised[player] / ∂ w                   for each player its own gradient, and nothing else
    w ← optimizer(w, g, slots, lr, t)               a formula for each optimizer, torch's kernel inside where there is one
    model.after_update()                            constraints: unit-norm decoders, clipped weights

`Step` does that eagerly; `compiled.CompiledStep` and `graph.DeviceLoop` run the same functions, compiled and from a CUDA graph.
"""

from diabolo.updates.adam import Adam, AdamW
from diabolo.updates.loss import Loss
from diabolo.updates.muon import Muon
from diabolo.updates.optimizer import OPTIMIZERS, Optimizer, as_optimizer
from diabolo.updates.player import Player, Rule
from diabolo.updates.sgd import SGD

__all__ = ["OPTIMIZERS", "SGD", "Adam", "AdamW", "Loss", "Muon", "Optimizer", "Player", "Rule", "as_optimizer"]
