"""Objectives that learn from labels: from labels alone, and M2, in which the class is a second latent, seen for some images
and inferred for the others.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from diabolo.bottlenecks import Variational
from diabolo.conditions import UNKNOWN
from diabolo.errors import DiaboloError
from diabolo.heads import ToClasses
from diabolo.objectives.objective import Model, Objective, weighted
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.schedules import Schedule
from diabolo.updates.loss import Loss


@part
class Supervised(Objective):
    """The head's terms and nothing else, so encoder, bottleneck and head are a plain classifier; the decoder learns nothing.
    What a model with a reconstruction is compared with.

    Example:
        >>> model = diabolo.zoo.classifier(train.shape, 8)
        >>> model.objective.trains_decoder, model.units
        (False, {'classification': 'nats per labelled image', 'misclassified': 'share of labelled images'})
    """

    judges_reconstructions = False
    trains_decoder = False

    def check(self, model: Model) -> None:
        """Refuse a model without a head."""
        if not model.head.units:
            raise DiaboloError("an objective of labels alone needs a model with a head, such as Classifier")

    def forward(self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor) -> Loss:
        """The head's loss of the images `x` (N, *input_shape), which the encoder sees corrupted."""
        seen = model.corruption(x, draws)
        to_encoder, _ = model.condition(model.condition.pick(x, y))
        latent = model.bottleneck(model.encoder(seen, *to_encoder), draws)
        return weighted(model.head.penalties(seen, latent, y), model.head.weights, progress, latent.logged)

    def units(self, model: Model) -> dict[str, str]:
        """The head's."""
        return dict(model.head.units)

    def schedules(self, model: Model) -> dict[str, Schedule]:
        """The head's."""
        return dict(model.head.weights)


@part
class M2(Objective):
    """The bound of M2 (Kingma et al. 2014, arXiv 1406.5298) of p(x, y, z) = p(x|y, z) p(z) p(y), p(y) uniform over K classes:

        labelled     −log p(x, y) ≤ L(x, y) = E_q(z|x,y)[−log p(x|y, z)] + KL(q(z|x, y) ‖ p(z)) − log p(y)
        unlabelled   −log p(x) ≤ Σ_y q(y|x) L(x, y) − H(q(y|x)),  the sum over all K classes, not a sample

    and to their mean comes the head's α · cross entropy of q(y|x). With w for q(y|x) where the label is not known, and for 1 at
    the label where it is, both are the sum of the terms `reconstruction` and `kl`, means by w, and `label`, the divergence of w
    from p(y): Σ_y w (log w − log p(y)) = log K − H(w), all in nats per image.

    Every image goes through encoder and decoder K times, once with each class: a step costs as many times a VAE's.

    Encoder and decoder are given the class, the head is q(y|x) and reads the image alone.

    Example:
        >>> model = diabolo.zoo.m2(train.shape, 4)
        >>> model.objective.marginalises_labels, list(model.units)
        (True, ['reconstruction', 'kl', 'label', 'classification', 'misclassified'])
    """

    marginalises_labels = True
    bound = ("reconstruction", "kl", "label")

    def check(self, model: Model) -> None:
        """Refuse a model without a label as condition, without q(y|x), without densities, or with other penalties than kl."""
        if model.condition.needs_column != "labels" or not isinstance(model.head, ToClasses) or model.head.of_code:
            raise DiaboloError(
                "M2 needs a condition on the label, such as condition='label', and a head that reads the class off the "
                "image, such as ImageClassifier"
            )
        if not isinstance(model.bottleneck, Variational) or set(model.bottleneck.weights) != {"kl"}:
            raise DiaboloError(
                "M2 needs a bottleneck with a posterior and no penalty but kl, such as Gaussian without free_bits or capacity, "
                f"not {type(model.bottleneck).__name__} with {', '.join(model.bottleneck.weights) or 'none'}"
            )
        if not model.likelihood.unit.startswith("nats per image"):
            raise DiaboloError(
                f"M2 needs a likelihood in nats per image, such as bernoulli or gaussian, not "
                f"{type(model.likelihood).__name__} in {model.likelihood.unit}"
            )

    def forward(self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor) -> Loss:
        """The loss of the images `x` (N, *input_shape) with labels `y` (N,), −1 where not known; the encoder and q(y|x) see
        them corrupted."""
        if y is None:
            raise DiaboloError("M2 learns from labels: give them as `y`")
        assert isinstance(model.head, ToClasses)
        seen = model.corruption(x, draws)
        logits: Tensor = model.head(seen, None).float()
        log_q, classes = logits.log_softmax(1), logits.shape[1]
        known = (y != UNKNOWN)[:, None]
        w = torch.where(known, F.one_hot(y.clamp(min=0), classes).float(), log_q.exp())
        # every image with every class, one image after the other
        each = torch.arange(classes, device=x.device).repeat(len(x))
        latent, raw = model(seen.repeat_interleave(classes, 0), draws, each)
        reconstruction = model.score(raw, x.repeat_interleave(classes, 0), w.detach().flatten())
        per_pair = {"reconstruction": reconstruction, **latent.penalties}
        per_image = {name: (w * values.unflatten(0, w.shape)).sum(1) for name, values in per_pair.items()}
        entropy = torch.where(known[:, 0], 0.0, -(w * log_q).sum(1))
        per_image["label"] = math.log(classes) - entropy
        per_image |= model.head.scores(logits, y)
        return weighted(per_image, model.bottleneck.weights | model.head.weights, progress, latent.logged)

    def units(self, model: Model) -> dict[str, str]:
        """The bound's parts, then the head's terms."""
        unit = model.unit
        return {"reconstruction": unit, **model.bottleneck.units, "label": "nats per image", **model.head.units}
