"""Whatever one score dies of, the others of its measure stand, and the reason for the one is told."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from diabolo import zoo
from diabolo.data import Images
from diabolo.evaluation import NotApplicable, Subject, evaluate
from diabolo.evaluation.disentanglement import disentanglement
from diabolo.evaluation.usage import usage

N = 60


@pytest.fixture(scope="module")
def pair():
    """Training and test images with labels, factors and attributes."""
    random = np.random.default_rng(0)

    def images(split):
        factors = np.stack([np.arange(N) % 3, np.arange(N) % 4], 1).astype(np.float32)
        x = random.integers(0, 256, (N, 1, 12, 12), dtype=np.uint8)
        x[:, 0, 0, :3] = 80 * factors[:, :1]
        return Images(
            x, name="noise", split=split, labels=np.arange(N) % 3, factors=factors, factor_names=("a", "b"),
            attributes=factors > 1, attribute_names=("c", "d"),
        )  # fmt: skip

    return images("train"), images("test")


@pytest.fixture(scope="module")
def models():
    return {
        "vae": zoo.vae((1, 12, 12), latent_dim=3, hidden=(8,)),
        "undercomplete": zoo.undercomplete((1, 12, 12), latent_dim=3, hidden=(8,)),
        "vqvae": zoo.build("vqvae", (1, 12, 12), latent_dim=2, width=4, residual_width=4, codes=8),
    }


# measure, model, what fails within it, what is told of it, a score that stands all the same
CASES = [
    ("disentanglement", "undercomplete", "metrics.disentanglement.mig", "MIG", "SAP"),
    ("disentanglement", "undercomplete", "metrics.disentanglement.separability", "SAP", "MIG"),
    ("disentanglement", "undercomplete", "metrics.disentanglement.dci", "DCI", "FactorVAE score"),
    ("disentanglement", "undercomplete", "metrics.disentanglement.factor_vae_score", "FactorVAE score", "modularity"),
    ("disentanglement", "undercomplete", "metrics.disentanglement.modularity", "modularity", "MIG"),
    ("disentanglement", "undercomplete", "metrics.disentanglement.mutual_information_matrix", "MIG", "SAP"),
    ("likelihood", "vae", "evaluation.likelihood.nll", "NLL", "negative ELBO per dimension"),
    ("likelihood", "vae", "evaluation.likelihood.elbo_terms", "negative ELBO", "NLL per dimension"),
    ("clustering", "undercomplete", "evaluation.clustering.different", "k-means: codes", None),
    ("usage", "vae", "evaluation.usage.mutual_information", "I(x; z)", "active units"),
    ("usage", "vae", "evaluation.usage.effective_dimensions", "effective dimensions", "I(x; z) at most"),
    ("usage", "undercomplete", "evaluation.usage.live_units", "live units", "duplicate units"),
    ("usage", "undercomplete", "evaluation.usage.of_units", "duplicate units", "effective dimensions"),
    ("usage", "vqvae", "evaluation.usage.codebook_use", "used codes", "duplicate codes"),
    ("usage", "vqvae", "evaluation.usage.duplicate_codes", "duplicate codes", "perplexity"),
    ("prior_hole", "vae", "evaluation.prior_hole.frechet_to_normal", "Fréchet distance to N(0, I)", "MMD to N(0, I)"),
    ("prior_hole", "vae", "evaluation.prior_hole.mmd_to_normal", "MMD to N(0, I)", "mean of a unit"),
    ("prior_hole", "vae", "evaluation.prior_hole.mutual_information", "parts of the KL term", "deviation of a unit"),
    ("interpolation", "undercomplete", "latents.along_data", "along data", "spherical: length"),
    ("interpolation", "undercomplete", "latents.spherical", "spherical", "along data: length"),
    ("cost", "undercomplete", "evaluation.cost.flops", "encode: operations", "decode: speed"),
    ("cost", "undercomplete", "evaluation.cost.pace", "decode: speed", "parameters"),
    ("cost", "undercomplete", "evaluation.cost.peak_bytes", "encode: memory", "encode: speed"),
    ("rate", "vae", "evaluation.rate.kl_to_standard_normal", "KL", "stored code"),
    ("reconstruction", "undercomplete", "metrics.reconstruction.ssim", "SSIM", "MSE"),
]
QUICK = {
    "importance_samples": 5, "nll_images": 20, "elbo_samples": 2, "pairs": 4, "steps": 3, "path_neighbours": 3,
    "cost_images": 8, "cost_repeats": 1, "posterior_draws": 20,
}  # fmt: skip


@pytest.mark.parametrize(("measure", "model", "within", "told", "stands"), CASES, ids=[case[2] for case in CASES])
def test_of_one_measure(measure, model, within, told, stands, pair, models, monkeypatch, caplog):
    def failing(*_, **__):
        raise ZeroDivisionError("by chance")

    if measure == "disentanglement" and not within.endswith("dci"):  # a hundred trees take a second
        monkeypatch.setattr("diabolo.metrics.disentanglement.dci", failing)
    monkeypatch.setattr(f"diabolo.{within}", failing)
    with caplog.at_level(logging.DEBUG, "diabolo"):
        found = evaluate(models[model], pair, (measure, "rate"), **QUICK)
    logged = {record.getMessage(): record for record in caplog.records if record.exc_info}
    assert logged[f"{told} failed"].exc_info[0] is ZeroDivisionError
    assert logged[f"{told} failed"].levelno == logging.DEBUG
    assert found.skipped[f"{measure}: {told}" if stands else measure] == "unexpected ZeroDivisionError: by chance"
    assert not [name for name in found.sections.get(measure, found["rate"]).scores if name.startswith(f"{told} ")]
    if stands:
        assert np.isfinite(found[measure].scores[stands].value)
        for name, panel in found[measure].panels.items():
            assert panel(), name


def test_settings_of_disentanglement(pair, models, monkeypatch):
    """Of two units that are in use, and one beside them that is not."""
    found = SimpleNamespace(
        disentanglement=0.1, completeness=0.2, informativeness=np.array([0.3, np.nan]), importance=np.eye(2)
    )
    monkeypatch.setattr("diabolo.metrics.disentanglement.dci", lambda *_: found)
    monkeypatch.setattr("diabolo.metrics.disentanglement.modularity", lambda _: np.full(2, np.nan))
    train, test = pair
    own = {"train": train.factors, "test": test.factors}
    idle = {part: np.concatenate([z, 1e-4 * z[:, :1]], 1) for part, z in own.items()}
    for codes, units in ((own, 2), (idle, "2 of 3, the others hardly vary")):
        subject = Subject(models["undercomplete"], train, test, seed=5, _codes=codes)
        scores = disentanglement(subject, factor_bins=4).scores
        of = {"factors": 2, "units": units}
        forests = {"fitted_to": N} | of | {"by": "random forests of 10 trees", "seed": 5}
        votes = {"votes": 800, "images_in_a_group": 64, "chance": 0.5, "seed": 5}
        assert {name: dict(score.setting) for name, score in scores.items()} == {
            "MIG": {"bins": 4} | of,
            "SAP": {"fitted_to": N} | of,
            "DCI disentanglement": forests,
            "DCI completeness": forests,
            "DCI informativeness": forests,
            "FactorVAE score": {"bins": 4} | of | votes,
            "modularity": {"bins": 4} | of,
        }
        assert (scores["modularity"].value, scores["DCI informativeness"].value) == (0, 0.3)
        assert {(score.n, score.split, score.better) for score in scores.values()} == {(N, "test", "higher")}


@pytest.mark.parametrize(("size", "drawn"), [(1, None), (2, True), (64, True), (65, False), (256, False), (257, None)])
def test_limits_of_disentanglement(size, drawn, pair, models, monkeypatch):
    def failing(*_, **__):
        raise ZeroDivisionError("by chance")

    for slow in ("dci", "separability", "factor_vae_score"):
        monkeypatch.setattr(f"diabolo.metrics.disentanglement.{slow}", failing)
    codes = {part: np.random.default_rng(0).standard_normal((N, size)) for part in ("train", "test")}
    subject = Subject(models["undercomplete"], *pair, _codes=codes)
    if drawn is None:
        with pytest.raises(NotApplicable, match=f"2 factors vary and the code has {size} units in use"):
            disentanglement(subject)
        return
    section = disentanglement(subject)
    assert set(section.scores) == {"MIG", "modularity"}
    assert set(section.panels) == ({"mutual-information"} if drawn else set())


def test_codes_that_repeat_another_are_counted(pair):
    model = zoo.build("vqvae", (1, 12, 12), latent_dim=2, width=4, residual_width=4, codes=8)
    vectors = np.array([[0, 0], [5, 1], [0, 0], [2, 9], [5, 1], [9, 9], [0, 0], [9, 0]], np.float32)
    with torch.no_grad():
        model.bottleneck.vectors.copy_(torch.from_numpy(vectors))
    score = usage(Subject(model, *pair)).scores["duplicate codes"]
    assert (score.value, score.unit, score.n, score.better) == (3, "of 8 codes", N, "lower")
