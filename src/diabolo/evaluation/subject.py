"""What is being measured: a codec and its images, and what several measures need of them, computed once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from diabolo import vocabulary
from diabolo.codec import Codec
from diabolo.data.columns import column
from diabolo.data.gather import stacked
from diabolo.data.images import Images
from diabolo.data.portable_random import permutation
from diabolo.evaluation.baselines import View, views
from diabolo.evaluation.posterior import gaussian_posterior, indices, sampled_codes
from diabolo.latents.codes import encode, pieces
from diabolo.pictured import as_pictures, pictures_of
from diabolo.runs.loading import Run
from diabolo.scaling import UNIT
from diabolo.statistics import blocks, shared
from diabolo.vocabulary import Words

Part = Literal["train", "test"]


@dataclass
class Subject:
    """A codec with the images that it was trained on and is tested with.

    Attributes:
        codec: an `Autoencoder`, `PCA`, or anything with their face.
        train: images to fit probes, densities and classifiers on: those the codec was trained on.
        test: images to measure on; those of which no number is known are left out.
        seed: of all that is drawn.
        run: the training it comes from, where that is known.

    Example:
        >>> subject = diabolo.evaluation.Subject(model, train, test)
        >>> subject.codes("test").shape
        (100, 4)
    """

    codec: Codec
    train: Images
    test: Images
    seed: int = 0
    run: Run | None = None
    _codes: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        unknown = self.test.holes == self.test.images[0].size
        if unknown.any():
            self.test = self.test.take(~unknown)

    @property
    def words(self) -> Words:
        """What says a text in the words of its data (`diabolo.vocabulary`)."""
        return vocabulary.of(self.test.shape, self.codec.name, self.test.name, *(self.test.label_names or ()))

    @property
    def complete(self) -> bool:
        """Whether all numbers of the training and test images are known."""
        return not (self.train.holes.any() or self.test.holes.any())

    def part(self, part: Part) -> Images:
        """The training or the test images."""
        return self.train if part == "train" else self.test

    def codes(self, part: Part) -> NDArray[np.float32]:
        """The deterministic codes (N, D) of all images of that part, flat."""
        if part not in self._codes:
            self._codes[part] = encode(self.codec, self.part(part))
        return self._codes[part]

    @cached_property
    def views(self) -> dict[str, View]:
        """All images as codes, as draws of their posterior where there is one, as pixels, and as principal components, by name:
        for probes and their floors."""
        codes = self.codes("train"), self.codes("test")
        return views(codes, self.train, self.test, self.seed, self.sampled_codes)

    @cached_property
    def posterior(self) -> tuple[Tensor, Tensor] | None:
        """μ and log σ² (N, D) of all test images, float64; None for a codec without a Gaussian posterior."""
        return gaussian_posterior(self.codec, self.test, self.seed)

    @cached_property
    def sampled_codes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """One draw of the posterior for each training and each test image, flat; None without one."""
        return sampled_codes(self.codec, self.train, self.test, self.seed)

    @cached_property
    def indices(self) -> Tensor | None:
        """The discrete code (N, h, w) at each place of all test images; None for a codec without any."""
        return indices(self.codec, self.test, self.seed)

    @cached_property
    def reconstructions(self) -> NDArray[np.float32]:
        """x_hat (N, *input_shape) of all test images; a memory map where they are many. What needs each once takes them from
        `reconstructed`, which does not hold them."""
        return stacked((self.reconstruct(few) for few in pieces(self.test)), len(self.test), "reconstructions")

    def reconstruct(self, images: Images) -> NDArray[np.float32]:
        """x_hat (n, *input_shape) of `images`."""
        y = column(images, self.codec.needs_column)
        x_hat: NDArray[np.float32] = self.codec.reconstruct(images.tensor, y).cpu().numpy()
        return x_hat

    def reconstructed(self) -> Iterator[tuple[Images, NDArray[np.float32]]]:
        """All test images, some at a time, with their x_hat (n, *input_shape)."""
        held, start = self.__dict__.get("reconstructions"), 0
        for few in pieces(self.test):
            yield few, self.reconstruct(few) if held is None else held[start : start + len(few)]
            start += len(few)

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """Mean squared error per pixel of each test image (N,), over those that are known, so that two codecs can be compared
        image by image."""
        mean = np.mean if not self.test.holes.any() else np.nanmean
        squares = (np.square(x_hat - few.pixels) for few, x_hat in self.reconstructed())
        return np.concatenate([mean(square, tuple(range(1, square.ndim)), dtype=np.float64) for square in squares])

    @cached_property
    def pictured(self) -> "Subject":
        """The same with pictures in [0, 1] in place of numbers in other units: for what is measured on pictures and drawn."""
        scaling = self.codec.scaling
        if scaling.reach == UNIT or len(self.codec.input_shape) != 3:
            return self
        train, test = (pictures_of(images, scaling) for images in (self.train, self.test))
        return Subject(as_pictures(self.codec), train, test, self.seed, self.run, self._codes)

    def shared(self, each: ArrayLike, chosen: ArrayLike | None = None) -> dict[str, Any] | None:
        """What a mean over test images owes to each of them, for `Score.shared`: two models that are measured on the same
        images are then compared image by image. None for a single image, or where it is not known which images they are.

        Args:
            each: the values (n,) that are averaged.
            chosen: of which test images, a mask (N,) or their numbers (n,); of all when left out.
        """
        values, total = np.asarray(each, np.float64), len(self.test)
        if len(values) < 2 or (chosen is None and len(values) != total):
            return None
        added = np.zeros(total)
        added[slice(None) if chosen is None else np.asarray(chosen)] = (values - values.mean()) / len(values)
        block = np.empty(total, np.int64)
        block[permutation(total, 0)] = blocks(total)  # in random order: images may be sorted by class
        return shared(self.test.fingerprint, added, block).record()
