"""Whether units of the code stand for the factors that the images were made from."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from diabolo.evaluation.measure import NotApplicable, Section, measure
from diabolo.evaluation.posterior import units_in_use
from diabolo.evaluation.subject import Subject
from diabolo.evaluation.views import is_told
from diabolo.metrics import disentanglement as measures
from diabolo.metrics.disentanglement.dci import FITTED, TREES
from diabolo.metrics.disentanglement.factor_vae import GROUP, VOTES
from diabolo.metrics.score import Score
from diabolo.ranges import Plural

MOST = 256  # units


@measure(factor_bins="Into how many bins a unit or a factor is cut, where it has more different values than that.")
def disentanglement(subject: Subject, *, factor_bins: Plural = 20) -> Section:
    """MIG (Chen et al. 2018, arXiv 1802.04942), SAP (Kumar et al. 2018, arXiv 1711.00848), DCI (Eastwood & Williams 2018), the
    FactorVAE score (Kim & Mnih 2018, arXiv 1802.05983) and modularity (Ridgeway & Mozer 2018, arXiv 1802.05312) of the codes,
    for images whose factors are known. Factors that are angles, as hues are, count as numbers from one end to the other.

    Units that are idle (the mean of the posterior hardly varies) or dead are left out: each of these scores takes every unit in
    a scale of its own, in which they would speak as loudly as the others."""
    from diabolo import figures

    train, test, names = subject.train.factors, subject.test.factors, subject.test.factor_names
    if train is None or test is None or names is None:
        raise NotApplicable("it is not known what factors these images were made from")
    if is_told(subject.codec, "factors"):
        raise NotApplicable("the encoder is given the factors: its codes say nothing about finding them")
    if factor_bins < 2:
        raise NotApplicable(f"a factor is cut into two bins or more, not {factor_bins}")
    varies = np.flatnonzero((train.min(0) < train.max(0)) & (test.min(0) < test.max(0)))
    codes, test_codes = subject.codes("train"), subject.codes("test")
    size = codes.shape[1]
    used = np.flatnonzero(units_in_use(subject.codec, codes))
    codes, test_codes = codes[:, used], test_codes[:, used]
    if len(varies) < 2 or not 2 <= codes.shape[1] <= MOST:
        raise NotApplicable(
            f"{len(varies)} factors vary and the code has {len(used)} units in use: it takes two of each, {MOST} units at most"
        )
    factors, train, test = [names[k] for k in varies], train[:, varies], test[:, varies]
    n, split, seed = len(test), subject.test.split, subject.seed
    cut = measures.binned(test, factor_bins)
    matrix = measures.mutual_information_matrix(measures.binned(test_codes, factor_bins), cut)
    gap = measures.mig(matrix, measures.entropies(cut))
    alone = measures.modularity(matrix)
    first = np.random.default_rng(seed).permutation(len(codes))[:FITTED]
    read = measures.separability(codes[first], train[first], test_codes, test)
    found = measures.dci(codes[first], train[first], test_codes, test, seed)
    separated = measures.sap(read)
    vote = measures.factor_vae_score(test_codes, test, bins=factor_bins, seed=seed)
    of = {
        "factors": len(factors),
        "units": f"{len(used)} of {size}, the others hardly vary" if len(used) < size else size,
    }
    bins, fitted = {"bins": factor_bins} | of, {"fitted_to": len(first)} | of
    forests = fitted | {"by": f"random forests of {TREES} trees", "seed": seed}

    def score(value: Any, unit: str, setting: Mapping[str, Any], detail: Any = None) -> Score:
        return Score(float(value), unit, n, split, better="higher", setting=setting, detail=detail)

    def by_factor(values: np.ndarray) -> dict[str, float]:
        return {name: round(float(value), 4) for name, value in zip(factors, values, strict=True)}

    scale = "0 to 1"
    scores = {
        "MIG": score(gap.mean(), scale, bins, by_factor(gap)),
        "SAP": score(separated.mean(), scale, fitted, by_factor(separated)),
        "DCI disentanglement": score(found.disentanglement, scale, forests),
        "DCI completeness": score(found.completeness, scale, forests),
        "DCI informativeness": score(
            np.nanmean(found.informativeness),
            "share of a constant's error saved",
            forests,
            by_factor(found.informativeness),
        ),
        "FactorVAE score": score(
            vote,
            "share of votes",
            bins | {"votes": VOTES, "images_in_a_group": GROUP, "chance": 1 / len(factors), "seed": seed},
        ),
        "modularity": score(np.nanmean(alone) if np.isfinite(alone).any() else 0.0, scale, bins),
    }
    units = [f"z{i + 1}" for i in used]
    panels = {
        "dci-importance": partial(
            figures.matrix, found.importance, units, factors, "factor", "unit", title="Importance (DCI)"
        ),
        "mutual-information": partial(
            figures.matrix,
            matrix,
            units,
            factors,
            "factor",
            "unit",
            title="Mutual information of unit and factor (nats)",
        ),
    }
    return Section(scores, panels if codes.shape[1] <= 64 else {})
