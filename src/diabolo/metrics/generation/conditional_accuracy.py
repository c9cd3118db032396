"""Whether a model draws what it is asked for: a classifier trained on real images reads its samples."""

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.autoencoder import Autoencoder
from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Extractor, extract


def read(classifier: Extractor, images: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The class (N,) that the classifier reads each of `images` (N, C, H, W) as, and its probability (N,).

    Raises:
        DiaboloError: for an extractor that knows no classes.
    """
    logits = extract(classifier, images).logits
    if logits is None:
        raise DiaboloError(f"the extractor {classifier.name!r} knows no classes")
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return logits.argmax(1), (shares / shares.sum(1, keepdims=True)).max(1)


def asked_for(
    model: Autoencoder, classifier: Extractor, per_class: int = 1000, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`per_class` samples of each class that a conditional model can be asked for: which it was (N,), and which the classifier
    reads (N,). The codes are the same for every class, so that nothing but the condition differs between them.

    Raises:
        DiaboloError: for a model that is not conditioned on a class.
    """
    every = model.condition.every(model.device)
    if every is None:
        raise DiaboloError(f"{model.name} cannot be asked for a class")
    found = [read(classifier, model.sample(per_class, seed, y.expand(per_class)).cpu().numpy())[0] for y in every]
    return torch.arange(len(every)).repeat_interleave(per_class).numpy(), np.concatenate(found)
