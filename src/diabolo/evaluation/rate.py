"""How many bits a code takes, and how many times smaller than its image that is."""

import math
from typing import Any

import numpy as np

from diabolo.bottlenecks import Discrete
from diabolo.bottlenecks.gaussian import kl_to_standard_normal
from diabolo.bottlenecks.quantizer import counts_of
from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score
from diabolo.metrics.usage import codebook_use, compression_ratio, image_bits, index_bits

BITS = "bits per image"
FLOAT = 32  # bits of each number of a continuous code


@measure({"stored code": 70})
def rate(subject: Subject) -> Section:
    """Size of the code as it is stored and as an ideal coder would make it, against the image as it is at rest.

    Of a posterior also KL(q(z|x) ‖ p(z)) in bits, the cost of an image's code by bits back, which takes back what the noise of
    the draw cost (Hinton & van Camp 1993; Townsend et al. 2019, arXiv 1901.04866).
    """
    codec = subject.codec
    if not (numbers := math.prod(codec.latent_shape)):
        raise NotApplicable(f"{codec.name} has no code")
    of: dict[str, Any] = {"code": list(codec.latent_shape)}
    bottleneck = codec.bottleneck
    if isinstance(bottleneck, Discrete):  # no other has indices
        found = subject.indices
        assert found is not None
        counts, places = counts_of(found, bottleneck.codes).numpy(), math.prod(bottleneck.latent_shape[1:])
        of |= {"indices": places, "codes": bottleneck.codes}
        entropy = codebook_use(counts).entropy
        too_low = (np.count_nonzero(counts) - 1) / (2 * counts.sum() * math.log(2))  # Miller 1955
        by_share = {
            "bits per index": entropy,
            "too low by about": float(too_low),
            "coder": "ideal, by the share of each code",
        }
        return Section(
            _size(
                subject,
                "stored code",
                index_bits(places, bottleneck.codes),
                of | {"bits per index": math.log2(bottleneck.codes)},
            )
            | _size(subject, "entropy-coded code", places * entropy, of | by_share)
        )
    of |= {"numbers": numbers, "each": "float32, neither rounded nor coded"}
    scores, skipped = _size(subject, "stored code", float(FLOAT * numbers), of), dict[str, str]()
    with standing_alone("KL", skipped):
        scores |= _divergence(subject)
    return Section(scores, skipped=skipped)


def _size(subject: Subject, name: str, bits: float, of: dict[str, Any]) -> dict[str, Score]:
    """The size of the code, and how many times it goes into the image."""
    test, image = subject.test, image_bits(subject.test.images)
    scores = {name: Score(bits, BITS, len(test), test.split, better="lower", setting=of)}
    if bits > 0:  # one and the same code for all images costs an ideal coder nothing
        setting = {"image": f"{image:,} bits, {test.images.dtype} {tuple(test.shape)}"} | of
        ratio = compression_ratio(image, bits)
        unit = "bits of the image per bit of code"
        scores[f"compression: {name}"] = Score(ratio, unit, len(test), test.split, better="higher", setting=setting)
    return scores


def _divergence(subject: Subject) -> dict[str, Score]:
    posterior = subject.posterior
    if posterior is None:
        return {}
    bits = kl_to_standard_normal(*posterior).numpy() / math.log(2)
    setting = {"coder": "bits back, ideal; the error of the reconstruction is not paid for"}
    return {"KL": Score.mean(bits, BITS, subject.test.split, setting=setting, shared=subject.shared(bits))}
