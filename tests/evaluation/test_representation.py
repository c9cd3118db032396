"""The measures of what codes are good for and how they are used, as `evaluate` runs them: on digits and drawn faces."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier

import diabolo
from diabolo import bottlenecks, data, zoo
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.attributes import attributes
from diabolo.evaluation.baselines import views
from diabolo.evaluation.clustering import clustering
from diabolo.evaluation.disentanglement import disentanglement
from diabolo.evaluation.few_labels import few_labels
from diabolo.evaluation.prior_hole import _surgery, prior_hole
from diabolo.evaluation.probes import _parts, probes
from diabolo.evaluation.usage import draw, usage
from diabolo.metrics import disentanglement as measures
from diabolo.metrics.information import frechet_to_normal, mmd_to_normal
from diabolo.metrics.probes import common_scale
from diabolo.randomness import Draws, derive, generator
from diabolo.statistics import mean_interval, wilson


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


@pytest.fixture(scope="module")
def collapsed(digits):
    """A linear encoder whose posterior is precise in eight units; in eight more the mean is a hundredth of what the pixels say,
    beneath a noise of 1, which is what a unit looks like that the KL term has emptied."""
    torch.manual_seed(0)
    model = zoo.build("vae", digits.train.shape, latent_dim=16, hidden=())
    x = digits.train.images.reshape(len(digits.train), -1) / 255
    _, _, axes = np.linalg.svd(x - x.mean(0), full_matrices=False)
    rows = torch.from_numpy(axes[:16]).float() / torch.tensor([1.0] * 8 + [100.0] * 8)[:, None]
    with torch.no_grad():
        layer = model.bottleneck.to_posterior
        layer.weight.zero_()
        layer.weight[:16] = rows
        layer.bias[:16] = -rows @ torch.from_numpy(x.mean(0)).float()
        layer.bias[16:] = torch.tensor([-8.0] * 8 + [0.0] * 8)
    return replace(digits, codec=model, _codes={})


def test_idle_units_are_not_read_as_if_the_decoder_saw_them(collapsed):
    section = probes(collapsed)
    found = values(section)
    means = collapsed.codes("train")
    scale = float(np.sqrt(means.var(0).mean()))
    other = LogisticRegression(max_iter=5000).fit(means / scale, collapsed.train.labels)
    wanted = (other.predict(collapsed.codes("test") / scale) == collapsed.test.labels).mean()
    assert found["linear probe: codes"] == pytest.approx(wanted, abs=0.004)
    assert found["linear probe: sampled codes"] < found["linear probe: active units"] + 0.01
    assert found["linear probe: idle units"] < found["linear probe: active units"]
    idle, drawn, codes = (
        section.scores[f"linear probe: {of}"].setting for of in ("idle units", "sampled codes", "codes")
    )
    assert (idle["numbers"], drawn["numbers"]) == (8, 16)
    assert idle["divided_by"] == codes["divided_by"] == pytest.approx(scale, rel=1e-5)
    assert (codes["of"], drawn["of"]) == ("means of q(z|x)", "one draw of q(z|x) for each image")
    assert usage(collapsed).scores["active units"].value == 8


def test_sampled_codes_are_drawn_once_for_each_image_from_its_posterior(collapsed):
    train, test = collapsed.sampled_codes
    assert (train.shape, test.shape) == ((len(collapsed.train), 16), (len(collapsed.test), 16))
    noise = (train - collapsed.codes("train")) / np.exp(np.repeat([-4.0, 0.0], 8))
    assert noise.mean(0) == pytest.approx(np.zeros(16), abs=0.12)
    assert noise.std(0) == pytest.approx(np.ones(16), abs=0.1)
    assert np.array_equal(train, collapsed.sampled_codes[0])
    assert not np.array_equal(train, replace(collapsed, seed=1).sampled_codes[0])
    assert replace(collapsed, codec=pca(collapsed.train, 4), _codes={}).sampled_codes is None


def test_all_neighbours_are_looked_for_on_the_same_images_drawn_by_the_seed(digits, monkeypatch):
    sorted_by_class = replace(digits, test=digits.test.take(np.argsort(digits.test.labels, kind="stable")), _codes={})
    whole = probes(sorted_by_class)
    monkeypatch.setattr(sys.modules["diabolo.evaluation.probes"], "SLOW", 100 * len(digits.train) * 64)
    drawn = probes(sorted_by_class)
    near = [score for name, score in drawn.scores.items() if "nearest" in name]
    assert [score.n for score in near] == [100, 100, 100]
    assert {score.setting["test_images"] for score in near} == {"100 of 360, drawn by seed 0"}
    chosen = np.sort(np.random.default_rng(0).permutation(360)[:100])
    truth = sorted_by_class.test.labels[chosen]
    assert len(set(truth.tolist())) == 10
    for name, view in sorted_by_class.views.items():
        other = KNeighborsClassifier(5, algorithm="brute").fit(view.train, sorted_by_class.train.labels)
        wanted = (other.predict(view.test[chosen]) == truth).mean()
        assert drawn.scores[f"5 nearest neighbours: {name}"].value == pytest.approx(wanted)
    monkeypatch.setattr(sys.modules["diabolo.evaluation.probes"], "SLOW", 1)
    least = probes(sorted_by_class, probe_floors=False)
    assert [score.n for name, score in least.scores.items() if "nearest" in name] == [1]
    assert {score.n for name, score in whole.scores.items() if "nearest" in name} == {360}
    assert not any("test_images" in score.setting for score in whole.scores.values())


def test_principal_components_are_those_of_the_training_images_alone(digits):
    moved = replace(digits.test, images=255 - digits.test.images)
    one, other = (views((digits.codes("train"),) * 2, digits.train, part, 0)["PCA-8"] for part in (digits.test, moved))
    assert np.array_equal(one.train, other.train)
    x = digits.train.images.reshape(len(digits.train), -1) / 255
    _, _, axes = np.linalg.svd(x - x.mean(0), full_matrices=False)
    wanted = (digits.test.images.reshape(len(digits.test), -1) / 255 - x.mean(0)) @ axes[:8].T
    assert np.abs(np.abs(one.test) - np.abs(wanted)).max() < 1e-4


def test_large_images_are_seen_by_principal_components_of_training_images_alone(faces, monkeypatch):
    monkeypatch.setattr(sys.modules["diabolo.evaluation.baselines"], "WHOLE", 100)
    monkeypatch.setattr(sys.modules["diabolo.evaluation.baselines"], "KEPT", 20)
    codes = faces.codes("train"), faces.codes("test")
    first = views(codes, faces.train, faces.test, 0)
    other = views(codes, faces.train, faces.test.take(np.arange(50)), 0)
    for name in ("pixels", "PCA-6"):
        assert np.array_equal(first[name].train, other[name].train)
        assert np.allclose(
            first[name].test[:50], other[name].test, atol=1e-4
        )  # a product's last bits depend on its rows


def test_clusters_are_fitted_to_training_codes_alone(digits):
    few = replace(digits, test=digits.test.take(np.arange(60)), _codes={})
    found = values(clustering(few))
    other = KMeans(10, n_init=4, random_state=0).fit(digits.codes("train"))
    labels = few.test.labels
    assert found["k-means NMI: codes"] == pytest.approx(
        normalized_mutual_info_score(labels, other.predict(few.codes("test"))), abs=1e-9
    )


def test_probes_without_floors_are_the_same_probes_of_the_codes(digits):
    alone, all_of_them = values(probes(digits, probe_floors=False)), values(probes(digits))
    assert set(alone) == {"linear probe: codes", "5 nearest neighbours: codes", "majority class"}
    assert all(all_of_them[name] == value for name, value in alone.items())


def test_what_each_image_adds_to_the_share_of_hits(digits):
    found = probes(digits, probe_floors=False).scores
    y, truth = digits.train.labels, digits.test.labels
    near = KNeighborsClassifier(5, algorithm="brute").fit(digits.codes("train"), y).predict(digits.codes("test"))
    assert found["5 nearest neighbours: codes"].shared == digits.shared(near == truth)
    assert found["majority class"].shared == digits.shared(truth == np.bincount(y).argmax())


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
        with pytest.raises(NotApplicable, match="given the label"):
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


def test_as_many_codes_as_clusters_are_enough(digits):
    one_of_each = [int(np.flatnonzero(digits.train.labels == label)[0]) for label in range(10)]
    few = replace(digits, train=digits.train.take(one_of_each), _codes={})
    assert clustering(few).scores["k-means NMI: codes"].setting["fitted_to"] == 10


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


def test_usage_of_deterministic_codes_and_of_a_codebook(digits, monkeypatch):
    assert values(usage(digits))["live units"] == 8
    train, test = data.load("patches", n_train=60, n_test=40)
    model = zoo.build("vqvae", train.shape, latent_dim=4, codes=8)
    codebook = Subject(model, train, test)
    found = values(usage(codebook))
    assert found["used codes"] + found["dead codes"] == 8
    assert 1 <= found["perplexity"] <= found["used codes"]
    assert found["entropy"] == pytest.approx(np.log2(found["perplexity"]))
    for most, listed in ((8, True), (7, False)):
        monkeypatch.setattr("diabolo.evaluation.usage.LISTED", most)
        assert ("duplicate codes" in usage(codebook).scores) == listed
        assert (usage(digits).scores["live units"].detail is not None) == listed
    with pytest.raises(NotApplicable, match="discrete"):
        prior_hole(codebook)


def test_the_prior_hole_of_draws_of_the_prior_and_of_pca(digits, vae):
    hole = prior_hole(digits).scores["Fréchet distance to N(0, I)"]
    assert hole.value > 10 * hole.setting["of_as_many_prior_draws"]
    assert "deterministic" in hole.setting["codes"]
    section = prior_hole(replace(digits, codec=vae, _codes={}))
    found = values(section)
    at_most, units = found["KL of the aggregated posterior at most"], section.scores["KL of its units"]
    assert found["total correlation at most"] == pytest.approx(at_most - units.value)
    assert units.value == pytest.approx(sum(units.detail))
    assert found["KL of the aggregated posterior at least"] <= found["KL of the aggregated posterior at most"]
    assert found["KL of its units"] <= found["KL of the aggregated posterior at least"] + 1e-9


@pytest.fixture(scope="module")
def read_off_faces(faces):
    return attributes(faces, shown_attributes=("Smiling",))


def test_attributes_of_drawn_faces(read_off_faces):
    section = read_off_faces
    found = values(section)
    assert found["mean accuracy: pixels"] > found["mean accuracy: majority"]
    assert found["mean balanced accuracy: majority"] == pytest.approx(0.5)
    assert found["mean accuracy: codes"] == pytest.approx(found["mean accuracy: PCA-6"], abs=0.03)
    smiling = section.scores["Smiling: pixels"]
    assert smiling.low < smiling.value < smiling.high
    assert "Smiling" in section.scores["mean accuracy: codes"].detail


def test_an_attribute_that_half_of_the_images_have_is_not_what_most_have(faces):
    column = faces.train.attributes[:, faces.train.attribute_names.index("Smiling")]
    half = np.concatenate([np.flatnonzero(column)[:40], np.flatnonzero(~column)[:40]])
    section = attributes(replace(faces, train=faces.train.take(half), _codes={}), shown_attributes=("Smiling",))
    smiling = faces.test.attributes[:, faces.test.attribute_names.index("Smiling")]
    assert section.scores["Smiling: majority"].value == pytest.approx(1 - smiling.mean())


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
    asked, said = ["attributes", "usage", "prior_hole", "disentanglement"], []
    evaluation = diabolo.evaluate(faces.codec, (faces.train, faces.test), asked, say=said.append)
    assert said == asked
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


# --- by hand --------------------------------------------------------------------------------------------------------------


def given(digits, codes):
    """The digits with these training and test codes."""

    class Codec:
        name, latent_shape, input_shape, needs_column = "codec", (codes[0].shape[1],), digits.train.shape, None
        bottleneck = bottlenecks.FeatureMap(latent_shape)

    return Subject(
        Codec(),
        digits.train.take(range(len(codes[0]))),
        digits.test.take(range(len(codes[1]))),
        _codes=dict(zip(("train", "test"), codes, strict=True)),
    )


def test_moments_of_codes_by_hand(digits, monkeypatch):
    codes = np.array([[1.0, 4.0], [3.0, 4.0], [5.0, 1.0]], np.float32)
    section = prior_hole(given(digits, (codes, codes)))
    scores = section.scores
    assert scores["mean of a unit"].value == pytest.approx(np.sqrt((9 + 9) / 2))
    assert scores["deviation of a unit"].value == pytest.approx((np.sqrt(8 / 3) + np.sqrt(2)) / 2)
    assert scores["mean of a unit"].detail == {
        "means": [3, 3],
        "deviations": pytest.approx([np.sqrt(8 / 3), np.sqrt(2)]),
    }
    assert scores["Fréchet distance to N(0, I)"].value == pytest.approx(frechet_to_normal(codes))
    assert scores["MMD to N(0, I)"].value == pytest.approx(mmd_to_normal(codes))
    assert {score.n for score in scores.values()} == {3}
    drawn = torch.randn(3, 2, generator=generator(0, "prior"), dtype=torch.float64).numpy()
    assert scores["MMD to N(0, I)"].setting["of_as_many_prior_draws"] == pytest.approx(mmd_to_normal(drawn))
    monkeypatch.setattr(sys.modules["diabolo.evaluation.prior_hole"], "MMD", 2)
    few = prior_hole(given(digits, (codes, codes))).scores["MMD to N(0, I)"]
    assert (few.n, few.value) == (2, pytest.approx(mmd_to_normal(codes[:2])))


@pytest.mark.parametrize(
    ("size", "said"),
    [(1, None), (1024, None), (1025, "1,025 numbers have too many moments for 3 images"), (0, "0 numbers")],
)
def test_codes_with_too_many_moments(digits, size, said):
    codes = np.eye(3, size, dtype=np.float32)
    if said is None:
        assert prior_hole(given(digits, (codes, codes))).scores["mean of a unit"].value == pytest.approx(
            np.sqrt(min(3, size) / 9 / size)
        )
    else:
        with pytest.raises(NotApplicable, match=said):
            prior_hole(given(digits, (codes, codes)))


def test_broken_codes_have_no_moments(digits):
    codes = np.array([[np.nan, np.nan], [1, 2], [np.inf, 0]], np.float32)
    with pytest.raises(NotApplicable, match="2 codes hold NaN or infinity"):
        prior_hole(given(digits, (codes, codes)))


def test_the_split_of_the_divergence_by_hand(digits):
    """By densities of scipy, for 40 posteriors in two dimensions."""
    n, random = 40, np.random.default_rng(0)
    mu, logvar = torch.from_numpy(random.standard_normal((n, 2))), torch.from_numpy(random.uniform(-3, 0, (n, 2)))
    found = _surgery(mu, logvar, given(digits, (np.zeros((3, 2), np.float32),) * 2))
    z, rows = draw(mu, logvar, 1000, 0)
    log_q = np.array(
        [
            [norm.logpdf(a, m, s).sum() for m, s in zip(mu.numpy(), (logvar / 2).exp().numpy(), strict=True)]
            for a in z.numpy()
        ]
    )
    marginal = logsumexp(log_q, 1) - np.log(n)
    prior = norm.logpdf(z.numpy()).sum(1)
    own = sum(
        (
            logsumexp(
                [
                    norm.logpdf(z[:, j].numpy(), m, s)
                    for m, s in zip(mu[:, j].numpy(), (logvar[:, j] / 2).exp().numpy(), strict=True)
                ],
                0,
            )
            - np.log(n)
            - norm.logpdf(z[:, j].numpy())
        ).mean()
        for j in range(2)
    )
    most = max(own, (marginal - prior).mean())
    assert found["KL of the aggregated posterior at most"].value == pytest.approx(most)
    assert found["KL of its units"].value == pytest.approx(own)
    assert found["total correlation at most"].value == pytest.approx(most - own)
    kl = (log_q[np.arange(n), rows] - prior).mean()  # of the same draws, so that what is told of the numbers adds up
    low = (log_q[np.arange(n), rows] - marginal).mean()
    assert kl - low == pytest.approx((marginal - prior).mean())
    assert kl == pytest.approx(0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(1).mean().item(), abs=0.6)
    others = np.where(np.arange(n) == rows.numpy()[:, None], -np.inf, log_q)
    high = (log_q[np.arange(n), rows] - logsumexp(others, 1) + np.log(n - 1)).mean()
    assert found["KL of the aggregated posterior at least"].value == pytest.approx(min(most, max(own, kl - high)))
    setting = found["KL of its units"].setting
    assert (setting["KL of these draws"], setting["draws"], setting["mixture_of"]) == (pytest.approx(kl), 40, 40)
    assert found["total correlation at most"].setting["log_N"] == pytest.approx(np.log(40))


def test_attributes_need_all_that_is_read(faces):
    for missing in (
        {"train": replace(faces.train, attributes=None, attribute_names=None)},
        {"test": replace(faces.test, attributes=None, attribute_names=None)},
    ):
        with pytest.raises(NotApplicable, match="the images have no attributes"):
            attributes(replace(faces, **missing))
    with pytest.raises(NotApplicable, match="every attribute is the same"):
        attributes(replace(faces, train=faces.train.take([0]), _codes={}))


def test_what_most_images_have_by_hand(faces, read_off_faces):
    section = read_off_faces
    k = faces.train.attribute_names.index("Smiling")
    common = faces.train.attributes.mean(0) > 0.5
    right = (faces.test.attributes == common).mean(0)
    varies = (faces.train.attributes.std(0) > 0) & (faces.test.attributes.std(0) > 0)
    assert section.scores["mean accuracy: majority"].value == pytest.approx(right[varies].mean())
    score = section.scores["Smiling: majority"]
    n = len(faces.test)
    assert (score.low, score.high) == pytest.approx(wilson(round(right[k] * n), n))
    assert score.setting["share_that_has_it"] == pytest.approx(faces.test.attributes[:, k].mean())
    assert score.setting["balanced"] == 0.5
    assert section.scores["mean accuracy: codes"].setting["attributes"] == varies.sum()
    detail = section.scores["mean accuracy: majority"].detail["Smiling"]
    assert detail["accuracy"] == round(float(right[k]), 4)


def test_disentanglement_needs_two_factors_and_two_units(faces):
    own = {part: faces.part(part).factors for part in ("train", "test")}
    one_unit = {part: own[part][:, :1] for part in own}
    with pytest.raises(NotApplicable, match=r"the code has 1 units in use: it takes two of each, 256 units at most"):
        disentanglement(replace(faces, _codes=one_unit))
    kept = {}
    for part in ("train", "test"):
        images = faces.part(part)
        flat = np.where(np.arange(images.factors.shape[1]) == 0, images.factors, 3).astype(np.float32)
        kept[part] = replace(images, factors=flat)
    with pytest.raises(NotApplicable, match="1 factors vary"):
        disentanglement(replace(faces, **kept, _codes=own))
    with pytest.raises(NotApplicable, match="what factors"):
        disentanglement(replace(faces, test=replace(faces.test, factors=None, factor_names=None)))
    random = np.random.default_rng(0)
    wide = {part: random.standard_normal((len(own[part]), 257)).astype(np.float32) for part in own}
    with pytest.raises(NotApplicable, match="has 257 units in use"):
        disentanglement(replace(faces, _codes=wide))


def test_scores_of_disentanglement_are_those_of_the_metrics(faces):
    train, test = faces.train.factors[:, :2], faces.test.factors[:, :2]
    codes = {"train": np.concatenate([train, 0 * train[:, :1]], 1), "test": np.concatenate([test, 0 * test[:, :1]], 1)}
    names = faces.train.factor_names[:2]
    subject = replace(
        faces,
        train=replace(faces.train, factors=train, factor_names=names),
        test=replace(faces.test, factors=test, factor_names=names),
        _codes=codes,
    )
    section = disentanglement(subject, factor_bins=5)
    cut = measures.binned(test, 5)
    matrix = measures.mutual_information_matrix(cut, cut)
    gap = measures.mig(matrix, measures.entropies(cut))
    scores = section.scores
    assert scores["MIG"].value == pytest.approx(gap.mean())
    assert scores["MIG"].detail == {name: round(float(value), 4) for name, value in zip(names, gap, strict=True)}
    assert scores["modularity"].value == pytest.approx(measures.modularity(matrix).mean())
    assert scores["FactorVAE score"].value == measures.factor_vae_score(test, test, bins=5)
    assert scores["FactorVAE score"].setting["chance"] == 0.5
    assert scores["MIG"].setting["units"] == "2 of 3, the others hardly vary"
    first = np.random.default_rng(0).permutation(len(train))
    read = measures.separability(train[first], train[first], test, test)
    assert scores["SAP"].value == pytest.approx(measures.sap(read).mean())
    found = measures.dci(train[first], train[first], test, test)
    assert scores["DCI disentanglement"].value == pytest.approx(found.disentanglement)
    assert scores["DCI informativeness"].value == pytest.approx(found.informativeness.mean())
    assert section.panels["dci-importance"].args[1] == ["z1", "z2"]


def test_few_labels_are_learned_from_in_the_scale_of_the_view(digits):
    loud = {part: 50 * digits.codes(part) for part in ("train", "test")}
    section = few_labels(replace(digits, _codes=loud), few_labels=(10, 40), label_draws=3)
    score = section.scores["40 labels: codes"]
    y, x = digits.train.labels, loud["train"]
    shares = []
    for i in range(3):
        kept = digits.train.keep_labels(40, derive(0, "few labels", i) % 2**31).labels
        few = np.flatnonzero(kept != -1)
        scale = common_scale(x)
        other = LogisticRegression(max_iter=5000).fit(x[few] / scale, y[few])
        shares.append(other.score(loud["test"] / scale, digits.test.labels))
    assert score.detail == pytest.approx(shares, abs=0.006)
    assert score.df == 2
    low, high = mean_interval(score.detail)
    assert (score.low, score.high) == (pytest.approx(low), pytest.approx(min(1, high)))
    assert score.setting["deviation_over_draws"] == pytest.approx(np.std(score.detail, ddof=1))
    assert (
        few_labels(digits, few_labels=(10, 1000), label_draws=2).scores["1000 labels: codes"].setting["labels"] == 1000
    )


def test_all_labels_can_be_drawn_and_one_more_cannot(digits):
    some = replace(digits, train=digits.train.keep_labels(30, 0), _codes={})
    assert "30 labels: codes" in few_labels(some, few_labels=(30,), label_draws=2).scores
    with pytest.raises(NotApplicable, match=r"none of \(9, 31\) labels can be drawn from 30 of 10 classes"):
        few_labels(some, few_labels=(9, 31), label_draws=2)


def test_views_are_reduced_above_their_limits(digits, monkeypatch):
    module = sys.modules["diabolo.evaluation.baselines"]
    codes = digits.codes("train"), digits.codes("test")
    monkeypatch.setattr(module, "WHOLE", 64)
    whole = views(codes, digits.train, digits.test, 0)
    assert whole["pixels"].reduced is None
    assert whole["pixels"].scale == 1
    assert list(whole) == ["codes", "pixels", "PCA-8"]
    monkeypatch.setattr(module, "WHOLE", 63)
    monkeypatch.setattr(module, "KEPT", 20)
    reduced = views(codes, digits.train, digits.test, 0)
    assert reduced["pixels"].train.shape[1] == 20
    share = PCA(20).fit(module.flat_pixels(digits.train)).explained_variance_ratio_.sum()
    assert reduced["pixels"].reduced == f"by their first 20 principal components ({100 * share:.1f} % of the variance)"
    monkeypatch.setattr(module, "WHOLE", 7)
    monkeypatch.setattr(module, "KEPT", 5)
    narrow = views(codes, digits.train, digits.test, 0)
    assert narrow["codes"].train.shape[1] == 5
    assert narrow["codes"].reduced.startswith("by their first 5 principal components (")
    assert "PCA-5" in narrow
    monkeypatch.setattr(module, "WHOLE", 8)
    assert views(codes, digits.train, digits.test, 0)["codes"].reduced is None
    monkeypatch.setattr(module, "PIECE", 50)
    assert np.allclose(views(codes, digits.train, digits.test, 0)["PCA-5"].test, narrow["PCA-5"].test, atol=1e-4)


def test_a_view_of_as_many_components_as_pixels_is_left_out(digits):
    for size, there in ((63, True), (64, False)):
        z = np.random.default_rng(0).standard_normal((len(digits.train), size)).astype(np.float32)
        found = views((z, z[: len(digits.test)]), digits.train, digits.test, 0)
        assert (f"PCA-{min(size, 63)}" in found) == there


def test_active_and_idle_units_are_probed_only_where_there_are_both(digits, collapsed):
    assert [(name, view.train.shape[1]) for name, view in _parts(collapsed)] == [("active units", 8), ("idle units", 8)]
    codes = digits.codes("train")[:, :8], digits.codes("test")[:, :8]
    all_active = replace(collapsed, _codes={"train": 5 * codes[0], "test": 5 * codes[1]})
    assert list(_parts(all_active)) == []
    none = replace(collapsed, _codes={"train": 1e-3 * codes[0], "test": 1e-3 * codes[1]})
    assert list(_parts(none)) == []


def test_as_many_labels_as_neighbours_and_classes_that_do_not_meet(digits):
    few = replace(digits, train=digits.train.take(range(5)), _codes={})
    assert "5 nearest neighbours: codes" in probes(few).scores
    train = digits.train.take(digits.train.labels < 5)
    with pytest.raises(NotApplicable, match="no class of the test images occurs"):
        probes(replace(digits, train=train, test=digits.test.take(digits.test.labels > 4), _codes={}))
    blank = replace(digits.test, labels=np.full(len(digits.test), -1))
    with pytest.raises(NotApplicable, match="no label of the test images is known"):
        probes(replace(digits, test=blank, _codes={}))
    with pytest.raises(NotApplicable, match="show 1 classes"):
        probes(replace(digits, train=digits.train.take(digits.train.labels == 3), _codes={}))


def test_one_draw_of_each_posterior_is_held_against_the_prior(digits, monkeypatch):
    mu = torch.linspace(-2, 2, 12).view(6, 2).double()
    logvar = torch.tensor([[-1.0, 2.0]] * 6).double()
    monkeypatch.setattr("diabolo.evaluation.subject.gaussian_posterior", lambda *_: (mu, logvar))
    scores = prior_hole(replace(digits, seed=4, _codes={})).scores
    noise = Draws(generator(4, "prior hole")).normal(mu)
    codes = (mu + noise * torch.tensor([-0.5, 1.0]).exp()).numpy()
    assert scores["mean of a unit"].detail["means"] == pytest.approx(codes.mean(0).tolist())
    assert scores["mean of a unit"].detail["deviations"] == pytest.approx(codes.std(0).tolist())
    assert scores["Fréchet distance to N(0, I)"].value == pytest.approx(frechet_to_normal(codes))
    assert (scores["KL of its units"].setting["draws"], scores["mean of a unit"].n) == (6, 6)
