"""The estimators: what they learn, what they keep to the bit, and what they refuse."""

import inspect
import pickle

import joblib
import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

import diabolo
from diabolo.sklearn import AE, VAE, VQVAE, AutoencoderOutlier, Codec, DenoisingAE, SparseAE

SMALL = {"hidden": (8,), "max_iter": 3, "random_state": 0}
X, Y = load_wine(return_X_y=True)
EVERY = [AE(3), VAE(3), SparseAE(), DenoisingAE(3), VQVAE(3, n_codes=8), Codec("contractive", 3), Codec("iwae", 3)]
IDS = [type(estimator).__name__ if type(estimator) is not Codec else estimator.model for estimator in EVERY]


@pytest.fixture(params=EVERY, ids=IDS)
def estimator(request):
    return clone(request.param).set_params(**SMALL)


# --- what is kept ---------------------------------------------------------------------------------------------------------


def test_a_row_has_the_same_code_whatever_stands_beside_it(estimator):
    codes = estimator.fit(X).transform(X)
    few = X[:40]
    alone = np.concatenate([estimator.transform(row[None]) for row in few])
    order = np.random.default_rng(0).permutation(len(X))
    assert np.array_equal(codes[:40], alone)
    assert np.array_equal(codes[order], estimator.transform(X[order]))


def test_a_row_has_the_same_code_by_pca_and_it_is_that_of_scikit_learn():
    fitted = Codec("pca", 3, random_state=0).fit(X)
    codes = fitted.transform(X)
    assert np.array_equal(codes, np.concatenate([fitted.transform(row[None]) for row in X]))
    scaled = StandardScaler().fit_transform(X)
    wanted = PCA(3, svd_solver="full").fit(scaled)
    assert np.allclose(np.abs(codes), np.abs(wanted.transform(scaled)), atol=1e-5)
    rows = wanted.inverse_transform(wanted.transform(scaled)) * X.std(0) + X.mean(0)
    assert np.allclose(fitted.inverse_transform(codes), rows, rtol=1e-5)
    assert fitted.score(X) == pytest.approx(wanted.explained_variance_ratio_.sum(), abs=1e-6)


def test_a_refit_repeats_to_the_bit(estimator):
    codes = estimator.fit(X).transform(X)
    assert np.array_equal(codes, clone(estimator).fit(X).transform(X))
    assert np.array_equal(codes, estimator.fit(X).transform(X))
    assert not np.array_equal(codes, clone(estimator).set_params(random_state=1).fit(X).transform(X))


def test_torchs_own_random_numbers_and_threads_stay_as_they_are(estimator):
    torch.manual_seed(3)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    pickle.loads(pickle.dumps(estimator.set_params(n_jobs=2).fit(X))).transform(X)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_a_pickle_holds_the_same_estimator(estimator, tmp_path):
    estimator.fit(X)
    joblib.dump(estimator, tmp_path / "it.joblib")
    for copy in (pickle.loads(pickle.dumps(estimator)), joblib.load(tmp_path / "it.joblib")):
        assert np.array_equal(copy.transform(X), estimator.transform(X))
        assert np.array_equal(copy.sample(4, random_state=0), estimator.sample(4, random_state=0))
        assert copy.score(X) == estimator.score(X)
    assert b"torch._utils" not in pickle.dumps(estimator)  # no pickled tensors: JSON and safetensors


def test_codes_come_back_as_rows_in_the_type_that_was_given(estimator):
    for kind in (np.float64, np.float32):
        codes = estimator.fit_transform(X.astype(kind))
        rows = estimator.inverse_transform(codes)
        assert (codes.dtype, rows.dtype) == (kind, kind)
        assert rows.shape == X.shape
    assert estimator.get_feature_names_out()[0].startswith(type(estimator).__name__.lower())


def test_codes_and_rows_are_those_of_the_model(estimator):
    """What `diabolo.Autoencoder` computes in float32."""
    codes = estimator.fit_transform(X)
    model, x = estimator.model_, torch.from_numpy(X)
    assert np.allclose(codes, model.encode(x).flatten(1).numpy(), atol=1e-5)
    assert np.allclose(estimator.inverse_transform(codes), model.reconstruct(x).numpy(), rtol=1e-4)


# --- training ---------------------------------------------------------------------------------------------------------------


