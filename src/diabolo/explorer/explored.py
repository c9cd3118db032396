"""A run as it is explored: its model, the images it is shown with, their codes, and what can be asked of a code. Worked out
when it is first asked for; read by all pages, written by none."""

import math
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo import latents, vocabulary
from diabolo.bottlenecks.quantizer import Discrete
from diabolo.codec import Codec
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.explorer.planes import Plane, plane
from diabolo.explorer.state import Place
from diabolo.latents.codes import decode, encode, known, pieces
from diabolo.metrics.reconstruction import per_image
from diabolo.pictured import as_pictures, pictures_of
from diabolo.randomness import Draws, generator
from diabolo.scaling import UNIT
from diabolo.surroundings import undisturbed
from diabolo.vocabulary import Words

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]
POINTS = 100_000  # on the map
NUMBERS = 2**26  # in their codes
MEASURED = 5_000  # images by which units are ordered, and to which directions and densities are fitted
RARE = "-log density"  # under a Gaussian fitted to the training codes: an anomaly score
IN_REACH = 0.01  # of the codes lie beyond either end of a slider
KEPT = 8  # planes through three images
GRAPH = 5_000  # codes in the graph that a way along the data goes by


class Explored:
    """A run, or a codec with its images.

    Args:
        name: what it is called on the page.
        codec: the model.
        train, test: images; without them the decoder alone is explored, from the prior.
        path: the run folder, if there is one.
        seed: of what is drawn.
        own: whether the images are those of the run folder.
        lacks: why there are no images, in words.
    """

    def __init__(
        self,
        name: str,
        codec: Codec,
        train: Images | None = None,
        test: Images | None = None,
        path: Path | None = None,
        seed: int = 0,
        own: bool = True,
        lacks: str = "",
    ) -> None:
        for images in (train, test):
            if images is not None and images.shape != tuple(codec.input_shape):
                raise DiaboloError(
                    f"{name} is for images {tuple(codec.input_shape)}, and {images.name} has {images.shape}"
                )
        self.scaled = codec.scaling.reach != UNIT  # whether its numbers are others than those of pictures
        if len(codec.input_shape) == 3:  # what is no picture of 8 bits is shown as one
            train, test = (images and pictures_of(images, codec.scaling) for images in (train, test))
            codec = as_pictures(codec)
        self.name, self.codec, self.train, self.path, self.seed = name, codec, train, path, seed
        self.lacks = f"the images of {name} are not at hand: name them by --data{f' ({lacks})' if lacks else ''}"
        self.width = math.prod(codec.latent_shape)
        most = points_of(self.width)
        self.test = test if test is None or len(test) <= most else test.subset(most, seed)
        self.own = own and path is not None and self.test is test  # so that a number means the same image there
        self._planes: dict[tuple[str, tuple[int, ...]], Plane] = {}

    @property
    def discrete(self) -> bool:
        """Whether codes stand for indices, so that none lies between two."""
        return bool(self.codec.bottleneck.discrete)

    @property
    def about(self) -> str:
        """Model, code and images in a line."""
        shape, indices = self.codec.latent_shape, self.quantizer
        if indices is not None:
            code = f"a map of {'×'.join(map(str, shape[1:]))} codes, each one of {indices.codes:,}"
        elif self.width:
            code = f"a code of {'×'.join(f'{n:,}' for n in shape)} {'number' if self.width == 1 else 'numbers'}"
        else:
            code = "no code"
        images = self.lacks
        if self.test is not None:
            images = f"{len(self.test):,} test images of {self.test.name}"
        return f"{self.codec.name} · {code} · {images}"

    @property
    def words(self) -> Words:
        """What says a text in the words of the data (`diabolo.vocabulary`)."""
        names = () if self.test is None else (self.test.name, *(self.test.label_names or ()))
        return vocabulary.of(self.codec.input_shape, self.name, self.codec.name, *names)

    # --- codes and images -------------------------------------------------------------------------------------------------

    @cached_property
    def codes(self) -> Pixels:
        """Of the test images, (N, D)."""
        if self.test is None:
            raise DiaboloError(self.lacks)
        return encode(self.codec, self.test)

    @cached_property
    def train_codes(self) -> Pixels:
        """Of some training images, or of test images where there are no others."""
        return self.codes if self.train is None else encode(self.codec, self._few)

    @property
    def _few(self) -> Images:
        images = self.train or self.test
        if images is None:
            raise DiaboloError(self.lacks)
        return images.at_most(MEASURED, self.seed)

    @cached_property
    def middle(self) -> Floats:
        """The mean code (D,); that of the prior where there are no images; of discrete codes the first image's."""
        if self.test is None:
            return np.zeros(self.width)
        found: Floats = (self.codes[0] if self.discrete else self.codes.mean(0)).astype(np.float64)
        return found

    def picture(self, index: int) -> NDArray[Any]:
        """The test image of that number, as it is."""
        if self.test is None or not 0 <= index < len(self.test):
            raise DiaboloError(f"there is no test image {index}")
        found: NDArray[Any] = self.test.images[index]
        return found

    def code_of(self, place: Place | None) -> Floats:
        """The code (D,) of a place; the mean for None."""
        if place is None:
            return self.middle
        if place.image is not None:
            self.picture(place.image)
            return np.asarray(self.codes[place.image], np.float64)
        if len(place.code) != self.width:
            raise DiaboloError(f"codes of {self.name} have {self.width} numbers, not {len(place.code)}")
        return np.asarray(place.code, np.float64)

    @undisturbed()
    def code_of_picture(self, image: NDArray[Any], label: int = -1, like: int | None = None) -> Floats:
        """The code (D,) of an image (C, H, W) that was brought along; of the class `label`, else that of the test image `like`,
        where the model is given that."""
        x = torch.from_numpy(np.array(image)[None])  # a copy: what lies on disk cannot be written to
        z = self.codec.encode(x, self._column(label, like)).flatten(1).cpu().double().numpy()
        found: Floats = z[0]
        return found

    def decoded(self, codes: NDArray[Any], label: int = -1, image: int | None = None) -> Pixels:
        """The images (K, *shape) of codes (K, D); of the class `label`, or of what is known of the test image `image`, where
        the model is given that."""
        found: Pixels = decode(self.codec, np.asarray(codes)[None], self.told(label, image))[0]
        return found

    def supposed(self, label: int) -> tuple[int, int | None]:
        """(class, test image) that a model is given where nobody chose: the class `label`, or the first of what it needs."""
        return (max(0, label), None) if self.classes else (label, 0)

    def told(self, label: int, image: int | None) -> Tensor | None:
        """What the decoder is given beside a code, (1, …): the class `label`, or what is known of the test image `image`. Where
        it is given a part of an image, say, and no class, `label` is the number of a test image."""
        condition = self.codec.condition
        if not condition.to_decoder:
            return None
        every = condition.every(self.codec.device)
        if every is not None and (label >= 0 or image is None or self.test is None):
            if label >= len(every):
                raise DiaboloError(f"{self.name} knows the classes 0 to {len(every) - 1}, not {label}")
            return every[max(0, label)][None]
        return known(self.codec, self._given(label, image))

    def _given(self, label: int, image: int | None) -> Images:
        """The test image of which the model is given something."""
        if self.test is None:
            raise DiaboloError(
                f"{self.name} is given a part of an image, or what is known of it: name images by --data"
            )
        number = label if label >= 0 and not self.classes else image or 0
        self.picture(number)
        return self.test.take([number])

    def _column(self, label: int, like: int | None) -> Tensor | None:
        needs = self.codec.condition.needs_column
        if needs is None:
            return None
        if label >= 0 and self.classes:
            return torch.tensor([label])
        if label < 0 and like is None:
            raise DiaboloError("choose a class first: this model is given the class of a picture")
        found: Tensor | None = column(self._given(label, like), needs)
        return found

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """What can be asked of a conditional model; () of others."""
        every = self.codec.condition.every(self.codec.device) if self.codec.condition.to_decoder else None
        if every is None or every.ndim != 1:
            return ()
        names = None if self.test is None else self.test.label_names
        return names if names is not None and len(names) == len(every) else tuple(map(str, range(len(every))))

    # --- the map ----------------------------------------------------------------------------------------------------------

    def plane(self, how: str, through: Sequence[int] = ()) -> Plane:
        """The plane of that name, worked out once."""
        key = (how, tuple(through) if how == "images" else ())
        if (found := self._planes.get(key)) is None:
            found = plane(how, self.codes, through, self.discrete)
            for old in [key for key in self._planes if key[0] == "images"][: 1 - KEPT]:  # clicks make ever more of them
                self._planes.pop(old, None)
            self._planes[key] = found
        return found

    @cached_property
    def errors(self) -> Floats:
        """The mean squared error of each test image, (N,)."""
        if self.test is None or not self.codec.reconstructs:
            raise DiaboloError(f"{self.name} has no errors: it has no images, or was not trained to reconstruct")
        found = []
        for few in pieces(self.test):
            x = few.tensor
            x_hat = self.codec.reconstruct(x, column(few, self.codec.needs_column)).cpu()
            found.append(per_image(to_float(x), x_hat, ())["mse"].numpy())
        return np.concatenate(found)

    @property
    def colours(self) -> tuple[str, ...]:
        """By what the points can be coloured."""
        if self.test is None:
            return ()
        own = ("class",) if self.test.labels is not None else ()
        error = ("error",) if self.codec.reconstructs else ()
        rare = (RARE,) if self.width and not self.discrete and self.train is not None else ()
        return (*own, *(self.test.attribute_names or ()), *error, *rare)

    def values(self, colour: str) -> tuple[NDArray[Any], tuple[str, ...]]:
        """The values (N,) that points are coloured by, and the names of classes; () for numbers."""
        assert self.test is not None
        if colour == "error":
            return self.errors, ()
        if colour == RARE and RARE in self.colours:
            return -self.fitted.log_prob(self.codes), ()
        if colour == "class" and self.test.labels is not None:
            labels = self.test.labels
            return labels, self.test.label_names or tuple(map(str, range(int(labels.max()) + 1)))
        if self.test.attributes is not None and colour in (names := self.test.attribute_names or ()):
            return self.test.attributes[:, names.index(colour)].astype(np.int64), (f"not {colour}", colour)
        raise UnknownNameError("colour", colour, self.colours)

    # --- units, ways, directions --------------------------------------------------------------------------------------------

    @cached_property
    def units(self) -> latents.Units:
        """Those that tell most first; without images all alike, of the prior."""
        if self.test is None and self.train is None:
            flat = np.zeros(self.width)
            return latents.Units(np.arange(self.width), flat, "variance", flat, np.ones(self.width))
        return latents.units(self.codec, self._few, self.seed)

    @cached_property
    def reach(self) -> tuple[Floats, Floats]:
        """The least and the greatest of each unit on its slider, (D,) each: 98 % of the training codes lie between."""
        if self.test is None and self.train is None:
            return np.full(self.width, -3.0), np.full(self.width, 3.0)
        low, high = np.quantile(self.train_codes.astype(np.float64), (IN_REACH, 1 - IN_REACH), axis=0)
        narrow = high - low < 1e-6
        return np.where(narrow, low - 1, low), np.where(narrow, high + 1, high)

    @cached_property
    def graph(self) -> latents.CodeGraph:
        """By which a way along the data goes."""
        return latents.CodeGraph(self.train_codes[:GRAPH])

    def way(self, how: str, a: Floats, b: Floats, steps: int) -> Floats:
        """Codes (steps, D) from `a` to `b`."""
        if how == "along-data":
            found = latents.along_data(a[None], b[None], steps, self.graph)
        else:
            found = (latents.spherical if how == "spherical" else latents.linear)(a[None], b[None], steps)
        return np.asarray(found[0], np.float64)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """Those that have a direction: attributes of the images, else their classes."""
        if self.discrete or self.train is None or not self.width:
            return ()
        if self.train.attribute_names is not None:
            return self.train.attribute_names
        if self.train.labels is None:
            return ()
        return self.train.label_names or tuple(map(str, range(int(self.train.labels.max()) + 1)))

    @cached_property
    def _probes(self) -> dict[str, tuple[Floats, latents.Probe]]:
        return {}

    def direction(self, attribute: str, apart: bool = False) -> Floats:
        """The direction (D,) of an attribute: the normal of a linear probe; `apart`: at right angles to those of all others
        that can be told from codes."""
        own = self._fitted(attribute)[0]
        if not apart:
            return own
        others = [self._fitted(other)[0] for other in self.others(attribute)]
        return latents.orthogonalised(own, np.stack(others)) if others else own

    def others(self, attribute: str) -> tuple[str, ...]:
        """All other attributes that can be told from codes: some images have them, and some do not."""
        found = []
        for other in self.attributes:
            if other != attribute:
                with suppress(DiaboloError):
                    self._fitted(other)
                    found.append(other)
        return tuple(found)

    def probability(self, attribute: str, codes: NDArray[Any]) -> Floats:
        """What the probe of that attribute says of codes (K, D): (K,)."""
        return self._fitted(attribute)[1](codes)

    def _fitted(self, attribute: str) -> tuple[Floats, latents.Probe]:
        if attribute not in self.attributes:
            raise UnknownNameError("attribute", attribute, self.attributes)
        if attribute not in self._probes:
            has = latents.attribute(self._few, attribute)
            probe = latents.Probe.fit(self.train_codes, has)
            self._probes[attribute] = latents.probe_normal(self.train_codes, has, probe), probe
        return self._probes[attribute]

    # --- draws ---------------------------------------------------------------------------------------------------------------

    @property
    def has_prior(self) -> bool:
        """Whether codes are held to N(0, I) in training, so that their density there means something."""
        return "kl" in self.codec.units

    @cached_property
    def fitted(self) -> latents.Density:
        """A Gaussian fitted to the training codes."""
        return latents.fit_density("gaussian", self.train_codes)

    @undisturbed()
    def drawn(self, seed: int) -> Floats:
        """A code (D,) such as `codec.sample` decodes.

        Raises:
            NoPriorError: for indices to which no prior was fitted.
        """
        draws = Draws(generator(seed, "sample", device=self.codec.device))
        with torch.no_grad():
            z = self.codec.bottleneck.prior(1, draws, self.codec.device)
        found: Floats = z.flatten().cpu().double().numpy()
        return found

    # --- codebooks ----------------------------------------------------------------------------------------------------------

    @property
    def quantizer(self) -> Discrete | None:
        """What gives discrete codes."""
        found: Any = self.codec.bottleneck
        return found if found.discrete else None

    @cached_property
    def uses(self) -> NDArray[np.int64]:
        """How often each code is used for the test images, (K,)."""
        assert self.test is not None
        return latents.uses(self.codec, self.test.at_most(MEASURED, self.seed))

    @undisturbed()
    def indices(self, image: int) -> NDArray[np.int64]:
        """The map of codes (h, w) of a test image."""
        assert self.quantizer is not None
        assert self.test is not None
        few = self.test.take([image])
        with torch.no_grad():
            features = self.codec.features(few.tensor, column(few, self.codec.needs_column))
            found = self.quantizer.indices(features).cpu().numpy()[0]
        return np.asarray(found.reshape(-1, found.shape[-1]), np.int64)

    @undisturbed()
    def indices_of(self, code: Floats) -> NDArray[np.int64]:
        """The map of codes (h, w) nearest to a code (D,)."""
        assert self.quantizer is not None
        vectors = torch.from_numpy(code).float().reshape(1, *self.codec.latent_shape)
        with torch.no_grad():
            found = self.quantizer.indices_of(vectors.to(self.codec.device)).cpu().numpy()[0]
        return np.asarray(found.reshape(-1, found.shape[-1]), np.int64)

    @undisturbed()
    def of_indices(self, indices: NDArray[np.int64]) -> Floats:
        """The code (D,) that a map of indices (h, w) stands for."""
        assert self.quantizer is not None
        with torch.no_grad():
            z = self.quantizer.codes_of(torch.from_numpy(indices)[None].to(self.codec.device))
        return z.flatten().cpu().double().numpy()


def points_of(width: int) -> int:
    """The most codes of `width` numbers that a map shows."""
    return max(4, min(POINTS, NUMBERS // max(1, width)))
