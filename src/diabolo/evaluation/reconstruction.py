"""How far reconstructions of test images are from them."""

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo import parts
from diabolo.corruptions import Clean
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.evaluation.by_kind import by_kind
from diabolo.evaluation.measure import Panel, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import PIECE, pieces
from diabolo.likelihoods.ms_ssim import scales_of
from diabolo.metrics.reconstruction import CONSTANT, SIMILARITIES, Totals, per_image
from diabolo.metrics.score import Score
from diabolo.pictured import pictures_of
from diabolo.pictures.examples import examples
from diabolo.randomness import derive
from diabolo.ranges import Count
from diabolo.scaling import UNIT, Span
from diabolo.statistics import mean_interval

NAMES: dict[str, tuple[str, str, Any]] = {
    "mse": ("MSE", "squared error per pixel", "lower"),
    "mae": ("MAE", "absolute error per pixel", "lower"),
    "psnr": ("PSNR", "dB, mean over images", "higher"),
    "ssim": ("SSIM", "similarity, 1 for equal images", "higher"),
    "ms_ssim": ("MS-SSIM", "similarity, 1 for equal images", "higher"),
}


@measure(
    {"denoising MSE": 19, "MSE": 20, "accuracy of categories": 21, "MSE of real numbers": 22, "FVU": 80},
    worst="How many of the images with the largest error are named and shown.",
)
def reconstruction(subject: Subject, *, worst: Count = 8) -> Section:
    """Error and similarity of the reconstructions, against the variance of the images, by class, and for which images most."""
    test, split = subject.test, subject.test.split
    skipped: dict[str, str] = {}
    unit_range = subject.codec.scaling.reach == UNIT
    features = _Features(test) if not unit_range and len(test.shape) == 1 else None
    each, totals = _measured(subject, skipped, features)
    mse, n = each["mse"], len(test)
    order = np.argsort(-mse, kind="stable")[:worst]
    classes = _classes(subject, mse)
    scores = {}
    scale = {"pixels": "in [0, 1]" if unit_range else "in the units of the data"}
    for key, values in each.items():
        name, unit, better = NAMES[key]
        finite = values[np.isfinite(values)]
        if not len(finite):  # every reconstruction is exact: there is no such number
            continue
        setting: dict[str, Any] = dict(scale)
        if len(finite) < n:
            setting["exact images left out"] = n - len(finite)
        if key == "ms_ssim":
            setting |= {"scales": scales_of(test.shape)[0], "published": "5 scales, for 176 pixels a side or more"}
        detail: dict[str, Any] | None = None
        if key == "mse":
            detail = {"worst": [[int(i), float(mse[i])] for i in order]}  # index, error
            detail |= {"files of the worst": [test.names[i] for i in order]} if test.names is not None else {}
            detail |= {"per class": {name: float(errors.mean()) for name, errors in classes.items()}} if classes else {}
        kept = subject.shared(finite, np.isfinite(values))
        scores[name] = Score.mean(finite, unit, split, better=better, setting=setting, detail=detail, shared=kept)
    for name, variance, of in (
        ("error over variance", totals.variance, "all pixel values around one mean"),
        ("FVU", totals.variance_per_pixel, "each pixel around its own mean"),
    ):
        if variance < CONSTANT:  # one image, or one shown many times: there is no such number
            continue
        setting = scale | {"variance": variance, "of": of, "measured on": f"{split} images"}
        share = mse / variance
        kept = subject.shared(share)
        scores[name] = Score.mean(share, "share of variance", split, better="lower", setting=setting, shared=kept)
    with standing_alone("denoising MSE", skipped):
        scores |= _denoising(subject, scale)
    if features is not None:
        scores |= features.scores(subject, scale)
    scores |= by_kind(subject)
    return Section(scores, _panels(subject, totals, mse, order, classes), skipped)