def test_nothing_is_written_unless_a_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert AE(2, **SMALL).fit(X).path_ is None
    assert list(tmp_path.iterdir()) == []
    kept = AE(2, out=str(tmp_path / "runs"), **SMALL).fit(X)
    same = diabolo.load(kept.path_)
    assert torch.equal(same.encode(torch.from_numpy(X)), kept.model_.encode(torch.from_numpy(X)))


def test_the_loss_falls_and_every_epoch_is_counted():
    ae = AE(4, hidden=(16,), max_iter=15, random_state=0).fit(X)
    assert ae.n_iter_ == len(ae.loss_curve_) == 15
    assert ae.loss_curve_[-1] < 0.7 * ae.loss_curve_[0]
    assert ae.validation_loss_curve_ == []
    assert ae.n_components_ == ae.transform(X).shape[1] == 4


def test_a_warm_start_goes_on():
    ae = AE(4, warm_start=True, **SMALL).fit(X)
    first = ae.score(X)
    assert ae.fit(X).n_iter_ == 6
    assert ae.score(X) > first
    with pytest.raises(ValueError, match="X has 5 features, but AE is expecting 13"):
        ae.fit(X[:, :5])
    cold = AE(4, **SMALL).fit(X)
    assert cold.fit(X[:, :5]).n_features_in_ == 5
    assert cold.n_iter_ == 3


def test_partial_fit_goes_on_and_keeps_its_scaling():
    ae = AE(4, hidden=(16,), random_state=0)
    ae.partial_fit(X[:90])
    shift, first = ae.model_.scaling.shift.clone(), ae.score(X)
    for _ in range(15):
        ae.partial_fit(X[90:]).partial_fit(X[:90])
    assert ae.n_iter_ == 31
    assert ae.score(X) > first + 0.1
    assert torch.equal(ae.model_.scaling.shift, shift)
    assert np.allclose(shift.numpy(), X[:90].mean(0))


def test_early_stopping_keeps_the_best_epoch():
    ae = AE(4, hidden=(16,), early_stopping=True, n_iter_no_change=2, max_iter=60, learning_rate=0.1, random_state=0)
    watched = ae.fit(X).validation_loss_curve_
    assert ae.n_iter_ == len(watched) < 60
    assert np.argmin(watched) == len(watched) - 3


def test_the_default_width_follows_the_features():
    assert AE(**SMALL).fit(X).n_components_ == 6
    assert AE(**SMALL).fit(X[:, :1]).n_components_ == 1
    assert SparseAE(**SMALL).fit(X).n_components_ == 26


def test_images_by_their_shape(tiny_pixels):
    pixels = tiny_pixels(40)
    rows = pixels.reshape(40, 64)
    ae = AE(4, image_shape=(1, 8, 8), scaling="none", **SMALL).fit(rows)
    assert ae.model_.input_shape == (1, 8, 8)
    assert np.allclose(ae.transform(rows), ae.model_.encode(pixels).numpy(), atol=1e-5)
    assert ae.transform(rows).dtype == np.float32
    found = ae.inverse_transform(ae.transform(rows))
    assert 0 <= found.min() <= found.max() <= 1
    vq = VQVAE(image_shape=(1, 8, 8), scaling="none", n_codes=8, max_iter=1).fit(rows)
    assert vq.transform(rows).shape == (40, 4 * vq.indices(rows).shape[1])
    with pytest.raises(ValueError, match=r"image_shape=\(1, 4, 4\) has 16 numbers, and X has n_features=64"):
        AE(image_shape=(1, 4, 4)).fit(rows)


# --- what is learned ----------------------------------------------------------------------------------------------------------


def test_a_linear_autoencoder_explains_what_pca_explains():
    rows = StandardScaler().fit_transform(X)
    pca = PCA(4).fit(rows)
    best = r2_score(rows, pca.inverse_transform(pca.transform(rows)), multioutput="variance_weighted")
    found = AE(4, hidden=(), max_iter=300, random_state=0).fit(rows).score(rows)
    assert found <= best + 1e-6
    assert found == pytest.approx(best, abs=1e-3)


def test_the_score_is_the_share_of_the_variance():
    ae = AE(4, **SMALL).fit(X)
    scale = X.std(0)
    rows = ae.inverse_transform(ae.transform(X))
    assert ae.score(X) == pytest.approx(r2_score(X / scale, rows / scale, multioutput="variance_weighted"), abs=1e-5)
    assert AE(1, **SMALL).fit(X[:, :2]).score(np.ones((3, 2))) == 0.0


