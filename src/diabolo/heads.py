"""What else is read off the model besides a reconstruction: a class, say."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diabolo import distributed
from diabolo.bottlenecks import Latent
from diabolo.conditions import UNKNOWN, check_labels
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.ranges import Count, Plural
from diabolo.schedules import Constant, Schedule, as_weight


class Head(nn.Module):
    """Something else that is learnt beside the reconstruction.

    Attributes:
        needs_column: which column of `Images` it needs: "labels", "attributes" or "factors"; None for nothing.
        of_code: whether it reads the code; one that reads the images alone needs no latent.
        weights: the weight of each of its penalties, as a schedule over training.
        units: what each penalty is measured in.
    """

    needs_column: str | None = None
    of_code = True

    def __init__(self) -> None:
        super().__init__()
        self.weights: dict[str, Schedule] = {}
        self.units: dict[str, str] = {}

    def check(self, y: Tensor) -> None:  # most of it fits all
        """Refuse, in one sentence and before training, what is known of the images, `y` (N, …), where it cannot be learnt."""

    @abstractmethod
    def penalties(self, x: Tensor, latent: Latent | None, y: Tensor | None) -> dict[str, Tensor]:
        """What it adds to the loss, one number per image (N,); `x` is what the encoder sees, `y` what is known of it."""

    @abstractmethod
    def forward(self, x: Tensor, latent: Latent | None) -> Tensor:
        """Its raw answer for each image (N, …)."""


@part
class Headless(Head):
    """Nothing besides the reconstruction.

    Example:
        >>> from diabolo.heads import Headless
        >>> Headless().units
        {}
    """

    def penalties(self, x: Tensor, latent: Latent | None, y: Tensor | None) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def forward(self, x: Tensor, latent: Latent | None) -> Tensor:
        """
        Raises:
            DiaboloError: always: there is nothing to ask.
        """
        raise DiaboloError("this model has no head: make it with one, as zoo.joint does")


def of_the_labelled(values: Tensor, known: Tensor) -> Tensor:
    """`values` (N,) where `known` (N,), else 0, so scaled that their mean over the batch is the mean over the known ones; 0
    where there are none. The batch is that of all processes."""
    share = distributed.mean_of_rows(known.float())
    return torch.where(known, values.float(), 0) / share.clamp(min=torch.finfo(torch.float32).tiny)


class ToClasses(Head):
    """A head whose answer is the logits of a class, log p(class) + constant: (N, classes).

    Its terms, over the images whose label is known: `classification`, the cross entropy −log p(y), weighted by `alpha`; and
    `misclassified`, the share of them for which another class is likelier, which is only written down.
    """

    needs_column = "labels"

    def __init__(self, classes: Plural, alpha: float | str | Schedule) -> None:
        super().__init__()
        self.classes = classes
        self.weights = {"classification": as_weight(alpha, "alpha"), "misclassified": Constant(0.0)}
        self.units = {"classification": "nats per labelled image", "misclassified": "share of labelled images"}

    def check(self, y: Tensor) -> None:
        """Refuse labels none of which is known, or that are none of the classes."""
        known = y[y != UNKNOWN]
        if not len(known):
            raise DiaboloError("no label is known (all are -1), and a classifier needs some")
        check_labels(known, self.classes)

    def penalties(self, x: Tensor, latent: Latent | None, y: Tensor | None) -> dict[str, Tensor]:
        """Cross entropy and error, (N,) each, of the images whose label in `y` (N,) is known."""
        if y is None:
            raise DiaboloError("a classifier learns from labels: give them as `y`")
        return self.scores(self(x, latent), y)

    def scores(self, logits: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Those terms of logits (N, classes) that are there already."""
        known, target = y != UNKNOWN, y.clamp(min=0)
        missed = F.cross_entropy(logits.float(), target, reduction="none")
        return {
            "classification": of_the_labelled(missed, known),
            "misclassified": of_the_labelled((logits.detach().argmax(1) != target).float(), known),
        }


