"""Whether units of the code stand for the factors that the images were made from."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from diabolo.evaluation.baselines import is_told
from diabolo.evaluation.measure import NotApplicable, Panel, Section, measure, standing_alone
from diabolo.evaluation.posterior import units_in_use
from diabolo.evaluation.subject import Subject
from diabolo.metrics import disentanglement as measures
from diabolo.metrics.disentanglement.scores import FITTED, GROUP, TREES, VOTES
from diabolo.metrics.score import Score
from diabolo.ranges import Plural

MOST = 256  # units
DRAWN = 64  # units up to which they are drawn


@measure(
    {"MIG": 50},
    factor_bins="Into how many bins a unit or a factor is cut, where it has more different values than that.",
)
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
    first = np.random.default_rng(seed).permutation(len(codes))[:FITTED]
    examples = codes[first], train[first], test_codes, test
    of = {
        "factors": len(factors),
        "units": f"{len(used)} of {size}, the others hardly vary" if len(used) < size else size,
    }
    bins, fitted = {"bins": factor_bins} | of, {"fitted_to": len(first)} | of
    forests = fitted | {"by": f"random forests of {TREES} trees", "seed": seed}
    scale, units = "0 to 1", [f"z{i + 1}" for i in used]
    scores, panels, skipped = dict[str, Score](), dict[str, Panel](), dict[str, str]()

    @cache
    def cut() -> np.ndarray:
        return measures.binned(test, factor_bins)

    @cache
    def information() -> np.ndarray:
        return measures.mutual_information_matrix(measures.binned(test_codes, factor_bins), cut())

    def score(value: Any, unit: str, setting: Mapping[str, Any], detail: Any = None) -> Score:
        return Score(float(value), unit, n, split, better="higher", setting=setting, detail=detail)

    def by_factor(values: np.ndarray) -> dict[str, float]:
        return {name: round(float(value), 4) for name, value in zip(factors, values, strict=True)}

    def draw(name: str, values: np.ndarray, title: str) -> None:
        if len(units) <= DRAWN:
            panels[name] = partial(figures.matrix, values, units, factors, "factor", "unit", title=title)

    with standing_alone("MIG", skipped):
        gap = measures.mig(information(), measures.entropies(cut()))
        scores["MIG"] = score(gap.mean(), scale, bins, by_factor(gap))
    with standing_alone("SAP", skipped):
        separated = measures.sap(measures.separability(*examples))
        scores["SAP"] = score(separated.mean(), scale, fitted, by_factor(separated))
    with standing_alone("DCI", skipped):
        found = measures.dci(*examples, seed)
        saved = "share of a constant's error saved"
        scores["DCI disentanglement"] = score(found.disentanglement, scale, forests)
        scores["DCI completeness"] = score(found.completeness, scale, forests)
        read = found.informativeness
        scores["DCI informativeness"] = score(np.nanmean(read), saved, forests, by_factor(read))
        draw("dci-importance", found.importance, "Importance (DCI)")
    with standing_alone("FactorVAE score", skipped):
        votes = {"votes": VOTES, "images_in_a_group": GROUP, "chance": 1 / len(factors), "seed": seed}
        share = measures.factor_vae_score(test_codes, test, bins=factor_bins, seed=seed)
        scores["FactorVAE score"] = score(share, "share of votes", bins | votes)
    with standing_alone("modularity", skipped):
        alone = measures.modularity(information())
        scores["modularity"] = score(np.nanmean(alone) if np.isfinite(alone).any() else 0.0, scale, bins)
        draw("mutual-information", information(), "Mutual information of unit and factor (nats)")
    return Section(scores, panels, skipped)
