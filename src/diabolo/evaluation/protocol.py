"""Fréchet distances by named protocols: numbers that others can find again."""

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.codec import at_once
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.data.portable_random import permutation
from diabolo.evaluation.generated import every_kind, ordered
from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.protocols import PROTOCOLS, Protocol
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import pieces
from diabolo.latents.densities import PRIOR
from diabolo.metrics.score import Score
from diabolo.ranges import OneOf

SEED = 0  # of what a protocol draws, whatever the seed of the evaluation
STEP = 1 / 255


@measure(
    {one.title: 50 + i for i, one in enumerate(PROTOCOLS.values())},
    protocol=f"Fréchet distances by named protocols: {', '.join(PROTOCOLS)}.",
)
def protocols(subject: Subject, *, protocol: Annotated[tuple[str, ...], OneOf(PROTOCOLS)] = ()) -> Section:
    """Fréchet distances of reconstructions or samples, by protocols that fix all that decides them; `setting` has all of it."""
    if not protocol:
        raise NotApplicable("none is named: --protocol rfid-10k, for instance")
    subject = subject.pictured
    subject = subject if subject.seed == SEED else replace(subject, seed=SEED)
    scores, skipped = dict[str, Score](), dict[str, str]()
    apart: dict[tuple[int, ...], float] = {}
    for name in dict.fromkeys(protocol):
        with standing_alone(name, skipped):
            one = PROTOCOLS[name]
            if one.batches not in apart:
                apart[one.batches] = independence(subject, one.batches)
            scores[one.title] = _measured(subject, one, apart[one.batches])
    return Section(scores, skipped=skipped)


def independence(subject: Subject, batches: tuple[int, ...]) -> float:
    """The largest difference between numbers of the reconstructions of a few test images, when so many of them go through the
    codec at once.

    Raises:
        NotApplicable: where it is larger than one step of 8 bits.
    """
    few, codec = subject.test.take(range(min(max(batches), len(subject.test)))), subject.codec
    found = []
    for n in batches:
        with at_once(n):
            made = [codec.reconstruct(some.tensor, column(some, codec.needs_column)) for some in pieces(few)]
        found.append(torch.cat(made).double())
    apart = max(float((one - found[0]).abs().max()) for one in found)
    if not apart <= STEP:
        raise NotApplicable(
            f"its reconstruction of an image depends on how many go through it at once (by up to {apart:.3g} in [0, 1]): the "
            "number would be that of a batch size"
        )
    return apart


def _measured(subject: Subject, one: Protocol, apart: float) -> Score:
    """The distance by the protocol `one`."""
    from diabolo.metrics import generation as measures

    reconstructs, real = one.compares == "reconstructions", subject.part(one.reference)
    if reconstructs and not subject.codec.reconstructs:
        raise NotApplicable("its decoder was not trained")
    n_real = one.n_real or len(real)
    if n_real > len(real):
        raise NotApplicable(
            f"it is of {n_real:,} {one.reference} images, and {real.name} ({real.split}) has {len(real):,}: take a protocol of "
            "fewer, or more images"
        )
    n = one.n or n_real
    chosen = _chosen(subject, one, real, n_real)
    taker = measures.extractor(one.extractor, subject.train, SEED)
    sha = str(taker.setting.get("weights_sha256", ""))
    if one.weights and not sha.startswith(one.weights):
        raise NotApplicable(
            f"the weights of the extractor {one.extractor} are not those of the protocol: their SHA-256 begins with "
            f"{sha[:8] or 'nothing that is known'}, not {one.weights}"
        )
    reference = measures.extract(taker, real.take(chosen).images)
    width = reference.values.shape[1]
    if min(n, n_real) <= width:
        raise NotApplicable(
            f"distances between {width:,} features need {width + 1:,} images or more on either side, not {n:,} and {n_real:,}"
        )
    kinds = dict(every_kind(subject, (PRIOR,), n))
    images, how = kinds["reconstruction" if reconstructs else PRIOR]()
    found = measures.fid(
        measures.extract(taker, images).values, reference.values, np.arange(n) if reconstructs else None
    )
    size = "×".join(map(str, real.shape))
    setting: dict[str, Any] = {**taker.setting, **one.record(real), **how, "n_generated": len(images), "n_real": n_real}
    setting |= {"size": size, "split": real.split, "differs by batch": apart, "seed": SEED, "features": width}
    if one.n_real is None or n_real == len(real):
        setting["fingerprint"] = real.fingerprint
    return Score(
        found.value, f"squared distance of {taker.name} features of {size} pixels", len(images), real.split, found.low,
        found.high, "± 1.96 standard errors, from what each image adds", "lower", setting,
    )  # fmt: skip


def _chosen(subject: Subject, one: Protocol, real: Images, n: int) -> NDArray[np.int64]:
    """The reference images: those that are reconstructed, in their order; else all, or so many drawn."""
    if one.compares == "reconstructions":
        return ordered(subject)[:n]
    return np.arange(n) if n == len(real) else permutation(len(real), SEED)[:n]
