"""What several measures ask first: whether codes of this codec can be moved about, and the images be looked at."""

import math

from diabolo.errors import DiaboloError
from diabolo.evaluation.measure import NotApplicable
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import refuse_discrete


def require_continuous(subject: Subject, what: str) -> None:
    """NotApplicable unless codes can be added up and the decoder draws an image of a code alone."""
    codec = subject.codec
    try:
        refuse_discrete(codec, what)
    except DiaboloError as reason:
        raise NotApplicable(str(reason)) from reason
    if math.prod(codec.latent_shape) > math.prod(codec.input_shape):
        raise NotApplicable("its code has more numbers than the image, so that ways between codes need not be simpler")
    if not codec.reconstructs:
        raise NotApplicable("its decoder was not trained")
    if codec.condition.to_decoder:
        raise NotApplicable("its decoder is given more than the code, and two images are given different things")


def require_complete(subject: Subject, what: str) -> None:
    """NotApplicable where some numbers of the images are not known, and `what` needs all of them."""
    if not subject.complete:
        unknown = sum(int(images.holes.sum()) for images in (subject.train, subject.test))
        raise NotApplicable(f"{what} all numbers of an image, and {unknown:,} of these are missing")


def pictures(subject: Subject) -> bool:
    """Whether its images can be drawn."""
    shape = subject.codec.input_shape
    return len(shape) == 3 and shape[0] in (1, 3)