def _measured(
    subject: Subject, skipped: dict[str, str], features: "_Features | None"
) -> tuple[dict[str, NDArray[np.float64]], Totals]:
    """Each error of each image, and their totals, beside what `features` add up; a similarity that cannot be found is noted in
    `skipped`."""
    # in their place at once: small arrays kept to the last would keep the memory freed between them from being used again
    each, names, start = dict[str, NDArray[np.float64]](), list[str](), 0
    totals: Totals | None = None
    ends = UNIT if subject.codec.scaling.reach == UNIT else subject.test.black_and_white
    holes = bool(subject.test.holes.any())
    if holes and len(subject.test.shape) == 3:
        skipped |= dict.fromkeys(
            (NAMES[name][0] for name in SIMILARITIES), "it compares windows, and pixels are missing"
        )
        skipped["spectrum"] = "it is of whole images, and pixels are missing"
    for few, made in subject.reconstructed():
        x, x_hat = torch.from_numpy(few.pixels), torch.from_numpy(made)
        if features is not None:
            features.add(few.images, made)
        known = (~x.isnan()).flatten(1).double().mean(1)
        errors = per_image(torch.where(x.isnan(), x_hat, x), x_hat, (), None if ends is None else ends[1] - ends[0])
        if holes:
            errors |= {name: errors[name] / known for name in ("mse", "mae")}
            errors |= {"psnr": errors["psnr"] + 10 * known.log10()} if "psnr" in errors else {}
        for name in SIMILARITIES if ends is not None and not holes else ():
            if NAMES[name][0] not in skipped:
                with standing_alone(NAMES[name][0], skipped):
                    all_of_it = per_image(_in_unit(x, ends), _in_unit(x_hat, ends), (name,))
                    errors |= {key: one for key, one in all_of_it.items() if key == name}
        for name, values in errors.items():
            each.setdefault(name, np.empty(len(subject.test)))[start : start + len(few)] = values.numpy()
        part = Totals.of(x, x_hat, errors)
        totals, names, start = part if totals is None else totals + part, [*errors], start + len(few)
    assert totals is not None  # there are images
    return {name: each[name] for name in names}, totals


def _in_unit(x: Tensor, ends: Span | None) -> Tensor:
    """`x` with black and white at 0 and 1."""
    return x if ends is None or ends == UNIT else (x - ends[0]) / (ends[1] - ends[0])