def test_the_score_of_a_variational_one_is_a_bound_in_the_users_units():
    """−ELBO by hand from the parts of the model, at many draws; other units move it by Σ log of their ratio."""
    vae = VAE(2, **SMALL).fit(X)
    model = vae.model_
    with torch.no_grad():
        scaled = model.scaling(torch.from_numpy(X))
        mu, logvar = model.bottleneck.posterior(model.encoder(scaled))
        sigma = model.likelihood.log_sigma.exp()
        kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1)
        draws = [
            torch.distributions.Normal(model.decoder(mu + (logvar / 2).exp() * torch.randn_like(mu)), sigma)
            for _ in range(50)
        ]
        likelihood = torch.stack([normal.log_prob(scaled).sum(1) for normal in draws]).mean(0)
    by_hand = float((likelihood - kl).mean()) - np.log(X.std(0)).sum()
    assert vae.score(X) == pytest.approx(by_hand, abs=0.2)
    larger = VAE(2, **SMALL).fit(1000 * X)
    assert larger.score(1000 * X) == pytest.approx(vae.score(X) - 13 * np.log(1000), abs=1e-2)


def test_the_score_of_m2_counts_what_the_class_costs():
    """−ELBO of p(x, y): that of p(x | y), and log 3 for one of three classes as likely as each other."""
    m2 = Codec("m2", 2, **SMALL).fit(X, Y)
    model, labels = m2.model_, torch.from_numpy(Y)
    with torch.no_grad():
        scaled, one_hot = model.scaling(torch.from_numpy(X)), torch.nn.functional.one_hot(labels).float()
        to_encoder, to_decoder = model.condition(labels)
        assert torch.equal(to_decoder[0], one_hot)
        mu, logvar = model.bottleneck.posterior(model.encoder(scaled, *to_encoder))
        kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1)
        noise = torch.Generator().manual_seed(0)
        draws = [mu + (logvar / 2).exp() * torch.randn(mu.shape, generator=noise) for _ in range(50)]
        normal = torch.distributions.Normal(
            torch.stack([model.decoder(z, *to_decoder) for z in draws]), model.likelihood.log_sigma.exp()
        )
        likelihood = normal.log_prob(scaled).sum(2).mean(0)
    by_hand = float((likelihood - kl).mean()) - np.log(X.std(0)).sum() - np.log(3)
    assert m2.score(X, Y) == pytest.approx(by_hand, abs=0.2)


def test_samples_have_the_spread_of_the_codes():
    ae = AE(3, **SMALL).fit(X)
    drawn = ae.transform(ae.sample(4000, random_state=0))
    codes = ae.transform(X)
    linear = AE(3, hidden=(), max_iter=100, random_state=0).fit(X)
    rows = linear.sample(4000, random_state=0)
    wanted = linear.inverse_transform(linear.transform(X))
    assert np.allclose(rows.mean(0), wanted.mean(0), atol=0.1 * X.std(0).max(), rtol=0.05)
    assert np.allclose(rows.std(0), wanted.std(0), rtol=0.1)
    assert drawn.shape == (4000, 3)
    assert np.isfinite(codes).all()
    assert np.array_equal(
        VAE(2, **SMALL).fit(X).sample(2, random_state=1), VAE(2, **SMALL).fit(X).sample(2, random_state=1)
    )


def test_quantised_codes_are_vectors_of_the_codebook():
    vq = VQVAE(3, n_codes=8, code_dim=2, hidden=(16,), max_iter=10, random_state=0).fit(X)
    codes, indices = vq.transform(X), vq.indices(X)
    assert codes.shape == (178, 6)
    assert indices.shape == (178, 3)
    assert 0 <= indices.min() <= indices.max() < 8
    book = vq.model_.bottleneck.vectors.detach().numpy()
    assert np.allclose(codes.reshape(178, 2, 3).transpose(0, 2, 1), book[indices])
    assert vq.score(X) > 0.02


