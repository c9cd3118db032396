"""The run that the doctor looks at: what it left on disk, and some of its images."""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks.diagnosis import Diagnosis, Finding
from diabolo.data.images import Images
from diabolo.data.side import side
from diabolo.evaluation.subject import Subject, pixels
from diabolo.training import health
from diabolo.training.runs import Run

LOOKED_AT = 1000  # images of each part that the model is tried on


class Patient:
    """A run and its images.

    Attributes:
        run: the run.
        train, test: all of its images.
        few: up to 1,000 of each, with their codes and reconstructions.
    """

    def __init__(self, run: Run, train: Images, test: Images) -> None:
        self.run, self.train, self.test = run, train, test
        some_train, some_test = (part.subset(min(LOOKED_AT, len(part)), 0) for part in (train, test))
        self.few = Subject(run.model, some_train, some_test, seed=0, run=run)

    @property
    def model(self) -> Any:
        """The trained model."""
        return self.run.model

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What is watched while training, measured again on test images."""
        if not isinstance(self.model, Autoencoder) or len(self.few.test) < 2:
            return Diagnosis()
        known = side(self.few.test, self.model.reads, self.model.device)
        return health.measure(self.model, self.x("test"), known)

    def finding(self, key: str) -> Finding | None:
        """The finding of that name, if it was made."""
        return next((found for found in self.diagnosis.findings if found.key == key), None)

    @property
    def losses(self) -> list[dict[str, dict[str, float]]]:
        """By epoch: {"train": terms, "validation": terms}."""
        return [{part: line[part] for part in ("train", "validation") if line[part]} for line in self.run.history]

    def curve(self, part: str = "train", term: str = "total") -> NDArray[np.float64]:
        """A term of the loss by epoch; empty where it was not written down."""
        return np.array([line[part][term] for line in self.losses if term in line.get(part, {})], np.float64)

    @property
    def judged(self) -> bool:
        """Whether the model was trained to reconstruct."""
        return not isinstance(self.model, Autoencoder) or self.model.objective.judges_reconstructions

    @property
    def kl_weight(self) -> float | None:
        """β at the end of training; None for a model without a KL term."""
        weights = getattr(self.model, "bottleneck", None) and self.model.bottleneck.weights
        return float(weights["kl"](1.0)) if weights and "kl" in weights else None

    def x(self, part: str) -> Tensor:
        """The pixels (n, *shape) in [0, 1] of the images that the model is tried on."""
        return torch.from_numpy(pixels(self.few.train if part == "train" else self.few.test))

    @cached_property
    def unexplained(self) -> float:
        """Squared error of the reconstructions of the test images over their variance around the mean image."""
        x = self.x("test").double().numpy()
        variance = float(((x - x.mean(0)) ** 2).mean())
        return float(((self.few.reconstructions - x) ** 2).mean()) / max(variance, 1e-12)

    def option(self, name: str) -> Any:
        """What the training, or the recipe, was asked for; None where that is not known."""
        return {**self.run.config["options"], **(self.run.config.get("recipe") or {})}.get(name)
