"""M2 in plain PyTorch: every image with every class, weighed by q(y|x) where the label is not known."""

import re
from typing import Any

from diabolo import likelihoods
from diabolo.bottlenecks import Gaussian
from diabolo.errors import DiaboloError
from diabolo.unfold.codes import Code
from diabolo.unfold.layers import source
from diabolo.unfold.networks import Network, network


def classifier(head: Any) -> tuple[list[str], list[str]]:
    """Of a class that reads y off the image: lines of its `__init__`, and of its `forward`."""
    found: Network = network(head.encoder, False)
    if found.maps:
        raise DiaboloError("unfold cannot write a classifier with skip connections in plain PyTorch; --no-skips")
    init = [*found.init, f"self.to_class = {source(head.to_class)}"]
    return init, [*found.forward, "return self.to_class(features)"]


def loss(model: Any, code: Code, c: str, seen: str) -> list[str]:
    """Lines that make `reconstruction`, `kl` and `label`, and `logits` on the way.

    Args:
        model: with the objective M2.
        code: its bottleneck as text.
        c: an expression for the condition, of the labels `y`.
        seen: what the encoder sees of the images `x`.
    """
    if type(model.bottleneck.core) is not Gaussian or type(model.likelihood) is not likelihoods.Bernoulli:
        raise DiaboloError("unfold cannot write M2 in plain PyTorch but for a Gaussian code and a Bernoulli likelihood")
    of_each = re.sub(r"\by\b", "each", c)
    of_units = [line for line in code.terms["kl"] if line.startswith("kl_of_units")]
    return [
        f"logits = model.classifier({seen})",
        "log_q, classes = logits.log_softmax(1), logits.shape[1]  # log q(y | x)",
        "known = y >= 0  # -1: the label is not known",
        "# how much each class counts: all at the label, or q(y | x)",
        "label_of = F.one_hot(y.clamp(min=0), classes).float()",
        "w = torch.where(known[:, None], label_of, log_q.exp())",
        "# each image with each class",
        "each = torch.arange(classes, device=x.device).repeat(len(x))",
        f"c = {of_each}",
        f"raw, mu, logvar = model({seen}.repeat_interleave(classes, 0), c)",
        "target = x.repeat_interleave(classes, 0)",
        'nats = F.binary_cross_entropy_with_logits(raw, target, reduction="none")',
        "reconstruction = (w * nats.flatten(1).sum(1).view_as(w)).sum(1).mean()",
        *of_units,
        "kl = (w * kl_of_units.sum(1).view_as(w)).sum(1).mean()",
        "# KL(w || p(y)), p(y) uniform: log K - H(w)",
        "entropy = torch.where(known, 0.0, -(w * log_q).sum(1))",
        "label = (math.log(classes) - entropy).mean()",
    ]