def test_outliers_are_found_among_real_rows():
    rows, y = load_breast_cancer(return_X_y=True)
    benign, malignant = rows[y == 1], rows[y == 0]
    found = AutoencoderOutlier(contamination=0.1, random_state=0, hidden=(32,), max_iter=15).fit(benign[:250])
    scores = np.concatenate([found.score_samples(part) for part in (benign[250:], malignant)])
    assert roc_auc_score(np.r_[np.ones(107), np.zeros(212)], scores) > 0.9
    assert (found.predict(benign[:250]) == -1).sum() == 25
    assert np.array_equal(found.decision_function(rows), found.score_samples(rows) - found.offset_)
    x = found.model_.scaling(torch.from_numpy(rows)).numpy()
    x_hat = found.model_.scaling(found.model_.reconstruct(torch.from_numpy(rows))).numpy()
    assert np.allclose(found.score_samples(rows), -((x - x_hat) ** 2).mean(1), rtol=1e-3)


@pytest.mark.parametrize("recipe", ["pca", "topk", "vae", "factorvae"])
def test_any_recipe_for_vectors_finds_outliers(recipe):
    found = AutoencoderOutlier(2, recipe=recipe, contamination=0.1, **SMALL).fit(X)
    assert (found.predict(X) == -1).sum() == 18  # of 178
    if recipe == "pca":
        scaled = StandardScaler().fit_transform(X)
        pca = PCA(2).fit(scaled)
        wanted = -np.square(scaled - pca.inverse_transform(pca.transform(scaled))).mean(1)
        assert np.allclose(found.score_samples(X), wanted, rtol=1e-4)


# --- labels -------------------------------------------------------------------------------------------------------------------


def test_labels_are_read_by_models_that_want_them():
    words = np.array(["red", "green", "blue"])[Y]
    joint = Codec("joint", 4, hidden=(32,), max_iter=30, random_state=0).fit(X, words)
    assert joint.classes_.tolist() == ["blue", "green", "red"]
    assert (joint.predict(X) == words).mean() > 0.9
    few = np.where(np.arange(178) % 3, -1, Y)
    assert Codec("joint", 4, hidden=(32,), max_iter=30, random_state=0).fit(X, few).classes_.tolist() == [0, 1, 2]
    assert not hasattr(Codec("topk", 4, **SMALL).fit(X, Y), "predict")


def test_a_conditional_model_wants_its_labels_everywhere():
    cvae = Codec("cvae", 3, options={"scaling": "standard"}, **SMALL).fit(X, Y)
    codes = cvae.transform(X, Y)
    assert np.array_equal(codes, clone(cvae).fit_transform(X, Y))
    assert cvae.inverse_transform(codes, Y).shape == X.shape
    assert cvae.sample(3, random_state=0, y=[0, 1, 2]).shape == (3, 13)
    assert np.isfinite(cvae.score(X, Y))
    for ask in (cvae.transform, cvae.score, clone(cvae).fit):
        with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
            ask(X)
    with pytest.raises(ValueError, match="a class that was not seen in fit: 5"):
        cvae.transform(X[:2], [0, 5])
    with pytest.raises(ValueError, match="reads labels, and y holds no classes"):
        clone(cvae).fit(X, X[:, 0])


def test_a_condition_on_columns():
    codec = Codec("vae", 3, options={"condition": "factors"}, **SMALL).fit(X, X[:, :2])
    assert codec.model_.needs_column == "factors"
    assert codec.transform(X, X[:, :2]).shape == (178, 3)


def test_y_is_ignored_by_the_others():
    codes = AE(3, **SMALL).fit_transform(X)
    assert np.array_equal(codes, AE(3, **SMALL).fit_transform(X, np.random.default_rng(0).normal(size=178)))


def test_a_recipe_without_a_width_of_its_own_is_trained(tiny_pixels):
    images = tiny_pixels()
    flat, shape = images.reshape(len(images), -1), images.shape[1:]
    codec = Codec("denoising_conv", image_shape=shape, scaling="none", max_iter=1, random_state=0).fit(flat)
    assert codec.inverse_transform(codec.transform(flat)).shape == flat.shape


