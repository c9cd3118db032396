"""Collapse is watched while training: after each epoch some images go through the model, and what is wrong is said, with the
remedy that exists here as an option.

The bottleneck says what only it knows (`Bottleneck.diagnose`: active units, KL per unit, dead codes, perplexity, …); here is
what concerns every model: codes that explode, reconstructions that ignore the code, outputs that are stuck.
"""

import math
from dataclasses import fields
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from diabolo import zoo
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks.diagnosis import Diagnosis, Finding
from diabolo.codec import evaluating
from diabolo.hardware import wide
from diabolo.plain import percent
from diabolo.randomness import Draws, generator
from diabolo.scaling import UNIT
from diabolo.training.options import TrainOptions

IMAGES = 512  # looked at after each epoch: under 1 % of an epoch of MNIST
EXPLODED = 1e3  # root mean square of the code from which on it is too large
IGNORED = 0.02  # share of the error that the own code must take away from that with another image's code
SETTLED = 200  # steps before which only what is wrong from the start is warned of
STUCK = 1e-3  # how close to 0 or 1 a pixel stays, for every image, to be stuck there
STUCK_SHARE = 0.5  # of the variance of the images, from which on lying in stuck pixels is bad

Health = dict[str, float | list[float]]


def examine(
    model: Autoencoder, x: Tensor, y: Tensor | None = None, steps: int = SETTLED
) -> tuple[Health, dict[str, str]]:
    """What can be measured on the images `x` (N, *input_shape), and what is known of them, `y`; and the warnings,
    one sentence each, by a name that stays the same. `steps` of training are done.

    In evaluation mode, in float32, without gradient, and with noise of its own: training goes on as if nothing had been.
    """
    if len(x) < 2 or not isinstance(model, Autoencoder):  # a prior over codes has none of its own to look at
        return {}, {}
    diagnosis = measure(model, x, y)
    found = _telling([f for f in diagnosis.findings if f.early or steps >= SETTLED])
    known = _options(model.name) if found else None
    return diagnosis.values, {finding.key: _sentence(finding, known) for finding in found}


def measure(model: Autoencoder, x: Tensor, y: Tensor | None = None) -> Diagnosis:
    """All that can be measured on the images `x` (N, *input_shape), N ≥ 2, and what is known of them, `y`, by scaled
    numbers."""
    draws = Draws(generator(0, "health", device=x.device))
    with torch.no_grad(), evaluating(model):
        x = model.scaling(x)
        to_encoder, to_decoder = model.condition(model.condition.pick(x, y))
        features = model.encoder(x, *to_encoder)
        latent = model.bottleneck(features, draws)
        coded = latent.code.numel() > 0  # a model without a code goes by its condition alone
        diagnoses = [model.bottleneck.diagnose(features, latent), _of_codes(latent.code)] if coded else []
        if model.objective.judges_reconstructions:
            own, other = (
                model.likelihood.mean(model.decoder(z, *to_decoder))
                for z in (latent.code, latent.code.roll(len(x) // 2, 0))
            )
            x = torch.where(x.isnan(), own, x) if model.takes_missing else x
            diagnoses += [_of_use(x, own, other)] if coded else []
            diagnoses += [_of_outputs(x, own)] if model.likelihood.support == UNIT else []
    values = {name: value for d in diagnoses for name, value in d.values.items()}
    return Diagnosis(values, tuple(finding for d in diagnoses for finding in d.findings))


def news(history: list[dict[str, Any]], over: bool) -> list[str]:
    """The warnings to say now, after the last epoch of `history`: each once, when it has held for two epochs, or when
    training is over."""
    warned = [line.get("warnings") or {} for line in history]
    now, before = warned[-1], warned[-2] if len(warned) > 1 else {}
    said = {key for earlier, later in pairwise(warned[:-1]) for key in earlier if key in later}
    return [text for key, text in now.items() if key not in said and (over or key in before)]


def _of_codes(code: Tensor) -> Diagnosis:
    """Whether the codes have exploded."""
    size = float(wide(code).square().mean().sqrt())
    if size <= EXPLODED:
        return Diagnosis({"code_rms": _short(size)})
    told = f"the codes have exploded (their root mean square is {size:.3g})"
    values: Health = {"code_rms": _short(size)} if math.isfinite(size) else {}
    remedies = {"lr": "a smaller --lr", "weight_decay": "--weight-decay 1e-4", "clip_norm": "--clip-norm 1"}
    return Diagnosis(values, (Finding("exploding-codes", told, remedies, early=True),))


def _of_use(x: Tensor, own: Tensor, other: Tensor) -> Diagnosis:
    """Whether the reconstructions heed the code: their error with the `own` code against that with the code of an`other`
    image."""
    error, shuffled = (float(wide(x - x_hat).square().mean()) for x_hat in (own, other))
    if not 0 < shuffled < math.inf:
        return Diagnosis()
    use = 1 - error / shuffled
    values: Health = {"code_use": _short(use)}
    if use >= IGNORED:
        return Diagnosis(values)
    told = (
        f"the reconstructions ignore the code (with the codes of other images their squared error is {shuffled:.3g}, with "
        f"their own {error:.3g})"
    )
    remedies = {"beta": "--beta 'linear(0, 1, 0.3)'", "lr": "another --lr", "epochs": "more --epochs"}
    return Diagnosis(values, (Finding("code-ignored", told, remedies),))


def _of_outputs(x: Tensor, x_hat: Tensor) -> Diagnosis:
    """Whether outputs between 0 and 1 are saturated: how much of the variance of the images lies in pixels where every
    reconstruction is stuck at 0, or at 1."""
    variance = wide(x).var(0, correction=0)
    if not float(variance.sum()) > 0:
        return Diagnosis()
    stuck = (x_hat.abs() < STUCK).all(0) | ((x_hat - 1).abs() < STUCK).all(0)  # counts, say, go beyond
    share = float((variance * stuck.to(variance.device)).sum() / variance.sum())
    values: Health = {"stuck_share": _short(share)}
    if share < STUCK_SHARE:
        return Diagnosis(values)
    told = (
        f"the outputs are saturated ({int(stuck.sum())} of {stuck.numel()} pixels are stuck at 0 or 1 for every image, with "
        f"{percent(share)} of the variance of the images)"
    )
    remedies = {"lr": "a smaller --lr", "clip_norm": "--clip-norm 1", "likelihood": "another --likelihood"}
    return Diagnosis(values, (Finding("saturated-outputs", told, remedies, early=True),))


def _telling(findings: list[Finding]) -> list[Finding]:
    """Those that no other explains: a bottleneck that has collapsed, or outputs that are stuck, make every model ignore
    its code."""
    return [f for f in findings if f.key != "code-ignored"] or findings


def _sentence(finding: Finding, known: set[str] | None) -> str:
    remedies = [how for option, how in finding.remedies.items() if known is None or option in known][:2]
    return f"{finding.evidence}; try {' or '.join(remedies)}" if remedies else finding.evidence


def _options(name: str) -> set[str] | None:
    """The options that there are in a training of the recipe of that name; None for a model made by hand."""
    if name not in zoo.RECIPES:
        return None
    return {*zoo.options_of(name), *(field.name for field in fields(TrainOptions))}


def _short(value: float) -> float:
    """Four digits: enough to read, and short in metrics.jsonl."""
    return float(f"{value:.4g}")
