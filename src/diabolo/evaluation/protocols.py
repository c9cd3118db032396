"""Named protocols for Fréchet distances: all that decides such a number, said once, so that it can be found again.

    diabolo evaluate RUN --measures protocols --protocol rfid-50k

A protocol that is missing here is one more line of `PROTOCOLS`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from diabolo.data.images import Images
from diabolo.metrics.generation.extractors import FILE

LOADED = (
    "Pillow's bicubic filter, antialiased, in one step, where the images have another size"  # as `data.pixels` does
)
SQUARE = "centre: the shorter side becomes the size, the longer is trimmed at both ends"


@dataclass(frozen=True)
class Protocol:
    """What decides a Fréchet distance.

    Attributes:
        name: as it is asked for.
        title: what its score is called.
        compares: "reconstructions" of the reference images with these, or "samples" from the model's own prior.
        reference: of which part the reference images are.
        n: how many images are made; as many as there are reference images for None.
        n_real: how many reference images; all for None. Fewer than there are, are drawn with seed 0.
        filter, crop: how images were brought to the size of the model before anything else.
        pixels: in how many steps images are compared.
        extractor: what takes features of them, as the measure `generation` has it.
        weights: how the SHA-256 of the extractor's weights begins; "" where they are trained on the training images.
        dtype: of images in the model and the extractor, and of what is done with features.
        batches: images at once for which the reconstruction of an image must be the same.
        interval: how the interval is found.
        used: where the number is found in papers.

    Example:
        >>> from diabolo.evaluation.protocols import PROTOCOLS
        >>> PROTOCOLS["rfid-50k"].n, PROTOCOLS["rfid-50k"].extractor
        (50000, 'inception')
    """

    name: str
    title: str
    compares: Literal["reconstructions", "samples"]
    reference: Literal["train", "test"] = "test"
    n: int | None = None
    n_real: int | None = None
    filter: str = LOADED
    crop: str = SQUARE
    pixels: str = "256 steps, as in files of 8 bits"
    extractor: str = "inception"
    weights: str = FILE.removesuffix(".pth").rpartition("-")[2]
    dtype: str = "float32 in model and extractor, float64 from the features on"
    batches: tuple[int, ...] = (1, 7, 16)
    interval: str = "95 %, ± 1.96 standard errors, from what each image adds to the distance"
    used: str = ""

    def record(self, images: Images) -> dict[str, Any]:
        """All of it, JSON-able; how `images` were brought to their size is known of those that Diabolo loaded alone."""
        told = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        if images.origin is None:
            told |= dict.fromkeys(("filter", "crop"), "not known: the images were given as arrays")
        return {name: value for name, value in told.items() if value not in (None, "")} | {"protocol": told.pop("name")}


def _named(*several: Protocol) -> dict[str, Protocol]:
    return {one.name: one for one in several}


PROTOCOLS: Mapping[str, Protocol] = _named(
    Protocol(
        "rfid-50k", "rFID-50k", "reconstructions", n=50_000, n_real=50_000,
        used="tokenisers and latent diffusion on the 50,000 validation images of ImageNet (Rombach et al. 2022, "
        "arXiv 2112.10752)",
    ),
    Protocol("rfid-10k", "rFID-10k", "reconstructions", n=10_000, n_real=10_000, used="MNIST, CIFAR-10 and the like"),
    Protocol(
        "rfid-5k", "rFID-5k", "reconstructions", n=5_000, n_real=5_000, used="the 5,000 validation images of COCO 2017"
    ),
    Protocol(
        "fid-10k-test", "FID-10k, test", "samples", n=10_000, n_real=10_000,
        used="autoencoders: Tolstikhin et al. 2018, arXiv 1711.01558; Ghosh et al. 2020, arXiv 1903.12436",
    ),
    Protocol("fid-10k-train", "FID-10k, train", "samples", "train", n=10_000, used="10,000 samples, all training images"),
    Protocol(
        "fid-50k-train", "FID-50k, train", "samples", "train", n=50_000,
        used="generative models: 50,000 samples, all training images (Karras et al. 2022, arXiv 2206.00364)",
    ),
    Protocol(
        "rfid-classifier", "rFID, classifier", "reconstructions", extractor="classifier", weights="",
        used="small images: features of a classifier trained on the training images; no download",
    ),
    Protocol(
        "fid-classifier", "FID, classifier", "samples", extractor="classifier", weights="",
        used="small images: features of a classifier trained on the training images; no download",
    ),
)  # fmt: skip