# --- what is refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "rows", "message"),
    [
        (AE(), [["a", "b"], ["c", "d"]], "could not convert string to float: 'a'"),
        (AE(), X[:1], "Found array with 1 sample(s) (shape=(1, 13)) while a minimum of 2 is required by AE."),
        (AE(14), X, "n_components=14 is more than n_features=13, so that the code is no bottleneck"),
        (
            AE(),
            np.where(X[0, 0] == X, np.inf, X),
            "Input X contains infinity or a value too large for dtype('float64').",
        ),
        (AE(), np.where(X[0, 0] == X, np.nan, X), "Input X contains NaN."),
        (AE(), X + 1j, "Complex data not supported"),
        (AE(0), X, "n_components must be a whole number of at least 1, not 0"),
        (AE(max_iter=0), X, "max_iter must be a whole number of at least 1, not 0"),
        (AE(hidden=(8, 0)), X, "hidden"),
        (AE(n_jobs=0), X, "n_jobs is a number of threads, −1 for all, not 0"),
        (Codec("denoising_conv"), X, "images (C, H, W)"),
        (Codec("completion_plain"), X, "a quarter is one of images (C, H, W)"),
        (AE(learning_rate=-1), X, "learning_rate must be a number above 0 and at most 1,000, not -1"),
        (AE(hidden=1.5), X, "hidden must be whole numbers, not 1.5"),
        (AE(image_shape=13), X, "image_shape must be one or more whole numbers, not 13"),
        (AE(), X * 1e200, "and float32 ends at 3e+38: give them in a larger unit"),
        (AE(scaling="normal"), X, "unknown scaling 'normal'"),
        (AE(scaling="none"), X, "takes those in [0, 1]"),
        (AE(likelihood="bernoulli"), X, "use scaling 'unit', or a likelihood with a linear output"),
        (AE(early_stopping=True, validation_fraction=0.9), X[:4], "n_samples=4 are too few to hold out 4 of them"),
        (VAE(beta=-1), X, "beta must be 0 or more"),
        (VQVAE(n_codes=1), X, "n_codes must be a whole number of at least 2, not 1"),
        (VQVAE(3, image_shape=(1, 13, 1)), X, "leave n_components out"),
        (Codec("vea"), X, "unknown model 'vea'; did you mean 'vae'?"),
        (Codec("vae", options={"betta": 1}), X, "unknown option 'betta' of the model 'vae'; did you mean 'beta'?"),
        (Codec("vae", options=3), X, "options are those of the recipe by name, such as {'beta': 4.0}, not 3"),
        (Codec("vae", options=["beta"]), X, "options are those of the recipe by name"),
        (AutoencoderOutlier(contamination=0.6), X, "contamination must be a number above 0 and at most 0.5, not 0.6"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_trained_on_is_refused_in_a_sentence(estimator, rows, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the message is what is looked at
        estimator.fit(rows)
    assert message in str(refused.value)
    assert not hasattr(estimator, "_fitted")


def test_what_is_no_array_of_numbers_is_refused():
    with pytest.raises(TypeError, match="Sparse data was passed for X, but dense data is required"):
        AE().fit(scipy.sparse.csr_array(X))
    with pytest.raises(TypeError, match="must be a string or a real number, not 'object'"):
        AE().fit(np.array([[object()] * 2] * 3))


def test_a_constant_feature_divides_by_nothing():
    rows = X.copy()
    rows[:, 3] = 7.0
    ae = AE(4, hidden=(16,), max_iter=40, random_state=0).fit(rows)
    assert np.isfinite(ae.transform(rows)).all()
    assert np.abs(ae.inverse_transform(ae.transform(rows))[:, 3] - 7).max() < 0.5


def test_other_columns_than_in_fit_are_refused():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X[:, :3], columns=["a", "b", "c"])
    ae = AE(2, **SMALL).fit(frame)
    assert ae.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        ae.transform(frame[["b", "a", "c"]])
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        ae.transform(frame.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match="X has 4 features, but AE is expecting 2 as codes"):
        ae.inverse_transform(X[:, :4])


def test_nothing_is_asked_before_fit():
    for ask in ("transform", "inverse_transform", "score"):
        with pytest.raises(NotFittedError):
            getattr(AE(), ask)(X)
    with pytest.raises(NotFittedError):
        AE().sample()
    with pytest.raises(NotFittedError):
        _ = AE().model_


@pytest.mark.parametrize("kind", [AE, VAE, SparseAE, DenoisingAE, VQVAE, Codec, AutoencoderOutlier])
def test_every_argument_is_explained(kind):
    for name in inspect.signature(kind).parameters:
        assert f"        {name}: " in kind.__doc__, name
