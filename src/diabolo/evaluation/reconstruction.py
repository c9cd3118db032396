"""How far reconstructions of test images are from them."""

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo import parts
from diabolo.codec import piece
from diabolo.corruptions import Clean
from diabolo.data.columns import column
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
    {"denoising MSE": 19, "MSE": 20, "FVU": 80},
    worst="How many of the images with the largest error are named and shown.",
)
def reconstruction(subject: Subject, *, worst: Count = 8) -> Section:
    """Error and similarity of the reconstructions, against the variance of the images, by class, and for which images most."""
    test, split = subject.test, subject.test.split
    skipped: dict[str, str] = {}
    each, totals = _measured(subject, skipped)
    mse, n = each["mse"], len(test)
    order = np.argsort(-mse, kind="stable")[:worst]
    classes = _classes(subject, mse)
    scores = {}
    unit_range = subject.codec.scaling.reach == UNIT
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
    if not unit_range and len(test.shape) == 1:
        scores |= _by_feature(subject, scale)
    return Section(scores, _panels(subject, totals, mse, order, classes), skipped)


def _measured(subject: Subject, skipped: dict[str, str]) -> tuple[dict[str, NDArray[np.float64]], Totals]:
    """Each error of each image, and their totals; a similarity that cannot be found is noted in `skipped`."""
    found, totals = list[dict[str, Tensor]](), list[Totals]()
    ends = UNIT if subject.codec.scaling.reach == UNIT else subject.test.black_and_white
    n = piece(PIECE)
    for start, few in zip(range(0, len(subject.test), n), pieces(subject.test), strict=True):
        x, x_hat = torch.from_numpy(few.pixels), torch.from_numpy(subject.reconstructions[start : start + n])
        known = (~x.isnan()).flatten(1).double().mean(1)
        x = torch.where(x.isnan(), x_hat, x)
        found.append(per_image(x, x_hat, (), None if ends is None else ends[1] - ends[0]))
        if subject.test.missing:
            found[-1] = {name: found[-1][name] / known for name in ("mse", "mae")}
        for name in SIMILARITIES if ends is not None else ():
            if NAMES[name][0] not in skipped:
                with standing_alone(NAMES[name][0], skipped):
                    all_of_it = per_image(_in_unit(x, ends), _in_unit(x_hat, ends), (name,))
                    found[-1] |= {key: one for key, one in all_of_it.items() if key == name}
        totals.append(Totals.of(x, x_hat, found[-1]))
    each = {name: torch.cat([part[name] for part in found]).numpy() for name in found[-1]}
    return each, sum(totals[1:], totals[0])


def _in_unit(x: Tensor, ends: Span | None) -> Tensor:
    """`x` with black and white at 0 and 1."""
    return x if ends is None or ends == UNIT else (x - ends[0]) / (ends[1] - ends[0])


def _classes(subject: Subject, errors: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The errors by class, where labels are known."""
    labels, names = subject.test.labels, subject.test.label_names
    known = [] if labels is None else sorted({int(label) for label in labels if label >= 0})
    return {str(names[c] if names else c): errors[labels == c] for c in known}


def _by_feature(subject: Subject, scale: dict[str, str]) -> dict[str, Score]:
    """The error of each feature over its own variance: which does not depend on the units that they happen to have."""
    x = subject.test.images.astype(np.float64)
    variance = x.var(0)
    varies = variance > CONSTANT * np.square(x).mean(0)
    if not varies.any():
        return {}
    errors = np.square(subject.reconstructions - x)[:, varies] / variance[varies]
    names = subject.test.feature_names or tuple(f"feature {i}" for i in range(x.shape[1]))
    each = dict(zip(np.array(names, object)[varies].tolist(), errors.mean(0).tolist(), strict=True))
    found, split = errors.mean(1), subject.test.split
    setting = scale | {
        "of": "each feature over its own variance, mean over those that vary",
        "measured on": f"{split} images",
    }
    kept = subject.shared(found)
    return {
        "FVU, mean over features": Score.mean(
            found,
            "share of variance",
            split,
            better="lower",
            setting=setting,
            detail={"per feature": each},
            shared=kept,
        )
    }


def _denoising(subject: Subject, scale: dict[str, str]) -> dict[str, Score]:
    """For a model that was trained to undo a corruption: the error when it sees corrupted images."""
    codec = subject.codec
    if isinstance(codec.corruption, Clean):
        return {}
    seed, errors = derive(subject.seed, "denoising") % 2**31, []
    for i, few in enumerate(pieces(subject.test)):
        x, y = torch.from_numpy(few.pixels), column(few, codec.needs_column)
        x_hat = codec.reconstruct(codec.corrupt(x, derive(seed, i)), y).cpu()
        errors.append((x_hat.double() - x).square().flatten(1).mean(1).numpy())
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

    panels: dict[str, Panel] = {}
    if len(classes) > 1:
        whiskers = {name: mean_interval(errors) for name, errors in classes.items() if len(errors) > 1}
        means = {name: float(errors.mean()) for name, errors in classes.items()}
        title = f"Reconstruction error by class ({subject.test.split})"
        panels["reconstruction-classes"] = partial(
            figures.bars, means, "squared error per pixel", whiskers, title=title
        )
    if len(subject.test.shape) == 3:
        curves = {"images": totals.mean("spectrum").numpy(), "error": totals.mean("error spectrum").numpy()}
        panels["reconstruction-spectrum"] = partial(figures.spectrum, curves, title="Which frequencies are lost")
    if len(subject.test.shape) == 3 and subject.test.shape[0] in (1, 3):
        scaling = subject.codec.scaling
        x_hat = scaling.as_picture(torch.from_numpy(np.ascontiguousarray(subject.reconstructions[order]))).numpy()
        shown = pictures_of(subject.test.take(order), scaling).pixels, x_hat, mse[order]
        names = None if subject.test.names is None else [subject.test.names[i] for i in order]
        panels["reconstruction-worst"] = partial(figures.worst, *shown, names=names)
    else:
        few, x_hat = subject.test.take(order), subject.reconstructions[order]
        title = "The examples with the largest error"
        panels["reconstruction-worst"] = partial(examples, subject.codec, few, x_hat, title)
    return panels
