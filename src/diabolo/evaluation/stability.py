"""How alike the codes of the same model from other seeds are."""

from functools import partial

import numpy as np

from diabolo.errors import DiaboloError
from diabolo.evaluation.measure import NotApplicable, Section, measure
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score
from diabolo.ranges import Folder

MOST = 5000  # test images


@measure(other_runs="Run folders of the same model from other seeds, with whose codes those of this one are compared.")
def stability(subject: Subject, *, other_runs: tuple[Folder, ...] = ()) -> Section:
    """Procrustes distance, overlap of the 10 nearest neighbours and debiased linear CKA (Kornblith et al. 2019, arXiv
    1905.00414) of the codes of the same test images, over all pairs of runs; none of them minds a rotation or a scale."""
    from diabolo import figures, latents
    from diabolo.latents.codes import encode
    from diabolo.latents.stability import SIMILARITIES
    from diabolo.runs.loading import load

    if not other_runs:
        raise NotApplicable("it compares runs: name those of other seeds, other_runs=… (--other-runs)")
    images = subject.test.at_most(MOST, subject.seed)
    here = "this run" if subject.run is None else subject.run.path.name
    codes = {here: encode(subject.codec, images)}
    for other in other_runs:
        codec = load(other)
        if tuple(codec.input_shape) != tuple(subject.codec.input_shape):
            raise DiaboloError(
                f"{other} is for images {codec.input_shape}, not {subject.codec.input_shape}: leave it out"
            )
        codes[other] = encode(codec, images)
    if len(codes) < len(other_runs) + 1:
        raise DiaboloError("other_runs names a run twice: name each once, and not the run itself")
    scores, panels = {}, {}
    upper = np.triu_indices(len(codes), 1)
    for name, similarity in SIMILARITIES.items():
        found = latents.between(codes, similarity)
        values = found[upper]
        scores[name] = Score(
            float(values.mean()),
            "share of squared distance left" if name.startswith("Procrustes") else "share",
            len(images),
            images.split,
            better="lower" if name.startswith("Procrustes") else "higher",
            setting={"pairs of runs": len(values), "least": float(values.min()), "most": float(values.max())},
            detail=found.tolist(),
        )
        short = [name.rstrip("/").rpartition("/")[2] for name in codes]
        panels[f"stability-{name.lower().replace(' ', '-')}"] = partial(
            figures.matrix, found, short, short, "run", "run", title=f"{name} of codes between runs"
        )
    return Section(scores, panels)
