"""The run that the doctor looks at: what it left on disk, and some of its images."""

import math
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.bottlenecks.diagnosis import Diagnosis, Finding
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.disk import has_failed
from diabolo.errors import DiaboloError
from diabolo.evaluation.measuring import Pair, images_of
from diabolo.evaluation.subject import Part, Subject
from diabolo.paths import as_path
from diabolo.runs import checkpoint, loading
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import Run
from diabolo.schedules import Constant
from diabolo.training import health
from diabolo.training.options import TrainOptions
from diabolo.updates.trainable import can_be_trained

LOOKED_AT = 1000  # images of each part that the model is tried on: an error of 3 % in a share, and seconds on MNIST


class UnseenError(DiaboloError):
    """What a symptom is read off is not at hand; the message says why.

    Example:
        >>> issubclass(diabolo.doctor.UnseenError, diabolo.DiaboloError)
        True
    """


class Patient:
    """A run and its images.

    A symptom asks for what it needs; where that is not at hand (`UnseenError`), it is not looked for.

    Attributes:
        run: the run.
        trained: whether it has weights; without, its model has the right parts but says nothing.
        images: (training, test) images, or why there are none.

    Example:
        >>> patient = diabolo.doctor.Patient(run, (train, test))
        >>> patient.option("batch_size")
        50
    """

    def __init__(self, run: Run, images: Pair | str, trained: bool = True) -> None:
        self.run, self.images, self.trained = run, images, trained

    @classmethod
    def admit(cls, run: Run | str | Path, data: Pair | None = None) -> "Patient":
        """The patient of a run or its folder, finished or not, on `data`, or else on the images of its training where those are
        to be had.

        Raises:
            DiaboloError: when it is no run folder, or `data` are not for its model.
        """
        trained = True
        if not isinstance(run, Run):
            path = as_path(run)
            config = Config.read(path)
            trained = (path / "model.safetensors").exists()
            run = loading.load_run(path) if trained else _untrained(path, config)
        try:
            pair = images_of(run, data)
        except DiaboloError as error:
            if data is not None or has_failed(error):
                raise
            return cls(run, f"its images cannot be had: {error}", trained)
        for images in pair:
            if images.shape != tuple(run.model.input_shape):
                raise DiaboloError(
                    f"the model is for images {tuple(run.model.input_shape)}, and {images.name} ({images.split}) has "
                    f"{images.shape}"
                )
        return cls(run, pair, trained)

    # --- the model ----------------------------------------------------------------------------------------------------

    @property
    def model(self) -> Any:
        """The model; see `trained`."""
        return self.run.model

    @property
    def bottleneck(self) -> Any:
        """The bottleneck, that inside the skips if there are any."""
        return self.model.bottleneck.core

    @property
    def by_steps(self) -> bool:
        """Whether the model was trained step by step, and not solved at once."""
        return can_be_trained(self.model)

    @property
    def judged(self) -> bool:
        """Whether the model was trained to reconstruct."""
        return bool(self.model.reconstructs)

    @property
    def decodes(self) -> bool:
        """Whether the model has a decoder that was trained."""
        return bool(self.model.decodes)

    @property
    def beta(self) -> float | None:
        """β at the end of training; None for a model without a KL term, or one that draws the KL term to a capacity."""
        weights = self.bottleneck.weights
        if "kl" not in weights or "capacity" in weights:
            return None
        return float(weights.get("free_bits", weights["kl"])(1.0))

    @property
    def steady(self) -> bool:
        """Whether no weight of the loss changes over training, so that its terms can be compared over epochs."""
        weights = self.bottleneck.weights
        return all(isinstance(weight, Constant) for weight in weights.values())

    def option(self, name: str, otherwise: Any = None) -> Any:
        """What the training, or the recipe, was asked for; `otherwise` where it was not asked."""
        return {**self.asked, **(self.run.config.recipe or {})}.get(name, otherwise)

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The options of the training, each of its kind.

        Raises:
            DiaboloError: when config.json holds others.
        """
        known = TrainOptions().as_dict()
        try:
            return TrainOptions.of(**{n: v for n, v in self.run.config.options.items() if n in known}).as_dict()
        except DiaboloError as error:
            raise DiaboloError(f"{self.run.path / 'config.json'} was edited or damaged: {error}") from error

    @property
    def lr(self) -> float:
        """The learning rate."""
        return float(self.asked["lr"])

    # --- its training -------------------------------------------------------------------------------------------------

    @property
    def broke_off(self) -> bool:
        """Whether its training ended in NaN or infinity."""
        return not self.trained and checkpoint.BROKEN_OFF in self.run.status

    def curve(self, part: str = "train", term: str = "total", alike: bool = False) -> NDArray[np.float64]:
        """A term of the loss by epoch; empty where it was not written down. Of those epochs alone that had the last one's
        weights of the loss, when they are to be `alike`."""
        lines = [line.get(part) or {} for line in (self.alike if alike else self.run.history)]
        return np.array([line[term] for line in lines if term in line], np.float64)

    @property
    def alike(self) -> list[dict[str, Any]]:
        """The lines of its history whose weights of the loss are those of the last, so that losses can be compared."""
        last = self.run.history[-1].get("weights") if self.run.history else None
        return [line for line in self.run.history if line.get("weights", last) == last]

    # --- on its images ------------------------------------------------------------------------------------------------

    def all(self, part: Part) -> Images:
        """All training or test images."""
        if isinstance(self.images, str):
            raise UnseenError(self.images)
        return self.images[0 if part == "train" else 1]

    @cached_property
    def few(self) -> Subject:
        """Up to 1,000 of each, with their codes and reconstructions."""
        train, test = (self.all(part) for part in ("train", "test"))
        if not self.trained:
            left = "its training broke off" if self.broke_off else f"its training {self.run.status}"
            raise UnseenError(f"{left}, and has left no weights; {checkpoint.way_on(self.run.path)}")
        if not all(p.isfinite().all() for p in self.model.state_dict().values()):
            raise UnseenError("its weights hold NaN or infinity")
        some = [part.at_most(LOOKED_AT, 0) for part in map(self._told, (train, test))]
        return Subject(self.model, some[0], some[1], seed=0, run=self.run)

    def _told(self, images: Images) -> Images:
        """Those of which is known what the condition is given: a class of -1 is none."""
        if self.model.condition.needs_column != "labels" or images.labels is None or (images.labels >= 0).all():
            return images
        if not (images.labels >= 0).any():
            raise UnseenError(f"no label of {images.name} ({images.split}) is known, and the model is given the class")
        return images.take(images.labels >= 0)

    def x(self, part: Part) -> Tensor:
        """The pixels (n, *shape) in [0, 1] of the few."""
        return torch.from_numpy(self.few.part(part).pixels)

    def whole(self, part: Part) -> Tensor:
        """The pixels of the few, none of which is missing.

        Raises:
            UnseenError: where some may be.
        """
        images = self.few.part(part)
        if images.missing:
            raise UnseenError(f"numbers of {images.name} ({images.split}) are missing, and it compares whole images")
        return self.x(part)

    def known(self, part: Part) -> Tensor | None:
        """What the model reads of the few besides their pixels."""
        return column(self.few.part(part), self.model.needs_column)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What is watched while training, measured again on test images."""
        x, known = self.x("test"), self.known("test")
        if not self.by_steps or len(x) < 2:
            return Diagnosis()
        device = self.model.device
        return health.measure(self.model, x.to(device), None if known is None else known.to(device))

    def finding(self, key: str) -> Finding | None:
        """The finding of that name, if it was made."""
        return next((found for found in self.diagnosis.findings if found.key == key), None)

    def codes(self, part: Part) -> NDArray[np.float64]:
        """The deterministic codes (n, D) of the few, without what skips lead around them."""
        codes = self.few.codes(part).astype(np.float64)[:, : self.width]
        if not np.isfinite(codes).all():
            raise UnseenError("its codes hold NaN or infinity")
        return codes

    @property
    def width(self) -> int:
        """The numbers of a code, without what skips lead around them."""
        return math.prod(self.model.latent_shape if self.bottleneck is None else self.bottleneck.latent_shape)

    @cached_property
    def unexplained(self) -> float:
        """Squared error of the reconstructions of test images over their variance around their mean, by what is known."""
        return self._over_variance(self.x("test"), self.few.reconstructions)

    @cached_property
    def unexplained_train(self) -> float:
        """The same of training images."""
        x = self.x("train")
        return self._over_variance(x, self.model.reconstruct(x, self.known("train")).cpu().numpy())

    @staticmethod
    def _over_variance(x: Tensor, x_hat: NDArray[np.float32]) -> float:
        pixel = x.double().numpy()
        known = ~np.isnan(pixel)
        mean = np.where(known, pixel, 0).sum(0) / known.sum(0).clip(1)
        variance = float(((pixel - mean) ** 2).mean(where=known))
        return float(((x_hat - pixel) ** 2).mean(where=known)) / max(variance, 1e-12)


def _untrained(path: Path, config: Config) -> Run:
    """A run that has left no weights: it goes on, was killed, or broke off."""
    return Run(
        loading.build_model(path, config), path, RunFolder(path).history, config, f"is {checkpoint.status(path)}"
    )