def _classes(subject: Subject, errors: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The errors by class, where labels are known."""
    labels, names = subject.test.labels, subject.test.label_names
    known = [] if labels is None else sorted({int(label) for label in labels if label >= 0})
    return {str(names[c] if names else c): errors[labels == c] for c in known}


class _Features:
    """The error of each feature over its own variance, which does not depend on the units that they happen to have; of some of
    the images after the other."""

    def __init__(self, test: Images) -> None:
        several = [test.images[i : i + PIECE] for i in range(0, len(test), PIECE)]  # which share the memory of vectors
        self.n = sum(_known(x).sum(0) for x in several)
        n = np.maximum(self.n, 1)
        mean = np.sum([np.where(_known(x), x, 0).sum(0, dtype=np.float64) for x in several], 0) / n
        variance = np.sum([np.where(_known(x), np.square(x - mean), 0).sum(0) for x in several], 0) / n
        self.varies = variance > CONSTANT * (variance + np.square(mean))
        self.variance, self.test = variance[self.varies], test
        self.found, self.known, self.seen = np.empty(len(test)), np.zeros(len(test), bool), 0
        self.total = np.zeros(len(self.variance))

    def add(self, x: NDArray[Any], x_hat: NDArray[Any]) -> None:
        """Take in the reconstructions `x_hat` (n, D) of `x`, of which some numbers may not be known."""
        known = _known(x)[:, self.varies]
        errors = np.square(x_hat - x.astype(np.float64))[:, self.varies] / self.variance
        errors = np.where(known, errors, 0)
        some: NDArray[np.bool_] = np.asarray(known.any(1))
        rows = slice(self.seen, self.seen + len(x))
        self.found[rows][some], self.known[rows] = errors[some].sum(1) / known[some].sum(1), some
        self.seen += len(x)
        self.total += errors.sum(0)

    def scores(self, subject: Subject, scale: dict[str, str]) -> dict[str, Score]:
        """Their mean; none where no feature varies."""
        if not self.varies.any():
            return {}
        names = self.test.feature_names or tuple(f"feature {i}" for i in range(self.test.shape[0]))
        of_each = (self.total / self.n[self.varies]).tolist()
        each = dict(zip(np.array(names, object)[self.varies].tolist(), of_each, strict=True))
        found, split = self.found[self.known], self.test.split
        setting = scale | {
            "of": "each feature over its own variance, mean over those that vary",
            "measured on": f"{split} images",
        }
        return {
            "FVU, mean over features": Score.mean(
                found,
                "share of variance",
                split,
                better="lower",
                setting=setting,
                detail={"per feature": each},
                shared=subject.shared(found, self.known),
            )
        }


def _known(x: NDArray[Any]) -> NDArray[np.bool_]:
    """Which numbers are known."""
    found: NDArray[np.bool_] = ~np.isnan(x) if x.dtype.kind == "f" else np.ones(x.shape, bool)
    return found


def _denoising(subject: Subject, scale: dict[str, str]) -> dict[str, Score]:
    """For a model that was trained to undo a corruption: the error when it sees corrupted images."""
    codec = subject.codec
    if isinstance(codec.corruption, Clean):
        return {}
    seed, errors = derive(subject.seed, "denoising") % 2**31, []
    for i, few in enumerate(pieces(subject.test)):
        x, y = torch.from_numpy(few.pixels), column(few, codec.needs_column)
        x_hat = codec.reconstruct(codec.corrupt(x, derive(seed, i)), y).cpu()
        errors.append((x_hat.double() - x).square().flatten(1).nanmean(1).numpy())
    found = np.concatenate(errors)
    setting = scale | {"corruption": parts.describe(codec.corruption), "seed": seed}
    unit = "squared error per pixel, corrupted in, clean out"
    kept, split = subject.shared(found), subject.test.split
    return {"denoising MSE": Score.mean(found, unit, split, better="lower", setting=setting, shared=kept)}


def _panels(
    subject: Subject,
    totals: Totals,
    mse: NDArray[np.float64],
    order: NDArray[np.int64],
    classes: dict[str, NDArray[np.float64]],
) -> dict[str, Panel]:
    from diabolo import figures
    from diabolo.figures.mosaic import tinted

    panels: dict[str, Panel] = {}
    test = subject.test
    if len(classes) > 1:
        whiskers = {name: mean_interval(errors) for name, errors in classes.items() if len(errors) > 1}
        means = {name: float(errors.mean()) for name, errors in classes.items()}
        title = f"Reconstruction error by class ({subject.test.split})"
        panels["reconstruction-classes"] = partial(
            figures.bars, means, "squared error per pixel", whiskers, title=title
        )
    if "spectrum" in totals.sums:
        curves = {"images": totals.mean("spectrum").numpy(), "error": totals.mean("error spectrum").numpy()}
        panels["reconstruction-spectrum"] = partial(figures.spectrum, curves, title="Which frequencies are lost")
    if len(subject.test.shape) == 3 and subject.test.shape[0] in (1, 3):
        scaling = subject.codec.scaling
        x_hat = scaling.as_picture(torch.from_numpy(subject.reconstruct(test.take(order)))).numpy()
        shown = *tinted(pictures_of(test.take(order), scaling).pixels, x_hat), mse[order]
        names = None if subject.test.names is None else [subject.test.names[i] for i in order]
        first = "original, blue: missing" if test.holes[order].any() else "original"
        panels["reconstruction-worst"] = partial(figures.worst, *shown, names=names, first=first)
    else:
        few = test.take(order)
        x_hat = subject.reconstruct(few)
        title = "The examples with the largest error"
        panels["reconstruction-worst"] = partial(examples, subject.codec, few, x_hat, title)
    return panels
