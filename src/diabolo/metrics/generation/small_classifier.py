"""The extractor `classifier`: a small network that is trained once on the training images' labels or attributes, and kept.

~/.cache/diabolo/classifiers/KEY/0001-classifier/    a run folder; KEY covers the images and everything that decides the weights
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diabolo import bottlenecks, distributed, heads, objectives
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Bottleneck
from diabolo.data.images import Images
from diabolo.data.roots import default_cache
from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Features, digest
from diabolo.nets.conv import SMALLEST
from diabolo.plain import count
from diabolo.randomness import derive
from diabolo.runs import loading
from diabolo.training.fit import fit
from diabolo.zoo.recipe import PartOptions, assemble

FEATURES = 64  # fewer for images of fewer than 128 numbers
VERSION = 2  # raise it when the same images would give other weights
MOST_CHANNELS = 128
WORK = 9e7  # pixels (of any number of channels) seen in training: what one core does in half a minute
EPOCHS = 20  # at most


@dataclass
class Classifier:
    """An extractor whose features are the numbers before the last layer of a trained classifier.

    Attributes:
        model: the classifier.
        path: its run folder.
        name, setting, piece: see `Extractor`.
    """

    model: Autoencoder
    path: Path
    setting: Mapping[str, Any]
    name: str = "classifier"
    piece: int = field(default=1000, repr=False)

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Images → features (n, ≤ 64), and logits (n, classes) where it was trained on classes."""
        return self.model.encode(x), self.model.predict(x) if self.model.head.needs_column == "labels" else None

    def accuracy(self, features: Features, images: Images) -> float | None:
        """The share of `images` with a known label, or of their attributes, that it is right about; None where none
        is known."""
        if self.model.head.needs_column == "labels":
            if features.logits is None or images.labels is None or not (images.labels >= 0).any():
                return None
            known = images.labels >= 0
            return float((features.logits.argmax(1) == images.labels)[known].mean())
        if images.attributes is None:
            return None
        head = self.model.head
        assert isinstance(head, heads.AttributeClassifier)
        with torch.no_grad():
            logits = (
                head.to_logits(torch.from_numpy(features.values).to(self.model.device, torch.float32)).cpu().numpy()
            )
        return float(((logits > 0) == images.attributes).mean())


@distributed.alone()
def classifier(train: Images, seed: int = 0) -> Classifier:
    """The classifier of those images: found in the cache, or trained there in about half a minute.

    It learns the labels; the attributes, where there are no labels.

    Args:
        train: the training images, never those that are measured on.
        seed: of weights and order.

    Raises:
        DiaboloError: when they have neither, or all images are of one class.
    """
    model_of, learns = _plan(train)
    epochs, images = _budget(train)
    settings: dict[str, Any] = {
        "batch_size": min(128, len(images)),
        "lr": 3e-3,
        "schedule": "one-cycle",
        "precision": "float32",
        "seed": seed,
    }
    features = features_of(train.shape)
    key = json.dumps([VERSION, learns, features, epochs, len(images), settings, train.fingerprint], sort_keys=True)
    folder = default_cache() / "classifiers" / hashlib.sha256(key.encode()).hexdigest()[:16]
    finished = sorted(folder.glob("[0-9]*/model.safetensors"))
    if finished:
        path = finished[0].parent
        model = loading.load(path, device="auto")
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "weights"))
            made = model_of(images.shape)
            threads = torch.get_num_threads()
            run = fit(
                made, images, epochs=epochs, threads=threads, out=folder, name="classifier", quiet=True, **settings
            )
        model, path = run.model, run.path
    about = f"{learns} of {len(images):,} images of {train.name} ({train.split}), {count(epochs, 'epoch')}"
    setting = {"trained_on": about, "features": features, "weights_sha256": digest(model)}
    return Classifier(model, path, setting)


def _plan(train: Images) -> tuple[Any, str]:
    """What makes the model, by the shape of an image; and what it learns."""
    if train.labels is not None and (train.labels >= 0).any():
        found = np.unique(train.labels[train.labels >= 0])
        if len(found) < 2:
            raise DiaboloError(
                f"the extractor 'classifier' needs two classes, and {train.name} ({train.split}) shows one"
            )
        classes = int(found.max()) + 1
        return lambda shape: _model(
            shape, lambda bottleneck: heads.Classifier(bottleneck.latent_shape, classes)
        ), "the labels"
    if train.attributes is not None:
        columns = train.attributes.shape[1]
        return (
            lambda shape: _model(shape, lambda bottleneck: heads.AttributeClassifier(bottleneck.latent_shape, columns)),
            f"the {columns} attributes",
        )
    raise DiaboloError(
        f"the extractor 'classifier' is trained on labels or attributes, and {train.name} ({train.split}) has neither: use "
        f"'inception', or a network of your own as package.module:name"
    )


def _model(shape: tuple[int, ...], head: Any) -> Autoencoder:
    """As the recipe `classifier` of the zoo: an encoder and a head; the decoder is not trained."""

    features = features_of(shape)

    def bottleneck(encoder: Any) -> Bottleneck:
        return bottlenecks.Identity(encoder.features, features)

    options: PartOptions = {"net": "mlp", "hidden": (256, 128), "activation": "relu"}
    if len(shape) == 3 and min(shape[1:]) >= SMALLEST:
        depth = max(1, round(math.log2(min(shape[1:]) / 4)))
        options = {"net": "conv", "channels": tuple(min(16 * 2**i, MOST_CHANNELS) for i in range(depth))}
    model = assemble(shape, features, bottleneck, options, head=head, objective=objectives.Supervised())
    model.name = "classifier"
    return model


def features_of(shape: tuple[int, ...]) -> int:
    """How many features of images of this shape it gives."""
    return max(1, min(FEATURES, math.prod(shape) // 2))


def _budget(train: Images) -> tuple[int, Images]:
    """Epochs, and the images to train on: fewer where one epoch of all would take too long."""
    each = math.prod(train.shape[1:] or train.shape)
    epochs = min(EPOCHS, max(1, round(WORK / (len(train) * each))))
    most = max(1000, int(WORK / each))
    return epochs, train.at_most(most, 0)
