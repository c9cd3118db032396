"""What a decoded image is like: training images, test codes, its own reconstruction."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from diabolo import latents
from diabolo.errors import DiaboloError
from diabolo.explorer.explored import Explored, Floats, Pixels

NEAREST = 4  # training images
COMPARED = 200  # test images whose distance to the training images is found


@dataclass(frozen=True)
class Likeness:
    """What a decoded image is like.

    Attributes:
        index, distance: the training images nearest to it, (k,), and how far they are, root mean square over pixels.
        as_near: the share of test images that are as near, or nearer, to theirs.
        prior, fitted: the share of test codes that are less probable, under the prior N(0, I) of the training and under a
            Gaussian fitted to the training codes; None where there is none.
        error: its mean squared error when it is encoded and decoded again; None for a model that was not trained to
            reconstruct, or is given a class that is not known.
        larger: the share of test images whose error is larger.
    """

    index: NDArray[np.int64]
    distance: Floats
    as_near: float
    prior: float | None
    fitted: float | None
    error: float | None
    larger: float | None


class Judge:
    """Says of decoded images what they are like; what it needs for that is worked out once.

    Args:
        run: with training and test images.

    Example:
        >>> run = diabolo.explorer.explored.Explored("mine", model, train, test)
        >>> judge = diabolo.explorer.likeness.Judge(run)
        >>> judge(run.middle, run.decoded(run.middle[None])[0]).index.shape
        (4,)
    """

    def __init__(self, run: Explored) -> None:
        if run.train is None or run.test is None:
            raise DiaboloError(run.lacks)
        self.run, self.train, self.test = run, run.train, run.test

    def __call__(self, code: Floats, image: Pixels, label: int = -1, like: int | None = None) -> Likeness:
        """Of the `image` (*shape) of `code` (D,); `label` and `like` say what the model is given, see `Explored.told`."""
        run = self.run
        index, distance = latents.nearest(image[None], self.train.images, min(NEAREST, len(self.train)))
        less = {}
        for name, (density, others) in self._densities.items():
            less[name] = float(np.searchsorted(others, density.log_prob(code[None])[0]) / len(others))
        error = larger = None
        if run.codec.reconstructs and (run.codec.condition.needs_column is None or label >= 0 or like is not None):
            x_hat = run.decoded(run.code_of_picture(image, label, like)[None], label, like)[0]
            error = float(np.square(x_hat.astype(np.float64) - image).mean())
            larger = float((run.errors > error).mean())
        as_near = float((self._usual <= distance[0, 0]).mean())
        near = distance[0] / math.sqrt(image.size)
        return Likeness(index[0], near, as_near, less.get("normal"), less.get("gaussian"), error, larger)

    @cached_property
    def _densities(self) -> dict[str, tuple[latents.Density, Floats]]:
        """Those that there are, with the log density of each test code, in rising order."""
        run = self.run
        if run.discrete or not run.width:
            return {}
        found = {}
        for name in ("normal", "gaussian") if run.has_prior else ("gaussian",):
            try:
                density = run.fitted if name == "gaussian" else latents.fit_density(name, run.train_codes)
            except DiaboloError:  # too few codes for so many numbers
                continue
            found[name] = density, np.sort(density.log_prob(run.codes))
        return found

    @cached_property
    def _usual(self) -> Floats:
        """How far test images are from the training image nearest to each, (n,)."""
        few = self.test.at_most(COMPARED, self.run.seed).images
        return latents.nearest(few, self.train.images, 1)[1][:, 0]