@part
class Classifier(ToClasses):
    """The class, read off the deterministic code: reconstruction + α · cross entropy learns from labelled and unlabelled images
    at once (Ranzato & Szummer 2008, ICML).

    Args:
        latent_shape: the shape of one code.
        classes: how many.
        alpha: α, the weight of the cross entropy: a number or a schedule.
        widths: of hidden layers between code and class, with ReLU; none makes it linear.

    Example:
        >>> from diabolo.heads import Classifier
        >>> Classifier((16,), classes=10, alpha=0.2).units
        {'classification': 'nats per labelled image', 'misclassified': 'share of labelled images'}
    """

    def __init__(
        self,
        latent_shape: Sequence[int],
        classes: Plural = 10,
        alpha: float | str | Schedule = 1.0,
        widths: Sequence[Count] = (),
    ) -> None:
        super().__init__(classes, alpha)
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise((math.prod(latent_shape), *widths, classes)):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor, latent: Latent | None) -> Tensor:
        """Logits (N, classes) of the code of `latent`."""
        assert latent is not None
        logits: Tensor = self.layers(latent.code.flatten(1))
        return logits


@part
class ImageClassifier(ToClasses):
    """The class, read off the image by an encoder of its own: the q(y|x) of M2 (Kingma et al. 2014, arXiv 1406.5298).

    Args:
        encoder: x (N, *input_shape) → features (N, features).
        classes: how many.
        alpha: α, the weight of the cross entropy: a number or a schedule.

    Example:
        >>> from diabolo.heads import ImageClassifier
        >>> encoder, _ = diabolo.nets.build("mlp", (1, 8, 8), 4, hidden=(32,))
        >>> ImageClassifier(encoder, classes=10).units
        {'classification': 'nats per labelled image', 'misclassified': 'share of labelled images'}
    """

    of_code = False

    def __init__(self, encoder: nn.Module, classes: Plural = 10, alpha: float | str | Schedule = 1.0) -> None:
        super().__init__(classes, alpha)
        self.encoder = encoder
        self.to_class = nn.Linear(int(encoder.features), classes)  # type: ignore[arg-type]  # encoders carry it

    def forward(self, x: Tensor, latent: Latent | None = None) -> Tensor:
        """Logits (N, classes) of log q(y|x)."""
        features = self.encoder(x)[:, : self.to_class.in_features]  # skip connections come after them, and are not read
        logits: Tensor = self.to_class(features)
        return logits


@part
class AttributeClassifier(Head):
    """Yes or no for each of several attributes, read off the code by one linear map.

    Args:
        latent_shape: the shape of one code.
        columns: how many attributes.

    Example:
        >>> from diabolo.heads import AttributeClassifier
        >>> head = AttributeClassifier((16,), columns=40)
        >>> head.units
        {'classification': 'nats per attribute', 'misclassified': 'share of attributes'}
    """

    needs_column = "attributes"

    def __init__(self, latent_shape: tuple[int, ...], columns: int) -> None:
        super().__init__()
        self.to_logits = nn.Linear(math.prod(latent_shape), columns)
        self.weights = {"classification": Constant(1.0), "misclassified": Constant(0.0)}
        self.units = {"classification": "nats per attribute", "misclassified": "share of attributes"}

    def penalties(self, x: Tensor, latent: Latent | None, y: Tensor | None) -> dict[str, Tensor]:
        """Cross entropy and error, means over attributes, (N,) each; `y` (N, columns) holds 0 and 1."""
        assert y is not None
        logits = self(x, latent).float()
        missed = F.binary_cross_entropy_with_logits(logits, y, reduction="none").mean(1)
        return {"classification": missed, "misclassified": ((logits.detach() > 0) != (y > 0)).float().mean(1)}

    def forward(self, x: Tensor, latent: Latent | None) -> Tensor:
        """Logits (N, columns) of the code of `latent`."""
        assert latent is not None
        logits: Tensor = self.to_logits(latent.code.flatten(1))
        return logits
