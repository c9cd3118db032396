"""How far reconstructions are from the images for a network that knows what images show."""

import numpy as np
import torch

from diabolo.errors import DiaboloError
from diabolo.evaluation.measure import NotApplicable, Section, measure
from diabolo.evaluation.subject import Subject
from diabolo.metrics.perceptual import LEAST, Net
from diabolo.metrics.perceptual import lpips as distance
from diabolo.metrics.score import Score


@measure(
    {"LPIPS": 24},
    lpips_net="The backbone of LPIPS: alex, vgg or squeeze; its weights must be on disk.",
)
def lpips(subject: Subject, *, lpips_net: Net = "alex") -> Section:
    """LPIPS of reconstructions (Zhang et al. 2018, arXiv 1801.03924), where the weights are on disk; nothing is downloaded."""
    subject = subject.pictured
    test, shape = subject.test, subject.codec.input_shape
    if not subject.codec.reconstructs:
        raise NotApplicable("its decoder was not trained")
    if len(shape) != 3 or shape[0] not in (1, 3) or min(shape[1:]) < LEAST:
        raise NotApplicable(f"it compares grey or colour pictures of {LEAST} pixels a side or more, not {shape}")
    try:
        between = distance(lpips_net)
    except DiaboloError as error:
        raise NotApplicable(str(error)) from error
    found = [between(torch.from_numpy(few.pixels), torch.from_numpy(made)) for few, made in subject.reconstructed()]
    each = np.concatenate(found)
    channels = "grey, as three equal ones" if shape[0] == 1 else "three"
    setting = {**between.setting, "pixels": "clipped to [0, 1]", "channels": channels}
    unit, kept = f"LPIPS distance, {lpips_net}, 0 for equal images", subject.shared(each)
    return Section({"LPIPS": Score.mean(each, unit, test.split, better="lower", setting=setting, shared=kept)})
