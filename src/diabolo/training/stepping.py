"""The step that the options of a training ask for."""

from typing import Any

from diabolo.hardware import Precision
from diabolo.schedules import Constant, Cosine, OneCycle
from diabolo.training.options import TrainOptions
from diabolo.updates.compiled import CompiledStep
from diabolo.updates.optimizer import as_optimizer
from diabolo.updates.player import Rule
from diabolo.updates.step import Step

LR_SCHEDULES: dict[str, type] = {"constant": Constant, "cosine": Cosine, "one-cycle": OneCycle}


def usual_rule(options: TrainOptions) -> Rule:
    """How players without a rule of their own move their weights."""
    optimizer = as_optimizer(options.optimizer, options.weight_decay)
    return Rule(optimizer, LR_SCHEDULES[options.schedule](options.lr), options.clip_norm)


def step_of(model: Any, options: TrainOptions, precision: Precision, compiled: bool = False) -> Step:
    """The step, one that can be `compiled` where that is wanted. From now on the weights of `model` belong to it."""
    usual = usual_rule(options)
    if compiled:
        return CompiledStep(model, usual, precision, options.ema, options.freeze, batch_size=options.batch_size)
    return Step(model, usual, precision, options.ema, options.freeze)
