"""A held-out class: found, told from the others, and refused where the model has seen it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score

from diabolo import zoo
from diabolo.data import load
from diabolo.evaluation import NotApplicable, Subject, evaluate
from diabolo.evaluation.anomaly import _held_out, anomaly
from diabolo.training.fit import fit


@pytest.fixture(scope="module")
def digits():
    return load("digits", without_class=0)


@pytest.fixture(scope="module")
def pca(digits):
    model = zoo.pca(digits[0].shape, latent_dim=10)
    model.solve(digits[0].images)
    return model


def test_zeros_are_told_from_digits_by_pca(digits, pca):
    section = anomaly(Subject(pca, *digits))
    train, test = digits
    odd = test.labels == 0
    x = torch.from_numpy(test.images)
    error = (pca.reconstruct(x) - x / 255).square().mean((1, 2, 3)).double().numpy()
    score = section.scores["AUROC: reconstruction error"]
    assert score.value == pytest.approx(roc_auc_score(odd, error), abs=1e-4)
    assert score.value > 0.7
    assert score.low < score.value <= score.high
    assert score.setting["anomalous"] == "0"
    codes = pca.encode(torch.from_numpy(train.images)).double().numpy()
    density = multivariate_normal(codes.mean(0), np.cov(codes, rowvar=False))
    wanted = roc_auc_score(odd, -density.logpdf(pca.encode(x).double().numpy()))
    assert section.scores["AUROC: latent density"].value == pytest.approx(wanted, abs=1e-3)
    assert section.scores["AUPRC: latent density"].setting["chance"] == pytest.approx(odd.mean())
    assert "AUROC: negative ELBO" not in section.scores
    for panel in section.panels.values():
        assert panel().axes


def test_a_vae_has_its_bound_too_and_discrete_codes_no_density(digits, tiny_model):
    scores = anomaly(Subject(tiny_model("vae"), *digits), elbo_samples=2).scores
    assert {"AUROC: reconstruction error", "AUROC: negative ELBO", "AUROC: latent density"} <= set(scores)
    assert scores["AUROC: negative ELBO"].setting["draws"] == 2
    torch.manual_seed(0)
    model = zoo.vqvae(digits[0].shape, latent_dim=3, codes=16, width=8, residual_width=4)
    scores = anomaly(Subject(model, *digits)).scores
    assert set(scores) == {"AUROC: reconstruction error", "AUPRC: reconstruction error"}
    assert "discrete" in scores["AUROC: reconstruction error"].setting["latent density left out"]


def test_a_class_that_training_saw_is_no_anomaly(digits, pca):
    with pytest.raises(NotApplicable, match=r"class 3 is among the training images.*--without-class 3"):
        anomaly(Subject(pca, *digits), anomalous=3)
    every = load("digits")
    with pytest.raises(NotApplicable, match="no class was held out: train with --without-class"):
        anomaly(Subject(pca, *every))
    with pytest.raises(NotApplicable, match="no class 11 in the test images of digits; the classes are 0, 1"):
        anomaly(Subject(pca, *digits), anomalous=11)


def test_a_run_trained_on_other_images_is_not_measured_on_these(digits, tmp_path):
    every, _ = load("digits", n_train=100, n_test=40)
    run = fit(zoo.pca(every.shape, latent_dim=4), every, out=tmp_path, quiet=True)
    with pytest.raises(NotApplicable, match="trained on other images"):
        anomaly(Subject(run.model, *digits, run=run))


def test_a_run_knows_which_class_it_was_trained_without(digits, pca, tmp_path):
    run = fit(zoo.pca(digits[0].shape, latent_dim=10), *digits, out=tmp_path, quiet=True)
    found = evaluate(run.path, measures=["anomaly"])["anomaly"]
    assert found.scores == anomaly(Subject(run.model, *digits, run=run)).scores
    every = load("digits")
    run = fit(zoo.pca(every[0].shape, latent_dim=10), *every, out=tmp_path, quiet=True)
    with pytest.raises(NotApplicable, match="train with --without-class"):
        evaluate(run.path, measures=["anomaly"])


def test_unknown_labels_are_trusted_only_where_it_is_known_what_they_hide(digits, pca):
    train, test = digits
    few, _ = load("digits", without_class=0, n_labels=9)
    assert anomaly(Subject(pca, few, test)).scores  # the loader left the class out before it hid labels
    with pytest.raises(NotApplicable, match="whose label is not known may be of class 0"):
        anomaly(Subject(pca, replace(few, origin=None), test), anomalous=0)
    unlabelled = replace(train, labels=None, label_names=None)
    score = anomaly(Subject(pca, unlabelled, test), anomalous=0).scores["AUROC: reconstruction error"]
    assert "trust" in score.setting["held_out"]
    with pytest.raises(NotApplicable, match="no class was held out"):
        anomaly(Subject(pca, unlabelled, test))
    with pytest.raises(NotApplicable, match="have no labels"):
        anomaly(Subject(pca, train, replace(test, labels=None, label_names=None)), anomalous=0)


@pytest.mark.parametrize(("odd", "others", "enough"), [(2, 2, True), (1, 3, False), (3, 1, False), (2, 1, False)])
def test_two_of_each_are_needed(digits, pca, odd, others, enough):
    train, test = digits
    zeros, rest = np.flatnonzero(test.labels == 0)[:odd], np.flatnonzero(test.labels != 0)[:others]
    labels = test.labels.copy()
    few = replace(test, labels=labels).take(np.concatenate([zeros, rest, np.flatnonzero(test.labels != 0)[-3:]]))
    few.labels[-3:] = -1  # which count for neither
    subject = Subject(pca, train, few)
    if enough:
        score = anomaly(subject, anomalous="0").scores["AUROC: reconstruction error"]
        assert (score.n, score.setting["anomalous_images"]) == (4, 2)
    else:
        with pytest.raises(NotApplicable, match=f"{odd} test images .* class 0, and {others} of others; two of each"):
            anomaly(subject, anomalous="0")


def test_a_class_held_out_is_found_by_itself_only_where_it_is_one(digits, pca):
    train, test = digits
    assert _held_out(Subject(pca, train, test)) == 0
    for missing in (train.take(train.labels != 1), replace(train, labels=None, label_names=None)):
        with pytest.raises(NotApplicable, match="no class was held out"):
            _held_out(Subject(pca, missing, test))
    with pytest.raises(NotApplicable, match="no class was held out"):
        _held_out(Subject(pca, train, test.take(test.labels != 0)))
    blank = Subject(pca, replace(train, labels=None, label_names=None), test)
    setting = anomaly(blank, anomalous="0").scores["AUPRC: reconstruction error"].setting
    assert setting["held_out"] == "on trust: the training images have no labels"
    assert setting["chance"] == pytest.approx((test.labels == 0).mean())
    assert "held_out" not in anomaly(Subject(pca, train, test)).scores["AUROC: latent density"].setting
