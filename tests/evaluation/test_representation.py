"""The measures of what codes are good for and how they are used, as `evaluate` runs them: on digits and drawn faces."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import diabolo
from diabolo import data, zoo
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.attributes import attributes
from diabolo.evaluation.clustering import clustering
from diabolo.evaluation.disentanglement import disentanglement
from diabolo.evaluation.few_labels import few_labels
from diabolo.evaluation.prior_hole import prior_hole
from diabolo.evaluation.probes import probes
from diabolo.evaluation.usage import usage


def pca(images, size):
    model = zoo.build("pca", images.shape, latent_dim=size)
    model.solve(images.images)
    return model


@pytest.fixture(scope="module")
def digits():
    train, test = data.load("digits")
    return Subject(pca(train, 8), train, test)


@pytest.fixture(scope="module")
def faces():
    train, test = data.load("faces", n_train=600, n_test=300)
    return Subject(pca(train, 6), train, test)


@pytest.fixture(scope="module")
def vae(digits):
    torch.manual_seed(0)
    return zoo.build("vae", digits.train.shape, latent_dim=4, hidden=(16,))


def values(section):
    return {name: score.value for name, score in section.scores.items()}


def test_probes_of_pca_are_those_of_pca_of_the_same_size(digits):
    section = probes(digits)
    found = values(section)
    assert found["linear probe: codes"] == pytest.approx(found["linear probe: PCA-8"], abs=0.01)
    assert found["linear probe: codes"] == pytest.approx(found["linear probe: codes (scikit-learn)"], abs=0.02)
    assert found["linear probe: pixels"] > found["linear probe: codes"] > found["majority class"]
    assert found["5 nearest neighbours: codes"] == pytest.approx(found["5 nearest neighbours: PCA-8"], abs=0.01)
    for score in section.scores.values():
        assert score.low < score.value < score.high
        assert (score.interval, score.n, score.split) == ("Wilson", len(digits.test), "test")


def test_probes_without_floors_are_the_same_probes_of_the_codes(digits):
    alone, all_of_them = values(probes(digits, probe_floors=False)), values(probes(digits))
    assert set(alone) == {"linear probe: codes", "5 nearest neighbours: codes", "majority class"}
    assert all(all_of_them[name] == value for name, value in alone.items())


def test_the_seed_changes_no_probe(digits):
    assert values(probes(replace(digits, seed=1))) == values(probes(digits))


def test_labels_that_are_not_known_are_left_out(digits):
    few = replace(digits, train=digits.train.keep_labels(200), test=digits.test.keep_labels(50))
    section = probes(few)
    assert {score.n for score in section.scores.values()} == {50}
    assert section.scores["linear probe: codes"].setting["trained_on"] == 200


def test_without_labels_there_is_no_probe(digits):
    blank = Subject(digits.codec, replace(digits.train, labels=None, label_names=None), digits.test)
    for measure in (probes, few_labels, clustering):
        with pytest.raises(NotApplicable, match="0 classes"):
            measure(blank)


def test_codes_of_an_encoder_that_was_told_the_label_are_not_probed(digits):
    model = zoo.build("cvae", digits.train.shape, latent_dim=4, hidden=(16,), classes=10)
    for measure in (probes, few_labels, clustering):
        with pytest.raises(NotApplicable, match="told the label"):
            measure(replace(digits, codec=model))


def test_codes_that_are_no_numbers_are_refused(digits):
    broken = replace(
        digits, _codes={"train": digits.codes("train"), "test": np.full_like(digits.codes("test"), np.nan)}
    )
    with pytest.raises(DiaboloError, match=r"360 codes of digits .test. hold NaN"):
        probes(broken)


def test_fewer_labels_than_neighbours(digits):
    few = replace(digits, train=digits.train.take([0, 1, 2, 3]), _codes={})
    with pytest.raises(NotApplicable, match="5 neighbours are asked for, and 4 training images have a label"):
        probes(few)
    assert "3 nearest neighbours: codes" in probes(few, probe_neighbours=3).scores


def test_more_labels_tell_more(digits):
    section = few_labels(digits, few_labels=(5, 10, 100, 1000, 10**6), label_draws=4)
    found = values(section)
    assert set(found) == {f"{n} labels: {name}" for n in (10, 100, 1000) for name in ("codes", "pixels", "PCA-8")}
    for name in ("codes", "pixels", "PCA-8"):
        assert found[f"10 labels: {name}"] < found[f"100 labels: {name}"] < found[f"1000 labels: {name}"]
    score = section.scores["100 labels: codes"]
    assert score.value == pytest.approx(np.mean(score.detail))
    assert score.low < score.value < score.high
    assert values(few_labels(digits, few_labels=(10,), label_draws=4))["10 labels: codes"] == found["10 labels: codes"]


def test_sizes_that_cannot_be_drawn(digits):
    with pytest.raises(NotApplicable, match="none of"):
        few_labels(digits, few_labels=(3,))
    with pytest.raises(DiaboloError, match="label_draws must be a whole number of at least 2"):
        few_labels(digits, label_draws=1)


def test_clusters_find_digits_better_than_chance(digits):
    found = values(clustering(digits))
    assert 0.4 < found["k-means NMI: codes"] < 1
    assert 0.3 < found["k-means ARI: codes"] < 1


def test_usage_of_a_vae_adds_up(digits, vae):
    section = usage(replace(digits, codec=vae, _codes={}))
    kl = section.scores["KL"]
    assert kl.value == pytest.approx(sum(kl.detail))
    assert 0 <= section.scores["I(x; z) at least"].value <= kl.value
    assert section.scores["active units"].value == sum(section.scores["active units"].detail)
    assert section.scores["KL"].unit == "nats per image"


def test_usage_of_deterministic_codes_and_of_a_codebook(digits):
    assert values(usage(digits))["live units"] == 8
    train, test = data.load("patches", n_train=60, n_test=40)
    model = zoo.build("vqvae", train.shape, latent_dim=4, codes=8)
    codebook = Subject(model, train, test)
    found = values(usage(codebook))
    assert found["used codes"] + found["dead codes"] == 8
    assert 1 <= found["perplexity"] <= found["used codes"]
    assert found["entropy"] == pytest.approx(np.log2(found["perplexity"]))
    with pytest.raises(NotApplicable, match="discrete"):
        prior_hole(codebook)


def test_the_prior_hole_of_draws_of_the_prior_and_of_pca(digits, vae):
    hole = prior_hole(digits).scores["Fréchet distance to N(0, I)"]
    assert hole.value > 10 * hole.setting["of_as_many_prior_draws"]
    assert "deterministic" in hole.setting["codes"]
    found = values(prior_hole(replace(digits, codec=vae, _codes={})))
    assert found["KL of the aggregated posterior at least"] <= found["KL of the aggregated posterior at most"]
    assert found["KL of its units"] <= found["KL of the aggregated posterior at least"] + 1e-9


def test_attributes_of_drawn_faces(faces):
    section = attributes(faces, shown_attributes=("Smiling",))
    found = values(section)
    assert found["mean accuracy: pixels"] > found["mean accuracy: majority"]
    assert found["mean balanced accuracy: majority"] == pytest.approx(0.5)
    assert found["mean accuracy: codes"] == pytest.approx(found["mean accuracy: PCA-6"], abs=0.03)
    smiling = section.scores["Smiling: pixels"]
    assert smiling.low < smiling.value < smiling.high
    assert "Smiling" in section.scores["mean accuracy: codes"].detail


def test_attributes_that_do_not_exist_or_never_vary(faces):
    with pytest.raises(UnknownNameError, match="did you mean 'Smiling'"):
        attributes(faces, shown_attributes=("Smilling",))
    column = faces.train.attribute_names.index("Wearing_Hat")
    bare = replace(faces, train=faces.train.take(~faces.train.attributes[:, column]), _codes={})
    with pytest.raises(DiaboloError, match="Wearing_Hat is the same for all"):
        attributes(bare, shown_attributes=("Wearing_Hat",))
    section = attributes(bare)
    assert section.scores["mean accuracy: codes"].setting["constant_and_left_out"] == ["Wearing_Hat"]
    assert "Wearing_Hat" not in section.scores["mean accuracy: codes"].detail


def test_disentanglement_of_the_factors_themselves_and_of_pca(faces):
    own = {part: faces.part(part).factors for part in ("train", "test")}
    perfect, entangled = values(disentanglement(replace(faces, _codes=own))), values(disentanglement(faces))
    for name in ("DCI disentanglement", "DCI completeness", "FactorVAE score", "modularity", "MIG", "SAP"):
        assert perfect[name] > 0.7  # of 300 images, mutual information is overestimated throughout
        assert perfect[name] > entangled[name]
    assert perfect["DCI informativeness"] > 0.9


def test_measures_say_why_they_do_not_apply(digits):
    with pytest.raises(NotApplicable, match="no attributes"):
        attributes(digits)
    with pytest.raises(NotApplicable, match="what factors"):
        disentanglement(digits)


def test_evaluate_runs_them_by_name_and_every_panel_can_be_drawn(faces):
    asked = ["attributes", "usage", "prior_hole", "disentanglement"]
    evaluation = diabolo.evaluate(faces.codec, (faces.train, faces.test), asked)
    assert list(evaluation.sections) == asked
    panels = {name: panel for section in evaluation.sections.values() for name, panel in section.panels.items()}
    assert set(panels) == {"attributes", "prior-hole", "dci-importance", "mutual-information"}
    for panel in panels.values():
        assert panel().axes


def test_vectors_are_probed_as_images_are():
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 300).astype(np.int64)
    x = np.clip(random.random((300, 12)) * 0.3 + np.eye(12)[y] * 0.6, 0, 1).astype(np.float32)
    train, test = (
        Images(x[part], labels=y[part], split=name) for part, name in ((slice(200), "train"), (slice(200, 300), "test"))
    )
    assert values(probes(Subject(pca(train, 2), train, test)))["linear probe: codes"] > 0.9
